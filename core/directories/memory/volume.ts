/**
 * A tree of nodes with its clock and inode numbers, and the changes that can be made to it.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { type Clock, Clockid, Filetype, Fstflags } from "../../host.ts";
import { walk, type Walker } from "../walk.ts";
import type { FOLLOW } from "../walk.ts";
import { encode } from "../../text.ts";
import { DirectoryNode, type Entry, FileNode, LinkNode, type Node, type Time } from "./nodes.ts";

const NAME_MAX = 255;
/** Deeper than any tree that is meant; what walks it need not fear for its stack. */
const DEPTH_MAX = 500;
/** As many names as a file may have. */
const LINK_MAX = 65000;

let volumes = 0;

/** As many bytes as a path may have, which is what a link leads along. */
const TARGET_MAX = 4095;

/** -NAMETOOLONG for a name that no disk would take, else 0. */
function badName(name: string): number {
  // a unit of UTF-16 is at most three bytes
  if (name.length * 3 <= NAME_MAX) return 0;
  return encode(name).length > NAME_MAX ? -Errno.NAMETOOLONG : 0;
}

/** A file system in memory. What can fail answers -errno. */
export class Volume {
  readonly dev: number = ++volumes;
  readonly root: DirectoryNode;
  /** What an overlay found to have several names beneath, by device and inode. */
  readonly linked: Map<string, Node> = new Map();
  /** How often what lies beneath was changed: there is no way back to what stood over it before. */
  era = 0;
  readonly walker: Walker<DirectoryNode> = {
    child: (directory, name) => {
      const node = this.find(directory, name);
      if (typeof node === "number") return node;
      return node instanceof DirectoryNode ? node : -Errno.NOTDIR;
    },
    readlink: (directory, name) => {
      const node = this.find(directory, name);
      if (typeof node === "number") return node;
      return node instanceof LinkNode ? node.target : -Errno.INVAL;
    },
    close() {},
  };
  #inode = 0n;
  #clock: Clock | undefined = undefined;
  /** When the guest's own clock began, if it has one. */
  protected began: Time | undefined = undefined;
  readonly #time: DataView = new DataView(new ArrayBuffer(8));

  constructor(root?: DirectoryNode) {
    this.root = root ?? new DirectoryNode(this.inode(), this.now(), undefined);
  }

  /** A number that no other node has. */
  inode(): bigint {
    return ++this.#inode;
  }

