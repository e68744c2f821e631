/**
 * libc of Linux: each call takes text and numbers and answers a number, `-errno` on failure.
 *
 * @module
 */
import { Errno, errnoOfLinux } from "../../errno.ts";
import { type FileStat, writeTime } from "../../filestat.ts";
import { Poll, type PollEntry } from "../../host.ts";
import { BaseLibc, FILETYPES, INTEGER, OWN, scratchStat, STAT, TIMES } from "./base_libc.ts";
import type { Foreign, Pointer } from "../../foreign.ts";
import type { PosixLibc } from "./interface.ts";
import * as linux from "./linux.ts";

/** libc, as far as it is called. */
export class Libc extends BaseLibc implements PosixLibc {
  readonly arch: linux.Arch;
  readonly pathHandles = true;

  constructor(foreign: Foreign, arch: linux.Arch) {
    super(foreign, {
      errno: "__errno_location",
      UTIME_NOW: linux.UTIME_NOW,
      UTIME_OMIT: linux.UTIME_OMIT,
      readEvents: linux.POLLRDHUP,
    });
    this.arch = arch;
  }

  protected failed(errno: number): number {
    return -errnoOfLinux(errno);
  }

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
    if (!this.put(path)) return -Errno.NAMETOOLONG;
    this.view.setUint32(OWN + linux.OpenHow.flags, flags, true);
    this.view.setUint32(OWN + linux.OpenHow.mode, mode, true);
    this.view.setUint32(
      OWN + linux.OpenHow.resolve,
      (inRoot ? linux.RESOLVE_IN_ROOT : linux.RESOLVE_BENEATH) | linux.RESOLVE_NO_MAGICLINKS,
      true,
    );
    const { size } = linux.OpenHow;
    // The kernel says EAGAIN when a rename anywhere kept it from being sure of a "..".
    for (let tries = 0; tries < 1000; tries++) {
      const opened = this.c.syscall!(this.arch.openat2, fd, this.path, this.own, size);
      const errno = this.errno[0]!;
      if (opened >= 0) return opened;
      const error = this.failed(errno);
      if (error === -Errno.XDEV) return -Errno.PERM;
      if (error !== -Errno.AGAIN && error !== -Errno.INTR) return error;
    }
    return -Errno.BUSY;
  }

  openat(fd: number, path: string, flags: number, mode: number): number {
    if (!this.put(path)) return -Errno.NAMETOOLONG;
    return this.result(this.c.openat!(fd, this.path, flags, mode), this.errno[0]!);
  }

  /** The attributes of a name in `fd`, not following it. */
  stat(fd: number, name: string, into: FileStat): number {
    if (!this.put(name)) return -Errno.NAMETOOLONG;
    return this.#statx(fd, linux.AT_SYMLINK_NOFOLLOW, into);
  }

  /** The attributes of an open descriptor. */
  fstat(fd: number, into: FileStat): number {
    if (this.c.fstat === undefined) {
      this.first[0] = 0;
      return this.#statx(fd, linux.AT_EMPTY_PATH, into);
    }
    if (this.c.fstat(fd, this.statPointer) < 0) return this.failed(this.errno[0]!);
    this.#readStat(into);
    return 0;
  }

  /** The kind of file of an open descriptor, or -errno. */
  filetype(fd: number): number {
    if (this.c.fstat !== undefined) {
      if (this.c.fstat(fd, this.statPointer) < 0) return this.failed(this.errno[0]!);
      return FILETYPES[this.view.getUint32(STAT + this.arch.stat.mode, true) >>> 12 & 15]!;
    }
    const error = this.fstat(fd, scratchStat);
    return error < 0 ? error : scratchStat.filetype;
  }

  #statx(fd: number, flags: number, into: FileStat): number {
    const mask = linux.STATX_BASIC_STATS;
    const result = this.c.statx!(fd, this.path, flags, mask, this.statPointer);
    if (result < 0) return this.failed(this.errno[0]!);
    this.#readStatx(into);
    return 0;
  }

  /** Lays `struct stat` into the guest's layout. */
  #readStat(into: FileStat): void {
    const from = this.view;
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
    this.readTime(view, 40, STAT + atime);
    this.readTime(view, 48, STAT + mtime);
    this.readTime(view, 56, STAT + ctime);
  }

  /** Lays `struct statx` into the guest's layout. */
  #readStatx(into: FileStat): void {
    const from = this.view;
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
    this.readTime(view, 40, STAT + Statx.atime);
    this.readTime(view, 48, STAT + Statx.mtime);
    this.readTime(view, 56, STAT + Statx.ctime);
  }

  pathOf(fd: number): string | number {
    return this.readlinkat(linux.AT_FDCWD, `/proc/self/fd/${fd}`);
  }

  unlinkat(fd: number, name: string, flags: number): number {
    if (!this.put(name)) return -Errno.NAMETOOLONG;
    return this.result(this.c.unlinkat!(fd, this.path, flags), this.errno[0]!);
  }

  /** utimensat(2): of `name` in `fd` without following it, or of `fd` itself for "". */
  utimensat(fd: number, name: string, atim: bigint, mtim: bigint, flags: number): number {
    if (!this.put(name)) return -Errno.NAMETOOLONG;
    this.putTimes(atim, mtim, flags);
    const how = name === "" ? linux.AT_EMPTY_PATH : linux.AT_SYMLINK_NOFOLLOW;
    return this.result(this.c.utimensat!(fd, this.path, this.times, how), this.errno[0]!);
  }

  /** posix_fallocate(3), which returns its error number. */
  allocate(fd: number, offset: number, length: number): number {
    const { long } = this.foreign;
    return 0 - errnoOfLinux(this.c.posix_fallocate!(fd, long(offset), long(length)));
  }

  advise(fd: number, offset: number, length: number, advice: number): number {
    const { long } = this.foreign;
    return 0 - errnoOfLinux(this.c.posix_fadvise!(fd, long(offset), long(length), advice));
  }

  sync(fd: number, dataOnly: boolean): number {
    return this.result(dataOnly ? this.c.fdatasync!(fd) : this.c.fsync!(fd), this.errno[0]!);
  }

  fcntl(fd: number, command: number, argument: number): number {
    return this.result(this.c.fcntl!(fd, command, argument), this.errno[0]!);
  }

  /** getdents64(2) into `bytes`; the count, 0 at the end. */
  getdents(fd: number, bytes: Uint8Array): number {
    const { getdents64 } = this.arch;
    const to = this.foreign.pointer(bytes, 0);
    return this.result(this.c.getdents64!(getdents64, fd, to, bytes.length), this.errno[0]!);
  }

  /** getrandom(2), for arrays that do not move; -errno, or -NOSYS if it gave less. */
  random(into: Uint8Array): number {
    if (this.c.getrandom === undefined) return -Errno.NOSYS;
    const count = this.c.getrandom(this.foreign.pointer(into, 0), into.length, 0);
    return count === into.length ? 0 : -Errno.NOSYS;
  }

  /** Nanoseconds of a clock, into `into`; -errno. */
  clock(id: number, into: DataView, offset: number): number {
    if (this.c.clock_gettime!(id, this.times) < 0) return this.failed(this.errno[0]!);
    const seconds = this.view.getUint32(TIMES, true) +
      this.view.getInt32(TIMES + 4, true) * 0x100000000;
    writeTime(into, offset, seconds, this.view.getUint32(TIMES + 8, true));
    return 0;
  }

  /** ppoll(2) */
  protected wait(pollfds: Pointer, count: number, milliseconds: number): number {
    return this.c.ppoll!(pollfds, count, this.#timeout(milliseconds), null);
  }

  #timeout(milliseconds: number): Pointer {
    if (milliseconds === Infinity) return null;
    const seconds = Math.min(Math.floor(milliseconds / 1000), 0x7fffffff);
    const nanoseconds = Math.min(999999999, Math.ceil((milliseconds - seconds * 1000) * 1e6));
    this.view.setBigInt64(TIMES, BigInt(seconds), true);
    this.view.setBigInt64(TIMES + 8, BigInt(nanoseconds), true);
    return this.times;
  }

  protected found(entry: PollEntry, fd: number, revents: number): void {
    if ((revents & linux.POLLNVAL) !== 0) {
      entry.error = Errno.BADF;
      entry.found = entry.events;
      return;
    }
    entry.found = entry.events;
    if ((revents & linux.POLLHUP) !== 0) entry.found |= Poll.HANGUP;
    if ((revents & linux.POLLIN) === 0) return;
    this.view.setInt32(INTEGER, 0, true);
    if (this.c.ioctl!(fd, linux.FIONREAD, this.integer) < 0) return;
    entry.nbytes = Math.max(0, this.view.getInt32(INTEGER, true));
    // a socket that is read to its end, though it may still be written to
    const isEnd = (revents & linux.POLLRDHUP) !== 0 && entry.nbytes === 0;
    if (isEnd) entry.found |= Poll.HANGUP;
  }
}
