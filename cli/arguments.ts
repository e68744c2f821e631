/**
 * The command line of `wasi`.
 *
 * @module
 */
import { parseArgs, parseEnv } from "node:util";
import { readFileSync } from "node:fs";
import process from "node:process";

/** An error of ours: one line, exit code 1. */
export class CommandError extends Error {}

/** A directory for the guest. */
export interface Mount {
  kind: "host" | "overlay" | "memory";
  /** the path on the host; "" for what is in memory */
  host: string;
  guest: string;
  readOnly: boolean;
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
}

const OPTIONS = {
  dir: { type: "string", multiple: true },
  mount: { type: "string", multiple: true },
  mapdir: { type: "string", multiple: true },
  tmp: { type: "string", multiple: true },
  overlay: { type: "string", multiple: true },
  env: { type: "string", multiple: true },
  "env-inherit": { type: "boolean" },
  "env-file": { type: "string", multiple: true },
  argv0: { type: "string" },
  invoke: { type: "string" },
  timeout: { type: "string" },
  wasm: { type: "string", multiple: true, short: "W" },
  wasi: { type: "string", multiple: true, short: "S" },
  "max-disk": { type: "string" },
  "max-files": { type: "string" },
  deterministic: { type: "boolean" },
  seed: { type: "string" },
  clock: { type: "string" },
  trace: { type: "string", multiple: true },
  stdin: { type: "string" },
  confine: { type: "string" },
  threads: { type: "boolean" },
  listen: { type: "string", multiple: true },
  tcplisten: { type: "string", multiple: true },
  version: { type: "boolean", short: "V" },
  help: { type: "boolean", short: "h" },
} as const;

/** Options whose value may be left out, and what that means. */
const OPTIONAL: Record<string, string> = { "--tmp": "/tmp", "--trace": "all" };

/** The kinds of system calls of a trace. */
const TRACES = ["all", "args", "clock", "fs", "poll", "proc", "sock"];

/** With `--deterministic`: 2000-01-01, and a seed like any other. */
const DETERMINISTIC_CLOCK = 946684800000000000n;
const DETERMINISTIC_SEED = 0n;

/** Long options with one dash, as programs written in Go take and pass them. */
function twoDashes(word: string): string {
  const name = /^-([a-z][a-z0-9-]+)(?:=|$)/.exec(word)?.[1];
  return name !== undefined && Object.hasOwn(OPTIONS, name) ? `-${word}` : word;
}