  /** The present, of the guest's clock if it has one of its own. */
  now(): number {
    if (this.#clock === undefined) return Date.now() * 1e6;
    this.#clock.time(Clockid.REALTIME, this.#time, 0);
    return this.#time.getUint32(4, true) * 0x100000000 + this.#time.getUint32(0, true);
  }

  /** Takes times from another clock; what is there by then is as old as the clock's beginning. */
  useClock(clock: Clock): void {
    const first = this.#clock === undefined;
    this.#clock = clock;
    if (!first) return;
    const now = this.now();
    this.began = now;
    const age = (node: Node): void => {
      if (!node.touched) node.atim = node.mtim = node.ctim = now;
      if (!(node instanceof DirectoryNode)) return;
      for (const { node: inner } of node.entries()) if (inner !== undefined) age(inner);
    };
    age(this.root);
  }

  /** The node of a name, or -errno. */
  find(directory: DirectoryNode, name: string): Node | number {
    const node = directory.get(name)?.node;
    if (node !== undefined) return node;
    return (directory.removed ? 0 : badName(name)) || -Errno.NOENT;
  }

  /** Makes sure that all that is in a directory is among its entries. */
  list(_directory: DirectoryNode): number {
    return 0;
  }

  /** Resolves a path beneath `from`; see core/directories/walk.ts. */
  walk<R>(
    from: DirectoryNode,
    path: string,
    step: (directory: DirectoryNode, name: string) => R | typeof FOLLOW,
  ): R | number {
    return walk(this.walker, from, path, false, step);
  }

  /** Notes that the content of a node has changed. */
  modified(node: Node): void {
    node.mtim = node.ctim = this.now();
    node.read = false;
  }

  /** Puts a new node into a directory. */
  insert(directory: DirectoryNode, name: string, node: Node): number {
    if (directory.removed) return -Errno.NOENT;
    const bad = badName(name);
    if (bad < 0) return bad;
    if (node instanceof DirectoryNode) directory.nlink++;
    directory.set(name, node);
    this.modified(directory);
    return 0;
  }

  /** Takes a name out of a directory, and what it stood for if that was its last. */
  remove(directory: DirectoryNode, name: string, node: Node): void {
    this.detach(directory, name);
    if (node instanceof DirectoryNode) {
      directory.nlink--;
      node.nlink = 0;
      node.removed = true;
      node.parent = undefined;
    } else {
      node.nlink--;
      if (node instanceof FileNode) node.dropIfGone();
    }
    node.ctim = this.now();
    this.modified(directory);
  }

  /** Takes an entry out; an overlay hides what lies beneath. */
  detach(directory: DirectoryNode, name: string): void {
    directory.delete(name);
  }

  /** Whether a directory has no entries; -errno if that cannot be found out. */
  isEmpty(directory: DirectoryNode): boolean | number {
    const error = this.list(directory);
    return error < 0 ? error : directory.count === 0;
  }

  /** Told what has got a name by a rename: an overlay sees what is back where it was. */
  protected arrived(_directory: DirectoryNode, _name: string, _node: Node): void {}

  mkdir(directory: DirectoryNode, name: string): number {
    const there = this.#missing(directory, name);
    if (there < 0) return there;
    if (depthOf(directory) >= DEPTH_MAX) return -Errno.NAMETOOLONG;
    return this.insert(
      directory,
      name,
      new DirectoryNode(this.inode(), this.now(), directory),
    );
  }

  symlink(directory: DirectoryNode, name: string, target: string): number {
    if (target === "") return -Errno.NOENT;
    if (target.length > TARGET_MAX || encode(target).length > TARGET_MAX) return -Errno.NAMETOOLONG;
    const there = this.#missing(directory, name);
    if (there < 0) return there;
    return this.insert(directory, name, new LinkNode(this.inode(), this.now(), target));
  }

  /** 0 if a name is free, -EXIST if not, -NOENT in a directory that is gone. */
  #missing(directory: DirectoryNode, name: string): number {
    if (name === ".") return -Errno.EXIST;
    if (directory.removed) return -Errno.NOENT;
    const node = this.find(directory, name);
    if (typeof node !== "number") return -Errno.EXIST;
    return node === -Errno.NOENT ? 0 : node;
  }

  create(directory: DirectoryNode, name: string): FileNode | number {
    const node = new FileNode(this.inode(), this.now());
    const error = this.insert(directory, name, node);
    return error < 0 ? error : node;
  }

  rmdir(directory: DirectoryNode, name: string): number {
    if (name === ".") return -Errno.INVAL;
    const node = this.find(directory, name);
    if (typeof node === "number") return node;
    if (!(node instanceof DirectoryNode)) return -Errno.NOTDIR;
    const empty = this.isEmpty(node);
    if (typeof empty === "number") return empty;
    if (!empty) return -Errno.NOTEMPTY;
    this.remove(directory, name, node);
    return 0;
  }

  unlink(directory: DirectoryNode, name: string): number {
    if (name === ".") return -Errno.ISDIR;
    const node = this.find(directory, name);
    if (typeof node === "number") return node;
    if (node instanceof DirectoryNode) return -Errno.ISDIR;
    this.remove(directory, name, node);
    return 0;
  }

