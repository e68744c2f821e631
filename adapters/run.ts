/**
 * Running a program in one call, and guests that are suspended while they wait.
 *
 * @module
 */
import { type AsyncWASIOptions, BaseAsyncWASI, canSuspend } from "../core/async.ts";
import { limitMemory } from "../core/module.ts";
import { invalidType, pathOfURL, validateObject } from "../core/options.ts";
import { BaseWASI, type WASIOptions } from "../core/wasi.ts";
import { runtimeMaker } from "./runtime.ts";

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

/** What {@linkcode run} runs: a module, its bytes, where they are, or a response with them. */
export type Source =
  | WebAssembly.Module
  | BufferSource
  | URL
  | Response
  | PromiseLike<Response>;

/** Options of {@linkcode run}. */
export interface RunOptions extends Omit<AsyncWASIOptions, "version" | "returnOnExit"> {
  /** Which snapshot the guest was built for. Default: the one that it imports. */
  version?: "preview1" | "unstable";
  /** What the guest imports besides WASI. */
  imports?: WebAssembly.Imports;
}

/** Node's ways to read a file: fetch() there does not know file: URLs. */
interface Files {
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

async function bytesOfFile(url: URL): Promise<BufferSource> {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): Files };
  };
  return await process.getBuiltinModule("node:fs/promises").readFile(pathOfURL(url, "source"));
}

async function bytesOfResponse(response: Response): Promise<BufferSource> {
  if (!response.ok) {
    throw Object.assign(new Error(`${response.url}: the server answered ${response.status}`), {
      code: "ERR_WASI_SOURCE",
    });
  }
  return await response.arrayBuffer();
}

function isModule(value: unknown): value is WebAssembly.Module {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/** The module of a source, its memory limited if that is asked for. */
async function moduleOf(source: Source, memoryPages: number): Promise<WebAssembly.Module> {
  if (isModule(source)) return source;
  let bytes: BufferSource;
  const given: unknown = await source;
  if (given instanceof Response) bytes = await bytesOfResponse(given);
  else if (given instanceof URL) {
    bytes = given.protocol === "file:"
      ? await bytesOfFile(given)
      : await bytesOfResponse(await fetch(given));
  } else if (ArrayBuffer.isView(given) || given instanceof ArrayBuffer) {
    bytes = given as BufferSource;
  } else {
    throw invalidType(
      "source",
      "an instance of WebAssembly.Module, URL, Response or ArrayBuffer, or a view of one",
      given,
    );
  }
  if (memoryPages === Infinity) return await WebAssembly.compile(bytes);
  const view = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
  return await WebAssembly.compile(limitMemory(view, memoryPages) as BufferSource);
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
  const { imports = {}, ...rest } = options;
  validateObject(imports, "options.imports");
  const module = await moduleOf(source, options.limits?.memoryPages ?? Infinity);
  const all = { version: versionOf(module), ...rest };
  const wasi = canSuspend() || !canHold(options)
    ? new AsyncWASI(all)
    : new HoldingWASI(all as WASIOptions, runtimeMaker());
  const given = wasi.getImportObject() as WebAssembly.Imports;
  let instance: WebAssembly.Instance;
  try {
    instance = await WebAssembly.instantiate(module, { ...imports, ...given });
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