/** The position of the first word that is no option, or the end. */
function firstWord(words: string[]): number {
  const { tokens } = parseArgs({
    args: words,
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const first = tokens.find(({ kind }) => kind !== "option");
  return first === undefined ? words.length : first.index;
}

/** Reads the words behind the command's name. */
export function parseCommand(words: string[]): Command {
  let action: Command["action"] = "run";
  let at = 0;
  if (words[0] === "run" || words[0] === "inspect") {
    action = words[0];
    at = 1;
  } else if (words[0] === "help") return { ...empty(), action: "help" };
  const given = words.slice(at);
  const normal = given.map((word) => {
    const long = twoDashes(word);
    return Object.hasOwn(OPTIONAL, long) ? `${long}=${OPTIONAL[long]}` : long;
  });
  const end = firstWord(normal);
  const values = parseOptions(normal.slice(0, end));
  if (values.help) return { ...empty(), action: "help" };
  if (values.version) return { ...empty(), action: "version" };
  // a "--" before FILE ends the options, as everywhere
  const left = given.slice(end);
  if (left[0] === "--") left.shift();
  const file = left.shift();
  if (file === undefined) {
    throw new CommandError("which program? Give a FILE (.wasm or .wat); see wasi --help");
  }
  if (left[0] === "--") left.shift();
  return { ...commandOf(values), action, file, rest: left };
}

function empty(): Command {
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
  };
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; args: string[] }>>["values"];

function parseOptions(words: string[]): Values {
  try {
    return parseArgs({ args: words, options: OPTIONS, strict: true }).values;
  } catch (error) {
    const [line] = (error as Error).message.split(/\.(?: |$)|\n/);
    throw new CommandError(`${line}; see wasi --help`);
  }
}

function commandOf(values: Values): Command {
  refuse(values);
  const command: Command = {
    ...empty(),
    mounts: mountsOf(values),
    env: environmentOf(values),
    argv0: values.argv0,
    invoke: values.invoke,
    stdin: values.stdin,
    timeout: values.timeout === undefined ? undefined : duration(values.timeout, "--timeout"),
    maxDisk: sizeOf(values["max-disk"], "--max-disk"),
    maxFiles: sizeOf(values["max-files"], "--max-files"),
    seed: values.deterministic ? DETERMINISTIC_SEED : undefined,
    clock: values.deterministic ? DETERMINISTIC_CLOCK : undefined,
    trace: values.trace?.flatMap((kinds) => kinds.split(",")),
  };
  if (values.seed !== undefined) command.seed = whole(values.seed, "--seed");
  if (values.clock !== undefined) command.clock = time(values.clock);
  for (const kind of command.trace ?? []) {
    if (!TRACES.includes(kind)) {
      throw new CommandError(`--trace=${kind}: there are ${TRACES.join(", ")}`);
    }
  }
  const { confine } = values;
  if (confine !== undefined) {
    if (confine !== "kernel" && confine !== "walk" && confine !== "checked") {
      throw new CommandError(`--confine=${confine}: there are kernel, walk and checked`);
    }
    command.confine = confine;
  }
  wasmOptions(command, values.wasm ?? []);
  wasiOptions(command, values.wasi ?? []);
  return command;
}

/** Options that are known and not to be had, with the reason. */
function refuse(values: Values): void {
  if (values.mapdir !== undefined) {
    throw new CommandError(
      "--mapdir GUEST::HOST is gone from wasmtime, too: say --dir HOST::GUEST, the host's path first",
    );
  }
  if (values.threads) throw new CommandError("--threads: guests with threads cannot be run yet");
  if (values.listen !== undefined || values.tcplisten !== undefined) {
    throw new CommandError("--listen: listening sockets cannot be given yet");
  }
}

/** HOST[::GUEST[::ro]], as wasmtime spells it. */
function directory(text: string, option: string, kind: Mount["kind"]): Mount {
  const [host, guest, mode, ...more] = text.split("::");
  if (!host || more.length > 0 || (mode !== undefined && mode !== "ro" && mode !== "rw")) {
    throw new CommandError(`${option} ${text}: it must be HOST, HOST::GUEST or HOST::GUEST::ro`);
  }
  return { kind, host, guest: guest || host, readOnly: mode === "ro" };
}

/** HOST[:GUEST][:ro], as wazero spells it. */
function wazeroMount(text: string): Mount {
  const readOnly = text.endsWith(":ro");
  const [host, guest, ...more] = (readOnly ? text.slice(0, -3) : text).split(":");
  if (!host || more.length > 0) {
    throw new CommandError(`--mount ${text}: it must be HOST, HOST:GUEST or HOST:GUEST:ro`);
  }
  return { kind: "host", host, guest: guest || "/", readOnly };
}

function mountsOf(values: Values): Mount[] {
  const mounts = [
    ...(values.dir ?? []).map((text) => directory(text, "--dir", "host")),
    ...(values.mount ?? []).map(wazeroMount),
    ...(values.overlay ?? []).map((text) => directory(text, "--overlay", "overlay")),
    ...(values.tmp ?? []).map((guest): Mount => ({
      kind: "memory",
      host: "",
      guest: guest || "/tmp",
      readOnly: false,
    })),
  ];
  const seen = new Set<string>();
  for (const { guest } of mounts) {
    if (seen.has(guest)) throw new CommandError(`two directories for the guest's ${guest}`);
    seen.add(guest);
  }
  return mounts;
}

function environmentOf(values: Values): Record<string, string> {
  const env: Record<string, string> = {};
  if (values["env-inherit"]) {
    for (const [name, value] of Object.entries(process.env)) {
      if (value !== undefined) env[name] = value;
    }
  }
  for (const file of values["env-file"] ?? []) Object.assign(env, environmentFile(file));
  for (const text of values.env ?? []) {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === "") throw new CommandError(`--env ${text}: it must be NAME or NAME=VALUE`);
    const value = equals < 0 ? process.env[name] : text.slice(equals + 1);
    if (value === undefined) {
      throw new CommandError(`--env ${name}: there is no such variable; say --env ${name}=VALUE`);
    }
    env[name] = value;
  }
  return env;
}

