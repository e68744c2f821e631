/**
 * Running a program in one call, and guests that are suspended while they wait.
 *
 * @module
 */
import { type AsyncWASIOptions, BaseAsyncWASI } from "../core/guest/async_wasi.ts";
import type { RunOptions } from "../core/run/options.ts";
import {
  type Instantiated,
  instantiateProgram,
  type PrepareOptions,
  prepareProgram,
  runProgram,
} from "../core/run/plan.ts";
import type { Program, ProgramPlan } from "../core/run/prepared.ts";
import type { WorkerPool } from "../core/run/workers.ts";
import type { Platform } from "../core/run/platform.ts";
import type { HostNetwork } from "../core/network.ts";
import type { Source } from "../core/run/source.ts";
import { nodeProcess } from "./host.ts";
import { runtimeMaker } from "./runtime.ts";
import { workers } from "./workers.ts";

export type { Instantiated, PrepareOptions, Program, ProgramPlan, RunOptions, Source };
export type { WorkerPool };

/** The workers that are kept for later runs. */
export const workerPool: WorkerPool = workers;

/**
 * The class `WASI` for guests that are suspended while they wait (sleep, poll, read input that is not
 * there yet). The thread is free meanwhile, and web streams can be their standard streams. It needs
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

/** Reads a file; on all three runtimes, whose fetch() does not know file: URLs everywhere. */
async function readFile(path: string): Promise<BufferSource> {
  const files = nodeProcess().getBuiltinModule("node:fs/promises");
  return await (files as { readFile(path: string): Promise<Uint8Array<ArrayBuffer>> })
    .readFile(path);
}

/** Loads the runtime's network, which only components use. */
export async function loadNetwork(
  mayReach: (address: string, port: number) => boolean,
): Promise<HostNetwork> {
  const { nodeNetwork } = await import("./network.ts");
  return nodeNetwork((name) => nodeProcess().getBuiltinModule(name), mayReach);
}

const platform: Platform = { maker: runtimeMaker, workers, readFile, network: loadNetwork };

/**
 * Prepares a program, so that each run of it begins at once: it is read, compiled and given the
 * checks with which it can be stopped.
 *
 * @param source the program, a module or a component
 * @returns what {@linkcode run} and {@linkcode instantiate} take instead of a source
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong options
 * @throws {WebAssembly.CompileError} for what is no program; `ERR_WASI_SOURCE` for a response that
 * is none
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { OutputBuffer, prepare, run } from "@x/wasi";
 *
 * const tool = await prepare(await readFile("tool.wasm"));
 * for (const stdin of ["one", "two"]) {
 *   const stdout = new OutputBuffer();
 *   await run(tool, {
 *     args: ["tool", "upper"],
 *     stdin: new TextEncoder().encode(stdin),
 *     stdout,
 *     timeout: 1_000,
 *   });
 *   console.assert(stdout.text() === stdin.toUpperCase());
 * }
 * ```
 */
export async function prepare(source: Source, options: PrepareOptions = {}): Promise<Program> {
  return await prepareProgram(platform, source, options);
}

/**
 * Instantiates a command and runs it to its end. For a reactor, whose exports you call, there is
 * {@linkcode instantiate}.
 *
 * While the guest waits it is suspended and the thread is free, over JSPI; streams and async
 * iterables can be its standard streams. With `threads`, `timeout` or `signal` it runs in workers
 * and can be ended whatever it does; see docs/repeated.md for where its system calls are made then.
 * Without JSPI (Node before 24.20) it does so for streams too, and else holds the thread.
 *
 * @param source the program, or one that {@linkcode prepare} has prepared
 * @param options as of `WASI`; see {@linkcode RunOptions}
 * @returns the exit code
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong options
 * @throws {DOMException} "TimeoutError" when its time was over
 * @throws {Error} the signal's reason; what a stream failed with; `ERR_WASI_SOURCE` for a response
 * that is none; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for streams without JSPI if it cannot run in
 * workers, because of `imports`
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
export async function run(source: Source | Program, options: RunOptions = {}): Promise<number> {
  return await runProgram(platform, source, options);
}

/**
 * Instantiates a reactor: a program without `_start`, whose exports you call. `_initialize` is
 * called, if there is one.
 *
 * Exports hold the thread while the guest waits. With streams or a signal among the options the guest
 * is suspended instead; see docs/waiting.md for how its exports are called then.
 *
 * @param source the program
 * @param options as of {@linkcode run}, without `threads`, `timeout` and `interruptible`
 * @returns its exports, and a way to close what it holds; it is closed, too, when it is collected
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong options, and for a
 * command
 * @throws {Error} as {@linkcode run}
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { instantiate } from "@x/wasi";
 *
 * const plugin = await instantiate(await readFile("reactor.wasm"));
 * const { initialized } = plugin.exports as { initialized(): number };
 * console.assert(initialized() === 1);
 * plugin.close();
 * ```
 */
export async function instantiate(
  source: Source | Program,
  options: RunOptions = {},
): Promise<Instantiated> {
  return await instantiateProgram(platform, source, options);
}
