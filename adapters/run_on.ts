/**
 * Running a program in one call, on any runtime.
 *
 * @module
 */
import { BaseAsyncWASI, canSuspend, validateSignal } from "../core/async.ts";
import { GuestAborted } from "../core/exit.ts";
import { validateLimits } from "../core/limits.ts";
import { type Checks, instrument } from "../core/module/instrument.ts";
import { limitMemory } from "../core/module/memory.ts";
import { invalidValue, validateObject } from "../core/options.ts";
import { BaseWASI, type WASIOptions } from "../core/wasi.ts";
import { checksOf, obstacle, type Platform, runApart, validateOwn } from "./apart.ts";
import { canLimitHere, LimitHere } from "./limit_here.ts";
import type { RunOptions } from "./run.ts";
import { isModule, load, type Source } from "./source.ts";

/** The snapshot that a module imports. */
function versionOf(module: WebAssembly.Module): "preview1" | "unstable" {
  const names = new Set(WebAssembly.Module.imports(module).map(({ module }) => module));
  const old = names.has("wasi_unstable") && !names.has("wasi_snapshot_preview1");
  return old ? "unstable" : "preview1";
}

function startsThreads(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.imports(module).some(({ module, name }) =>
    module === "wasi" && name === "thread-spawn"
  );
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
 * A program with checks. One with instructions that are newer than this cannot have them, and is
 * run without where the runtime itself ends all loops but a few.
 */
function checked(bytes: Uint8Array, checks: Checks): Uint8Array {
  try {
    return instrument(bytes, checks);
  } catch (error) {
    if (checks === "long" || !(error instanceof RangeError)) return bytes;
    const reason =
      `must be false for this program, which then runs without checks: ${error.message}`;
    throw invalidValue("options.interruptible", reason, undefined);
  }
}

/** A program whose memory is limited. What is none fails as it does without a limit. */
async function limited(bytes: Uint8Array, pages: number): Promise<Uint8Array> {
  try {
    return limitMemory(bytes, pages);
  } catch (error) {
    await compile(bytes);
    throw error;
  }
}

/** What `run()` of every runtime does; see run.ts. */
export async function runOn(
  platform: Platform,
  source: Source,
  options: RunOptions,
): Promise<number | WebAssembly.Instance> {
  validateObject(options, "options");
  const own = validateOwn(options);
  validateSignal(options.signal);
  const { memoryPages } = validateLimits(options.limits);
  const { imports: _, threads: __, timeout: ___, interruptible: ____, ...rest } = options;
  let loaded = await load(source);
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
  if (!isModule(loaded) && memoryPages !== Infinity) loaded = await limited(loaded, memoryPages);
  const checks = apart && !isModule(loaded) ? checksOf(own, platform) : undefined;
  let module = isModule(loaded)
    ? loaded
    : await compile(checks === undefined ? loaded : checked(loaded, checks));
  if (own.threads === undefined && startsThreads(module) && own.imports.wasi === undefined) {
    throw invalidValue("options.threads", "must be set: this program starts threads", undefined);
  }
  const all = { version: versionOf(module), ...rest };
  let limit: LimitHere | undefined;
  if (apart) {
    const reason = obstacle(module, own, platform);
    if (reason === undefined) return await runApart(platform, loaded, module, own, all, checks);
    if (bounded) {
      if (!canLimitHere(own, loaded, module)) throw reason;
      limit = new LimitHere(own.timeout, options.signal);
      module = await compile(checked(loaded, "loops"));
    } else if (checks !== undefined) module = await compile(loaded as Uint8Array);
  }
  const signal = limit?.signal ?? options.signal;
  const wasi = canSuspend() || !canHold(options)
    ? new BaseAsyncWASI({ ...all, signal }, platform.maker(all))
    : new BaseWASI(all as WASIOptions, platform.maker(all));
  try {
    limit?.start();
    const instance = await instantiate(module, { ...own.imports, ...limit?.imports }, wasi);
    if ("_start" in instance.exports) return await wasi.start(instance);
    await wasi.initialize(instance);
    return instance;
  } finally {
    limit?.stop();
  }
}

/** Makes the instance; closes all that is open if that fails. */
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
    wasi[Symbol.dispose]();
    throw error instanceof GuestAborted ? error.cause : error;
  }
}
