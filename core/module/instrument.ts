/**
 * A copy of a module that can be ended from outside, for engines that cannot end a loop: every
 * function and every loop begins with a check that counts down and calls its host now and then,
 * and what waits for another thread asks its host to wait.
 *
 * What is added stands at the end of its kind (one type, some imported functions, one global), so
 * that of all numbers in a module only those of functions move.
 *
 * @module
 */
import {
  anyWideMemory,
  anyWideTable,
  code,
  functionNames,
  imported,
  parametersOf,
  REWRITE,
} from "./contents.ts";
import { END, Instructions } from "./instructions.ts";
import { HEADER, Kind, Reader, Section, sections, unknown } from "./reader.ts";
import { type Checks, I32, I64, type Numbers, Rewriter } from "./rewriter.ts";
import { ByteWriter } from "./writer.ts";

export type { Checks } from "./rewriter.ts";

/** Sections in the order that they must have. */
const ORDER: readonly number[] = [
  Section.TYPE,
  Section.IMPORT,
  Section.FUNCTION,
  Section.TABLE,
  Section.MEMORY,
  Section.TAG,
  Section.GLOBAL,
  Section.EXPORT,
  Section.START,
  Section.ELEMENT,
  Section.DATA_COUNT,
  Section.CODE,
  Section.DATA,
];

/** Where the added functions are imported from. */
export const HOOKS = "@x/wasi";

/** Checks go by without a call to the host, so many at most. */
export const INTERVAL = 4096;

/** The types of the functions that are added: of the check, of the two waits. */
function addedTypes(waits: boolean): ByteWriter {
  const types = new ByteWriter(64);
  const type = (parameters: number[]): void => {
    types.byte(0x60);
    types.number(parameters.length);
    for (const parameter of parameters) types.byte(parameter);
    types.number(1);
    types.byte(I32);
  };
  type([]);
  if (waits) {
    type([I32, I32, I64, I32]);
    type([I32, I64, I64, I32]);
  }
  return types;
}

const NAMES: readonly string[] = ["check", "wait32", "wait64"];

function addedImports(added: number, firstType: number): ByteWriter {
  const imports = new ByteWriter(64);
  for (let i = 0; i < added; i++) {
    imports.text(HOOKS);
    imports.text(NAMES[i]!);
    imports.byte(Kind.FUNCTION);
    imports.number(firstType + i);
  }
  return imports;
}

/** `(global (mut i32) (i32.const 0))`: the first check calls. */
function addedGlobal(): ByteWriter {
  const global = new ByteWriter(8);
  for (const byte of [I32, 1, 0x41, 0, END]) global.byte(byte);
  return global;
}

/** Where a section's content begins and ends. */
interface Place {
  start: number;
  end: number;
}

/** The sections by their number. Of custom ones the names of functions are kept. */
function placesOf(bytes: Uint8Array): { places: Map<number, Place>; names: Place | undefined } {
  const places = new Map<number, Place>();
  let nameSection: Place | undefined;
  const reader = new Reader(bytes);
  for (const { id, at, start, end } of sections(reader)) {
    if (id === Section.CUSTOM) {
      const length = reader.number();
      const name = String.fromCharCode(
        ...bytes.subarray(reader.at, reader.at + Math.min(length, 8)),
      );
      if (length === 4 && name === "name") nameSection ??= { start: reader.at + 4, end };
    } else if (!ORDER.includes(id)) unknown(`a section of kind ${id}`, at);
    else places.set(id, { start, end });
  }
  return { places, names: nameSection };
}

/** Writes the copy, section by section. */
class Copy {
  readonly #bytes: Uint8Array;
  readonly #places: ReadonlyMap<number, Place>;
  readonly #out: ByteWriter;
  readonly #types: number;
  /** of each function that the module itself has */
  readonly #parameters: readonly number[];
  readonly #numbers: Numbers;

