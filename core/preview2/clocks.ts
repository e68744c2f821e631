/**
 * `wasi:clocks`.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/clocks/wit
 *
 * @module
 */
import { Clockid } from "../host.ts";
import type { Interface } from "./interface.ts";
import { timePollable } from "./io.ts";
import type { World } from "./world.ts";

/** `datetime` of the wall clock. */
export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

const SECOND = 1_000_000_000n;
const view: DataView = new DataView(new ArrayBuffer(8));

/** The time of a clock in nanoseconds. */
function time({ host }: World, id: number): bigint {
  host.clock.time(id, view, 0);
  return view.getBigUint64(0, true);
}

/** Nanoseconds as seconds and what is left. */
export function datetime(nanoseconds: bigint): Datetime {
  return { seconds: nanoseconds / SECOND, nanoseconds: Number(nanoseconds % SECOND) };
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
    now: () => datetime(time(world, Clockid.REALTIME)),
    resolution: () => datetime(world.host.clock.resolution(Clockid.REALTIME)),
  }),
};
