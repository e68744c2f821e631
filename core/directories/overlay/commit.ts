/**
 * What an overlay has changed, as a list and as changes to make beneath.
 *
 * @module
 */
import { FileStat } from "../../filestat.ts";
import { type Directory, type File, Filetype, Fstflags, Open } from "../../host.ts";
import { Errno, posixError } from "../../errno.ts";
import { DirectoryNode, FileNode, isModified, LinkNode, type Node } from "../memory/nodes.ts";
import { listNames, type OverlayVolume, pathIn } from "./overlay.ts";

/** One difference between an overlay and what lies beneath. */
export interface OverlayChange {
  /** relative to the overlay */
  path: string;
  /** what became of it; a replaced name is removed first and then added */
  kind: "added" | "modified" | "removed";
  /** where it was or is beneath, if it was moved or linked from there, with all in it */
  from?: string;
}

/** The changes, each directory before what is in it. */
export function changesOf(volume: OverlayVolume): OverlayChange[] {
  volume.findNames();
  const changes = [...changesIn(volume.root, ".")];
  return volume.root.touched ? [{ path: ".", kind: "modified" }, ...changes] : changes;
}

function* changesIn(directory: DirectoryNode, place: string): Generator<OverlayChange> {
  for (const name of directory.hidden) yield { path: pathIn(place, name), kind: "removed" };
  for (const { name, node, beneath } of directory.entries()) {
    if (node === undefined) continue; // seen in a list, no more
    const path = pathIn(place, name);
    if (!beneath) {
      yield node.origin === undefined
        ? { path, kind: "added" }
        : { path, kind: "added", from: node.origin.path };
    }
    if ((beneath || node.origin !== undefined) && isModified(node)) {
      yield { path, kind: "modified" };
    }
    if (node instanceof DirectoryNode) yield* changesIn(node, path);
  }
}

function must(result: number, path: string): void {
  if (result < 0) throw posixError(-result, `cannot commit "${path}"`);
}

/** One commit: what was moved aside, what has got its place, what is left for the end. */
class Commit {
  readonly #lower: Directory;
  readonly #root: DirectoryNode;
  /** Where nodes that change their place wait. */
  readonly #aside: Map<Node, string> = new Map();
  readonly #asideName: string;
  /** The place of each node beneath. */
  readonly #placed: Map<Node, string> = new Map();
  readonly #links: [node: Node, path: string][] = [];
  readonly #times: [node: Node, path: string][] = [];

  constructor(volume: OverlayVolume) {
    this.#lower = volume.lower;
    this.#root = volume.root;
    this.#asideName = freeName(volume);
  }

