/**
 * Reading a directory with getdents64: which entries come after a cookie.
 *
 * A guest's cookie is the number of entries before, because wasi-libc's `telldir` keeps 32 bits of
 * it; the kernel's own, which stays good whatever comes and goes, can need 63. So the kernel's
 * cookie of each entry that was given is kept, and a listing that goes on elsewhere seeks to it.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { FileStat } from "../../filestat.ts";
import type { DirentSink } from "../../host.ts";
import type { Lister } from "./interface.ts";
import { filetypeOfDirent } from "./base_libc.ts";
import type { Libc } from "./libc.ts";
import { Dirent64 } from "./linux.ts";

/** Size of the block that getdents64 fills. */
const BLOCK = 32768;

/** FUSE_UNKNOWN_INO of linux/fuse.h's library: 0 for a guest. */
const UNKNOWN_INO = 0xffffffff;

/** One open directory's entries. */
export class Dents implements Lister {
  readonly #libc: Libc;
  /** The block, and behind it eight bytes for the guest's cookie. */
  readonly #bytes: Uint8Array = new Uint8Array(new ArrayBuffer(BLOCK + 8));
  readonly #block: Uint8Array = this.#bytes.subarray(0, BLOCK);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  /** How much of the block was filled, and where the next entry is in it. */
  #length = 0;
  #at = 0;
  /** How many entries of the directory lie before that one. */
  #index = 0;
  /** For each entry, the kernel's cookie of what follows it: low and high halves. */
  #cookies: Uint32Array = new Uint32Array(256);
  /** How many of them are known. */
  #known = 0;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** Gives entries to `sink`, from the one that `cookie` entries come before. */
  list(fd: number, isRoot: boolean, cookie: bigint, sink: DirentSink): number {
    const error = this.#goTo(fd, cookie);
    if (error !== 0) return error < 0 ? error : 0;
    for (;;) {
      if (this.#at >= this.#length) {
        const read = this.#fill(fd);
        if (read <= 0) return read;
      }
      if (!this.#give(fd, isRoot, sink)) return 0;
    }
  }

  /** Brings the reading position to a cookie; 1 if the directory ends before, or -errno. */
  #goTo(fd: number, cookie: bigint): number {
    if (cookie === BigInt(this.#index) && cookie !== 0n) return 0;
    if (cookie > 0xffffffffn) return -Errno.INVAL;
    const index = Number(cookie);
    if (index === 0) this.#known = 0; // a listing that begins anew sees what is there now
    const start = Math.min(index, this.#known);
    const error = this.#libc.lseek(fd, this.#kernelCookie(start), 0);
    if (error < 0) return error;
    this.#length = this.#at = 0;
    this.#index = start;
    while (this.#index < index) {
      if (this.#at >= this.#length) {
        const read = this.#fill(fd);
        if (read <= 0) return read < 0 ? read : 1;
      }
      this.#pass();
    }
    return 0;
  }

  #kernelCookie(index: number): bigint {
    if (index === 0) return 0n;
    const low = this.#cookies[2 * index - 2]!;
    const high = this.#cookies[2 * index - 1]!;
    return BigInt.asIntN(64, BigInt(high) << 32n | BigInt(low));
  }

  #fill(fd: number): number {
    let length = this.#libc.getdents(fd, this.#block);
    // of a directory that has been removed: its list is at its end, as readdir(3) has it
    if (length === -Errno.NOENT) length = 0;
    this.#length = Math.max(0, length);
    this.#at = 0;
    return length;
  }

  /** Goes past the entry at the reading position. */
  #pass(): void {
    const next = this.#at + Dirent64.d_off;
    const slot = 2 * this.#index++;
    if (slot + 2 > this.#cookies.length) {
      const more = new Uint32Array(this.#cookies.length * 2);
      more.set(this.#cookies);
      this.#cookies = more;
    }
    this.#cookies[slot] = this.#view.getUint32(next, true);
    this.#cookies[slot + 1] = this.#view.getUint32(next + 4, true);
    this.#known = Math.max(this.#known, this.#index);
    this.#at += this.#view.getUint16(this.#at + Dirent64.d_reclen, true);
  }

  /** Gives the entry at the reading position; false if the sink is full. */
  #give(fd: number, isRoot: boolean, sink: DirentSink): boolean {
    const view = this.#view;
    const bytes = this.#bytes;
    const at = this.#at;
    const start = at + Dirent64.d_name;
    let end = start;
    while (bytes[end] !== 0) end++;
    if (isRoot && end - start === 2 && bytes[start] === 46 && bytes[start + 1] === 46) {
      this.#maskParent(fd, at + Dirent64.d_ino);
    }
    // what FUSE says of an inode that it does not know
    const ino = at + Dirent64.d_ino;
    if (view.getUint32(ino, true) === UNKNOWN_INO && view.getUint32(ino + 4, true) === 0) {
      view.setUint32(ino, 0, true);
    }
    view.setUint32(BLOCK, this.#index + 1, true);
    const filetype = filetypeOfDirent(bytes[at + Dirent64.d_type]!);
    if (!sink.addBytes(bytes, view, BLOCK, at + Dirent64.d_ino, filetype, start, end)) return false;
    this.#pass();
    return true;
  }

  /** A preopen's parent is outside: ".." shows the directory itself, as it does in "/". */
  #maskParent(fd: number, at: number): void {
    const stat = new FileStat();
    this.#libc.fstat(fd, stat);
    this.#view.setBigUint64(at, stat.ino, true);
  }
}
