/**
 * The embedder's side of a directory in memory.
 *
 * @module
 */
import { isDirectory } from "../../host.ts";
import { invalidType, invalidValue } from "../../errors.ts";
import { toRecord } from "../../validate.ts";
import { Errno, posixError } from "../../errno.ts";
import {
  type BytesTree,
  invalidContent,
  isBytes,
  type MemoryDirectory,
  type MemoryEntry,
  MemoryFile,
  MemoryLink,
  type MemorySnapshot,
  type Tree,
} from "./types.ts";
import { VolumeDirectory } from "./directory.ts";
import { DirectoryNode, FileNode, LinkNode, type Node, type Time } from "./nodes.ts";

const decoder = new TextDecoder();

const CONTENT = "text, a Uint8Array, a MemoryFile";

/** Throws for an -errno, passes anything else. */
export function must<R>(result: R | number, path: string): R {
  if (typeof result === "number" && result < 0) throw posixError(-result, `cannot use "${path}"`);
  return result as R;
}

/** A path without slashes at its ends and without "."; "" for the directory itself. */
function tidy(path: string): string {
  if (typeof path !== "string") throw invalidType("path", "of type string", path);
  if (path.includes("\0")) throw invalidValue("path", "must have no NUL", path);
  return path.split("/").filter((name) => name !== "" && name !== ".").join("/");
}

function exact(time: Time): bigint {
  return typeof time === "bigint" ? time : BigInt(Math.floor(time));
}

/** What files with several names hold, each read once. */
type Contents = Map<FileNode, Uint8Array>;

/** Copies by node, so that names of one file stay names of one file. */
type Copies = Map<Node, Node>;

class Snapshot implements MemorySnapshot {
  readonly kind = "snapshot";
  readonly owner: DirectoryNode;
  readonly root: DirectoryNode;
  readonly linked: ReadonlyMap<string, Node>;
  readonly era: number;

  constructor(
    { node, volume }: VolumeDirectory,
    root: DirectoryNode,
    linked: ReadonlyMap<string, Node>,
  ) {
    this.owner = node;
    this.root = root;
    this.linked = linked;
    this.era = volume.era;
  }
}

/** A {@linkcode VolumeDirectory} with the embedder's methods. */
export class TreeDirectory extends VolumeDirectory implements MemoryDirectory {
  /** Puts a tree's content here. */
  fill(tree: Tree): void {
    if (!isPlain(tree)) throw invalidType("tree", `a plain object${toRecord(tree)}`, tree);
    this.#fill(tree, "", new Map());
  }

