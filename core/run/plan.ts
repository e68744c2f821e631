/**
 * Running a program in one call, on any runtime: in this thread, suspended while it waits, or in
 * workers.
 *
 * @module
 */
import { GuestAborted, isException, uncaught } from "../exit.ts";
import { refuseOtherStreams } from "../guest/async_streams.ts";
import { type AsyncWASIOptions, BaseAsyncWASI, validateSignal } from "../guest/async_wasi.ts";
import { canSuspend } from "../suspension.ts";
import { stateOf } from "../guest/guest.ts";
import { validateLimits } from "../guest/limits.ts";
import { invalidValue } from "../errors.ts";
import { validateObject } from "../validate.ts";
import { BaseWASI, type WASIOptions } from "../guest/wasi.ts";
import { interfaceOf, isComponent } from "./diagnose.ts";
import { exportStart } from "../module/start.ts";
import { offeredOf } from "../preview1/imports.ts";
import { canLimitInThread, ThreadLimit } from "./in_thread.ts";
import { obstacle, prepareWorkers } from "./in_workers.ts";
import {
  canHold,
  refuseUnknown,
  type RunOptions,
  type RunSettings,
  validateSettings,
} from "./options.ts";
import type { Platform } from "./platform.ts";
import {
  binaryOf,
  checked,
  checksOf,
  type Code,
  compile,
  compileCopy,
  limited,
  refuseUnfit,
  unfit,
  versionOf,
} from "./program.ts";
import { isModule, load, type Source } from "./source.ts";

