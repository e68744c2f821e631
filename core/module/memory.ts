/**
 * The memory of a module: what it asks for, and how much it may have.
 *
 * @module
 */
import { invalidType, outOfRange } from "../options.ts";
import {
  HAS_MAXIMUM,
  importsIn,
  IS_SHARED,
  IS_WIDE,
  Kind,
  type Limits,
  Reader,
  Section,
  sections,
} from "./reader.ts";
import { ByteWriter } from "./writer.ts";

/** What a module begins with: its magic number and version. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** More have no addresses of 32 bits. */
const PAGES_MAX = 65536;

/** The first memory that a module imports, if there is one. The module must be a valid one. */
export function importedMemory(bytes: Uint8Array): Limits | undefined {
  const reader = new Reader(bytes);
  for (const { id } of sections(reader)) {
    if (id !== Section.IMPORT) continue;
    for (const { kind, limits } of importsIn(reader)) if (kind === Kind.MEMORY) return limits;
  }
  return undefined;
}

/** Whether a module imports a memory that is shared between threads. It must be a valid one. */
export function importsShared(bytes: Uint8Array): boolean {
  const reader = new Reader(bytes);
  for (const { id } of sections(reader)) {
    if (id !== Section.IMPORT) continue;
    for (const { kind, limits } of importsIn(reader)) {
      if (kind === Kind.MEMORY && limits!.shared) return true;
    }
  }
  return false;
}

/**
 * A module whose memory cannot grow beyond so many pages: `memory.grow` answers -1 then, which a
 * guest's allocator takes for a full memory. A memory that is larger from the start stays, and
 * cannot grow at all. Memories that are imported are whoever's who makes them.
 *
 * @param bytes a module of WebAssembly; it is not changed
 * @param pages of 64 KiB
 * @returns a changed copy
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for what is no `Uint8Array`
 * @throws {RangeError} `ERR_OUT_OF_RANGE` for pages below 0 or not whole; for bytes that are no
 * module or end early
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
  if (!(bytes instanceof Uint8Array)) {
    throw invalidType("bytes", "an instance of Uint8Array", bytes);
  }
  if (!MAGIC.every((byte, at) => bytes[at] === byte)) {
    throw new RangeError("the bytes are no module of WebAssembly");
  }
  const reader = new Reader(bytes);
  let whole: ByteWriter | undefined;
  let copied = 0;
  for (const { id, at, end } of sections(reader)) {
    if (end > bytes.length) throw new RangeError("the module ends too early");
    if (id !== Section.MEMORY) continue;
    whole ??= new ByteWriter(bytes.length + 16);
    whole.bytes(bytes, copied, at);
    whole.byte(Section.MEMORY);
    whole.block(limited(reader, pages));
    copied = end;
  }
  whole?.bytes(bytes, copied);
  return whole?.done() ?? bytes.slice();
}

/** What a section of memories becomes. */
function limited(reader: Reader, pages: number): ByteWriter {
  const section = new ByteWriter(16);
  const count = reader.number();
  section.number(count);
  for (let i = 0; i < count; i++) {
    const { flags, minimum, maximum, wide } = reader.limits();
    // a page size other than 64 KiB (a proposal) is not known here
    if ((flags & ~(HAS_MAXIMUM | IS_WIDE | IS_SHARED)) !== 0) {
      throw new RangeError(`the module's memory has flags that are not known here: ${flags}`);
    }
    section.number(flags | HAS_MAXIMUM);
    section.number(minimum);
    section.number(Math.max(minimum, Math.min(maximum, pages, wide ? Infinity : PAGES_MAX)));
  }
  return section;
}
