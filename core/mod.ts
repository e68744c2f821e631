/**
 * What of the core is for everybody: mod.ts and the browser's module hand it on.
 *
 * @module
 */
export { Errno, Fdflags, Filetype, Fstflags, Oflags, Rights, Whence } from "./preview1/abi.ts";
export { type AsyncWASIOptions, BaseAsyncWASI } from "./guest/async_wasi.ts";
export type { AsyncStdinOption, AsyncStdoutOption } from "./guest/async_streams.ts";
export { ComponentError } from "./component/err.ts";
export { canSuspend } from "./suspension.ts";
export { WasiError } from "./errno.ts";
export { GuestAborted, ProcExit } from "./exit.ts";
export { FileStat } from "./filestat.ts";
export { Open, Poll } from "./host.ts";
export type {
  Clock,
  Confinement,
  Directory,
  DirentSink,
  File,
  Handle,
  PollEntry,
  StreamAccess,
} from "./host.ts";
export type { ImportedFunction } from "./preview1/imports.ts";
export type { Limits } from "./guest/limits.ts";
export type { NetworkOptions } from "./preview2/grant.ts";
export { limitMemory } from "./module/memory.ts";
export { OutputBuffer, type StdinOption, type StdoutOption } from "./guest/streams.ts";
export type { TraceSink } from "./preview1/trace.ts";
export type { GuestClock } from "./guest/determinism.ts";
export { BaseWASI, type WASIImport, type WASIOptions } from "./guest/wasi.ts";
