/**
 * Reads the bytes of a component.
 *
 * Every item of a list takes a byte at least, so that no count can be larger than the component;
 * what is nested is bounded here, and how often a component instantiates another where that is done
 * (linker.ts).
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
 *
 * @module
 */
import { ASYNCHRONOUS, CORE_SORTS, PREAMBLE, PRIMITIVE_TYPES, SORTS } from "./opcodes.ts";
import type {
  AliasDefinition,
  CanonicalOptions,
  ComponentBinary,
  Declaration,
  Definition,
  ExternType,
  LabeledReference,
  Named,
  Sort,
  SortIndex,
  TypeDefinition,
  TypeReference,
} from "./binary.ts";
import { componentError } from "./errors.ts";

/** How deep components and types may be nested. */
const DEPTH_MAX = 100;

const decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class ComponentReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #end: number;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
  }

  #fail(what: string): never {
    throw componentError(`byte ${this.#at}: ${what}`);
  }

  #byte(): number {
    if (this.#at >= this.#end) this.#fail("it ends too early");
    return this.#bytes[this.#at++]!;
  }

  #peek(): number {
    return this.#at < this.#end ? this.#bytes[this.#at]! : -1;
  }

  /** An unsigned LEB128 of 32 bits. */
  #number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    return this.#fail("a number of more than 32 bits");
  }

  #string(): string {
    const length = this.#number();
    if (length > this.#end - this.#at) this.#fail("a name that is longer than what is left");
    const start = this.#at;
    this.#at += length;
    try {
      return decoder.decode(this.#bytes.subarray(start, this.#at));
    } catch {
      this.#at = start;
      return this.#fail("a name that is not UTF-8");
    }
  }

  #list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let count = this.#number(); count > 0; count--) items.push(item());
    return items;
  }

  #optional<T>(item: () => T): T | undefined {
    const has = this.#byte();
    if (has > 1) this.#fail(`${has} where 0 or 1 says whether something follows`);
    return has === 1 ? item() : undefined;
  }

  #expect(byte: number, what: string): void {
    const found = this.#byte();
    if (found === byte) return;
    this.#at--;
    this.#fail(`${hex(found)} is not ${what}`);
  }

  #nested<T>(act: () => T): T {
    if (++this.#depth > DEPTH_MAX) this.#fail(`nested more than ${DEPTH_MAX} deep`);
    const result = act();
    this.#depth--;
    return result;
  }

  component(): ComponentBinary {
    for (const byte of PREAMBLE) {
      this.#expect(byte, "what a component of this version begins with");
    }
    const definitions: Definition[] = [];
    while (this.#at < this.#end) this.#section(definitions);
    return { definitions };
  }

  #section(into: Definition[]): void {
    const id = this.#byte();
    const length = this.#number();
    const [start, outer] = [this.#at, this.#end];
    if (length > outer - start) this.#fail(`section ${id} is longer than what is left`);
    this.#end = start + length;
    this.#definitions(id, into);
    if (this.#at !== this.#end) this.#fail(`section ${id} has more bytes than its content`);
    this.#end = outer;
  }

  #definitions(id: number, into: Definition[]): void {
    const each = (item: () => Definition): void => {
      for (let count = this.#number(); count > 0; count--) into.push(item());
    };
    switch (id) {
      case 0:
        this.#string();
        this.#at = this.#end;
        return;
      case 1:
        into.push({ kind: "core module", bytes: this.#bytes.subarray(this.#at, this.#end) });
        this.#at = this.#end;
        return;
      case 2:
        return each(() => this.#coreInstance());
      case 3:
        return each(() => this.#coreType());
      case 4:
        into.push({ kind: "component", component: this.#nested(() => this.component()) });
        return;
      case 5:
        return each(() => this.#instance());
      case 6:
        return each(() => this.#alias());
      case 7:
        return each(() => ({ kind: "type", type: this.#nested(() => this.#type()) }));
      case 8:
        return each(() => this.#canonical());
      case 9:
      case 12:
        return this.#fail("values and start functions of components are not supported");
      case 10:
        return each(() => ({ kind: "import", name: this.#externName(), type: this.#externType() }));
      case 11:
        return each(() => ({
          kind: "export",
          name: this.#externName(),
          item: this.#sortIndex(),
          type: this.#optional(() => this.#externType()),
        }));
      default:
        this.#fail(`there is no section ${id}`);
    }
  }

  #coreSort(): Sort {
    const byte = this.#byte();
    return CORE_SORTS[byte] ?? this.#fail(`${hex(byte)} is not a sort of core definitions`);
  }

  #sort(): Sort {
    const byte = this.#byte();
    if (byte === 0) return this.#coreSort();
    return SORTS[byte] ?? this.#fail(`${hex(byte)} is not a sort of definitions`);
  }

  #sortIndex(): SortIndex {
    return { sort: this.#sort(), index: this.#number() };
  }

  #coreInstance(): Definition {
    const kind = this.#byte();
    if (kind === 0) {
      const module = this.#number();
      const items = this.#list((): Named => {
        const name = this.#string();
        this.#expect(0x12, "an instance, which modules are instantiated with");
        return { name, sort: "core instance", index: this.#number() };
      });
      return { kind: "core instance", module, items };
    }
    if (kind !== 1) this.#fail(`${hex(kind)} is not a way to make a core instance`);
    const items = this.#list((): Named => {
      const name = this.#string();
      return { name, sort: this.#coreSort(), index: this.#number() };
    });
    return { kind: "core instance", module: undefined, items };
  }

  #instance(): Definition {
    const kind = this.#byte();
    if (kind === 0) {
      const component = this.#number();
      const items = this.#list((): Named => ({ name: this.#string(), ...this.#sortIndex() }));
      return { kind: "instance", component, items };
    }
    if (kind !== 1) this.#fail(`${hex(kind)} is not a way to make an instance`);
    const items = this.#list((): Named => ({ name: this.#externName(), ...this.#sortIndex() }));
    return { kind: "instance", component: undefined, items };
  }

  #alias(): AliasDefinition {
    const sort = this.#sort();
    const kind = this.#byte();
    if (kind === 2) {
      return { kind: "alias outer", sort, count: this.#number(), index: this.#number() };
    }
    if (kind > 2) this.#fail(`${hex(kind)} is not a kind of alias`);
    const instance = this.#number();
    const name = this.#string();
    return { kind: kind === 0 ? "alias export" : "alias core export", sort, instance, name };
  }

  /** The name of an import or export; versions and the like beside it are passed over. */
  #externName(): string {
    const kind = this.#byte();
    if (kind > 2) this.#fail(`${hex(kind)} is not what a name begins with`);
    const name = this.#string();
    if (kind === 2) {
      this.#list(() => {
        this.#byte();
        this.#string();
      });
    }
    return name;
  }

  #externType(): ExternType {
    const kind = this.#byte();
    switch (kind) {
      case 0x00:
        this.#expect(0x11, "the sort of core modules");
        return { sort: "core module", type: this.#number() };
      case 0x01:
        return { sort: "func", type: this.#number() };
      case 0x02: {
        const isType = this.#byte() === 1;
        if (!isType) this.#number();
        return { sort: "value", type: isType ? this.#reference() : undefined };
      }
      case 0x03:
        return { sort: "type", equals: this.#bound() };
      case 0x04:
        return { sort: "component", type: this.#number() };
      case 0x05:
        return { sort: "instance", type: this.#number() };
      default:
        return this.#fail(`${hex(kind)} is not a sort of imports`);
    }
  }

  #bound(): number | undefined {
    const kind = this.#byte();
    if (kind > 1) this.#fail(`${hex(kind)} is not a bound of a type`);
    return kind === 0 ? this.#number() : undefined;
  }

  /** A primitive type, or the number of a type: a positive number of 33 bits with a sign. */
  #reference(): TypeReference {
    const first = this.#peek();
    if (first >= 0x40 && first < 0x80) {
      const primitive = PRIMITIVE_TYPES[first];
      if (primitive === undefined) this.#fail(`${hex(first)} is not a type of values`);
      this.#at++;
      return primitive;
    }
    return this.#number();
  }

  #labeled(): LabeledReference {
    return { name: this.#string(), type: this.#reference() };
  }

  #type(): TypeDefinition {
    const first = this.#byte();
    const primitive = PRIMITIVE_TYPES[first];
    if (primitive !== undefined) return { kind: "reference", type: primitive };
    switch (first) {
      case 0x72:
        return { kind: "record", fields: this.#some(() => this.#labeled(), "record") };
      case 0x71: {
        const cases = this.#some(() => {
          const name = this.#string();
          const type = this.#optional(() => this.#reference());
          this.#expect(0, "the end of a case");
          return { name, type };
        }, "variant");
        return { kind: "variant", cases };
      }
      case 0x70:
        return { kind: "list", element: this.#reference(), length: undefined };
      case 0x67: {
        const element = this.#reference();
        const length = this.#number();
        if (length === 0) this.#fail("a list of length 0");
        return { kind: "list", element, length };
      }
      case 0x6f:
        return { kind: "tuple", types: this.#some(() => this.#reference(), "tuple") };
      case 0x6e: {
        const names = this.#some(() => this.#string(), "flags type");
        if (names.length > 32) this.#fail(`${names.length} flags; 32 are allowed`);
        return { kind: "flags", names };
      }
      case 0x6d:
        return { kind: "enum", names: this.#some(() => this.#string(), "enum") };
      case 0x6b:
        return { kind: "option", type: this.#reference() };
      case 0x6a: {
        const ok = this.#optional(() => this.#reference());
        return { kind: "result", ok, error: this.#optional(() => this.#reference()) };
      }
      case 0x69:
        return { kind: "own", type: this.#number() };
      case 0x68:
        return { kind: "borrow", type: this.#number() };
      case 0x66:
        return { kind: "stream", type: this.#optional(() => this.#reference()) };
      case 0x65:
        return { kind: "future", type: this.#optional(() => this.#reference()) };
      case 0x40:
        return this.#function(false);
      case 0x43:
        return this.#function(true);
      case 0x41:
        return { kind: "component", declarations: this.#list(() => this.#declaration(true)) };
      case 0x42:
        return { kind: "instance", declarations: this.#list(() => this.#declaration(false)) };
      case 0x3f:
        this.#expect(0x7f, "i32, which stands for a resource");
        return { kind: "resource", destructor: this.#optional(() => this.#number()) };
      default:
        this.#at--;
        return this.#fail(`${hex(first)} is not a type that is known here`);
    }
  }

  /** A list that is not empty. */
  #some<T>(item: () => T, what: string): T[] {
    const items = this.#list(item);
    if (items.length === 0) this.#fail(`an empty ${what}`);
    return items;
  }

  #function(async: boolean): TypeDefinition {
    const parameters = this.#list(() => this.#labeled());
    return { kind: "func", parameters, result: this.#result(), async };
  }

  #result(): TypeReference | undefined {
    const named = this.#byte();
    if (named === 0) return this.#reference();
    if (named !== 1) this.#fail(`${hex(named)} is not how results begin`);
    this.#expect(0, "the count of named results, which there are not any more");
    return undefined;
  }

  #declaration(isComponent: boolean): Declaration {
    const kind = this.#byte();
    switch (kind) {
      case 0x00:
        return this.#coreType();
      case 0x01:
        return { kind: "type", type: this.#nested(() => this.#type()) };
      case 0x02:
        return this.#alias();
      case 0x03:
        if (!isComponent) break;
        return { kind: "import", name: this.#externName(), type: this.#externType() };
      case 0x04:
        return { kind: "export", name: this.#externName(), type: this.#externType() };
    }
    return this.#fail(`${hex(kind)} is not a declaration`);
  }

  /** Only how it ends matters: what modules import is checked by the engine. */
  #coreType(): { kind: "core type" } {
    const first = this.#byte();
    if (first === 0x60) {
      this.#list(() => this.#byte());
      this.#list(() => this.#byte());
    } else if (first === 0x50) this.#list(() => this.#moduleDeclaration());
    else this.#fail(`${hex(first)} is not a core type that is known here`);
    return { kind: "core type" };
  }

  #moduleDeclaration(): void {
    const kind = this.#byte();
    switch (kind) {
      case 0x00:
        this.#string();
        this.#string();
        return this.#coreExternType();
      case 0x01:
        this.#nested(() => this.#coreType());
        return;
      case 0x02:
        this.#expect(0x10, "the sort of core types");
        this.#expect(0x01, "an outer alias");
        this.#number();
        this.#number();
        return;
      case 0x03:
        this.#string();
        return this.#coreExternType();
      default:
        this.#fail(`${hex(kind)} is not a declaration of a module`);
    }
  }

  #coreExternType(): void {
    const limits = (): void => {
      const flags = this.#byte();
      this.#number();
      if ((flags & 1) !== 0) this.#number();
    };
    const kind = this.#byte();
    switch (kind) {
      case 0x00:
        this.#number();
        return;
      case 0x01:
        this.#byte();
        return limits();
      case 0x02:
        return limits();
      case 0x03:
        this.#byte();
        this.#byte();
        return;
      case 0x04:
        this.#byte();
        this.#number();
        return;
      default:
        this.#fail(`${hex(kind)} is not a kind of core imports`);
    }
  }

  #options(): CanonicalOptions {
    const options = {
      encoding: "utf8" as CanonicalOptions["encoding"],
      memory: undefined as number | undefined,
      realloc: undefined as number | undefined,
      postReturn: undefined as number | undefined,
      async: false,
    };
    this.#list(() => {
      const kind = this.#byte();
      switch (kind) {
        case 0x00:
        case 0x01:
        case 0x02:
          options.encoding = (["utf8", "utf16", "latin1+utf16"] as const)[kind];
          return;
        case 0x03:
          options.memory = this.#number();
          return;
        case 0x04:
          options.realloc = this.#number();
          return;
        case 0x05:
          options.postReturn = this.#number();
          return;
        case 0x06:
          options.async = true;
          return;
        case 0x07:
          this.#number();
          options.async = true;
          return;
        default:
          this.#at--;
          this.#fail(`${hex(kind)} is not a canonical option that is known here`);
      }
    });
    return options;
  }

  #canonical(): Definition {
    const kind = this.#byte();
    switch (kind) {
      case 0x00: {
        this.#expect(0, "the sort of functions");
        const index = this.#number();
        const options = this.#options();
        return { kind: "lift", function: index, options, type: this.#number() };
      }
      case 0x01:
        this.#expect(0, "the sort of functions");
        return { kind: "lower", function: this.#number(), options: this.#options() };
      case 0x02:
        return { kind: "resource.new", type: this.#number() };
      case 0x03:
        return { kind: "resource.drop", type: this.#number() };
      case 0x04:
        return { kind: "resource.rep", type: this.#number() };
    }
    const known = ASYNCHRONOUS[kind];
    if (known === undefined) {
      this.#at--;
      return this.#fail(`${hex(kind)} is not a canonical function that is known here`);
    }
    const [name, ...operands] = known;
    for (const operand of operands) {
      if (operand === "byte") this.#byte();
      else if (operand === "number") this.#number();
      else if (operand === "result") this.#result();
      else this.#options();
    }
    return { kind: "canon", name };
  }
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/**
 * Reads a component.
 *
 * @throws {Error} `ERR_WASI_COMPONENT` for bytes that are not one, or have what is not known here
 */
export function readComponent(bytes: Uint8Array): ComponentBinary {
  return new ComponentReader(bytes).component();
}
