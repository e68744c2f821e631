/**
 * A copy of a module that can be stopped from outside, for engines that cannot stop a loop: every
 * function and every loop begins with a check that counts down and calls its host now and then,
 * what takes long counts down as much as it takes, and what waits for another thread asks its host
 * to wait.
 *
 * What is added stands at the end of its kind (types, imported functions, globals, exports), so
 * that of all numbers in a module only those of functions move.
 *
 * @module
 */
import { functionNames, imported, memoriesIn, REWRITE, tableLimits, typesIn } from "./contents.ts";
import { END, Instructions } from "./instructions.ts";
import { HEADER, Kind, type Limits, Reader, Section, sections, unknown } from "./reader.ts";
import { type Checks, F64, I32, I64, type Numbers, Rewriter } from "./rewriter.ts";
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

/** What the copy exports its shared memories as, each with its number behind. */
const MEMORY = "@x/wasi.memory";

/** How to find these: the last one of a number, for the module's own exports come first. */
export const EXPORTED: RegExp = /^@x\/wasi\.memory_*(\d+)$/;

/** So much may be counted down without a call to the host: a loop or a function is 1. */
export const INTERVAL = 4096;

/** The functions that are added: their names and parameters. Each gives an i32. */
const ADDED: readonly (readonly [name: string, parameters: readonly number[]])[] = [
  ["check", []],
  ["wait32", [I32, I32, I64, F64, I32]],
  ["wait64", [I32, I64, I64, F64, I32]],
  ["wait32", [I64, I32, I64, F64, I32]],
  ["wait64", [I64, I64, I64, F64, I32]],
];

function addedTypes(added: number): ByteWriter {
  const types = new ByteWriter(64);
  for (const [, parameters] of ADDED.slice(0, added)) {
    types.byte(0x60);
    types.number(parameters.length);
    for (const parameter of parameters) types.byte(parameter);
    types.number(1);
    types.byte(I32);
  }
  return types;
}

function addedImports(added: number, firstType: number): ByteWriter {
  const imports = new ByteWriter(64);
  ADDED.slice(0, added).forEach(([name], i) => {
    imports.text(HOOKS);
    imports.text(name);
    imports.byte(Kind.FUNCTION);
    imports.number(firstType + i);
  });
  return imports;
}

/** `(global (mut i32) (i32.const 0))`, twice: the first check calls. */
function addedGlobals(): ByteWriter {
  const globals = new ByteWriter(16);
  for (let i = 0; i < 2; i++) {
    for (const byte of [I32, 1, 0x41, 0, END]) globals.byte(byte);
  }
  return globals;
}

/** The names that a section of exports has. */
function namesOf(reader: Reader | undefined): string[] {
  const names: string[] = [];
  for (let count = reader?.number() ?? 0; count > 0; count--) {
    const length = reader!.number();
    names.push(new TextDecoder().decode(reader!.bytes.subarray(reader!.at, reader!.at += length)));
    reader!.at++;
    reader!.number();
  }
  return names;
}

/**
 * The memories that a copy exports for its waits, by their numbers.
 *
 * @param given the exports of an instance of a copy that {@linkcode instrument} has made
 */
