/**
 * The memory of a module: what it asks for, and how much it may have.
 *
 * @module
 */
import { PAGE } from "../constants.ts";
import { invalidType, outOfRange } from "../errors.ts";
import { budget, ELEMENT_SHIFT, type Spaces } from "./budget.ts";
import { imported, memoriesIn, tableLimits } from "./contents.ts";
import { Instructions } from "./instructions.ts";
import {
  HAS_MAXIMUM,
  HEADER,
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

/** What a module has that grows. Its order is not looked at. */
function spacesOf(bytes: Uint8Array): Spaces {
  const reader = new Instructions(bytes, HEADER);
  const spaces = {
    memories: [] as Limits[],
    tables: [] as Limits[],
    importedMemories: 0,
    globals: 0,
  };
  for (const { id, end } of sections(reader)) {
    if (end > bytes.length) throw new RangeError("the module ends too early");
    if (id === Section.IMPORT) {
      const { memories, tables, globals } = imported(reader);
      spaces.memories.push(...memories);
      spaces.tables.push(...tables);
      spaces.importedMemories = memories.length;
      spaces.globals += globals;
    } else if (id === Section.MEMORY) spaces.memories.push(...memoriesIn(reader));
    else if (id === Section.TABLE) spaces.tables.push(...tableLimits(reader));
    else if (id === Section.GLOBAL) spaces.globals += reader.number();
  }
  return spaces;
}

/** Pages that are taken from the start. A memory of all threads counts with the most it may have. */
function taken({ memories, tables, importedMemories }: Spaces, pages: number): number {
  let bytes = 0;
  memories.forEach(({ minimum, maximum, shared, page }, i) => {
    const most = Math.min(maximum, pages);
    bytes += (shared && i < importedMemories ? Math.max(minimum, most) : minimum) * page;
  });
  for (const { minimum } of tables) bytes += minimum * 2 ** ELEMENT_SHIFT;
  return Math.floor(bytes / PAGE);
}

/**
 * Pages that a module's memories and tables have from the start, together.
 *
 * @param bytes a valid module
 */
export function initialPages(bytes: Uint8Array): number {
  return taken(spacesOf(bytes), 0);
}

/**
 * A module whose memories and tables cannot grow beyond so many pages together: `memory.grow` and
 * `table.grow` answer -1 then, which a guest's allocator takes for a full memory. An element of a
 * table counts as 64 bytes. A memory that is larger from the start stays, and cannot grow at all.
 * Imported memories count with what they must have at least, and by what the module makes them grow;
 * one that is shared with other threads with its maximum.
 *
 * @param bytes a module of WebAssembly; it is not changed
 * @param pages of 64 KiB
 * @returns a changed copy
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` if `bytes` is not a `Uint8Array`
 * @throws {RangeError} `ERR_OUT_OF_RANGE` if `pages` is negative or not an integer; also for bytes
 * that are not a module, are truncated, or contain something unknown
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
  const spaces = spacesOf(bytes);
  const { memories, tables, importedMemories } = spaces;
  const left = Math.max(0, pages - taken(spaces, pages));
  const copy = memories.length === importedMemories ? bytes.slice() : withMaxima(bytes, left);
  // one memory that is kept within its maximum, and nothing else that grows
  const one = memories.length <= 1 && (importedMemories === 0 || memories[0]!.shared);
  if (one && tables.every(({ minimum, maximum }) => maximum <= minimum)) return copy;
  // the copy of what is no module must be none: else a guest could name what is added
  if (!WebAssembly.validate(bytes as BufferSource)) return copy;
  return budget(copy, spaces, left);
}

/** The module, each of its memories with a maximum. */
function withMaxima(bytes: Uint8Array, left: number): Uint8Array<ArrayBuffer> {
  const reader = new Reader(bytes);
  const whole = new ByteWriter(bytes.length + 16);
  let copied = 0;
  for (const { id, at, end } of sections(reader)) {
    if (id !== Section.MEMORY) continue;
    whole.bytes(bytes, copied, at);
    whole.byte(Section.MEMORY);
    whole.block(limited(reader, left));
    copied = end;
  }
  whole.bytes(bytes, copied);
  return whole.done();
}

/** What a section of memories becomes, each of which may grow by what is left. */
function limited(reader: Reader, left: number): ByteWriter {
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
    section.number(Math.min(maximum, minimum + left, wide ? Infinity : PAGES_MAX));
  }
  return section;
}
