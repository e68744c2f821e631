/**
 * Linux's numbers and layouts, as far as the libc directories use them, each written once.
 *
 * Source: the UAPI headers `asm-generic/fcntl.h`, `linux/stat.h`, `linux/openat2.h`, `poll.h`. The
 * few that differ between x86-64 and arm64 stand in `archOf`.
 *
 * @module
 */

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_ACCMODE = 3;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const O_SYNC = 0o4010000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;

export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 16;

export const F_GETFL = 3;
export const F_SETFL = 4;

export const FIONREAD = 0x541b;

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ACCEPTCONN = 30;
export const MSG_PEEK = 2;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

/** `struct sockaddr_in` and `struct sockaddr_in6`; ports and addresses are big end first. */
export const Sockaddr = { size: 28, family: 0, port: 2, addr: 4, size4: 16, addr6: 8 } as const;

export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;
export const POLLNVAL = 32;
/** The other end of a stream socket sends no more. */
export const POLLRDHUP = 0x2000;

export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

export const STATX_BASIC_STATS = 0x7ff;

/** `struct statx`. */
export const Statx = {
  size: 256,
  nlink: 16,
  mode: 28,
  ino: 32,
  stx_size: 40,
  atime: 64,
  ctime: 96,
  mtime: 112,
  rdev_major: 128,
  rdev_minor: 132,
  dev_major: 136,
  dev_minor: 140,
  /** within a time: seconds, nanoseconds */
  sec: 0,
  nsec: 8,
} as const;

/** `struct linux_dirent64`. */
export const Dirent64 = { d_ino: 0, d_off: 8, d_reclen: 16, d_type: 18, d_name: 19 } as const;

/** `struct open_how`. */
export const OpenHow = { size: 24, flags: 0, mode: 8, resolve: 16 } as const;

/** `struct pollfd`. */
export const Pollfd = { size: 8, fd: 0, events: 4, revents: 6 } as const;

/** `struct stat`, but for what depends on the processor. */
export const Stat = { dev: 0, ino: 8, st_size: 48, atime: 72, mtime: 88, ctime: 104 } as const;

/** System call numbers, flags and layouts that depend on the processor. */
export interface Arch {
  /** where `st_nlink` and `st_mode` are in `struct stat`, and how long the first is */
  stat: { nlink: number; nlinkLong: boolean; mode: number };
  openat2: number;
  getdents64: number;
  O_DIRECTORY: number;
  O_NOFOLLOW: number;
}

/** The numbers for a processor as Node names it, or undefined for one nobody looked up. */
export function archOf(arch: string): Arch | undefined {
  if (arch === "x64") {
    return {
      openat2: 437,
      getdents64: 217,
      O_DIRECTORY: 0o200000,
      O_NOFOLLOW: 0o400000,
      stat: { nlink: 16, nlinkLong: true, mode: 24 },
    };
  }
  if (arch === "arm64") {
    return {
      openat2: 437,
      getdents64: 61,
      O_DIRECTORY: 0o40000,
      O_NOFOLLOW: 0o100000,
      stat: { nlink: 20, nlinkLong: false, mode: 16 },
    };
  }
  return undefined;
}
