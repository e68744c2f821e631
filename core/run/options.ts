/**
 * The options of `run()` and `instantiate()`.
 *
 * @module
 */
import { THREADS } from "../constants.ts";
import type { AsyncWASIOptions } from "../guest/async_wasi.ts";
import { invalidType, invalidValue, outOfRange } from "../errors.ts";
import { validateBoolean, validateObject } from "../validate.ts";
import { nearest } from "../nearest.ts";
import type { NetworkOptions } from "../preview2/grant.ts";

/** Options of `run()` and, but for `threads`, `timeout` and `interruptible`, of `instantiate()`. */
export interface RunOptions extends Omit<AsyncWASIOptions, "version" | "returnOnExit" | "signal"> {
  /** The snapshot that the guest was built for. Default: the one that it imports. */
  version?: "preview1" | "unstable";
  /**
   * What the guest imports besides WASI: functions and classes by their interfaces for a component,
   * see docs/components.md. Default: nothing.
   */
  imports?: WebAssembly.Imports | Readonly<Record<string, unknown>>;
  /**
   * Whether it may start threads (wasi-threads): with `wasi.thread-spawn`, on a shared memory that it
   * imports and that is created for it. A number limits how many may run at once besides the main
   * thread; beyond, `thread-spawn` returns -6 (AGAIN). Default: false; true is 128.
   */
  threads?: boolean | number;
  /**
   * Milliseconds after which the program is stopped, whatever it does, counted from when it begins.
   * With functions among the `imports` it runs in this thread, for which it needs its bytes and
   * JSPI, and holds it while it computes. Default: Infinity.
   */
  timeout?: number;
  /** Stops the program, whatever it does. */
  signal?: AbortSignal;
  /**
   * What a component may do with the network (wasi:http, wasi:sockets); see
   * {@linkcode NetworkOptions}. Modules have nothing that it applies to. Default: nothing.
   */
  network?: NetworkOptions;
  /**
   * Whether a copy of the program gets checks, so that it can be stopped while it computes. With
   * `true` they are in its loops and functions and make it slower; with `false` there are none. The
   * checks need the program's bytes. Default: true with a timeout or a signal, if the source is not a
   * `WebAssembly.Module`. With threads alone, what the runtime needs to end them: on Deno and Bun the
   * same, on Node, which can stop loops itself, only at instructions that fill or copy memory and at
   * tail calls.
   */
  interruptible?: boolean;
}

/** The options that the class does not have, checked. */
export interface RunSettings {
  readonly imports: WebAssembly.Imports;
  /** undefined without threads */
  readonly threads: number | undefined;
  readonly timeout: number;
  readonly interruptible: boolean | undefined;
  /** what the program's memories may have */
  readonly memoryPages: number;
  /** see State.first */
  readonly first?: string | undefined;
}

export function validateSettings(
  { imports = {}, threads = false, timeout = Infinity, interruptible }: RunOptions,
): RunSettings {
  validateObject(imports, "options.imports");
  for (const [name, namespace] of Object.entries(imports as Record<string, unknown>)) {
    if (typeof namespace === "function" || (typeof namespace === "object" && namespace)) continue;
    throw invalidType(`options.imports.${name}`, "of type object", namespace);
  }
  if (typeof threads !== "boolean" && typeof threads !== "number") {
    throw invalidType("options.threads", "of type boolean or number", threads);
  }
  if (typeof threads === "number" && !(Number.isInteger(threads) && threads >= 0)) {
    throw outOfRange("options.threads", "an integer >= 0", threads);
  }
  if (typeof timeout !== "number") throw invalidType("options.timeout", "of type number", timeout);
  if (!(timeout >= 0)) throw outOfRange("options.timeout", ">= 0", timeout);
  if (interruptible !== undefined) validateBoolean(interruptible, "options.interruptible");
  return {
    imports: imports as WebAssembly.Imports,
    threads: threads === false ? undefined : threads === true ? THREADS : threads,
    timeout,
    interruptible,
    memoryPages: Infinity,
  };
}

/** The options of `run()`. */
const OPTIONS: readonly string[] = [
  "args",
  "clock",
  "confinement",
  "env",
  "ffi",
  "imports",
  "interruptible",
  "limits",
  "listen",
  "network",
  "preopens",
  "random",
  "signal",
  "stderr",
  "stdin",
  "stdout",
  "threads",
  "timeout",
  "trace",
  "version",
];

/**
 * Refuses what is not an option of a function, because a mistyped limit would limit nothing. `without`
 * are options that only the other function has.
 */
export function refuseUnknown(
  called: "run" | "instantiate",
  options: object,
  without: readonly string[],
): void {
  const known = OPTIONS.filter((name) => !without.includes(name));
  const name = Object.keys(options).find((name) => !known.includes(name));
  if (name === undefined) return;
  if (name === "returnOnExit") {
    throw invalidValue("options.returnOnExit", `is one of WASI: ${called}() always returns`, name);
  }
  if (without.includes(name)) {
    const reason = "is one of run(): the exports of an instance are called in this thread, where " +
      "nothing can stop them";
    throw invalidValue(`options.${name}`, reason, name);
  }
  const near = nearest(name, known);
  const meant = near === undefined
    ? `${called}() has ${known.join(", ")}`
    : `did you mean ${near}?`;
  throw invalidValue(`options.${name}`, `is not an option of ${called}(): ${meant}`, name);
}

/** Whether nothing among the options asks for suspending. */
export function canHold({ stdin, stdout, stderr, signal }: RunOptions): boolean {
  const isStream = (value: unknown): boolean =>
    value instanceof Blob || (typeof value === "object" && value !== null &&
      ("getReader" in value || "getWriter" in value || Symbol.asyncIterator in value));
  return signal === undefined && ![stdin, stdout, stderr].some(isStream);
}
