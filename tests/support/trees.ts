/**
 * Whole trees as text, to be compared: one line for each path, with all that two directories of
 * different kinds must have in common.
 */
import assert from "node:assert/strict";
import { Errno, Filetype } from "../../core/preview1/abi.ts";
import { FileStat } from "../../core/filestat.ts";
import { type Directory, type DirentSink, type File, Open } from "../../core/host.ts";
import { decode } from "../../core/text.ts";

const NAMES = new Map(Object.entries(Errno).map(([name, errno]) => [errno as number, name]));
const KINDS = new Map(
  Object.entries(Filetype).map(([name, filetype]) => [filetype as number, name.toLowerCase()]),
);

/** A result as text: "-NOENT", or the number if it went well. */
export function outcome(result: number): string {
  return result < 0 ? `-${NAMES.get(-result)}` : String(result);
}

/** A kind of file as text. */
export function kindOf(filetype: number): string {
  return KINDS.get(filetype) ?? String(filetype);
}

/** One name of a list. */
export interface Listed {
  next: bigint;
  ino: bigint;
  filetype: number;
  name: string;
}

/** Takes so many entries and refuses the next. */
export class Portion implements DirentSink {
  readonly entries: Listed[] = [];
  readonly #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  get full(): boolean {
    return this.entries.length >= this.#room;
  }

  add(next: bigint, ino: bigint, filetype: number, name: string): boolean {
    if (this.full) return false;
    this.entries.push({ next, ino, filetype, name });
    return true;
  }

  addBytes(
    bytes: Uint8Array,
    view: DataView,
    next: number,
    ino: number,
    filetype: number,
    start: number,
    end: number,
  ): boolean {
    const name = decode(bytes, start, end);
    return this.add(view.getBigUint64(next, true), view.getBigUint64(ino, true), filetype, name);
  }
}

/** All entries, taken in portions, with what `between` does after each; or -errno. */
export function list(
  directory: Directory,
  portion: number = Infinity,
  between: () => void = () => {},
): Listed[] | number {
  const all: Listed[] = [];
  let cookie = 0n;
  for (;;) {
    const sink = new Portion(portion);
    const error = directory.list(cookie, sink);
    if (error < 0) return error;
    all.push(...sink.entries);
    if (!sink.full) return all;
    cookie = sink.entries.at(-1)!.next;
    between();
  }
}

/** A number made of bytes: different bytes give different ones, but for one case in 2 ** 32. */
export function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return (hash >>> 0).toString(16);
}

/** Earlier than this are only the times that a test has set itself. */
const SET_BEFORE = 10n ** 15n;

/** When it was last changed, if that was set; of other times nothing is to be told. */
export function modified(stat: FileStat): string {
  return stat.mtim < SET_BEFORE ? String(stat.mtim) : "now";
}

/** What two kinds of directory must agree on. Sizes, links and times of directories are free. */
export function describe(stat: FileStat): string {
  const kind = kindOf(stat.filetype);
  if (stat.filetype === Filetype.DIRECTORY) return kind;
  return `${kind} size ${stat.size} nlink ${stat.nlink} mtime ${modified(stat)}`;
}

/** What is at a path. */
export interface Seen {
  /** kind, bytes, target: what two trees with the same content have in common */
  content: string;
  /** times that were set; "" for directories, whose times change with what is in them */
  mtime: string;
  /** number of names, and the first of them by the alphabet */
  names: string;
  /** to the nanosecond, of directories as well */
  exact: bigint;
}

/** All that is in a directory, by path. */
export type View = Map<string, Seen>;

/** Looks at all that is in a directory. What it says of itself must fit together. */
export function look(directory: Directory): View {
  const view: View = new Map();
  const first = new Map<bigint, string>();
  lookInto(directory, "", view, first);
  return view;
}

