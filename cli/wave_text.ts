/**
 * Values as WAVE writes them, and what their types are called.
 *
 * Source: https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave
 *
 * @module
 */
import { camelCase } from "../core/component/names.ts";
import { showType, type ValueType } from "../core/component/types.ts";

/** Words that mean something; a case of such a name stands behind `%`. */
export const KEYWORDS: readonly string[] = [
  "true",
  "false",
  "inf",
  "nan",
  "some",
  "none",
  "ok",
  "err",
];

/** Whole numbers: how many bits they have, and whether one is for the sign. */
export const INTEGERS: Readonly<Record<string, readonly [bits: number, signed: boolean]>> = {
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
export function rangeOf([bits, signed]: readonly [number, boolean]): [least: bigint, most: bigint] {
  if (!signed) return [0n, 2n ** BigInt(bits) - 1n];
  const half = 2n ** BigInt(bits - 1);
  return [-half, half - 1n];
}

export const ESCAPES: Readonly<Record<string, string>> = {
  "'": "'",
  '"': '"',
  "\\": "\\",
  t: "\t",
  n: "\n",
  r: "\r",
};

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
