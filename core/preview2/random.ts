/**
 * `wasi:random`. What is called insecure is as good as the other.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/random/wit
 *
 * @module
 */
import { DirectRead } from "../component/codecs/lists.ts";
import { Trap } from "../component/trap.ts";
import type { Host } from "../host.ts";
import type { Interface } from "./interface.ts";
import { fillRandom, RANDOM_MAX } from "../system/random.ts";
import type { World } from "./world.ts";

/** Bytes that go straight to the guest's memory. */
class RandomBytes extends DirectRead {
  constructor(host: Host, length: number) {
    super(length, (bytes, offset, length) => {
      fillRandom(host, bytes, undefined, offset, offset + length);
      return length;
    });
  }
}

/** Most bytes that are given at once. */
const BYTES_MAX = 1 << 26;

function bytes({ host }: World, length: bigint): Uint8Array | DirectRead {
  if (length > BigInt(BYTES_MAX)) throw new Trap(`more than ${BYTES_MAX} random bytes at once`);
  const count = Number(length);
  if (host.pooled !== false) return new RandomBytes(host, count);
  const all = new Uint8Array(count);
  for (let at = 0; at < count; at += RANDOM_MAX) host.random(all.subarray(at, at + RANDOM_MAX));
  return all;
}

function word({ host }: World): bigint {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (host.pooled === false) host.random(bytes);
  else fillRandom(host, bytes, view, 0, 8);
  return view.getBigUint64(0, true);
}

export const random: Interface = {
  wit: `interface wasi:random/random {
    get-random-bytes: func(len: u64) -> list<u8>;
    get-random-u64: func() -> u64;
  }`,
  functions: (world) => ({
    "get-random-bytes": (length: bigint) => bytes(world, length),
    "get-random-u64": () => word(world),
  }),
};

export const insecure: Interface = {
  wit: `interface wasi:random/insecure {
    get-insecure-random-bytes: func(len: u64) -> list<u8>;
    get-insecure-random-u64: func() -> u64;
  }`,
  functions: (world) => ({
    "get-insecure-random-bytes": (length: bigint) => bytes(world, length),
    "get-insecure-random-u64": () => word(world),
  }),
};

export const insecureSeed: Interface = {
  wit: `interface wasi:random/insecure-seed {
    insecure-seed: func() -> tuple<u64, u64>;
  }`,
  functions: (world) => ({ "insecure-seed": () => [word(world), word(world)] }),
};
