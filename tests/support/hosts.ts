/** The hosts of the runtime that runs the tests, each way of confining directories once. */
import { bunRuntime } from "../../adapters/bun/host.ts";
import { denoRuntime } from "../../adapters/deno/host.ts";
import { hostMaker, type Runtime } from "../../adapters/host.ts";
import { nodeRuntime } from "../../adapters/node/host.ts";
import type { Confinement, Host } from "../../core/host.ts";
import { foreign, runtime, windows } from "./harness.ts";
import type { HostMaker } from "../../core/guest/wasi.ts";

/** What the runtime that runs the tests supplies. */
export function ownRuntime(): Runtime {
  if (runtime === "deno") return denoRuntime();
  return runtime === "bun" ? bunRuntime() : nodeRuntime();
}

const make = hostMaker(ownRuntime());

/** Options of the class that choose a host. */
export interface Way {
  ffi: boolean;
  confinement: Confinement;
  /** Makes the host. Default: the runtime's own. */
  makeHost?: HostMaker;
}

const onWindows: [string, Way][] = [
  ["walk over ntdll", { ffi: true, confinement: "walk" }],
  ["checked", { ffi: false, confinement: "checked" }],
];

const onPosix: [string, Way][] = [
  ["kernel", { ffi: true, confinement: "kernel" }],
  ["walk over libc", { ffi: true, confinement: "walk" }],
  ["walk over node:fs", { ffi: false, confinement: "walk" }],
  ["checked", { ffi: false, confinement: "checked" }],
];

/** Every way there is on this runtime and system, by name. */
export const ways: [string, Way][] = windows
  ? onWindows.slice(foreign ? 0 : 1)
  : onPosix.slice(foreign ? 0 : 2);

/** The host of a way. */
export function hostOf(way: Way): Host {
  return (way.makeHost ?? make)(way);
}
