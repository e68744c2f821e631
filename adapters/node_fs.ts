/**
 * Directories and files over `node:fs`, for where foreign functions are not to be had: Node
 * before 26, or refused by permission or option.
 *
 * A handle of a directory is a descriptor opened with O_PATH; `/proc/self/fd/N/name` is a name in
 * it that no rename elsewhere can redirect, and nothing follows a link at its end.
 *
 * node:fs sets times through a number of seconds: on the disk they are exact to a microsecond on
 * Node and Bun, to a millisecond on Deno. The guest reads what it set all the same (`SetTimes`).
 *
 * @module
 */
import { Errno, Fdflags, Filetype, Fstflags } from "../core/abi.ts";
import { errnoOf, WasiError } from "../core/errno.ts";
import { FileStat } from "../core/filestat.ts";
import {
  type Confinement,
  type Directory,
  type DirentSink,
  type File,
  Open,
  type StreamAccess,
} from "../core/host.ts";
import { FOLLOW, walk, type Walker } from "../core/resolve.ts";
import { decode, encode, isEscaped } from "../core/text.ts";

/** The module `node:fs`. */
export type NodeFs = typeof import("node:fs");

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

/** What the directories of one host share. */
export interface NodeContext {
  readonly fs: NodeFs;
  /** Whether names that are not UTF-8 can be given as bytes. */
  readonly byteNames: boolean;
  /**
   * Whether node:fs has Deno's ways: unlink(2) removes an empty directory, a file is made or cut
   * only when opened for writing, and not cut while it appends.
   */
  readonly deno: boolean;
  isatty(fd: number): boolean;
}

interface Step {
  readonly fd: number;
}

type NodePath = string | Buffer;

/** Calls `use` and gives what it gives, or -errno for what it throws. */
function attempt<R>(use: () => R): R | number {
  try {
    return use();
  } catch (error) {
    return -errnoOf(error);
  }
}

/** The same for what gives nothing. */
function done(use: () => void): number {
  try {
    use();
    return 0;
  } catch (error) {
    return -errnoOf(error);
  }
}

type BigStats = import("node:fs").BigIntStats;

function filetypeOf(stats: Pick<BigStats, "mode">): number {
  switch (Number(stats.mode) & 0o170000) {
    case 0o100000:
      return Filetype.REGULAR_FILE;
    case 0o040000:
      return Filetype.DIRECTORY;
    case 0o120000:
      return Filetype.SYMBOLIC_LINK;
    case 0o020000:
      return Filetype.CHARACTER_DEVICE;
    case 0o060000:
      return Filetype.BLOCK_DEVICE;
    case 0o140000:
      return Filetype.SOCKET_STREAM;
    default:
      return Filetype.UNKNOWN;
  }
}

/** A time as it was asked for, and as the disk has it since. */
interface SetTime {
  asked: bigint;
  kept: bigint;
}

/**
 * Times that guests set more finely than node:fs can. As long as the disk has what came of it, a
 * guest reads what it asked for. The oldest are forgotten.
 */
class SetTimes {
  readonly #times: Map<string, { atim: SetTime; mtim: SetTime }> = new Map();

  /** Remembers what was asked for a file that is now as `stats` say. */
  remember(stats: BigStats, atim: bigint, mtim: bigint): void {
    const key = `${stats.dev}:${stats.ino}`;
    this.#times.delete(key);
    this.#times.set(key, {
      atim: { asked: atim, kept: stats.atimeNs },
      mtim: { asked: mtim, kept: stats.mtimeNs },
    });
    if (this.#times.size > 4096) this.#times.delete(this.#times.keys().next().value!);
  }

  /** What a guest is to read: [atim, mtim]. */
  read(stats: BigStats): [bigint, bigint] {
    const found = this.#times.size > 0 ? this.#times.get(`${stats.dev}:${stats.ino}`) : undefined;
    const pick = (time: SetTime | undefined, disk: bigint): bigint =>
      time?.kept === disk ? time.asked : disk;
    return [pick(found?.atim, stats.atimeNs), pick(found?.mtim, stats.mtimeNs)];
  }
}

