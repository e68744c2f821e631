/**
 * The memory that a component's values are in, and what is called for room in it.
 *
 * @module
 */
import { bufferOf } from "../preview1/memory.ts";
import { Trap } from "./trap.ts";

/** What a component exports for room in its memory. Source: `cabi_realloc`. */
export type Realloc = (old: number, oldSize: number, align: number, size: number) => number;

/** A memory with bounds checks: a bad pointer is a trap. */
export class LinearMemory {
  readonly #memory: WebAssembly.Memory;
  /** All bytes. Valid after a check, until the guest runs again. */
  bytes: Uint8Array;
  /** The same as a DataView. */
  view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    const buffer = bufferOf(memory);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Traps unless `length` bytes at `pointer` are inside; `align` is a power of two. */
  check(pointer: number, length: number, align: number): void {
    if ((pointer & (align - 1)) !== 0) throw new Trap(`a pointer that is not aligned to ${align}`);
    // a view of a memory that has grown is empty
    if (pointer + length <= this.bytes.length && this.bytes.length > 0) return;
    const buffer = bufferOf(this.#memory);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    if (pointer + length > this.bytes.length) throw new Trap("a pointer outside of memory");
  }
}

/** Where values are written: a memory, and what makes room in it. */
export interface Allocator {
  readonly memory: LinearMemory;
  /** Room for so many bytes; checked. */
  allocate(align: number, size: number): number;
}
