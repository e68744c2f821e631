/**
 * WASI for Deno. With `--allow-ffi` (part of `-A`) directories are confined by the kernel through
 * `Deno.dlopen`.
 *
 * @example
 * ```ts ignore
 * import { WASI } from "@x/wasi/deno";
 *
 * const wasi = new WASI({ version: "preview1", preopens: { "/": "." } });
 * ```
 *
 * @module
 */
import { BaseWASI, type HostMaker, type WASIOptions } from "../core/wasi.ts";
import { makeDenoMaker } from "./deno_host.ts";

export { GuestAborted, ProcExit } from "../core/exit.ts";
export type { FileStat } from "../core/filestat.ts";
export type * from "../core/host.ts";
export type { ImportedFunction } from "../core/imports.ts";
export type { Limits } from "../core/limits.ts";
export { OutputBuffer, type StdinOption, type StdoutOption } from "../core/streams.ts";
export type { TraceSink } from "../core/trace.ts";
export type { GuestClock } from "../core/virtual.ts";
export { BaseWASI, type HostMaker, type WASIImport } from "../core/wasi.ts";
export type { WASIOptions };

let maker: HostMaker | undefined;

/**
 * The class `WASI` of `node:wasi`, on Deno.
 *
 * Source: https://nodejs.org/api/wasi.html#class-wasi
 */
export class WASI extends BaseWASI {
  /** Checks the options and opens the preopens; see {@linkcode BaseWASI}. */
  constructor(options: WASIOptions = {} as WASIOptions) {
    super(options, maker ??= makeDenoMaker());
  }
}
