/**
 * The numbers and layouts of `wasi_snapshot_preview1`, each written once.
 *
 * Source: `preview1/witx/typenames.witx` of WebAssembly/WASI (branch wasi-0.1). Names are that
 * file's own, in capitals. This file imports nothing.
 *
 * @module
 */

/** Error codes that a system call returns; 0 is success. */
export const Errno = {
  SUCCESS: 0,
  "2BIG": 1,
  ACCES: 2,
  ADDRINUSE: 3,
  ADDRNOTAVAIL: 4,
  AFNOSUPPORT: 5,
  AGAIN: 6,
  ALREADY: 7,
  BADF: 8,
  BADMSG: 9,
  BUSY: 10,
  CANCELED: 11,
  CHILD: 12,
  CONNABORTED: 13,
  CONNREFUSED: 14,
  CONNRESET: 15,
  DEADLK: 16,
  DESTADDRREQ: 17,
  DOM: 18,
  DQUOT: 19,
  EXIST: 20,
  FAULT: 21,
  FBIG: 22,
  HOSTUNREACH: 23,
  IDRM: 24,
  ILSEQ: 25,
  INPROGRESS: 26,
  INTR: 27,
  INVAL: 28,
  IO: 29,
  ISCONN: 30,
  ISDIR: 31,
  LOOP: 32,
  MFILE: 33,
  MLINK: 34,
  MSGSIZE: 35,
  MULTIHOP: 36,
  NAMETOOLONG: 37,
  NETDOWN: 38,
  NETRESET: 39,
  NETUNREACH: 40,
  NFILE: 41,
  NOBUFS: 42,
  NODEV: 43,
  NOENT: 44,
  NOEXEC: 45,
  NOLCK: 46,
  NOLINK: 47,
  NOMEM: 48,
  NOMSG: 49,
  NOPROTOOPT: 50,
  NOSPC: 51,
  NOSYS: 52,
  NOTCONN: 53,
  NOTDIR: 54,
  NOTEMPTY: 55,
  NOTRECOVERABLE: 56,
  NOTSOCK: 57,
  NOTSUP: 58,
  NOTTY: 59,
  NXIO: 60,
  OVERFLOW: 61,
  OWNERDEAD: 62,
  PERM: 63,
  PIPE: 64,
  PROTO: 65,
  PROTONOSUPPORT: 66,
  PROTOTYPE: 67,
  RANGE: 68,
  ROFS: 69,
  SPIPE: 70,
  SRCH: 71,
  STALE: 72,
  TIMEDOUT: 73,
  TXTBSY: 74,
  XDEV: 75,
  NOTCAPABLE: 76,
} as const;

/** What a descriptor may be used for. All 30 rights fit in a 32-bit number. */
export const Rights = {
  FD_DATASYNC: 0x00000001,
  FD_READ: 0x00000002,
  FD_SEEK: 0x00000004,
  FD_FDSTAT_SET_FLAGS: 0x00000008,
  FD_SYNC: 0x00000010,
  FD_TELL: 0x00000020,
  FD_WRITE: 0x00000040,
  FD_ADVISE: 0x00000080,
  FD_ALLOCATE: 0x00000100,
  PATH_CREATE_DIRECTORY: 0x00000200,
  PATH_CREATE_FILE: 0x00000400,
  PATH_LINK_SOURCE: 0x00000800,
  PATH_LINK_TARGET: 0x00001000,
  PATH_OPEN: 0x00002000,
  FD_READDIR: 0x00004000,
  PATH_READLINK: 0x00008000,
  PATH_RENAME_SOURCE: 0x00010000,
  PATH_RENAME_TARGET: 0x00020000,
  PATH_FILESTAT_GET: 0x00040000,
  PATH_FILESTAT_SET_SIZE: 0x00080000,
  PATH_FILESTAT_SET_TIMES: 0x00100000,
  FD_FILESTAT_GET: 0x00200000,
  FD_FILESTAT_SET_SIZE: 0x00400000,
  FD_FILESTAT_SET_TIMES: 0x00800000,
  PATH_SYMLINK: 0x01000000,
  PATH_REMOVE_DIRECTORY: 0x02000000,
  PATH_UNLINK_FILE: 0x04000000,
  POLL_FD_READWRITE: 0x08000000,
  SOCK_SHUTDOWN: 0x10000000,
  SOCK_ACCEPT: 0x20000000,
} as const;

/** Every right there is: bits above are not the specification's and are ignored. */
export const RIGHTS_ALL: number = 0x3fffffff;

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

/** Flags of `path_open`. */
export const Oflags = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const;

/** Flags of path resolution. */
export const Lookupflags = { SYMLINK_FOLLOW: 1 } as const;

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

/** The kinds of event. */
export const Eventtype = { CLOCK: 0, FD_READ: 1, FD_WRITE: 2 } as const;

/** Flags of a descriptor's event. */
export const Eventrwflags = { FD_READWRITE_HANGUP: 1 } as const;

/** Flags of a clock subscription. */
export const Subclockflags = { SUBSCRIPTION_CLOCK_ABSTIME: 1 } as const;

/** Flags given to `sock_recv`. */
export const Riflags = { RECV_PEEK: 1, RECV_WAITALL: 2 } as const;

/** Flags that `sock_recv` gives. */
export const Roflags = { RECV_DATA_TRUNCATED: 1 } as const;

/** Which half of a connection to shut. */
export const Sdflags = { RD: 1, WR: 2 } as const;

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

/** `filestat`. */
export const Filestat = {
  size: 64,
  dev: 0,
  ino: 8,
  filetype: 16,
  nlink: 24,
  filesize: 32,
  atim: 40,
  mtim: 48,
  ctim: 56,
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
