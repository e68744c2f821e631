/**
 * Running a guest whose system calls are made where it is: which guests can, and how it goes from the
 * embedder's side.
 *
 * @module
 */
import { PAGE } from "../../constants.ts";
import type { AsyncWASIOptions } from "../../guest/async_wasi.ts";
import { validateLimits } from "../../guest/limits.ts";
import { pathOfURL, validateArgs, validateListen, validatePreopens } from "../../guest/options.ts";
import { isOutputBuffer, type OutputBuffer } from "../../guest/streams.ts";
import { validateRecord } from "../../validate.ts";
import { interfaceOf } from "../diagnose.ts";
import type { RunSettings } from "../options.ts";
import { revived } from "../threads/failure.ts";
import { TimeLimit } from "../time_limit.ts";
import type { Code } from "../program.ts";
import type { GuestWorkers, PooledWorker } from "../workers.ts";
import type { Task, TaskReport, TaskStdout } from "./guest.ts";
import { Shared, taken, type Written } from "./output.ts";

/** Milliseconds that a guest has to come to its end once it is stopped. */
const GRACE = 80;

/**
 * What keeps a guest's system calls in the embedder's thread: the option whose value is there, or why
 * else; undefined if nothing does.
 */
export function keptBy(
  options: AsyncWASIOptions,
  settings: RunSettings,
  { module, checks }: Code,
): string | undefined {
  const name = optionOf(options, settings);
  if (name !== undefined) return `options.${name}`;
  if (checks !== "loops") {
    return "the program has no checks: they need its bytes, and options.interruptible";
  }
  const imported = interfaceOf(module).imports.some(({ kind }) => kind === "memory");
  return imported ? "the program imports its memory" : undefined;
}

function optionOf(
  { stdin, stdout, stderr, preopens, trace, clock, random }: AsyncWASIOptions,
  { imports, threads }: RunSettings,
): string | undefined {
  const isOutput = (value: unknown): boolean =>
    value === undefined || value === null || typeof value === "number" || isOutputBuffer(value);
  const isPath = (value: unknown): boolean => typeof value === "string" || value instanceof URL;
  if (threads !== undefined) return "threads";
  if (Object.keys(imports).length > 0) return "imports";
  const isInput = stdin === undefined || stdin === null || typeof stdin === "number" ||
    stdin instanceof Uint8Array;
  if (!isInput) return "stdin";
  if (!isOutput(stdout)) return "stdout";
  if (!isOutput(stderr)) return "stderr";
  if (!Object.values(preopens ?? {}).every(isPath)) return "preopens";
  if (trace !== undefined && trace !== false) return "trace";
  if (clock !== undefined && typeof clock !== "bigint") return "clock";
  return typeof random === "function" ? "random" : undefined;
}

/** A task's standard outputs, and the buffers of the embedder that they mean. */
function outputsOf(values: readonly unknown[]): { outputs: TaskStdout[]; buffers: OutputBuffer[] } {
  const buffers: OutputBuffer[] = [];
  const outputs = values.map((value) => {
    if (!isOutputBuffer(value)) return value as number | null;
    if (!buffers.includes(value)) buffers.push(value);
    return { buffer: buffers.indexOf(value) };
  });
  return { outputs, buffers };
}

/**
 * The options as they can be posted. Those that are plain values already are checked in the worker,
 * by the class there.
 */
function taskOptions(options: AsyncWASIOptions): Task["options"] {
  const { env = {}, stdin = 0, ffi = true, confinement, clock, random } = options;
  const args = validateArgs(options.args);
  validateRecord(env, "options.env");
  const preopens = validatePreopens(options.preopens).map(([name, value]) => [
    name,
    value instanceof URL ? pathOfURL(value, `options.preopens["${name}"]`) : value as string,
  ]);
  const listen = validateListen(options.listen);
  const limits = validateLimits(options.limits);
  const given = Object.entries(env).filter(([, value]) => value !== undefined);
  return {
    version: options.version,
    args,
    env: Object.fromEntries(given.map(([name, value]) => [name, `${value}`])),
    preopens: Object.fromEntries(preopens),
    listen,
    stdin: stdin as number | null | Uint8Array,
    limits,
    ffi,
    ...(confinement === undefined ? {} : { confinement }),
    ...(clock === undefined ? {} : { clock: clock as bigint }),
    ...(random === undefined ? {} : { random: random as number }),
  };
}

/** Where a guest runs is not available: its calls have to be made in the embedder's thread. */
export class Unavailable extends Error {}

