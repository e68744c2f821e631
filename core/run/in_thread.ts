/**
 * A time limit for a program that cannot run in workers: it runs in the embedder's thread, in a copy
 * with checks, which look whether its time is over.
 *
 * @module
 */
import { canSuspend } from "../suspension.ts";
import { TIMER_MAX } from "../constants.ts";
import { throwAborted } from "../exit.ts";
import { importsShared } from "../module/memory.ts";
import { GuestChecks } from "./checks.ts";
import { interfaceOf } from "./diagnose.ts";
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
  return interfaceOf(module).exports.some(({ name }) => name === "_start");
}

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

  /** What a copy imports. */
  hooks(): GuestChecks {
    return new GuestChecks(() => this.look(), (milliseconds) => this.#pause(milliseconds));
  }

  /** Ends what runs if its time is over; gives the milliseconds that are left. */
  look(): number {
    this.#time.look();
    if (this.signal.aborted) throwAborted(this.signal.reason);
    return this.#time.left;
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
