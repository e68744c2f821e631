/**
 * `wasi:filesystem`, over the directories and files that preview1 has.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/filesystem/wit
 *
 * @module
 */
import { Err } from "../component/err.ts";
import { Errno, WasiError } from "../errno.ts";
import { DirectRead, Words } from "../component/codec.ts";
import { FileStat, Filestat } from "../filestat.ts";
import {
  type Directory,
  type DirentSink,
  Fdflags,
  type File,
  Filetype,
  Fstflags,
  Open,
} from "../host.ts";
import { Descriptor as SystemDescriptor, rightsOf } from "../system/descriptors.ts";
import { toOffset } from "../system/files.ts";
import * as paths from "../system/paths.ts";
import { decode, encode, isEscaped } from "../text.ts";
import { type Datetime, datetimeAt, nanosecondsOf } from "./clocks.ts";
import { attempt, errorCode, failed } from "./errors.ts";
import type { Interface } from "./interface.ts";
import { DIRECT_MIN, InputStream, IoError, OutputStream } from "./io.ts";
import { type FileId, OpenFile, SCRATCH, type Seen, type World } from "./world.ts";

/** Most bytes that one read gives. */
const READ_MAX = 1 << 24;
/** Longest path in bytes: PATH_MAX without its NUL. */
const PATH_MAX = 4095;
/** Entries of a directory that are asked for at once. */
const BATCH = 256;

/** `descriptor-type`, in its order. */
const TYPES = [
  "unknown",
  "block-device",
  "character-device",
  "directory",
  "fifo",
  "symbolic-link",
  "regular-file",
  "socket",
] as const;

/** The number in {@linkcode TYPES} of each `Filetype`. */
const TYPE_NUMBERS: readonly number[] = [
  TYPES.indexOf("unknown"),
  TYPES.indexOf("block-device"),
  TYPES.indexOf("character-device"),
  TYPES.indexOf("directory"),
  TYPES.indexOf("regular-file"),
  TYPES.indexOf("socket"),
  TYPES.indexOf("socket"),
  TYPES.indexOf("symbolic-link"),
];

function typeOf(filetype: number): number {
  return TYPE_NUMBERS[filetype] ?? 0;
}

const ADVICE = ["normal", "sequential", "random", "will-need", "dont-need", "no-reuse"];

/** `descriptor-flags`, combined with `|`. */
const Flag = {
  READ: 1,
  WRITE: 2,
  FILE_INTEGRITY_SYNC: 4,
  DATA_INTEGRITY_SYNC: 8,
  REQUESTED_WRITE_SYNC: 16,
  MUTATE_DIRECTORY: 32,
} as const;

/** `open-flags`. */
const OpenFlag = { CREATE: 1, DIRECTORY: 2, EXCLUSIVE: 4, TRUNCATE: 8 } as const;

/** `path-flags`. */
const SYMLINK_FOLLOW = 1;

type NewTimestamp =
  | { readonly tag: "no-change" | "now" }
  | { readonly tag: "timestamp"; readonly val: Datetime };

function fdflagsOf(flags: number): number {
  return ((flags & Flag.FILE_INTEGRITY_SYNC) !== 0 ? Fdflags.SYNC : 0) |
    ((flags & Flag.DATA_INTEGRITY_SYNC) !== 0 ? Fdflags.DSYNC : 0) |
    ((flags & Flag.REQUESTED_WRITE_SYNC) !== 0 ? Fdflags.RSYNC : 0);
}

/** Times and the flags that say which of them to set. */
function timesOf(
  access: NewTimestamp,
  modification: NewTimestamp,
): [atim: bigint, mtim: bigint, flags: number] {
  let flags = 0;
  if (access.tag === "now") flags |= Fstflags.ATIM_NOW;
  if (access.tag === "timestamp") flags |= Fstflags.ATIM;
  if (modification.tag === "now") flags |= Fstflags.MTIM_NOW;
  if (modification.tag === "timestamp") flags |= Fstflags.MTIM;
  const time = (stamp: NewTimestamp): bigint =>
    stamp.tag === "timestamp" ? nanosecondsOf(stamp.val) : 0n;
  return [time(access), time(modification), flags];
}

