/**
 * What a module says of itself that WebAssembly.Module does not: types, memories, sections.
 *
 * @module
 */
import { Reader } from "../core/module.ts";

/** Parameters and results of a function. */
export interface FunctionType {
  parameters: string[];
  results: string[];
}

/** Limits of a memory, in pages. */
export interface MemoryType {
  minimum: number;
  maximum: number | undefined;
  shared: boolean;
  wide: boolean;
  /** bytes of a page */
  page: number;
}

/** One import or export. */
export interface Item {
  module: string;
  name: string;
  kind: string;
  /** of functions */
  type: FunctionType | undefined;
  /** of memories */
  memory: MemoryType | undefined;
  /** of exports: which one of its kind */
  index: number;
}

/** A module, as far as it is looked at. */
export interface Binary {
  imports: Item[];
  exports: Item[];
  memories: MemoryType[];
  /** names of custom sections */
  customs: string[];
  /** what made it, from the section "producers" */
  producers: string[];
  /** its own name, from the section "name" */
  name: string;
  /** where the code of each of its functions begins */
  codes: number[];
}

const KINDS = ["function", "table", "memory", "global", "tag"];
const TYPES: Record<number, string> = {
  0x7f: "i32",
  0x7e: "i64",
  0x7d: "f32",
  0x7c: "f64",
  0x7b: "v128",
  0x78: "i8",
  0x77: "i16",
  0x73: "nullfuncref",
  0x72: "nullexternref",
  0x71: "nullref",
  0x70: "funcref",
  0x6f: "externref",
  0x6e: "anyref",
  0x6d: "eqref",
  0x6c: "i31ref",
  0x6b: "structref",
  0x6a: "arrayref",
  0x69: "exnref",
};
const REFERENCES = [0x63, 0x64];

/** Numbers of sections; those above are not known to anybody yet. */
const SECTION_MAX = 13;

class Parser extends Reader {
  text(): string {
    const end = this.take(this.number());
    return new TextDecoder().decode(this.bytes.subarray(end.from, end.to));
  }

  /** Goes over so many bytes. */
  take(length: number): { from: number; to: number } {
    const from = this.at;
    if (length > this.bytes.length - from) throw new RangeError("the module ends too early");
    this.at += length;
    return { from, to: this.at };
  }

  valueType(): string {
    const byte = this.byte();
    if (REFERENCES.includes(byte)) {
      this.number(); // the type that it refers to
      return "ref";
    }
    const type = TYPES[byte];
    if (type === undefined) throw new RangeError(`0x${byte.toString(16)} is no type of values`);
    return type;
  }

  list<T>(one: () => T): T[] {
    const length = this.number();
    if (length > this.bytes.length - this.at) throw new RangeError("the module ends too early");
    return Array.from({ length }, one);
  }

  limits(): MemoryType {
    const flags = this.byte();
    const minimum = this.number();
    const maximum = (flags & 1) !== 0 ? this.number() : undefined;
    const page = (flags & 8) !== 0 ? 2 ** this.number() : 65536;
    return { minimum, maximum, shared: (flags & 2) !== 0, wide: (flags & 4) !== 0, page };
  }

  /** Types, in groups that refer to each other or alone; undefined for those of no function. */
  types(): (FunctionType | undefined)[] {
    return this.list(() => {
      if (this.bytes[this.at] !== 0x4e) return [this.subtype()];
      this.at++;
      return this.list(() => this.subtype());
    }).flat();
  }

  subtype(): FunctionType | undefined {
    let form = this.byte();
    if (form === 0x4f || form === 0x50) {
      this.list(() => this.number());
      form = this.byte();
    }
    const field = (): void => {
      this.valueType();
      this.byte(); // whether it can be changed
    };
    switch (form) {
      case 0x60: {
        const parameters = this.list(() => this.valueType());
        return { parameters, results: this.list(() => this.valueType()) };
      }
      case 0x5f:
        this.list(field);
        return undefined;
      case 0x5e:
        field();
        return undefined;
      default:
        throw new RangeError(`0x${form.toString(16)} is no form of a type`);
    }
  }
}

/**
 * Reads the sections of a module.
 *
 * @throws {RangeError} for bytes that are not one; its message says where
 */
export function parseBinary(bytes: Uint8Array): Binary {
  const parser = new Parser(bytes, 8);
  try {
    return sections(parser);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${error.message} (byte ${Math.min(parser.at, bytes.length)})`);
  }
}

function sections(parser: Parser): Binary {
  const { bytes } = parser;
  const binary: Binary = {
    imports: [],
    exports: [],
    memories: [],
    customs: [],
    producers: [],
    name: "",
    codes: [],
  };
  let types: (FunctionType | undefined)[] = [];
  let functions: (FunctionType | undefined)[] = [];
  while (parser.at < bytes.length) {
    const id = parser.byte();
    if (id > SECTION_MAX) throw new RangeError(`${id} is no section`);
    const length = parser.number();
    const { from, to } = parser.take(length);
    parser.at = from;
    switch (id) {
      case 0:
        custom(parser, binary, to);
        break;
      case 1:
        types = parser.types();
        break;
      case 2:
        binary.imports = parser.list(() => importOf(parser, types));
        for (const { kind, type, memory } of binary.imports) {
          if (kind === "function") functions.push(type);
          if (memory !== undefined) binary.memories.push(memory);
        }
        break;
      case 3:
        functions = functions.concat(parser.list(() => types[parser.number()]));
        break;
      case 5:
        binary.memories = binary.memories.concat(parser.list(() => parser.limits()));
        break;
      case 7:
        binary.exports = parser.list(() => {
          const name = parser.text();
          const kind = KINDS[parser.byte()] ?? "unknown";
          const index = parser.number();
          const type = kind === "function" ? functions[index] : undefined;
          const memory = kind === "memory" ? binary.memories[index] : undefined;
          return { module: "", name, kind, type, memory, index };
        });
        break;
      case 10:
        binary.codes = parser.list(() => {
          const start = parser.at;
          parser.take(parser.number());
          return start;
        });
    }
    if (parser.at > to) throw new RangeError(`section ${id} is longer than it says`);
    parser.at = to;
  }
  return binary;
}

function importOf(parser: Parser, types: (FunctionType | undefined)[]): Item {
  const module = parser.text();
  const name = parser.text();
  const kind = KINDS[parser.byte()] ?? "unknown";
  const item: Item = { module, name, kind, type: undefined, memory: undefined, index: 0 };
  if (kind === "function") item.type = types[parser.number()];
  else if (kind === "memory") item.memory = parser.limits();
  else if (kind === "table") {
    parser.valueType();
    parser.limits();
  } else if (kind === "global") {
    parser.valueType();
    parser.byte();
  } else {
    parser.byte();
    parser.number();
  }
  return item;
}

/** Reads a section that engines do not look at: it need not be right. */
function custom(parser: Parser, binary: Binary, end: number): void {
  const name = parser.text();
  binary.customs.push(name);
  try {
    if (name === "producers") producers(parser, binary, end);
    // its first part, if it has that, is the module's name
    if (name === "name" && parser.byte() === 0 && parser.number() > 0) binary.name = parser.text();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  parser.at = end;
}

function producers(parser: Parser, binary: Binary, end: number): void {
  for (let fields = parser.number(); fields > 0 && parser.at < end; fields--) {
    parser.text();
    for (let values = parser.number(); values > 0 && parser.at < end; values--) {
      const name = parser.text();
      binary.producers.push(`${name} ${parser.text()}`.trim());
    }
  }
}