const setTimesOf: SetTimes = new SetTimes();

function fill(into: FileStat, stats: BigStats): void {
  const [atim, mtim] = setTimesOf.read(stats);
  into.dev = stats.dev;
  into.ino = stats.ino;
  into.filetype = filetypeOf(stats);
  into.nlink = stats.nlink;
  into.size = stats.size;
  into.atim = atim;
  into.mtim = mtim;
  into.ctim = stats.ctimeNs;
}

/** A time for node:fs: a Date where a number would be taken for the present. */
function seconds(nanoseconds: bigint): number | Date {
  const time = Number(nanoseconds / 1000n) / 1e6;
  return time > 0 ? time : new Date(0);
}

/**
 * Sets times of what `stat` and `set` are bound to. What is to stay is set to what it is: there is
 * no UTIME_OMIT.
 */
function setTimes(
  stat: () => BigStats,
  set: (atim: number | Date, mtim: number | Date) => void,
  atim: bigint,
  mtim: bigint,
  flags: number,
): number {
  return done(() => {
    const now = BigInt(Date.now()) * 1000000n;
    const [oldAtim, oldMtim] = setTimesOf.read(stat());
    const choose = (explicit: number, present: number, value: bigint, old: bigint): bigint =>
      (flags & present) !== 0 ? now : (flags & explicit) !== 0 ? value : old;
    const newAtim = choose(Fstflags.ATIM, Fstflags.ATIM_NOW, atim, oldAtim);
    const newMtim = choose(Fstflags.MTIM, Fstflags.MTIM_NOW, mtim, oldMtim);
    set(seconds(newAtim), seconds(newMtim));
    setTimesOf.remember(stat(), newAtim, newMtim);
  });
}