/** Nothing for 0, an error for another errno. */
function done(errno: number): undefined | Err {
  return errno === 0 ? undefined : failed(errno);
}

/** Text as a path: a string of a component is Unicode, as `encode` and `decode` have it. */
function pathOf(text: string): paths.Path {
  // a character has three bytes at most for each unit
  if (text.length * 3 > PATH_MAX && encode(text).length > PATH_MAX) {
    throw new WasiError(Errno.NAMETOOLONG);
  }
  return paths.pathOf(text);
}

/** Device and number of a file. */
function idOf({ view }: FileStat): FileId {
  return [
    view.getUint32(Filestat.dev, true),
    view.getUint32(Filestat.dev + 4, true),
    view.getUint32(Filestat.ino, true),
    view.getUint32(Filestat.ino + 4, true),
  ];
}

function mixed(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/**
 * Two files have the same hash only if they are the same: each round can be undone. Source: the
 * finalizer of MurmurHash3, in a Feistel network.
 */
function hashOf(id: FileId): { lower: Words; upper: Words } {
  let [a, b, c, d] = id as [number, number, number, number];
  for (let round = 1; round <= 4; round++) {
    a ^= mixed(b + round);
    b ^= mixed(c + a);
    c ^= mixed(d + b);
    d ^= mixed(a + c);
  }
  return { lower: new Words(a >>> 0, b >>> 0), upper: new Words(c >>> 0, d >>> 0) };
}

/** The 64 bits at a place of a `FileStat`. */
function words({ view }: FileStat, at: number): Words {
  return new Words(view.getUint32(at, true), view.getUint32(at + 4, true));
}

function statOf(stat: FileStat, type: number): unknown {
  return {
    type: TYPES[type],
    linkCount: words(stat, Filestat.nlink),
    size: words(stat, Filestat.filesize),
    dataAccessTimestamp: datetimeAt(stat.view, Filestat.atim),
    dataModificationTimestamp: datetimeAt(stat.view, Filestat.mtim),
    statusChangeTimestamp: datetimeAt(stat.view, Filestat.ctim),
  };
}

/** `descriptor`: an open file or directory. */
export class Descriptor {
  readonly world: World;
  readonly #open: OpenFile;
  /** `descriptor-flags` */
  readonly #flags: number;

  constructor(open: OpenFile, flags: number) {
    this.world = open.world;
    this.#open = open;
    this.#flags = flags;
  }

  /** What it stands for, or the error of a file that is no directory. */
  get #directory(): Directory | undefined {
    return this.#open.descriptor.directory;
  }

  /** Calls with the directory, if it is one and `changes` are allowed. */
  #in<R>(changes: boolean, act: (directory: Directory) => R | Err): R | Err {
    const directory = this.#directory;
    if (directory === undefined) return failed(Errno.NOTDIR);
    if (changes && (this.#flags & Flag.MUTATE_DIRECTORY) === 0) return failed(Errno.ROFS);
    return attempt(() => act(directory));
  }

  /** Calls with the file, if it is one. */
  #with<R>(act: (file: File) => R | Err): R | Err {
    const { file } = this.#open;
    return file === undefined ? failed(Errno.ISDIR) : attempt(() => act(file));
  }

  readViaStream(offset: bigint): InputStream | Err {
    return this.#with<InputStream>((file) => {
      if ((this.#flags & Flag.READ) === 0) return failed(Errno.BADF);
      const position = toOffset(offset);
      if (position < 0) return failed(Errno.INVAL);
      return new InputStream(this.#open.retain(), file.seekable ? Math.min(position, MAX) : -1);
    });
  }

  writeViaStream(offset: bigint): OutputStream | Err {
    return this.#with<OutputStream>((file) => {
      if ((this.#flags & Flag.WRITE) === 0) return failed(Errno.BADF);
      const position = toOffset(offset);
      if (position < 0) return failed(Errno.INVAL);
      return new OutputStream(this.#open.retain(), file.seekable ? Math.min(position, MAX) : -1);
    });
  }

  appendViaStream(): OutputStream | Err {
    return this.#with<OutputStream>((file) => {
      if ((this.#flags & Flag.WRITE) === 0) return failed(Errno.BADF);
      return new OutputStream(this.#open.retain(), -1, file.seekable);
    });
  }

  advise(offset: bigint, length: bigint, advice: string): undefined | Err {
    return this.#with((file) => {
      if (!file.seekable) return failed(Errno.SPIPE);
      const [at, count] = [toOffset(offset), toOffset(length)];
      if (at < 0 || count < 0) return failed(Errno.INVAL);
      if (at === Infinity || count === Infinity) return undefined;
      return done(-file.advise(at, count, ADVICE.indexOf(advice)));
    });
  }

  syncData(): undefined | Err {
    return attempt(() => done(-this.#handle.sync(true)));
  }

  sync(): undefined | Err {
    return attempt(() => done(-this.#handle.sync(false)));
  }

  get #handle(): File | Directory {
    return this.#open.file ?? this.#directory!;
  }

  getFlags(): number {
    return this.#flags;
  }

  getType(): string {
    return TYPES[this.typeNumber]!;
  }

  /** The number of its `descriptor-type`. */
  get typeNumber(): number {
    return typeOf(this.#open.descriptor.filetype);
  }

  setSize(size: bigint): undefined | Err {
    return this.#with((file) => {
      if ((this.#flags & Flag.WRITE) === 0) return failed(Errno.BADF);
      const length = toOffset(size);
      if (length < 0) return failed(Errno.INVAL);
      return done(length === Infinity ? Errno.FBIG : -file.setSize(length));
    });
  }

  setTimes(access: NewTimestamp, modification: NewTimestamp): undefined | Err {
    if (this.#directory !== undefined && (this.#flags & Flag.MUTATE_DIRECTORY) === 0) {
      return failed(Errno.ROFS);
    }
    return attempt(() => done(-this.#handle.setTimes(...timesOf(access, modification))));
  }

  read(length: bigint, offset: bigint): [Uint8Array | DirectRead, boolean] | Err {
    return this.#with<[Uint8Array | DirectRead, boolean]>((file) => {
      if ((this.#flags & Flag.READ) === 0) return failed(Errno.BADF);
      if (!file.seekable) return failed(Errno.SPIPE);
      const position = toOffset(offset);
      if (position < 0) return failed(Errno.INVAL);
      const most = length > BigInt(READ_MAX) ? READ_MAX : Number(length);
      if (position === Infinity) return [new Uint8Array(0), most > 0];
      if (most >= DIRECT_MIN && file.direct === true && this.#open.reaches(position + most)) {
        return [directRead(file, most, position), false];
      }
      const into = most > SCRATCH ? new Uint8Array(most) : this.world.scratch;
      const count = file.read(into, 0, most, position);
      if (count < 0 || count > most) return failed(count < 0 ? -count : Errno.IO);
      return [into.subarray(0, count), count === 0 && most > 0];
    });
  }

  write(buffer: Uint8Array, offset: bigint): bigint | Err {
    return this.#with<bigint>((file) => {
      if ((this.#flags & Flag.WRITE) === 0) return failed(Errno.BADF);
      if (!file.seekable) return failed(Errno.SPIPE);
      const position = toOffset(offset);
      if (position < 0) return failed(Errno.INVAL);
      if (position === Infinity) return failed(Errno.FBIG);
      if (buffer.length === 0) return 0n;
      const count = file.write(buffer, 0, buffer.length, position);
      return count < 0 ? failed(-count) : BigInt(count);
    });
  }

  readDirectory(): DirectoryEntryStream | Err {
    return this.#in<DirectoryEntryStream>(false, (directory) => {
      if ((this.#flags & Flag.READ) === 0) return failed(Errno.BADF);
      return new DirectoryEntryStream(this.#open.retain(), directory);
    });
  }

  createDirectoryAt(path: string): undefined | Err {
    return this.#in(true, (directory) => done(paths.createDirectory(directory, pathOf(path))));
  }

  /** Looks at it: `System.stat` has its attributes then. Gives the number of its type, or an error. */
  look(): number | Err {
    const { world } = this;
    const { stat, calls } = world.system;
    return attempt(() => {
      const handle = this.#handle;
      const error = handle.stat(stat);
      if (error < 0) return failed(-error);
      world.seen = { call: calls, handle, path: undefined, follow: false, id: idOf(stat) };
      return this.typeNumber;
    });
  }

  stat(): unknown {
    const type = this.look();
    return type instanceof Err ? type : statOf(this.world.system.stat, type);
  }

  /** Looks at a path, like {@linkcode Descriptor.look}. */
  lookAt(pathFlags: number, path: string): number | Err {
    const { world } = this;
    const { stat, calls } = world.system;
    const follow = (pathFlags & SYMLINK_FOLLOW) !== 0;
    return this.#in<number>(false, (directory) => {
      const errno = paths.statPath(directory, pathOf(path), follow, stat);
      if (errno !== 0) return failed(errno);
      world.seen = { call: calls, handle: directory, path, follow, id: idOf(stat) };
      return typeOf(stat.filetype);
    });
  }

  statAt(pathFlags: number, path: string): unknown {
    const type = this.lookAt(pathFlags, path);
    return type instanceof Err ? type : statOf(this.world.system.stat, type);
  }

  setTimesAt(
    pathFlags: number,
    path: string,
    access: NewTimestamp,
    modification: NewTimestamp,
  ): undefined | Err {
    return this.#in(true, (directory) => {
      const times = timesOf(access, modification);
      return done(
        paths.setPathTimes(directory, pathOf(path), (pathFlags & SYMLINK_FOLLOW) !== 0, ...times),
      );
    });
  }

  linkAt(
    pathFlags: number,
    path: string,
    to: Descriptor,
    toPath: string,
  ): undefined | Err {
    return this.#in(
      true,
      (from) =>
        to.#in(
          true,
          (target) =>
            done(
              paths.linkPath(
                from,
                pathOf(path),
                (pathFlags & SYMLINK_FOLLOW) !== 0,
                target,
                pathOf(toPath),
              ),
            ),
        ),
    );
  }

  openAt(
    pathFlags: number,
    path: string,
    openFlags: number,
    flags: number,
  ): Descriptor | Err {
    return this.#in<Descriptor>(false, (directory) => {
      const changes = (flags & (Flag.WRITE | Flag.MUTATE_DIRECTORY)) !== 0 ||
        (openFlags & (OpenFlag.CREATE | OpenFlag.TRUNCATE)) !== 0;
      if (changes && (this.#flags & Flag.MUTATE_DIRECTORY) === 0) return failed(Errno.ROFS);
      const { system } = this.world;
      const fdflags = fdflagsOf(flags);
      const handle = paths.openPath(
        directory,
        pathOf(path),
        openFlagsOf(openFlags, flags, (pathFlags & SYMLINK_FOLLOW) !== 0),
        fdflags,
        system.table,
      );
      if (typeof handle === "number") return failed(-handle);
      const seekable = (handle as Partial<File>).seekable ?? false;
      const opened = new SystemDescriptor(handle, rightsOf(handle.filetype, seekable), 0, {
        flags: fdflags,
      });
      const fd = system.table.insert(opened);
      if (fd < 0) {
        opened.close();
        return failed(-fd);
      }
      let own = flags & ~Flag.MUTATE_DIRECTORY;
      if ((flags & Flag.WRITE) === 0) own |= Flag.READ;
      // as in wasmtime a directory allows what the one that it is in does: guests built for preview1
      // do not ask for it
      if (opened.directory !== undefined) own |= this.#flags & Flag.MUTATE_DIRECTORY;
      return new Descriptor(new OpenFile(this.world, fd), own);
    });
  }

  readlinkAt(path: string): string | Err {
    return this.#in<string>(false, (directory) => {
      const target = paths.readLink(directory, pathOf(path));
      if (typeof target === "number") return failed(-target);
      const text = decode(target, 0, target.length);
      if (isEscaped(text)) return failed(Errno.ILSEQ);
      return text.startsWith("/") && !directory.isHostRoot ? failed(Errno.PERM) : text;
    });
  }

  removeDirectoryAt(path: string): undefined | Err {
    return this.#in(true, (directory) => done(paths.removeDirectory(directory, pathOf(path))));
  }

  renameAt(path: string, to: Descriptor, toPath: string): undefined | Err {
    return this.#in(
      true,
      (from) =>
        to.#in(
          true,
          (target) => done(paths.renamePath(from, pathOf(path), target, pathOf(toPath))),
        ),
    );
  }

  symlinkAt(target: string, path: string): undefined | Err {
    return this.#in(true, (directory) => {
      paths.checkTarget(directory, target);
      return done(paths.makeLink(directory, target, pathOf(path)));
    });
  }

  unlinkFileAt(path: string): undefined | Err {
    return this.#in(true, (directory) => done(paths.unlinkFile(directory, pathOf(path))));
  }

  isSameObject(other: Descriptor): boolean {
    const [one, two] = [new FileStat(), new FileStat()];
    const error = attempt(() => this.#handle.stat(one) | other.#handle.stat(two));
    return error === 0 && one.dev === two.dev && one.ino === two.ino;
  }

  /**
   * What the call before has found out, if it was about the same: the adapter of preview1 asks for a
   * file's attributes and then for its number.
   */
  #seen(path: string | undefined, follow: boolean): Seen | undefined {
    const { seen, system } = this.world;
    return seen !== undefined && seen.call + 1 === system.calls && seen.path === path &&
        seen.follow === follow && seen.handle === this.#handle
      ? seen
      : undefined;
  }

  metadataHash(): unknown {
    const seen = this.#seen(undefined, false);
    if (seen !== undefined) return hashOf(seen.id);
    const { stat } = this.world.system;
    return attempt(() => {
      const error = this.#handle.stat(stat);
      return error < 0 ? failed(-error) : hashOf(idOf(stat));
    });
  }

  metadataHashAt(pathFlags: number, path: string): unknown {
    const follow = (pathFlags & SYMLINK_FOLLOW) !== 0;
    const seen = this.#seen(path, follow);
    if (seen !== undefined) return hashOf(seen.id);
    const { stat } = this.world.system;
    return this.#in<unknown>(false, (directory) => {
      const errno = paths.statPath(directory, pathOf(path), follow, stat);
      return errno === 0 ? hashOf(idOf(stat)) : failed(errno);
    });
  }

  [Symbol.dispose](): void {
    this.#open.release();
  }
}