function environmentFile(file: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(file, "utf8")) as Record<string, string | undefined>;
  } catch (error) {
    throw new CommandError(`--env-file ${file}: ${plain(error)}`);
  }
}

/** What went wrong, in few words. */
export function plain(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  switch (code) {
    case "ENOENT":
      return "no such file or directory";
    case "EACCES":
      return "permission denied";
    case "EISDIR":
      return "it is a directory";
    case "ENOTDIR":
      return "it is not a directory";
    default:
      return String(message ?? error).split("\n")[0]!;
  }
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60000, h: 3600000, us: 0.001, ns: 1e-6 };

/** Milliseconds of a time such as "1.5s", "200ms" or, without a unit, seconds. */
function duration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)?$/.exec(text);
  if (match === null || Number(match[1]) === 0) {
    throw new CommandError(`${option}=${text}: it must be a time such as 10s, 500ms or 2m`);
  }
  return Number(match[1]) * UNITS[match[2] ?? "s"]!;
}

const SIZES: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** A number such as "1000", "64K" or "1GiB". */
function sizeOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)([kmg]?)(?:i?b)?$/i.exec(text);
  const value = match === null ? NaN : Number(match[1]) * SIZES[match[2]!.toLowerCase()]!;
  if (!Number.isSafeInteger(value)) {
    throw new CommandError(`${option}=${text}: it must be a number such as 1000, 64K or 1G`);
  }
  return value;
}

function whole(text: string, option: string): bigint {
  if (!/^\d+$/.test(text)) throw new CommandError(`${option}=${text}: it must be a whole number`);
  return BigInt(text);
}

/** Nanoseconds since 1970, given so or as a date. */
function time(text: string): bigint {
  if (/^\d+$/.test(text)) return BigInt(text);
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds) || milliseconds < 0) {
    throw new CommandError(
      `--clock=${text}: it must be nanoseconds since 1970, or a date such as 2026-01-31T12:00:00Z`,
    );
  }
  return BigInt(milliseconds) * 1000000n;
}

/** What every engine of JavaScript has, or has not: nothing that an option could change. */
const FEATURE = /^[a-z0-9-]+$/;

/** `-W name[=value],...` of wasmtime. */
function wasmOptions(command: Command, lists: string[]): void {
  for (const text of lists.flatMap((list) => list.split(","))) {
    const [name, value] = text.split("=", 2) as [string, string | undefined];
    switch (name) {
      case "timeout":
        command.timeout = duration(value ?? "", "-W timeout");
        break;
      case "max-memory-size":
        command.maxMemory = sizeOf(value ?? "", "-W max-memory-size");
        break;
      case "max-wasm-stack":
        // the engine's own stack is what there is; CPython's and Go's scripts pass this
        sizeOf(value ?? "", "-W max-wasm-stack");
        break;
      case "threads":
        if (value !== "n") refuse({ threads: true } as Values);
        break;
      default:
        if (!FEATURE.test(name)) {
          throw new CommandError(`-W ${text}: it must be NAME or NAME=VALUE`);
        }
        if (value !== undefined && value !== "y" && value !== "n") {
          throw new CommandError(
            `-W ${text}: there are timeout, max-memory-size and max-wasm-stack, and features ` +
              `of the engine with y or n`,
          );
        }
    }
  }
}

/** `-S name[=value],...` of wasmtime. */
function wasiOptions(command: Command, lists: string[]): void {
  for (const text of lists.flatMap((list) => list.split(","))) {
    const [name, value] = text.split("=", 2) as [string, string | undefined];
    if (name === "inherit-env") {
      if (value === "n") continue;
      for (const [key, text] of Object.entries(process.env)) {
        if (text !== undefined && !Object.hasOwn(command.env, key)) command.env[key] = text;
      }
    } else if (name === "threads" && value !== "n") refuse({ threads: true } as Values);
    else if (name === "tcplisten") refuse({ listen: [text] } as Values);
    else if (!["cli", "common", "preview2", "threads"].includes(name)) {
      throw new CommandError(`-S ${text}: there are inherit-env and cli`);
    }
  }
}
