/**
 * What a volume in memory is made of: files, directories, links, and what an overlay only shows.
 *
 * @module
 */
import type { FileStat } from "../../filestat.ts";
import { type Directory, Filetype } from "../../host.ts";
import { encode } from "../../text.ts";
import { Pages } from "./pages.ts";

/** Nanoseconds since 1970: exact as a bigint when somebody set it, else a number. */
export type Time = number | bigint;

/** Where a node of an overlay comes from. */
export interface Origin {
  /** the directory that the overlay stands over */
  readonly lower: Directory;
  /** its path there; "." for that directory itself */
  readonly path: string;
}

/** Anything with an inode number. */
export class Node {
  readonly filetype: number;
  readonly ino: bigint;
  nlink = 1;
  /** Permission bits, for whoever reads the tree; nothing checks them. */
  mode: number;
  atim: Time;
  mtim: Time;
  ctim: Time;
  /** Whether it was read since it was last written, so that `atim` need not change (relatime). */
  read = false;
  /** For what an overlay found beneath itself. */
  readonly origin: Origin | undefined;
  /** Whether attributes were set since it was found. */
  touched = false;

  constructor(filetype: number, ino: bigint, mode: number, now: Time, origin?: Origin) {
    this.filetype = filetype;
    this.ino = ino;
    this.mode = mode;
    this.atim = this.mtim = this.ctim = now;
    this.origin = origin;
  }

  /** Size in bytes as stat(2) tells it. */
  get size(): number {
    return 0;
  }
}

/** A regular file. */
export class FileNode extends Node {
  pages: Pages;
  /** How many have it open. */
  opened = 0;
  /** Gives up what lies beneath while nobody has it open. */
  release: (() => void) | undefined = undefined;

  constructor(ino: bigint, now: Time, pages: Pages = new Pages(), origin?: Origin) {
    super(Filetype.REGULAR_FILE, ino, 0o644, now, origin);
    this.pages = pages;
  }

  override get size(): number {
    return this.pages.size;
  }

  /** Gives up the bytes of what has no name and is not open, whoever still knows the node. */
  dropIfGone(): void {
    if (this.nlink === 0 && this.opened === 0) this.pages = new Pages();
  }
}

/** Whether content or attributes of what an overlay found beneath itself were changed. */
export function isModified(node: Node): boolean {
  return node.touched || (node instanceof FileNode && node.pages.changed);
}

/** A symbolic link. */
export class LinkNode extends Node {
  readonly target: string;

  constructor(ino: bigint, now: Time, target: string, origin?: Origin) {
    super(Filetype.SYMBOLIC_LINK, ino, 0o777, now, origin);
    this.target = target;
  }

  override get size(): number {
    return encode(this.target).length;
  }
}

/** A name in a directory. */
export interface Entry {
  readonly name: string;
  /** What its cookie is made of: grows with every entry of the directory. */
  readonly order: number;
  /** Undefined for what an overlay has only seen in a list so far. */
  node: Node | undefined;
  readonly ino: bigint;
  readonly filetype: number;
  /** Whether an overlay found it beneath, at this name. */
  beneath: boolean;
  removed: boolean;
}

/** Cookies 1 and 2 come after "." and "..". */
const FIRST_ORDER = 3;

/** A directory. Its entries keep the order in which they were made. */
export class DirectoryNode extends Node {
  /** Undefined for the root, and for one that was removed. */
  parent: DirectoryNode | undefined;
  removed = false;
  /** Names that are there beneath and no longer here. */
  readonly hidden: Set<string> = new Set();
  /** Whether all that lies beneath is among the entries. */
  listed: boolean;
  /**
   * By name, what was removed too until it is swept: engines keep a deleted key in the chain of its
   * hash, so that renaming to and fro in a large directory would take ever longer.
   */
  #entries: Map<string, Entry> = new Map();
  #count = 0;
  #order: Entry[] = [];
  #next = FIRST_ORDER;

