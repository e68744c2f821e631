/**
 * Running a program in one call, on any runtime.
 *
 * @module
 */
import { BaseAsyncWASI, canSuspend, validateSignal } from "../guest/async_wasi.ts";
import { refuseOtherStreams } from "../guest/async_streams.ts";
import { GuestAborted, isException, uncaught } from "../exit.ts";
import { stateOf, tableOf } from "../guest/guest.ts";
import { validateLimits } from "../guest/limits.ts";
import { type Binary, parseBinary } from "../module/binary.ts";
import {
  COMPONENT,
  faultOf,
  type Interface,
  interfaceOf,
  isComponent,
} from "../module/diagnose.ts";
import { offeredOf, offers } from "../preview1/imports.ts";
import { initialPages, limitMemory } from "../module/memory.ts";
import { exportStart } from "../module/start.ts";
import { nearest } from "../nearest.ts";
import { invalidValue, outOfRange, validateObject } from "../guest/options.ts";
import { BaseWASI, type WASIOptions } from "../guest/wasi.ts";
import {
  checked,
  checksOf,
  obstacle,
  type Own,
  type Platform,
  prepareApart,
  validateOwn,
} from "./in_workers.ts";
import { canLimitHere, LimitHere } from "./in_thread.ts";
import type { RunOptions } from "../../adapters/run.ts";
import { isModule, load, type Source } from "./source.ts";

