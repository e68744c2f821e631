/**
 * WASI (`wasi_snapshot_preview1`) for Deno, Bun and Node: the class of `node:wasi`, with the same
 * behaviour on all three, and a sandbox.
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

export { host, type HostDirectory, type HostDirectoryOptions } from "./adapters/host_directory.ts";
export {
  type BytesTree,
  memory,
  type MemoryDirectory,
  type MemoryEntry,
  MemoryFile,
  MemoryLink,
  type MemorySnapshot,
  type Tree,
} from "./core/directories/memory/mod.ts";
export { overlay, type OverlayChange, type OverlayDirectory } from "./adapters/overlay.ts";
export { WASI } from "./adapters/wasi.ts";
export {
  AsyncWASI,
  instantiate,
  type Instantiated,
  prepare,
  type PrepareOptions,
  type Program,
  type ProgramPlan,
  run,
  type RunOptions,
  type Source,
  type WorkerPool,
  workerPool,
} from "./adapters/run.ts";
export * from "./core/mod.ts";
export { SharedWASI, shareTable, type TableShare } from "./core/run/threads/share.ts";
