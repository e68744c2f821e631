/**
 * WASI 0.2 for modules that jco has transpiled: what `@bytecodealliance/preview2-shim` is, with the
 * sandbox of this package. Components themselves need none of it: `run()` and `instantiate()` of
 * `@x/wasi` take them.
 *
 * @module
 */
export { WASIShim, type WASIShimOptions } from "./adapters/shim.ts";
export { BaseWASIShim } from "./core/run/shim.ts";
export { GuestAborted, ProcExit } from "./core/exit.ts";
