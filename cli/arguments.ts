/**
 * The command line of `wasi`.
 *
 * @module
 */
import type { ParseArgsOptionDescriptor } from "node:util";
import { THREADS } from "../core/constants.ts";
import { CommandError, plain } from "./error.ts";
import { readBytes, variable, variables } from "./runtime.ts";
import { address, duration, size, time, whole, yes } from "./values.ts";
import type { Setting } from "./wasmtime.ts";

/** A directory for the guest. */
export interface Mount {
  kind: "host" | "overlay" | "memory";
  /** the path on the host; "" for what is in memory */
  host: string;
  guest: string;
  readOnly: boolean;
  /** as it was given */
  option: string;
}

/** What is to be done. */
export interface Command {
  action: "run" | "inspect" | "help" | "version";
  file: string;
  /** what comes after FILE */
  rest: string[];
  mounts: Mount[];
  env: Record<string, string>;
  argv0: string | undefined;
  invoke: string | undefined;
  /** milliseconds */
  timeout: number | undefined;
  /** bytes */
  maxMemory: number | undefined;
  maxDisk: number | undefined;
  maxFiles: number | undefined;
  /** nanoseconds since 1970 */
  clock: bigint | undefined;
  seed: bigint | undefined;
  /** kinds of system calls; undefined for no trace */
  trace: string[] | undefined;
  stdin: string | undefined;
  confine: "kernel" | "walk" | "checked" | undefined;
  /** how many threads it may have at once besides its main; undefined for none */
  threads: number | undefined;
  /** sockets that listen, with descriptors after the directories */
  listen: { host: string; port: number }[];
}

/** What has been read of the command line so far. */
interface Draft extends Command {
  deterministic: boolean;
  inheritEnv: boolean;
  envFiles: string[];
  variables: string[];
  settings: Setting[];
  config: string | undefined;
}

/** One option. */
interface Option {
  /** what its value is; undefined if it has none */
  value?: string;
  /** its value if none is given, which then can only be given after "=" */
  default?: string;
  set(draft: Draft, value: string, option: string): void;
}

/** The kinds of system calls of a trace. */
const TRACES = ["all", "args", "clock", "fs", "poll", "proc", "sock"];

/** With `--deterministic`: 2000-01-01, and a seed like any other. */
const DETERMINISTIC_CLOCK = 946684800000000000n;
const DETERMINISTIC_SEED = 0n;

/** A group of settings of wasmtime. */
function group(letter: Setting["group"]): Option {
  return {
    value: "NAME[=VALUE]",
    set: ({ settings }, text, option) => {
      for (const part of text.split(",")) settings.push({ group: letter, text: part, option });
    },
  };
}

/** An option that is known and cannot be had, with what to do instead. */
function refused(why: string, value?: string): Option {
  return {
    value,
    set: (_, text, option) => {
      throw new CommandError(`${text === "" ? option : `${option} ${text}`}: ${why}`);
    },
  };
}

