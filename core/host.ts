/**
 * What the core asks of a host, and what a directory, a file and a stream are.
 *
 * Conventions of every method here:
 * - A method that can fail returns a number: 0 or a count on success, `-errno` on failure (see
 *   `Errno`). Failures that a guest can cause are not thrown. If something throws nevertheless (a
 *   `WasiError`, an error of the runtime with its `code`), it becomes an errno as well.
 * - Paths are text without NUL. A byte that is not UTF-8 is carried as the lone surrogate
 *   U+DC00 + byte, so that every name a disk holds has exactly one text (see text.ts).
 * - Paths given to a directory are relative, not empty, and do not end in a slash or in "/.";
 *   they may hold "." and "..", doubled slashes and links in the middle. "." is the directory.
 * - Times are nanoseconds since 1970 as bigint; sizes and offsets are numbers below 2 ** 53.
 *
 * @module
 */
import type { FileStat } from "./filestat.ts";

/**
 * How a directory keeps a guest inside:
 * - `kernel`: the operating system resolves each path beneath the directory (Linux `openat2`);
 * - `walk`: each component is opened by itself, without following links, from the handle before;
 * - `checked`: each component is looked at, then the whole path is used; what was opened is
 *   compared with what was looked at. Another process can win a race (see SECURITY.md);
 * - `memory`: there is nothing outside.
 */
export type Confinement = "kernel" | "walk" | "checked" | "memory";

/** The kinds of file. */
export const Filetype = {
  UNKNOWN: 0,
  BLOCK_DEVICE: 1,
  CHARACTER_DEVICE: 2,
  DIRECTORY: 3,
  REGULAR_FILE: 4,
  SOCKET_DGRAM: 5,
  SOCKET_STREAM: 6,
  SYMBOLIC_LINK: 7,
} as const;

/** Flags of a descriptor. */
export const Fdflags = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 } as const;

/** Which times to set. */
export const Fstflags = { ATIM: 1, ATIM_NOW: 2, MTIM: 4, MTIM_NOW: 8 } as const;

/** From where a seek counts. */
export const Whence = { SET: 0, CUR: 1, END: 2 } as const;

/** The clocks. */
export const Clockid = {
  REALTIME: 0,
  MONOTONIC: 1,
  PROCESS_CPUTIME_ID: 2,
  THREAD_CPUTIME_ID: 3,
} as const;

/** Flags given to `sock_recv`. */
export const Riflags = { RECV_PEEK: 1, RECV_WAITALL: 2 } as const;

/** Which half of a connection to shut. */
export const Sdflags = { RD: 1, WR: 2 } as const;

/** Flags of {@linkcode Directory.open}, combined with `|`. */
export const Open = {
  /** for reading */
  READ: 1,
  /** for writing */
  WRITE: 2,
  /** make the file if it is missing */
  CREAT: 4,
  /** only with CREAT: fail with EXIST if it is there */
  EXCL: 8,
  /** cut it to length 0 */
  TRUNC: 16,
  /** fail with NOTDIR if it is no directory */
  DIRECTORY: 32,
  /** follow a link at the end of the path; without it such a link is LOOP */
  FOLLOW: 64,
} as const;

/** What files and directories have in common. */
export interface Handle {
  /** One of `Filetype`, known from the start. */
  readonly filetype: number;
  /** Fills `into`. Source: fstat(2). */
  stat(into: FileStat): number;
  /**
   * Sets times. `flags` are `Fstflags`: with ATIM `atim` is set, with ATIM_NOW the present, with
   * neither it stays; likewise mtim. Source: futimens(2).
   */
  setTimes(atim: bigint, mtim: bigint, flags: number): number;
  /** Waits until all (`dataOnly`: all but attributes) is on the disk. Source: fsync(2). */
  sync(dataOnly: boolean): number;
  /** Closes the handle. Called once; nothing is called after it. */
  close(): void;
  /**
   * Releases host resources after a command has ended; called for preopens and inherited streams
   * only. If an export that is called later uses it again, it acquires them again, or returns BADF
   * if that is not possible.
   */
  park?(): void;
}