/** An entry of a directory. */
interface Entry {
  readonly filetype: number;
  readonly name: string;
  /** where the directory goes on after it */
  readonly next: bigint;
  /** the lower and the upper half of its number */
  readonly ino: number;
  readonly inoHigh: number;
}

/** A read into the guest's memory. */
function directRead(file: File, length: number, position: number): DirectRead {
  return new DirectRead(length, (bytes, offset, length) => {
    const read = attempt(() => file.read(bytes, offset, length, position));
    if (typeof read !== "number") throw read;
    if (read < 0) throw failed(-read);
    return read;
  });
}

/** `directory-entry-stream`: what a directory holds, without "." and "..". */
export class DirectoryEntryStream {
  readonly world: World;
  readonly #open: OpenFile;
  readonly #directory: Directory;
  #entries: Entry[] = [];
  #next = 0;
  /** where the entries that are kept begin, and where they end */
  #start = 0n;
  #cookie = 0n;
  #ended = false;
  /** What the directory is, once that is known. */
  #id: FileId | undefined;

  constructor(open: OpenFile, directory: Directory) {
    this.world = open.world;
    this.#open = open;
    this.#directory = directory;
  }

  /** The next entry and the number of its `descriptor-type`; undefined at the end. */
  next(): { number: number; name: string } | undefined | Err {
    return attempt(() => {
      while (this.#next === this.#entries.length && !this.#ended) {
        const error = this.#fill();
        if (error < 0) return failed(-error);
      }
      const entry = this.#entries[this.#next];
      if (entry === undefined) return undefined;
      this.#next++;
      const { filetype, name } = entry;
      if (isEscaped(name)) return failed(Errno.ILSEQ);
      this.#remember(entry);
      return { number: typeOf(filetype), name };
    });
  }

