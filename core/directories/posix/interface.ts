/**
 * What the directories and files here ask of a system's libc: one implementation for Linux
 * (libc.ts) and one for macOS (darwin_libc.ts).
 *
 * Flags and numbers are Linux's on every system (linux.ts); an implementation for another one
 * translates them. What can fail answers `-errno`.
 *
 * @module
 */
import type { FileStat } from "../../filestat.ts";
import type { DirentSink, PollEntry } from "../../host.ts";

/** libc, as far as it is called. */
export interface PosixLibc {
  /** Flags that differ between processors. */
  readonly arch: { readonly O_DIRECTORY: number; readonly O_NOFOLLOW: number };
  /**
   * Whether O_PATH opens whatever a name leads to. Where not, O_PATH is asked for directories
   * alone, and attributes are read and set by name in a handle of the directory.
   */
  readonly pathHandles: boolean;
  /** Opens what the system itself resolves beneath `fd`; -NOSYS where it cannot. */
  openBeneath(fd: number, path: string, flags: number, mode: number, inRoot?: boolean): number;
  openat(fd: number, path: string, flags: number, mode: number): number;
  close(fd: number): void;
  /** The attributes of a name in `fd`, not following it. */
  stat(fd: number, name: string, into: FileStat): number;
  fstat(fd: number, into: FileStat): number;
  /** The kind of file of an open descriptor, or -errno. */
  filetype(fd: number): number;
  /** The path that an open directory has now, or -errno. */
  pathOf(fd: number): string | number;
  mkdirat(fd: number, name: string): number;
  unlinkat(fd: number, name: string, flags: number): number;
  renameat(fd: number, name: string, toFd: number, toName: string): number;
  linkat(fd: number, name: string, toFd: number, toName: string): number;
  symlinkat(target: string, fd: number, name: string): number;
  readlinkat(fd: number, name: string): string | number;
  futimens(fd: number, atim: bigint, mtim: bigint, flags: number): number;
  /** Of `name` in `fd` without following it, or of `fd` itself for "". */
  utimensat(fd: number, name: string, atim: bigint, mtim: bigint, flags: number): number;
  ftruncate(fd: number, size: number): number;
  allocate(fd: number, offset: number, length: number): number;
  advise(fd: number, offset: number, length: number, advice: number): number;
  sync(fd: number, dataOnly: boolean): number;
  fcntl(fd: number, command: number, argument: number): number;
  lseek(fd: number, offset: number | bigint, whence: number): number;
  isatty(fd: number): boolean;
  /** At a position, or with -1 where the descriptor stands. */
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number): number;
  write(fd: number, from: Uint8Array, offset: number, length: number, position: number): number;
  /** Fills an array that does not move; -NOSYS if somebody else has to. */
  random(into: Uint8Array): number;
  /** Nanoseconds of one of `Clockid`, into `into`. */
  clock(id: number, into: DataView, offset: number): number;
  /** Waits over entries whose descriptors stand in `fds`, in milliseconds. */
  poll(entries: readonly PollEntry[], fds: readonly number[], timeout: number): void;
}

/** Reads one open directory. */
export interface Lister {
  /**
   * Gives entries to `sink`, from the one that `cookie` entries come before. `isRoot` hides what
   * ".." is.
   */
  list(fd: number, isRoot: boolean, cookie: bigint, sink: DirentSink): number;
}
