/**
 * Running a program that starts threads.
 *
 * @module
 */
import { memoryOf } from "../adapters/apart.ts";
import { runtimeMaker } from "../adapters/runtime.ts";
import { workers } from "../adapters/workers.ts";
import { asyncStreams } from "../core/async_streams.ts";
import { PAGE } from "../core/constants.ts";
import { makeGuest, tableOf, type WASIOptions } from "../core/guest.ts";
import { runInWorkers } from "../core/threads/coordinator.ts";
import type { Command } from "./arguments.ts";
import { CommandError, plain } from "./error.ts";
import { checkImports, endingWithReader } from "./run.ts";

/** Whether a program with threads gets what it wants. */
function isThere({ module: from, name, kind }: WebAssembly.ModuleImportDescriptor): boolean {
  if (kind === "memory") return true;
  const table = tableOf(from);
  if (table !== undefined) return name === "proc_exit" || Object.hasOwn(table, name);
  return from === "wasi" && name === "thread-spawn";
}

/** Runs the program; gives the exit code. */
export async function runWithThreads(
  command: Command,
  options: WASIOptions,
  module: WebAssembly.Module,
  bytes: Uint8Array,
): Promise<number> {
  const { file, invoke, threads = 0 } = command;
  if (invoke !== undefined) throw new CommandError("--invoke: not with --threads");
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === "_start")) {
    throw new CommandError(`${file}: it has no _start to run`);
  }
  checkImports(file, module, isThere);
  let guest: ReturnType<typeof makeGuest>;
  let memory: ReturnType<typeof memoryOf>;
  try {
    guest = makeGuest(options, runtimeMaker(), asyncStreams);
    memory = memoryOf(bytes, module, {}, guest.state.system.memory.limit / PAGE);
  } catch (error) {
    throw new CommandError(plain(error));
  }
  const { state, wasiImport } = guest;
  endingWithReader(wasiImport);
  // the end of the process is the end of its threads: the program needs no checks
  const program = { module, memory, threads, checks: undefined };
  return await runInWorkers(state, wasiImport, program, workers, {
    signal: undefined,
    timeout: Infinity,
  });
}
