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

/** Limits of a memory, in pages of 64 KiB. */
export interface MemoryType {
  minimum: number;
  maximum: number | undefined;
  shared: boolean;
  wide: boolean;
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
}

const KINDS = ["function", "table", "memory", "global", "tag"];
const TYPES: Record<number, string> = {
  0x7f: "i32",
  0x7e: "i64",
  0x7d: "f32",
  0x7c: "f64",
  0x7b: "v128",
  0x70: "funcref",
  0x6f: "externref",
  0x69: "exnref",
};

class Parser extends Reader {
  text(): string {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }

  valueType(): string {
    const byte = this.byte();
    if (byte === 0x64 || byte === 0x63) {
      this.number(); // the heap type
      return "ref";
    }
    return TYPES[byte] ?? `0x${byte.toString(16)}`;
  }

  list<T>(one: () => T): T[] {
    return Array.from({ length: this.number() }, one);
  }

  limits(): MemoryType {
    const flags = this.byte();
    const minimum = this.number();
    const maximum = (flags & 1) !== 0 ? this.number() : undefined;
    return { minimum, maximum, shared: (flags & 2) !== 0, wide: (flags & 4) !== 0 };
  }
}

/** Reads the sections of a module that is known to be one. */
export function parseBinary(bytes: Uint8Array): Binary {
  const parser = new Parser(bytes, 8);
  const binary: Binary = { imports: [], exports: [], memories: [], customs: [], producers: [] };
  let types: (FunctionType | undefined)[] = [];
  const functions: (FunctionType | undefined)[] = [];
  while (parser.at < bytes.length) {
    const id = parser.byte();
    const end = parser.number() + parser.at;
    switch (id) {
      case 0:
        custom(parser, binary, end);
        break;
      case 1:
        types = functionTypes(parser, end);
        break;
      case 2:
        binary.imports = parser.list(() => importOf(parser, types));
        for (const { kind, type, memory } of binary.imports) {
          if (kind === "function") functions.push(type);
          if (memory !== undefined) binary.memories.push(memory);
        }
        break;
      case 3:
        functions.push(...parser.list(() => types[parser.number()]));
        break;
      case 5:
        binary.memories.push(...parser.list(() => parser.limits()));
        break;
      case 7:
        binary.exports = parser.list(() => {
          const name = parser.text();
          const kind = KINDS[parser.byte()] ?? "unknown";
          const index = parser.number();
          const type = kind === "function" ? functions[index] : undefined;
          const memory = kind === "memory" ? binary.memories[index] : undefined;
          return { module: "", name, kind, type, memory };
        });
    }
    parser.at = end;
  }
  return binary;
}

/** Types of functions; what comes after one that is not known here is left out. */
function functionTypes(parser: Parser, end: number): (FunctionType | undefined)[] {
  const types: (FunctionType | undefined)[] = [];
  for (let left = parser.number(); left > 0 && parser.at < end; left--) {
    if (parser.byte() !== 0x60) break;
    const parameters = parser.list(() => parser.valueType());
    types.push({ parameters, results: parser.list(() => parser.valueType()) });
  }
  return types;
}

function importOf(parser: Parser, types: (FunctionType | undefined)[]): Item {
  const module = parser.text();
  const name = parser.text();
  const kind = KINDS[parser.byte()] ?? "unknown";
  const item: Item = { module, name, kind, type: undefined, memory: undefined };
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

function custom(parser: Parser, binary: Binary, end: number): void {
  const name = parser.text();
  binary.customs.push(name);
  if (name !== "producers") return;
  for (let fields = parser.number(); fields > 0 && parser.at < end; fields--) {
    parser.text();
    for (let values = parser.number(); values > 0 && parser.at < end; values--) {
      binary.producers.push(`${parser.text()} ${parser.text()}`.trim());
    }
  }
}
