/**
 * libc with its memory: each call takes text and numbers and answers a number, `-errno` on failure.
 *
 * Strings and structures go through one block of memory at a fixed address, so that no call
 * allocates. Nothing here is reentrant, and nothing here calls back.
 *
 * @module
 */
import { Errno, errnoOfLinux } from "../../errno.ts";
import { FileStat, writeTime } from "../../filestat.ts";
import { Filetype, Fstflags, Poll, type PollEntry } from "../../host.ts";
import { decode, encodeInto } from "../../text.ts";
import type { CFunction, Foreign, Pointer } from "../../foreign.ts";
import type { PosixLibc } from "./interface.ts";
import * as linux from "./linux.ts";

/** Where things lie in the block. */
const PATH = 0;
const PATH2 = 8192;
const HOW = 16384;
/** `struct stat` or `struct statx` */
const STAT = 16448;
const TIMES = 16704;
const INTEGER = 16736;
const LINK = 16768;
const LINK_MAX = 4096;
const POLLFDS = 20992;
const POLLFDS_MAX = 512;
const SIZE = POLLFDS + POLLFDS_MAX * linux.Pollfd.size;

/** Kinds of file by the upper four bits of a mode. */
// deno-fmt-ignore
const FILETYPES: readonly number[] = [
  0, Filetype.UNKNOWN /* FIFO */, Filetype.CHARACTER_DEVICE, 0, Filetype.DIRECTORY, 0,
  Filetype.BLOCK_DEVICE, 0, Filetype.REGULAR_FILE, 0, Filetype.SYMBOLIC_LINK, 0,
  Filetype.SOCKET_STREAM, 0, 0, 0,
];

/** The kind of file for a `d_type`, which is the upper four bits of a mode. */
export function filetypeOfDirent(type: number): number {
  return FILETYPES[type & 15]!;
}

/** For one call at a time. */
const scratchStat: FileStat = new FileStat();

/** libc, as far as it is called. */
export class Libc implements PosixLibc {
  readonly arch: linux.Arch;
  readonly pathHandles = true;
  readonly foreign: Foreign;
  readonly #c: Readonly<Record<string, CFunction>>;
  readonly #block: Uint8Array = new Uint8Array(new ArrayBuffer(SIZE));
  readonly #view: DataView = new DataView(this.#block.buffer);
  readonly #errno: Int32Array;
  readonly #path: Pointer;
  readonly #path2: Pointer;
  readonly #how: Pointer;
  readonly #stat: Pointer;
  readonly #times: Pointer;
  readonly #integer: Pointer;
  readonly #link: Pointer;
  readonly #pollfds: Pointer;

  constructor(foreign: Foreign, arch: linux.Arch) {
    this.foreign = foreign;
    this.arch = arch;
    this.#c = foreign.symbols;
    this.#errno = foreign.errnoView(this.#c.__errno_location!());
    this.#path = foreign.pointer(this.#block, PATH);
    this.#path2 = foreign.pointer(this.#block, PATH2);
    this.#how = foreign.pointer(this.#block, HOW);
    this.#stat = foreign.pointer(this.#block, STAT);
    this.#times = foreign.pointer(this.#block, TIMES);
    this.#integer = foreign.pointer(this.#block, INTEGER);
    this.#link = foreign.pointer(this.#block, LINK);
    this.#pollfds = foreign.pointer(this.#block, POLLFDS);
  }

  /** The errno of the call before, negative. */
  #failed(): number {
    return -errnoOfLinux(this.#errno[0]!);
  }

  /** A result, or for one below zero the errno of the call, negative. */
  result(result: number): number {
    return result < 0 ? this.#failed() : result;
  }

  /** Puts a path into the block; false if it is too long for it. */
  #put(path: string, at: number = PATH): boolean {
    return encodeInto(path, at === PATH ? this.#first : this.#second, 0) >= 0;
  }
  readonly #first: Uint8Array = this.#block.subarray(PATH, PATH2);
  readonly #second: Uint8Array = this.#block.subarray(PATH2, HOW);

