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
import { BaseWASI, type HostMaker, type WASIOptions } from "../../core/guest/wasi.ts";
import { makeDenoMaker } from "./host.ts";

export { GuestAborted, ProcExit } from "../../core/exit.ts";
export type { FileStat } from "../../core/filestat.ts";
export type * from "../../core/host.ts";
export type { ImportedFunction } from "../../core/preview1/imports.ts";
export type { Limits } from "../../core/guest/limits.ts";
export { OutputBuffer, type StdinOption, type StdoutOption } from "../../core/guest/streams.ts";
export type { TraceSink } from "../../core/preview1/trace.ts";
export type { GuestClock } from "../../core/guest/determinism.ts";
export { BaseWASI, type HostMaker, type WASIImport } from "../../core/guest/wasi.ts";
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
