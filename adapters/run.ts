/**
 * Running a program in one call, and guests that are suspended while they wait.
 *
 * @module
 */
import { type AsyncWASIOptions, BaseAsyncWASI } from "../core/guest/async_wasi.ts";
import type { Platform } from "../core/run/in_workers.ts";
import { runOn } from "../core/run/plan.ts";
import { runtimeMaker } from "./runtime.ts";
import type { Source } from "../core/run/source.ts";
import { workers } from "./workers.ts";

export type { Source } from "../core/run/source.ts";

/**
 * The class `WASI` for guests that are suspended while they wait (sleep, poll, read what is not
 * there yet): the thread is free meanwhile, and streams can be their standard streams. It needs
 * JSPI: Node 24.20 and later, Deno, Bun.
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
   * With functions among the `imports` it runs in this thread, for which it needs its bytes and
   * JSPI, and holds it while it computes. Default: Infinity.
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
   * copy memory and at tail calls.
   */
  interruptible?: boolean;
}

const platform: Platform = { maker: runtimeMaker, workers };

/**
 * Instantiates a program and runs it: a command to its end, a reactor to where it is initialised.
 *
 * While the guest waits it is suspended and the thread is free, over JSPI; streams and async
 * iterables can be its standard streams. With `threads`, `timeout` or `signal` it runs in workers
 * and can be ended whatever it does; its system calls are made here all the same. Without JSPI
 * (Node before 24.20) it does so for streams too, and else holds the thread.
 *
 * @param source the program
 * @param options as of `WASI`; see {@linkcode RunOptions}
 * @returns the exit code of a command, the instance of a reactor, whose exports that may wait are
 * to be called through `WebAssembly.promising`
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong options
 * @throws {DOMException} "TimeoutError" when its time was over
 * @throws {Error} the signal's reason; what a stream failed with; `ERR_WASI_SOURCE` for a response
 * that is none; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for streams without JSPI if it cannot run in
 * workers, because of `imports` or because it is no command
 * @throws {WebAssembly.RuntimeError} if the guest traps, or throws an exception that nothing
 * catches, which is its `cause` unless it was thrown in a worker; `CompileError` and `LinkError` as
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
  return await runOn(platform, source, options);
}
