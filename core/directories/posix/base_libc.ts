/**
 * libc with its memory, as far as it is the same on every system.
 *
 * Strings and structures go through one block of memory at a fixed address, so that no call
 * allocates. Nothing here is reentrant, and nothing here calls back.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { Filetype, Fstflags, Poll, type PollEntry } from "../../host.ts";
import { FileStat, writeTime } from "../../filestat.ts";
import { decode, encodeInto } from "../../text.ts";
import type { CFunction, Foreign, Pointer } from "../../foreign.ts";
import { Pollfd, POLLIN, POLLOUT } from "./linux.ts";

/** Where things lie in the block. */
const PATH = 0;
export const PATH2 = 8192;
/** what one system alone needs, 64 bytes */
export const OWN = 16384;
/** a structure of file attributes, 256 bytes */
export const STAT = 16448;
export const TIMES = 16704;
export const INTEGER = 16736;
export const LINK = 16768;
const LINK_MAX = 4096;
const POLLFDS = 20992;
const POLLFDS_MAX = 512;
const SIZE = POLLFDS + POLLFDS_MAX * Pollfd.size;

/** Kinds of file by the upper four bits of a mode. */
// deno-fmt-ignore
export const FILETYPES: readonly number[] = [
  0, Filetype.UNKNOWN /* FIFO */, Filetype.CHARACTER_DEVICE, 0, Filetype.DIRECTORY, 0,
  Filetype.BLOCK_DEVICE, 0, Filetype.REGULAR_FILE, 0, Filetype.SYMBOLIC_LINK, 0,
  Filetype.SOCKET_STREAM, 0, 0, 0,
];

/** The kind of file for a `d_type`, which is the upper four bits of a mode. */
export function filetypeOfDirent(type: number): number {
  return FILETYPES[type & 15]!;
}

/** For one call at a time. */
export const scratchStat: FileStat = new FileStat();

/** What differs between systems and is a number or a name. */
export interface Words {
  /** The function that tells where errno is. */
  readonly errno: string;
  readonly UTIME_NOW: number;
  readonly UTIME_OMIT: number;
  /** What poll(2) is asked beside POLLIN. */
  readonly readEvents: number;
}

/** A system's libc extends it. */
export abstract class BaseLibc {
  readonly foreign: Foreign;
  protected readonly c: Readonly<Record<string, CFunction>>;
  protected readonly block: Uint8Array = new Uint8Array(new ArrayBuffer(SIZE));
  protected readonly view: DataView = new DataView(this.block.buffer);
  protected readonly first: Uint8Array = this.block.subarray(PATH, PATH2);
  protected readonly second: Uint8Array = this.block.subarray(PATH2, OWN);
  /**
   * errno of this thread. It is read in the expression of a call, or right after it: where the next
   * function begins an engine may stop to wait for threads of its own, whose errno is there then.
   */
  readonly errno: Int32Array;
  protected readonly path: Pointer;
  protected readonly path2: Pointer;
  protected readonly own: Pointer;
  protected readonly statPointer: Pointer;
  protected readonly times: Pointer;
  protected readonly integer: Pointer;
  protected readonly link: Pointer;
  readonly #pollfds: Pointer;
  readonly #words: Words;

  constructor(foreign: Foreign, words: Words) {
    this.foreign = foreign;
    this.#words = words;
    this.c = foreign.symbols;
    this.errno = foreign.errnoView(this.c[words.errno]!());
    this.path = foreign.pointer(this.block, PATH);
    this.path2 = foreign.pointer(this.block, PATH2);
    this.own = foreign.pointer(this.block, OWN);
    this.statPointer = foreign.pointer(this.block, STAT);
    this.times = foreign.pointer(this.block, TIMES);
    this.integer = foreign.pointer(this.block, INTEGER);
    this.link = foreign.pointer(this.block, LINK);
    this.#pollfds = foreign.pointer(this.block, POLLFDS);
  }

  /** The errno of a call in WASI's numbers, negative. */
  protected abstract failed(errno: number): number;
  /** Waits with poll(2) or its like; how many are ready. */
  protected abstract wait(pollfds: Pointer, count: number, milliseconds: number): number;
  /** Tells an entry what was found. */
  protected abstract found(entry: PollEntry, fd: number, revents: number): void;

  /** A result, or for one below zero the errno of the call in WASI's numbers, negative. */
  result(result: number, errno: number): number {
    return result < 0 ? this.failed(errno) : result;
  }

  /** Puts a path into the block; false if it is too long for it. */
  protected put(path: string, at: number = PATH): boolean {
    return encodeInto(path, at === PATH ? this.first : this.second, 0) >= 0;
  }

  close(fd: number): void {
    this.c.close!(fd);
  }

  /** Lays a `struct timespec` into the guest's layout. */
  protected readTime(view: DataView, offset: number, at: number): void {
    const low = this.view.getUint32(at, true);
    const high = this.view.getInt32(at + 4, true);
    writeTime(view, offset, high * 0x100000000 + low, this.view.getUint32(at + 8, true));
  }

  mkdirat(fd: number, name: string): number {
    if (!this.put(name)) return -Errno.NAMETOOLONG;
    return this.result(this.c.mkdirat!(fd, this.path, 0o777), this.errno[0]!);
  }

