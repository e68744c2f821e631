/**
 * WASI 0.2 for modules that jco has transpiled, for whichever runtime is running.
 *
 * @module
 */
import { BaseWASIShim, type WASIShimOptions } from "../core/run/shim.ts";
import { runtimeMaker } from "./runtime.ts";

export type { WASIShimOptions };

/**
 * The interfaces of WASI 0.2 for modules that `jco transpile` has made of a component. It stands in
 * for the class of the same name of `@bytecodealliance/preview2-shim/instantiation`, with the options
 * of `WASI`: nothing of the host is there unless they give it.
 *
 * A guest that exits throws {@linkcode ProcExit}, whose `code` is the exit code, from the export that
 * was called.
 *
 * @example
 * ```ts ignore
 * import { readFile } from "node:fs/promises";
 * import { WASIShim } from "@x/wasi/preview2";
 * import { instantiate } from "./transpiled/component.js"; // jco transpile --instantiation
 *
 * const wasi = new WASIShim({ args: ["demo"], preopens: { "/": "./data" } });
 * const load = async (path: string) =>
 *   WebAssembly.compile(await readFile(new URL(`./transpiled/${path}`, import.meta.url)));
 * const { run } = await instantiate(load, wasi.getImportObject());
 * run.run();
 * ```
 */
export class WASIShim extends BaseWASIShim {
  /** Checks the options and opens the preopens; see {@linkcode BaseWASIShim}. */
  constructor(options: WASIShimOptions = {}) {
    super(options, runtimeMaker());
  }
}