/** An open file, stream or socket. */
export interface File extends Handle {
  /** For one that only stands before another: the one that is asked about in waits. */
  readonly inner?: File;
  /**
   * Whether `position` may be a number from 0 on. Where not (pipes, terminals, sockets)
   * `position` is always -1.
   */
  readonly seekable: boolean;
  /** True if it never blocks the thread, like streams given as values. */
  readonly neverHolds?: boolean;
  /**
   * True if its `read` and `receive` run no code of the embedder's. Others get an array of their own
   * to fill: such code can call the guest, whose memory may grow, and its old views are empty then.
   */
  readonly direct?: boolean;
  /**
   * Reads up to `length` bytes into `into` from `offset` on. `position` is where in the file, or
   * -1 for the file's own position. Returns the count, 0 at the end, or -errno; -AGAIN if it would
   * have to wait and must not.
   */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
  /**
   * Writes up to `length` bytes; like {@linkcode File.read}. With position -1 a file that
   * appends writes at its end.
   */
  write(from: Uint8Array, offset: number, length: number, position: number): number;
  /**
   * Where the file itself stands: after a write with position -1 on a file that appends, or for
   * a stream that has a position of its own.
   */
  tell?(): number;
  /**
   * Moves where the file itself stands; only inherited streams have it. `whence` as in `Whence`.
   * Returns the new position. Source: lseek(2).
   */
  seek?(delta: number, whence: number): number;
  /** Cuts or grows to `size` bytes. Source: ftruncate(2). */
  setSize(size: number): number;
  /**
   * For files that take memory without growing, as those of an overlay do: how many bytes before
   * `end` writing `length` bytes at `position` would add to it. `limits.diskBytes` counts them.
   */
  takes?(position: number, length: number, end: number): number;
  /** With {@linkcode File.takes}: how many bytes before `end` are in memory of its own. */
  holds?(end: number): number;
  /** Makes sure that the bytes exist, growing the file. Source: posix_fallocate(3). */
  allocate(offset: number, length: number): number;
  /** Tells how the bytes will be used; may do nothing. Source: posix_fadvise(2). */
  advise(offset: number, length: number, advice: number): number;
  /** Changes `Fdflags` of the open file (APPEND, DSYNC, RSYNC, SYNC). Source: fcntl(2). */
  setFlags(fdflags: number): number;
  /** `Fdflags` it has from its beginning, and whether it can be read and written. */
  access?(): StreamAccess;
  /**
   * Which of `events` (`Poll`) are there now, without waiting and without consuming. Files of
   * the host leave it out and are asked through {@linkcode Host.poll}; a file that has neither
   * is always ready.
   */
  ready?(entry: PollEntry): void;
  /** Takes a connection; only listening sockets have it. Returns the connection or -errno. */
  accept?(fdflags: number): File | number;
  /** Whether it is a socket that listens, which is accepted from and not read. */
  readonly listening?: boolean;
  /**
   * Receives; only sockets have it. `flags` as in `Riflags`. A count above `length` is the whole
   * length of a message that was cut.
   */
  receive?(into: Uint8Array, offset: number, length: number, flags: number): number;
  /** Shuts one or both halves of a connection; only sockets have it. `how` as in `Sdflags`. */
  shutdown?(how: number): number;
  /** The port that a listening socket got. */
  readonly port?: number;
}

/** What an inherited stream allows. */
export interface StreamAccess {
  /** whether it can be read */
  read: boolean;
  /** whether it can be written */
  write: boolean;
  /** `Fdflags` it has from its beginning */
  fdflags: number;
}

/**
 * An open directory: a capability. No method can reach outside it, whatever other processes do to
 * the tree meanwhile, as far as {@linkcode Directory.confinement} promises. What would leave it is
 * -PERM, without saying whether anything is there.
 */
export interface Directory extends Handle {
  /** How it keeps that promise. */
  readonly confinement: Confinement;
  /** True if every change returns ROFS. */
  readonly readOnly?: boolean;
  /** True once it has been closed permanently: it can no longer be used as a preopen. */
  readonly closed?: boolean;
  /** True if there is nothing outside, so that links with absolute targets stay inside. */
  readonly isHostRoot?: boolean;
  /**
   * Opens a file or directory. `flags` are {@linkcode Open}'s, `fdflags` the specification's.
   * Source: openat(2).
   */
  open(path: string, flags: number, fdflags: number): File | Directory | number;
  /** Fills `into`; with `follow` a link at the end is followed. Source: fstatat(2). */
  statAt(path: string, follow: boolean, into: FileStat): number;
  /** Sets times, as {@linkcode Handle.setTimes}. Source: utimensat(2). */
  setTimesAt(path: string, follow: boolean, atim: bigint, mtim: bigint, flags: number): number;
  /**
   * Gives the entries that come after `cookie` to `sink`, until it is full or there are no more;
   * cookie 0 begins anew. "." and ".." are among them. Source: getdents64(2).
   */
  list(cookie: bigint, sink: DirentSink): number;
  /** Source: mkdirat(2). */
  mkdir(path: string): number;
  /** Source: unlinkat(2) with AT_REMOVEDIR. */
  rmdir(path: string): number;
  /** Source: unlinkat(2); a directory is ISDIR. */
  unlink(path: string): number;
  /** Source: renameat(2). A directory of another kind is XDEV. */
  rename(path: string, to: Directory, toPath: string): number;
  /** A hard link; links at the end of `path` are not followed. Source: linkat(2). */
  link(path: string, to: Directory, toPath: string): number;
  /** `target` is kept as it is; it may lead anywhere, following it is what is confined. */
  symlink(target: string, path: string): number;
  /** The target of a link, or -errno. */
  readlink(path: string): string | number;
  /**
   * Takes the present from a guest's own clock from now on. Called when it becomes a preopen of a
   * guest with the option `clock`; directories whose times are the host's leave it out.
   */
  useClock?(clock: Clock): void;
}

