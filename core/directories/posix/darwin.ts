/**
 * macOS' numbers and layouts, as far as they are used, each written once; and what Linux's flags
 * become there.
 *
 * Source: the headers of xnu (apple-oss-distributions/xnu), named at each group.
 * tests/darwin/headers.test.ts compiles everything here against Apple's headers for both processors.
 *
 * @module
 */
import { Clockid } from "../../host.ts";
import * as linux from "./linux.ts";

/** bsd/sys/fcntl.h, bsd/sys/_types/_o_sync.h, _o_dsync.h */
export const O_NONBLOCK = 0x4;
export const O_APPEND = 0x8;
export const O_SYNC = 0x80;
export const O_NOFOLLOW = 0x100;
export const O_CREAT = 0x200;
export const O_TRUNC = 0x400;
export const O_EXCL = 0x800;
export const O_NOCTTY = 0x20000;
export const O_DIRECTORY = 0x100000;
export const O_DSYNC = 0x400000;
export const O_CLOEXEC = 0x1000000;
/** For search alone; kernels before it take it for O_RDONLY. */
export const O_SEARCH: number = 0x40000000 | O_DIRECTORY;

/** bsd/sys/fcntl.h */
export const AT_FDCWD = -2;
export const AT_SYMLINK_NOFOLLOW = 0x20;
export const AT_REMOVEDIR = 0x80;
export const F_SETFD = 2;
export const FD_CLOEXEC = 1;
export const F_PREALLOCATE = 42;
export const F_GETPATH = 50;
export const F_FULLFSYNC = 51;
export const F_ALLOCATEALL = 4;
export const F_PEOFPOSMODE = 3;

/** bsd/sys/filio.h: _IOR('f', 127, int) */
export const FIONREAD = 0x4004667f;

/** bsd/sys/socket.h */
export const AF_INET = 2;
export const AF_INET6 = 30;
export const SOCK_STREAM = 1;
export const SOL_SOCKET = 0xffff;
export const SO_ACCEPTCONN = 2;
export const SO_REUSEADDR = 4;
export const SO_TYPE = 0x1008;
/** How many bytes can be read; where there are messages, of the first. */
export const SO_NREAD = 0x1020;
export const SO_NOSIGPIPE = 0x1022;
export const MSG_PEEK = 2;
export const MSG_DONTWAIT = 0x80;

/**
 * bsd/netinet/in.h, bsd/netinet6/in6.h: `struct sockaddr_in` and `struct sockaddr_in6`; ports and
 * addresses are big end first.
 */
export const Sockaddr = {
  size: 28,
  size4: 16,
  len: 0,
  family: 1,
  port: 2,
  addr: 4,
  addr6: 8,
} as const;

/** bsd/sys/stat.h */
export const UTIME_NOW = -1;
export const UTIME_OMIT = -2;

/** bsd/sys/poll.h: `struct pollfd` and what it is asked are Linux's. */
export { Pollfd, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from "./linux.ts";

/** bsd/sys/stat.h: `struct stat` with 64-bit inode numbers, the only one of arm64. */
export const Stat = {
  size: 144,
  dev: 0,
  mode: 4,
  nlink: 6,
  ino: 8,
  atime: 32,
  mtime: 48,
  ctime: 64,
  st_size: 96,
} as const;

/** bsd/sys/dirent.h: `struct dirent` with 64-bit inode numbers. */
export const Dirent = {
  d_ino: 0,
  d_seekoff: 8,
  d_reclen: 16,
  d_namlen: 18,
  d_type: 20,
  d_name: 21,
} as const;

/** bsd/sys/fcntl.h: `struct fstore`. */
export const Fstore = {
  size: 32,
  flags: 0,
  posmode: 4,
  offset: 8,
  length: 16,
  bytesalloc: 24,
} as const;

/** bsd/sys/syslimits.h: PATH_MAX, which F_GETPATH fills at most. */
export const PATH_MAX = 1024;

/** Apple's Libc, include/time.h: `clockid_t` for each `Clockid`. */
export const CLOCKS: Readonly<Record<number, number>> = {
  [Clockid.REALTIME]: 0,
  [Clockid.MONOTONIC]: 6,
  [Clockid.PROCESS_CPUTIME_ID]: 12,
  [Clockid.THREAD_CPUTIME_ID]: 16,
};

/** Linux's flags of x86-64 stand for their like at the boundary, whatever the processor. */
export const BOUNDARY: { readonly O_DIRECTORY: number; readonly O_NOFOLLOW: number } = linux
  .archOf("x64")!;

/** Linux's flag and ours, for those that are one bit on both sides. */
const FLAGS: readonly (readonly [linux: number, darwin: number])[] = [
  [linux.O_CREAT, O_CREAT],
  [linux.O_EXCL, O_EXCL],
  [linux.O_NOCTTY, O_NOCTTY],
  [linux.O_TRUNC, O_TRUNC],
  [linux.O_APPEND, O_APPEND],
  [linux.O_NONBLOCK, O_NONBLOCK],
  [linux.O_CLOEXEC, O_CLOEXEC],
  [BOUNDARY.O_DIRECTORY, O_DIRECTORY],
  [BOUNDARY.O_NOFOLLOW, O_NOFOLLOW],
];

/**
 * Flags of openat(2), from Linux's. O_PATH, which is only asked for directories, is O_SEARCH.
 *
 * O_NOFOLLOW_ANY is not used: it is an error beside O_NOFOLLOW (bsd/vfs/vfs_vnops.c), older
 * kernels ignore it, and a walk opens one component at a time.
 */
export function openFlags(flags: number): number {
  let how = flags & linux.O_ACCMODE;
  for (const [from, to] of FLAGS) if ((flags & from) !== 0) how |= to;
  if ((flags & linux.O_PATH) !== 0) how = (how & ~linux.O_ACCMODE) | O_SEARCH;
  // Linux's O_SYNC holds its O_DSYNC
  if ((flags & linux.O_SYNC) === linux.O_SYNC) how |= O_SYNC;
  else if ((flags & linux.O_DSYNC) !== 0) how |= O_DSYNC;
  return how;
}

/** What F_GETFL answers, in Linux's flags. */
export function statusFlags(flags: number): number {
  let how = flags & linux.O_ACCMODE;
  if ((flags & O_APPEND) !== 0) how |= linux.O_APPEND;
  if ((flags & O_NONBLOCK) !== 0) how |= linux.O_NONBLOCK;
  if ((flags & O_DSYNC) !== 0) how |= linux.O_DSYNC;
  if ((flags & O_SYNC) !== 0) how |= linux.O_SYNC;
  return how;
}

/** Flags of unlinkat(2) and others, from Linux's. */
export function atFlags(flags: number): number {
  return ((flags & linux.AT_REMOVEDIR) !== 0 ? AT_REMOVEDIR : 0) |
    ((flags & linux.AT_SYMLINK_NOFOLLOW) !== 0 ? AT_SYMLINK_NOFOLLOW : 0);
}
