/**
 * What of the core is for everybody: mod.ts and the browser's module hand it on.
 *
 * @module
 */
export { Errno, Fdflags, Filetype, Fstflags, Oflags, Rights, Whence } from "./abi.ts";
export { type AsyncWASIOptions, BaseAsyncWASI, canSuspend } from "./async.ts";
export type { AsyncStdinOption, AsyncStdoutOption } from "./async_streams.ts";
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
export type { ImportedFunction } from "./imports.ts";
export type { Limits } from "./limits.ts";
export { limitMemory } from "./module/memory.ts";
export { OutputBuffer, type StdinOption, type StdoutOption } from "./streams.ts";
export type { TraceSink } from "./trace.ts";
export type { GuestClock } from "./virtual.ts";
export { BaseWASI, type WASIImport, type WASIOptions } from "./wasi.ts";
