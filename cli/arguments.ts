/**
 * The command line of `wasi`.
 *
 * @module
 */
import type { ParseArgsOptionDescriptor } from "node:util";
import { nearest } from "../core/nearest.ts";
import { CommandError, plain, UsageError } from "./error.ts";
import { type Command, type Draft, LETTERS, type Mount, type Option, OPTIONS } from "./options.ts";
import { readBytes, variable, variables } from "./runtime.ts";
import { yes } from "./values.ts";

/** With `--deterministic`: 2000-01-01, and a seed like any other. */
const DETERMINISTIC_CLOCK = 946684800000000000n;
const DETERMINISTIC_SEED = 0n;

/** An option as node:util's parseArgs wants it. */
function parsed([name, { value }]: [string, Option]): [string, ParseArgsOptionDescriptor] {
  const short = Object.keys(LETTERS).find((letter) => LETTERS[letter] === name);
  const type = value === undefined ? "boolean" : "string";
  return [name, { type, multiple: true, ...(short === undefined ? {} : { short }) }];
}

/** A word as parseArgs knows it: two dashes, and a value where one may be left out. */
function normal(word: string): string {
  // programs written in Go take and pass long options with one dash
  const long = /^-([^-=][^=]+)/.exec(word)?.[1];
  if (long !== undefined && Object.hasOwn(OPTIONS, long)) word = `-${word}`;
  const name = word.slice(2);
  const known = word.startsWith("--") && Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  return known?.default === undefined ? word : `${word}=${known.default}`;
}

function unknownOption(word: string, name: string): UsageError {
  const near = nearest(name, Object.keys(OPTIONS));
  return new UsageError(
    `${word}: there is no such option; ${near === undefined ? "" : `did you mean --${near}? `}` +
      `see wasi --help`,
  );
}

