/**
 * Files over NT's functions, opened by a guest.
 *
 * @module
 */
import type { FileStat } from "../../filestat.ts";
import { Errno } from "../../errno.ts";
import { Fdflags, type File, Filetype, Fstflags } from "../../host.ts";
import type { Ntdll } from "./ntdll.ts";
import * as nt from "./nt.ts";

/** What the directories and files of one tree share. */
export interface Volume {
  readonly ntdll: Ntdll;
  /** Its serial number: a tree is on one volume, for another one's root is a reparse point. */
  readonly serial: bigint;
}

/** The present, in nanoseconds since 1970. */
function now(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

/** Sets times of what is open; if its handle may not, through another one. `flags` are `Fstflags`. */
export function setTimesOf(
  ntdll: Ntdll,
  handle: number,
  atim: bigint,
  mtim: bigint,
  flags: number,
): number {
  const present = now();
  const choose = (explicit: number, presently: number, time: bigint): bigint | undefined =>
    (flags & presently) !== 0 ? present : (flags & explicit) !== 0 ? time : undefined;
  const atime = choose(Fstflags.ATIM, Fstflags.ATIM_NOW, atim);
  const mtime = choose(Fstflags.MTIM, Fstflags.MTIM_NOW, mtim);
  const error = ntdll.setTimes(handle, atime, mtime);
  if (error !== -Errno.ACCES) return error;
  const own = ntdll.reopen(handle, nt.Access.WRITE_ATTRIBUTES, nt.Options.OPEN_REPARSE_POINT);
  if (own < 0) return own;
  const again = ntdll.setTimes(own, atime, mtime);
  ntdll.close(own);
  return again;
}

/** An open file. Other kinds than regular ones cannot be reached. */
export class NtFile implements File {
  readonly filetype: number = Filetype.REGULAR_FILE;
  readonly seekable: boolean = true;
  readonly direct: boolean = true;
  readonly #volume: Volume;
  readonly #ntdll: Ntdll;
  /** -1 once it is closed: the system gives the number to whoever opens something next. */
  #handle: number;
  #append: boolean;

  constructor(volume: Volume, handle: number, append: boolean) {
    this.#volume = volume;
    this.#ntdll = volume.ntdll;
    this.#handle = handle;
    this.#append = append;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#ntdll.read(this.#handle, into, offset, length, position);
  }

  /** A file that appends does so at any position, as pwrite(2) on Linux. */
  write(from: Uint8Array, offset: number, length: number, position: number): number {
    return this.#ntdll.write(this.#handle, from, offset, length, this.#append ? -1 : position);
  }

  tell(): number {
    return this.#ntdll.position(this.#handle);
  }

  stat(into: FileStat): number {
    into.dev = this.#volume.serial;
    return this.#ntdll.stat(this.#handle, into);
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return setTimesOf(this.#ntdll, this.#handle, atim, mtim, flags);
  }

  /** A file that is only read is opened once more for it: flushing needs the right to write. */
  sync(_dataOnly: boolean): number {
    const error = this.#ntdll.sync(this.#handle);
    if (error === 0) return 0;
    const own = this.#ntdll.reopen(this.#handle, nt.Access.GENERIC_WRITE, 0);
    // one who may not write has nothing to wait for
    if (own < 0) return 0;
    const again = this.#ntdll.sync(own);
    this.#ntdll.close(own);
    return again;
  }

  setSize(size: number): number {
    return this.#ntdll.setSize(this.#handle, size);
  }

  /** Growing a file reserves room for it, unless it is sparse or compressed. */
  allocate(offset: number, length: number): number {
    const size = this.#ntdll.sizeOf(this.#handle);
    if (size < 0) return size;
    return offset + length > size ? this.setSize(offset + length) : 0;
  }

  /** Advice may be ignored. */
  advise(_offset: number, _length: number, _advice: number): number {
    return 0;
  }

  setFlags(fdflags: number): number {
    this.#append = (fdflags & Fdflags.APPEND) !== 0;
    return 0;
  }

  close(): void {
    const handle = this.#handle;
    this.#handle = -1;
    if (handle >= 0) this.#ntdll.close(handle);
  }
}
