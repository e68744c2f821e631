/**
 * Clocks and randomness that an embedder gives, in the place of the host's.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import { type Clock, Clockid, type Host, type PollEntry } from "../host.ts";
import { calling } from "./streams.ts";
import { invalidType, invalidValue } from "../errors.ts";
import { validateObject } from "../validate.ts";

/**
 * A clock of the embedder's, for the option `clock`. All times are nanoseconds.
 *
 * @example
 * ```ts
 * import type { GuestClock } from "@x/wasi";
 * // ten times as fast as the real one; without wait() a second of waiting is a real second
 * const fast: GuestClock = {
 *   now: (id) => BigInt(Math.round((id === 0 ? Date.now() : performance.now()) * 1e7)),
 * };
 * ```
 */
export interface GuestClock {
  /** The time of a clock: 0 the wall's, since 1970; 1 one that only goes forward; 2, 3 of processor time. */
  now(id: number): bigint;
  /** Its resolution. Default: 1000. */
  resolution?(id: number): bigint;
  /**
   * Advances the clock by so much when the guest waits and nothing else can wake it. With it there is
   * no real waiting; without it the guest waits by the host's clock.
   */
  wait?(nanoseconds: bigint): void;
}

const RESOLUTION = 1000n;
const MASK = 0xffffffffffffffffn;

/** A {@linkcode GuestClock} as the core wants it. */
class WrappedClock implements Clock {
  readonly foreign: boolean = true;
  readonly #clock: GuestClock;

  constructor(clock: GuestClock) {
    this.#clock = clock;
  }

  time(id: number, into: DataView, offset: number): number {
    if (id > Clockid.THREAD_CPUTIME_ID) return -Errno.INVAL;
    into.setBigUint64(offset, calling(() => this.#clock.now(id) & MASK), true);
    return 0;
  }

  resolution(id: number): bigint {
    if (id > Clockid.THREAD_CPUTIME_ID) return 0n;
    return calling(() => (this.#clock.resolution?.(id) ?? RESOLUTION) & MASK);
  }
}

/**
 * A clock that begins at a time and goes on by a microsecond whenever it is read, and by as much
 * as the guest waits: nothing of the real time shows, and waiting takes none.
 */
function steppingClock(start: bigint): GuestClock {
  let passed = 0n;
  return {
    now(id) {
      passed += RESOLUTION;
      return id === Clockid.REALTIME ? start + passed : passed;
    },
    wait(nanoseconds) {
      passed += nanoseconds;
    },
  };
}

/** The option `clock`: a start in nanoseconds, or a clock. */
export function validateClock(value: unknown): GuestClock | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "bigint") {
    if (value < 0n || value > MASK) {
      throw invalidValue(
        "options.clock",
        "must be nanoseconds since 1970, from 0n to 2n ** 64n - 1n",
        value,
      );
    }
    return steppingClock(value);
  }
  if (
    typeof value !== "object" || value === null || typeof (value as GuestClock).now !== "function"
  ) {
    throw invalidType("options.clock", "of type bigint or an object with a method now()", value);
  }
  validateObject(value, "options.clock");
  return value as GuestClock;
}

/** The option `random`: a seed, or what fills an array. */
export function validateRandom(value: unknown): ((into: Uint8Array) => void) | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "function") return value as (into: Uint8Array) => void;
  if (typeof value === "bigint") return seeded(value);
  if (typeof value === "number" && Number.isSafeInteger(value)) return seeded(BigInt(value));
  throw invalidType("options.random", "a whole number, of type bigint or a function", value);
}

/**
 * Bytes that follow from a seed: xoshiro128**, its state filled by splitmix64. Good for tests and
 * repeatable runs, not for secrets.
 */
function seeded(seed: bigint): (into: Uint8Array) => void {
  const state = new Uint32Array(4);
  for (let i = 0, at = seed & MASK; i < 4; i += 2) {
    at = (at + 0x9e3779b97f4a7c15n) & MASK;
    let mixed = ((at ^ (at >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
    mixed ^= mixed >> 31n;
    state[i] = Number(mixed & 0xffffffffn);
    state[i + 1] = Number(mixed >> 32n);
  }
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  const next = (): number => {
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    state[2] = c ^ a;
    state[3] = d ^ b;
    state[1] = b ^ state[2]!;
    state[0] = a ^ state[3]!;
    state[2]! ^= b << 9;
    state[3] = rotate(state[3]!, 11);
    return result;
  };
  let rest = 0;
  let left = 0;
  return (into) => {
    for (let i = 0; i < into.length; i++) {
      if (left === 0) {
        rest = next();
        left = 4;
      }
      into[i] = rest;
      rest >>>= 8;
      left--;
    }
  };
}

/** A host with another clock. */
export function withClock(host: Host, guest: GuestClock): Host {
  const clock = new WrappedClock(guest);
  if (guest.wait === undefined) return { ...host, clock };
  const poll = (entries: PollEntry[], timeout: number): void => {
    const virtual = timeout !== Infinity;
    // what is there is there; nobody waits in truth, unless for ever
    if (entries.length > 0 || !virtual) host.poll(entries, virtual ? 0 : timeout);
    if (!virtual || timeout <= 0 || entries.some(({ found }) => found !== 0)) return;
    calling(() => guest.wait!(BigInt(Math.ceil(timeout * 1e6))));
  };
  return { ...host, clock, poll, virtual: true };
}

/** A host with another source of randomness. */
export function withRandom(host: Host, random: (into: Uint8Array) => void): Host {
  return { ...host, random: (into) => calling(() => random(into)), pooled: false };
}
