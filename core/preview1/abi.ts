/**
 * The numbers and layouts of `wasi_snapshot_preview1`, each written once.
 *
 * Source: `preview1/witx/typenames.witx` of WebAssembly/WASI (branch wasi-0.1). Names are that
 * file's own, in capitals. What hosts and other interfaces share with it stands elsewhere, and is handed on
 * from here.
 *
 * @module
 */
export { Errno } from "../errno.ts";
export { Filestat } from "../filestat.ts";
export { Clockid, Fdflags, Filetype, Fstflags, Riflags, Sdflags, Whence } from "../host.ts";
export { Rights, RIGHTS_ALL } from "../system/rights.ts";

/** Flags of `path_open`. */
export const Oflags = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const;

/** Flags of path resolution. */
export const Lookupflags = { SYMLINK_FOLLOW: 1 } as const;

/** The kinds of event. */
export const Eventtype = { CLOCK: 0, FD_READ: 1, FD_WRITE: 2 } as const;

/** Flags of a descriptor's event. */
export const Eventrwflags = { FD_READWRITE_HANGUP: 1 } as const;

/** Flags of a clock subscription. */
export const Subclockflags = { SUBSCRIPTION_CLOCK_ABSTIME: 1 } as const;

/** Flags that `sock_recv` gives. */
export const Roflags = { RECV_DATA_TRUNCATED: 1 } as const;

/** The one kind of preopen. */
export const Preopentype = { DIR: 0 } as const;

/** The largest advice number of `fd_advise`: normal, sequential, random, willneed, dontneed, noreuse. */
export const ADVICE_MAX = 5;

/** The largest signal number of `proc_raise`. */
export const SIGNAL_MAX = 30;

/** `iovec` and `ciovec`. */
export const Iovec = { size: 8, buf: 0, buf_len: 4 } as const;

/** `fdstat`. */
export const Fdstat = {
  size: 24,
  fs_filetype: 0,
  fs_flags: 2,
  fs_rights_base: 8,
  fs_rights_inheriting: 16,
} as const;

/** `dirent`, the fixed part before the name. */
export const Dirent = { size: 24, d_next: 0, d_ino: 8, d_namlen: 16, d_type: 20 } as const;

/** `prestat`. */
export const Prestat = { size: 8, tag: 0, pr_name_len: 4 } as const;

/** `subscription`: userdata, then a tagged union of a clock and a descriptor. */
export const Subscription = {
  size: 48,
  userdata: 0,
  tag: 8,
  clock_id: 16,
  clock_timeout: 24,
  clock_precision: 32,
  clock_flags: 40,
  fd: 16,
} as const;

/** `whence` of `wasi_unstable`. */
export const WhenceUnstable = { CUR: 0, END: 1, SET: 2 } as const;

/** `filestat` of `wasi_unstable`: a link count of 32 bits. */
export const FilestatUnstable = {
  size: 56,
  dev: 0,
  ino: 8,
  filetype: 16,
  nlink: 20,
  filesize: 24,
  atim: 32,
  mtim: 40,
  ctim: 48,
} as const;

/** `subscription` of `wasi_unstable`: a clock's has an identifier first, which means nothing. */
export const SubscriptionUnstable = {
  size: 56,
  userdata: 0,
  tag: 8,
  clock_identifier: 16,
  clock_id: 24,
  clock_timeout: 32,
  clock_precision: 40,
  clock_flags: 48,
  fd: 16,
} as const;

/** `event`. */
export const Event = {
  size: 32,
  userdata: 0,
  error: 8,
  type: 10,
  nbytes: 16,
  flags: 24,
} as const;
