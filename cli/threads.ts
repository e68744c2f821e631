/**
 * Running a program that starts threads.
 *
 * @module
 */
import { prepareWorkers, type WorkerRun } from "../core/run/in_workers.ts";
import { validateSettings } from "../core/run/options.ts";
import { instrument } from "../core/module/instrument.ts";
import type { Platform } from "../core/run/platform.ts";
import { versionOf } from "../core/run/program.ts";
import { runtimeMaker } from "../adapters/runtime.ts";
import { workerHost } from "../adapters/workers.ts";
import { GuestWorkers } from "../core/run/workers.ts";
import type { WASIOptions } from "../core/guest/open.ts";
import { endingWithReader, refusedBy } from "./bindings.ts";
import { CommandError, UsageError } from "./error.ts";
import type { Command } from "./options.ts";
import type { Bytes } from "./stack.ts";

/** The end of the process ends all loops: checks at loops would only slow them down. */
const platform: Platform = {
  maker: runtimeMaker,
  workers: new GuestWorkers({ ...workerHost, endsLoops: true }, undefined),
};

/** A program with checks, unless it has instructions that are newer than this. */
function withChecks(bytes: Uint8Array): Uint8Array {
  try {
    return instrument(bytes, "long");
  } catch (error) {
    if (error instanceof RangeError) return bytes;
    throw error;
  }
}

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
  let program: WorkerRun;
  try {
    bytes.run = withChecks(bytes.given);
    const compiled = await WebAssembly.compile(bytes.run as BufferSource);
    const code = { loaded: bytes.given, module: compiled, checks: "long" as const };
    program = prepareWorkers(platform, code, settings, { ...options, version: versionOf(module) });
  } catch (error) {
    throw refusedBy(error);
  }
  endingWithReader(program.wasiImport);
  return await program.run();
}
