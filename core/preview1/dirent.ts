/**
 * Directory entries in the guest's layout.
 *
 * @module
 */
import { Dirent } from "./abi.ts";
import type { DirentSink } from "../host.ts";
import type { GuestMemory } from "./memory.ts";
import { encode } from "../text.ts";

/** Lays directory entries into guest memory; the last one is cut where the buffer ends. */
export class DirentWriter implements DirentSink {
  readonly #memory: GuestMemory;
  readonly #end: number;
  /** Where the next entry goes. */
  at: number;

  constructor(memory: GuestMemory, start: number, length: number) {
    this.#memory = memory;
    this.at = start;
    this.#end = start + length;
  }

  add(next: bigint, ino: bigint, filetype: number, name: string): boolean {
    const text = encode(name);
    const bytes = new Uint8Array(16 + text.length);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, next, true);
    view.setBigUint64(8, ino, true);
    bytes.set(text, 16);
    return this.addBytes(bytes, view, 0, 8, filetype, 16, bytes.length);
  }

  addBytes(
    from: Uint8Array,
    fromView: DataView,
    next: number,
    ino: number,
    filetype: number,
    start: number,
    end: number,
  ): boolean {
    const room = this.#end - this.at;
    if (room <= 0) return false;
    const whole = Dirent.size + end - start;
    this.#memory.check(this.at, Math.min(whole, room)); // an embedder's directory may make it grow
    const { view, bytes } = this.#memory;
    if (whole <= room) {
      layDirent(view, bytes, this.at, from, fromView, next, ino, filetype, start, end);
      this.at += whole;
      return true;
    }
    const cut = new Uint8Array(whole);
    layDirent(new DataView(cut.buffer), cut, 0, from, fromView, next, ino, filetype, start, end);
    bytes.set(cut.subarray(0, room), this.at);
    this.at = this.#end;
    return false;
  }
}

function layDirent(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  from: Uint8Array,
  fromView: DataView,
  next: number,
  ino: number,
  filetype: number,
  start: number,
  end: number,
): void {
  view.setUint32(at + Dirent.d_next, fromView.getUint32(next, true), true);
  view.setUint32(at + Dirent.d_next + 4, fromView.getUint32(next + 4, true), true);
  view.setUint32(at + Dirent.d_ino, fromView.getUint32(ino, true), true);
  view.setUint32(at + Dirent.d_ino + 4, fromView.getUint32(ino + 4, true), true);
  view.setUint32(at + Dirent.d_namlen, end - start, true);
  view.setUint32(at + Dirent.d_type, filetype, true);
  for (let i = start, to = at + Dirent.size; i < end; i++, to++) bytes[to] = from[i]!;
}
