/**
 * libc of macOS: its own calls, flags and layouts.
 *
 * It has run on Linux, over a library with Darwin's calls (tests/darwin/library.c), and not on a Mac
 * yet. Only a Mac shows what APFS does with case and normalisation of names and with hard links to
 * symbolic links, what O_SEARCH does, and how the runtimes' builds for it call libc.
 *
 * There is no O_PATH and no openat2: paths are walked, one component at a time, with O_NOFOLLOW.
 *
 * @module
 */
import { Errno, errnoOfDarwin } from "../../errno.ts";
import { Filetype, Poll, type PollEntry } from "../../host.ts";
import type { FileStat } from "../../filestat.ts";
import { decode } from "../../text.ts";
import {
  BaseLibc,
  filetypeOfDirent,
  INTEGER,
  LINK,
  OWN,
  scratchStat,
  STAT,
  TIMES,
} from "./base_libc.ts";
import * as darwin from "./darwin.ts";
import type { Foreign, Pointer } from "../../foreign.ts";
import type { PosixLibc } from "./interface.ts";
import * as linux from "./linux.ts";

/** libc of macOS, as far as it is called. */
export class DarwinLibc extends BaseLibc implements PosixLibc {
  readonly arch: typeof darwin.BOUNDARY = darwin.BOUNDARY;
  readonly pathHandles = false;
  /** Whether variadic arguments go on the stack, behind all registers: Apple's arm64. */
  readonly #stack: boolean;

  /** `arch` as Node names it: "x64" or "arm64". */
  constructor(foreign: Foreign, arch: string) {
    super(foreign, {
      errno: "__error",
      UTIME_NOW: darwin.UTIME_NOW,
      UTIME_OMIT: darwin.UTIME_OMIT,
      readEvents: 0,
    });
    this.#stack = arch === "arm64";
  }

  protected failed(errno: number): number {
    return -errnoOfDarwin(errno);
  }

