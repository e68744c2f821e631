/** The hosts of the runtime that runs the tests: over libc, where there is FFI, and over node:fs. */
import { makeBunMaker } from "../../adapters/bun.ts";
import { makeDenoMaker } from "../../adapters/deno.ts";
import { makeNodeMaker } from "../../adapters/node.ts";
import type { Host } from "../../core/host.ts";
import { runtime } from "./harness.ts";

const make = runtime === "deno"
  ? makeDenoMaker()
  : runtime === "bun"
  ? makeBunMaker()
  : makeNodeMaker();

/** Over node:fs. */
export const nodeHost: Host = make({ ffi: false, confinement: undefined });
/** The strongest there is: over libc but on Node before 26. */
export const bestHost: Host = make({ ffi: true, confinement: undefined });
/** Each kind of host once, by name. */
export const hosts: [string, Host][] = bestHost === nodeHost
  ? [["node:fs", nodeHost]]
  : [["libc", bestHost], ["node:fs", nodeHost]];
