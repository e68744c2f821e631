/**
 * A guest that is suspended while it waits, so that the thread is free for other tasks: through
 * JSPI (`WebAssembly.Suspending` and `WebAssembly.promising`). The system calls are those of the
 * class that blocks the thread; only waits are handled differently.
 *
 * @module
 */
import {
  type AsyncFile,
  type AsyncStdinOption,
  type AsyncStdoutOption,
  asyncStreams,
  isAsyncFile,
  refuseOtherStreams,
} from "./async_streams.ts";
import { TIMER_MAX } from "../constants.ts";
import { errnoOf } from "../errno.ts";
import { GuestAborted, ProcExit, Thrown } from "../exit.ts";
import {
  bindInstance,
  importsOf,
  makeGuest,
  otherBinding,
  portsOf,
  STATE,
  type State,
  stateOf,
  tableOf,
  type WASIImport,
} from "./guest.ts";
import { closeGuest, type HostMaker, type WASIOptions } from "./open.ts";
import { hidden, type ImportedFunction } from "../preview1/imports.ts";
import { invalidType } from "../errors.ts";
import { validateFunction, validateObject, validateUndefined } from "../validate.ts";
import { canSuspend, suspension } from "../suspension.ts";
import type { System } from "../system/system.ts";
import { Wait } from "../system/waiting.ts";
import { turn } from "../next_task.ts";
import { ENDED, typedImports } from "../preview1/typed.ts";

/** Options of {@linkcode BaseAsyncWASI}: those of `WASI`, with streams, and a signal. */
export interface AsyncWASIOptions extends Omit<WASIOptions, "stdin" | "stdout" | "stderr"> {
  /** Standard input: whatever `WASI` takes, a `ReadableStream`, a `Blob` or an async iterable. */
  stdin?: AsyncStdinOption;
  /**
   * Standard output: whatever `WASI` takes, or a `WritableStream`, which is closed when the guest
   * ends.
   */
  stdout?: AsyncStdoutOption;
  /** Standard error, like `stdout`; it may be the same stream. */
  stderr?: AsyncStdoutOption;
  /** Stops the guest: at once if it waits, at its next system call if it computes. */
  signal?: AbortSignal;
}

/** Calls that can wait. The others stay plain functions. */
const WAITING: readonly string[] = [
  "fd_read",
  "fd_write",
  "poll_oneoff",
  "sched_yield",
  "sock_accept",
  "sock_recv",
  "sock_send",
];

/** Longest pause, in milliseconds, between polls of host descriptors. */
const PAUSE_MAX = 10;
/** How often it polls again at once at first, yielding to other tasks in between. */
const EAGER = 20;

/** The error of what needs JSPI, where there is none. */
export function unsupported(): Error {
  const text = "this runtime cannot suspend a guest: it has no WebAssembly.Suspending (JSPI). " +
    "Use Node from 24.20 on, Deno, Bun or Chromium, or the class WASI, which blocks the thread";
  return Object.assign(new Error(text), { code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" });
}

/** Checks the option `signal`. */
export function validateSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidType("options.signal", "an instance of AbortSignal", signal);
  }
}

/**
 * Resolves when so much time is over, when one of the files may have become ready, or when the guest
 * is stopped.
 */
function rest(
  ending: Ending,
  milliseconds: number,
  files: ReadonlySet<AsyncFile>,
): Promise<void> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const done = (): void => {
      clearTimeout(timer);
      ending.wakes.delete(done);
      for (const { wakes } of files) wakes.delete(done);
      resolve();
    };
    ending.wakes.add(done);
    for (const { wakes } of files) wakes.add(done);
    if (milliseconds !== Infinity) timer = setTimeout(done, Math.min(milliseconds, TIMER_MAX));
  });
}

/**
 * Waits until an entry has found something, the deadline is over or the guest is stopped, the thread
 * free meanwhile; others are let through once at least, unless there is something already.
 */
