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
} from "./adapters/memory.ts";
export { overlay, type OverlayChange, type OverlayDirectory } from "./adapters/overlay.ts";
export { WASI } from "./adapters/wasi.ts";
export { AsyncWASI, run, type RunOptions, type Source } from "./adapters/run.ts";
export { Errno, Fdflags, Filetype, Fstflags, Oflags, Rights, Whence } from "./core/abi.ts";
export { type AsyncWASIOptions, BaseAsyncWASI, canSuspend } from "./core/async.ts";
export type { AsyncStdinOption, AsyncStdoutOption } from "./core/async_streams.ts";
export { WasiError } from "./core/errno.ts";
export { GuestAborted, ProcExit } from "./core/exit.ts";
export { FileStat } from "./core/filestat.ts";
export { Open, Poll } from "./core/host.ts";
export type {
  Clock,
  Confinement,
  Directory,
  DirentSink,
  File,
  Handle,
  PollEntry,
  StreamAccess,
} from "./core/host.ts";
export type { ImportedFunction } from "./core/imports.ts";
export type { Limits } from "./core/limits.ts";
export { limitMemory } from "./core/module/memory.ts";
export { OutputBuffer, type StdinOption, type StdoutOption } from "./core/streams.ts";
export { SharedWASI, shareTable, type TableShare } from "./core/threads/share.ts";
export type { TraceSink } from "./core/trace.ts";
export type { GuestClock } from "./core/virtual.ts";
export { BaseWASI, type WASIImport, type WASIOptions } from "./core/wasi.ts";
