/**
 * What a module says of itself that WebAssembly.Module does not: types, memories, sections.
 *
 * @module
 */
import { type Limits, Reader, Section, sections } from "./reader.ts";

/** Parameters and results of a function. */
export interface FunctionType {
  parameters: string[];
  results: string[];
}

/** One import or export. */
export interface Item {
  module: string;
  name: string;
  kind: string;
  /** of functions */
  type: FunctionType | undefined;
  /** of memories */
  memory: Limits | undefined;
  /** of exports: which one of its kind */
  index: number;
}

/** A module, as far as it is looked at. */
export interface Binary {
  imports: Item[];
  exports: Item[];
  memories: Limits[];
  /** names of custom sections */
  customs: string[];
  /** what made it, from the section "producers" */
  producers: string[];
  /** its own name, from the section "name" */
  name: string;
  /** where the code of each of its functions begins */
  codes: number[];
  /** whether it has a function that runs when it is instantiated */
  starts: boolean;
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

/** Numbers of sections above this are not known to anybody yet. */
const SECTION_MAX = Section.TAG;

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
    if (type === undefined) throw new RangeError(`0x${byte.toString(16)} is not a value type`);
    return type;
  }

  list<T>(one: () => T): T[] {
    const length = this.number();
    if (length > this.bytes.length - this.at) throw new RangeError("the module ends too early");
    return Array.from({ length }, one);
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
        throw new RangeError(`0x${form.toString(16)} is not a form of type`);
    }
  }
}

/**
 * Reads the sections of a module.
 *
 * @throws {RangeError} for bytes that are not one; its message says where
 */
export function parseBinary(bytes: Uint8Array): Binary {
  const parser = new Parser(bytes);
  try {
    return parse(parser);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${error.message} (byte ${Math.min(parser.at, bytes.length)})`);
  }
}

function parse(parser: Parser): Binary {
  const binary: Binary = {
    imports: [],
    exports: [],
    memories: [],
    customs: [],
    producers: [],
    name: "",
    codes: [],
    starts: false,
  };
  let types: (FunctionType | undefined)[] = [];
  let functions: (FunctionType | undefined)[] = [];
  for (const { id, start, end } of sections(parser, SECTION_MAX)) {
    parser.take(end - start);
    parser.at = start;
    switch (id) {
      case Section.CUSTOM:
        custom(parser, binary, end);
        break;
      case Section.TYPE:
        types = parser.types();
        break;
      case Section.IMPORT:
        binary.imports = parser.list(() => importOf(parser, types));
        for (const { kind, type, memory } of binary.imports) {
          if (kind === "function") functions.push(type);
          if (memory !== undefined) binary.memories.push(memory);
        }
        break;
      case Section.FUNCTION:
        functions = functions.concat(parser.list(() => types[parser.number()]));
        break;
      case Section.MEMORY:
        binary.memories = binary.memories.concat(parser.list(() => parser.limits()));
        break;
      case Section.EXPORT:
        binary.exports = parser.list(() => {
          const name = parser.text();
          const kind = KINDS[parser.byte()] ?? "unknown";
          const index = parser.number();
          const type = kind === "function" ? functions[index] : undefined;
          const memory = kind === "memory" ? binary.memories[index] : undefined;
          return { module: "", name, kind, type, memory, index };
        });
        break;
      case Section.START:
        binary.starts = true;
        parser.at = end;
        break;
      case Section.CODE:
        binary.codes = parser.list(() => {
          const start = parser.at;
          parser.take(parser.number());
          return start;
        });
    }
    if (parser.at > end) throw new RangeError(`section ${id} is longer than it says`);
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