  constructor(bytes: Uint8Array, places: ReadonlyMap<number, Place>, checks: Checks) {
    this.#bytes = bytes;
    this.#places = places;
    this.#out = new ByteWriter(bytes.length + (bytes.length >> 2) + 1024);
    const types = this.#at(Section.TYPE);
    const parameters = types === undefined ? [] : parametersOf(types);
    this.#types = parameters.length;
    const defined = this.#at(Section.FUNCTION);
    this.#parameters = defined === undefined
      ? []
      : Array.from({ length: defined.number() }, () => parameters[defined.number()] ?? 0);
    const { functions, globals, memory, wide } = imported(this.#at(Section.IMPORT));
    const memories = this.#at(Section.MEMORY);
    const tables = this.#at(Section.TABLE);
    const waits = memory !== undefined && memory.shared && !memory.wide;
    this.#numbers = {
      firstMoved: functions,
      added: waits ? 3 : 1,
      global: globals + (this.#at(Section.GLOBAL)?.number() ?? 0),
      waits,
      checks,
      wide: wide || (memories !== undefined && anyWideMemory(memories)) ||
        (tables !== undefined && anyWideTable(tables)),
    };
  }

  #at(id: number): Instructions | undefined {
    const place = this.#places.get(id);
    return place && new Instructions(this.#bytes, place.start);
  }

  whole(names: Place | undefined): Uint8Array<ArrayBuffer> {
    this.#out.bytes(this.#bytes, 0, HEADER);
    for (const id of ORDER) this.#section(id);
    if (names !== undefined) this.#names(names);
    return this.#out.done();
  }

  /** Names that are malformed are no fault of the module: it has none then. */
  #names({ start, end }: Place): void {
    const content = new ByteWriter(end - start + 1024);
    content.text("name");
    try {
      functionNames(new Rewriter(this.#bytes, start, content, this.#numbers), end);
    } catch (error) {
      if (error instanceof RangeError) return;
      throw error;
    }
    this.#out.byte(Section.CUSTOM);
    this.#out.block(content);
  }

  #section(id: number): void {
    const { added, waits } = this.#numbers;
    const more = id === Section.TYPE
      ? addedTypes(waits)
      : id === Section.IMPORT
      ? addedImports(added, this.#types)
      : id === Section.GLOBAL
      ? addedGlobal()
      : undefined;
    const place = this.#places.get(id);
    if (place === undefined && more === undefined) return;
    const { start, end } = place ?? { start: 0, end: 0 };
    const content = new ByteWriter(end - start + 1024);
    const rewriter = new Rewriter(this.#bytes, start, content, this.#numbers);
    if (more !== undefined) {
      const before = place === undefined ? 0 : rewriter.reader.number();
      content.number(before + (id === Section.GLOBAL ? 1 : added));
      rewriter.restart(rewriter.reader.at);
    }
    if (place !== undefined) {
      if (id === Section.CODE) code(rewriter, this.#parameters);
      else REWRITE[id]?.(rewriter, end);
      rewriter.flush(end);
    }
    if (more !== undefined) content.bytes(more.done(), 0);
    this.#out.byte(id);
    this.#out.block(content);
  }
}

/**
 * Puts checks into a copy of a module. It imports `check` from {@linkcode HOOKS} then, a function
 * that is called once in at most {@linkcode INTERVAL} loops or functions and answers how many may
 * go by until the next call; what it throws ends the guest. If it imports a shared memory, also
 * `wait32` and `wait64`, which stand for `memory.atomic.wait32` and `64` and get the offset last.
 *
 * Bytes that are no valid module come back as they are, so that the copy is no more valid than they:
 * else a guest could name what is added, and set the countdown itself.
 *
 * @throws {RangeError} for what is not known here
 */
export function instrument(bytes: Uint8Array, checks: Checks): Uint8Array<ArrayBuffer> {
  if (!WebAssembly.validate(bytes as BufferSource)) return bytes.slice();
  const { places, names } = placesOf(bytes);
  return new Copy(bytes, places, checks).whole(names);
}