/** One guest in a worker. */
class Runner {
  readonly #task: Task;
  readonly #words: Int32Array;
  readonly #buffers: readonly OutputBuffer[];
  readonly #pool: GuestWorkers;
  readonly #time: TimeLimit;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#stop(this.#signal!.reason);
  #worker: PooledWorker | undefined = undefined;
  /** Why it was stopped, if it was. */
  #stopped: { reason: unknown } | undefined = undefined;
  #given = false;
  /** Whether one of the buffers has failed. */
  #mute = false;
  #grace: ReturnType<typeof setTimeout> | undefined = undefined;
  #resolve: (code: number) => void = () => {};
  #reject: (reason: unknown) => void = () => {};

  constructor(
    task: Task,
    buffers: readonly OutputBuffer[],
    pool: GuestWorkers,
    { signal, timeout }: { signal: AbortSignal | undefined; timeout: number },
  ) {
    this.#task = task;
    this.#words = new Int32Array(task.shared);
    this.#buffers = buffers;
    this.#pool = pool;
    this.#signal = signal;
    this.#time = new TimeLimit(timeout, (reason) => this.#stop(reason));
  }

  async run(heap: number): Promise<number> {
    this.#signal?.throwIfAborted();
    await this.#pool.turn(this.#signal);
    if (this.#signal?.aborted) {
      this.#pool.pass(); // it was aborted since
      throw this.#signal.reason;
    }
    try {
      return await new Promise<number>((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        this.#signal?.addEventListener("abort", this.#onAbort);
        this.#worker = this.#pool.take({
          message: (report) => this.#receive(report),
          failed: (error) => {
            this.#replace();
            reject(error);
          },
        }, heap);
        this.#send(this.#worker);
      });
    } finally {
      this.#time.stop();
      clearTimeout(this.#grace);
      this.#signal?.removeEventListener("abort", this.#onAbort);
    }
  }

  /** Sends what is to be run; what cannot be posted is run, or refused, in the embedder's thread. */
  #send(worker: PooledWorker): void {
    try {
      worker.post({ address: this.#pool.address, task: this.#task });
    } catch (error) {
      this.#pool.give(worker);
      this.#reject(new Unavailable(String(error)));
      return;
    }
    if (worker.ready) this.#begin();
  }

  #receive(report: TaskReport & { ready?: true; missing?: string }): void {
    const { ready, missing, written, code, failed } = report;
    if (ready) return this.#begin();
    if (written !== undefined) return this.#write(written);
    if (this.#given) this.#pool.keepIdle(this.#worker!);
    else this.#pool.give(this.#worker!);
    if (missing !== undefined) {
      this.#pool.address = undefined;
      this.#reject(new Unavailable(missing));
    } else if (this.#stopped !== undefined) this.#reject(this.#stopped.reason);
    else if (failed !== undefined) this.#reject(revived(failed));
    else this.#resolve(code!);
  }

  /** Writes to the embedder's buffers. One that throws ends the guest, as it would in its own thread. */
  #write(written: readonly Written[]): void {
    taken(this.#words, written);
    // one that was given up writes no more
    if (this.#given || this.#mute) return;
    try {
      for (const [buffer, bytes] of written) this.#buffers[buffer]!.write(bytes);
    } catch (error) {
      this.#mute = true;
      this.#stop(error);
    }
  }

  /** Its time begins, unless it is over: then nobody would stop it any more. */
  #begin(): void {
    this.#worker!.ready = true;
    if (this.#stopped === undefined) this.#time.start();
  }

  /** The guest ends at its next check; one that does not is given up, and its worker is replaced. */
  #stop(reason: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { reason };
    Atomics.store(this.#words, Shared.STOP, 1);
    Atomics.notify(this.#words, Shared.TAKEN); // it may wait for that
    this.#grace = setTimeout(() => {
      this.#worker!.unref();
      this.#replace();
      this.#reject(reason);
    }, GRACE);
  }

  #replace(): void {
    if (!this.#given) this.#pool.replace(this.#worker!);
    this.#given = true;
  }
}

/**
 * Runs a program in a worker that makes its system calls; gives its exit code.
 *
 * @param code with checks in its loops
 * @throws {Unavailable} if what it needs cannot be had there
 * @throws what ended the guest, as `run()` does
 */
export async function runInWorker(
  pool: GuestWorkers,
  { module }: Code,
  { timeout, first, memoryPages }: RunSettings,
  options: AsyncWASIOptions,
): Promise<number> {
  const { stdout = 1, stderr = 2, signal } = options;
  const { outputs, buffers } = outputsOf([stdout, stderr]);
  const task: Task = {
    module,
    first,
    options: taskOptions(options),
    stdout: outputs[0]!,
    stderr: outputs[1]!,
    shared: new SharedArrayBuffer(4 * Shared.WORDS),
  };
  return await new Runner(task, buffers, pool, { signal, timeout }).run(memoryPages * PAGE);
}
