/**
 * `wasi:clocks`.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/clocks/wit
 *
 * @module
 */
import { Words } from "../component/codecs/scalars.ts";
import { Clockid } from "../host.ts";
import type { Interface } from "./interface.ts";
import { timePollable } from "./pollables.ts";
import type { World } from "./world.ts";

/** `datetime` of the wall clock. */
export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

const BILLION = 1_000_000_000;
const SECOND = 1_000_000_000n;
const view: DataView = new DataView(new ArrayBuffer(8));

/** The time of a clock in nanoseconds. */
function time({ host }: World, id: number): bigint {
  host.clock.time(id, view, 0);
  return view.getBigUint64(0, true);
}

/**
 * Nanoseconds that stand in memory as `datetime`: a division by ten to the ninth, 16 bits at a time,
 * which is quicker than one of BigInts.
 */
export function datetimeAt(
  view: DataView,
  at: number,
): { readonly seconds: Words; readonly nanoseconds: number } {
  const [low, high] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
  const first = (high % BILLION) * 0x10000 + (low >>> 16);
  const second = (first % BILLION) * 0x10000 + (low & 0xffff);
  const seconds = Math.floor(first / BILLION) * 0x10000 + Math.floor(second / BILLION);
  const upper = Math.floor(high / BILLION) + Math.floor(seconds / 0x100000000);
  return { seconds: new Words(seconds >>> 0, upper), nanoseconds: second % BILLION };
}

/** The way back; a time that does not fit is the last one that does. */
export function nanosecondsOf({ seconds, nanoseconds }: Datetime): bigint {
  const all = seconds * SECOND + BigInt(nanoseconds);
  return all > 0xffffffffffffffffn ? 0xffffffffffffffffn : all;
}

export const monotonicClock: Interface = {
  wit: `interface wasi:clocks/monotonic-clock {
    use wasi:io/poll.{pollable};
    type instant = u64;
    type duration = u64;
    now: func() -> instant;
    resolution: func() -> duration;
    subscribe-instant: func(when: instant) -> pollable;
    subscribe-duration: func(when: duration) -> pollable;
  }`,
  functions: (world) => ({
    now: () => time(world, Clockid.MONOTONIC),
    resolution: () => world.host.clock.resolution(Clockid.MONOTONIC),
    "subscribe-instant": (when: bigint) => timePollable(world, when, true),
    "subscribe-duration": (when: bigint) => timePollable(world, when, false),
  }),
};

export const wallClock: Interface = {
  wit: `interface wasi:clocks/wall-clock {
    record datetime { seconds: u64, nanoseconds: u32 }
    now: func() -> datetime;
    resolution: func() -> datetime;
  }`,
  functions: (world) => ({
    now: () => {
      world.host.clock.time(Clockid.REALTIME, view, 0);
      return datetimeAt(view, 0);
    },
    resolution: () => {
      view.setBigUint64(0, world.host.clock.resolution(Clockid.REALTIME), true);
      return datetimeAt(view, 0);
    },
  }),
};
