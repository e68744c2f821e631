/**
 * Errors below the system calls: their numbers, one stackless error, and one map from host errors
 * to errno. The numbers are preview1's; a later interface maps from them.
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

/**
 * An errno on its way to the guest. It carries no stack: it is thrown where a return value would
 * not reach far enough (a bad pointer deep in a call) and is caught by the guard in imports.ts.
 * Custom directories and files may throw it too.
 *
 * @example
 * ```ts
 * import { Errno, WasiError } from "@x/wasi";
 *
 * const error = new WasiError(Errno.NOENT);
 * console.assert(error.errno === 44);
 * ```
 */
export class WasiError {
  /** The number that the guest is to get, never 0. */
  readonly errno: number;

  /** Makes an error of one of the numbers of {@linkcode Errno}. */
  constructor(errno: number) {
    this.errno = errno;
  }
}

/** An error for the embedder, whose `code` is POSIX's name for the number, such as "ENOENT". */
export function posixError(errno: number, text: string): Error {
  const name = Object.entries(Errno).find(([, number]) => number === errno)![0];
  return Object.assign(new Error(text), { code: `E${name}` });
}

/** POSIX names that WASI spells otherwise or does not have. */
const ALIASES: Record<string, number> = {
  EOPNOTSUPP: Errno.NOTSUP,
  EWOULDBLOCK: Errno.AGAIN,
  ELOOP: Errno.LOOP,
  ESHUTDOWN: Errno.PIPE,
  ENOTBLK: Errno.NOTSUP,
  EUSERS: Errno.MFILE,
  EREMOTEIO: Errno.IO,
  ENODATA: Errno.IO,
  ENOMEDIUM: Errno.NODEV,
  ESOCKTNOSUPPORT: Errno.NOTSUP,
  EPFNOSUPPORT: Errno.AFNOSUPPORT,
  EHOSTDOWN: Errno.HOSTUNREACH,
  ETIME: Errno.TIMEDOUT,
  // libuv's names for what systems other than Linux say
  ECHARSET: Errno.ILSEQ,
  ENONET: Errno.NETUNREACH,
  EUNATCH: Errno.IO,
  EOF: Errno.PIPE,
  // macOS' own
  EPROCLIM: Errno.AGAIN,
  EFTYPE: Errno.INVAL,
  EAUTH: Errno.ACCES,
  ENEEDAUTH: Errno.ACCES,
  EBADEXEC: Errno.NOEXEC,
  EBADARCH: Errno.NOEXEC,
  ESHLIBVERS: Errno.NOEXEC,
  EBADMACHO: Errno.NOEXEC,
  EQFULL: Errno.NOBUFS,
  // what the runtimes say of their own permissions
  ERR_ACCESS_DENIED: Errno.ACCES,
  // Node's names for arguments that a guest's numbers led to
  ERR_OUT_OF_RANGE: Errno.INVAL,
  ERR_INVALID_ARG_VALUE: Errno.INVAL,
  ERR_INVALID_ARG_TYPE: Errno.INVAL,
  ERR_FS_FILE_TOO_LARGE: Errno.FBIG,
};

/** The errno for a POSIX name such as "ENOENT"; IO for a name that nobody knows. */
export function errnoOfCode(code: string): number {
  const known = (Errno as Record<string, number>)[code.slice(1)];
  if (code.charCodeAt(0) === 69 /* E */ && known !== undefined) return known;
  return ALIASES[code] ?? Errno.IO;
}

/** Linux's error numbers, for texts such as "(os error 21)" that come without a code. */
// deno-fmt-ignore
const LINUX: readonly number[] = [
  0, Errno.PERM, Errno.NOENT, Errno.SRCH, Errno.INTR, Errno.IO, Errno.NXIO, Errno["2BIG"],
  Errno.NOEXEC, Errno.BADF, Errno.CHILD, Errno.AGAIN, Errno.NOMEM, Errno.ACCES, Errno.FAULT,
  Errno.NOTSUP, Errno.BUSY, Errno.EXIST, Errno.XDEV, Errno.NODEV, Errno.NOTDIR, Errno.ISDIR,
  Errno.INVAL, Errno.NFILE, Errno.MFILE, Errno.NOTTY, Errno.TXTBSY, Errno.FBIG, Errno.NOSPC,
  Errno.SPIPE, Errno.ROFS, Errno.MLINK, Errno.PIPE, Errno.DOM, Errno.RANGE, Errno.DEADLK,
  Errno.NAMETOOLONG, Errno.NOLCK, Errno.NOSYS, Errno.NOTEMPTY, Errno.LOOP,
];

const LINUX_HIGH: Record<number, number> = {
  42: Errno.NOMSG,
  43: Errno.IDRM,
  61: Errno.IO,
  62: Errno.TIMEDOUT,
  67: Errno.NOLINK,
  71: Errno.PROTO,
  72: Errno.MULTIHOP,
  74: Errno.BADMSG,
  75: Errno.OVERFLOW,
  84: Errno.ILSEQ,
  87: Errno.MFILE,
  88: Errno.NOTSOCK,
  89: Errno.DESTADDRREQ,
  90: Errno.MSGSIZE,
  91: Errno.PROTOTYPE,
  92: Errno.NOPROTOOPT,
  93: Errno.PROTONOSUPPORT,
  94: Errno.NOTSUP,
  95: Errno.NOTSUP,
  96: Errno.AFNOSUPPORT,
  97: Errno.AFNOSUPPORT,
  98: Errno.ADDRINUSE,
  99: Errno.ADDRNOTAVAIL,
  100: Errno.NETDOWN,
  101: Errno.NETUNREACH,
  102: Errno.NETRESET,
  103: Errno.CONNABORTED,
  104: Errno.CONNRESET,
  105: Errno.NOBUFS,
  106: Errno.ISCONN,
  107: Errno.NOTCONN,
  108: Errno.PIPE,
  110: Errno.TIMEDOUT,
  111: Errno.CONNREFUSED,
  112: Errno.HOSTUNREACH,
  113: Errno.HOSTUNREACH,
  114: Errno.ALREADY,
  115: Errno.INPROGRESS,
  116: Errno.STALE,
  122: Errno.DQUOT,
  125: Errno.CANCELED,
  130: Errno.OWNERDEAD,
  131: Errno.NOTRECOVERABLE,
};

