/**
 * A volume over another directory: what is not changed is read from there, what is changed stays
 * in memory.
 *
 * @module
 */
import { Errno, WasiError } from "../../errno.ts";
import { FileStat } from "../../filestat.ts";
import { type Directory, type DirentSink, type File, Filetype, Open } from "../../host.ts";
import { decode } from "../../text.ts";
import {
  DirectoryNode,
  FileNode,
  isModified,
  LinkNode,
  Node,
  type Origin,
} from "../memory/nodes.ts";
import { type Base, Pages } from "../memory/pages.ts";
import { Volume } from "../memory/volume.ts";

/** Inode numbers that no disk is likely to have: those of what is new, by overlay. */
const FIRST_INODE = 1n << 48n;
const INODES = 1n << 32n;

/** A path in what lies beneath. */
export function pathIn(directory: string, name: string): string {
  return directory === "." ? name : `${directory}/${name}`;
}

/** A file beneath, open while somebody reads. */
class LowerFile implements Base {
  readonly #origin: Origin;
  #file: File | undefined = undefined;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    if (this.#file === undefined) {
      const { lower, path } = this.#origin;
      const file = lower.open(path, Open.READ, 0);
      if (typeof file === "number") return file;
      if (file.filetype !== Filetype.REGULAR_FILE) {
        file.close();
        return -Errno.STALE;
      }
      this.#file = file as File;
    }
    return this.#file.read(into, offset, length, position);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Names, kinds and inode numbers of a directory beneath. */
class Listing implements DirentSink {
  readonly #add: (name: string, ino: bigint, filetype: number) => void;

  constructor(add: (name: string, ino: bigint, filetype: number) => void) {
    this.#add = add;
  }

  add(_next: bigint, ino: bigint, filetype: number, name: string): boolean {
    if (name !== "." && name !== "..") this.#add(name, ino, filetype);
    return true;
  }

  addBytes(
    bytes: Uint8Array,
    view: DataView,
    _next: number,
    ino: number,
    filetype: number,
    start: number,
    end: number,
  ): boolean {
    return this.add(0n, view.getBigUint64(ino, true), filetype, decode(bytes, start, end));
  }
}

/** Calls `add` for each name of a directory; -errno if that fails. */
export function listNames(
  directory: Directory,
  add: (name: string, ino: bigint, filetype: number) => void,
): number {
  return directory.list(0n, new Listing(add));
}

function rootOf(lower: Directory): DirectoryNode {
  const stat = new FileStat();
  const error = lower.stat(stat);
  if (error < 0) throw new WasiError(-error);
  const root = new DirectoryNode(stat.ino, 0, undefined, { lower, path: "." });
  takeAttributes(root, stat);
  return root;
}

function takeAttributes(node: Node, stat: FileStat): void {
  node.nlink = Math.max(1, Number(stat.nlink)); // 0 is what is gone
  [node.atim, node.mtim, node.ctim] = [stat.atim, stat.mtim, stat.ctim];
  node.read = true; // reading what lies beneath changes nothing there
}

/** A node of what `stat` says; -errno if more must be known and cannot be. */
function makeNode(origin: Origin, parent: DirectoryNode, stat: FileStat): Node | number {
  const { ino, filetype, length } = stat;
  if (filetype === Filetype.DIRECTORY) return new DirectoryNode(ino, 0, parent, origin);
  if (filetype === Filetype.SYMBOLIC_LINK) {
    const target = origin.lower.readlink(origin.path);
    return typeof target === "number" ? target : new LinkNode(ino, 0, target, origin);
  }
  if (filetype !== Filetype.REGULAR_FILE) return new Node(filetype, ino, 0o644, 0, origin);
  const base = new LowerFile(origin);
  const node = new FileNode(ino, 0, new Pages(base, length), origin);
  node.release = () => base.close();
  return node;
}

/** A volume over a directory. */
export class OverlayVolume extends Volume {
  readonly lower: Directory;
  readonly #stat: FileStat = new FileStat();
  // an overlay may lie beneath another one
  #inode: bigint = FIRST_INODE + BigInt(this.dev) * INODES;