/** The snapshot that a module imports. */
export function versionOf(module: WebAssembly.Module): "preview1" | "unstable" {
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

/** A program whose memory is limited. What is none fails as it does without a limit. */
async function limited(bytes: Uint8Array, pages: number): Promise<Uint8Array> {
  try {
    const initial = initialPages(bytes);
    if (initial <= pages) return limitMemory(bytes, pages);
    const range = `<= ${pages} pages (limits.memoryPages)`;
    throw outOfRange("instance.exports.memory", range, initial);
  } catch (error) {
    await compile(bytes);
    throw error;
  }
}

/**
 * Compiles a copy of a program. What the engine refuses in the program itself is told as it is; a
 * program that leaves no room in the engine's limits for what is added is refused, not run without.
 */
async function compileCopy(
  copy: Uint8Array,
  bytes: Uint8Array,
): Promise<WebAssembly.Module> {
  try {
    return await compile(copy);
  } catch (error) {
    if (copy !== bytes) await compile(bytes);
    else throw error;
    throw unfit(
      "it is so large that the engine does not take it with what options.timeout, options.signal, " +
        `options.threads or limits.memoryPages add to it: ${(error as Error).message}`,
    );
  }
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

/** Refuses what is no option: a mistyped limit would be none. */
function refuseUnknown(options: object): void {
  const name = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (name === undefined) return;
  if (name === "returnOnExit") {
    throw invalidValue(
      "options.returnOnExit",
      "is one of WASI: run() always returns",
      "returnOnExit",
    );
  }
  const near = nearest(name, OPTIONS);
  const meant = near === undefined ? `run() has ${OPTIONS.join(", ")}` : `did you mean ${near}?`;
  throw invalidValue(`options.${name}`, `is no option of run(): ${meant}`, name);
}

/** A program that cannot be run. `reason` begins with "it". */
function unfit(reason: string, Class: new (message: string) => Error = TypeError): Error {
  const error = new Class(`The argument 'source' cannot be run: ${reason}`);
  return Object.assign(error, { code: "ERR_INVALID_ARG_VALUE" });
}

/** What a program's bytes say of it; undefined for what no reader here knows, as an engine may. */
function binaryOf(bytes: Uint8Array): Binary | undefined {
  try {
    return parseBinary(bytes);
  } catch {
    return undefined;
  }
}

/** Refuses a program that cannot be linked, or whose types are not WASI's. */
function refuseUnfit(module: Interface | Binary, { imports, threads }: Own): void {
  const fault = faultOf(module, {
    table: tableOf,
    has: (module, name) => {
      const namespace = Object.hasOwn(imports, module) ? imports[module] : undefined;
      return namespace !== undefined && offers(namespace, name);
    },
    threads: threads !== undefined,
    allowThreads: "set options.threads",
    needsMemory: true,
  });
  if (fault !== undefined) throw unfit(fault, WebAssembly.LinkError);
}

/** What `run()` of every runtime does; see run.ts. */
export async function runOn(
  platform: Platform,
  source: Source,
  options: RunOptions,
): Promise<number | WebAssembly.Instance> {
  validateObject(options, "options");
  try {
    return await runNow(platform, source, options);
  } catch (error) {
    closeOutputs(options);
    throw error instanceof Error && error.name === "SuspendError" ? cannotSuspend(error) : error;
  }
}

/** Closes streams that nobody has taken yet, so that whoever reads them does not wait for ever. */
function closeOutputs({ stdout, stderr }: RunOptions): void {
  for (const stream of new Set([stdout, stderr])) {
    if (!(stream instanceof WritableStream) || stream.locked) continue;
    stream.close().catch(() => {});
  }
}

function cannotSuspend(cause: Error): Error {
  const text =
    "the program waits within a function of options.imports that has called it: it cannot " +
    "be suspended there. Let that function return first, or use WASI, whose guests hold the thread";
  return Object.assign(new Error(text, { cause }), { code: "ERR_WASI_SUSPEND" });
}

async function runNow(
  platform: Platform,
  source: Source,
  options: RunOptions,
): Promise<number | WebAssembly.Instance> {
  refuseUnknown(options);
  refuseOtherStreams(options);
  const own = validateOwn(options);
  validateSignal(options.signal);
  const { memoryPages } = validateLimits(options.limits);
  const { imports: _, threads: __, timeout: ___, interruptible: ____, ...rest } = options;
  let loaded = await load(source);
  if (!isModule(loaded) && isComponent(loaded)) throw unfit(COMPONENT);
  const bounded = own.threads !== undefined || own.timeout !== Infinity;
  const held = !canSuspend() && (platform.mustNotHold === true || !canHold(options));
  const apart = bounded || options.signal !== undefined || held;
  if (own.interruptible === true && isModule(loaded)) {
    throw invalidValue(
      "options.interruptible",
      "needs the program's bytes, which a WebAssembly.Module does not give",
      true,
    );
  }
  const binary = isModule(loaded) ? undefined : binaryOf(loaded);
  if (binary !== undefined) refuseUnfit(binary, own);
  const started = binary?.starts && !isModule(loaded)
    ? exportStart(loaded, binary.exports.map(({ name }) => name))
    : undefined;
  loaded = started?.bytes ?? loaded;
  const first = started?.name;
  const bytes = loaded;
  if (!isModule(loaded) && memoryPages !== Infinity) loaded = await limited(loaded, memoryPages);
  const checks = apart && !isModule(loaded) ? checksOf(own, platform) : undefined;
  let module = isModule(loaded) ? loaded : await compileCopy(
    checks === undefined ? loaded : checked(loaded, checks),
    bytes as Uint8Array,
  );
  if (binary === undefined && checks === undefined) refuseUnfit(interfaceOf(module), own);
  const all = { version: versionOf(module), ...rest };
  let limit: LimitHere | undefined;
  if (apart) {
    const reason = obstacle(module, own, platform);
    if (reason === undefined) {
      return await prepareApart(platform, { loaded, module, checks }, { ...own, first }, all).run();
    }
    if (bounded) {
      if (!canLimitHere(own, loaded, module)) throw reason;
      limit = new LimitHere(own.timeout, options.signal);
      module = await compileCopy(checked(loaded, "loops"), bytes as Uint8Array);
    } else if (checks !== undefined) module = await compile(loaded as Uint8Array);
  }
  const signal = limit?.signal ?? options.signal;
  const wasi = canSuspend() || !canHold(options)
    ? new BaseAsyncWASI({ ...all, signal }, platform.maker(all))
    : new BaseWASI(all as WASIOptions, platform.maker(all));
  stateOf(wasi).first = first;
  try {
    limit?.start();
    const given = { ...own.imports, ...limit?.imports };
    const instance = await instantiate(module, offeredOf(module, given), wasi);
    limit?.bind(instance);
    if ("_start" in instance.exports) return await wasi.start(instance);
    await wasi.initialize(instance);
    return instance;
  } catch (error) {
    wasi[Symbol.dispose](); // streams and preopens that a refused instance has left as they are
    throw isException(error) ? uncaught(error) : error;
  } finally {
    limit?.stop();
  }
}

/** Makes the instance. */
async function instantiate(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  wasi: BaseWASI | BaseAsyncWASI,
): Promise<WebAssembly.Instance> {
  try {
    // the other snapshot is a property that is not enumerable
    const all = Object.defineProperties(
      imports,
      Object.getOwnPropertyDescriptors(wasi.getImportObject() as WebAssembly.Imports),
    );
    return await WebAssembly.instantiate(module, all);
  } catch (error) {
    const { code, name } = error as { code?: unknown; name?: unknown };
    if (code === "ERR_WASI_NOT_STARTED" || name === "SuspendError") {
      throw unfit(
        "its start function makes system calls, for which its bytes are needed: give these and not " +
          "a WebAssembly.Module",
      );
    }
    throw error instanceof GuestAborted ? error.cause : error;
  }
}