export function waitedMemories(given: WebAssembly.Exports): WebAssembly.Memory[] {
  const memories: WebAssembly.Memory[] = [];
  // the module's own come first
  for (const [name, value] of Object.entries(given)) {
    const number = EXPORTED.exec(name)?.[1];
    if (number === undefined || !(value instanceof WebAssembly.Memory)) continue;
    memories[Number(number)] = value;
  }
  return memories;
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

/** What is added to a section. */
interface More {
  count: number;
  content: ByteWriter;
}

/** Writes the copy, section by section. */
class Copy {
  readonly #bytes: Uint8Array;
  readonly #places: ReadonlyMap<number, Place>;
  readonly #out: ByteWriter;
  readonly #more: Readonly<Record<number, More | undefined>>;
  readonly #numbers: Numbers;

  constructor(bytes: Uint8Array, places: ReadonlyMap<number, Place>, checks: Checks) {
    this.#bytes = bytes;
    this.#places = places;
    this.#out = new ByteWriter(bytes.length + (bytes.length >> 2) + 1024);
    const types = this.#at(Section.TYPE);
    const firstType = types === undefined ? 0 : typesIn(types);
    const { functions, globals, memories, tables } = imported(this.#at(Section.IMPORT));
    memories.push(...memoriesIn(this.#at(Section.MEMORY)));
    const shared = memories.filter(({ shared }) => shared);
    const added = shared.some(({ wide }) => wide) ? 5 : shared.length > 0 ? 3 : 1;
    this.#numbers = {
      firstMoved: functions,
      added,
      global: globals + (this.#at(Section.GLOBAL)?.number() ?? 0),
      memories,
      checks,
      wide: [...memories, ...tables, ...tableLimits(this.#at(Section.TABLE))]
        .some(({ wide }) => wide),
      hosted: tables.length > 0,
    };
    this.#more = {
      [Section.TYPE]: { count: added, content: addedTypes(added) },
      [Section.IMPORT]: { count: added, content: addedImports(added, firstType) },
      [Section.GLOBAL]: { count: 2, content: addedGlobals() },
      [Section.EXPORT]: this.#memories(memories),
    };
  }

  #at(id: number): Instructions | undefined {
    const place = this.#places.get(id);
    return place && new Instructions(this.#bytes, place.start);
  }

  /** Exports of the shared memories, under names that the module does not have. */
  #memories(memories: readonly Limits[]): More {
    const content = new ByteWriter(64);
    let count = 0;
    let prefix: string | undefined;
    memories.forEach(({ shared }, i) => {
      if (!shared) return;
      if (prefix === undefined) {
        prefix = MEMORY;
        const names = namesOf(this.#at(Section.EXPORT));
        while (names.some((name) => name.startsWith(prefix!))) prefix += "_";
      }
      content.text(prefix + i);
      content.byte(Kind.MEMORY);
      content.number(i);
      count++;
    });
    return { count, content };
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
    const more = this.#more[id];
    const place = this.#places.get(id);
    if (place === undefined && (more === undefined || more.count === 0)) return;
    const { start, end } = place ?? { start: 0, end: 0 };
    const content = new ByteWriter(end - start + 1024);
    const rewriter = new Rewriter(this.#bytes, start, content, this.#numbers);
    if (more !== undefined) {
      content.number((place === undefined ? 0 : rewriter.reader.number()) + more.count);
      rewriter.restart(rewriter.reader.at);
    }
    if (place !== undefined) {
      REWRITE[id]?.(rewriter, end);
      rewriter.flush(end);
    }
    if (more !== undefined) content.bytes(more.content.done(), 0);
    this.#out.byte(id);
    this.#out.block(content);
  }
}

/**
 * Puts checks into a copy of a module. It imports `check` from {@linkcode HOOKS} then, a function
 * that is called once in at most {@linkcode INTERVAL} loops or functions, or what takes as long, and
 * answers how many may go by until the next call; what it throws ends the guest. If it has shared
 * memories, also `wait32` and `wait64`, which stand for `memory.atomic.wait32` and `64` and get the
 * offset and the memory's number last; {@linkcode waitedMemories} finds these memories.
 *
 * Bytes that are no valid module come back as they are, so that the copy is no more valid than they:
 * else a guest could name what is added, and set the countdown itself.
 *
 * @param valid whether the bytes are known to be a valid module
 * @throws {RangeError} for what is not known here
 */
export function instrument(
  bytes: Uint8Array,
  checks: Checks,
  valid: boolean = WebAssembly.validate(bytes as BufferSource),
): Uint8Array<ArrayBuffer> {
  if (!valid) return bytes.slice();
  const { places, names } = placesOf(bytes);
  return new Copy(bytes, places, checks).whole(names);
}