/** Takes the options at the beginning of the words; gives what comes after them. */
async function takeOptions(draft: Draft, words: readonly string[]): Promise<readonly string[]> {
  if (!words[0]?.startsWith("-")) return words; // which saves Bun three milliseconds
  const { parseArgs } = await import("node:util");
  const { tokens } = parseArgs({
    args: words.map(normal),
    options: Object.fromEntries(Object.entries(OPTIONS).map(parsed)),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") return words.slice(token.index);
    if (token.kind === "option-terminator") return words.slice(token.index + 1);
    const { name, rawName, inlineValue } = token;
    if (!Object.hasOwn(OPTIONS, name)) throw unknownOption(words[token.index]!, name);
    const option = OPTIONS[name]!;
    let value = token.value ?? "";
    if (option.value === undefined) {
      if (inlineValue && yes(value) === undefined) {
        throw new UsageError(`${rawName}=${value}: it takes no value; use ${rawName}`);
      }
      if (inlineValue && yes(value) === false) continue;
      value = "";
    } else if (!inlineValue && (token.value === undefined || /^-./.test(value))) {
      const but = token.value === undefined
        ? ""
        : `; for one that begins with a dash ${rawName}=VALUE`;
      throw new UsageError(
        `${rawName}: its value is missing: use ${rawName} ${option.value}${but}`,
      );
    } else if (rawName.length === 2) value = value.replace(/^=/, "");
    option.set(draft, value, rawName);
    if (draft.action === "help" || draft.action === "version") break;
  }
  return [];
}

/** Reads the words behind the command's name. */
export async function parseCommand(words: readonly string[]): Promise<Command> {
  const draft = emptyDraft();
  if (words[0] === "help") return { ...draft, action: "help" };
  if (words[0] === "inspect") return inspected(draft, words.slice(1));
  if (words[0] === "completion") return completed(draft, words.slice(1));
  const left = await takeOptions(draft, words[0] === "run" ? words.slice(1) : words);
  if (draft.action !== "run") return draft;
  draft.file = fileOf(left);
  draft.rest = left.slice(left[1] === "--" ? 2 : 1);
  if (draft.settings.length > 0 || draft.config !== undefined) {
    const { applySettings, readConfig } = await import("./wasmtime.ts");
    if (draft.config !== undefined) draft.settings.unshift(...await readConfig(draft.config));
    const { timeout, maxMemory } = draft;
    applySettings(draft, draft.settings);
    draft.timeout = timeout ?? draft.timeout;
    draft.maxMemory = maxMemory ?? draft.maxMemory;
  }
  if (draft.deterministic) {
    draft.clock ??= DETERMINISTIC_CLOCK;
    draft.seed ??= DETERMINISTIC_SEED;
  }
  refuseTwice(draft.mounts);
  draft.env = await environmentOf(draft);
  return draft;
}

function fileOf(words: readonly string[]): string {
  if (words[0]) return words[0];
  throw new UsageError("which program? Give a FILE (.wasm or .wat); see wasi --help");
}

function inspected(draft: Draft, words: readonly string[]): Command {
  const [first, second] = words;
  if (first === "--help" || first === "-h") return { ...draft, action: "help" };
  const left = first === "--" ? words.slice(1) : words;
  if (first !== "--" && first?.startsWith("-") && first !== "-") {
    throw new UsageError(`${first}: inspect has no options; use wasi inspect FILE`);
  }
  if (left.length > 1) {
    throw new UsageError(`${first === "--" ? left[1] : second}: inspect takes one FILE`);
  }
  return { ...draft, action: "inspect", file: fileOf(left) };
}

function completed(draft: Draft, words: readonly string[]): Command {
  if (words[0] === "--help" || words[0] === "-h") return { ...draft, action: "help" };
  if (words.length !== 1) throw new UsageError("completion: use wasi completion bash|zsh|fish");
  return { ...draft, action: "completion", file: words[0]! };
}

function emptyDraft(): Draft {
  return {
    action: "run",
    file: "",
    rest: [],
    mounts: [],
    env: Object.create(null),
    argv0: undefined,
    invoke: undefined,
    timeout: undefined,
    maxMemory: undefined,
    maxDisk: undefined,
    maxOutput: undefined,
    maxFiles: undefined,
    maxOpenFiles: undefined,
    clock: undefined,
    seed: undefined,
    trace: undefined,
    stdin: undefined,
    confine: undefined,
    threads: undefined,
    listen: [],
    network: [],
    inheritNetwork: false,
    lookup: undefined,
    deterministic: false,
    inheritEnv: false,
    envFiles: [],
    variables: [],
    settings: [],
    config: undefined,
  };
}

function refuseTwice(mounts: readonly Mount[]): void {
  const seen = new Map<string, string>();
  for (const { guest, option } of mounts) {
    const other = seen.get(guest);
    if (other !== undefined) {
      throw new UsageError(
        `${option}: the guest path ${guest} is used already (${other}); choose another`,
      );
    }
    seen.set(guest, option);
  }
}

/** The variables, in an object without a prototype: one of them may be called `__proto__`. */
async function environmentOf(draft: Draft): Promise<Record<string, string>> {
  const env: Record<string, string> = Object.create(null);
  if (draft.inheritEnv) Object.assign(env, ofRuntime("--env-inherit", variables));
  for (const file of draft.envFiles) Object.assign(env, await environmentFile(file));
  for (const text of draft.variables) {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === "") throw new UsageError(`--env ${text}: it must be NAME or NAME=VALUE`);
    const value = equals < 0
      ? ofRuntime(`--env ${name}`, () => variable(name))
      : text.slice(equals + 1);
    // what is not set here is not set there, as wasmtime has it
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** What the runtime may keep to itself. */
function ofRuntime<T>(option: string, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw new CommandError(`${option}: ${plain(error)}`);
  }
}

async function environmentFile(file: string): Promise<Record<string, string | undefined>> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readBytes(file));
  } catch (error) {
    throw new CommandError(`--env-file ${file}: ${plain(error)}`);
  }
  const { parseEnv } = await import("node:util");
  const parsed = (text: string): Record<string, string | undefined> =>
    Object.assign(Object.create(null), parseEnv(text));
  const env = parsed(text);
  // the runtimes lose this one
  const line = /^[^\S\n]*(?:export\s+)?__proto__(?=[^\S\n]*=)/gm;
  if (!Object.hasOwn(env, "__proto__") && line.test(text)) {
    let name = "other";
    while (text.includes(name)) name += "_";
    env.__proto__ = parsed(text.replace(line, name))[name];
  }
  return env;
}
