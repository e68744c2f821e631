/**
 * Running a program that starts threads.
 *
 * @module
 */
import {
  type Apart,
  checked,
  checksOf,
  type Platform,
  prepareApart,
  validateOwn,
} from "../core/run/in_workers.ts";
import { versionOf } from "../core/run/plan.ts";
import { runtimeMaker } from "../adapters/runtime.ts";
import { workers } from "../adapters/workers.ts";
import type { WASIOptions } from "../core/guest/guest.ts";
import { CommandError, UsageError } from "./error.ts";
import type { Command } from "./options.ts";
import { endingWithReader, refusedBy } from "./run.ts";
import type { Bytes } from "./trap.ts";

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
  const own = validateOwn({ threads });
  const checks = checksOf(own, platform);
  let apart: Apart;
  try {
    if (checks !== undefined) bytes.run = checked(bytes.given, checks);
    const compiled = await WebAssembly.compile(bytes.run as BufferSource);
    const code = { loaded: bytes.given, module: compiled, checks };
    apart = prepareApart(platform, code, own, { ...options, version: versionOf(module) });
  } catch (error) {
    throw refusedBy(error);
  }
  endingWithReader(apart.wasiImport);
  return await apart.run();
}
