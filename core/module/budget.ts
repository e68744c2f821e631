/**
 * A copy of a module that has one budget for all its memories and tables: instructions that make one
 * grow look whether so much is left, and answer -1 if it is not.
 *
 * What is added are globals, at the end of theirs, so that no number in the module changes.
 *
 * @module
 */
import { END, Instructions } from "./instructions.ts";
import { HEADER, Kind, type Limits, Reader, Section, sections } from "./reader.ts";
import { ByteWriter } from "./writer.ts";

/** A page of memory as a power of 2. */
const PAGE_SHIFT = 16;
/**
 * What an element of a table takes, likewise: 9 to 24 bytes were measured in V8, 16 to 75 in
 * JavaScriptCore.
 */
export const ELEMENT_SHIFT = 6;

const [I32, I64] = [0x7f, 0x7e];

/** The sections that may stand before that of the globals. */
const BEFORE: readonly number[] = [
  Section.TYPE,
  Section.IMPORT,
  Section.FUNCTION,
  Section.TABLE,
  Section.MEMORY,
  Section.TAG,
];

/** What a module has that grows. */
export interface Spaces {
  /** imported ones first */
  readonly memories: readonly Limits[];
  readonly tables: readonly Limits[];
  /** how many memories are imported */
  readonly importedMemories: number;
  /** all globals */
  readonly globals: number;
}

/** Writes what makes something grow, or does not. */
class Growth {
  readonly #out: ByteWriter;
  readonly #left: number;

  /** @param left the global with what is left, in bytes; after it come three for parameters */
  constructor(out: ByteWriter, left: number) {
    this.#out = out;
    this.#left = left;
  }

  #set(global: number): void {
    this.#out.byte(0x24);
    this.#out.number(global);
  }

  #get(global: number): void {
    this.#out.byte(0x23);
    this.#out.number(global);
  }

  /** How much it is to grow by, with 64 bits. */
  #by(by: number, wide: boolean): void {
    this.#get(by);
    if (!wide) this.#out.byte(0xad);
  }

  #constant(wide: boolean, value: number): void {
    this.#out.byte(wide ? 0x42 : 0x41);
    this.#out.signed(value);
  }

  /** The instruction, with how much it is to grow by on the stack: more than is left becomes -1. */
  write(bytes: Uint8Array, start: number, end: number, wide: boolean, shift: number): void {
    const out = this.#out;
    const left = this.#left;
    const by = wide ? left + 1 : left + 2;
    this.#set(by);
    this.#get(by);
    this.#constant(wide, -1);
    this.#by(by, wide);
    this.#get(left);
    this.#constant(true, shift);
    out.byte(0x88); // i64.shr_u
    out.byte(0x58); // i64.le_u
    out.byte(0x1b); // select
    out.bytes(bytes, start, end);
    // the answer is kept where there is room for both widths
    if (!wide) out.byte(0xac);
    this.#set(left + 3);
    this.#get(left);
    this.#constant(true, 0);
    this.#by(by, wide);
    this.#constant(true, shift);
    out.byte(0x86); // i64.shl
    this.#get(left + 3);
    this.#constant(true, -1);
    out.byte(0x51); // i64.eq
    out.byte(0x1b);
    out.byte(0x7d); // i64.sub
    this.#set(left);
    this.#get(left + 3);
    if (!wide) out.byte(0xa7);
  }
}

/** What is left, two parameters of either width, an answer. */
function writeGlobals(to: ByteWriter, left: number): void {
  for (const [type, value] of [[I64, left], [I64, 0], [I32, 0], [I64, 0]] as const) {
    to.byte(type);
    to.byte(1);
    to.byte(type === I64 ? 0x42 : 0x41);
    to.wideSigned(value);
    to.byte(END);
  }
}

function writeCode(to: ByteWriter, reader: Instructions, spaces: Spaces): void {
  const { memories, tables, globals, importedMemories } = spaces;
  const { bytes } = reader;
  const count = reader.number();
  to.number(count);
  const body = new ByteWriter(65536);
  const growth = new Growth(body, globals);
  for (let i = 0; i < count; i++) {
    const end = reader.number() + reader.at;
    body.clear();
    let copied = reader.at;
    for (let groups = reader.number(); groups > 0; groups--) {
      reader.number();
      reader.passType();
    }
    while (reader.at < end) {
      const start = reader.at;
      reader.next();
      if (reader.grows < 0) continue;
      const memory = reader.grows === Kind.MEMORY;
      const space = (memory ? memories : tables)[reader.memory]!;
      // one that all threads have is counted as a whole
      if (memory && space.shared && reader.memory < importedMemories) continue;
      body.bytes(bytes, copied, start);
      growth.write(bytes, start, reader.at, space.wide, memory ? PAGE_SHIFT : ELEMENT_SHIFT);
      copied = reader.at;
    }
    body.bytes(bytes, copied, end);
    to.block(body);
  }
}

/**
 * Gives a module one budget.
 *
 * @param bytes a valid module
 * @param left pages that its memories and tables may grow by together
 */
export function budget(
  bytes: Uint8Array,
  spaces: Spaces,
  left: number,
): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter(bytes.length + 4096);
  out.bytes(bytes, 0, HEADER);
  let globals = false;
  const write = (more: (to: ByteWriter) => void): void => {
    const content = new ByteWriter(1024);
    more(content);
    out.byte(Section.GLOBAL);
    out.block(content);
    globals = true;
  };
  const added = (to: ByteWriter): void =>
    writeGlobals(to, Math.min(left * 2 ** PAGE_SHIFT, Number.MAX_SAFE_INTEGER));
  const reader = new Reader(bytes);
  for (const { id, at, start, end } of sections(reader)) {
    if (id === Section.GLOBAL) {
      write((to) => {
        to.number(reader.number() + 4);
        to.bytes(bytes, reader.at, end);
        added(to);
      });
      continue;
    }
    if (!globals && id !== Section.CUSTOM && !BEFORE.includes(id)) {
      write((to) => {
        to.number(4);
        added(to);
      });
    }
    if (id !== Section.CODE) out.bytes(bytes, at, end);
    else {
      const content = new ByteWriter(end - start + 1024);
      writeCode(content, new Instructions(bytes, start), spaces);
      out.byte(Section.CODE);
      out.block(content);
    }
  }
  return out.done();
}
