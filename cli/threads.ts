/**
 * Running a program that starts threads.
 *
 * @module
 */
import { prepareWorkers, type WorkerRun } from "../core/run/in_workers.ts";
import { validateSettings } from "../core/run/options.ts";
import type { Platform } from "../core/run/platform.ts";
import { checked, checksOf, versionOf } from "../core/run/program.ts";
import { runtimeMaker } from "../adapters/runtime.ts";
import { workers } from "../adapters/workers.ts";
import type { WASIOptions } from "../core/guest/open.ts";
import { endingWithReader, refusedBy } from "./bindings.ts";
import { CommandError, UsageError } from "./error.ts";
import type { Command } from "./options.ts";
import type { Bytes } from "./stack.ts";

/** The end of the process ends all loops: checks at loops would only slow them down. */
const platform: Platform = { maker: runtimeMaker, workers: { ...workers, endsLoops: true } };

/** Runs the program as run() does; gives the exit code. */
export async function runWithThreads(
  { file, invoke, threads = 0 }: Command,
  options: WASIOptions,
  module: WebAssembly.Module,
  bytes: Bytes,
): Promise<number> {
  if (invoke !== undefined) throw new UsageError("--invoke: not with --threads");
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === "_start")) {
    throw new CommandError(`${file}: it has no _start to run`);
  }
  const settings = validateSettings({ threads });
  const checks = checksOf(settings, platform);
  let program: WorkerRun;
  try {
    if (checks !== undefined) bytes.run = checked(bytes.given, checks);
    const compiled = await WebAssembly.compile(bytes.run as BufferSource);
    const code = { loaded: bytes.given, module: compiled, checks };
    program = prepareWorkers(platform, code, settings, { ...options, version: versionOf(module) });
  } catch (error) {
    throw refusedBy(error);
  }
  endingWithReader(program.wasiImport);
  return await program.run();
}
