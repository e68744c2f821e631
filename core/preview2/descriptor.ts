/**
 * `descriptor` of wasi:filesystem: an open file or directory.
 *
 * @module
 */
import { hashOf, idOf, type NewTimestamp, statOf, timesOf, typeOf, TYPES } from "./attributes.ts";
import { DirectoryEntryStream } from "./entries.ts";
import { Err } from "../component/err.ts";
import { Errno, WasiError } from "../errno.ts";
import { DirectRead } from "../component/codecs/lists.ts";
import { FileStat } from "../filestat.ts";
import { type Directory, Fdflags, type File, Open } from "../host.ts";
import { Descriptor as SystemDescriptor, rightsOf } from "../system/descriptors.ts";
import { toOffset } from "../system/files.ts";
import * as paths from "../system/paths.ts";
import { decode, encode, isEscaped } from "../text.ts";
import { attempt, failed } from "./errors.ts";
import { DIRECT_MIN, InputStream, OutputStream } from "./io.ts";
import { OpenFile, SCRATCH, type Seen, type World } from "./world.ts";

/** Most bytes that one read gives. */
const READ_MAX = 1 << 24;

/** Longest path in bytes: PATH_MAX without its NUL. */
const PATH_MAX = 4095;

const ADVICE = ["normal", "sequential", "random", "will-need", "dont-need", "no-reuse"];

/** `descriptor-flags`, combined with `|`. */
export const Flag = {
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

function fdflagsOf(flags: number): number {
  return ((flags & Flag.FILE_INTEGRITY_SYNC) !== 0 ? Fdflags.SYNC : 0) |
    ((flags & Flag.DATA_INTEGRITY_SYNC) !== 0 ? Fdflags.DSYNC : 0) |
    ((flags & Flag.REQUESTED_WRITE_SYNC) !== 0 ? Fdflags.RSYNC : 0);
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

/** A read into the guest's memory. */
function directRead(file: File, length: number, position: number): DirectRead {
  return new DirectRead(length, (bytes, offset, length) => {
    const read = attempt(() => file.read(bytes, offset, length, position));
    if (typeof read !== "number") throw read;
    if (read < 0) throw failed(-read);
    return read;
  });
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