function hostFlags(context: NodeContext, flags: number, fdflags: number): number {
  const { constants } = context.fs;
  // What the guest may do is decided by its rights; here it is what the host needs for its flags.
  const needs = context.deno ? Open.WRITE | Open.TRUNC | Open.CREAT : Open.WRITE;
  const writes = (flags & needs) !== 0;
  const reads = (flags & Open.READ) !== 0 || (flags & Open.WRITE) === 0;
  let how = O_CLOEXEC | constants.O_NOFOLLOW | constants.O_NOCTTY | constants.O_NONBLOCK;
  how |= writes ? (reads ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  if ((flags & Open.CREAT) !== 0) how |= constants.O_CREAT;
  if ((flags & Open.EXCL) !== 0) how |= constants.O_EXCL;
  if ((flags & Open.TRUNC) !== 0) how |= constants.O_TRUNC;
  if ((flags & Open.DIRECTORY) !== 0) how |= constants.O_DIRECTORY;
  if ((fdflags & Fdflags.APPEND) !== 0) how |= constants.O_APPEND;
  if ((fdflags & Fdflags.DSYNC) !== 0) how |= constants.O_DSYNC;
  if ((fdflags & (Fdflags.SYNC | Fdflags.RSYNC)) !== 0) how |= constants.O_SYNC;
  return how;
}

/** A directory over node:fs and /proc. */
export class NodeDirectory implements Directory {
  readonly filetype: number = Filetype.DIRECTORY;
  readonly confinement: Confinement = "walk";
  readonly #context: NodeContext;
  readonly #fs: NodeFs;
  readonly #walker: Walker<Step>;
  readonly #isRoot: boolean;
  #handle: number;
  #parked: { path: string; dev: bigint; ino: bigint } | undefined = undefined;
  /** The names of the last listing that began anew; a cookie is an index and one. */
  #names: string[] = [];

  constructor(context: NodeContext, fd: number, isRoot: boolean) {
    this.#context = context;
    this.#fs = context.fs;
    this.#handle = fd;
    this.#isRoot = isRoot;
    this.#walker = {
      child: (directory, name) => this.#child(directory, name),
      readlink: (directory, name) => this.#readlink(directory, name),
      close: (directory) => context.fs.closeSync(directory.fd),
    };
  }

  get #fd(): number {
    return this.#handle >= 0 ? this.#handle : this.#unpark();
  }

  /** A name in a directory that is open, for node:fs. */
  #path(directory: Step, name: string): NodePath {
    const path = `/proc/self/fd/${directory.fd}/${name}`;
    if (!isEscaped(name)) return path;
    if (!this.#context.byteNames) throw new WasiError(Errno.ILSEQ);
    return Buffer.from(encode(path));
  }

  #child(directory: Step, name: string): Step | number {
    const { O_DIRECTORY, O_NOFOLLOW } = this.#fs.constants;
    const flags = O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;
    return attempt(() => ({ fd: this.#fs.openSync(this.#path(directory, name), flags) }));
  }

  #readlink(directory: Step, name: string): string | number {
    return attempt(() => {
      const bytes = this.#fs.readlinkSync(this.#path(directory, name), { encoding: "buffer" });
      return decode(bytes, 0, bytes.length);
    });
  }

  #lstat(directory: Step, name: string): BigStats | number {
    const options = { bigint: true, throwIfNoEntry: false } as const;
    return attempt(() => this.#fs.lstatSync(this.#path(directory, name), options)) ??
      -Errno.NOENT;
  }

  /** Calls `use` with the handle of the directory that holds the last name, not following it. */
  #inParent<R>(path: string, use: (directory: Step, name: string) => R): R | number {
    return walk<Step, R>(this.#walker, { fd: this.#fd }, path, use);
  }

  stat(into: FileStat): number {
    return done(() => fill(into, this.#fs.fstatSync(this.#fd, { bigint: true })));
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return setTimesOfDescriptor(this.#fs, this.#fd, atim, mtim, flags);
  }

  sync(dataOnly: boolean): number {
    return sync(this.#fs, this.#fd, dataOnly);
  }

  close(): void {
    if (this.#handle >= 0) this.#fs.closeSync(this.#handle);
    this.#handle = -1;
    this.#parked = undefined;
  }

  park(): void {
    if (this.#handle < 0) return;
    const parked = attempt(() => {
      const { dev, ino } = this.#fs.fstatSync(this.#handle, { bigint: true });
      return { path: this.#fs.readlinkSync(`/proc/self/fd/${this.#handle}`), dev, ino };
    });
    this.close();
    this.#names = [];
    if (typeof parked !== "number") this.#parked = parked;
  }

  #unpark(): number {
    const parked = this.#parked;
    if (parked === undefined) throw new WasiError(Errno.BADF);
    const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = this.#fs.constants;
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const fd = attempt(() => this.#fs.openSync(parked.path, flags));
    if (fd < 0) throw new WasiError(Errno.BADF);
    const stats = this.#fs.fstatSync(fd, { bigint: true });
    if (stats.dev !== parked.dev || stats.ino !== parked.ino) {
      this.#fs.closeSync(fd);
      throw new WasiError(Errno.BADF);
    }
    this.#parked = undefined;
    return this.#handle = fd;
  }

  open(path: string, flags: number, fdflags: number): File | Directory | number {
    const how = hostFlags(this.#context, flags, fdflags);
    const follow = (flags & Open.FOLLOW) !== 0;
    return this.#inParent<File | Directory | number | typeof FOLLOW>(path, (directory, name) => {
      const fd = this.#openName(directory, name, how);
      if (fd >= 0) return this.#wrap(fd, how);
      if (!follow) return fd;
      if (fd === -Errno.LOOP) return FOLLOW;
      // with O_DIRECTORY a link is NOTDIR, and so is a file
      const link = fd === -Errno.NOTDIR && typeof this.#readlink(directory, name) === "string";
      return link ? FOLLOW : fd;
    }) as File | Directory | number;
  }

  /** Opens a name, without following a link. */
  #openName(directory: Step, name: string, how: number): number {
    const path = this.#path(directory, name);
    const open = (flags: number): number => attempt(() => this.#fs.openSync(path, flags, 0o666));
    const { O_APPEND, O_TRUNC } = this.#fs.constants;
    if (!this.#context.deno || (how & O_APPEND) === 0 || (how & O_TRUNC) === 0) return open(how);
    const cut = open(how & ~O_APPEND);
    if (cut < 0) return cut;
    try {
      return attempt(() => reopen(this.#fs, cut, how));
    } finally {
      this.#fs.closeSync(cut);
    }
  }

  #wrap(fd: number, how: number): File | Directory | number {
    try {
      const filetype = filetypeOf(this.#fs.fstatSync(fd, { bigint: true }));
      return filetype === Filetype.DIRECTORY
        ? new NodeDirectory(this.#context, fd, false)
        : new NodeFile(this.#context, fd, filetype, how);
    } catch (error) {
      this.#fs.closeSync(fd);
      return -errnoOf(error);
    }
  }

  statAt(path: string, follow: boolean, into: FileStat): number {
    return this.#inParent<number | typeof FOLLOW>(path, (directory, name) => {
      const stats = this.#lstat(directory, name);
      if (typeof stats === "number") return stats;
      if (follow && filetypeOf(stats) === Filetype.SYMBOLIC_LINK) return FOLLOW;
      fill(into, stats);
      return 0;
    }) as number;
  }

  setTimesAt(path: string, follow: boolean, atim: bigint, mtim: bigint, flags: number): number {
    return this.#inParent<number | typeof FOLLOW>(path, (directory, name) => {
      const stats = this.#lstat(directory, name);
      if (typeof stats === "number") return stats;
      if (follow && filetypeOf(stats) === Filetype.SYMBOLIC_LINK) return FOLLOW;
      const path = this.#path(directory, name);
      return setTimes(
        () => this.#fs.lstatSync(path, { bigint: true }),
        (newAtim, newMtim) => this.#fs.lutimesSync(path, newAtim, newMtim),
        atim,
        mtim,
        flags,
      );
    }) as number;
  }

  list(cookie: bigint, sink: DirentSink): number {
    const self = { fd: this.#fd };
    if (cookie === 0n) {
      const names = attempt(() => this.#read(self));
      if (typeof names === "number") return names;
      this.#names = [".", "..", ...names];
    }
    const start = cookie > BigInt(this.#names.length) ? this.#names.length : Number(cookie);
    for (let i = start; i < this.#names.length; i++) {
      const name = this.#names[i]!;
      // a preopen's parent is outside: ".." shows the directory itself, as it does in "/"
      const stats = this.#lstat(self, name === ".." && this.#isRoot ? "." : name);
      if (typeof stats === "number") continue; // gone since
      if (!sink.add(BigInt(i + 1), stats.ino, filetypeOf(stats), name)) return 0;
    }
    return 0;
  }

  #read(directory: Step): string[] {
    const path = `/proc/self/fd/${directory.fd}`;
    if (!this.#context.byteNames) return this.#fs.readdirSync(path);
    return this.#fs.readdirSync(path, { encoding: "buffer" })
      .map((bytes) => decode(bytes, 0, bytes.length));
  }

  mkdir(path: string): number {
    return this.#inParent(
      path,
      (directory, name) => done(() => void this.#fs.mkdirSync(this.#path(directory, name))),
    );
  }

  rmdir(path: string): number {
    return this.#inParent(
      path,
      (directory, name) => done(() => this.#fs.rmdirSync(this.#path(directory, name))),
    );
  }

  unlink(path: string): number {
    return this.#inParent(path, (directory, name) => {
      if (this.#context.deno) {
        const stats = this.#lstat(directory, name);
        if (typeof stats === "number") return stats;
        if (filetypeOf(stats) === Filetype.DIRECTORY) return -Errno.ISDIR;
      }
      return done(() => this.#fs.unlinkSync(this.#path(directory, name)));
    });
  }

  rename(path: string, to: Directory, toPath: string): number {
    if (!(to instanceof NodeDirectory)) return -Errno.XDEV;
    return this.#inParent(
      path,
      (from, name) =>
        to.#inParent(
          toPath,
          (target, toName) =>
            done(() => this.#fs.renameSync(this.#path(from, name), this.#path(target, toName))),
        ),
    );
  }

  link(path: string, to: Directory, toPath: string): number {
    if (!(to instanceof NodeDirectory)) return -Errno.XDEV;
    return this.#inParent(
      path,
      (from, name) =>
        to.#inParent(
          toPath,
          (target, toName) =>
            done(() => this.#fs.linkSync(this.#path(from, name), this.#path(target, toName))),
        ),
    );
  }

  symlink(target: string, path: string): number {
    return this.#inParent(
      path,
      (directory, name) => done(() => this.#fs.symlinkSync(target, this.#path(directory, name))),
    );
  }

  readlink(path: string): string | number {
    return this.#inParent<string | number>(
      path,
      (directory, name) => this.#readlink(directory, name),
    );
  }
}

function setTimesOfDescriptor(
  fs: NodeFs,
  fd: number,
  atim: bigint,
  mtim: bigint,
  flags: number,
): number {
  return setTimes(
    () => fs.fstatSync(fd, { bigint: true }),
    (newAtim, newMtim) => fs.futimesSync(fd, newAtim, newMtim),
    atim,
    mtim,
    flags,
  );
}

/** Opens once more what a descriptor has open, with other flags. Throws what node:fs throws. */
function reopen(fs: NodeFs, fd: number, how: number): number {
  const { O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW } = fs.constants;
  return fs.openSync(`/proc/self/fd/${fd}`, how & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW));
}

function sync(fs: NodeFs, fd: number, dataOnly: boolean): number {
  return done(() => dataOnly ? fs.fdatasyncSync(fd) : fs.fsyncSync(fd));
}

/** A file over node:fs: opened by a guest, or a stream that the process inherited. */
export class NodeFile implements File {
  readonly filetype: number;
  readonly seekable: boolean;
  protected readonly fs: NodeFs;
  #fd: number;
  /** How it was opened. */
  #how: number;

  constructor(context: NodeContext, fd: number, filetype: number, how: number) {
    this.fs = context.fs;
    this.#fd = fd;
    this.#how = how;
    this.filetype = filetype;
    this.seekable = filetype === Filetype.REGULAR_FILE || filetype === Filetype.BLOCK_DEVICE ||
      (filetype === Filetype.CHARACTER_DEVICE && !context.isatty(fd));
  }

  get fd(): number {
    return this.#fd;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    try {
      return this.fs.readSync(this.#fd, into, offset, length, position < 0 ? null : position);
    } catch (error) {
      return -errnoOf(error);
    }
  }

  write(from: Uint8Array, offset: number, length: number, position: number): number {
    try {
      return this.fs.writeSync(this.#fd, from, offset, length, position < 0 ? null : position);
    } catch (error) {
      return -errnoOf(error);
    }
  }

  tell(): number {
    return infoOf(this.fs, this.#fd).position;
  }

  stat(into: FileStat): number {
    return done(() => fill(into, this.fs.fstatSync(this.#fd, { bigint: true })));
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return setTimesOfDescriptor(this.fs, this.#fd, atim, mtim, flags);
  }

  sync(dataOnly: boolean): number {
    return sync(this.fs, this.#fd, dataOnly);
  }

  setSize(size: number): number {
    return done(() => this.fs.ftruncateSync(this.#fd, size));
  }

  /** Grows the file if it is too short; room inside it cannot be reserved from here. */
  allocate(offset: number, length: number): number {
    return done(() => {
      const { size } = this.fs.fstatSync(this.#fd);
      if (offset + length > size) this.fs.ftruncateSync(this.#fd, offset + length);
    });
  }

  /** Advice may be ignored. */
  advise(): number {
    return 0;
  }

  /** The same file opened once more with the other flags: there is no fcntl. */
  setFlags(fdflags: number): number {
    const { O_APPEND } = this.fs.constants;
    const append = (fdflags & Fdflags.APPEND) !== 0 ? O_APPEND : 0;
    const how = (this.#how & ~O_APPEND) | append;
    const fd = attempt(() => reopen(this.fs, this.#fd, how));
    if (fd < 0) return fd;
    this.fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#how = how;
    return 0;
  }

  close(): void {
    this.fs.closeSync(this.#fd);
  }
}

/** Position and flags of an open descriptor. */
function infoOf(fs: NodeFs, fd: number): { position: number; flags: number } {
  try {
    const text = fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    const position = /^pos:\s*(\d+)/m.exec(text)?.[1] ?? "0";
    const flags = /^flags:\s*([0-7]+)/m.exec(text)?.[1] ?? "2";
    return { position: Number(position), flags: parseInt(flags, 8) };
  } catch {
    return { position: 0, flags: 2 };
  }
}

/** A stream that the process has open: it stays open. */
export class NodeStream extends NodeFile {
  /** Where reads and writes go once the guest has moved the position; -1: where the system has it. */
  #position = -1;

  constructor(context: NodeContext, fd: number, filetype: number) {
    // A directory as a standard stream would be a way around all preopens.
    super(context, fd, filetype === Filetype.DIRECTORY ? Filetype.UNKNOWN : filetype, 0);
  }

  override read(into: Uint8Array, offset: number, length: number, position: number): number {
    if (position >= 0 || this.#position < 0) return super.read(into, offset, length, position);
    const count = super.read(into, offset, length, this.#position);
    if (count > 0) this.#position += count;
    return count;
  }

  override write(from: Uint8Array, offset: number, length: number, position: number): number {
    if (position >= 0 || this.#position < 0) return super.write(from, offset, length, position);
    const count = super.write(from, offset, length, this.#position);
    if (count > 0) this.#position += count;
    return count;
  }

  /** node:fs has no lseek: from the first move on the position is ours, not the system's. */
  seek(delta: number, whence: number): number {
    const here = this.#position >= 0 ? this.#position : super.tell();
    const base = whence === 0 ? 0 : whence === 1 ? here : this.fs.fstatSync(this.fd).size;
    if (base + delta < 0) return -Errno.INVAL;
    if (whence !== 1 || delta !== 0) this.#position = base + delta;
    return base + delta;
  }

  override tell(): number {
    return this.#position >= 0 ? this.#position : super.tell();
  }

  access(): StreamAccess {
    const { flags } = infoOf(this.fs, this.fd);
    const mode = flags & 3;
    return {
      read: mode !== 1,
      write: mode !== 0,
      fdflags: (flags & this.fs.constants.O_APPEND) !== 0 ? Fdflags.APPEND : 0,
    };
  }

  /** Flags of a stream are shared with whoever else has it open: they are not the guest's. */
  override setFlags(): number {
    return -Errno.NOTSUP;
  }

  override close(): void {}
}

/** Opens a preopen. Throws an error of node:fs. */
export function openDirectory(context: NodeContext, path: string): Directory {
  const { O_RDONLY, O_DIRECTORY } = context.fs.constants;
  const fd = context.fs.openSync(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return new NodeDirectory(context, fd, true);
}

/** Wraps a descriptor of the process. Throws an error of node:fs. */
export function openStream(context: NodeContext, fd: number): File {
  const stats = context.fs.fstatSync(fd, { bigint: true });
  return new NodeStream(context, fd, filetypeOf(stats));
}