/** An instance whose exports are called by the embedder, and what it holds. */
export interface Instantiated {
  /**
   * The exports. One of a module that may wait is called through `WebAssembly.promising` where there
   * is JSPI. Those of a component are functions, classes, and objects for its interfaces; they give
   * promises only with streams, a signal or async functions among the options. See
   * docs/components.md.
   */
  // deno-lint-ignore no-explicit-any
  readonly exports: Record<string, any>;
  /** The instance that has them; undefined for a component. */
  readonly instance: WebAssembly.Instance | undefined;
  /** Gives back its directories and streams; its system calls answer BADF from then on. */
  close(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/** What `run()` of every runtime does; see adapters/run.ts. */
export function runProgram(
  platform: Platform,
  source: Source,
  options: RunOptions,
): Promise<number> {
  return guarded(options, async () => {
    refuseUnknown("run", options, []);
    const settings = validated(options);
    const loaded = await load(source, platform.readFile);
    if (!isModule(loaded) && isComponent(loaded)) {
      const { runComponent } = await import("./component.ts");
      return await runComponent(platform, loaded, options, settings);
    }
    const prepared = await prepare(platform, loaded, options, settings);
    const { code, all } = prepared;
    if (!hasExport(code.module, "_start")) {
      throw unfit("it exports no _start, so there is nothing to run: use instantiate()");
    }
    let { module } = code;
    let limit: ThreadLimit | undefined;
    if (prepared.apart) {
      const reason = obstacle(module, settings, platform);
      if (reason === undefined) {
        return await prepareWorkers(platform, code, prepared.settings, all).run();
      }
      if (isBounded(settings)) {
        if (!canLimitInThread(settings, code.loaded, module)) throw reason;
        limit = new ThreadLimit(settings.timeout, options.signal);
        module = await compileCopy(checked(code.loaded, "loops"), prepared.bytes as Uint8Array);
      } else if (code.checks !== undefined) module = await compile(code.loaded as Uint8Array);
    }
    return await inThread(
      platform,
      module,
      prepared,
      limit,
      (wasi, instance) => wasi.start(instance),
    );
  });
}

/** What `instantiate()` of every runtime does; see adapters/run.ts. */
export function instantiateProgram(
  platform: Platform,
  source: Source,
  options: RunOptions,
): Promise<Instantiated> {
  return guarded(options, async () => {
    refuseUnknown("instantiate", options, ["threads", "timeout", "interruptible"]);
    const settings = validated(options);
    const loaded = await load(source, platform.readFile);
    if (!isModule(loaded) && isComponent(loaded)) {
      const { instantiateComponent } = await import("./component.ts");
      const { exports, close } = await instantiateComponent(platform, loaded, options, settings);
      return { exports, close, [Symbol.dispose]: close, instance: undefined };
    }
    const prepared = await prepare(platform, loaded, options, settings);
    let { module } = prepared.code;
    if (hasExport(module, "_start")) {
      throw unfit("it is a command, which exports _start: use run()");
    }
    if (prepared.code.checks !== undefined) {
      module = await compile(prepared.code.loaded as Uint8Array);
    }
    return await inThread(platform, module, prepared, undefined, async (wasi, instance) => {
      await wasi.initialize(instance);
      const close = (): void => wasi[Symbol.dispose]();
      return { instance, exports: instance.exports, close, [Symbol.dispose]: close };
    });
  });
}

/** Whatever fails closes the streams, and says so in words. */
async function guarded<R>(options: RunOptions, act: () => Promise<R>): Promise<R> {
  validateObject(options, "options");
  try {
    return await act();
  } catch (error) {
    closeOutputs(options);
    throw error instanceof Error && error.name === "SuspendError" ? cannotSuspend(error) : error;
  }
}

/** Closes streams that were not taken yet, so that their readers do not wait forever. */
function closeOutputs({ stdout, stderr }: RunOptions): void {
  for (const stream of new Set([stdout, stderr])) {
    if (!(stream instanceof WritableStream) || stream.locked) continue;
    stream.close().catch(() => {});
  }
}

function cannotSuspend(cause: Error): Error {
  const text =
    "the program waits within a function of options.imports that has called it: it cannot " +
    "be suspended there. Let that function return first, or use WASI, which blocks the thread";
  return Object.assign(new Error(text, { cause }), { code: "ERR_WASI_SUSPEND" });
}

function hasExport(module: WebAssembly.Module, wanted: string): boolean {
  return WebAssembly.Module.exports(module).some(({ name }) => name === wanted);
}

/** Whether it must be possible to stop a program, or to give it threads. */
function isBounded({ threads, timeout }: RunSettings): boolean {
  return threads !== undefined || timeout !== Infinity;
}

/** A program and its options, ready to be instantiated. */
interface Prepared {
  readonly code: Code;
  /** The program's bytes before any limit was built in, or the module that was given. */
  readonly bytes: Uint8Array | WebAssembly.Module;
  readonly settings: RunSettings;
  /** The options of the class. */
  readonly all: AsyncWASIOptions;
  readonly signal: AbortSignal | undefined;
  /** Whether nothing asks for suspending. */
  readonly holds: boolean;
  /** Whether it is to run in workers, if it can. */
  readonly apart: boolean;
}

/** The options that the classes do not have, checked before the program is loaded. */
function validated(options: RunOptions): RunSettings {
  refuseOtherStreams(options);
  const settings = validateSettings(options);
  validateSignal(options.signal);
  validateLimits(options.limits);
  return settings;
}

async function prepare(
  platform: Platform,
  given: Uint8Array | WebAssembly.Module,
  options: RunOptions,
  settings: RunSettings,
): Promise<Prepared> {
  const { memoryPages } = validateLimits(options.limits);
  const { imports: _, threads: __, timeout: ___, interruptible: ____, ...rest } = options;
  let loaded = given;
  const holds = canHold(options);
  const held = !canSuspend() && (platform.mustNotHold === true || !holds);
  const apart = isBounded(settings) || options.signal !== undefined || held;
  if (settings.interruptible === true && isModule(loaded)) {
    throw invalidValue(
      "options.interruptible",
      "needs the program's bytes, which a WebAssembly.Module does not give",
      true,
    );
  }
  const binary = isModule(loaded) ? undefined : binaryOf(loaded);
  if (options.network !== undefined) {
    const reason = "is for components: a module of preview1 has options.listen";
    throw invalidValue("options.network", reason, options.network);
  }
  if (binary !== undefined) refuseUnfit(binary, settings);
  const started = binary?.starts && !isModule(loaded)
    ? exportStart(loaded, binary.exports.map(({ name }) => name))
    : undefined;
  loaded = started?.bytes ?? loaded;
  const bytes = loaded;
  if (!isModule(loaded) && memoryPages !== Infinity) loaded = await limited(loaded, memoryPages);
  const checks = apart && !isModule(loaded) ? checksOf(settings, platform) : undefined;
  const module = isModule(loaded) ? loaded : await compileCopy(
    checks === undefined ? loaded : checked(loaded, checks),
    bytes as Uint8Array,
  );
  if (binary === undefined && checks === undefined) refuseUnfit(interfaceOf(module), settings);
  return {
    code: { loaded, module, checks },
    bytes,
    settings: { ...settings, first: started?.name },
    all: { version: versionOf(module), ...rest },
    signal: options.signal,
    holds,
    apart,
  };
}

/** Instantiates a program in this thread and begins it. */
async function inThread<R>(
  platform: Platform,
  module: WebAssembly.Module,
  { all, settings, holds, signal }: Prepared,
  limit: ThreadLimit | undefined,
  begin: (wasi: BaseWASI | BaseAsyncWASI, instance: WebAssembly.Instance) => R | Promise<R>,
): Promise<R> {
  const wasi = canSuspend() || !holds
    ? new BaseAsyncWASI({ ...all, signal: limit?.signal ?? signal }, platform.maker(all))
    : new BaseWASI(all as WASIOptions, platform.maker(all));
  stateOf(wasi).first = settings.first;
  try {
    limit?.start();
    const hooks = limit?.hooks();
    const given = { ...settings.imports, ...hooks?.imports };
    const instance = await link(module, offeredOf(module, given), wasi);
    hooks?.bind(instance);
    return await begin(wasi, instance);
  } catch (error) {
    wasi[Symbol.dispose](); // streams and preopens that a refused instance has left as they are
    throw isException(error) ? uncaught(error) : error;
  } finally {
    limit?.stop();
  }
}

/** Makes the instance. */
async function link(
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
