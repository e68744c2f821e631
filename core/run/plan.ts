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
import { type Limits, validateLimits } from "../guest/limits.ts";
import { invalidValue } from "../errors.ts";
import { validateBoolean, validateNames, validateObject } from "../validate.ts";
import { BaseWASI, type WASIOptions } from "../guest/wasi.ts";
import { interfaceOf } from "./diagnose.ts";
import { importsFor } from "./imports.ts";
import { canLimitInThread, ThreadLimit } from "./in_thread.ts";
import { obstacleOf, prepareWorkers } from "./in_workers.ts";
import {
  canHold,
  refuseUnknown,
  type RunOptions,
  type RunSettings,
  validateSettings,
} from "./options.ts";
import type { Platform } from "./platform.ts";
import type { Checks } from "../module/instrument.ts";
import { type Code, LoadedProgram, unfit, versionOf } from "./program.ts";
import { Program, programOf, type ProgramPlan } from "./prepared.ts";
import { isModule, load, type Source } from "./source.ts";
import { keptBy, runInWorker, Unavailable } from "./worker/runner.ts";

/** An instance whose exports are called by the embedder, and what it holds. */
export interface Instantiated {
  /**
   * The exports. They hold the thread while the guest waits. With streams or a signal among the
   * options, and on a web page, the guest is suspended instead: an export of a module that may wait
   * is called through `WebAssembly.promising` then, and one of a component gives a promise. Those of
   * a component are functions, classes, and objects for its interfaces; see docs/components.md.
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

/** Options of `prepare()`. */
export interface PrepareOptions {
  /** Of the limits that runs will have: `memoryPages` is built into the program. Default: none. */
  limits?: Pick<Limits, "memoryPages">;
  /**
   * Whether the copy with checks, which a run with a timeout or a signal needs, is made now and not
   * at the first such run. Default: true.
   */
  interruptible?: boolean;
}

/** What `prepare()` of every runtime does; see adapters/run.ts. */
export async function prepareProgram(
  platform: Platform,
  source: Source,
  options: PrepareOptions,
): Promise<Program> {
  validateObject(options, "options");
  validateNames(options, ["limits", "interruptible"], "options");
  const { interruptible = true } = options;
  validateBoolean(interruptible, "options.interruptible");
  const { memoryPages } = validateLimits(options.limits);
  const loaded = await load(source, platform.readFile);
  const program = new LoadedProgram(loaded instanceof Uint8Array ? loaded.slice() : loaded, true);
  if (program.isComponent) {
    const { prepareComponent } = await import("./component.ts");
    await prepareComponent(program, memoryPages, interruptible);
  } else {
    await program.compiled(memoryPages, undefined);
    // what cannot have checks is told to who wants it stopped
    if (interruptible) await program.compiled(memoryPages, "loops").catch(() => {});
  }
  return new Program(program, async (options) => {
    validateObject(options, "options");
    refuseUnknown("run", options, []);
    const settings = validated(options);
    if (program.isComponent) return HERE;
    return placeOf(platform, await prepare(platform, program, options, settings)).plan;
  });
}

/** What `run()` of every runtime does; see adapters/run.ts. */
export function runProgram(
  platform: Platform,
  source: Source | Program,
  options: RunOptions,
): Promise<number> {
  return guarded(options, async () => {
    refuseUnknown("run", options, []);
    const settings = validated(options);
    const program = await loadedOf(platform, source);
    if (program.isComponent) {
      const { runComponent } = await import("./component.ts");
      return await runComponent(platform, program, options, settings);
    }
    const prepared = await prepare(platform, program, options, settings);
    const { code } = prepared;
    const { memoryPages } = settings;
    if (!hasExport(code.module, "_start")) {
      throw unfit("it exports no _start, so there is nothing to run: use instantiate()");
    }
    let { module } = code;
    let limit: ThreadLimit | undefined;
    const { plan, obstacle } = placeOf(platform, prepared);
    if (plan.guest === "worker") return await inWorkers(platform, prepared, plan);
    if (obstacle !== undefined && isBounded(settings)) {
      if (!canLimitInThread(settings, code.loaded, module)) throw obstacle;
      limit = new ThreadLimit(settings.timeout, options.signal);
      ({ module } = await program.compiled(memoryPages, "loops"));
    } else if (code.checks !== undefined) {
      ({ module } = await program.compiled(memoryPages, undefined));
    }
    const suspends = canSuspend() || !prepared.holds;
    return await inThread(
      platform,
      module,
      prepared,
      suspends,
      limit,
      (wasi, instance) => wasi.start(instance),
    );
  });
}

/** What `instantiate()` of every runtime does; see adapters/run.ts. */
export function instantiateProgram(
  platform: Platform,
  source: Source | Program,
  options: RunOptions,
): Promise<Instantiated> {
  return guarded(options, async () => {
    refuseUnknown("instantiate", options, ["threads", "timeout", "interruptible"]);
    const settings = validated(options);
    const program = await loadedOf(platform, source);
    if (program.isComponent) {
      const { instantiateComponent } = await import("./component.ts");
      const { exports, close } = await instantiateComponent(platform, program, options, settings);
      return { exports, close, [Symbol.dispose]: close, instance: undefined };
    }
    const prepared = await prepare(platform, program, options, settings);
    if (hasExport(prepared.code.module, "_start")) {
      throw unfit("it is a command, which exports _start: use run()");
    }
    const { module } = await program.compiled(settings.memoryPages, undefined);
    // exports give their results at once unless something has to be suspended
    const suspends = !prepared.holds || (platform.mustNotHold === true && canSuspend());
    const begin = async (
      wasi: BaseWASI | BaseAsyncWASI,
      instance: WebAssembly.Instance,
    ): Promise<Instantiated> => {
      await wasi.initialize(instance);
      const close = (): void => wasi[Symbol.dispose]();
      return { instance, exports: instance.exports, close, [Symbol.dispose]: close };
    };
    return await inThread(platform, module, prepared, suspends, undefined, begin);
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
  return interfaceOf(module).exports.some(({ name }) => name === wanted);
}

/** Whether it must be possible to stop a program, or to give it threads. */
function isBounded({ threads, timeout }: RunSettings): boolean {
  return threads !== undefined || timeout !== Infinity;
}

/** A program and its options, ready to be instantiated. */
interface Prepared {
  readonly code: Code;
  readonly settings: RunSettings;
  /** The options of the class. */
  readonly all: AsyncWASIOptions;
  readonly signal: AbortSignal | undefined;
  /** Whether nothing asks for suspending. */
  readonly holds: boolean;
  /** Whether it is to run in workers, if it can. */
  readonly apart: boolean;
}

/** A source as a program. */
async function loadedOf(platform: Platform, source: Source | Program): Promise<LoadedProgram> {
  return programOf(source) ??
    new LoadedProgram(await load(source as Source, platform.readFile), false);
}

/** The options that the classes do not have, checked before the program is loaded. */
function validated(options: RunOptions): RunSettings {
  refuseOtherStreams(options);
  const settings = validateSettings(options);
  validateSignal(options.signal);
  return { ...settings, memoryPages: validateLimits(options.limits).memoryPages };
}

async function prepare(
  platform: Platform,
  program: LoadedProgram,
  options: RunOptions,
  settings: RunSettings,
): Promise<Prepared> {
  const { memoryPages } = settings;
  const { imports: _, threads: __, timeout: ___, interruptible: ____, ...rest } = options;
  const holds = canHold(options);
  const held = !canSuspend() && (platform.mustNotHold === true || !holds);
  const stops = settings.timeout !== Infinity || options.signal !== undefined;
  const apart = isBounded(settings) || stops || held;
  if (settings.interruptible === true && isModule(program.source)) {
    throw invalidValue(
      "options.interruptible",
      "needs the program's bytes, which a WebAssembly.Module does not give",
      true,
    );
  }
  if (options.network !== undefined) {
    const reason = "is for components: a module of preview1 has options.listen";
    throw invalidValue("options.network", reason, options.network);
  }
  const { first } = program.contents;
  program.refuseUnfit(settings);
  const { endsLoops } = platform.workers;
  const checks = apart ? checksOf(settings, stops, endsLoops) : undefined;
  const code = await program.compiled(
    memoryPages,
    checks,
    endsLoops && settings.interruptible !== true,
  );
  program.refuseUnfitModule(settings, code);
  return {
    code,
    settings: { ...settings, first },
    all: { version: versionOf(code.module), ...rest },
    signal: options.signal,
    holds,
    apart,
  };
}

/**
 * Which checks a program gets.
 *
 * @param stops whether it may be stopped before it ends
 */
function checksOf(
  { interruptible }: RunSettings,
  stops: boolean,
  endsLoops: boolean,
): Checks | undefined {
  if (interruptible === false) return undefined;
  return interruptible || stops || !endsLoops ? "loops" : "long";
}

const HERE: ProgramPlan = { guest: "here", calls: "here", because: undefined };

/** Where a program runs; why it cannot be in workers, if it should be. */
function placeOf(
  platform: Platform,
  { code, settings, all, apart }: Prepared,
): { plan: ProgramPlan; obstacle: Error | undefined } {
  if (!apart) return { plan: HERE, obstacle: undefined };
  const reason = obstacleOf(code.module, settings, platform);
  if (reason !== undefined) {
    return { plan: { ...HERE, because: reason.message }, obstacle: reason };
  }
  const because = keptBy(all, settings, code) ??
    (platform.workers.address === undefined
      ? "the module adapters/guest_worker is not available to workers"
      : undefined);
  const calls = because === undefined ? "worker" : "here";
  return { plan: { guest: "worker", calls, because }, obstacle: undefined };
}

/** Runs a program in a worker that makes its system calls, or in some whose calls are made here. */
async function inWorkers(
  platform: Platform,
  { code, settings, all }: Prepared,
  { calls }: ProgramPlan,
): Promise<number> {
  const { workers } = platform;
  if (calls === "worker") {
    try {
      return await runInWorker(workers, code, settings, all);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }
  try {
    return await prepareWorkers(platform, code, settings, all).run();
  } catch (error) {
    throw isNotStarted(error) ? startsTooEarly() : error;
  }
}

function isNotStarted(error: unknown): boolean {
  // what an embedder's function has thrown is not asked anything
  if (!(error instanceof Error)) return false;
  return Object.getOwnPropertyDescriptor(error, "code")?.value === "ERR_WASI_NOT_STARTED";
}

function startsTooEarly(): Error {
  return unfit(
    "its start function makes system calls, for which its bytes are needed: give these and not " +
      "a WebAssembly.Module",
  );
}

/**
 * Instantiates a program in this thread and begins it.
 *
 * @param suspends whether it is suspended while it waits, or holds the thread
 */
async function inThread<R>(
  platform: Platform,
  module: WebAssembly.Module,
  { all, settings, signal }: Prepared,
  suspends: boolean,
  limit: ThreadLimit | undefined,
  begin: (wasi: BaseWASI | BaseAsyncWASI, instance: WebAssembly.Instance) => R | Promise<R>,
): Promise<R> {
  const wasi = suspends
    ? new BaseAsyncWASI({ ...all, signal: limit?.signal ?? signal }, platform.maker(all))
    : new BaseWASI(all as WASIOptions, platform.maker(all));
  stateOf(wasi).first = settings.first;
  try {
    limit?.start();
    const hooks = limit?.hooks();
    const given = { ...settings.imports, ...hooks?.imports };
    const instance = await link(module, given, wasi);
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
  given: WebAssembly.Imports,
  wasi: BaseWASI | BaseAsyncWASI,
): Promise<WebAssembly.Instance> {
  try {
    return await WebAssembly.instantiate(module, importsFor(module, given, wasi));
  } catch (error) {
    const { name } = error as { name?: unknown };
    if (isNotStarted(error) || name === "SuspendError") throw startsTooEarly();
    throw error instanceof GuestAborted ? error.cause : error;
  }
}
