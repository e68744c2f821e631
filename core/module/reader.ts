/**
 * The binary form of a module of WebAssembly, as far as all who look into one need it.
 *
 * Source: https://webassembly.github.io/spec/core/binary/modules.html, and the proposals for
 * threads, memories of 64 bits, garbage collection and page sizes.
 *
 * @module
 */
import { PAGE } from "../constants.ts";

/** Bytes before the first section. */
export const HEADER = 8;

/** Numbers of sections. */
export const Section = {
  CUSTOM: 0,
  TYPE: 1,
  IMPORT: 2,
  FUNCTION: 3,
  TABLE: 4,
  MEMORY: 5,
  GLOBAL: 6,
  EXPORT: 7,
  START: 8,
  ELEMENT: 9,
  CODE: 10,
  DATA: 11,
  DATA_COUNT: 12,
  TAG: 13,
} as const;

/** Kinds of imports and exports. */
export const Kind = { FUNCTION: 0, TABLE: 1, MEMORY: 2, GLOBAL: 3, TAG: 4 } as const;

/** Flags of limits: there is a maximum. */
export const HAS_MAXIMUM = 1;
/** It can be shared between threads. */
export const IS_SHARED = 2;
/** Addresses have 64 bits. */
export const IS_WIDE = 4;
/** Pages have a size of their own. */
const HAS_PAGE_SIZE = 8;

/** A memory or a table as a module asks for it. Sizes are pages, or elements. */
export interface Limits {
  flags: number;
  minimum: number;
  /** Infinity for none */
  maximum: number;
  shared: boolean;
  /** whether its addresses have 64 bits */
  wide: boolean;
  /** bytes of a page */
  page: number;
}

/** A module has something that is not known here. */
export function unknown(what: string, at: number): never {
  throw new RangeError(`the module has ${what} at byte ${at}, which is not known here`);
}

/** Reads a module's bytes from a position on. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number = HEADER) {
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

  /** A signed LEB128 of 32 bits. */
  signed(): number {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte >= 128) continue;
      return shift < 28 && (byte & 64) !== 0 ? value | (-1 << (shift + 7)) : value;
    }
  }

  /** Passes over bytes that have their length before them, such as a name. */
  passBytes(): void {
    const length = this.number();
    this.at += length;
  }

  /** Passes over a heap type, a block type or a value type. */
  passType(): void {
    const byte = this.bytes[this.at]!;
    if (byte === 0x63 || byte === 0x64) this.at++; // (ref null? ...)
    if (this.bytes[this.at] === 0x65) this.at++; // shared
    while (this.byte() >= 128);
  }

  /** Passes over the type of a field or of a global. */
  passField(): void {
    this.passType();
    this.byte(); // whether it can be changed
  }

  limits(): Limits {
    const flags = this.number();
    const minimum = this.number();
    const maximum = (flags & HAS_MAXIMUM) !== 0 ? this.number() : Infinity;
    const page = (flags & HAS_PAGE_SIZE) !== 0 ? 2 ** this.number() : PAGE;
    const [shared, wide] = [(flags & IS_SHARED) !== 0, (flags & IS_WIDE) !== 0];
    return { flags, minimum, maximum, shared, wide, page };
  }
}

/** Where a section is. */
export interface SectionPlace {
  id: number;
  /** its first byte, which is its number */
  at: number;
  /** its content */
  start: number;
  end: number;
}

/**
 * Goes over the sections of a module. The reader stands where the content of each begins.
 *
 * @param last the highest number that a section may have
 */
export function* sections(reader: Reader, last = 255): Generator<SectionPlace> {
  reader.at = HEADER;
  while (reader.at < reader.bytes.length) {
    const at = reader.at;
    const id = reader.byte();
    if (id > last) throw new RangeError(`${id} is not a section`);
    const length = reader.number();
    const start = reader.at;
    const end = start + length;
    yield { id, at, start, end };
    reader.at = end;
  }
}

/** Something that is imported. */
export interface Import {
  kind: number;
  /** of memories and tables */
  limits?: Limits;
}

/**
 * Goes over what a section of imports asks for.
 *
 * @throws {RangeError} for kinds that are not known here
 */
export function* importsIn(reader: Reader): Generator<Import> {
  for (let count = reader.number(); count > 0; count--) {
    reader.passBytes();
    reader.passBytes();
    const at = reader.at;
    const kind = reader.byte();
    switch (kind) {
      case Kind.FUNCTION:
        reader.number();
        yield { kind };
        break;
      case Kind.TABLE:
        reader.passType();
        yield { kind, limits: reader.limits() };
        break;
      case Kind.MEMORY:
        yield { kind, limits: reader.limits() };
        break;
      case Kind.GLOBAL:
        reader.passField();
        yield { kind };
        break;
      case Kind.TAG:
        reader.byte();
        reader.number();
        yield { kind };
        break;
      default:
        unknown(`an import of kind ${kind}`, at);
    }
  }
}