  constructor(ino: bigint, now: Time, parent: DirectoryNode | undefined, origin?: Origin) {
    super(Filetype.DIRECTORY, ino, 0o755, now, origin);
    this.parent = parent;
    this.nlink = 2;
    this.listed = origin === undefined;
  }

  get(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    return entry?.removed ? undefined : entry;
  }

  get count(): number {
    return this.#count;
  }

  entries(): Generator<Entry> {
    return this.from(FIRST_ORDER);
  }

  /** Adds a name, or replaces what it stands for at the same place. */
  set(name: string, node: Node): void {
    this.delete(name);
    this.#add({ name, node, ino: node.ino, filetype: node.filetype, beneath: false });
  }

  /** Adds what lies beneath; its node may come later. */
  found(name: string, ino: bigint, filetype: number, node: Node | undefined): void {
    this.#add({ name, node, ino, filetype, beneath: true });
  }

  #add(entry: Pick<Entry, "name" | "node" | "ino" | "filetype" | "beneath">): void {
    const whole = { ...entry, order: this.#next++, removed: false };
    this.#put(whole);
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.name, entry);
    this.#order.push(entry);
    this.#count++;
  }

  /** Notes that what was beneath at a name is there again. */
  returned(name: string): void {
    this.hidden.delete(name);
    this.get(name)!.beneath = true;
  }

  /** Takes the entries of another directory, each node as `copy` gives it. */
  copyEntries(from: DirectoryNode, copy: (node: Node) => Node): void {
    for (const name of from.hidden) this.hidden.add(name);
    for (const entry of from.entries()) {
      this.#put({ ...entry, node: entry.node && copy(entry.node) });
    }
    this.#next = from.#next;
    this.listed = from.listed;
  }

  /** Becomes what another directory is, without being another one. */
  become(other: DirectoryNode): void {
    this.hidden.clear();
    this.#entries = new Map();
    this.#count = 0;
    this.#order = [];
    this.copyEntries(other, (node) => {
      if (node instanceof DirectoryNode) node.parent = this;
      return node;
    });
    this.nlink = other.nlink;
    this.mode = other.mode;
    [this.atim, this.mtim, this.ctim] = [other.atim, other.mtim, other.ctim];
    [this.read, this.touched] = [other.read, other.touched];
  }

  delete(name: string): void {
    const entry = this.get(name);
    if (entry === undefined) return;
    entry.removed = true;
    entry.node = undefined; // nobody counts what it would keep
    this.#count--;
    if (this.#order.length <= 32 || this.#order.length <= 2 * this.#count) return;
    this.#order = this.#order.filter(({ removed }) => !removed);
    this.#entries = new Map(this.#order.map((entry) => [entry.name, entry]));
  }

  /** The entries whose order is at least `order`, in order. */
  *from(order: number): Generator<Entry> {
    const all = this.#order;
    let low = 0;
    for (let high = all.length; low < high;) {
      const middle = (low + high) >>> 1;
      if (all[middle]!.order < order) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < all.length; i++) if (!all[i]!.removed) yield all[i]!;
  }

  override get size(): number {
    return 4096;
  }
}

function writeNanoseconds(view: DataView, offset: number, time: Time): void {
  if (typeof time === "bigint") return view.setBigUint64(offset, time, true);
  view.setUint32(offset, time >>> 0, true);
  view.setUint32(offset + 4, time / 0x100000000, true);
}

/** Fills what stat(2) gives. */
export function statNode(node: Node, dev: number, into: FileStat): void {
  const { view } = into;
  view.setUint32(0, dev, true);
  view.setUint32(4, 1, true); // no device of a host: who knows files by their numbers mixes none up
  view.setBigUint64(8, node.ino, true);
  into.filetype = node.filetype;
  view.setUint32(24, node.nlink, true);
  view.setUint32(28, 0, true);
  const { size } = node;
  view.setUint32(32, size >>> 0, true);
  view.setUint32(36, size / 0x100000000, true);
  writeNanoseconds(view, 40, node.atim);
  writeNanoseconds(view, 48, node.mtim);
  writeNanoseconds(view, 56, node.ctim);
}
