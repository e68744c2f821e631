/**
 * WASI for browsers: the class of `node:wasi` over files in memory, on a page's main thread and in
 * its workers.
 *
 * What a browser does not have is rejected, or returns the errno of the specification:
 * - A preopen is a `Directory`: {@linkcode memory}, {@linkcode opfs}, {@linkcode overlay} or your
 *   own. A path is rejected.
 * - By default, standard input is empty, and the lines of standard output and error go to
 *   `console.log` and `console.error`. An incomplete last line is shown when the guest ends.
 * - A page's main thread must not block. If a guest of {@linkcode WASI} sleeps there, the call returns
 *   `NOTSUP`; in a worker it sleeps. {@linkcode run} and {@linkcode AsyncWASI} can wait everywhere.
 * - Clocks of processor time return `INVAL`, and `returnOnExit: false` is rejected.
 *
 * @example
 * ```ts ignore
 * import { memory, OutputBuffer, WASI } from "@x/wasi/browser";
 *
 * const files = memory({ "in.txt": "hello" });
 * const stdout = new OutputBuffer();
 * const wasi = new WASI({
 *   version: "preview1",
 *   args: ["tool", "list", "/"],
 *   preopens: { "/": files },
 *   stdout,
 * });
 * const { instance } = await WebAssembly.instantiateStreaming(
 *   fetch("tool.wasm"),
 *   wasi.getImportObject(),
 * );
 * const exitCode = wasi.start(instance);
 * console.log(exitCode, stdout.text(), files.toObject());
 * ```
 *
 * @module
 */
import { type AsyncWASIOptions, BaseAsyncWASI } from "../../core/guest/async_wasi.ts";
import { type Directory, isDirectory } from "../../core/host.ts";
import { invalidType } from "../../core/errors.ts";
import { BaseWASI, type WASIOptions } from "../../core/guest/wasi.ts";
import type { RunOptions } from "../../core/run/options.ts";
import type { Platform } from "../../core/run/platform.ts";
import { browserMaker } from "./host.ts";
import { noWorkers, workers } from "./workers.ts";
import { layOver } from "../../core/directories/overlay/layered.ts";
import type { OverlayDirectory } from "../overlay.ts";
import {
  type Instantiated,
  instantiateProgram,
  type PrepareOptions,
  prepareProgram,
  runProgram,
} from "../../core/run/plan.ts";
import type { Program, ProgramPlan } from "../../core/run/prepared.ts";
import type { WorkerPool } from "../../core/run/workers.ts";
import type { Source } from "../../core/run/source.ts";

export {
  type BytesTree,
  memory,
  type MemoryDirectory,
  type MemoryEntry,
  MemoryFile,
  MemoryLink,
  type MemorySnapshot,
  type Tree,
} from "../../core/directories/memory/mod.ts";
export {
  type BrowserDirectoryHandle,
  type BrowserFileHandle,
  opfs,
  type OpfsDirectory,
} from "../../core/directories/opfs.ts";
export type { OverlayChange, OverlayDirectory } from "../overlay.ts";
export type { Instantiated, PrepareOptions, Program, ProgramPlan, RunOptions };
export type { WorkerPool };
export type { Source } from "../../core/run/source.ts";
export * from "../../core/mod.ts";

/**
 * The class `WASI` of `node:wasi`, in a browser.
 *
 * Source: https://nodejs.org/api/wasi.html#class-wasi
 */
export class WASI extends BaseWASI {
  /**
   * Checks the options and opens the preopens; see {@linkcode BaseWASI}.
   *
   * Errors: `ERR_INVALID_ARG_VALUE` for a preopen that is a path, and for `returnOnExit: false`.
   */
  constructor(options: WASIOptions = {} as WASIOptions) {
    super(options, browserMaker(options));
  }
}

/**
 * The same for guests that are suspended while they wait, even on the main thread. Web streams can be
 * their standard streams. It needs JSPI, which Chromium has.
 */
export class AsyncWASI extends BaseAsyncWASI {
  /** Checks the options and opens the preopens; see {@linkcode BaseAsyncWASI}. */
  constructor(options: AsyncWASIOptions = {} as AsyncWASIOptions) {
    super(options, browserMaker(options));
  }
}

/** The workers that are kept for later runs. */
export const workerPool: WorkerPool = workers;

const platform: Platform = { maker: browserMaker, workers, noWorkers, mustNotHold: true };

/**
 * Instantiates a command and runs it to its end. For a reactor, whose exports you call, there is
 * {@linkcode instantiate}.
 *
 * With a signal, a timeout or threads it runs in web workers, which whatever it does can be ended.
 * For that the page must be cross-origin isolated: served with the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
 * Otherwise it runs here, suspended while it waits, with a timeout as a copy that looks whether its
 * time is over; where there is no JSPI it runs in a worker, if the page is isolated, and holds the
 * thread if not.
 *
 * @param source the program: a module, its bytes, a URL, or a response, such as `fetch()` gives
 * @param options as of {@linkcode WASI}; see {@linkcode RunOptions}
 * @returns the exit code
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong options
 * @throws {Error} `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` on a page that is not isolated for threads,
 * and for a timeout without the program's bytes or without JSPI; `ERR_WASI_SOURCE` if fetching the
 * program fails; the signal's reason; a `DOMException` named "TimeoutError"; the error of a stream
 *
 * @example
 * ```ts ignore
 * import { OutputBuffer, run } from "@x/wasi/browser";
 *
 * const stdout = new OutputBuffer();
 * const code = await run(fetch("tool.wasm"), {
 *   args: ["tool", "upper"],
 *   stdin: new Blob(["hello"]),
 *   stdout,
 *   timeout: 5_000,
 * });
 * ```
 */
export async function run(source: Source | Program, options: RunOptions = {}): Promise<number> {
  return await runProgram(platform, source instanceof URL ? fetch(source) : source, options);
}

/**
 * Prepares a program, so that each run of it begins at once: it is read, compiled and given the
 * checks with which it can be stopped.
 *
 * @param source the program, a module or a component
 * @returns what {@linkcode run} and {@linkcode instantiate} take instead of a source
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong options
 * @throws {WebAssembly.CompileError} for what is no program
 */
export async function prepare(source: Source, options: PrepareOptions = {}): Promise<Program> {
  const given = source instanceof URL ? fetch(source) : source;
  return await prepareProgram(platform, given, options);
}

/**
 * Instantiates a reactor: a program without `_start`, whose exports you call. `_initialize` is
 * called, if there is one.
 *
 * @param source the program: a module, its bytes, a URL, or a response, such as `fetch()` gives
 * @param options as of {@linkcode run}, without `threads`, `timeout` and `interruptible`
 * @returns its exports, and a way to close what it holds
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong options, and for a
 * command
 */
export async function instantiate(
  source: Source | Program,
  options: RunOptions = {},
): Promise<Instantiated> {
  const given = source instanceof URL ? fetch(source) : source;
  return await instantiateProgram(platform, given, options);
}

/**
 * Makes an overlay of a directory: reads come from that directory, changes stay in memory until
 * `commit()`.
 *
 * @param lower a directory such as {@linkcode memory} makes
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for anything else; a browser has no paths
 */
export function overlay(lower: Directory): OverlayDirectory {
  if (!isDirectory(lower)) throw invalidType("lower", "an instance of Directory", lower);
  return layOver(lower);
}
