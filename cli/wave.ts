/**
 * WAVE: values of components as text, for the command line.
 *
 * The values are those that JavaScript has for them (core/component/codec.ts).
 *
 * Source: https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave
 *
 * @module
 */
import { camelCase } from "../core/component/names.ts";
import { showType, type ValueType } from "../core/component/types.ts";

/** Words that mean something; a case of such a name stands behind `%`. */
const KEYWORDS: readonly string[] = ["true", "false", "inf", "nan", "some", "none", "ok", "err"];

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

/** Whole numbers: how many bits they have, and whether one is for the sign. */
const INTEGERS: Readonly<Record<string, readonly [bits: number, signed: boolean]>> = {
  s8: [8, true],
  u8: [8, false],
  s16: [16, true],
  u16: [16, false],
  s32: [32, true],
  u32: [32, false],
  s64: [64, true],
  u64: [64, false],
};

/** The least and the greatest value of a type of whole numbers. */
function rangeOf([bits, signed]: readonly [number, boolean]): [least: bigint, most: bigint] {
  if (!signed) return [0n, 2n ** BigInt(bits) - 1n];
  const half = 2n ** BigInt(bits - 1);
  return [-half, half - 1n];
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /-?%?[a-zA-Z][\w-]*/y;
const SPACE = /(?:\s|\/\/[^\n]*(?:\n|$))*/y;

const ESCAPES: Readonly<Record<string, string>> = {
  "'": "'",
  '"': '"',
  "\\": "\\",
  t: "\t",
  n: "\n",
  r: "\r",
};

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

const SHOWN_MAX = 200;

/** What a value of a type must be, for errors. */
export function meaning(type: ValueType): string {
  const shown = showType(type).slice(0, SHOWN_MAX);
  const { kind } = type;
  if (Object.hasOwn(INTEGERS, kind)) {
    const [least, most] = rangeOf(INTEGERS[kind]!);
    return `a whole number from ${least} to ${most}`;
  }
  switch (type.kind) {
    case "bool":
      return "true or false";
    case "f32":
    case "f64":
      return "a number such as 1.5, nan, inf or -inf";
    case "char":
      return "one character in single quotes, as 'x'";
    case "string":
      return 'text in double quotes, as "text"';
    case "list":
      return `a list in square brackets, as [..., ...], for ${shown}`;
    case "tuple":
      return `${type.types.length} values in round brackets, as (..., ...), for ${shown}`;
    case "record": {
      const fields = type.fields.map(({ name }) => `${name}: ...`).join(", ");
      return `a record, as {${fields.slice(0, SHOWN_MAX)}}`;
    }
    case "flags":
      return `names in braces, as {${type.names[0]}}, of ${type.names.join(", ")}`
        .slice(0, SHOWN_MAX);
    case "enum":
      return `one of ${type.names.map(guarded).join(", ")}`.slice(0, SHOWN_MAX);
    case "variant": {
      const cases = type.cases.map(({ name, type }) => guarded(name) + (type ? "(...)" : ""));
      return `one of ${cases.join(", ")}`.slice(0, SHOWN_MAX);
    }
    case "option":
      return `some(...) or none, for ${shown}`;
    case "result": {
      const ok = type.ok === undefined ? "ok" : "ok(...)";
      return `${ok} or ${type.error === undefined ? "err" : "err(...)"}, for ${shown}`;
    }
    default:
      return shown;
  }
}

/** A name that is no keyword. */
function guarded(name: string): string {
  return KEYWORDS.includes(name) ? `%${name}` : name;
}

/** The first part of a type that no text can stand for: a resource. */
export function unwritable(type: ValueType | undefined): ValueType | undefined {
  const first = (types: readonly (ValueType | undefined)[]): ValueType | undefined => {
    for (const one of types) {
      const found = unwritable(one);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  switch (type?.kind) {
    case "record":
      return first(type.fields.map(({ type }) => type));
    case "variant":
      return first(type.cases.map(({ type }) => type));
    case "tuple":
      return first(type.types);
    case "list":
      return unwritable(type.element);
    case "option":
      return unwritable(type.type);
    case "result":
      return first([type.ok, type.error]);
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return type;
    default:
      return undefined;
  }
}

/** A character in quotes. What does not show is written as its number. */
function escaped(character: string): string {
  const short = Object.entries(ESCAPES).find(([, meant]) => meant === character)?.[0];
  if (short !== undefined) return `\\${short}`;
  if (!/[\p{C}\p{Zl}\p{Zp}\p{Mn}\p{Me}]|(?! )\p{Zs}/u.test(character)) return character;
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** A number as short as it goes, and never with an exponent, as wasmtime prints it. */
function numberText(value: number, single: boolean): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0";
  let text = String(value);
  if (single) {
    for (let digits = 1; digits <= 9; digits++) {
      const short = Number(value.toPrecision(digits));
      if (Math.fround(short) !== value) continue;
      text = String(short);
      break;
    }
  }
  return plainNumber(text);
}

/** A decimal number without an exponent. */
function plainNumber(text: string): string {
  const [, sign, whole, fraction = "", exponent] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ??
    [];
  if (exponent === undefined) return text;
  const point = whole!.length + Number(exponent);
  const digits = whole! + fraction;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, "0");
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A value as WAVE writes it. */
export function written(type: ValueType, value: unknown): string {
  switch (type.kind) {
    case "f32":
    case "f64":
      return numberText(value as number, type.kind === "f32");
    case "char":
      return `'${escaped(value as string)}'`;
    case "string":
      return `"${[...(value as string)].map(escaped).join("")}"`;
    case "list": {
      const parts = Array.from(value as ArrayLike<unknown>, (one) => written(type.element, one));
      return `[${parts.join(", ")}]`;
    }
    case "tuple":
      return `(${type.types.map((one, i) => written(one, (value as unknown[])[i])).join(", ")})`;
    case "record": {
      const fields = type.fields.flatMap(({ name, type }) => {
        const field = (value as Record<string, unknown>)[camelCase(name)];
        const isNone = type.kind === "option" && isNothing(type, field);
        return isNone ? [] : [`${name}: ${written(type, field)}`];
      });
      return `{${fields.length === 0 ? ":" : fields.join(", ")}}`;
    }
    case "flags":
      return `{${
        type.names.filter((name) => (value as Record<string, boolean>)[camelCase(name)]).join(", ")
      }}`;
    case "enum":
      return guarded(value as string);
    case "variant": {
      const { tag, val } = value as { tag: string; val?: unknown };
      const payload = type.cases.find(({ name }) => name === tag)?.type;
      return guarded(tag) + (payload === undefined ? "" : `(${written(payload, val)})`);
    }
    case "option": {
      if (isNothing(type, value)) return "none";
      const some = type.type.kind === "option" ? (value as { val: unknown }).val : value;
      return `some(${written(type.type, some)})`;
    }
    case "result": {
      const { tag, val } = value as { tag: "ok" | "err"; val?: unknown };
      const payload = tag === "ok" ? type.ok : type.error;
      return tag + (payload === undefined ? "" : `(${written(payload, val)})`);
    }
    default:
      return String(value);
  }
}

function isNothing({ type }: ValueType & { kind: "option" }, value: unknown): boolean {
  if (type.kind !== "option") return value === undefined;
  return (value as { tag: string }).tag === "none";
}