/** The errno for one of Linux's error numbers; IO for a number that nobody knows. */
export function errnoOfLinux(number: number): number {
  return LINUX[number] ?? LINUX_HIGH[number] ?? Errno.IO;
}

/**
 * Darwin's error numbers: up to 34 they are Linux's, but for 11.
 *
 * Source: bsd/sys/errno.h of xnu, all of which tests/darwin/headers.test.ts looks at. What is not
 * here has nothing like it in WASI.
 */
const DARWIN: Record<number, number> = {
  11: Errno.DEADLK,
  35: Errno.AGAIN,
  36: Errno.INPROGRESS,
  37: Errno.ALREADY,
  38: Errno.NOTSOCK,
  39: Errno.DESTADDRREQ,
  40: Errno.MSGSIZE,
  41: Errno.PROTOTYPE,
  42: Errno.NOPROTOOPT,
  43: Errno.PROTONOSUPPORT,
  44: Errno.NOTSUP,
  45: Errno.NOTSUP,
  46: Errno.AFNOSUPPORT,
  47: Errno.AFNOSUPPORT,
  48: Errno.ADDRINUSE,
  49: Errno.ADDRNOTAVAIL,
  50: Errno.NETDOWN,
  51: Errno.NETUNREACH,
  52: Errno.NETRESET,
  53: Errno.CONNABORTED,
  54: Errno.CONNRESET,
  55: Errno.NOBUFS,
  56: Errno.ISCONN,
  57: Errno.NOTCONN,
  58: Errno.PIPE,
  60: Errno.TIMEDOUT,
  61: Errno.CONNREFUSED,
  62: Errno.LOOP,
  63: Errno.NAMETOOLONG,
  64: Errno.HOSTUNREACH,
  65: Errno.HOSTUNREACH,
  66: Errno.NOTEMPTY,
  67: Errno.AGAIN,
  68: Errno.MFILE,
  69: Errno.DQUOT,
  70: Errno.STALE,
  77: Errno.NOLCK,
  78: Errno.NOSYS,
  79: Errno.INVAL,
  80: Errno.ACCES,
  81: Errno.ACCES,
  84: Errno.OVERFLOW,
  85: Errno.NOEXEC,
  86: Errno.NOEXEC,
  87: Errno.NOEXEC,
  88: Errno.NOEXEC,
  89: Errno.CANCELED,
  90: Errno.IDRM,
  91: Errno.NOMSG,
  92: Errno.ILSEQ,
  94: Errno.BADMSG,
  95: Errno.MULTIHOP,
  96: Errno.IO,
  97: Errno.NOLINK,
  100: Errno.PROTO,
  101: Errno.TIMEDOUT,
  102: Errno.NOTSUP,
  104: Errno.NOTRECOVERABLE,
  105: Errno.OWNERDEAD,
  106: Errno.NOBUFS,
  107: Errno.NOTCAPABLE,
};

/** The errno for one of Darwin's error numbers; IO for a number that nobody knows. */
export function errnoOfDarwin(number: number): number {
  return DARWIN[number] ?? (number < 35 ? LINUX[number] : undefined) ?? Errno.IO;
}

/** Deno's error classes, which can come without a code. */
const CLASSES: Record<string, number> = {
  NotFound: Errno.NOENT,
  PermissionDenied: Errno.ACCES,
  NotCapable: Errno.ACCES,
  AlreadyExists: Errno.EXIST,
  IsADirectory: Errno.ISDIR,
  NotADirectory: Errno.NOTDIR,
  FilesystemLoop: Errno.LOOP,
  BrokenPipe: Errno.PIPE,
  WouldBlock: Errno.AGAIN,
  Interrupted: Errno.INTR,
  TimedOut: Errno.TIMEDOUT,
  BadResource: Errno.BADF,
  NotSupported: Errno.NOTSUP,
};

/**
 * The errno for whatever was thrown below a system call: our own error, an error of a runtime's
 * file system with its `code`, a Deno error by its class or text. A RangeError without a code is
 * memory that could not be had or a view that fell out from under us; anything else is IO.
 */
export function errnoOf(thrown: unknown): number {
  if (thrown instanceof WasiError) return thrown.errno;
  if (typeof thrown !== "object" || thrown === null) return Errno.IO;
  const { code, message, name } = thrown as { code?: unknown; message?: unknown; name?: unknown };
  if (typeof code === "string") {
    const errno = errnoOfCode(code);
    if (errno !== Errno.IO || code === "EIO") return errno;
  }
  const number = typeof message === "string" ? /\(os error (\d+)\)/.exec(message) : null;
  if (number !== null) return errnoOfLinux(Number(number[1]));
  if (typeof name === "string" && Object.hasOwn(CLASSES, name)) return CLASSES[name]!;
  if (thrown instanceof RangeError) return Errno.NOMEM;
  return Errno.IO;
}
