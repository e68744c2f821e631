/**
 * Random bytes.
 *
 * @module
 */
import type { Host } from "../host.ts";

/** getRandomValues() refuses more at once. */
export const RANDOM_MAX: number = 65536;
/** What asks for little is served from a pool: filling it costs as much as one small request. */
const POOL_WORDS = 1024;
const POOLED_MAX = 256;
const pool = new Uint32Array(POOL_WORDS);
const poolBytes = new Uint8Array(pool.buffer);
let used = POOL_WORDS;

/**
 * Fills `bytes` from `start` to `end`; `view` is of the same bytes, and is quicker if it is there
 * already. What asks for little is served from the pool.
 */
export function fillRandom(
  host: Host,
  bytes: Uint8Array,
  view: DataView | undefined,
  start: number,
  end: number,
): void {
  const length = end - start;
  if (length > POOLED_MAX) {
    for (let at = start; at < end; at += RANDOM_MAX) {
      host.random(bytes.subarray(at, Math.min(at + RANDOM_MAX, end)));
    }
    return;
  }
  if (used + (length + 3 >> 2) > POOL_WORDS) {
    host.random(poolBytes);
    used = 0;
  }
  let at = start;
  if (view !== undefined) { for (; at + 4 <= end; at += 4) view.setUint32(at, take()); }
  while (at < end) {
    const next = Math.min(at + 4, end);
    for (let rest = take(); at < next; at++, rest >>>= 8) bytes[at] = rest;
  }
}

/** A word of the pool: handed out once, remembered nowhere. */
function take(): number {
  const word = pool[used]!;
  pool[used++] = 0;
  return word;
}