  #fill(tree: Tree, into: string, filled: Map<Uint8Array, FileNode>): void {
    for (const [name, value] of Object.entries(tree)) {
      const path = tidy(`${into}/${name}`);
      if (isContent(value)) this.#put(path, value, filled);
      else if (isPlain(value)) {
        this.makeDirectory(path);
        this.#fill(value, path, filled);
      } else {
        const expected = `${CONTENT}, a MemoryLink or a plain object of these`;
        throw invalidContent(`tree["${path}"]`, expected, value);
      }
    }
  }

  bytes(path: string): Uint8Array<ArrayBuffer> {
    const node = must(this.at(tidy(path) || ".", true), path);
    if (node instanceof DirectoryNode) throw posixError(Errno.ISDIR, `cannot read "${path}"`);
    if (!(node instanceof FileNode)) throw posixError(Errno.NOTSUP, `cannot read "${path}"`);
    return contentOf(node, path);
  }

  text(path: string): string {
    const bytes = this.bytes(path);
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw tooLarge(path, bytes.length, "a string", error);
    }
  }

  has(path: string): boolean {
    return typeof this.at(tidy(path) || ".", false) !== "number";
  }

  write(path: string, content: string | Uint8Array | MemoryFile | MemoryLink): void {
    if (!isContent(content)) {
      throw invalidContent("content", `${CONTENT} or a MemoryLink`, content);
    }
    this.#put(path, content);
  }

  /** The same; what stands in `filled` already is shared until it changes. */
  #put(
    path: string,
    content: string | Uint8Array | MemoryFile | MemoryLink,
    filled?: Map<Uint8Array, FileNode>,
  ): void {
    const whole = tidy(path);
    const slash = whole.lastIndexOf("/");
    if (slash > 0) this.makeDirectory(whole.slice(0, slash));
    if (content instanceof MemoryLink) {
      must(this.symlink(content.target, whole || "."), path);
      return;
    }
    const node = this.#fileAt(whole, path);
    const file = content instanceof MemoryFile ? content : new MemoryFile(content);
    const same = filled?.get(file.content);
    if (same !== undefined && same !== node) node.pages = same.pages.clone();
    else {
      must(node.pages.setSize(0), path);
      must(node.pages.write(file.content, 0, file.content.length, 0), path);
      if (typeof content !== "string") filled?.set(file.content, node);
    }
    this.volume.modified(node);
    node.mode = file.mode;
    if (file.mtime === undefined) return;
    node.atim = node.mtim = file.mtime;
    node.touched = true;
  }

  /** The file at a path, made if it is not there. */
  #fileAt(whole: string, path: string): FileNode {
    const { volume } = this;
    return must(
      volume.walk<FileNode | number>(this.node, whole || ".", (directory, name) => {
        const there = name === "." ? directory : volume.find(directory, name);
        if (there === -Errno.NOENT) return volume.create(directory, name);
        if (there instanceof DirectoryNode) return -Errno.ISDIR;
        return there instanceof FileNode ? there : typeof there === "number" ? there : -Errno.EXIST;
      }),
      path,
    ) as FileNode;
  }

  linkTo(existing: string, path: string): void {
    must(this.link(tidy(existing) || ".", this, tidy(path) || "."), path);
  }

  makeDirectory(path: string): void {
    let made = "";
    for (const name of tidy(path).split("/")) {
      if (name === "") continue;
      made = made === "" ? name : `${made}/${name}`;
      const error = this.mkdir(made);
      if (error === 0) continue;
      const node = error === -Errno.EXIST ? this.at(made, true) : error;
      if (node instanceof DirectoryNode) continue;
      throw posixError(
        typeof node === "number" ? -node : Errno.NOTDIR,
        `cannot make directory "${made}"`,
      );
    }
  }

  remove(path: string): void {
    const whole = tidy(path);
    const node = this.at(whole || ".", false);
    if (node === -Errno.NOENT || node === -Errno.NOTDIR) return;
    must(node, path);
    if (node instanceof DirectoryNode) {
      must(this.volume.list(node), path);
      for (const { name } of [...node.entries()]) this.remove(`${whole}/${name}`);
      if (node !== this.node) must(this.rmdir(whole), path);
    } else must(this.unlink(whole), path);
  }

  *paths(): IterableIterator<string> {
    for (const [path, node] of this.#nodes(this.node, "")) {
      yield node instanceof DirectoryNode ? `${path}/` : path;
    }
  }

  *entries(): IterableIterator<MemoryEntry> {
    const linked: Contents = new Map();
    for (const [path, node] of this.#nodes(this.node, "")) {
      let content: Uint8Array | undefined = undefined;
      yield {
        path,
        kind: node instanceof DirectoryNode
          ? "directory"
          : node instanceof LinkNode
          ? "link"
          : "file",
        get content(): Uint8Array {
          return content ??= node instanceof FileNode
            ? sharedContent(node, path, linked)
            : new Uint8Array(0);
        },
        size: node instanceof FileNode ? node.size : 0,
        target: node instanceof LinkNode ? node.target : "",
        ino: node.ino,
        mode: node.mode,
        mtime: exact(node.mtim),
      };
    }
  }

  *#nodes(directory: DirectoryNode, path: string): Generator<[string, Node]> {
    must(this.volume.list(directory), path);
    for (const { name } of [...directory.entries()]) {
      const node = this.volume.find(directory, name);
      if (typeof node === "number") continue; // it went while we were away
      const whole = path === "" ? name : `${path}/${name}`;
      yield [whole, node];
      if (node instanceof DirectoryNode) yield* this.#nodes(node, whole);
    }
  }

  toObject(): BytesTree {
    return this.#object(this.node, "", new Map());
  }

  #object(directory: DirectoryNode, path: string, linked: Contents): BytesTree {
    must(this.volume.list(directory), path);
    const object: BytesTree = {};
    for (const { name } of [...directory.entries()]) {
      const node = this.volume.find(directory, name);
      const whole = path === "" ? name : `${path}/${name}`;
      let value: BytesTree[string];
      if (node instanceof DirectoryNode) value = this.#object(node, whole, linked);
      else if (node instanceof LinkNode) value = new MemoryLink(node.target);
      else if (node instanceof FileNode) value = sharedContent(node, whole, linked);
      else continue;
      // defined, not assigned: a guest may call a file "__proto__"
      Object.defineProperty(object, name, {
        value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return object;
  }

  snapshot(): MemorySnapshot {
    const copies: Copies = new Map();
    const root = copyNode(this.node, copies) as DirectoryNode;
    return new Snapshot(this, root, copyLinked(this.volume.linked, copies));
  }

  restore(snapshot: MemorySnapshot): void {
    if (!(snapshot instanceof Snapshot) || snapshot.owner !== this.node) {
      throw invalidType("snapshot", "a snapshot of this directory", snapshot);
    }
    if (snapshot.era !== this.volume.era) {
      throw posixError(Errno.STALE, "cannot restore what was there before commit()");
    }
    // a copy of the copy: it can be come back to again
    const copies: Copies = new Map();
    const { linked } = this.volume;
    this.node.become(copyNode(snapshot.root, copies) as DirectoryNode);
    linked.clear();
    for (const [key, node] of copyLinked(snapshot.linked, copies)) linked.set(key, node);
  }
}

function isContent(value: unknown): value is string | Uint8Array | MemoryFile | MemoryLink {
  return typeof value === "string" || isBytes(value) || value instanceof MemoryFile ||
    value instanceof MemoryLink;
}

/** Whether a value is an object as `{}` makes it, of whatever realm, or a module's exports. */
function isPlain(value: unknown): value is Tree {
  if (typeof value !== "object" || value === null || isDirectory(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

function contentOf(node: FileNode, path: string): Uint8Array<ArrayBuffer> {
  try {
    return must(node.pages.bytes(), path) as Uint8Array<ArrayBuffer>;
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(path, node.size, "an array", error);
    throw error;
  } finally {
    if (node.opened === 0) node.release?.();
  }
}

/** The same; names of one file get the same array. */
function sharedContent(node: FileNode, path: string, linked: Contents): Uint8Array {
  if (node.nlink < 2) return contentOf(node, path);
  const content = linked.get(node) ?? contentOf(node, path);
  linked.set(node, content);
  return content;
}

function tooLarge(path: string, size: number, target: string, cause: unknown): Error {
  const reason = `cannot read "${path}": its ${size} bytes do not fit into ${target}`;
  return Object.assign(posixError(Errno.FBIG, reason), { cause });
}

/** A copy of a node with all in it; what has several names is copied once. */
function copyNode(node: Node, copies: Copies, parent?: DirectoryNode): Node {
  const known = copies.get(node);
  if (known !== undefined) return known;
  const copy = bareCopy(node, parent);
  copies.set(node, copy);
  copy.mode = node.mode;
  copy.nlink = node.nlink;
  [copy.atim, copy.mtim, copy.ctim] = [node.atim, node.mtim, node.ctim];
  [copy.read, copy.touched] = [node.read, node.touched];
  if (node instanceof DirectoryNode && copy instanceof DirectoryNode) {
    copy.copyEntries(node, (inner) => copyNode(inner, copies, copy));
  }
  return copy;
}

function copyLinked(linked: ReadonlyMap<string, Node>, copies: Copies): Map<string, Node> {
  return new Map([...linked].map(([key, node]) => [key, copyNode(node, copies)]));
}

function bareCopy(node: Node, parent: DirectoryNode | undefined): Node {
  if (node instanceof DirectoryNode) {
    return new DirectoryNode(node.ino, node.mtim, parent, node.origin);
  }
  if (node instanceof LinkNode) return new LinkNode(node.ino, node.mtim, node.target, node.origin);
  if (!(node instanceof FileNode)) return node; // a device that an overlay shows: never changes
  const copy = new FileNode(node.ino, node.mtim, node.pages.clone(), node.origin);
  copy.release = node.release;
  return copy;
}
