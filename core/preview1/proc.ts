/**
 * `proc_raise`, `random_get` and `sched_yield`. (`proc_exit` belongs to the class: wasi.ts.)
 *
 * @module
 */
import { Errno, SIGNAL_MAX } from "./abi.ts";
import type { Preview1System } from "./system.ts";
import { fillRandom, RANDOM_MAX } from "../system/random.ts";
import { Wait } from "../system/waiting.ts";

/** The host is not the guest's to signal: there is no process of its own that could get one. */
export function proc_raise(_system: Preview1System, signal: number): number {
  if (signal > SIGNAL_MAX) return Errno.INVAL;
  return signal === 0 ? 0 : Errno.NOSYS;
}

export function sched_yield(system: Preview1System): number | Wait {
  if (system.suspends) return new Wait([], 0, () => 0);
  system.host.yield?.();
  return 0;
}

export function random_get(system: Preview1System, buffer: number, length: number): number {
  const { memory, host } = system;
  memory.check(buffer, length);
  if (host.pooled === false) return fillAside(system, buffer, length);
  fillRandom(host, memory.bytes, memory.view, buffer, buffer + length);
  return 0;
}

/** Fills an array of ours, piece by piece: an embedder's function may make the memory grow. */
function fillAside({ memory, host }: Preview1System, buffer: number, length: number): number {
  for (let at = 0; at < length; at += RANDOM_MAX) {
    const piece = new Uint8Array(Math.min(RANDOM_MAX, length - at));
    host.random(piece);
    memory.set(buffer + at, piece);
  }
  return 0;
}
