/**
 * A guest whose system calls are made where it is, in a worker: over a host of the worker's own.
 * Nothing but its end, and output for the embedder's buffers, crosses threads.
 *
 * @module
 */
import { stopped } from "../../errors.ts";
import { isException, throwAborted, uncaught } from "../../exit.ts";
import { validateRandom } from "../../guest/determinism.ts";
import { stateOf } from "../../guest/guest.ts";
import type { HostMaker } from "../../guest/open.ts";
import { BaseWASI, type WASIOptions } from "../../guest/wasi.ts";
import { GuestChecks } from "../checks.ts";
import { importsFor } from "../imports.ts";
import { describeFailure, type Failure } from "../threads/failure.ts";
import { Shared, TaskOutput, type Written } from "./output.ts";

/** A standard output of a task: a descriptor, nothing, or a number of one of the embedder's buffers. */
export type TaskStdout = number | null | { readonly buffer: number };

/** What a worker is to run. All of it can be posted. */
export interface Task {
  /** with checks in its loops */
  readonly module: WebAssembly.Module;
  /** an export that is called first; see State.first */
  readonly first: string | undefined;
  readonly options: Omit<WASIOptions, "stdout" | "stderr">;
  readonly stdout: TaskStdout;
  readonly stderr: TaskStdout;
  /** the words of `Shared` */
  readonly shared: SharedArrayBuffer;
}

/** What a worker says of it. */
export interface TaskReport {
  readonly written?: readonly Written[];
  /** it has ended with this code */
  readonly code?: number;
  /** or with this error */
  readonly failed?: Failure;
}

/** Milliseconds after which a guest that waits looks whether it is to be stopped. */
const PAUSE = 20;

/** Runs a guest to its end, and says how that was. */
export function runTask(task: Task, post: (report: TaskReport) => void, maker: HostMaker): void {
  const output = new TaskOutput(new Int32Array(task.shared), (written) => post({ written }));
  let report: TaskReport;
  try {
    report = { code: run(task, output, maker) };
  } catch (error) {
    report = { failed: describeFailure(isException(error) ? uncaught(error) : error) };
  }
  output.flush();
  post(report);
}

/** Looks between the pieces of a call for random bytes, the only one that may take any time. */
function looking(
  look: () => void,
  random: ((into: Uint8Array) => void) | undefined,
): ((into: Uint8Array) => void) | undefined {
  return random && ((into) => {
    look();
    random(into);
  });
}

function run(
  { module, first, options, stdout, stderr, shared }: Task,
  output: TaskOutput,
  maker: HostMaker,
): number {
  const words = new Int32Array(shared);
  const look = (): number => {
    output.flush();
    if (Atomics.load(words, Shared.STOP) !== 0) throwAborted(stopped());
    return PAUSE;
  };
  const { random } = options;
  const fill = random === undefined ? undefined : validateRandom(random)!;
  const streamOf = (value: TaskStdout) =>
    typeof value === "object" && value !== null ? output.stream(value.buffer, look) : value;
  const streams = { stdout: streamOf(stdout), stderr: streamOf(stderr) };
  const wasi = new BaseWASI({ ...options, ...streams, random: looking(look, fill) }, (given) => {
    const host = maker(given);
    return { ...host, random: looking(look, (into) => host.random(into))! };
  });
  try {
    const state = stateOf(wasi);
    state.first = first;
    const { system } = state;
    system.halt = words.subarray(Shared.STOP);
    system.suspends = true; // what waits says so first, and looks up now and then
    system.settle = (wait) => system.hold(wait, { look }) | 0;
    const checks = new GuestChecks(look);
    const instance = new WebAssembly.Instance(module, importsFor(module, checks.imports, wasi));
    checks.bind(instance);
    return wasi.start(instance);
  } finally {
    wasi[Symbol.dispose]();
  }
}
