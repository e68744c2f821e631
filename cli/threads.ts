/**
 * Running a program that starts threads.
 *
 * @module
 */
import { memoryOf } from "../adapters/apart.ts";
import { runtimeMaker } from "../adapters/runtime.ts";
import { workers } from "../adapters/workers.ts";
import { asyncStreams } from "../core/async_streams.ts";
import { makeGuest, tableOf, type WASIOptions } from "../core/guest.ts";
import { runInWorkers } from "../core/threads/coordinator.ts";
import type { Command } from "./arguments.ts";
import { CommandError, plain } from "./error.ts";
import { missed, OUTPUT, PAGE, PIPE } from "./run.ts";
import { exit, OUTPUT_CLOSED } from "./runtime.ts";

/** Fails if a module imports what it does not get. */
function checkImports(file: string, module: WebAssembly.Module): void {
  const missing = WebAssembly.Module.imports(module).filter(({ module: from, name, kind }) => {
    if (kind === "memory") return false;
    const table = tableOf(from);
    if (table !== undefined) return name !== "proc_exit" && !Object.hasOwn(table, name);
    return from !== "wasi" || name !== "thread-spawn";
  });
  if (missing.length === 0) return;
  const names = missing.map(({ module: from, name, kind }) => `${from}.${name} (${kind})`);
  throw new CommandError(`${file}: ${missed(names)}`);
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
  checkImports(file, module);
  let guest: ReturnType<typeof makeGuest>;
  let memory: ReturnType<typeof memoryOf>;
  try {
    guest = makeGuest(options, runtimeMaker(), asyncStreams);
    memory = memoryOf(bytes, module, {}, guest.state.system.memory.limit / PAGE);
  } catch (error) {
    throw new CommandError(plain(error));
  }
  const { state, wasiImport } = guest;
  const { fd_write } = wasiImport;
  wasiImport.fd_write = (fd: number, ...others: number[]) => {
    // a number, or a promise if it has to wait
    const result: number | Promise<number> = fd_write!(fd, ...others);
    const seen = (errno: number): number => {
      if (errno === PIPE && OUTPUT.includes(fd)) exit(OUTPUT_CLOSED);
      return errno;
    };
    return typeof result === "number" ? seen(result) : result.then(seen);
  };
  // the end of the process is the end of its threads: the program needs no checks
  const program = { module, memory, threads, checks: undefined };
  return await runInWorkers(state, wasiImport, program, workers, {
    signal: undefined,
    timeout: Infinity,
  });
}
