/**
 * What `stat` finds, kept in the guest's own layout so that handing it over is one copy.
 *
 * @module
 */

/** `filestat` of preview1: where each field is. */
export const Filestat = {
  size: 64,
  dev: 0,
  ino: 8,
  filetype: 16,
  nlink: 24,
  filesize: 32,
  atim: 40,
  mtim: 48,
  ctim: 56,
} as const;

/** The last time that 64 bits hold. */
const TIME_MAX = 0xffffffffffffffffn;

/**
 * Attributes of a file. Hosts fill it, system calls copy {@linkcode FileStat.bytes} to the guest.
 * Times are nanoseconds since 1970-01-01 00:00 UTC; a time before that counts as 0.
 *
 * Source: `filestat` of the specification.
 *
 * @example
 * ```ts
 * import { FileStat } from "@x/wasi";
 *
 * const stat = new FileStat();
 * stat.size = 5n;
 * stat.filetype = 4; // regular file
 * console.assert(stat.bytes[32] === 5);
 * ```
 */
export class FileStat {
  /** The 64 bytes that a guest reads. */
  readonly bytes: Uint8Array = new Uint8Array(Filestat.size);
  /** A view of the same bytes. */
  readonly view: DataView = new DataView(this.bytes.buffer);

  /** Number of the device that holds the file. */
  get dev(): bigint {
    return this.view.getBigUint64(Filestat.dev, true);
  }
  set dev(value: bigint) {
    this.view.setBigUint64(Filestat.dev, value, true);
  }

  /** Number of the file on its device. */
  get ino(): bigint {
    return this.view.getBigUint64(Filestat.ino, true);
  }
  set ino(value: bigint) {
    this.view.setBigUint64(Filestat.ino, value, true);
  }

  /** One of `Filetype`. */
  get filetype(): number {
    return this.bytes[Filestat.filetype]!;
  }
  set filetype(value: number) {
    this.bytes[Filestat.filetype] = value;
  }

  /** Number of hard links. */
  get nlink(): bigint {
    return this.view.getBigUint64(Filestat.nlink, true);
  }
  set nlink(value: bigint) {
    this.view.setBigUint64(Filestat.nlink, value, true);
  }

  /** Size in bytes; of a symbolic link, its target's length. */
  get size(): bigint {
    return this.view.getBigUint64(Filestat.filesize, true);
  }
  set size(value: bigint) {
    this.view.setBigUint64(Filestat.filesize, value, true);
  }

  /** Last access, in nanoseconds. */
  get atim(): bigint {
    return this.view.getBigUint64(Filestat.atim, true);
  }
  set atim(value: bigint) {
    this.#setTime(Filestat.atim, value);
  }

  /** Last change of the content, in nanoseconds. */
  get mtim(): bigint {
    return this.view.getBigUint64(Filestat.mtim, true);
  }
  set mtim(value: bigint) {
    this.#setTime(Filestat.mtim, value);
  }

  /** Last change of content or attributes, in nanoseconds. */
  get ctim(): bigint {
    return this.view.getBigUint64(Filestat.ctim, true);
  }
  set ctim(value: bigint) {
    this.#setTime(Filestat.ctim, value);
  }

  #setTime(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, value < 0n ? 0n : value > TIME_MAX ? TIME_MAX : value, true);
  }

  /** The size as a number: no file that a host can hold is larger than 2 ** 53. */
  get length(): number {
    return this.view.getUint32(Filestat.filesize, true) +
      this.view.getUint32(Filestat.filesize + 4, true) * 0x100000000;
  }
}

/**
 * Writes `seconds * 10**9 + nanoseconds` as 64 bits without making a BigInt; 0 for a time before
 * 1970, 2 ** 64 - 1 for one that does not fit, which are those from the year 2554 on.
 */
export function writeTime(
  view: DataView,
  offset: number,
  seconds: number,
  nanoseconds: number,
): void {
  if (seconds < 0) seconds = nanoseconds = 0;
  // by 16 bits at a time, so that every product is exact; "&" takes a number modulo 2 ** 32
  const upper = Math.floor(seconds / 0x10000) * 1e9;
  const lower = (upper & 0xffff) * 0x10000 + (seconds & 0xffff) * 1e9 + nanoseconds;
  const high = Math.floor(upper / 0x10000) + Math.floor(lower / 0x100000000);
  const fits = high <= 0xffffffff;
  view.setUint32(offset, fits ? lower >>> 0 : 0xffffffff, true);
  view.setUint32(offset + 4, fits ? high : 0xffffffff, true);
}
