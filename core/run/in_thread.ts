/**
 * A time limit for a program that cannot run in workers: it runs in the
 * embedder's thread, in a copy with checks, which
 * look whether its time is over.
 *
 * @module
 */
import { canSuspend } from "../suspension.ts";
import { TIMER_MAX } from "../constants.ts";
import { throwAborted, trapNow } from "../exit.ts";
import { HOOKS, INTERVAL, waitedMemories } from "../module/instrument.ts";
import { importsShared } from "../module/memory.ts";
import { TimeLimit } from "./time_limit.ts";
import type { RunSettings } from "./options.ts";
import { isModule } from "./source.ts";

/** Whether a program can be limited in this thread: its bytes are known, and all its waits can be ended. */
export function canLimitInThread(
  { threads, interruptible }: RunSettings,
  loaded: Uint8Array | WebAssembly.Module,
  module: WebAssembly.Module,
): loaded is Uint8Array {
  if (!canSuspend() || threads !== undefined || interruptible === false || isModule(loaded)) {
    return false;
  }
  if (importsShared(loaded)) return false; // it may wait for another thread
  return WebAssembly.Module.exports(module).some(({ name }) => name === "_start");
}

/** What `memory.atomic.wait32` or `64` is called with, and the number of the memory. */
type Waited = [
  address: number | bigint,
  expected: number | bigint,
  timeout: bigint,
  offset: number,
  index: number,
];

/** What suspends the guest that calls it; Deno's types do not know it. */
type Suspending = new (call: unknown) => () => number;

/** The limit: a signal that ends a guest that waits, and what the checks of one that computes call. */
export class ThreadLimit {
  readonly #controller: AbortController = new AbortController();
  readonly #given: AbortSignal | undefined;
  readonly #time: TimeLimit;
  readonly #onAbort = (): void => this.#controller.abort(this.#given!.reason);
  readonly signal: AbortSignal = this.#controller.signal;

  /** @param signal the embedder's, which ends it, too */
  constructor(milliseconds: number, signal: AbortSignal | undefined) {
    this.#given = signal;
    this.#time = new TimeLimit(milliseconds, (reason) => this.#controller.abort(reason));
  }

  /** What a copy imports, and what its waits are told of its instance. */
  hooks(): { imports: WebAssembly.Imports; bind(instance: WebAssembly.Instance): void } {
    const memories: WebAssembly.Memory[] = [];
    const { Suspending } = WebAssembly as unknown as { Suspending?: Suspending };
    const waiter = (size: 4 | 8): () => number => {
      if (Suspending !== undefined) return new Suspending(this.#waiter(size, memories));
      return this.#holder(size, memories) as () => number;
    };
    return {
      imports: {
        [HOOKS]: { check: (): number => this.#check(), wait32: waiter(4), wait64: waiter(8) },
      },
      bind: ({ exports }) => {
        memories.push(...waitedMemories(exports));
      },
    };
  }

  /** Ends what runs if its time is over; gives the milliseconds that are left. */
  look(): number {
    this.#check();
    return this.#time.left;
  }

  #check(): number {
    this.#time.look();
    if (this.signal.aborted) throwAborted(this.signal.reason);
    return INTERVAL;
  }

  /** `memory.atomic.wait32` or `64` on a memory that no other thread has: none wakes it. */
  #waiter(size: 4 | 8, memories: readonly WebAssembly.Memory[]) {
    return async (...waited: Waited): Promise<number> => {
      const milliseconds = this.#begin(size, memories, waited);
      if (milliseconds < 0) return 1;
      await this.#pause(milliseconds);
      this.#check();
      return 2;
    };
  }

  /** The same where guests cannot be suspended: the thread is held. */
  #holder(size: 4 | 8, memories: readonly WebAssembly.Memory[]) {
    return (...waited: Waited): number => {
      const milliseconds = this.#begin(size, memories, waited);
      if (milliseconds < 0) return 1;
      const until = performance.now() + milliseconds;
      const bed = new Int32Array(new SharedArrayBuffer(4));
      for (let left = milliseconds; left > 0; left = until - performance.now()) {
        Atomics.wait(bed, 0, 0, Math.min(left, this.look()));
      }
      this.#check();
      return 2;
    };
  }

  /** How many milliseconds to wait, or -1 if the memory holds something else. */
  #begin(
    size: 4 | 8,
    memories: readonly WebAssembly.Memory[],
    [address, expected, timeout, offset, index]: Waited,
  ): number {
    const memory = memories[index];
    if (memory === undefined) trapNow(); // a program may import this itself, with any number
    const { buffer } = memory;
    const start = typeof address === "bigint" ? Number(BigInt.asUintN(64, address)) : address >>> 0;
    const at = start + offset;
    if (at % size !== 0 || at + size > buffer.byteLength) trapNow();
    const words = size === 4 ? new Int32Array(buffer) : new BigInt64Array(buffer);
    this.#check();
    if (words[at / size] !== expected) return -1;
    return timeout < 0n ? Infinity : Number(timeout) / 1e6;
  }

  /** Waits so many milliseconds, or until the program is stopped. */
  async #pause(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    for (let left = milliseconds; left > 0; left = until - performance.now()) {
      if (this.signal.aborted) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(left, TIMER_MAX));
        this.signal.addEventListener("abort", done);
      });
    }
  }

  start(): void {
    if (this.#given?.aborted) this.#onAbort();
    this.#given?.addEventListener("abort", this.#onAbort);
    this.#time.start();
  }

  stop(): void {
    this.#given?.removeEventListener("abort", this.#onAbort);
    this.#time.stop();
  }
}
