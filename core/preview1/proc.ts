/**
 * `proc_raise`, `random_get` and `sched_yield`. (`proc_exit` belongs to the class: wasi.ts.)
 *
 * @module
 */
import { Errno, SIGNAL_MAX } from "./abi.ts";
import type { Preview1System } from "./system.ts";
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

/** getRandomValues() refuses more at once. */
const RANDOM_MAX = 65536;
/** What asks for little is served from a pool: filling it costs as much as one small request. */
const POOL_WORDS = 1024;
const POOLED_MAX = 256;
const pool = new Uint32Array(POOL_WORDS);
const poolBytes = new Uint8Array(pool.buffer);
let used = POOL_WORDS;

export function random_get(system: Preview1System, buffer: number, length: number): number {
  const { memory, host } = system;
  memory.check(buffer, length);
  const end = buffer + length;
  if (host.pooled === false) return fillAside(system, buffer, length);
  if (length > POOLED_MAX) {
    for (let at = buffer; at < end; at += RANDOM_MAX) {
      host.random(memory.bytes.subarray(at, Math.min(at + RANDOM_MAX, end)));
    }
    return 0;
  }
  if (used + (length + 3 >> 2) > POOL_WORDS) {
    host.random(poolBytes);
    used = 0;
  }
  const { view, bytes } = memory;
  let at = buffer;
  for (; at + 4 <= end; at += 4) view.setUint32(at, take());
  if (at < end) {
    for (let rest = take(); at < end; at++, rest >>>= 8) bytes[at] = rest;
  }
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

/** A word of the pool: handed out once, remembered nowhere. */
function take(): number {
  const word = pool[used]!;
  pool[used++] = 0;
  return word;
}
