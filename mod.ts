/**
 * WASI (`wasi_snapshot_preview1`) for Deno, Bun and Node: the class of `node:wasi`, the same on
 * all three, and a sandbox.
 *
 * @example
 * ```ts ignore
 * import { WASI } from "@x/wasi";
 *
 * const wasi = new WASI({ version: "preview1", args: ["demo"], preopens: { "/": "./data" } });
 * const module = await WebAssembly.compileStreaming(fetch(new URL("demo.wasm", import.meta.url)));
 * const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
 * const exitCode = wasi.start(instance);
 * ```
 *
 * @module
 */
import { makeBunMaker } from "./adapters/bun_host.ts";
import { makeDenoMaker } from "./adapters/deno_host.ts";
import { makeNodeMaker } from "./adapters/node_host.ts";
import { BaseWASI, type HostMaker, type WASIOptions } from "./core/wasi.ts";

export { Errno, Fdflags, Filetype, Fstflags, Oflags, Rights, Whence } from "./core/abi.ts";
export { WasiError } from "./core/errno.ts";
export { ProcExit } from "./core/exit.ts";
export { FileStat } from "./core/filestat.ts";
export { Open, Poll } from "./core/host.ts";
export type {
  Confinement,
  Directory,
  DirentSink,
  File,
  Handle,
  PollEntry,
  StreamAccess,
} from "./core/host.ts";
export type { ImportedFunction } from "./core/imports.ts";
export { BaseWASI, type WASIImport } from "./core/wasi.ts";
export type { WASIOptions };

function makerOfRuntime(): HostMaker {
  if ("Deno" in globalThis) return makeDenoMaker();
  if ("Bun" in globalThis) return makeBunMaker();
  return makeNodeMaker();
}

let maker: HostMaker | undefined;

/**
 * The class `WASI` of `node:wasi`, for the runtime that is running.
 *
 * Source: https://nodejs.org/api/wasi.html#class-wasi
 */
export class WASI extends BaseWASI {
  /** Checks the options and opens the preopens; see {@linkcode BaseWASI}. */
  constructor(options: WASIOptions = {} as WASIOptions) {
    super(options, maker ??= makerOfRuntime());
  }
}