const OPTIONS: Record<string, Option> = {
  dir: {
    value: "HOST[::GUEST[::ro]]",
    set: ({ mounts }, text, option) => mounts.push(directory("host", text, option)),
  },
  mount: {
    value: "HOST[:GUEST][:ro]",
    set: ({ mounts }, text, option) => mounts.push(wazeroMount(text, option)),
  },
  mapdir: {
    value: "GUEST::HOST",
    set: (_, text) => {
      const [guest, host] = text.split("::");
      throw new CommandError(
        `--mapdir ${text}: wasmtime has given it up for --dir, where the host's path comes first: ` +
          `say --dir ${host ?? "HOST"}::${guest}`,
      );
    },
  },
  overlay: {
    value: "HOST[::GUEST]",
    set: ({ mounts }, text, option) => mounts.push(directory("overlay", text, option)),
  },
  tmp: {
    value: "GUEST",
    default: "/tmp",
    set: ({ mounts }, guest, option) => {
      if (guest === "") throw new CommandError(`${option}=: it must be --tmp or --tmp=GUEST`);
      mounts.push({ kind: "memory", host: "", guest, readOnly: false, option: `--tmp=${guest}` });
    },
  },
  env: { value: "NAME[=VALUE]", set: (draft, text) => draft.variables.push(text) },
  "env-inherit": { set: (draft) => draft.inheritEnv = true },
  "env-file": { value: "FILE", set: (draft, file) => draft.envFiles.push(file) },
  argv0: { value: "NAME", set: (draft, name) => draft.argv0 = name },
  invoke: { value: "NAME", set: (draft, name) => draft.invoke = name },
  stdin: { value: "FILE", set: (draft, file) => draft.stdin = file },
  timeout: {
    value: "TIME",
    set: (draft, text, option) => draft.timeout = duration(text, option),
  },
  "max-disk": {
    value: "SIZE",
    set: (draft, text, option) => draft.maxDisk = size(text, option),
  },
  "max-files": {
    value: "N",
    set: (draft, text, option) => draft.maxFiles = size(text, option),
  },
  deterministic: { set: (draft) => draft.deterministic = true },
  seed: { value: "N", set: (draft, text, option) => draft.seed = whole(text, option) },
  clock: { value: "TIME", set: (draft, text, option) => draft.clock = time(text, option) },
  trace: {
    value: "KINDS",
    default: "all",
    set: (draft, text, option) => {
      for (const kind of text.split(",")) {
        if (!TRACES.includes(kind)) {
          throw new CommandError(`${option}=${text}: there are ${TRACES.join(", ")}`);
        }
        (draft.trace ??= []).push(kind);
      }
    },
  },
  confine: {
    value: "kernel|walk|checked",
    set: (draft, text, option) => {
      if (text !== "kernel" && text !== "walk" && text !== "checked") {
        throw new CommandError(`${option}=${text}: there are kernel, walk and checked`);
      }
      draft.confine = text;
    },
  },
  version: { set: (draft) => draft.action = "version" },
  help: { set: (draft) => draft.action = "help" },
  // wasmtime's groups, and what wazero and wasmtime have for their own engines
  wasm: group("W"),
  wasi: group("S"),
  optimize: group("O"),
  codegen: group("C"),
  debug: group("D"),
  config: { value: "FILE", set: (draft, file) => draft.config = file },
  cachedir: { value: "DIR", set: () => {} },
  threads: {
    value: "N",
    default: String(THREADS),
    set: (draft, text, option) => draft.threads = size(text, option),
  },
  listen: {
    value: "HOST:PORT",
    set: ({ listen }, text, option) => listen.push(address(text, option)),
  },
  tcplisten: {
    value: "HOST:PORT",
    set: ({ listen }, text, option) => listen.push(address(text, option)),
  },
  preload: refused("one module is run alone; link them into one", "NAME=FILE"),
  hostlogging: refused("say --trace", "SCOPES"),
};

const LETTERS: Record<string, string> = {
  W: "wasm",
  S: "wasi",
  O: "optimize",
  C: "codegen",
  D: "debug",
  V: "version",
  h: "help",
};

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

function unknownOption(word: string, name: string): CommandError {
  const near = nearest(name);
  return new CommandError(
    `${word}: there is no such option; ${near === undefined ? "" : `did you mean --${near}? `}` +
      `see wasi --help`,
  );
}

/** The option whose name is nearly this one. */
function nearest(name: string): string | undefined {
  const near = Object.keys(OPTIONS).map((known) => ({ known, steps: distance(name, known) }))
    .filter(({ known, steps }) => steps <= 2 && steps < known.length / 2);
  return near.sort((one, other) => one.steps - other.steps)[0]?.known;
}

