/**
 * Reads the interfaces of WASI 0.2 as they are written down in WIT.
 *
 * Only what these need is known: one interface a text, types before they are used.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/WIT.md
 *
 * @module
 */
import {
  dispose,
  type Field,
  type FunctionType,
  type Primitive,
  PRIMITIVES,
  ResourceType,
  type ValueType,
} from "../component/types.ts";

/** An interface: its types and functions by name. */
export interface WitInterface {
  /** such as `wasi:io/streams` */
  readonly name: string;
  readonly types: ReadonlyMap<string, ValueType | ResourceType>;
  /** Functions, by names such as `poll` and `[method]pollable.block`. */
  readonly functions: ReadonlyMap<string, FunctionType>;
}

const TOKEN = /\s*(?:\/\/.*\n\s*)*(->|%?[a-zA-Z][\w-]*(?::[\w-]+\/[\w-]+)?|[{}()<>,;:=.@_])/y;

class WitReader {
  readonly #text: string;
  readonly #known: ReadonlyMap<string, WitInterface>;
  readonly #types: Map<string, ValueType | ResourceType> = new Map();
  readonly #functions: Map<string, FunctionType> = new Map();
  #at = 0;

  constructor(text: string, known: ReadonlyMap<string, WitInterface>) {
    this.#text = text;
    this.#known = known;
  }

  #next(): string {
    TOKEN.lastIndex = this.#at;
    const found = TOKEN.exec(this.#text);
    if (found === null) throw new SyntaxError(`WIT: ${this.#text.slice(this.#at, this.#at + 40)}`);
    this.#at = TOKEN.lastIndex;
    return found[1]!;
  }

  #is(token: string): boolean {
    const at = this.#at;
    if (this.#next() === token) return true;
    this.#at = at;
    return false;
  }

  #expect(token: string): void {
    if (!this.#is(token)) throw new SyntaxError(`WIT: ${token} expected, not ${this.#next()}`);
  }

  #name(): string {
    return this.#next().replace("%", "");
  }

  /** Items up to a closing token, with commas between them. */
  #until<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.#is(close)) {
      items.push(item());
      if (!this.#is(",")) {
        this.#expect(close);
        break;
      }
    }
    return items;
  }

  read(): WitInterface {
    this.#expect("interface");
    const name = this.#name();
    this.#expect("{");
    while (!this.#is("}")) this.#item();
    return { name, types: this.#types, functions: this.#functions };
  }

  #item(): void {
    const word = this.#name();
    switch (word) {
      case "use":
        return this.#use();
      case "type": {
        const name = this.#name();
        this.#expect("=");
        const at = this.#at;
        let type: ValueType | ResourceType | undefined = this.#types.get(this.#name());
        if (!(type instanceof ResourceType)) {
          this.#at = at;
          type = this.#type();
        }
        this.#types.set(name, type);
        return this.#expect(";");
      }
      case "record": {
        const name = this.#name();
        this.#expect("{");
        this.#types.set(name, { kind: "record", fields: this.#until("}", () => this.#field()) });
        return;
      }
      case "variant": {
        const name = this.#name();
        this.#expect("{");
        const cases = this.#until("}", () => {
          const name = this.#name();
          if (!this.#is("(")) return { name, type: undefined };
          const type = this.#type();
          this.#expect(")");
          return { name, type };
        });
        this.#types.set(name, { kind: "variant", cases });
        return;
      }
      case "enum":
      case "flags": {
        const name = this.#name();
        this.#expect("{");
        this.#types.set(name, { kind: word, names: this.#until("}", () => this.#name()) });
        return;
      }
      case "resource":
        return this.#resource();
      default:
        this.#expect(":");
        this.#functions.set(word, this.#function([]));
        this.#expect(";");
    }
  }

  #use(): void {
    const from = this.#known.get(this.#name());
    this.#expect(".");
    this.#expect("{");
    this.#until("}", () => {
      const name = this.#name();
      const as = this.#is("as") ? this.#name() : name;
      this.#types.set(as, from!.types.get(name)!);
    });
    this.#expect(";");
  }

  #resource(): void {
    const name = this.#name();
    const type = new ResourceType(name, undefined, dispose);
    this.#types.set(name, type);
    if (this.#is(";")) return;
    this.#expect("{");
    while (!this.#is("}")) {
      const method = this.#name();
      if (method === "constructor") {
        const { parameters } = this.#function([]);
        const result: ValueType = { kind: "own", resource: type };
        this.#functions.set(`[constructor]${name}`, { parameters, result, async: false });
      } else {
        this.#expect(":");
        const isStatic = this.#is("static");
        const self: Field = { name: "self", type: { kind: "borrow", resource: type } };
        const kind = isStatic ? "static" : "method";
        this.#functions.set(`[${kind}]${name}.${method}`, this.#function(isStatic ? [] : [self]));
      }
      this.#expect(";");
    }
  }

  #function(parameters: Field[]): FunctionType {
    this.#is("func");
    this.#expect("(");
    parameters.push(...this.#until(")", () => this.#field()));
    const result = this.#is("->") ? this.#type() : undefined;
    return { parameters, result, async: false };
  }

  #field(): Field {
    const name = this.#name();
    this.#expect(":");
    return { name, type: this.#type() };
  }

  #type(): ValueType {
    const name = this.#name();
    if ((PRIMITIVES as readonly string[]).includes(name)) return { kind: name as Primitive };
    switch (name) {
      case "list":
        return { kind: "list", element: this.#argument(), length: undefined };
      case "option":
        return { kind: "option", type: this.#argument() };
      case "tuple":
        this.#expect("<");
        return { kind: "tuple", types: this.#until(">", () => this.#type()) };
      case "borrow":
      case "own": {
        this.#expect("<");
        const resource = this.#types.get(this.#name()) as ResourceType;
        this.#expect(">");
        return { kind: name, resource };
      }
      case "result": {
        if (!this.#is("<")) return { kind: "result", ok: undefined, error: undefined };
        const [ok, error] = this.#until(">", () => this.#is("_") ? undefined : this.#type());
        return { kind: "result", ok, error };
      }
    }
    const type = this.#types.get(name);
    if (type === undefined) throw new SyntaxError(`WIT: the type ${name} is not known`);
    return type instanceof ResourceType ? { kind: "own", resource: type } : type;
  }

  #argument(): ValueType {
    this.#expect("<");
    const type = this.#type();
    this.#expect(">");
    return type;
  }
}

/** Reads an interface that may use types of those that are known. */
export function readWit(text: string, known: ReadonlyMap<string, WitInterface>): WitInterface {
  return new WitReader(text, known).read();
}
