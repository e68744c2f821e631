/**
 * What wasmtime keeps in groups of settings: `-W name[=value],...`, and its files of them.
 *
 * @module
 */
import { THREADS } from "../core/constants.ts";
import { CommandError, plain, UsageError } from "./error.ts";
import { readBytes } from "./runtime.ts";
import { address, duration, size, yes } from "./values.ts";

/** One setting of a group. */
export interface Setting {
  group: "W" | "S" | "O" | "C" | "D";
  /** NAME or NAME=VALUE */
  text: string;
  /** where it comes from */
  option: string;
}

/** What the settings set. */
interface Settable {
  timeout: number | undefined;
  maxMemory: number | undefined;
  inheritEnv: boolean;
  threads: number | undefined;
  listen: { host: string; port: number }[];
  inheritNetwork: boolean;
  lookup: boolean | undefined;
}

/** What every engine of JavaScript has, or has not: nothing that a setting could change. */
const FEATURES = new Set([
  "all-proposals",
  "async-stack-zeroing",
  "branch-hinting",
  "bulk-memory",
  "component-model",
  "custom-page-sizes",
  "epoch-interruption",
  "exceptions",
  "extended-const",
  "function-references",
  "gc",
  "legacy-exceptions",
  "memory64",
  "multi-memory",
  "multi-value",
  "nan-canonicalization",
  "reference-types",
  "relaxed-simd",
  "relaxed-simd-deterministic",
  "shared-memory",
  "simd",
  "stack-switching",
  "tail-call",
  "threads",
  "unknown-exports-allow",
  "wide-arithmetic",
]);

/** What is so anyway, or does not matter to a program of preview1. */
const ANYWAY = new Set([
  "cli",
  "cli-exit-with-code",
  "common",
  "network-error-code",
  "p3",
  "preview0",
  "preview2",
  "tcp",
  "udp",
]);

/** What is granted or not granted as a whole, so that "n" would leave more than was asked for. */
const WHOLE = new Set(["tcp", "udp"]);

/** Sets what the settings say; later ones win. What is wasmtime's compiler's is left out. */
export function applySettings(to: Settable, settings: readonly Setting[]): void {
  for (const setting of settings) {
    if (setting.group === "W") wasm(to, setting);
    else if (setting.group === "S") wasi(to, setting);
  }
}

function parts(text: string): [name: string, value: string | undefined] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

function wasm(to: Settable, { text, option }: Setting): void {
  const [name, value] = parts(text);
  switch (name) {
    case "timeout":
      to.timeout = duration(value ?? "", `${option} timeout`);
      return;
    case "max-memory-size":
      to.maxMemory = size(value ?? "", `${option} max-memory-size`);
      return;
    case "max-wasm-stack":
    case "async-stack-size":
      // the engine's own stack is what there is; CPython's and Go's scripts pass this
      size(value ?? "", `${option} ${name}`);
      return;
  }
  if (!FEATURES.has(name)) {
    throw new UsageError(
      `${option} ${text}: there are timeout=TIME, max-memory-size=SIZE, max-wasm-stack=SIZE, and ` +
        `features such as simd`,
    );
  }
  if (yes(value) === undefined) throw new UsageError(`${option} ${text}: it must be y or n`);
}

function wasi(to: Settable, { text, option }: Setting): void {
  const [name, value] = parts(text);
  const wanted = yes(value);
  if (wanted === false && !WHOLE.has(name)) return;
  if (name === "inherit-env" && wanted) to.inheritEnv = true;
  else if (name === "threads" && wanted) to.threads ??= THREADS;
  else if (name === "inherit-network" && wanted) to.inheritNetwork = true;
  else if (name === "allow-ip-name-lookup" && wanted) to.lookup = true;
  else if (name === "tcplisten") {
    to.listen.push(address(value ?? "", `${option} tcplisten`));
  } else if (name === "listenfd") {
    throw new UsageError(`${option} ${text}: use --listen HOST:PORT`);
  } else if (name === "http") {
    throw new UsageError(`${option} ${text}: use --network HOST, or --network "*" for every host`);
  } else if (!ANYWAY.has(name) || !wanted) {
    throw new UsageError(
      `${option} ${text}: there are inherit-env, inherit-network, allow-ip-name-lookup, threads and ` +
        `cli`,
    );
  }
}

const GROUPS: Record<string, Setting["group"]> = {
  wasm: "W",
  wasi: "S",
  optimize: "O",
  codegen: "C",
  debug: "D",
};

/** The settings in a file of wasmtime's: groups in brackets, a `name = value` on each line. */
export async function readConfig(file: string): Promise<Setting[]> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readBytes(file));
  } catch (error) {
    throw new CommandError(`--config ${file}: ${plain(error)}`);
  }
  const settings: Setting[] = [];
  let group: Setting["group"] | undefined;
  text.split("\n").forEach((line, i) => {
    const title = /^\s*\[([a-z]+)\]\s*(?:#.*)?$/.exec(line);
    if (title !== null && Object.hasOwn(GROUPS, title[1]!)) {
      group = GROUPS[title[1]!];
      return;
    }
    const pair = /^\s*([a-z0-9-]+)\s*=\s*("[^"\\]*"|[\w.]+)\s*(?:#.*)?$/.exec(line);
    if (pair !== null && group !== undefined) {
      const value = pair[2]!.replace(/^"|"$/g, "");
      settings.push({ group, text: `${pair[1]}=${value}`, option: `--config ${file}:` });
    } else if (!/^\s*(?:#.*)?$/.test(line)) {
      throw new UsageError(
        `--config ${file}: line ${i + 1} is neither a group such as [wasm] nor name = value`,
      );
    }
  });
  return settings;
}
