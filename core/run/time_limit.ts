/**
 * The option `timeout` of `run()`.
 *
 * @module
 */
import { TIMER_MAX } from "../constants.ts";

/** Calls a function when a guest times out. */
export class TimeLimit {
  readonly #milliseconds: number;
  readonly #end: (reason: DOMException) => void;
  #until = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(milliseconds: number, end: (reason: DOMException) => void) {
    this.#milliseconds = milliseconds;
    this.#end = end;
  }

  /** Starts the time. */
  start(): void {
    this.#until = performance.now() + this.#milliseconds;
    if (this.#until !== Infinity) this.#wait();
  }

  #wait(): void {
    const left = this.#until - performance.now();
    if (left > 0) this.#timer = setTimeout(() => this.#wait(), Math.min(left, TIMER_MAX));
    else this.look();
  }

  /** Stops the guest if it has timed out: for a guest that does not let timers run. */
  look(): void {
    if (performance.now() < this.#until) return;
    this.stop();
    const text = `the program timed out after ${this.#milliseconds} ms (options.timeout)`;
    this.#end(new DOMException(text, "TimeoutError"));
  }

  /** Milliseconds that are left. */
  get left(): number {
    return Math.max(0, this.#until - performance.now());
  }

  stop(): void {
    this.#until = Infinity;
    clearTimeout(this.#timer);
  }
}