  constructor(lower: Directory) {
    super(rootOf(lower));
    this.lower = lower;
  }

  override inode(): bigint {
    return ++this.#inode;
  }

  override find(directory: DirectoryNode, name: string): Node | number {
    const entry = directory.get(name);
    if (entry?.node !== undefined) return entry.node;
    if (entry === undefined && (directory.listed || directory.hidden.has(name))) {
      return super.find(directory, name);
    }
    const { lower, path } = directory.origin!;
    const whole = pathIn(path, name);
    const error = lower.statAt(whole, false, this.#stat);
    if (error < 0) return error;
    const node = this.#nodeOf({ lower, path: whole }, directory);
    if (typeof node === "number") return node;
    if (entry === undefined) directory.found(name, node.ino, node.filetype, node);
    else entry.node = node;
    return node;
  }

  /** Makes a node of what `#stat` says. */
  #nodeOf(origin: Origin, parent: DirectoryNode): Node | number {
    const stat = this.#stat;
    const isLinked = stat.nlink > 1n && stat.filetype !== Filetype.DIRECTORY;
    const key = isLinked ? `${stat.dev}:${stat.ino}` : undefined;
    const known = key && this.linked.get(key);
    if (known) return known;
    const node = makeNode(origin, parent, stat);
    if (typeof node === "number") return node;
    takeAttributes(node, stat);
    // a guest with a clock of its own sees no other times
    if (this.began !== undefined) node.atim = node.mtim = node.ctim = this.began;
    if (key !== undefined) this.linked.set(key, node);
    return node;
  }

  protected override arrived(directory: DirectoryNode, name: string, node: Node): void {
    const { origin } = directory;
    if (origin !== undefined && pathIn(origin.path, name) === node.origin?.path) {
      directory.returned(name);
    }
  }

  override list(directory: DirectoryNode): number {
    if (directory.listed) return 0;
    const { lower, path } = directory.origin!;
    const opened = path === "." ? lower : lower.open(path, Open.READ | Open.DIRECTORY, 0);
    if (typeof opened === "number") return opened;
    try {
      const error = listNames(opened as Directory, (name, ino, filetype) => {
        if (directory.hidden.has(name) || directory.get(name) !== undefined) return;
        directory.found(name, ino, filetype, undefined);
      });
      if (error < 0) return error;
    } finally {
      if (opened !== lower) opened.close();
    }
    directory.listed = true;
    return 0;
  }

  override detach(directory: DirectoryNode, name: string): void {
    if (directory.get(name)?.beneath) directory.hidden.add(name);
    super.detach(directory, name);
  }

  /**
   * Finds all names of what has several beneath and was changed: each of them shows the change.
   * Names in directories that cannot be read stay unknown.
   */
  findNames(): void {
    const wanted = new Map<bigint, number>();
    for (const node of this.linked.values()) {
      if (isModified(node)) wanted.set(node.ino, node.nlink);
    }
    if (wanted.size === 0) return;
    const count = (directory: DirectoryNode): void => {
      for (const { node } of directory.entries()) {
        if (node instanceof DirectoryNode) count(node);
        else if (node && wanted.has(node.ino)) wanted.set(node.ino, wanted.get(node.ino)! - 1);
      }
    };
    count(this.root);
    for (const [ino, missing] of wanted) if (missing === 0) wanted.delete(ino);
    if (wanted.size > 0) this.#findNames(this.root, wanted);
  }

  #findNames(directory: DirectoryNode, wanted: ReadonlyMap<bigint, number>): void {
    this.list(directory);
    for (const { name, node, ino, filetype } of [...directory.entries()]) {
      if (node === undefined && filetype !== Filetype.DIRECTORY && !wanted.has(ino)) continue;
      const found = this.find(directory, name);
      if (found instanceof DirectoryNode) this.#findNames(found, wanted);
    }
  }

  /** Forgets all changes: what lies beneath shows again. */
  reset(): void {
    this.linked.clear();
    this.root.become(rootOf(this.lower));
  }
}
