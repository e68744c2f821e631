/**
 * `--invoke` of a component: one of the functions that it or one of its interfaces exports, with
 * values in WAVE's notation.
 *
 * @module
 */
import type { ComponentFunction } from "../core/component/function.ts";
import type { InstanceItem } from "../core/component/scope.ts";
import { withoutVersion } from "../core/component/names.ts";
import {
  type Field,
  type FunctionType,
  showType,
  type ValueType,
} from "../core/component/types.ts";
import type { Ending } from "../core/guest/async_wasi.ts";
import { valueOf } from "../core/run/component.ts";
import { CommandError } from "./error.ts";
import type { Command } from "./options.ts";
import { say } from "./runtime.ts";
import { unwritable, written } from "./wave_text.ts";
import { WaveError, WaveReader } from "./wave.ts";

/** Longest text of the command line, or type, in an error. */
const SHOWN_MAX = 60;
const NAMES_MAX = 10;

/** A function that can be called, and the interface that has it. */
interface Callable {
  /** such as `ns:package/interface@1.0.0`; undefined for the component's own */
  readonly of: string | undefined;
  readonly name: string;
  readonly item: ComponentFunction;
}

function nameOf({ of, name }: Callable): string {
  return of === undefined ? name : `${of}#${name}`;
}

function callables(instance: InstanceItem, of?: string): Callable[] {
  return (instance.names ?? []).flatMap((name): Callable[] => {
    const item = instance.get(name)!;
    if (item.sort === "func") return [{ of, name, item }];
    return item.sort === "instance" && of === undefined ? callables(item, name) : [];
  });
}

/** Whether an interface is meant by a name: its own, without its version, or its last part. */
function isMeant(of: string, by: string): boolean {
  const { name } = withoutVersion(of);
  return by === of || by === name || by === name.slice(name.lastIndexOf("/") + 1);
}

/** The function that a name means. */
function find(file: string, option: string, wanted: string, all: readonly Callable[]): Callable {
  const hash = wanted.lastIndexOf("#");
  const short = wanted.slice(hash + 1);
  const by = hash < 0 ? undefined : wanted.slice(0, hash);
  const named = all.filter(({ name }) => name === short);
  const found = by === undefined
    ? named
    : named.filter(({ of }) => of !== undefined && isMeant(of, by));
  const own = found.filter(({ of }) => of === by);
  if (own.length === 1) return own[0]!;
  if (found.length === 1) return found[0]!;
  const list = (of: readonly Callable[]): string => of.map(nameOf).join(", ");
  if (found.length > 1) {
    throw new CommandError(`${option}: several functions have this name; use ${list(found)}`);
  }
  throw new CommandError(
    `${option}: ${file} has no such function; ` +
      (all.length > 0 && all.length <= NAMES_MAX
        ? `there are ${list(all)}`
        : `wasi inspect ${file} lists what it has`),
  );
}

function cut(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
}

/** What is wrong with a text, as an error of the command. */
function refused(error: unknown, text: string, what: string): unknown {
  if (!(error instanceof WaveError)) return error;
  const where = error.at === 0 || error.at >= text.length
    ? ""
    : `, at ${cut(text.slice(error.at))}`;
  return new CommandError(`${what}: ${cut(text) || '""'} is not valid: ${error.reason}${where}`);
}

/** Says what a function takes. */
function wrongCount(option: string, parameters: readonly Field[], count: number): CommandError {
  const types = parameters.map(({ name, type }) => `${name}: ${cut(showType(type))}`).join(", ");
  const needs = parameters.length === 0 ? "none" : `${parameters.length} (${types})`;
  return new CommandError(
    `${option}: it takes ${needs} and ${count} were given; pass them after FILE`,
  );
}

/** Parameters that may be left out at the end. */
function missing(parameters: readonly Field[], from: number): undefined[] | undefined {
  const left = parameters.slice(from);
  return left.every(({ type }) => type.kind === "option") ? left.map(() => undefined) : undefined;
}

/** The values of words, one for each parameter. */
function valuesOfWords(
  option: string,
  { parameters }: FunctionType,
  words: readonly string[],
): unknown[] {
  const more = missing(parameters, words.length);
  if (words.length > parameters.length || more === undefined) {
    throw wrongCount(option, parameters, words.length);
  }
  const values = words.map((text, i) => {
    const { name, type } = parameters[i]!;
    try {
      const reader = new WaveReader(text);
      const value = reader.value(type);
      reader.end();
      return value;
    } catch (error) {
      throw refused(error, text, `${option}: argument ${name} (${cut(showType(type))})`);
    }
  });
  return [...values, ...more];
}

/** The values of a call as wasmtime wants it: `name(value, value)`. */
function valuesOfCall(option: string, { parameters }: FunctionType, text: string): unknown[] {
  const values: unknown[] = [];
  let parameter: Field | undefined;
  try {
    const reader = new WaveReader(text);
    reader.expect("(");
    while (!reader.take(")")) {
      parameter = parameters[values.length];
      if (parameter === undefined) throw wrongCount(option, parameters, values.length + 1);
      values.push(reader.value(parameter.type));
      parameter = undefined;
      if (reader.take(",")) continue;
      reader.expect(")");
      break;
    }
    reader.end();
  } catch (error) {
    const what = parameter && `argument ${parameter.name} (${cut(showType(parameter.type))})`;
    throw refused(error, text, what === undefined ? option : `${option}: ${what}`);
  }
  const more = missing(parameters, values.length);
  if (more === undefined) throw wrongCount(option, parameters, values.length);
  return [...values, ...more];
}

/** Fails for a function whose values cannot be written. */
function refuseUnwritable(option: string, { parameters, result }: FunctionType): void {
  const types: (ValueType | undefined)[] = [...parameters.map(({ type }) => type), result];
  const other = types.map(unwritable).find((type) => type !== undefined);
  if (other === undefined) return;
  throw new CommandError(
    `${option}: a value of type ${cut(showType(other))} cannot be given or shown`,
  );
}

/** Calls one export and prints what it returns. */
export async function invokeComponent(
  { file, invoke = "", rest }: Command,
  linked: InstanceItem,
  ending: Ending,
): Promise<number> {
  const bracket = invoke.indexOf("(");
  const wanted = bracket < 0 ? invoke : invoke.slice(0, bracket).trim();
  const option = `--invoke ${wanted}`;
  const { item } = find(file, option, wanted, callables(linked));
  const type = item.type!;
  refuseUnwritable(option, type);
  if (bracket >= 0 && rest.length > 0) {
    throw new CommandError(`${option}: its values stand in the brackets; leave out ${rest[0]}`);
  }
  const values = bracket < 0
    ? valuesOfWords(option, type, rest)
    : valuesOfCall(option, type, invoke.slice(bracket));
  const value = await valueOf(item, values, ending);
  if (type.result !== undefined) await say(`${written(type.result, value)}\n`);
  return 0;
}
