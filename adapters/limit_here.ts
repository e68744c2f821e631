/**
 * A time limit for a program that cannot run in workers: it runs here, in a copy with checks, which
 * look whether its time is over.
 *
 * @module
 */
import { canSuspend } from "../core/async.ts";
import { throwAborted } from "../core/exit.ts";
import { HOOKS, INTERVAL } from "../core/module/instrument.ts";
import { importedMemory } from "../core/module/memory.ts";
import { TimeLimit } from "../core/time_limit.ts";
import type { Own } from "./apart.ts";
import { isModule } from "./source.ts";

/** Whether a program can be limited here: its bytes are known, and all its waits can be ended. */
export function canLimitHere(
  { threads, interruptible }: Own,
  loaded: Uint8Array | WebAssembly.Module,
  module: WebAssembly.Module,
): loaded is Uint8Array {
  if (!canSuspend() || threads !== undefined || interruptible === false || isModule(loaded)) {
    return false;
  }
  if (importedMemory(loaded)?.shared) return false; // it may wait for another thread
  return WebAssembly.Module.exports(module).some(({ name }) => name === "_start");
}

/** The limit: a signal that ends a guest that waits, and what the checks of one that computes call. */
export class LimitHere {
  readonly #controller: AbortController = new AbortController();
  readonly #given: AbortSignal | undefined;
  readonly #time: TimeLimit;
  readonly #onAbort = (): void => this.#controller.abort(this.#given!.reason);
  readonly signal: AbortSignal = this.#controller.signal;
  readonly imports: WebAssembly.Imports = {
    [HOOKS]: {
      check: (): number => {
        this.#time.look();
        if (this.signal.aborted) throwAborted(this.signal.reason);
        return INTERVAL;
      },
    },
  };

  /** @param signal the embedder's, which ends it, too */
  constructor(milliseconds: number, signal: AbortSignal | undefined) {
    this.#given = signal;
    this.#time = new TimeLimit(milliseconds, (reason) => this.#controller.abort(reason));
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
