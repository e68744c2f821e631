/**
 * WAVE: values of components as text, for the command line.
 *
 * The values are those that JavaScript has for them (core/component/codecs).
 *
 * Source: https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave
 *
 * @module
 */
import { ESCAPES, INTEGERS, KEYWORDS, meaning, rangeOf } from "./wave_text.ts";
import { camelCase } from "../core/component/names.ts";
import type { ValueType } from "../core/component/types.ts";

/** A text that is no value of a type. */
export class WaveError extends Error {
  /** What it has to be: begins with "it must" or "it has". */
  readonly reason: string;
  /** Where in the text, in characters from 0. */
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.reason = reason;
    this.at = at;
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

const WORD = /-?%?[a-zA-Z][\w-]*/y;

const SPACE = /(?:\s|\/\/[^\n]*(?:\n|$))*/y;

/** Reads values out of a text. */
export class WaveReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #fail(reason: string, at: number = this.#at): never {
    throw new WaveError(reason, at);
  }

  #wrong(type: ValueType): never {
    this.#fail(`it must be ${meaning(type)}`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #space(): void {
    this.#at += this.#match(SPACE)!.length;
  }

  /** Takes a character that means something, if it comes next. */
  take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  expect(character: string): void {
    if (!this.take(character)) this.#fail(`"${character}" must come ${this.#here()}`);
  }

  #here(): string {
    return this.#at < this.#text.length ? "here" : "at its end";
  }

  /** Nothing may follow. */
  end(): void {
    this.#space();
    if (this.#at < this.#text.length) this.#fail("it has more than the value");
  }

  /** Items with commas between them, up to a closing bracket. */
  #until(close: string, item: () => void): void {
    while (!this.take(close)) {
      item();
      if (this.take(",")) continue;
      this.expect(close);
      return;
    }
  }

  /** The word that comes next, without taking it. */
  #peek(): string | undefined {
    this.#space();
    return this.#match(WORD);
  }

  #label(): string {
    const word = this.#peek();
    if (word === undefined) this.#fail(`a name must come ${this.#here()}`);
    this.#at += word.length;
    return word.replace(/^%/, "");
  }

  /** The value of a type. */
  value(type: ValueType): unknown {
    this.#space();
    const { kind } = type;
    if (Object.hasOwn(INTEGERS, kind)) return this.#integer(type);
    switch (type.kind) {
      case "bool": {
        const word = this.#peek();
        if (word !== "true" && word !== "false") this.#wrong(type);
        this.#at += word.length;
        return word === "true";
      }
      case "f32":
      case "f64":
        return this.#float(type);
      case "char":
        return this.#character(type);
      case "string":
        return this.#string(type);
      case "list":
        return this.#list(type);
      case "tuple":
        return this.#tuple(type);
      case "record":
        return this.#record(type);
      case "flags":
        return this.#flags(type);
      case "enum":
        return this.#case(type, type.names, () => undefined).tag;
      case "variant": {
        const types = new Map(type.cases.map(({ name, type }) => [name, type]));
        return this.#case(type, [...types.keys()], (name) => types.get(name));
      }
      case "option":
        return this.#option(type);
      case "result":
        return this.#result(type);
      default:
        return this.#wrong(type);
    }
  }

  #integer(type: ValueType): number | bigint {
    const kind = type.kind as keyof typeof INTEGERS;
    const text = this.#match(NUMBER);
    const [least, most] = rangeOf(INTEGERS[kind]!);
    if (text === undefined || !/^-?\d+$/.test(text)) this.#wrong(type);
    const value = text.length > 30 ? most + 1n : BigInt(text);
    if (value < least || value > most) this.#wrong(type);
    this.#at += text.length;
    return kind === "s64" || kind === "u64" ? value : Number(value);
  }

  #float(type: ValueType): number {
    const words: Record<string, number> = { nan: NaN, inf: Infinity, "-inf": -Infinity };
    const word = this.#peek();
    const text = this.#match(NUMBER);
    if (word !== undefined && Object.hasOwn(words, word)) {
      this.#at += word.length;
      return words[word]!;
    }
    if (text === undefined) this.#wrong(type);
    this.#at += text.length;
    return Number(text);
  }

  /** A character as it is written between quotes. */
  #one(): string {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) this.#fail("its closing quote is missing");
    let one = String.fromCodePoint(code);
    this.#at += one.length;
    if (one === "\n") this.#fail("a line break must be written as \\n", this.#at - 1);
    if (one !== "\\") return one;
    one = this.#text[this.#at++] ?? "";
    if (Object.hasOwn(ESCAPES, one)) return ESCAPES[one]!;
    const hex = one === "u" ? /\{([0-9a-fA-F]{1,6})\}/y : undefined;
    if (hex !== undefined) {
      hex.lastIndex = this.#at;
      const [all, digits] = hex.exec(this.#text) ?? [];
      const value = parseInt(digits ?? "", 16);
      if (value <= 0x10ffff && !(value >= 0xd800 && value < 0xe000)) {
        this.#at += all!.length;
        return String.fromCodePoint(value);
      }
    }
    return this.#fail(
      `\\${one} means nothing; there are \\n \\r \\t \\\\ \\' \\" and \\u{...}`,
      this.#at - 2,
    );
  }

  #character(type: ValueType): string {
    if (!this.take("'") || this.#text[this.#at] === "'") this.#wrong(type);
    const one = this.#one();
    if (this.#text[this.#at++] !== "'") this.#fail("it must be one character in single quotes");
    return one;
  }

  #string(type: ValueType): string {
    if (this.#text.startsWith('"""', this.#at)) return this.#lines();
    if (!this.take('"')) this.#wrong(type);
    let text = "";
    while (this.#text[this.#at] !== '"') text += this.#one();
    this.#at++;
    return text;
  }

  /** A string of lines between three quotes, which the spaces before the last three are taken of. */
  #lines(): string {
    const whole = /"""\r?\n((?:[^"\\]|\\[^]|"(?!""))*?)(?:\r?\n)?( *)"""/y;
    whole.lastIndex = this.#at;
    const found = whole.exec(this.#text);
    if (found === null) this.#fail('it must be lines between """ and """');
    const [all, content, spaces] = found;
    const end = this.#at + all!.length;
    const lines = content!.split(/\r?\n/).map((line) => {
      if (!line.startsWith(spaces!)) {
        this.#fail("its lines must begin with as many spaces as the last");
      }
      return new WaveReader(line.slice(spaces!.length)).#rest();
    });
    this.#at = end;
    return lines.join("\n");
  }

  #rest(): string {
    let text = "";
    while (this.#at < this.#text.length) text += this.#one();
    return text;
  }

  #list(type: ValueType & { kind: "list" }): unknown[] {
    const values: unknown[] = [];
    if (!this.take("[")) this.#wrong(type);
    this.#until("]", () => values.push(this.value(type.element)));
    if (type.length !== undefined && values.length !== type.length) this.#wrong(type);
    return values;
  }

  #tuple(type: ValueType & { kind: "tuple" }): unknown[] {
    const values: unknown[] = [];
    if (!this.take("(")) this.#wrong(type);
    this.#until(")", () => {
      const next = type.types[values.length];
      if (next === undefined) this.#wrong(type);
      values.push(this.value(next));
    });
    if (values.length !== type.types.length) this.#wrong(type);
    return values;
  }

  #record(type: ValueType & { kind: "record" }): Record<string, unknown> {
    const values = new Map<string, unknown>();
    if (!this.take("{")) this.#wrong(type);
    if (this.take(":")) this.expect("}");
    else {
      this.#until("}", () => {
        const at = this.#at;
        const name = this.#label();
        const field = type.fields.find((field) => field.name === name);
        const names = type.fields.map(({ name }) => name).join(", ");
        if (field === undefined) {
          this.#fail(`there is no field ${name}; the record has ${names}`, at);
        }
        if (values.has(name)) this.#fail(`it has the field ${name} twice`, at);
        this.expect(":");
        values.set(name, this.value(field.type));
      });
    }
    return Object.fromEntries(type.fields.map(({ name, type }) => {
      if (values.has(name)) return [camelCase(name), values.get(name)];
      if (type.kind !== "option") this.#fail(`its field ${name} is missing`);
      return [camelCase(name), undefined];
    }));
  }

  #flags(type: ValueType & { kind: "flags" }): Record<string, boolean> {
    const set = new Set<string>();
    if (!this.take("{")) this.#wrong(type);
    this.#until("}", () => {
      const at = this.#at;
      const name = this.#label();
      if (!type.names.includes(name)) {
        this.#fail(`there is no flag ${name}; there are ${type.names.join(", ")}`, at);
      }
      set.add(name);
    });
    return Object.fromEntries(type.names.map((name) => [camelCase(name), set.has(name)]));
  }

  #case(
    type: ValueType,
    names: readonly string[],
    typeOf: (name: string) => ValueType | undefined,
  ): { tag: string; val?: unknown } {
    const word = this.#peek();
    const name = word?.replace(/^%/, "");
    if (name === undefined || !names.includes(name)) this.#wrong(type);
    if (KEYWORDS.includes(word!)) this.#fail(`it must be %${name}, for ${name} alone is a keyword`);
    this.#at += word!.length;
    return this.#payload(name, typeOf(name));
  }

  /** What stands in brackets behind a name, where there must be something. */
  #payload(tag: string, type: ValueType | undefined): { tag: string; val?: unknown } {
    if (type === undefined) return { tag };
    this.expect("(");
    const val = this.value(type);
    this.expect(")");
    return { tag, val };
  }

  #option(type: ValueType & { kind: "option" }): unknown {
    const word = this.#peek();
    const tagged = type.type.kind === "option";
    if (word === "none" || word === "some") {
      this.#at += word.length;
      const value = this.#payload(word, word === "some" ? type.type : undefined);
      return tagged ? value : value.val;
    }
    // an option of these could mean either
    if (tagged || type.type.kind === "result") this.#wrong(type);
    return this.value(type.type);
  }

  #result(type: ValueType & { kind: "result" }): unknown {
    const word = this.#peek();
    if (word === "ok" || word === "err") {
      this.#at += word.length;
      return this.#payload(word, word === "ok" ? type.ok : type.error);
    }
    const { ok } = type;
    if (ok === undefined || ok.kind === "option" || ok.kind === "result") this.#wrong(type);
    return { tag: "ok", val: this.value(ok) };
  }
}
