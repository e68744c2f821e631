/**
 * What the sections of a module have in them, and what of it changes when functions move.
 *
 * @module
 */
import type { Instructions } from "./instructions.ts";
import { importsIn, Kind, type Limits, type Reader, Section, unknown } from "./reader.ts";
import { misread, type Rewriter } from "./rewriter.ts";
import { ByteWriter } from "./writer.ts";

/** How many parameters the types of a section have; each member of a group is one. */
export function parametersOf(reader: Reader): number[] {
  const types: number[] = [];
  for (let groups = reader.number(); groups > 0; groups--) {
    let members = 1;
    if (reader.bytes[reader.at] === 0x4e) {
      reader.at++;
      members = reader.number();
    }
    for (; members > 0; members--) types.push(passType(reader));
  }
  return types;
}

/** Passes over a type; returns how many parameters it has. */
function passType(reader: Reader): number {
  let start = reader.at;
  let form = reader.byte();
  if (form === 0x50 || form === 0x4f) { // with supertypes
    for (let count = reader.number(); count > 0; count--) reader.number();
    start = reader.at;
    form = reader.byte();
  }
  if (form === 0x60) {
    const parameters = passTypes(reader);
    passTypes(reader);
    return parameters;
  }
  if (form === 0x5f) {
    for (let count = reader.number(); count > 0; count--) reader.passField();
  } else if (form === 0x5e) reader.passField();
  else unknown(`a type 0x${form.toString(16)}`, start);
  return 0;
}

/** Passes over a list of types; returns how many. */
function passTypes(reader: Reader): number {
  const count = reader.number();
  for (let i = 0; i < count; i++) reader.passType();
  return count;
}

/** How many things of a kind a module imports, as far as it matters here. */
interface Imported {
  functions: number;
  globals: number;
  /** the first memory */
  memory: Limits | undefined;
  /** whether a memory or a table has addresses of 64 bits */
  wide: boolean;
}

export function imported(reader: Reader | undefined): Imported {
  const found: Imported = { functions: 0, globals: 0, memory: undefined, wide: false };
  if (reader === undefined) return found;
  for (const { kind, limits } of importsIn(reader)) {
    if (kind === Kind.FUNCTION) found.functions++;
    else if (kind === Kind.GLOBAL) found.globals++;
    else if (kind === Kind.MEMORY) found.memory ??= limits;
    if (limits?.wide) found.wide = true;
  }
  return found;
}

/** Whether a section of memories has one with addresses of 64 bits. */
export function anyWideMemory(reader: Reader): boolean {
  let wide = false;
  for (let count = reader.number(); count > 0; count--) wide = reader.limits().wide || wide;
  return wide;
}

/** Whether a section of tables has one with addresses of 64 bits. */
export function anyWideTable(reader: Instructions): boolean {
  let wide = false;
  for (const { limits, initialised } of tablesIn(reader)) {
    wide ||= limits.wide;
    if (initialised) reader.passConstant();
  }
  return wide;
}

/** A table, and whether an expression for what is in it comes now. */
interface Table {
  limits: Limits;
  initialised: boolean;
}

function* tablesIn(reader: Reader): Generator<Table> {
  for (let count = reader.number(); count > 0; count--) {
    const initialised = reader.bytes[reader.at] === 0x40;
    if (initialised) reader.at += 2;
    reader.passType();
    yield { limits: reader.limits(), initialised };
  }
}

/** The segments of tables, with numbers of functions or with expressions. */
function elements(rewriter: Rewriter): void {
  const { reader } = rewriter;
  for (let count = reader.number(); count > 0; count--) {
    const start = reader.at;
    const flags = reader.number();
    if (flags > 7) unknown(`a segment of kind ${flags}`, start);
    if ((flags & 1) === 0) {
      if ((flags & 2) !== 0) reader.number();
      rewriter.constant();
    }
    const expressions = (flags & 4) !== 0;
    if ((flags & 3) !== 0) {
      if (expressions) reader.passType();
      else reader.byte();
    }
    for (let items = reader.number(); items > 0; items--) {
      if (expressions) rewriter.constant();
      else rewriter.functionNumber();
    }
  }
}

function tables(rewriter: Rewriter): void {
  for (const { initialised } of tablesIn(rewriter.reader)) {
    if (initialised) rewriter.constant();
  }
}

/** Initial values, of which the count is passed already. */
function globals(rewriter: Rewriter, end: number): void {
  while (rewriter.reader.at < end) {
    rewriter.reader.passField();
    rewriter.constant();
  }
}

function exported(rewriter: Rewriter): void {
  const { reader } = rewriter;
  for (let count = reader.number(); count > 0; count--) {
    reader.passBytes();
    if (reader.byte() === Kind.FUNCTION) rewriter.functionNumber();
    else reader.number();
  }
}

function data(rewriter: Rewriter): void {
  const { reader } = rewriter;
  for (let count = reader.number(); count > 0; count--) {
    const flags = reader.number();
    if (flags === 2) reader.number();
    if (flags !== 1) rewriter.constant();
    reader.passBytes();
  }
}

/** The names of functions, which moved with them. Other kinds of names are left out. */
export function functionNames(rewriter: Rewriter, end: number): void {
  const { reader, out } = rewriter;
  while (reader.at < end) {
    const kind = reader.byte();
    const until = reader.number() + reader.at;
    if (!(until <= end)) misread(reader.at);
    if (kind === 1) {
      const part = new ByteWriter(until - reader.at + 1024);
      const inner = rewriter.into(part);
      for (let count = inner.reader.number(); count > 0; count--) {
        inner.functionNumber();
        inner.reader.passBytes();
      }
      inner.flush(until);
      out.byte(1);
      out.block(part);
    }
    reader.at = until;
  }
}

/** The functions; `parameters` has how many each takes. */
export function code(rewriter: Rewriter, parameters: readonly number[]): void {
  const { reader, out } = rewriter;
  const count = reader.number();
  rewriter.flush();
  const body = new ByteWriter(65536);
  const inner = rewriter.into(body);
  for (let i = 0; i < count; i++) {
    const end = reader.number() + reader.at;
    body.clear();
    inner.restart(reader.at);
    inner.body(end, parameters[i] ?? 0);
    out.block(body);
    rewriter.restart(end);
  }
}

/** What rewrites the sections that hold numbers of functions. */
export const REWRITE: Readonly<Record<number, (rewriter: Rewriter, end: number) => void>> = {
  [Section.GLOBAL]: globals,
  [Section.TABLE]: tables,
  [Section.EXPORT]: exported,
  [Section.START]: (rewriter) => rewriter.functionNumber(),
  [Section.ELEMENT]: elements,
  [Section.DATA]: data,
};