  readDirectoryEntry(): { type: string; name: string } | undefined | Err {
    const entry = this.next();
    if (entry === undefined || entry instanceof Err) return entry;
    return { type: TYPES[entry.number]!, name: entry.name };
  }

  /**
   * Keeps the number of a file for a call that asks for it next. Directories are looked at anew:
   * where another volume is mounted the entry has the number of what is beneath.
   */
  #remember({ filetype, name, ino, inoHigh }: Entry): void {
    const { world } = this;
    const { stat, calls } = world.system;
    if (filetype === Filetype.DIRECTORY || (ino | inoHigh) === 0) return;
    if (this.#id === undefined) {
      if (this.#directory.stat(stat) < 0) return;
      this.#id = idOf(stat);
    }
    const [dev, devHigh] = this.#id;
    const id: FileId = [dev, devHigh, ino, inoHigh];
    world.seen = { call: calls, handle: this.#directory, path: name, follow: false, id };
  }

  /** Takes the next entries. */
  #fill(): number {
    this.world.keep(this);
    this.#start = this.#cookie;
    const entries: Entry[] = [];
    let count = 0;
    const add = (next: bigint, entry: Entry): boolean => {
      if (count >= BATCH) return false;
      count++;
      this.#cookie = next;
      if (entry.name !== "." && entry.name !== "..") entries.push(entry);
      return true;
    };
    const sink: DirentSink = {
      add(next, number, filetype, name) {
        const ino = Number(number & 0xffffffffn);
        return add(next, { filetype, name, next, ino, inoHigh: Number(number >> 32n) });
      },
      addBytes: (bytes, view, next, number, filetype, start, end) => {
        const ino = view.getUint32(number, true);
        const inoHigh = view.getUint32(number + 4, true);
        const name = decode(bytes, start, end);
        const cookie = view.getBigUint64(next, true);
        return add(cookie, { filetype, name, next: cookie, ino, inoHigh });
      },
    };
    const error = this.#directory.list(this.#cookie, sink);
    this.#entries = entries;
    this.#next = 0;
    if (count < BATCH) this.#ended = true;
    return error;
  }

