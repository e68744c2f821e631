/**
 * `--invoke`: one function of a module, with numbers from the command line.
 *
 * @module
 */
import type { BaseWASI } from "../core/guest/wasi.ts";
import { type Item, parseBinary } from "../core/module/binary.ts";
import { bind } from "./bindings.ts";
import { CommandError } from "./error.ts";
import { say } from "./runtime.ts";

/** What the values of a type must be, for errors. */
const RANGES: Record<string, string> = {
  i32: "a whole number from -2^31 to 2^32 - 1",
  i64: "a whole number from -2^63 to 2^64 - 1",
  f32: "a number, nan, inf or -inf",
  f64: "a number, nan, inf or -inf",
};

/** A number for a parameter of a function, or undefined if the text is none of that type. */
function numberOf(text: string, type: string): number | bigint | undefined {
  if (type === "i32" || type === "i64") {
    const bits = type === "i32" ? 32n : 64n;
    const parts = /^([+-]?)(\d+|0x[0-9a-f]+)$/i.exec(text);
    if (parts === null) return undefined;
    const value = parts[1] === "-" ? -BigInt(parts[2]!) : BigInt(parts[2]!);
    if (value < -(2n ** (bits - 1n)) || value >= 2n ** bits) return undefined;
    return type === "i32" ? Number(value) : value;
  }
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const word = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
  if (word === null) return undefined;
  const value = word[2]!.toLowerCase() === "nan" ? NaN : Infinity;
  return word[1] === "-" ? -value : value;
}

/** A result as wasmtime prints it: whole numbers with their sign, others as short as they go. */
function textOf(value: number | bigint, type: string): string {
  if (Object.is(value, -0)) return "-0";
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  if (type === "f32") {
    for (let digits = 1; digits <= 9; digits++) {
      const short = Number((value as number).toPrecision(digits));
      if (Math.fround(short) === value) return String(short);
    }
  }
  return String(value);
}

function exportsOf(file: string, bytes: Uint8Array): Item[] {
  try {
    return parseBinary(bytes).exports;
  } catch (error) {
    // an engine may know more than is known here
    throw new CommandError(`${file}: its functions cannot be read: ${(error as Error).message}`);
  }
}

/** Calls one export and prints what it returns, a line for each value. */
export async function invoke(
  file: string,
  name: string,
  words: readonly string[],
  { wasi, instance, bytes }: {
    wasi: BaseWASI;
    instance: WebAssembly.Instance;
    bytes: Uint8Array;
  },
): Promise<number> {
  const option = `--invoke ${name}`;
  const exports = exportsOf(file, bytes);
  const item = exports.find((item) => item.name === name && item.kind === "function");
  if (item === undefined) {
    const names = exports.filter(({ kind }) => kind === "function").map((item) => item.name);
    throw new CommandError(
      `${option}: ${file} has no such function; ` +
        (names.length > 0 && names.length <= 10
          ? `there are ${names.join(", ")}`
          : `wasi inspect ${file} lists what it has`),
    );
  }
  const { parameters, results } = item.type!;
  const other = [...parameters, ...results].find((type) => !Object.hasOwn(RANGES, type));
  if (other !== undefined) {
    throw new CommandError(`${option}: a value of type ${other} cannot be given or shown`);
  }
  if (parameters.length !== words.length) {
    const needs = parameters.length === 0 ? "none" : `${parameters.length}`;
    const types = parameters.length === 0 ? "" : ` (${parameters.join(", ")})`;
    throw new CommandError(
      `${option}: it takes ${needs}${types} and ${words.length} were given; pass them after FILE`,
    );
  }
  const values = words.map((text, i) => {
    const type = parameters[i]!;
    const value = numberOf(text, type);
    if (value !== undefined) return value;
    throw new CommandError(
      `${option}: ${text || '""'} is not a valid ${type}: it must be ${RANGES[type]}`,
    );
  });
  bind(wasi, instance);
  const { _initialize } = instance.exports;
  if (typeof _initialize === "function" && name !== "_initialize") _initialize();
  const result = (instance.exports[name] as (...values: unknown[]) => unknown)(...values);
  const all = (results.length === 1 ? [result] : result ?? []) as (number | bigint)[];
  if (all.length > 0) await say(all.map((value, i) => `${textOf(value, results[i]!)}\n`).join(""));
  return 0;
}
