/**
 * `wasi_unstable`, the snapshot before preview1, as a table over preview1's functions.
 *
 * What differs, found by comparing `preview0/witx` with `preview1/witx` field by field:
 * - `whence` counts CUR, END, SET;
 * - `linkcount` has 32 bits, which makes `filestat` 56 bytes;
 * - a clock's subscription begins with an identifier, which makes `subscription` 56 bytes;
 * - there is no `sock_accept`, and no right of that name.
 * All else, `event` included, is the same.
 *
 * @module
 */
import {
  Errno,
  Fdstat,
  Filestat,
  FilestatUnstable,
  Rights,
  SubscriptionUnstable,
  Whence,
} from "../preview1/abi.ts";
import { preview1, type Signature } from "../preview1/table.ts";
import { fd_fdstat_get, fd_seek, statDescriptor } from "../preview1/fd.ts";
import { statPath } from "../preview1/path.ts";
import { poll } from "../preview1/poll.ts";
import type { Preview1System } from "../preview1/system.ts";
import type { Wait } from "../system/waiting.ts";

/** Preview1's whence for each of the old ones. */
const WHENCE: readonly number[] = [Whence.CUR, Whence.END, Whence.SET];

function fdSeek(
  system: Preview1System,
  fd: number,
  offset: bigint,
  whence: number,
  newoffset: number,
): number {
  return fd_seek(system, fd, offset, WHENCE[whence] ?? Whence.END + 1, newoffset);
}

/** Lays `system.stat` into guest memory in the old layout. */
function putFilestat({ memory, stat }: Preview1System, filestat: number): void {
  const bytes = new Uint8Array(FilestatUnstable.size);
  bytes.set(stat.bytes.subarray(0, Filestat.nlink), FilestatUnstable.dev);
  bytes.set(stat.bytes.subarray(Filestat.nlink, Filestat.nlink + 4), FilestatUnstable.nlink);
  bytes.set(stat.bytes.subarray(Filestat.filesize), FilestatUnstable.filesize);
  memory.set(filestat, bytes);
}

function fdFilestatGet(system: Preview1System, fd: number, filestat: number): number {
  const errno = statDescriptor(system, fd);
  if (errno === 0) putFilestat(system, filestat);
  return errno;
}

function pathFilestatGet(
  system: Preview1System,
  fd: number,
  flags: number,
  path: number,
  path_len: number,
  filestat: number,
): number {
  const errno = statPath(system, fd, flags, path, path_len);
  if (errno === 0) putFilestat(system, filestat);
  return errno;
}

function fdFdstatGet(system: Preview1System, fd: number, stat: number): number {
  const errno = fd_fdstat_get(system, fd, stat);
  if (errno !== Errno.SUCCESS) return errno;
  const { view } = system.memory;
  for (const at of [stat + Fdstat.fs_rights_base, stat + Fdstat.fs_rights_inheriting]) {
    view.setUint32(at, view.getUint32(at, true) & ~Rights.SOCK_ACCEPT, true);
  }
  return 0;
}

function pollOneoff(
  system: Preview1System,
  input: number,
  out: number,
  nsubscriptions: number,
  nevents: number,
): number | Wait {
  return poll(system, SubscriptionUnstable, input, out, nsubscriptions, nevents);
}

const { sock_accept: _, ...kept } = preview1;

/** The functions of `wasi_unstable`, without `proc_exit`. */
export const unstable: Readonly<Record<string, Signature>> = {
  ...kept,
  fd_fdstat_get: { ...preview1.fd_fdstat_get!, call: fdFdstatGet },
  fd_filestat_get: { ...preview1.fd_filestat_get!, call: fdFilestatGet },
  fd_seek: { ...preview1.fd_seek!, call: fdSeek },
  path_filestat_get: { ...preview1.path_filestat_get!, call: pathFilestatGet },
  poll_oneoff: { ...preview1.poll_oneoff!, call: pollOneoff },
};