  /** A directory's descriptor, or the number that stands for the current one. */
  #directory(fd: number): number {
    return fd === linux.AT_FDCWD ? darwin.AT_FDCWD : fd;
  }

  openBeneath(): number {
    return -Errno.NOSYS;
  }

  openat(fd: number, path: string, flags: number, mode: number): number {
    if (!this.put(path)) return -Errno.NAMETOOLONG;
    const c = this.c;
    const from = this.#directory(fd);
    const how = darwin.openFlags(flags);
    return this.result(
      this.#stack
        ? c.openat_stack!(from, this.path, how, 0, 0, 0, 0, 0, mode)
        : c.openat!(from, this.path, how, mode),
      this.errno[0]!,
    );
  }

  stat(fd: number, name: string, into: FileStat): number {
    if (!this.put(name)) return -Errno.NAMETOOLONG;
    const c = this.c;
    const stat = this.#stack ? c.fstatat! : c.fstatat_inode64!;
    const how = darwin.AT_SYMLINK_NOFOLLOW;
    const from = this.#directory(fd);
    if (stat(from, this.path, this.statPointer, how) < 0) return this.failed(this.errno[0]!);
    this.#readStat(into);
    return 0;
  }

  fstat(fd: number, into: FileStat): number {
    const c = this.c;
    // on x86-64 the plain name has the layout of old, with 32-bit inode numbers
    const stat = this.#stack ? c.fstat! : c.fstat_inode64!;
    if (stat(fd, this.statPointer) < 0) return this.failed(this.errno[0]!);
    this.#readStat(into);
    return 0;
  }

  filetype(fd: number): number {
    const error = this.fstat(fd, scratchStat);
    return error < 0 ? error : scratchStat.filetype;
  }

  /** Lays `struct stat` into the guest's layout. */
  #readStat(into: FileStat): void {
    const from = this.view;
    const { view } = into;
    const { Stat } = darwin;
    view.setUint32(0, from.getUint32(STAT + Stat.dev, true), true);
    view.setUint32(4, 0, true);
    view.setUint32(8, from.getUint32(STAT + Stat.ino, true), true);
    view.setUint32(12, from.getUint32(STAT + Stat.ino + 4, true), true);
    into.bytes[16] = filetypeOfDirent(from.getUint16(STAT + Stat.mode, true) >>> 12);
    view.setUint32(24, from.getUint16(STAT + Stat.nlink, true), true);
    view.setUint32(28, 0, true);
    view.setUint32(32, from.getUint32(STAT + Stat.st_size, true), true);
    view.setUint32(36, from.getUint32(STAT + Stat.st_size + 4, true), true);
    this.readTime(view, 40, STAT + Stat.atime);
    this.readTime(view, 48, STAT + Stat.mtime);
    this.readTime(view, 56, STAT + Stat.ctime);
  }

  /** fcntl(2) with F_GETPATH: a path without links. */
  pathOf(fd: number): string | number {
    const error = this.#fcntlPointer(fd, darwin.F_GETPATH, this.link);
    if (error < 0) return error;
    const end = this.block.indexOf(0, LINK);
    return decode(this.block, LINK, Math.min(end, LINK + darwin.PATH_MAX));
  }

  /** unlinkat(2); what it calls PERM is ISDIR if it is a directory. */
  unlinkat(fd: number, name: string, flags: number): number {
    if (!this.put(name)) return -Errno.NAMETOOLONG;
    const how = darwin.atFlags(flags);
    const error = this.result(this.c.unlinkat!(fd, this.path, how), this.errno[0]!);
    if (error !== -Errno.PERM || (how & darwin.AT_REMOVEDIR) !== 0) return error;
    const isDirectory = this.stat(fd, name, scratchStat) === 0 &&
      scratchStat.filetype === Filetype.DIRECTORY;
    return isDirectory ? -Errno.ISDIR : error;
  }

  utimensat(fd: number, name: string, atim: bigint, mtim: bigint, flags: number): number {
    if (name === "") return this.futimens(fd, atim, mtim, flags);
    if (!this.put(name)) return -Errno.NAMETOOLONG;
    this.putTimes(atim, mtim, flags);
    const how = darwin.AT_SYMLINK_NOFOLLOW;
    const from = this.#directory(fd);
    return this.result(this.c.utimensat!(from, this.path, this.times, how), this.errno[0]!);
  }

  /** Room behind the end is reserved where the file system can, then the file is grown. */
  allocate(fd: number, offset: number, length: number): number {
    const error = this.fstat(fd, scratchStat);
    if (error < 0) return error;
    const more = offset + length - scratchStat.length;
    if (more <= 0) return 0;
    const view = this.view;
    const { Fstore } = darwin;
    view.setUint32(OWN + Fstore.flags, darwin.F_ALLOCATEALL, true);
    view.setInt32(OWN + Fstore.posmode, darwin.F_PEOFPOSMODE, true);
    view.setBigInt64(OWN + Fstore.offset, 0n, true);
    view.setBigInt64(OWN + Fstore.length, BigInt(more), true);
    view.setBigInt64(OWN + Fstore.bytesalloc, 0n, true);
    const refused = this.#fcntlPointer(fd, darwin.F_PREALLOCATE, this.own);
    if (refused === -Errno.NOSPC || refused === -Errno.DQUOT) return refused;
    return this.ftruncate(fd, offset + length);
  }

  /** There is no posix_fadvise(2). */
  advise(): number {
    return 0;
  }

  /** fsync(2) leaves bytes in the drive's own cache, so F_FULLFSYNC is asked for first. */
  sync(fd: number): number {
    if (this.#fcntlLong(fd, darwin.F_FULLFSYNC, 0) >= 0) return 0;
    return this.result(this.c.fsync!(fd), this.errno[0]!);
  }

  /** F_GETFL and F_SETFL, which have Linux's numbers, with Linux's flags. */
  fcntl(fd: number, command: number, argument: number): number {
    if (command === linux.F_GETFL) {
      const flags = this.#fcntlLong(fd, command, 0);
      return flags < 0 ? flags : darwin.statusFlags(flags);
    }
    if (command !== linux.F_SETFL) return -Errno.INVAL;
    return this.#fcntlLong(fd, command, darwin.openFlags(argument));
  }

  /** A program that this process starts does not get the descriptor. */
  closeOnExec(fd: number): number {
    return this.#fcntlLong(fd, darwin.F_SETFD, darwin.FD_CLOEXEC);
  }

  #fcntlLong(fd: number, command: number, argument: number): number {
    const value = this.foreign.long(argument);
    return this.result(
      this.#stack
        ? this.c.fcntl_stack!(fd, command, 0, 0, 0, 0, 0, 0, value)
        : this.c.fcntl!(fd, command, value),
      this.errno[0]!,
    );
  }

  #fcntlPointer(fd: number, command: number, argument: Pointer): number {
    return this.result(
      this.#stack
        ? this.c.fcntl_pointer_stack!(fd, command, 0, 0, 0, 0, 0, 0, argument)
        : this.c.fcntl_pointer!(fd, command, argument),
      this.errno[0]!,
    );
  }

  /** getdirentries64 into `bytes`; the count, 0 at the end. */
  getdirentries(fd: number, bytes: Uint8Array): number {
    const to = this.foreign.pointer(bytes, 0);
    return this.result(
      this.c.__getdirentries64!(fd, to, bytes.length, this.integer),
      this.errno[0]!,
    );
  }

  /** There is no getrandom(2): WebCrypto gives what is wanted. */
  random(): number {
    return -Errno.NOSYS;
  }

  clock(id: number, into: DataView, offset: number): number {
    const clock = darwin.CLOCKS[id];
    if (clock === undefined) return -Errno.INVAL;
    if (this.c.clock_gettime!(clock, this.times) < 0) return this.failed(this.errno[0]!);
    this.readTime(into, offset, TIMES);
    return 0;
  }

  /** poll(2); a fraction of a millisecond is rounded up. */
  protected wait(pollfds: Pointer, count: number, milliseconds: number): number {
    const wait = milliseconds === Infinity ? -1 : Math.min(Math.ceil(milliseconds), 0x7fffffff);
    return this.c.poll!(pollfds, count, wait);
  }

  protected found(entry: PollEntry, fd: number, revents: number): void {
    entry.found = entry.events;
    if ((revents & darwin.POLLNVAL) !== 0) {
      // said of devices, too, that cannot be waited for: those count as ready
      if (this.fstat(fd, scratchStat) < 0) entry.error = Errno.BADF;
      return;
    }
    if ((revents & darwin.POLLHUP) !== 0) entry.found |= Poll.HANGUP;
    if ((revents & darwin.POLLIN) === 0) return;
    this.view.setInt32(INTEGER, 0, true);
    const request = this.foreign.long(darwin.FIONREAD);
    const error = this.#stack
      ? this.c.ioctl_stack!(fd, request, 0, 0, 0, 0, 0, 0, this.integer)
      : this.c.ioctl!(fd, request, this.integer);
    if (error < 0) return;
    entry.nbytes = Math.max(0, this.view.getInt32(INTEGER, true));
  }
}