export async function waitFor(
  system: System,
  { entries, deadline }: Pick<Wait, "entries" | "deadline">,
  ending: Ending,
): Promise<void> {
  const files = new Set(entries.map(({ file }) => file).filter(isAsyncFile));
  const others = entries.some(({ file }) => !isAsyncFile(file));
  // virtual time passes at once, unless a stream may wake the guest: then it gets that long in real time
  const virtual = system.host.virtual === true && deadline !== Infinity;
  let until = Infinity;
  for (let looks = 0; !ending.over; looks++) {
    if (entries.length > 0) system.poll(entries, 0);
    const left = deadline - system.now();
    if ((left <= 0 && looks > 0) || entries.some(({ found }) => found !== 0)) return;
    if (virtual) {
      if (looks === 0) until = files.size === 0 ? 0 : performance.now() + left;
      if (performance.now() >= until) return system.poll(entries, left);
    }
    if (left < 1 || (others && looks < EAGER)) await turn();
    else {
      // streams wake the guest themselves; other descriptors are polled
      const pause = others ? Math.min(PAUSE_MAX, 1 + (looks - EAGER) / 4) : Infinity;
      await rest(ending, Math.min(pause, Math.floor(left)), files);
    }
  }
}

/** Goes through with a wait of a component's, with the thread free. */
export async function settled(
  system: System,
  ending: Ending,
  wait: Wait<unknown>,
): Promise<unknown> {
  let result: unknown = wait;
  while (result instanceof Wait) {
    await waitFor(system, result, ending);
    if (ending.over) return undefined;
    result = result.resume();
  }
  return result;
}

