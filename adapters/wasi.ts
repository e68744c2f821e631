/**
 * The class for whichever runtime is running.
 *
 * @module
 */
import { BaseWASI, type WASIOptions } from "../core/guest/wasi.ts";
import { runtimeMaker } from "./runtime.ts";

/**
 * The class `WASI` of `node:wasi`, for the runtime that is running.
 *
 * Source: https://nodejs.org/api/wasi.html#class-wasi
 */
export class WASI extends BaseWASI {
  /** Checks the options and opens the preopens; see {@linkcode BaseWASI}. */
  constructor(options: WASIOptions = {} as WASIOptions) {
    super(options, runtimeMaker());
  }
}