  /** Forgets the entries that it has, to ask for them again. */
  forget(): void {
    if (this.#next === this.#entries.length) return;
    this.#cookie = this.#next === 0 ? this.#start : this.#entries[this.#next - 1]!.next;
    this.#entries = [];
    this.#next = 0;
    this.#ended = false;
  }

  [Symbol.dispose](): void {
    this.world.unkeep(this);
    this.#open.release();
  }
}

/** The last position that a number holds exactly: no file is so long. */
const MAX = Number.MAX_SAFE_INTEGER;

function openFlagsOf(openFlags: number, descriptorFlags: number, follow: boolean): number {
  const writes = (descriptorFlags & Flag.WRITE) !== 0;
  const creates = (openFlags & OpenFlag.CREATE) !== 0;
  let flags = follow ? Open.FOLLOW : 0;
  if ((descriptorFlags & Flag.READ) !== 0 || !writes) flags |= Open.READ;
  if (writes) flags |= Open.WRITE;
  if (creates) flags |= Open.CREAT;
  if (creates && (openFlags & OpenFlag.EXCLUSIVE) !== 0) flags |= Open.EXCL;
  if ((openFlags & OpenFlag.TRUNCATE) !== 0) flags |= Open.TRUNC;
  if ((openFlags & OpenFlag.DIRECTORY) !== 0) flags |= Open.DIRECTORY;
  return flags;
}

/** The directories that a guest has from the start, each as a descriptor of its own. */
function preopens(world: World): [Descriptor, string][] {
  const { table } = world.system;
  const all: [Descriptor, string][] = [];
  for (let fd = 0; fd < table.size; fd++) {
    const given = table.get(fd);
    if (given?.preopen === undefined) continue;
    let flags: number = Flag.READ;
    if (given.directory!.readOnly !== true) flags |= Flag.MUTATE_DIRECTORY;
    const name = decode(given.preopen, 0, given.preopen.length);
    all.push([new Descriptor(new OpenFile(world, fd), flags), name]);
  }
  return all;
}

export const types: Interface = {
  wit: `interface wasi:filesystem/types {
    use wasi:io/streams.{input-stream, output-stream, error};
    use wasi:clocks/wall-clock.{datetime};
    type filesize = u64;
    enum descriptor-type {
      unknown, block-device, character-device, directory, fifo, symbolic-link, regular-file, socket
    }
    flags descriptor-flags {
      read, write, file-integrity-sync, data-integrity-sync, requested-write-sync, mutate-directory
    }
    flags path-flags { symlink-follow }
    flags open-flags { create, directory, exclusive, truncate }
    type link-count = u64;
    record descriptor-stat {
      %type: descriptor-type,
      link-count: link-count,
      size: filesize,
      data-access-timestamp: option<datetime>,
      data-modification-timestamp: option<datetime>,
      status-change-timestamp: option<datetime>,
    }
    variant new-timestamp { no-change, now, timestamp(datetime) }
    record directory-entry { %type: descriptor-type, name: string }
    enum error-code {
      access, would-block, already, bad-descriptor, busy, deadlock, quota, exist, file-too-large,
      illegal-byte-sequence, in-progress, interrupted, invalid, io, is-directory, loop,
      too-many-links, message-size, name-too-long, no-device, no-entry, no-lock,
      insufficient-memory, insufficient-space, not-directory, not-empty, not-recoverable,
      unsupported, no-tty, no-such-device, overflow, not-permitted, pipe, read-only, invalid-seek,
      text-file-busy, cross-device
    }
    enum advice { normal, sequential, random, will-need, dont-need, no-reuse }
    record metadata-hash-value { lower: u64, upper: u64 }
    resource directory-entry-stream {
      read-directory-entry: func() -> result<option<directory-entry>, error-code>;
    }
    resource descriptor {
      read-via-stream: func(offset: filesize) -> result<input-stream, error-code>;
      write-via-stream: func(offset: filesize) -> result<output-stream, error-code>;
      append-via-stream: func() -> result<output-stream, error-code>;
      advise: func(offset: filesize, length: filesize, advice: advice) -> result<_, error-code>;
      sync-data: func() -> result<_, error-code>;
      get-flags: func() -> result<descriptor-flags, error-code>;
      get-type: func() -> result<descriptor-type, error-code>;
      set-size: func(size: filesize) -> result<_, error-code>;
      set-times: func(
        data-access-timestamp: new-timestamp, data-modification-timestamp: new-timestamp
      ) -> result<_, error-code>;
      read: func(length: filesize, offset: filesize) -> result<tuple<list<u8>, bool>, error-code>;
      write: func(buffer: list<u8>, offset: filesize) -> result<filesize, error-code>;
      read-directory: func() -> result<directory-entry-stream, error-code>;
      sync: func() -> result<_, error-code>;
      create-directory-at: func(path: string) -> result<_, error-code>;
      stat: func() -> result<descriptor-stat, error-code>;
      stat-at: func(path-flags: path-flags, path: string) -> result<descriptor-stat, error-code>;
      set-times-at: func(
        path-flags: path-flags, path: string,
        data-access-timestamp: new-timestamp, data-modification-timestamp: new-timestamp
      ) -> result<_, error-code>;
      link-at: func(
        old-path-flags: path-flags, old-path: string,
        new-descriptor: borrow<descriptor>, new-path: string
      ) -> result<_, error-code>;
      open-at: func(
        path-flags: path-flags, path: string, open-flags: open-flags, %flags: descriptor-flags
      ) -> result<descriptor, error-code>;
      readlink-at: func(path: string) -> result<string, error-code>;
      remove-directory-at: func(path: string) -> result<_, error-code>;
      rename-at: func(
        old-path: string, new-descriptor: borrow<descriptor>, new-path: string
      ) -> result<_, error-code>;
      symlink-at: func(old-path: string, new-path: string) -> result<_, error-code>;
      unlink-file-at: func(path: string) -> result<_, error-code>;
      is-same-object: func(other: borrow<descriptor>) -> bool;
      metadata-hash: func() -> result<metadata-hash-value, error-code>;
      metadata-hash-at: func(
        path-flags: path-flags, path: string
      ) -> result<metadata-hash-value, error-code>;
    }
    filesystem-error-code: func(err: borrow<error>) -> option<error-code>;
  }`,
  classes: { descriptor: Descriptor, "directory-entry-stream": DirectoryEntryStream },
  functions: () => ({
    "filesystem-error-code": (error: IoError) => errorCode(error.errno),
  }),
};

export const preopensInterface: Interface = {
  wit: `interface wasi:filesystem/preopens {
    use wasi:filesystem/types.{descriptor};
    get-directories: func() -> list<tuple<descriptor, string>>;
  }`,
  functions: (world) => ({ "get-directories": () => preopens(world) }),
};
