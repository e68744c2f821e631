/**
 * The option `timeout` of `run()`.
 *
 * @module
 */
import { TIMER_MAX } from "../constants.ts";

/** Calls a function when a guest's time is over. */
export class TimeLimit {
  readonly #milliseconds: number;
  readonly #end: (reason: DOMException) => void;
  #until = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(milliseconds: number, end: (reason: DOMException) => void) {
    this.#milliseconds = milliseconds;
    this.#end = end;
  }

  /** From now on the time counts. */
  start(): void {
    this.#until = performance.now() + this.#milliseconds;
    if (this.#until !== Infinity) this.#wait();
  }

  #wait(): void {
    const left = this.#until - performance.now();
    if (left > 0) this.#timer = setTimeout(() => this.#wait(), Math.min(left, TIMER_MAX));
    else this.look();
  }

  /** Ends the guest if its time is over: for a guest that lets no timer through. */
  look(): void {
    if (performance.now() < this.#until) return;
    this.stop();
    const text = `the program timed out after ${this.#milliseconds} ms (options.timeout)`;
    this.#end(new DOMException(text, "TimeoutError"));
  }

  stop(): void {
    this.#until = Infinity;
    clearTimeout(this.#timer);
  }
}