/** A guest that can be stopped from outside. */
export class Ending {
  readonly #system: System;
  /** Called when it is stopped, to release what it waits for. */
  readonly wakes: Set<() => void> = new Set();
  /** Rejects when it is stopped. */
  readonly aborted: Promise<never>;
  #reject: (reason: unknown) => void = () => {};
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.end(this.#signal!.reason);

  constructor(system: System, signal: AbortSignal | undefined) {
    this.#system = system;
    this.#signal = signal;
    this.aborted = new Promise<never>((_, reject) => this.#reject = reject);
    this.aborted.catch(() => {});
    if (signal?.aborted) this.end(signal.reason);
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** Releases the signal, which may outlive many guests. */
  release(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  get over(): boolean {
    return this.#system.ended !== undefined;
  }

  end(reason: unknown): void {
    if (this.over) return;
    this.#system.end(reason);
    for (const wake of [...this.wakes]) wake();
    this.#reject(reason);
  }
}

/** Completes a call that waits; {@linkcode ENDED} for a guest that has been stopped. */
export async function settle(system: System, ending: Ending, wait: Wait): Promise<number> {
  let result: number | Wait = wait;
  while (typeof result !== "number") {
    try {
      await waitFor(system, result, ending);
      if (ending.over) return ENDED;
      result = result.resume();
    } catch (error) {
      // an error of the embedder's streams and functions stops the guest
      if (error instanceof Thrown) ending.end(error.cause);
      return ending.over ? ENDED : errnoOf(error);
    }
  }
  return result | 0;
}

/** Lets output streams take what is left. A guest that is stopped does not wait for them. */
export async function finishStreams(
  { streams }: Pick<State, "streams">,
  ending: Ending,
): Promise<void> {
  const { over } = ending;
  const all = Promise.all(
    streams.map((file) =>
      typeof file === "number" || !isAsyncFile(file) ? undefined : file.finish()
    ),
  );
  all.catch(() => {});
  if (!over) await Promise.race([all, ending.aborted]);
}

/** An entry point that gives a promise; only functions of WebAssembly can. */
function promised(entry: unknown): () => Promise<unknown> {
  try {
    return suspension.promising!(entry);
  } catch {
    throw invalidType("instance.exports._start", "a function of WebAssembly", entry);
  }
}

/** What suspends the guest, of a call that can wait. */
function suspending(name: string, call: ImportedFunction): unknown {
  return WAITING.includes(name) ? new suspension.Suspending!(call) : undefined;
}

/**
 * The class `WASI` for guests that are suspended while they wait, over any host. Use the
 * `AsyncWASI` of mod.ts.
 */
export class BaseAsyncWASI {
  /** The system calls, as functions of WebAssembly; those that can wait suspend the guest. */
  readonly wasiImport: WASIImport;
  readonly #ending: Ending;

  /**
   * Checks the options, opens the preopens.
   *
   * Errors: as `WASI`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where guests cannot be suspended.
   */
  constructor(options: AsyncWASIOptions, makeHost: HostMaker) {
    validateObject(options, "options");
    const { signal } = options;
    validateSignal(signal);
    if (!canSuspend()) throw unsupported();
    refuseOtherStreams(options);
    const { state, wasiImport } = makeGuest(options as WASIOptions, makeHost, asyncStreams);
    const { system } = state;
    const ending = new Ending(system, signal);
    system.suspends = true;
    // a promise, which JSPI waits for
    system.settle = (wait) => settle(system, ending, wait) as unknown as number;
    Object.defineProperty(this, STATE, { value: state });
    this.#ending = ending;
    this.wasiImport = typedImports(wasiImport, tableOf(state.binding)!, suspending);
  }

  /**
   * The import object for a guest that needs nothing but WASI. A module that imports the other
   * snapshot too finds that as well, as a property that is not enumerable.
   */
  getImportObject(): WebAssembly.Imports {
    const { binding } = stateOf(this);
    const imports = hidden({ [binding]: this.wasiImport });
    const other = otherBinding(binding);
    return Object.defineProperty(imports, other, {
      configurable: true,
      get: (): WASIImport => {
        const proc_exit = (code: number): void => this.wasiImport.proc_exit!(code);
        const calls = importsOf(stateOf(this), other, proc_exit);
        return typedImports(calls, tableOf(other)!, suspending);
      },
    });
  }

  /**
   * Runs a command; resolves with the exit code when it has ended and its output is where it
   * belongs.
   *
   * Errors: as `WASI.start`; the signal's reason, if that ended it; what an embedder's stream
   * failed with.
   */
  async start(instance: WebAssembly.Instance): Promise<number> {
    const { _start, _initialize } = bindInstance(stateOf(this), instance);
    validateFunction(_start, "instance.exports._start");
    validateUndefined(_initialize, "instance.exports._initialize");
    try {
      await this.#run(_start);
    } catch (error) {
      if (!(error instanceof ProcExit)) throw error;
    } finally {
      stateOf(this).system.table.closeOpened();
      await finishStreams(stateOf(this), this.#ending).finally(() => this.#ending.release());
    }
    return stateOf(this).exitCode;
  }

  /**
   * Initialises a reactor: calls `_initialize` if there is one. Exports that may wait must be
   * called through `WebAssembly.promising`.
   *
   * Errors: as {@linkcode BaseAsyncWASI.start}.
   */
  async initialize(instance: WebAssembly.Instance): Promise<void> {
    const { _start, _initialize } = bindInstance(stateOf(this), instance);
    validateUndefined(_start, "instance.exports._start");
    if (_initialize !== undefined) validateFunction(_initialize, "instance.exports._initialize");
    await this.#run(_initialize);
  }

  async #run(call: unknown): Promise<void> {
    try {
      const { first, instance } = stateOf(this);
      for (const entry of [first && instance!.exports[first], call]) {
        if (this.#ending.over) await this.#ending.aborted;
        if (entry === undefined) continue;
        await Promise.race([promised(entry)(), this.#ending.aborted]);
      }
    } catch (error) {
      throw error instanceof GuestAborted ? error.cause : error;
    }
  }

  /** The ports that the sockets of `options.listen` got, in their order. */
  get ports(): number[] {
    return portsOf(stateOf(this));
  }

  /** Closes all that is open; system calls answer BADF from then on. */
  [Symbol.dispose](): void {
    this.#ending.release();
    closeGuest(stateOf(this));
  }
}
