/**
 * Looking into a module of WebAssembly, and changing one number in it.
 *
 * @module
 */
import { outOfRange } from "./options.ts";

const MEMORY_SECTION = 5;
/** Limits have a maximum. */
const HAS_MAXIMUM = 1;
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
    if ((flags & ~(HAS_MAXIMUM | IS_64 | 2)) !== 0) {
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
