/**
 * Clocks for hosts without libc, from what every runtime of JavaScript has.
 *
 * @module
 */
import { Clockid, Errno } from "../core/abi.ts";
import type { Clock } from "../core/host.ts";

/** After so many milliseconds it is looked whether somebody has set the wall clock. */
const RESYNC = 20;

/** Writes nanoseconds as 64 bits. Beyond 2 ** 53 a number steps by 256, finer than any clock here. */
function put(into: DataView, offset: number, nanoseconds: number): void {
  into.setUint32(offset, nanoseconds >>> 0, true);
  into.setUint32(offset + 4, nanoseconds / 0x100000000, true);
}

/** What a runtime can add. */
export interface ClockSources {
  /** Nanoseconds of a clock that all threads and processes share; default: this thread's own. */
  monotonic?: () => bigint;
  /** Processor time of the process in microseconds; default: none. */
  cpu?: () => number;
  /** Processor time of the thread in microseconds; default: the process's. */
  threadCpu?: () => number;
}

/** Clocks over `performance.now()`, which is the cheapest precise one. */
export class WebClock implements Clock {
  readonly #sources: ClockSources;
  /** What `performance.now()` lacks to the monotonic clock, in nanoseconds. */
  readonly #base: number;
  /** What it lacks to the wall clock, in milliseconds, and when that was last looked at. */
  #wall: number = performance.timeOrigin;
  #looked = -Infinity;

  constructor(sources: ClockSources = {}) {
    this.#sources = sources;
    const now = BigInt(Math.floor(performance.now() * 1e6));
    this.#base = Number((sources.monotonic?.() ?? now) - now);
  }

  time(id: number, into: DataView, offset: number): number {
    switch (id) {
      case Clockid.REALTIME:
        put(into, offset, this.#realtime());
        return 0;
      case Clockid.MONOTONIC:
        put(into, offset, this.#base + performance.now() * 1e6);
        return 0;
      case Clockid.PROCESS_CPUTIME_ID:
        return this.#cpu(this.#sources.cpu, into, offset);
      case Clockid.THREAD_CPUTIME_ID:
        return this.#cpu(this.#sources.threadCpu ?? this.#sources.cpu, into, offset);
      default:
        return -Errno.INVAL;
    }
  }

  #realtime(): number {
    const elapsed = performance.now();
    if (elapsed - this.#looked > RESYNC) this.#resync(elapsed);
    return (this.#wall + elapsed) * 1e6;
  }

  /** Date.now() steps by milliseconds: between its steps the other clock is right. */
  #resync(elapsed: number): void {
    const coarse = Date.now();
    const now = this.#wall + elapsed;
    if (now < coarse) this.#wall += coarse - now;
    else if (now >= coarse + 1) this.#wall += coarse + 0.999999 - now;
    this.#looked = elapsed;
  }

  #cpu(source: (() => number) | undefined, into: DataView, offset: number): number {
    if (source === undefined) return -Errno.INVAL;
    put(into, offset, source() * 1000);
    return 0;
  }

  resolution(id: number): bigint {
    if (id <= Clockid.MONOTONIC) return 1000n;
    if (id > Clockid.THREAD_CPUTIME_ID || this.#sources.cpu === undefined) return 0n;
    return 1000n;
  }
}
