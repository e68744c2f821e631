/** Asking `poll_oneoff` as a guest would. */
import assert from "node:assert/strict";
import type { Guest } from "./guest.ts";

const IN = 200000;
const OUT = 210000;
const COUNT = 220000;
const TIMER = 99n;

/** What an event says. */
export interface Told {
  fd: number;
  error: number;
  nbytes: bigint;
  hangup: number;
}

/** Asks poll_oneoff about a descriptor; undefined if the milliseconds were over first. */
export function poll(
  guest: Guest,
  fd: number,
  type: number,
  milliseconds: number,
): Told | undefined {
  const { view } = guest;
  guest.bytes.fill(0, IN, IN + 96);
  view.setBigUint64(IN, BigInt(fd), true);
  view.setUint8(IN + 8, type);
  view.setUint32(IN + 16, fd, true);
  view.setBigUint64(IN + 48, TIMER, true);
  view.setUint32(IN + 64, 1, true); // the monotonic clock
  view.setBigUint64(IN + 72, BigInt(milliseconds) * 1_000_000n, true);
  assert.equal(guest.call.poll_oneoff!(IN, OUT, 2, COUNT), 0);
  assert.ok(view.getUint32(COUNT, true) >= 1);
  if (view.getBigUint64(OUT, true) === TIMER) return undefined;
  return {
    fd: Number(view.getBigUint64(OUT, true)),
    error: view.getUint16(OUT + 8, true),
    nbytes: view.getBigUint64(OUT + 16, true),
    hangup: view.getUint16(OUT + 24, true),
  };
}
