/**
 * Running a program in one call, and guests that are suspended while they wait.
 *
 * @module
 */
import { type AsyncWASIOptions, BaseAsyncWASI, canSuspend, validateSignal } from "../core/async.ts";
import { instrument } from "../core/instrument.ts";
import { validateLimits } from "../core/limits.ts";
import { limitMemory } from "../core/module.ts";
import { invalidValue, validateObject } from "../core/options.ts";
import { BaseWASI, type WASIOptions } from "../core/wasi.ts";
import { checksOf, obstacle, runApart, validateOwn } from "./apart.ts";
import { runtimeMaker } from "./runtime.ts";
import { isModule, load, type Source } from "./source.ts";

export type { Source } from "./source.ts";

/**
 * The class `WASI` for guests that are suspended while they wait (sleep, poll, read what is not
 * there yet): the thread is free meanwhile, and streams can be their standard streams. It needs
 * JSPI: Node 26, Deno, Bun.
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { AsyncWASI, canSuspend } from "@x/wasi";
 *
 * if (canSuspend()) {
 *   const wasi = new AsyncWASI({
 *     version: "preview1",
 *     args: ["tool", "upper"],
 *     stdin: new Blob(["hello"]).stream(),
 *     stdout: (chunk) => console.assert(new TextDecoder().decode(chunk) === "HELLO"),
 *   });
 *   const module = await WebAssembly.compile(await readFile("tool.wasm"));
 *   const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
 *   console.assert(await wasi.start(instance) === 0);
 * }
 * ```
 */
export class AsyncWASI extends BaseAsyncWASI {
  /** Checks the options and opens the preopens; see {@linkcode BaseAsyncWASI}. */
  constructor(options: AsyncWASIOptions = {} as AsyncWASIOptions) {
    super(options, runtimeMaker());
  }
}

/** Options of {@linkcode run}. */
export interface RunOptions extends Omit<AsyncWASIOptions, "version" | "returnOnExit" | "signal"> {
  /** Which snapshot the guest was built for. Default: the one that it imports. */
  version?: "preview1" | "unstable";
  /** What the guest imports besides WASI. */
  imports?: WebAssembly.Imports;
  /**
   * Whether it may start threads, as wasi-threads has them: with `wasi.thread-spawn`, over a
   * shared memory that it imports, which is made for it. A number is how many it may have at once
   * besides its main; beyond, `thread-spawn` answers -6 (AGAIN). Default: false; true is 128.
   */
  threads?: boolean | number;
  /**
   * Milliseconds after which the program is ended, whatever it does, counted from when it begins.
   * Default: Infinity.
   */
  timeout?: number;
  /** Ends the program, whatever it does. */
  signal?: AbortSignal;
  /**
   * Whether the program gets checks, in a copy, by which it can be ended while it computes. With
   * `true` they are at its loops and functions, and make it slower; with `false` there are none.
   * It needs the program's bytes. Default: what the runtime needs if there is a timeout or a signal
   * or there are threads, and if the source is not a `WebAssembly.Module`: on Deno and Bun checks
   * at loops and functions, on Node, which can end loops itself, only at instructions that fill or
   * copy memory.
   */
  interruptible?: boolean;
}

/** The snapshot that a module imports. */
function versionOf(module: WebAssembly.Module): "preview1" | "unstable" {
  const names = new Set(WebAssembly.Module.imports(module).map(({ module }) => module));
  const old = names.has("wasi_unstable") && !names.has("wasi_snapshot_preview1");
  return old ? "unstable" : "preview1";
}

/** Whether nothing among the options asks for suspending. */
function canHold({ stdin, stdout, stderr, signal }: RunOptions): boolean {
  const isStream = (value: unknown): boolean =>
    value instanceof Blob || (typeof value === "object" && value !== null &&
      ("getReader" in value || "getWriter" in value || Symbol.asyncIterator in value));
  return signal === undefined && ![stdin, stdout, stderr].some(isStream);
}

async function compile(bytes: Uint8Array): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(bytes as BufferSource);
}

/**
 * Instantiates a program and runs it: a command to its end, a reactor to where it is initialised.
 *
 * While the guest waits it is suspended and the thread is free, over JSPI; streams and async
 * iterables can be its standard streams, and a signal ends it. Without JSPI (Node 20 to 24) it
 * holds the thread, and options that need more are refused.
 *
 * @param source the program
 * @param options as of `WASI`; see {@linkcode RunOptions}
 * @returns the exit code of a command, the instance of a reactor, whose exports that may wait are
 * to be called through `WebAssembly.promising`
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong options
 * @throws {Error} `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for streams or a signal without JSPI;
 * `ERR_WASI_SOURCE` for a response that is none; the signal's reason; what a stream failed with
 * @throws {WebAssembly.RuntimeError} if the guest traps; `CompileError` and `LinkError` as
 * WebAssembly has them
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { OutputBuffer, run } from "@x/wasi";
 *
 * const stdout = new OutputBuffer();
 * const code = await run(await readFile("tool.wasm"), {
 *   args: ["tool", "upper"],
 *   stdin: new TextEncoder().encode("hello"),
 *   stdout,
 * });
 * console.assert(code === 0 && stdout.text() === "HELLO");
 * ```
 */
export async function run(
  source: Source,
  options: RunOptions = {},
): Promise<number | WebAssembly.Instance> {
  validateObject(options, "options");
  const own = validateOwn(options);
  validateSignal(options.signal);
  const { memoryPages } = validateLimits(options.limits);
  const { imports: _, threads: __, timeout: ___, interruptible: ____, ...rest } = options;
  let loaded = await load(source);
  const bounded = own.threads !== undefined || own.timeout !== Infinity;
  const apart = bounded || options.signal !== undefined;
  if (own.interruptible === true && isModule(loaded)) {
    throw invalidValue(
      "options.interruptible",
      "needs the program's bytes, which a WebAssembly.Module does not give",
      true,
    );
  }
  if (!isModule(loaded) && memoryPages !== Infinity) loaded = limitMemory(loaded, memoryPages);
  const checks = apart && !isModule(loaded) ? checksOf(own) : undefined;
  let module = isModule(loaded)
    ? loaded
    : await compile(checks === undefined ? loaded : instrument(loaded, checks));
  const all = { version: versionOf(module), ...rest };
  if (apart) {
    const reason = obstacle(module, own);
    if (reason === undefined) return await runApart(loaded, module, own, all, checks);
    if (bounded) throw reason;
    if (checks !== undefined) module = await compile(loaded as Uint8Array);
  }
  const wasi = canSuspend() || !canHold(options)
    ? new AsyncWASI(all)
    : new HoldingWASI(all as WASIOptions, runtimeMaker());
  const given = wasi.getImportObject() as WebAssembly.Imports;
  let instance: WebAssembly.Instance;
  try {
    instance = await WebAssembly.instantiate(module, { ...own.imports, ...given });
  } catch (error) {
    wasi[Symbol.dispose]();
    throw error;
  }
  if ("_start" in instance.exports) return await wasi.start(instance);
  await wasi.initialize(instance);
  return instance;
}

/** The class without suspending, where there is nothing better. */
class HoldingWASI extends BaseWASI {}
