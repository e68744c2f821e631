/**
 * Which runtime this is.
 *
 * @module
 */
import type { HostMaker } from "../core/guest/wasi.ts";
import { makeBunMaker } from "./bun/host.ts";
import { makeDenoMaker } from "./deno/host.ts";
import { makeNodeMaker } from "./node/host.ts";

let maker: HostMaker | undefined;

function makerOfRuntime(): HostMaker {
  if ("Deno" in globalThis) return makeDenoMaker();
  if ("Bun" in globalThis) return makeBunMaker();
  return makeNodeMaker();
}

/** Makes the hosts of the runtime that is running. */
export function runtimeMaker(): HostMaker {
  return maker ??= makerOfRuntime();
}
