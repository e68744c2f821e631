/**
 * Error codes of `wasi:filesystem`, out of the numbers that system calls give.
 *
 * @module
 */
import { Err } from "../component/err.ts";
import { Errno, errnoOf } from "../errno.ts";
import { Thrown } from "../exit.ts";

const CODES: readonly (readonly [errno: number, code: string])[] = [
  [Errno.ACCES, "access"],
  [Errno.AGAIN, "would-block"],
  [Errno.ALREADY, "already"],
  [Errno.BADF, "bad-descriptor"],
  [Errno.BUSY, "busy"],
  [Errno.DEADLK, "deadlock"],
  [Errno.DQUOT, "quota"],
  [Errno.EXIST, "exist"],
  [Errno.FBIG, "file-too-large"],
  [Errno.ILSEQ, "illegal-byte-sequence"],
  [Errno.INPROGRESS, "in-progress"],
  [Errno.INTR, "interrupted"],
  [Errno.INVAL, "invalid"],
  [Errno.IO, "io"],
  [Errno.ISDIR, "is-directory"],
  [Errno.LOOP, "loop"],
  [Errno.MLINK, "too-many-links"],
  [Errno.MSGSIZE, "message-size"],
  [Errno.NAMETOOLONG, "name-too-long"],
  [Errno.NODEV, "no-device"],
  [Errno.NOENT, "no-entry"],
  [Errno.NOLCK, "no-lock"],
  [Errno.NOMEM, "insufficient-memory"],
  [Errno.NOSPC, "insufficient-space"],
  [Errno.NOTDIR, "not-directory"],
  [Errno.NOTEMPTY, "not-empty"],
  [Errno.NOTRECOVERABLE, "not-recoverable"],
  [Errno.NOTSUP, "unsupported"],
  [Errno.NOSYS, "unsupported"],
  [Errno.NOTTY, "no-tty"],
  [Errno.NXIO, "no-such-device"],
  [Errno.OVERFLOW, "overflow"],
  [Errno.PERM, "not-permitted"],
  [Errno.NOTCAPABLE, "not-permitted"],
  [Errno.PIPE, "pipe"],
  [Errno.ROFS, "read-only"],
  [Errno.SPIPE, "invalid-seek"],
  [Errno.TXTBSY, "text-file-busy"],
  [Errno.XDEV, "cross-device"],
  // how many descriptors a guest may have is a quota, too
  [Errno.MFILE, "quota"],
  [Errno.NFILE, "quota"],
];

const byErrno: ReadonlyMap<number, string> = new Map(CODES);

/** The code of an errno. */
export function errorCode(errno: number): string {
  return byErrno.get(errno) ?? "io";
}

/** The error that a function of `wasi:filesystem` gives. */
export function failed(errno: number): Err {
  return new Err(errorCode(errno));
}

/** Makes of what a system call throws the error that a function gives. */
export function attempt<R>(call: () => R): R | Err {
  try {
    return call();
  } catch (error) {
    return failed(errnoThrown(error));
  }
}

/** The errno of what was thrown below a system call. What the embedder's code threw goes on. */
export function errnoThrown(error: unknown): number {
  if (error instanceof Thrown) throw error;
  return errnoOf(error);
}
