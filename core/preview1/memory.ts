/**
 * A guest's memory: the only place that knows views, bounds, growth and sharing.
 *
 * A view of memory that has grown is empty, and an old view of shared memory is short; so one
 * comparison with the view's length finds a bad pointer, a grown memory and a missing one, and
 * only then is the memory asked again.
 *
 * @module
 */
import { Errno, Iovec } from "./abi.ts";
import { WasiError } from "../errno.ts";
import { Thrown } from "../exit.ts";
import { outOfRange } from "../errors.ts";
import { decode } from "../text.ts";

/** Longest path taken from a guest, in bytes: PATH_MAX without its NUL. */
const PATH_MAX = 4095;
/** Most buffers looked at in one call: IOV_MAX. What lies behind is left for the next call. */
const IOV_MAX = 1024;

const getBuffer = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, "buffer")!
  .get as (this: WebAssembly.Memory) => ArrayBuffer;

/** The buffer of a memory, whatever has been put on the object. */
export function bufferOf(memory: WebAssembly.Memory): ArrayBuffer {
  return getBuffer.call(memory);
}

/** Whether a value is a WebAssembly.Memory, of this realm or another. */
export function isMemory(value: unknown): value is WebAssembly.Memory {
  try {
    getBuffer.call(value as WebAssembly.Memory);
    return true;
  } catch {
    return false;
  }
}

/** ERR_OUT_OF_RANGE for a memory beyond `limits.memoryPages`. */
function tooLarge({ byteLength }: ArrayBuffer, limit: number): RangeError {
  return outOfRange(
    "instance.exports.memory",
    `<= ${limit} bytes (limits.memoryPages)`,
    byteLength,
  );
}

/** The guest's memory with bounds checks: a bad pointer is thrown as FAULT. */
export class GuestMemory {
  /** All bytes. Valid after a check, until the guest runs again. */
  bytes: Uint8Array = new Uint8Array(0);
  /** The same as a DataView. */
  view: DataView = new DataView(this.bytes.buffer);
  /** Bytes it may have; more end the guest. */
  limit: number = Infinity;
  #memory: WebAssembly.Memory | undefined = undefined;
  /** Whether there is a memory yet. */
  bound: boolean = false;

  /** Takes the memory that all later calls use. */
  bind(memory: WebAssembly.Memory): void {
    this.#memory = memory;
    this.bound = true;
    this.#refresh();
  }

  /** Takes bytes that stand for a memory: what is carried from another thread. */
  bindBytes(buffer: SharedArrayBuffer): void {
    this.bound = true;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Gives it up: no call can be made any more. */
  unbind(): void {
    this.#memory = undefined;
    this.bound = false;
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
  }

  /**
   * Ends a guest whose memory has grown beyond the limit. A view does not tell of each growth: that of
   * a shared memory stays short, and that of a buffer that can be resized grows with it.
   */
  enforce(): void {
    if (this.#memory === undefined) return;
    const buffer = getBuffer.call(this.#memory);
    if (buffer.byteLength > this.limit) throw new Thrown(tooLarge(buffer, this.limit));
  }

  #refresh(): void {
    this.enforce();
    const buffer = getBuffer.call(this.#memory!);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Throws FAULT unless `length` bytes at `pointer` are inside. Both are unsigned. */
  check(pointer: number, length: number): void {
    if (pointer + length > this.bytes.length || this.bytes.length === 0) {
      this.#recheck(pointer + length);
    }
  }

  /** Looks whether the memory has grown before a pointer is called bad. */
  #recheck(end: number): void {
    if (this.#memory === undefined) throw new WasiError(Errno.FAULT);
    this.#refresh();
    if (end <= this.bytes.length) return;
    // Deno's view of a shared memory stays short if it was grown on its way to a worker, until
    // somebody grows it there, by nothing
    if (Object.prototype.toString.call(this.bytes.buffer) === "[object SharedArrayBuffer]") {
      WebAssembly.Memory.prototype.grow.call(this.#memory!, 0);
      this.#refresh();
    }
    if (end > this.bytes.length) throw new WasiError(Errno.FAULT);
  }

  /** Writes 32 bits. */
  setUint32(pointer: number, value: number): void {
    this.check(pointer, 4);
    this.view.setUint32(pointer, value, true);
  }

  /** Writes a whole number from 0 to 2 ** 53 as 64 bits. */
  setUint64(pointer: number, value: number): void {
    this.check(pointer, 8);
    this.view.setUint32(pointer, value, true);
    this.view.setUint32(pointer + 4, Math.floor(value / 0x100000000), true);
  }

  /** Copies bytes in. */
  set(pointer: number, from: Uint8Array): void {
    this.check(pointer, from.length);
    this.bytes.set(from, pointer);
  }

  /** The text at `pointer`, not yet judged as a path. Bytes that are not UTF-8: see text.ts. */
  text(pointer: number, length: number): string {
    this.check(pointer, length);
    if (length > PATH_MAX) throw new WasiError(Errno.NAMETOOLONG);
    return decode(this.bytes, pointer, pointer + length);
  }

  /**
   * The buffers of an iovec array that are not empty, as pairs of pointer and length, each read
   * once and checked, so that a guest's other threads cannot change them between.
   */
  buffers(iovs: number, count: number): number[] {
    this.check(iovs, count * Iovec.size);
    const found: number[] = [];
    const end = iovs + Math.min(count, IOV_MAX) * Iovec.size;
    for (let at = iovs; at < end; at += Iovec.size) {
      const pointer = this.view.getUint32(at + Iovec.buf, true);
      const length = this.view.getUint32(at + Iovec.buf_len, true);
      if (length === 0) continue; // Zig's empty slices point anywhere
      this.check(pointer, length);
      found.push(pointer, length);
    }
    return found;
  }
}
