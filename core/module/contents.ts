/**
 * What the sections of a module have in them, and what of it changes when functions move.
 *
 * @module
 */
import type { Instructions } from "./instructions.ts";
import { importsIn, Kind, type Limits, type Reader, Section, unknown } from "./reader.ts";
import { misread, type Rewriter } from "./rewriter.ts";
import { ByteWriter } from "./writer.ts";

/** How many types a section has; each member of a group is one. */
export function typesIn(reader: Reader): number {
  let types = 0;
  for (let groups = reader.number(); groups > 0; groups--) {
    let members = 1;
    if (reader.bytes[reader.at] === 0x4e) {
      reader.at++;
      members = reader.number();
    }
    types += members;
    for (; members > 0; members--) passType(reader);
  }
  return types;
}

function passType(reader: Reader): void {
  let start = reader.at;
  let form = reader.byte();
  if (form === 0x50 || form === 0x4f) { // with supertypes
    for (let count = reader.number(); count > 0; count--) reader.number();
    start = reader.at;
    form = reader.byte();
  }
  if (form === 0x60) {
    passTypes(reader);
    passTypes(reader);
  } else if (form === 0x5f) {
    for (let count = reader.number(); count > 0; count--) reader.passField();
  } else if (form === 0x5e) reader.passField();
  else unknown(`a type 0x${form.toString(16)}`, start);
}

function passTypes(reader: Reader): void {
  for (let count = reader.number(); count > 0; count--) reader.passType();
}

/** What a module imports, as far as it matters here. */
interface Imported {
  functions: number;
  globals: number;
  memories: Limits[];
  tables: Limits[];
}

export function imported(reader: Reader | undefined): Imported {
  const found: Imported = { functions: 0, globals: 0, memories: [], tables: [] };
  if (reader === undefined) return found;
  for (const { kind, limits } of importsIn(reader)) {
    if (kind === Kind.FUNCTION) found.functions++;
    else if (kind === Kind.GLOBAL) found.globals++;
    else if (kind === Kind.MEMORY) found.memories.push(limits!);
    else if (kind === Kind.TABLE) found.tables.push(limits!);
  }
  return found;
}

/** What a section of memories has. */
export function memoriesIn(reader: Reader | undefined): Limits[] {
  const memories: Limits[] = [];
  for (let count = reader?.number() ?? 0; count > 0; count--) memories.push(reader!.limits());
  return memories;
}

/** What a section of tables has. */
export function tableLimits(reader: Instructions | undefined): Limits[] {
  const tables: Limits[] = [];
  if (reader === undefined) return tables;
  for (const { limits, initialised } of tablesIn(reader)) {
    tables.push(limits);
    if (initialised) reader.passConstant();
  }
  return tables;
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

/** Exports, of which the count is passed already. */
function exported(rewriter: Rewriter, end: number): void {
  const { reader } = rewriter;
  while (reader.at < end) {
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

/** The functions. */
export function code(rewriter: Rewriter): void {
  const { reader, out } = rewriter;
  const count = reader.number();
  rewriter.flush();
  const body = new ByteWriter(65536);
  const inner = rewriter.into(body);
  for (let i = 0; i < count; i++) {
    const end = reader.number() + reader.at;
    body.clear();
    inner.restart(reader.at);
    inner.body(end);
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
  [Section.CODE]: code,
  [Section.DATA]: data,
};