function lookInto(
  directory: Directory,
  place: string,
  view: View,
  first: Map<bigint, string>,
  above?: bigint,
): void {
  const entries = list(directory);
  assert.ok(typeof entries !== "number", `list "${place}": ${entries}`);
  const stat = new FileStat();
  assert.equal(directory.stat(stat), 0);
  const here = stat.ino;
  for (const { name, ino, filetype } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (name === ".") assert.equal(ino, here, `inode of "." in the list of "${place}"`);
    if (name === "..") assert.equal(ino, above ?? here, `inode of ".." in the list of "${place}"`);
    if (name === "." || name === "..") continue;
    const path = place + name;
    assert.equal(directory.statAt(name, false, stat), 0, `stat "${path}", which is listed`);
    assert.equal(stat.filetype, filetype, `kind of "${path}" in the list`);
    assert.equal(stat.ino, ino, `inode of "${path}" in the list`);
    view.set(path, seeOne(directory, name, path, stat, first));
    if (filetype !== Filetype.DIRECTORY) continue;
    const inner = directory.open(name, Open.READ | Open.DIRECTORY, 0);
    assert.notEqual(typeof inner, "number", `open "${path}": ${inner}`);
    lookInto(inner as Directory, `${path}/`, view, first, here);
    (inner as Directory).close();
  }
}

function seeOne(
  directory: Directory,
  name: string,
  path: string,
  stat: FileStat,
  first: Map<bigint, string>,
): Seen {
  const known = first.get(stat.ino);
  if (known === undefined) first.set(stat.ino, path);
  const isDirectory = stat.filetype === Filetype.DIRECTORY;
  if (isDirectory) assert.equal(known, undefined, `"${path}" and "${known}" have one inode`);
  const seen = {
    content: kindOf(stat.filetype),
    mtime: isDirectory ? "" : modified(stat),
    names: isDirectory ? "" : `${stat.nlink} names, first ${known ?? path}`,
    exact: stat.mtim,
  };
  if (stat.filetype === Filetype.REGULAR_FILE) seen.content += ` ${contentOf(directory, name)}`;
  if (stat.filetype === Filetype.SYMBOLIC_LINK) {
    const target = directory.readlink(name);
    assert.equal(typeof target, "string", `readlink "${path}": ${target}`);
    assert.equal(stat.length, (target as string).length, `size of "${path}"`);
    seen.content += ` to "${target}"`;
  }
  return seen;
}

function contentOf(directory: Directory, name: string): string {
  const file = directory.open(name, Open.READ, 0);
  assert.notEqual(typeof file, "number", `open "${name}": ${file}`);
  const bytes = bytesOf(file as File);
  (file as File).close();
  return bytes;
}

/** Length and digest of all that is in an open file. */
export function bytesOf(file: File): string {
  const stat = new FileStat();
  assert.equal(file.stat(stat), 0);
  const bytes = new Uint8Array(stat.length + 1);
  const count = file.read(bytes, 0, bytes.length, 0);
  assert.equal(count, stat.length, "bytes of a file");
  return `${count} bytes ${digest(bytes.subarray(0, count))}`;
}

/** What of each path is to be compared. */
export type Aspect = (seen: Seen) => string;

/** All but exact times. */
export const everything: Aspect = ({ content, mtime, names }) => `${content} ${mtime} ${names}`;

/** The paths at which two views differ in an aspect, each with what either shows. */
export function differences(one: View, other: View, aspect: Aspect): Map<string, string> {
  const found = new Map<string, string>();
  const show = (seen: Seen | undefined): string => seen === undefined ? "nothing" : aspect(seen);
  for (const path of new Set([...one.keys(), ...other.keys()])) {
    const [here, there] = [show(one.get(path)), show(other.get(path))];
    if (here !== there) found.set(path, `${here} | ${there}`);
  }
  return found;
}

/** Throws unless two views are the same in an aspect. */
export function assertSame(
  one: View,
  other: View,
  what: string,
  aspect: Aspect = everything,
): void {
  const lines = [...differences(one, other, aspect)].map(([path, how]) => `${path}: ${how}`);
  assert.equal(lines.length, 0, `${what}:\n${lines.join("\n")}`);
}
