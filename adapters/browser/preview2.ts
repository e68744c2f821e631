/**
 * WASI 0.2 for modules that jco has transpiled, in a browser.
 *
 * @module
 */
import { BaseWASIShim, type WASIShimOptions } from "../../core/run/shim.ts";
import { browserMaker } from "./host.ts";

export { GuestAborted, ProcExit } from "../../core/exit.ts";
export { BaseWASIShim, type WASIShimOptions };

/**
 * The interfaces of WASI 0.2 for modules that `jco transpile` has made of a component, in a browser.
 * The main thread cannot wait: a guest that waits there needs `asyncImports`, which Chromium has.
 */
export class WASIShim extends BaseWASIShim {
  /**
   * Checks the options and opens the preopens; see {@linkcode BaseWASIShim}.
   *
   * Errors: `ERR_INVALID_ARG_VALUE` for a preopen that is a path.
   */
  constructor(options: WASIShimOptions = {}) {
    super(options, browserMaker(options));
  }
}
