/**
 * Running a program in workers: whether it can be, and what it is given.
 *
 * @module
 */
import { PAGE } from "../constants.ts";
import { asyncStreams } from "../guest/async_streams.ts";
import type { AsyncWASIOptions } from "../guest/async_wasi.ts";
import { closeGuest, type WASIOptions } from "../guest/open.ts";
import { makeGuest, type WASIImport } from "../guest/guest.ts";
import { invalidType, invalidValue, outOfRange } from "../errors.ts";
import { importedMemory, initialPages } from "../module/memory.ts";
import { interfaceOf } from "./diagnose.ts";
import type { RunSettings } from "./options.ts";
import type { Platform } from "./platform.ts";
import type { Code } from "./program.ts";
import { isModule } from "./source.ts";
import { runInWorkers, type ThreadedProgram } from "./threads/coordinator.ts";

function isSharedMemory(value: unknown): boolean {
  return value instanceof WebAssembly.Memory && value.buffer instanceof SharedArrayBuffer;
}

/** Why a program cannot run in workers, if it cannot: the option that prevents it. */
export function obstacleOf(
  module: WebAssembly.Module,
  { imports }: RunSettings,
  platform: Platform,
): Error | undefined {
  const none = platform.noWorkers?.();
  if (none !== undefined) return none;
  const others = Object.values(imports).flatMap((names) => Object.values(names));
  if (!others.every(isSharedMemory)) {
    return invalidValue(
      "options.imports",
      "can contain only shared memories if the program runs in workers: leave out options.threads; " +
        "for options.timeout give the bytes of a program without shared memory, on a runtime " +
        "with JSPI, and do not set options.interruptible to false",
      imports,
    );
  }
  const { exports } = interfaceOf(module);
  const initialize = exports.find(({ name }) => name === "_initialize");
  if (initialize !== undefined && exports.some(({ name }) => name === "_start")) {
    return invalidType("instance.exports._initialize", "undefined", initialize.kind);
  }
  if (!exports.some(({ name, kind }) => name === "_start" && kind === "function")) {
    return invalidValue(
      "source",
      "must be a program with _start to run in workers, which options.threads and " +
        "options.timeout require",
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
): ThreadedProgram["memory"] {
  const wanted = interfaceOf(module).imports.find(({ kind }) => kind === "memory");
  if (wanted === undefined) return undefined;
  const namespace = own(imports, wanted.module);
  const given = namespace && own(namespace, wanted.name);
  if (given !== undefined) return { ...wanted, memory: given as WebAssembly.Memory };
  if (isModule(loaded)) {
    throw invalidValue(
      "options.imports",
      `must have the memory ${wanted.module}.${wanted.name}, because a WebAssembly.Module does ` +
        "not reveal its size; or give the program's bytes",
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
export interface WorkerRun {
  /** Its system calls, which may be replaced before it runs. */
  readonly wasiImport: WASIImport;
  /** Runs it to its end; gives the exit code. */
  run(): Promise<number>;
}

/** Opens what a program is given, to run it in workers. */
export function prepareWorkers(
  platform: Platform,
  { loaded, module }: Code,
  settings: RunSettings,
  options: AsyncWASIOptions,
): WorkerRun {
  const { signal } = options;
  const { state, wasiImport } = makeGuest(
    options as WASIOptions,
    platform.maker(options),
    asyncStreams,
  );
  let program: ThreadedProgram;
  try {
    const memory = memoryOf(loaded, module, settings.imports, state.system.memory.limit / PAGE);
    program = { module, memory, threads: settings.threads ?? 0, first: settings.first };
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
          timeout: settings.timeout,
        });
      } finally {
        closeGuest(state);
      }
    },
  };
}
