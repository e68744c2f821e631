/**
 * Running a program in workers: what is needed for it, and whether it can be.
 *
 * @module
 */
import type { AsyncWASIOptions } from "../guest/async_wasi.ts";
import { asyncStreams } from "../guest/async_streams.ts";
import { PAGE, THREADS } from "../constants.ts";
import { closeGuest, makeGuest, type WASIImport, type WASIOptions } from "../guest/guest.ts";
import { type Checks, instrument } from "../module/instrument.ts";
import type { HostMaker } from "../guest/wasi.ts";
import { importedMemory, initialPages } from "../module/memory.ts";
import {
  invalidType,
  invalidValue,
  outOfRange,
  validateBoolean,
  validateObject,
} from "../guest/options.ts";
import { type Program, runInWorkers, type WorkerHost } from "./threads/coordinator.ts";
import type { RunOptions } from "../../adapters/run.ts";
import { isModule } from "./source.ts";

/** What running a program needs of a runtime. */
export interface Platform {
  /** What makes the host of a guest with these options. */
  maker(options: object): HostMaker;
  readonly workers: WorkerHost;
  /** Why there can be no workers, if so. */
  noWorkers?(): Error | undefined;
  /** Whether a program that cannot be suspended is to run in a worker rather than hold the thread. */
  readonly mustNotHold?: boolean;
}

/** The options that are run()'s own, checked. */
export interface Own {
  readonly imports: WebAssembly.Imports;
  /** undefined without threads */
  readonly threads: number | undefined;
  readonly timeout: number;
  readonly interruptible: boolean | undefined;
  /** see State.first */
  readonly first?: string | undefined;
}

export function validateOwn(
  { imports = {}, threads = false, timeout = Infinity, interruptible }: RunOptions,
): Own {
  validateObject(imports, "options.imports");
  for (const [name, namespace] of Object.entries(imports as Record<string, unknown>)) {
    if (typeof namespace === "function" || (typeof namespace === "object" && namespace)) continue;
    throw invalidType(`options.imports.${name}`, "of type object", namespace);
  }
  if (typeof threads !== "boolean" && typeof threads !== "number") {
    throw invalidType("options.threads", "of type boolean or number", threads);
  }
  if (typeof threads === "number" && !(Number.isInteger(threads) && threads >= 0)) {
    throw outOfRange("options.threads", "an integer >= 0", threads);
  }
  if (typeof timeout !== "number") throw invalidType("options.timeout", "of type number", timeout);
  if (!(timeout >= 0)) throw outOfRange("options.timeout", ">= 0", timeout);
  if (interruptible !== undefined) validateBoolean(interruptible, "options.interruptible");
  return {
    imports,
    threads: threads === false ? undefined : threads === true ? THREADS : threads,
    timeout,
    interruptible,
  };
}

/** Which checks a program gets in this runtime. */
export function checksOf(
  { interruptible }: Own,
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

/** Why a program cannot be run in workers, if it cannot: the option that is in the way. */
export function obstacle(
  module: WebAssembly.Module,
  { imports }: Own,
  platform: Platform,
): Error | undefined {
  const none = platform.noWorkers?.();
  if (none !== undefined) return none;
  const others = Object.values(imports).flatMap((names) => Object.values(names));
  if (!others.every((value) => value instanceof WebAssembly.Memory)) {
    return invalidValue(
      "options.imports",
      "can have nothing but memories where a program runs in workers: leave out options.threads; " +
        "for options.timeout give the bytes of a program without shared memory, on a runtime " +
        "with JSPI, and do not set options.interruptible to false",
      imports,
    );
  }
  const exports = WebAssembly.Module.exports(module);
  const initialize = exports.find(({ name }) => name === "_initialize");
  if (initialize !== undefined && exports.some(({ name }) => name === "_start")) {
    return invalidType("instance.exports._initialize", "undefined", initialize.kind);
  }
  if (!exports.some(({ name, kind }) => name === "_start" && kind === "function")) {
    return invalidValue(
      "source",
      "must be a program with _start where it runs in workers, which it does with " +
        "options.threads or options.timeout",
      module,
    );
  }
  return undefined;
}

/** What an object has under a name that a guest has chosen. */
function own<V>(object: Record<string, V>, name: string): V | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The shared memory that a program imports: the embedder's, or a new one. */
function memoryOf(
  loaded: Uint8Array | WebAssembly.Module,
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  memoryPages: number,
): Program["memory"] {
  const wanted = WebAssembly.Module.imports(module).find(({ kind }) => kind === "memory");
  if (wanted === undefined) return undefined;
  const namespace = own(imports, wanted.module);
  const given = namespace && own(namespace, wanted.name);
  if (given !== undefined) return { ...wanted, memory: given as WebAssembly.Memory };
  if (isModule(loaded)) {
    throw invalidValue(
      "options.imports",
      `must have the memory ${wanted.module}.${wanted.name}, because a WebAssembly.Module does ` +
        "not tell how large it is to be; or give the program's bytes",
      imports,
    );
  }
  const { minimum, maximum, shared } = importedMemory(loaded)!;
  if (!shared) return undefined; // linking fails, and says so
  if (minimum > memoryPages) {
    throw outOfRange(
      "instance.exports.memory",
      `<= ${memoryPages} pages (limits.memoryPages)`,
      minimum,
    );
  }
  const memory = new WebAssembly.Memory({
    initial: minimum,
    maximum: Math.min(maximum, memoryPages - (initialPages(loaded) - minimum)),
    shared: true,
  });
  return { ...wanted, memory };
}

/** A program that is ready to run in workers. */
export interface Apart {
  /** Its system calls, which may be replaced before it runs. */
  readonly wasiImport: WASIImport;
  /** Runs it to its end; gives the exit code. */
  run(): Promise<number>;
}

/** What is run in workers. */
export interface Code {
  /** the bytes without checks, or the module that was given instead */
  readonly loaded: Uint8Array | WebAssembly.Module;
  /** compiled, with the checks if there are any */
  readonly module: WebAssembly.Module;
  readonly checks: Checks | undefined;
}

/** Opens what a program is given, to run it in workers. */
export function prepareApart(
  platform: Platform,
  { loaded, module, checks }: Code,
  own: Own,
  options: AsyncWASIOptions,
): Apart {
  const { signal } = options;
  const { state, wasiImport } = makeGuest(
    options as WASIOptions,
    platform.maker(options),
    asyncStreams,
  );
  let program: Program;
  try {
    const memory = memoryOf(loaded, module, own.imports, state.system.memory.limit / PAGE);
    program = { module, memory, threads: own.threads ?? 0, checks, first: own.first };
  } catch (error) {
    closeGuest(state);
    throw error;
  }
  return {
    wasiImport,
    async run(): Promise<number> {
      try {
        return await runInWorkers(state, wasiImport, program, platform.workers, {
          signal,
          timeout: own.timeout,
        });
      } finally {
        closeGuest(state);
      }
    },
  };
}