  /** linkat(2), once both names have been resolved; what a link leads to is not asked for. */
  link(from: DirectoryNode, name: string, to: DirectoryNode, toName: string): number {
    const node = name === "." ? from : this.find(from, name);
    if (typeof node === "number") return node;
    const there = this.#missing(to, toName);
    if (there < 0) return there;
    if (node instanceof DirectoryNode) return -Errno.PERM;
    if (node.nlink >= LINK_MAX) return -Errno.MLINK;
    const error = this.insert(to, toName, node);
    if (error < 0) return error;
    node.nlink++;
    node.ctim = this.now();
    return 0;
  }

  /** rename(2), once both names have been resolved. */
  rename(from: DirectoryNode, name: string, to: DirectoryNode, toName: string): number {
    if (name === "." || toName === ".") return -Errno.BUSY;
    const node = this.find(from, name);
    if (typeof node === "number") return node;
    const there = this.find(to, toName);
    if (typeof there === "number" && there !== -Errno.NOENT) return there;
    if (to.removed) return -Errno.NOENT;
    if (node instanceof DirectoryNode && isWithin(to, node)) return -Errno.INVAL;
    if (there instanceof DirectoryNode && isWithin(from, there)) return -Errno.NOTEMPTY;
    if (there === node) return 0;
    if (node instanceof DirectoryNode && depthOf(to) + heightOf(node) >= DEPTH_MAX) {
      return -Errno.NAMETOOLONG;
    }
    if (typeof there !== "number") {
      const error = this.#replaceable(node, there);
      if (error < 0) return error;
      this.remove(to, toName, there);
    }
    this.detach(from, name);
    to.set(toName, node);
    this.arrived(to, toName, node);
    if (node instanceof DirectoryNode) {
      from.nlink--;
      to.nlink++;
      node.parent = to;
    }
    this.modified(from);
    this.modified(to);
    node.ctim = this.now();
    return 0;
  }

  #replaceable(node: Node, there: Node): number {
    if (node instanceof DirectoryNode) {
      if (!(there instanceof DirectoryNode)) return -Errno.NOTDIR;
      const empty = this.isEmpty(there);
      return empty === true ? 0 : empty === false ? -Errno.NOTEMPTY : empty;
    }
    return there instanceof DirectoryNode ? -Errno.ISDIR : 0;
  }

  /** Sets times as {@linkcode Handle.setTimes} says. */
  setTimes(node: Node, atim: bigint, mtim: bigint, flags: number): number {
    if (flags === 0) return 0;
    const now = this.now();
    const pick = (old: Time, set: number, given: bigint, present: number): Time =>
      (flags & set) !== 0 ? given : (flags & present) !== 0 ? now : old;
    node.atim = pick(node.atim, Fstflags.ATIM, atim, Fstflags.ATIM_NOW);
    node.mtim = pick(node.mtim, Fstflags.MTIM, mtim, Fstflags.MTIM_NOW);
    node.ctim = now;
    node.touched = true;
    return 0;
  }

  /** What a list shows of an entry. */
  shown({ node, ino, filetype }: Entry): { ino: bigint; filetype: number } {
    return node ?? { ino, filetype };
  }
}

/** How many directories a directory lies in. */
function depthOf(directory: DirectoryNode): number {
  let depth = 0;
  for (let node = directory.parent; node !== undefined; node = node.parent) depth++;
  return depth;
}

/** How many directories lie in one another in it. */
function heightOf(directory: DirectoryNode): number {
  let highest = 0;
  const left: [DirectoryNode, number][] = [[directory, 0]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [node, height] = next;
    highest = Math.max(highest, height);
    for (const { node: inner } of node.entries()) {
      if (inner instanceof DirectoryNode) left.push([inner, height + 1]);
    }
  }
  return highest;
}

/** Whether `inner` is `outer` or lies in it. */
function isWithin(inner: DirectoryNode, outer: DirectoryNode): boolean {
  for (let node: DirectoryNode | undefined = inner; node !== undefined; node = node.parent) {
    if (node === outer) return true;
  }
  return false;
}

/** Whether a kind of file has bytes that can be opened. */
export function isOpenable(filetype: number): boolean {
  return filetype === Filetype.REGULAR_FILE || filetype === Filetype.DIRECTORY;
}
