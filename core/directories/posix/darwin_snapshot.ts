/**
 * Reading a directory on macOS: all of it at once, when a listing begins.
 *
 * A guest's cookie is the number of entries before. macOS does not promise that a position in a
 * directory stays good, so a listing goes on in what was there when it began, and one that begins
 * anew (cookie 0) looks again.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { FileStat } from "../../filestat.ts";
import type { DirentSink } from "../../host.ts";
import { Dirent } from "./darwin.ts";
import type { DarwinLibc } from "./darwin_libc.ts";
import type { Lister } from "./interface.ts";
import { filetypeOfDirent } from "./base_libc.ts";

/** Size of the block that getdirentries64 fills. */
const BLOCK = 32768;

/** One block for all: it is filled and copied within one call. */
let block: Uint8Array | undefined;

/** One open directory's entries, as they were when the listing began. */
export class DarwinSnapshot implements Lister {
  readonly #libc: DarwinLibc;
  /** The records; what was each one's position is the guest's cookie of the next. */
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  /** Where each record begins. */
  #starts: number[] = [];
  #taken = false;

  constructor(libc: DarwinLibc) {
    this.#libc = libc;
  }

  list(fd: number, isRoot: boolean, cookie: bigint, sink: DirentSink): number {
    if (cookie > 0xffffffffn) return -Errno.INVAL;
    if (cookie === 0n || !this.#taken) {
      const error = this.#take(fd, isRoot);
      if (error < 0) return error;
    }
    const view = this.#view;
    for (let i = Number(cookie); i < this.#starts.length; i++) {
      const at = this.#starts[i]!;
      const filetype = filetypeOfDirent(view.getUint8(at + Dirent.d_type));
      const start = at + Dirent.d_name;
      const end = start + view.getUint16(at + Dirent.d_namlen, true);
      const { d_ino, d_seekoff } = Dirent;
      const more = sink.addBytes(
        this.#bytes,
        view,
        at + d_seekoff,
        at + d_ino,
        filetype,
        start,
        end,
      );
      if (!more) return 0;
    }
    return 0;
  }

  #take(fd: number, isRoot: boolean): number {
    this.#taken = false;
    const parts: Uint8Array[] = [];
    const buffer = block ??= new Uint8Array(new ArrayBuffer(BLOCK));
    const error = this.#libc.lseek(fd, 0, 0);
    if (error < 0) return error;
    let length = 0;
    for (;;) {
      const count = this.#libc.getdirentries(fd, buffer);
      if (count < 0) return count;
      if (count === 0) break;
      parts.push(buffer.slice(0, count));
      length += count;
    }
    this.#bytes = new Uint8Array(length);
    this.#view = new DataView(this.#bytes.buffer);
    let at = 0;
    for (const part of parts) {
      this.#bytes.set(part, at);
      at += part.length;
    }
    this.#index(fd, isRoot);
    this.#taken = true;
    return 0;
  }

  /** Finds the records and numbers them; one without an inode number is no entry. */
  #index(fd: number, isRoot: boolean): void {
    const view = this.#view;
    this.#starts = [];
    let at = 0;
    while (at + Dirent.d_name < this.#bytes.length) {
      const length = view.getUint16(at + Dirent.d_reclen, true);
      if (length <= Dirent.d_name) return;
      if (view.getBigUint64(at + Dirent.d_ino, true) !== 0n) {
        this.#starts.push(at);
        view.setBigUint64(at + Dirent.d_seekoff, BigInt(this.#starts.length), true);
        if (isRoot && this.#isParent(at)) this.#maskParent(fd, at);
      }
      at += length;
    }
  }

  #isParent(at: number): boolean {
    const name = at + Dirent.d_name;
    return this.#view.getUint16(at + Dirent.d_namlen, true) === 2 &&
      this.#bytes[name] === 46 && this.#bytes[name + 1] === 46;
  }

  /** A preopen's parent is outside: ".." shows the directory itself, as it does in "/". */
  #maskParent(fd: number, at: number): void {
    const stat = new FileStat();
    this.#libc.fstat(fd, stat);
    this.#view.setBigUint64(at + Dirent.d_ino, stat.ino, true);
  }
}
