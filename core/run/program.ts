/**
 * A program before it runs: what it is, what is wrong with it, and the copy that is compiled.
 *
 * @module
 */
import { tableOf } from "../guest/guest.ts";
import { invalidValue, outOfRange } from "../errors.ts";
import { type Binary, parseBinary } from "../module/binary.ts";
import { faultOf, type Interface } from "./diagnose.ts";
import { type Checks, instrument } from "../module/instrument.ts";
import { initialPages, limitMemory } from "../module/memory.ts";
import { offers } from "../preview1/imports.ts";
import type { RunSettings } from "./options.ts";
import type { Platform } from "./platform.ts";

/** What is run in workers. */
export interface Code {
  /** the bytes without checks, or the module that was given instead */
  readonly loaded: Uint8Array | WebAssembly.Module;
  /** compiled, with the checks if there are any */
  readonly module: WebAssembly.Module;
  readonly checks: Checks | undefined;
}

/** The snapshot that a module imports. */
export function versionOf(module: WebAssembly.Module): "preview1" | "unstable" {
  const names = new Set(WebAssembly.Module.imports(module).map(({ module }) => module));
  const old = names.has("wasi_unstable") && !names.has("wasi_snapshot_preview1");
  return old ? "unstable" : "preview1";
}

export async function compile(bytes: Uint8Array): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(bytes as BufferSource);
}

/** A program whose memory is limited. Invalid bytes fail as they do without a limit. */
export async function limited(bytes: Uint8Array, pages: number): Promise<Uint8Array> {
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
export async function compileCopy(
  copy: Uint8Array,
  bytes: Uint8Array,
): Promise<WebAssembly.Module> {
  try {
    return await compile(copy);
  } catch (error) {
    if (copy !== bytes) await compile(bytes);
    else throw error;
    throw unfit(
      "it is so large that the engine rejects it with the checks that options.timeout, " +
        `options.signal, options.threads or limits.memoryPages add: ${(error as Error).message}`,
    );
  }
}

/** A program that cannot be run. `reason` begins with "it". */
export function unfit(reason: string, Class: new (message: string) => Error = TypeError): Error {
  const error = new Class(`The argument 'source' cannot be run: ${reason}`);
  return Object.assign(error, { code: "ERR_INVALID_ARG_VALUE" });
}

/** What a program's bytes say of it; undefined for what no reader here knows, as an engine may. */
export function binaryOf(bytes: Uint8Array): Binary | undefined {
  try {
    return parseBinary(bytes);
  } catch {
    return undefined;
  }
}

/** Refuses a program that cannot be linked, or whose types are not WASI's. */
export function refuseUnfit(module: Interface | Binary, { imports, threads }: RunSettings): void {
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

/** Which checks a program gets in this runtime. */
export function checksOf(
  { interruptible }: RunSettings,
  { workers }: Platform,
): Checks | undefined {
  if (interruptible === false) return undefined;
  return interruptible || !workers.endsLoops ? "loops" : "long";
}

/**
 * A program with checks. One with instructions that are newer than this cannot have them, and is
 * run without where the runtime itself ends all loops but a few.
 */
export function checked(bytes: Uint8Array, checks: Checks): Uint8Array {
  try {
    return instrument(bytes, checks);
  } catch (error) {
    if (checks === "long" || !(error instanceof RangeError)) return bytes;
    const reason =
      `must be false for this program, which then runs without checks: ${error.message}`;
    throw invalidValue("options.interruptible", reason, undefined);
  }
}