  /**
   * openat2(2): the kernel resolves beneath `fd`, or answers -PERM (its EXDEV). With `inRoot`,
   * `fd` is "/" to the path: absolute links begin there and ".." stops there.
   */
  openBeneath(
    fd: number,
    path: string,
    flags: number,
    mode: number,
    inRoot: boolean = false,
  ): number {
    if (!this.#put(path)) return -Errno.NAMETOOLONG;
    this.#view.setUint32(HOW + linux.OpenHow.flags, flags, true);
    this.#view.setUint32(HOW + linux.OpenHow.mode, mode, true);
    this.#view.setUint32(
      HOW + linux.OpenHow.resolve,
      (inRoot ? linux.RESOLVE_IN_ROOT : linux.RESOLVE_BENEATH) | linux.RESOLVE_NO_MAGICLINKS,
      true,
    );
    const { size } = linux.OpenHow;
    // The kernel says EAGAIN when a rename anywhere kept it from being sure of a "..".
    for (let tries = 0; tries < 1000; tries++) {
      const opened = this.#c.syscall!(this.arch.openat2, fd, this.#path, this.#how, size);
      if (opened >= 0) return opened;
      const error = this.#failed();
      if (error === -Errno.XDEV) return -Errno.PERM;
      if (error !== -Errno.AGAIN && error !== -Errno.INTR) return error;
    }
    return -Errno.BUSY;
  }