  renameat(fd: number, name: string, toFd: number, toName: string): number {
    if (!this.put(name) || !this.put(toName, PATH2)) return -Errno.NAMETOOLONG;
    return this.result(this.c.renameat!(fd, this.path, toFd, this.path2), this.errno[0]!);
  }

  linkat(fd: number, name: string, toFd: number, toName: string): number {
    if (!this.put(name) || !this.put(toName, PATH2)) return -Errno.NAMETOOLONG;
    return this.result(this.c.linkat!(fd, this.path, toFd, this.path2, 0), this.errno[0]!);
  }

  symlinkat(target: string, fd: number, name: string): number {
    if (!this.put(target) || !this.put(name, PATH2)) return -Errno.NAMETOOLONG;
    return this.result(this.c.symlinkat!(this.path, fd, this.path2), this.errno[0]!);
  }

  readlinkat(fd: number, name: string): string | number {
    if (!this.put(name)) return -Errno.NAMETOOLONG;
    const length = this.c.readlinkat!(fd, this.path, this.link, LINK_MAX);
    const errno = this.errno[0]!;
    return length < 0 ? this.failed(errno) : decode(this.block, LINK, LINK + length);
  }

  protected putTimes(atim: bigint, mtim: bigint, flags: number): void {
    this.#putTime(TIMES, atim, flags & Fstflags.ATIM, flags & Fstflags.ATIM_NOW);
    this.#putTime(TIMES + 16, mtim, flags & Fstflags.MTIM, flags & Fstflags.MTIM_NOW);
  }

  #putTime(at: number, time: bigint, set: number, now: number): void {
    const seconds = set ? time / 1000000000n : 0n;
    const special = now ? this.#words.UTIME_NOW : this.#words.UTIME_OMIT;
    this.view.setBigInt64(at, seconds, true);
    this.view.setBigInt64(at + 8, set ? time % 1000000000n : BigInt(special), true);
  }

  futimens(fd: number, atim: bigint, mtim: bigint, flags: number): number {
    this.putTimes(atim, mtim, flags);
    return this.result(this.c.futimens!(fd, this.times), this.errno[0]!);
  }

  ftruncate(fd: number, size: number): number {
    return this.result(this.c.ftruncate!(fd, this.foreign.long(size)), this.errno[0]!);
  }

  lseek(fd: number, offset: number | bigint, whence: number): number {
    const to = typeof offset === "bigint" ? offset : this.foreign.long(offset);
    const result = this.c.lseek!(fd, to, whence);
    const errno = this.errno[0]!;
    return this.result(Number(result), errno);
  }

  /** pread(2), or read(2) for position -1. */
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number): number {
    const to = this.foreign.pointer(into, offset);
    for (;;) {
      const count = position < 0
        ? this.c.read!(fd, to, length)
        : position < 0x100000000 && this.c.pread32 !== undefined
        ? this.c.pread32(fd, to, length, position)
        : this.c.pread!(fd, to, length, this.foreign.long(position));
      const errno = this.errno[0]!;
      if (count >= 0) return count;
      const error = this.failed(errno);
      if (error !== -Errno.INTR) return error;
    }
  }

  /** pwrite(2), or write(2) for position -1. */
  write(fd: number, from: Uint8Array, offset: number, length: number, position: number): number {
    const at = this.foreign.pointer(from, offset);
    for (;;) {
      const count = position < 0
        ? this.c.write!(fd, at, length)
        : position < 0x100000000 && this.c.pwrite32 !== undefined
        ? this.c.pwrite32(fd, at, length, position)
        : this.c.pwrite!(fd, at, length, this.foreign.long(position));
      const errno = this.errno[0]!;
      if (count >= 0) return count;
      const error = this.failed(errno);
      if (error !== -Errno.INTR) return error;
    }
  }

  isatty(fd: number): boolean {
    return this.c.isatty!(fd) === 1;
  }

  /** Waits over entries whose descriptors stand in `fds`, in milliseconds. */
  poll(entries: readonly PollEntry[], fds: readonly number[], timeout: number): void {
    const large = fds.length > POLLFDS_MAX;
    const block = large ? new Uint8Array(fds.length * Pollfd.size) : this.block;
    const at = large ? 0 : POLLFDS;
    const view = large ? new DataView(block.buffer) : this.view;
    const readEvents = POLLIN | this.#words.readEvents;
    for (let i = 0; i < fds.length; i++) {
      const pollfd = at + i * Pollfd.size;
      const reads = (entries[i]!.events & Poll.READ) !== 0;
      view.setInt32(pollfd + Pollfd.fd, fds[i]!, true);
      view.setUint16(pollfd + Pollfd.events, reads ? readEvents : POLLOUT, true);
      view.setUint16(pollfd + Pollfd.revents, 0, true);
    }
    const pointer = large ? this.foreign.pointer(block, 0) : this.#pollfds;
    if (this.wait(pointer, fds.length, timeout) <= 0) return;
    for (let i = 0; i < fds.length; i++) {
      const revents = view.getUint16(at + i * Pollfd.size + Pollfd.revents, true);
      if (revents !== 0) this.found(entries[i]!, fds[i]!, revents);
    }
  }
}