/** Whether something is a directory, as far as that can be seen. */
export function isDirectory(value: unknown): value is Directory {
  return typeof value === "object" && value !== null &&
    typeof (value as Directory).statAt === "function" &&
    typeof (value as Directory).open === "function";
}

/** Takes the entries of a directory, one by one. */
export interface DirentSink {
  /**
   * Takes an entry; `next` is the cookie of what follows it. Returns false when the sink is full
   * and this entry did not fit whole.
   */
  add(next: bigint, ino: bigint, filetype: number, name: string): boolean;
  /**
   * The same without BigInts and text, for hosts that have entries as bytes: `next` and `ino` are
   * where their 64 bits are in `view`, `start` and `end` where the name is in the same bytes.
   */
  addBytes(
    bytes: Uint8Array,
    view: DataView,
    next: number,
    ino: number,
    filetype: number,
    start: number,
    end: number,
  ): boolean;
}

/** What a {@linkcode PollEntry} asks for and finds, combined with `|`. */
export const Poll = {
  READ: 1,
  WRITE: 2,
  /** found, never asked for: the other end is gone */
  HANGUP: 4,
} as const;

/** One file in a wait. */
export interface PollEntry {
  /** what is asked about */
  file: File;
  /** what to wait for: `Poll.READ` or `Poll.WRITE` */
  events: number;
  /** what was found; 0 if nothing yet */
  found: number;
  /** bytes that can be read, as far as known */
  nbytes: number;
  /** an errno of this entry alone, or 0 */
  error: number;
}

/** The clocks of a host. */
export interface Clock {
  /** True if it runs code of the embedder's, which can make the guest's memory grow. */
  readonly foreign?: boolean;
  /**
   * Writes the time of a clock, in nanoseconds, into `into` at byte `offset` (64 bits, little
   * end first). `id` is one of `Clockid`. Returns 0 or -errno.
   */
  time(id: number, into: DataView, offset: number): number;
  /** The resolution of a clock in nanoseconds, never 0; 0 for a clock it does not have. */
  resolution(id: number): bigint;
}

/** What an adapter supplies. */
export interface Host {
  /** Its name in messages, such as "Node 26.1.0". */
  readonly name: string;
  /** Its files. */
  readonly fs: HostFileSystem;
  /** Its clocks. */
  readonly clock: Clock;
  /** Fills `into` with random bytes of cryptographic quality. `into` may be shared memory. */
  random(into: Uint8Array): void;
  /** False if each request must reach `random` as it is, not out of a pool. Default: true. */
  readonly pooled?: boolean;
  /** Ends the process at once, without its exit handlers. */
  exit(code: number): never;
  /**
   * Waits until an entry has found something, or `timeout` milliseconds (a fraction counts;
   * `Infinity`: for ever; 0: not at all) have gone by. It may return early with nothing found.
   */
  poll(entries: PollEntry[], timeout: number): void;
  /** True if its clock is not real: `poll` then lets time go by without waiting. */
  readonly virtual?: boolean;
  /** Lets other threads run. Source: sched_yield(2). */
  yield?(): void;
  /**
   * Opens a listening socket; undefined where sockets are not available. Throws an error with a POSIX
   * `code`.
   */
  listen?(host: string, port: number): File;
  /** Whether the runtime's permissions let an address be reached. Default: they do. */
  readonly mayReach?: ((address: string, port: number) => boolean) | undefined;
}

/** The host's files. */
export interface HostFileSystem {
  /** How its directories are confined. */
  readonly confinement: Confinement;
  /**
   * Opens a directory that becomes a preopen, following links: its path is the embedder's word.
   * Throws an error with a POSIX `code` such as "ENOENT".
   */
  directory(path: string): Directory;
  /**
   * Wraps a descriptor that the process has open. `close()` of what is returned leaves it open.
   * Throws an error with a POSIX `code` such as "EBADF".
   */
  stream(fd: number): File;
}