  openat(fd: number, path: string, flags: number, mode: number): number {
    if (!this.#put(path)) return -Errno.NAMETOOLONG;
    return this.result(this.#c.openat!(fd, this.#path, flags, mode));
  }

  close(fd: number): void {
    this.#c.close!(fd);
  }

  /** The attributes of a name in `fd`, not following it. */
  stat(fd: number, name: string, into: FileStat): number {
    if (!this.#put(name)) return -Errno.NAMETOOLONG;
    return this.#statx(fd, linux.AT_SYMLINK_NOFOLLOW, into);
  }

  /** The attributes of an open descriptor. */
  fstat(fd: number, into: FileStat): number {
    if (this.#c.fstat === undefined) {
      this.#first[0] = 0;
      return this.#statx(fd, linux.AT_EMPTY_PATH, into);
    }
    if (this.#c.fstat(fd, this.#stat) < 0) return this.#failed();
    this.#readStat(into);
    return 0;
  }

  /** The kind of file of an open descriptor, or -errno. */
  filetype(fd: number): number {
    if (this.#c.fstat !== undefined) {
      if (this.#c.fstat(fd, this.#stat) < 0) return this.#failed();
      return FILETYPES[this.#view.getUint32(STAT + this.arch.stat.mode, true) >>> 12 & 15]!;
    }
    const error = this.fstat(fd, scratchStat);
    return error < 0 ? error : scratchStat.filetype;
  }

  #statx(fd: number, flags: number, into: FileStat): number {
    const mask = linux.STATX_BASIC_STATS;
    if (this.#c.statx!(fd, this.#path, flags, mask, this.#stat) < 0) return this.#failed();
    this.#readStatx(into);
    return 0;
  }

  /** Lays `struct stat` into the guest's layout. */
  #readStat(into: FileStat): void {
    const from = this.#view;
    const { view } = into;
    const { dev, ino, st_size, atime, mtime, ctime } = linux.Stat;
    const { nlink, nlinkLong, mode } = this.arch.stat;
    view.setUint32(0, from.getUint32(STAT + dev, true), true);
    view.setUint32(4, from.getUint32(STAT + dev + 4, true), true);
    view.setUint32(8, from.getUint32(STAT + ino, true), true);
    view.setUint32(12, from.getUint32(STAT + ino + 4, true), true);
    into.bytes[16] = FILETYPES[from.getUint32(STAT + mode, true) >>> 12 & 15]!;
    view.setUint32(24, from.getUint32(STAT + nlink, true), true);
    view.setUint32(28, nlinkLong ? from.getUint32(STAT + nlink + 4, true) : 0, true);
    view.setUint32(32, from.getUint32(STAT + st_size, true), true);
    view.setUint32(36, from.getUint32(STAT + st_size + 4, true), true);
    this.#readTime(view, 40, STAT + atime);
    this.#readTime(view, 48, STAT + mtime);
    this.#readTime(view, 56, STAT + ctime);
  }

  /** Lays `struct statx` into the guest's layout. */
  #readStatx(into: FileStat): void {
    const from = this.#view;
    const { view } = into;
    const { Statx } = linux;
    const major = from.getUint32(STAT + Statx.dev_major, true);
    const minor = from.getUint32(STAT + Statx.dev_minor, true);
    // makedev(3)
    const dev = ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & 0xfff00) << 12);
    view.setUint32(0, dev, true);
    view.setUint32(4, (major & 0xfffff000) | (minor >>> 20), true);
    view.setUint32(8, from.getUint32(STAT + Statx.ino, true), true);
    view.setUint32(12, from.getUint32(STAT + Statx.ino + 4, true), true);
    into.bytes[16] = FILETYPES[from.getUint16(STAT + Statx.mode, true) >> 12]!;
    view.setUint32(24, from.getUint32(STAT + Statx.nlink, true), true);
    view.setUint32(28, 0, true);
    view.setUint32(32, from.getUint32(STAT + Statx.stx_size, true), true);
    view.setUint32(36, from.getUint32(STAT + Statx.stx_size + 4, true), true);
    this.#readTime(view, 40, STAT + Statx.atime);
    this.#readTime(view, 48, STAT + Statx.mtime);
    this.#readTime(view, 56, STAT + Statx.ctime);
  }

  #readTime(view: DataView, offset: number, at: number): void {
    const low = this.#view.getUint32(at, true);
    const high = this.#view.getInt32(at + 4, true);
    writeTime(view, offset, high * 0x100000000 + low, this.#view.getUint32(at + 8, true));
  }

  pathOf(fd: number): string | number {
    return this.readlinkat(linux.AT_FDCWD, `/proc/self/fd/${fd}`);
  }

  mkdirat(fd: number, name: string): number {
    if (!this.#put(name)) return -Errno.NAMETOOLONG;
    return this.result(this.#c.mkdirat!(fd, this.#path, 0o777));
  }

  unlinkat(fd: number, name: string, flags: number): number {
    if (!this.#put(name)) return -Errno.NAMETOOLONG;
    return this.result(this.#c.unlinkat!(fd, this.#path, flags));
  }

  renameat(fd: number, name: string, toFd: number, toName: string): number {
    if (!this.#put(name) || !this.#put(toName, PATH2)) return -Errno.NAMETOOLONG;
    return this.result(this.#c.renameat!(fd, this.#path, toFd, this.#path2));
  }

  linkat(fd: number, name: string, toFd: number, toName: string): number {
    if (!this.#put(name) || !this.#put(toName, PATH2)) return -Errno.NAMETOOLONG;
    return this.result(this.#c.linkat!(fd, this.#path, toFd, this.#path2, 0));
  }

  symlinkat(target: string, fd: number, name: string): number {
    if (!this.#put(target) || !this.#put(name, PATH2)) return -Errno.NAMETOOLONG;
    return this.result(this.#c.symlinkat!(this.#path, fd, this.#path2));
  }

  readlinkat(fd: number, name: string): string | number {
    if (!this.#put(name)) return -Errno.NAMETOOLONG;
    const length = this.#c.readlinkat!(fd, this.#path, this.#link, LINK_MAX);
    return length < 0 ? this.#failed() : decode(this.#block, LINK, LINK + length);
  }

  #putTimes(atim: bigint, mtim: bigint, flags: number): void {
    this.#putTime(TIMES, atim, flags & Fstflags.ATIM, flags & Fstflags.ATIM_NOW);
    this.#putTime(TIMES + 16, mtim, flags & Fstflags.MTIM, flags & Fstflags.MTIM_NOW);
  }

  #putTime(at: number, time: bigint, set: number, now: number): void {
    const seconds = set ? time / 1000000000n : 0n;
    const special = now ? linux.UTIME_NOW : linux.UTIME_OMIT;
    this.#view.setBigInt64(at, seconds, true);
    this.#view.setBigInt64(at + 8, set ? time % 1000000000n : BigInt(special), true);
  }

  futimens(fd: number, atim: bigint, mtim: bigint, flags: number): number {
    this.#putTimes(atim, mtim, flags);
    return this.result(this.#c.futimens!(fd, this.#times));
  }

  /** utimensat(2): of `name` in `fd` without following it, or of `fd` itself for "". */
  utimensat(fd: number, name: string, atim: bigint, mtim: bigint, flags: number): number {
    if (!this.#put(name)) return -Errno.NAMETOOLONG;
    this.#putTimes(atim, mtim, flags);
    const how = name === "" ? linux.AT_EMPTY_PATH : linux.AT_SYMLINK_NOFOLLOW;
    return this.result(this.#c.utimensat!(fd, this.#path, this.#times, how));
  }

  ftruncate(fd: number, size: number): number {
    return this.result(this.#c.ftruncate!(fd, this.foreign.long(size)));
  }

  /** posix_fallocate(3), which returns its error number. */
  allocate(fd: number, offset: number, length: number): number {
    const { long } = this.foreign;
    return 0 - errnoOfLinux(this.#c.posix_fallocate!(fd, long(offset), long(length)));
  }

  advise(fd: number, offset: number, length: number, advice: number): number {
    const { long } = this.foreign;
    return 0 - errnoOfLinux(this.#c.posix_fadvise!(fd, long(offset), long(length), advice));
  }

  sync(fd: number, dataOnly: boolean): number {
    return this.result(dataOnly ? this.#c.fdatasync!(fd) : this.#c.fsync!(fd));
  }

  fcntl(fd: number, command: number, argument: number): number {
    return this.result(this.#c.fcntl!(fd, command, argument));
  }

  lseek(fd: number, offset: number | bigint, whence: number): number {
    const to = typeof offset === "bigint" ? offset : this.foreign.long(offset);
    return this.result(Number(this.#c.lseek!(fd, to, whence)));
  }

  isatty(fd: number): boolean {
    return this.#c.isatty!(fd) === 1;
  }

  /** getdents64(2) into `bytes`; the count, 0 at the end. */
  getdents(fd: number, bytes: Uint8Array): number {
    const { getdents64 } = this.arch;
    const to = this.foreign.pointer(bytes, 0);
    return this.result(this.#c.getdents64!(getdents64, fd, to, bytes.length));
  }

  /** pread(2), or read(2) for position -1. */
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number): number {
    const to = this.foreign.pointer(into, offset);
    for (;;) {
      const count = position < 0
        ? this.#c.read!(fd, to, length)
        : position < 0x100000000
        ? this.#c.pread32!(fd, to, length, position)
        : this.#c.pread!(fd, to, length, this.foreign.long(position));
      if (count >= 0) return count;
      const error = this.#failed();
      if (error !== -Errno.INTR) return error;
    }
  }

  /** pwrite(2), or write(2) for position -1. */
  write(fd: number, from: Uint8Array, offset: number, length: number, position: number): number {
    const at = this.foreign.pointer(from, offset);
    for (;;) {
      const count = position < 0
        ? this.#c.write!(fd, at, length)
        : position < 0x100000000
        ? this.#c.pwrite32!(fd, at, length, position)
        : this.#c.pwrite!(fd, at, length, this.foreign.long(position));
      if (count >= 0) return count;
      const error = this.#failed();
      if (error !== -Errno.INTR) return error;
    }
  }

  /** getrandom(2), for arrays that do not move; -errno, or -NOSYS if it gave less. */
  random(into: Uint8Array): number {
    if (this.#c.getrandom === undefined) return -Errno.NOSYS;
    const count = this.#c.getrandom(this.foreign.pointer(into, 0), into.length, 0);
    return count === into.length ? 0 : -Errno.NOSYS;
  }

  /** Nanoseconds of a clock, into `into`; -errno. */
  clock(id: number, into: DataView, offset: number): number {
    if (this.#c.clock_gettime!(id, this.#times) < 0) return this.#failed();
    const seconds = this.#view.getUint32(TIMES, true) +
      this.#view.getInt32(TIMES + 4, true) * 0x100000000;
    writeTime(into, offset, seconds, this.#view.getUint32(TIMES + 8, true));
    return 0;
  }

  /** ppoll(2) over entries whose descriptors stand in `fds`, in milliseconds. */
  poll(entries: readonly PollEntry[], fds: readonly number[], timeout: number): void {
    const large = fds.length > POLLFDS_MAX;
    const block = large ? new Uint8Array(fds.length * linux.Pollfd.size) : this.#block;
    const at = large ? 0 : POLLFDS;
    const view = large ? new DataView(block.buffer) : this.#view;
    for (let i = 0; i < fds.length; i++) {
      const pollfd = at + i * linux.Pollfd.size;
      const reads = (entries[i]!.events & Poll.READ) !== 0;
      const events = reads ? linux.POLLIN | linux.POLLRDHUP : linux.POLLOUT;
      view.setInt32(pollfd + linux.Pollfd.fd, fds[i]!, true);
      view.setUint16(pollfd + linux.Pollfd.events, events, true);
      view.setUint16(pollfd + linux.Pollfd.revents, 0, true);
    }
    const pointer = large ? this.foreign.pointer(block, 0) : this.#pollfds;
    if (this.#c.ppoll!(pointer, fds.length, this.#timeout(timeout), null) <= 0) return;
    for (let i = 0; i < fds.length; i++) {
      const revents = view.getUint16(at + i * linux.Pollfd.size + linux.Pollfd.revents, true);
      if (revents !== 0) this.#found(entries[i]!, fds[i]!, revents);
    }
  }

  #timeout(milliseconds: number): Pointer {
    if (milliseconds === Infinity) return null;
    const seconds = Math.min(Math.floor(milliseconds / 1000), 0x7fffffff);
    const nanoseconds = Math.min(999999999, Math.ceil((milliseconds - seconds * 1000) * 1e6));
    this.#view.setBigInt64(TIMES, BigInt(seconds), true);
    this.#view.setBigInt64(TIMES + 8, BigInt(nanoseconds), true);
    return this.#times;
  }

  #found(entry: PollEntry, fd: number, revents: number): void {
    if ((revents & linux.POLLNVAL) !== 0) {
      entry.error = Errno.BADF;
      entry.found = entry.events;
      return;
    }
    entry.found = entry.events;
    if ((revents & linux.POLLHUP) !== 0) entry.found |= Poll.HANGUP;
    if ((revents & linux.POLLIN) === 0) return;
    this.#view.setInt32(INTEGER, 0, true);
    if (this.#c.ioctl!(fd, linux.FIONREAD, this.#integer) < 0) return;
    entry.nbytes = Math.max(0, this.#view.getInt32(INTEGER, true));
    // a socket that is read to its end, though it may still be written to
    const isEnd = (revents & linux.POLLRDHUP) !== 0 && entry.nbytes === 0;
    if (isEnd) entry.found |= Poll.HANGUP;
  }
}