  run(): void {
    this.#setAside();
    this.#settle(this.#root, ".");
    if (this.#root.touched) this.#times.push([this.#root, "."]);
    for (const [node, path] of this.#links) {
      must(this.#lower.link(this.#placed.get(node)!, this.#lower, path), path);
    }
    if (this.#aside.size > 0) must(this.#lower.rmdir(this.#asideName), this.#asideName);
    // last, because making what is in a directory changes its times
    for (const [node, path] of this.#times) this.#setTimes(node, path);
  }

  /** Moves whatever changes its place out of the way, the deepest first. */
  #setAside(): void {
    const stay = new Set<Node>();
    const moved = new Set<Node>();
    const look = (directory: DirectoryNode): void => {
      for (const { node, beneath } of directory.entries()) {
        if (node === undefined) continue;
        if (beneath) stay.add(node);
        else if (node.origin !== undefined) moved.add(node);
        if (node instanceof DirectoryNode) look(node);
      }
    };
    look(this.#root);
    const depth = (node: Node): number => node.origin!.path.split("/").length;
    const sorted = [...moved].filter((node) => !stay.has(node))
      .sort((one, other) => depth(other) - depth(one));
    if (sorted.length > 0) must(this.#lower.mkdir(this.#asideName), this.#asideName);
    for (const node of sorted) {
      const path = `${this.#asideName}/${this.#aside.size}`;
      must(this.#lower.rename(node.origin!.path, this.#lower, path), node.origin!.path);
      this.#aside.set(node, path);
    }
  }

  /** Makes the directory beneath at `place` what `directory` is. */
  #settle(directory: DirectoryNode, place: string): void {
    for (const name of directory.hidden) removeAll(this.#lower, pathIn(place, name));
    for (const { name, node, beneath } of directory.entries()) {
      if (node === undefined) continue;
      const path = pathIn(place, name);
      if (!beneath && !this.#put(node, path)) continue;
      this.#placed.set(node, path);
      if (node instanceof FileNode && (node.origin === undefined || node.pages.changed)) {
        this.#write(node, path);
      }
      if (node instanceof DirectoryNode) this.#settle(node, path);
      if (isModified(node) || node.origin === undefined) this.#times.push([node, path]);
    }
  }

  /** Puts what is new or moved at a path; false for a further name of a file, which comes last. */
  #put(node: Node, path: string): boolean {
    const aside = this.#aside.get(node);
    const isLink = this.#placed.has(node) || (node.origin !== undefined && aside === undefined);
    if (isLink) {
      this.#links.push([node, path]);
      return false;
    }
    if (aside !== undefined) must(this.#lower.rename(aside, this.#lower, path), path);
    else if (node instanceof DirectoryNode) must(this.#lower.mkdir(path), path);
    else if (node instanceof LinkNode) must(this.#lower.symlink(node.target, path), path);
    return true;
  }

  /** Writes what has changed in a file, or all of a new one. */
  #write({ pages, origin }: FileNode, path: string): void {
    const flags = Open.WRITE | (origin === undefined ? Open.CREAT | Open.EXCL : 0);
    const file = this.#lower.open(path, flags, 0);
    if (typeof file === "number") return must(file, path);
    try {
      const target = file as File;
      // what was cut away must not come back when the file has grown again
      must(target.setSize(pages.kept), path);
      must(target.setSize(pages.size), path);
      for (const [position, bytes] of pages.written()) {
        for (let done = 0; done < bytes.length;) {
          const count = target.write(bytes, done, bytes.length - done, position + done);
          must(count === 0 ? -Errno.IO : count, path);
          done += count;
        }
      }
    } finally {
      file.close();
    }
  }

  #setTimes(node: Node, path: string): void {
    const flags = Fstflags.ATIM | Fstflags.MTIM;
    const [atim, mtim] = [BigInt(node.atim), BigInt(node.mtim)];
    must(this.#lower.setTimesAt(path, false, atim, mtim, flags), path);
  }
}

/** A name that is neither beneath nor is to be. */
function freeName({ lower, root }: OverlayVolume): string {
  const stat = new FileStat();
  for (let i = 0;; i++) {
    const name = `.overlay-${i}`;
    const isFree = lower.statAt(name, false, stat) === -Errno.NOENT;
    if (isFree && root.get(name) === undefined) return name;
  }
}

/** Removes a path with all in it; what is not there, because it was set aside, is no error. */
function removeAll(lower: Directory, path: string): void {
  const stat = new FileStat();
  const error = lower.statAt(path, false, stat);
  if (error === -Errno.NOENT) return;
  must(error, path);
  if (stat.filetype !== Filetype.DIRECTORY) return must(lower.unlink(path), path);
  const directory = lower.open(path, Open.READ | Open.DIRECTORY, 0);
  if (typeof directory === "number") return must(directory, path);
  const names: string[] = [];
  try {
    must(listNames(directory as Directory, (name) => names.push(name)), path);
  } finally {
    directory.close();
  }
  for (const name of names) removeAll(lower, `${path}/${name}`);
  must(lower.rmdir(path), path);
}

/** Makes beneath what the overlay shows, then begins anew. What fails leaves what was done. */
export function commit(volume: OverlayVolume): void {
  if (volume.lower.readOnly) throw posixError(Errno.ROFS, "cannot commit to a read-only directory");
  volume.findNames();
  volume.era++;
  new Commit(volume).run();
  volume.reset();
}