/** How many letters have to be put in, taken out or changed; 1 if they are in another order. */
function distance(one: string, other: string): number {
  if ([...one].sort().join() === [...other].sort().join()) return 1;
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
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
        throw new CommandError(`${rawName}=${value}: it takes no value; say ${rawName}`);
      }
      if (inlineValue && yes(value) === false) continue;
      value = "";
    } else if (!inlineValue && (token.value === undefined || /^-./.test(value))) {
      const but = token.value === undefined
        ? ""
        : `; for one that begins with a dash ${rawName}=VALUE`;
      throw new CommandError(
        `${rawName}: its value is missing: say ${rawName} ${option.value}${but}`,
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
  const left = await takeOptions(draft, words[0] === "run" ? words.slice(1) : words);
  if (draft.action !== "run") return draft;
  draft.file = fileOf(left);
  draft.rest = left.slice(left[1] === "--" ? 2 : 1);
  if (draft.settings.length > 0 || draft.config !== undefined) {
    const { applySettings, readConfig } = await import("./wasmtime.ts");
    if (draft.config !== undefined) draft.settings.unshift(...await readConfig(draft.config));
    const { timeout } = draft;
    applySettings(draft, draft.settings);
    draft.timeout = timeout ?? draft.timeout;
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
  throw new CommandError("which program? Give a FILE (.wasm or .wat); see wasi --help");
}

function inspected(draft: Draft, words: readonly string[]): Command {
  const [first, second] = words;
  if (first === "--help" || first === "-h") return { ...draft, action: "help" };
  const left = first === "--" ? words.slice(1) : words;
  if (first !== "--" && first?.startsWith("-") && first !== "-") {
    throw new CommandError(`${first}: inspect has no options; say wasi inspect FILE`);
  }
  if (left.length > 1) {
    throw new CommandError(`${first === "--" ? left[1] : second}: inspect takes one FILE`);
  }
  return { ...draft, action: "inspect", file: fileOf(left) };
}

function emptyDraft(): Draft {
  return {
    action: "run",
    file: "",
    rest: [],
    mounts: [],
    env: {},
    argv0: undefined,
    invoke: undefined,
    timeout: undefined,
    maxMemory: undefined,
    maxDisk: undefined,
    maxFiles: undefined,
    clock: undefined,
    seed: undefined,
    trace: undefined,
    stdin: undefined,
    confine: undefined,
    threads: undefined,
    listen: [],
    deterministic: false,
    inheritEnv: false,
    envFiles: [],
    variables: [],
    settings: [],
    config: undefined,
  };
}

/** HOST[::GUEST[::ro]], as wasmtime spells it. */
function directory(kind: "host" | "overlay", text: string, option: string): Mount {
  const [host, guest, mode, ...more] = text.split("::");
  const modes = kind === "host" ? ["ro", "rw"] : [];
  if (!host || more.length > 0 || (mode !== undefined && !modes.includes(mode))) {
    const forms = kind === "host" ? "HOST, HOST::GUEST or HOST::GUEST::ro" : "HOST or HOST::GUEST";
    throw new CommandError(`${option} ${text}: it must be ${forms}`);
  }
  const readOnly = mode === "ro";
  return { kind, host, guest: guest || host, readOnly, option: `${option} ${text}` };
}

/** HOST[:GUEST][:ro], as wazero spells it: without GUEST it has the name it has on the host. */
function wazeroMount(text: string, option: string): Mount {
  const readOnly = text.endsWith(":ro");
  const paths = readOnly ? text.slice(0, -3) : text;
  const colon = paths.lastIndexOf(":");
  const host = colon < 0 ? paths : paths.slice(0, colon);
  if (host === "") {
    throw new CommandError(`${option} ${text}: it must be HOST, HOST:GUEST or HOST:GUEST:ro`);
  }
  const guest = colon < 0 ? host : paths.slice(colon + 1) || host;
  return { kind: "host", host, guest, readOnly, option: `${option} ${text}` };
}

function refuseTwice(mounts: readonly Mount[]): void {
  const seen = new Map<string, string>();
  for (const { guest, option } of mounts) {
    const other = seen.get(guest);
    if (other !== undefined) {
      throw new CommandError(
        `${option}: the guest's ${guest} is there already (${other}); give it another name`,
      );
    }
    seen.set(guest, option);
  }
}

async function environmentOf(draft: Draft): Promise<Record<string, string>> {
  const env = draft.inheritEnv ? variables() : {};
  for (const file of draft.envFiles) Object.assign(env, await environmentFile(file));
  for (const text of draft.variables) {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === "") throw new CommandError(`--env ${text}: it must be NAME or NAME=VALUE`);
    const value = equals < 0 ? variable(name) : text.slice(equals + 1);
    if (value === undefined) {
      throw new CommandError(`--env ${name}: there is no such variable; say --env ${name}=VALUE`);
    }
    env[name] = value;
  }
  return env;
}

async function environmentFile(file: string): Promise<Record<string, string | undefined>> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(file);
  } catch (error) {
    throw new CommandError(`--env-file ${file}: ${plain(error)}`);
  }
  const { parseEnv } = await import("node:util");
  return parseEnv(new TextDecoder().decode(bytes)) as Record<string, string | undefined>;
}
