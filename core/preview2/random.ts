/**
 * `wasi:random`. What is called insecure is as good as the other.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/random/wit
 *
 * @module
 */
import { Trap } from "../component/trap.ts";
import type { Interface } from "./interface.ts";
import type { World } from "./world.ts";

/** getRandomValues() refuses more at once. */
const PIECE = 65536;
/** Most bytes that are given at once. */
const BYTES_MAX = 1 << 26;

function bytes({ host }: World, length: bigint): Uint8Array {
  if (length > BigInt(BYTES_MAX)) throw new Trap(`more than ${BYTES_MAX} random bytes at once`);
  const all = new Uint8Array(Number(length));
  for (let at = 0; at < all.length; at += PIECE) host.random(all.subarray(at, at + PIECE));
  return all;
}

function word(world: World): bigint {
  return new DataView(bytes(world, 8n).buffer).getBigUint64(0, true);
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
