/**
 * Looking into a module of WebAssembly, and changing one number in it.
 *
 * @module
 */
import { outOfRange } from "./options.ts";

const IMPORT_SECTION = 2;
const MEMORY_SECTION = 5;
/** Kinds of imports. */
const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;
const GLOBAL = 3;
const TAG = 4;
/** Limits have a maximum. */
const HAS_MAXIMUM = 1;
/** It can be shared between threads. */
const IS_SHARED = 2;
/** Addresses have 64 bits. */
const IS_64 = 4;
const HEADER = 8;

/** Reads a module's bytes from a position on. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new RangeError("the module ends too early");
    return this.bytes[this.at++]!;
  }

  /** Passes over so many bytes. */
  pass(count: number): void {
    this.at += count;
  }

  /** Passes over a heap type, a block type or a value type. */
  type(): void {
    const byte = this.bytes[this.at]!;
    if (byte === 0x63 || byte === 0x64) this.at++; // (ref null? ...)
    if (this.bytes[this.at] === 0x65) this.at++; // shared
    while (this.byte() >= 128);
  }

  /** An unsigned LEB128 below 2 ** 53. */
  number(): number {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }
}

/** A memory as a module asks for it. Sizes are pages of 64 KiB. */
export interface MemoryType {
  minimum: number;
  /** Infinity for none */
  maximum: number;
  shared: boolean;
  /** whether its addresses have 64 bits */
  wide: boolean;
}

function memoryType(reader: Reader): MemoryType {
  const flags = reader.number();
  const minimum = reader.number();
  const maximum = (flags & HAS_MAXIMUM) !== 0 ? reader.number() : Infinity;
  if ((flags & 8) !== 0) reader.number(); // a page size of its own
  return { minimum, maximum, shared: (flags & IS_SHARED) !== 0, wide: (flags & IS_64) !== 0 };
}

/** The first memory that a module imports, if there is one. The module must be a valid one. */
export function importedMemory(bytes: Uint8Array): MemoryType | undefined {
  const reader = new Reader(bytes, HEADER);
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const end = reader.number() + reader.at;
    if (id === IMPORT_SECTION) {
      for (let count = reader.number(); count > 0; count--) {
        reader.pass(reader.number());
        reader.pass(reader.number());
        const kind = reader.byte();
        if (kind === MEMORY) return memoryType(reader);
        if (kind === FUNCTION) reader.number();
        else if (kind === TABLE) {
          reader.type();
          memoryType(reader);
        } else if (kind === GLOBAL) {
          reader.type();
          reader.byte();
        } else if (kind === TAG) {
          reader.byte();
          reader.number();
        } else return undefined; // a kind that is not known here
      }
    }
    reader.at = end;
  }
  return undefined;
}

/** A number as LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push(value % 128 + (rest > 0 ? 128 : 0));
    value = rest;
  } while (value > 0);
  return bytes;
}

/**
 * A module whose memory cannot grow beyond so many pages: `memory.grow` answers -1 then, which a
 * guest's allocator takes for a full memory. A memory that is larger from the start stays, and
 * cannot grow at all. Memories that are imported are whoever's who makes them.
 *
 * @param bytes a module of WebAssembly; it is not changed
 * @param pages of 64 KiB
 * @returns a changed copy
 * @throws {RangeError} `ERR_OUT_OF_RANGE` for pages below 0 or not whole; for bytes that end early
 *
 * @example
 * ```ts
 * import { limitMemory } from "@x/wasi";
 * // (module (memory 1))
 * const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1]);
 * console.assert(limitMemory(bytes, 16).length === 14);
 * ```
 */
export function limitMemory(bytes: Uint8Array, pages: number): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(pages)) throw outOfRange("pages", "an integer", pages);
  if (pages < 0) throw outOfRange("pages", ">= 0", pages);
  const reader = new Reader(bytes, HEADER);
  while (reader.at < bytes.length) {
    const start = reader.at;
    const id = reader.byte();
    const length = reader.number();
    const end = reader.at + length;
    if (id === MEMORY_SECTION) {
      const section = limitedSection(reader, pages);
      return join(
        bytes.subarray(0, start),
        [MEMORY_SECTION, ...leb(section.length), ...section],
        bytes.subarray(end),
      );
    }
    reader.at = end;
  }
  return bytes.slice();
}

function limitedSection(reader: Reader, pages: number): number[] {
  const count = reader.number();
  const section = leb(count);
  for (let i = 0; i < count; i++) {
    const flags = reader.byte();
    const minimum = reader.number();
    const maximum = (flags & HAS_MAXIMUM) !== 0 ? reader.number() : Infinity;
    // a page size other than 64 KiB (a proposal) is not known here: bit 3
    if ((flags & ~(HAS_MAXIMUM | IS_64 | IS_SHARED)) !== 0) {
      throw new RangeError(`the module's memory has flags that are not known here: ${flags}`);
    }
    const limit = Math.max(minimum, Math.min(maximum, pages));
    section.push(flags | HAS_MAXIMUM, ...leb(minimum), ...leb(limit));
  }
  return section;
}

function join(...parts: (Uint8Array | number[])[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
