/**
 * Clocks for hosts without libc, from what every runtime of JavaScript has.
 *
 * @module
 */
import { Errno } from "../core/errno.ts";
import { type Clock, Clockid } from "../core/host.ts";

/** After so many milliseconds it is looked whether somebody has set the wall clock. */
const RESYNC = 20;

const HIGH = 0x100000000;
const MILLION = 1_000_000n;

/** Writes nanoseconds below 2 ** 53 as 64 bits. */
function put(into: DataView, offset: number, nanoseconds: number): void {
  into.setUint32(offset, nanoseconds >>> 0, true);
  into.setUint32(offset + 4, nanoseconds / HIGH, true);
}

/** What a runtime can add. */
export interface ClockSources {
  /** Nanoseconds of a clock that all threads and processes share; default: this thread's own. */
  monotonic?: () => bigint;
  /** Whether that is cheaper than `performance.now()`. */
  cheap?: boolean;
  /** Processor time of the process in microseconds; default: none. */
  cpu?: () => number;
  /** Processor time of the thread in microseconds; default: the process's. */
  threadCpu?: () => number;
}

/** Clocks of which those of processor time are what a runtime adds. */
abstract class RuntimeClock implements Clock {
  readonly foreign: boolean = false;
  readonly #sources: ClockSources;

  constructor(sources: ClockSources) {
    this.#sources = sources;
  }

  protected abstract realtime(into: DataView, offset: number): void;
  protected abstract monotonic(into: DataView, offset: number): void;

  time(id: number, into: DataView, offset: number): number {
    switch (id) {
      case Clockid.REALTIME:
        this.realtime(into, offset);
        return 0;
      case Clockid.MONOTONIC:
        this.monotonic(into, offset);
        return 0;
      case Clockid.PROCESS_CPUTIME_ID:
        return this.#cpu(this.#sources.cpu, into, offset);
      case Clockid.THREAD_CPUTIME_ID:
        return this.#cpu(this.#sources.threadCpu ?? this.#sources.cpu, into, offset);
      default:
        return -Errno.INVAL;
    }
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

/** Clocks over `process.hrtime.bigint()`, where that is cheaper than `performance.now()`. */
class BigClock extends RuntimeClock {
  readonly #now: () => bigint;
  /** What it lacks to the wall clock, and when that is looked at next. */
  #wall: bigint;
  #next = 0n;

  constructor(sources: ClockSources, now: () => bigint) {
    super(sources);
    this.#now = now;
    this.#wall = BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1e6)) - now();
  }

  protected monotonic(into: DataView, offset: number): void {
    into.setBigUint64(offset, this.#now(), true);
  }

  protected realtime(into: DataView, offset: number): void {
    const now = this.#now();
    if (now > this.#next) this.#resync(now);
    into.setBigUint64(offset, BigInt.asUintN(64, now + this.#wall), true);
  }

  /** Date.now() steps by milliseconds: between its steps the other clock is right. */
  #resync(now: bigint): void {
    const coarse = BigInt(Date.now()) * MILLION;
    const wall = now + this.#wall;
    if (wall < coarse) this.#wall = coarse - now;
    else if (wall >= coarse + MILLION) this.#wall = coarse + MILLION - 1n - now;
    this.#next = now + BigInt(RESYNC) * MILLION;
  }
}

/** Clocks of what a runtime has. */
export function runtimeClock(sources: ClockSources): Clock {
  const { monotonic, cheap } = sources;
  return cheap === true && monotonic !== undefined
    ? new BigClock(sources, monotonic)
    : new WebClock(sources);
}

/** Clocks over `performance.now()`, which is the cheapest precise one elsewhere. */
export class WebClock extends RuntimeClock {
  /** What `performance.now()` lacks to the monotonic clock, in nanoseconds. */
  readonly #base: number;
  /** What it lacks to the wall clock, in milliseconds, and when that was last looked at. */
  #wall = 0;
  #looked = -Infinity;
  /**
   * The same in nanoseconds, as two halves: one number would step by 256, and a guest that waits
   * could see less time gone by than it waited for.
   */
  #wallHigh = 0;
  #wallLow = 0;

  constructor(sources: ClockSources = {}) {
    super(sources);
    const now = BigInt(Math.floor(performance.now() * 1e6));
    this.#base = Number((sources.monotonic?.() ?? now) - now);
    this.#setWall(performance.timeOrigin);
  }

  protected monotonic(into: DataView, offset: number): void {
    put(into, offset, this.#base + performance.now() * 1e6);
  }

  protected realtime(into: DataView, offset: number): void {
    const elapsed = performance.now();
    if (elapsed - this.#looked > RESYNC) this.#resync(elapsed);
    const nanoseconds = elapsed * 1e6;
    const low = this.#wallLow + (nanoseconds >>> 0);
    into.setUint32(offset, low >>> 0, true);
    const carried = low >= HIGH ? 1 : 0;
    into.setUint32(offset + 4, this.#wallHigh + (nanoseconds / HIGH >>> 0) + carried, true);
  }

  /** Date.now() steps by milliseconds: between its steps the other clock is right. */
  #resync(elapsed: number): void {
    const coarse = Date.now();
    const now = this.#wall + elapsed;
    if (now < coarse) this.#setWall(coarse - elapsed);
    else if (now >= coarse + 1) this.#setWall(coarse + 0.999999 - elapsed);
    this.#looked = elapsed;
  }

  #setWall(milliseconds: number): void {
    this.#wall = milliseconds;
    const nanoseconds = milliseconds * 1e6;
    this.#wallLow = nanoseconds >>> 0;
    this.#wallHigh = Math.floor(nanoseconds / HIGH);
  }
}
