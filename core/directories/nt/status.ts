/**
 * What NT's functions answer, as far as it is told apart, and its errno.
 *
 * Source: [MS-ERREF] 2.3.1.
 *
 * @module
 */
import { Errno } from "../../errno.ts";

/** Answers that are looked at; as signed numbers they are below zero. */
export const Status = {
  BUFFER_OVERFLOW: 0x80000005,
  NO_MORE_FILES: 0x80000006,
  NOT_IMPLEMENTED: 0xc0000002,
  INVALID_INFO_CLASS: 0xc0000003,
  INVALID_PARAMETER: 0xc000000d,
  INVALID_DEVICE_REQUEST: 0xc0000010,
  END_OF_FILE: 0xc0000011,
  NO_SUCH_FILE: 0xc000000f,
  NOT_SUPPORTED: 0xc00000bb,
  FILE_DELETED: 0xc0000123,
  PIPE_CLOSING: 0xc00000b1,
  PIPE_BROKEN: 0xc000014b,
  DELETE_PENDING: 0xc0000056,
  NOT_A_REPARSE_POINT: 0xc0000275,
  REPARSE_POINT_ENCOUNTERED: 0xc000050b,
} as const;

/** The errno of each answer that a file system gives. */
const ERRNO: ReadonlyMap<number, number> = new Map([
  [Status.NOT_IMPLEMENTED, Errno.NOTSUP],
  [Status.INVALID_INFO_CLASS, Errno.NOTSUP],
  [0xc0000005, Errno.FAULT], // ACCESS_VIOLATION
  [0xc0000008, Errno.BADF], // INVALID_HANDLE
  [Status.INVALID_PARAMETER, Errno.INVAL],
  [0xc000000e, Errno.NODEV], // NO_SUCH_DEVICE
  [Status.NO_SUCH_FILE, Errno.NOENT],
  [Status.INVALID_DEVICE_REQUEST, Errno.NOTSUP],
  [0xc0000013, Errno.NODEV], // NO_MEDIA_IN_DEVICE
  [0xc0000017, Errno.NOMEM], // NO_MEMORY
  [0xc0000022, Errno.ACCES], // ACCESS_DENIED
  [0xc0000024, Errno.INVAL], // OBJECT_TYPE_MISMATCH
  [0xc0000033, Errno.NOENT], // OBJECT_NAME_INVALID
  [0xc0000034, Errno.NOENT], // OBJECT_NAME_NOT_FOUND
  [0xc0000035, Errno.EXIST], // OBJECT_NAME_COLLISION
  [0xc0000039, Errno.NOENT], // OBJECT_PATH_INVALID
  [0xc000003a, Errno.NOENT], // OBJECT_PATH_NOT_FOUND
  [0xc000003b, Errno.NOENT], // OBJECT_PATH_SYNTAX_BAD
  [0xc0000043, Errno.BUSY], // SHARING_VIOLATION
  [0xc0000044, Errno.DQUOT], // QUOTA_EXCEEDED
  [0xc0000054, Errno.BUSY], // FILE_LOCK_CONFLICT
  [0xc0000055, Errno.BUSY], // LOCK_NOT_GRANTED
  [Status.DELETE_PENDING, Errno.NOENT],
  [0xc0000061, Errno.PERM], // PRIVILEGE_NOT_HELD
  [0xc000007f, Errno.NOSPC], // DISK_FULL
  [0xc000009a, Errno.NOMEM], // INSUFFICIENT_RESOURCES
  [0xc00000a2, Errno.ROFS], // MEDIA_WRITE_PROTECTED
  [0xc00000ba, Errno.ISDIR], // FILE_IS_A_DIRECTORY
  [Status.NOT_SUPPORTED, Errno.NOTSUP],
  [Status.PIPE_CLOSING, Errno.PIPE],
  [0xc00000b5, Errno.TIMEDOUT], // IO_TIMEOUT
  [0xc00000be, Errno.NOENT], // BAD_NETWORK_PATH
  [0xc00000ca, Errno.ACCES], // NETWORK_ACCESS_DENIED
  [0xc00000cc, Errno.NOENT], // BAD_NETWORK_NAME
  [0xc00000d4, Errno.XDEV], // NOT_SAME_DEVICE
  [0xc0000101, Errno.NOTEMPTY], // DIRECTORY_NOT_EMPTY
  [0xc0000103, Errno.NOTDIR], // NOT_A_DIRECTORY
  [0xc0000106, Errno.NAMETOOLONG], // NAME_TOO_LONG
  [0xc000011f, Errno.MFILE], // TOO_MANY_OPENED_FILES
  [0xc0000121, Errno.ACCES], // CANNOT_DELETE
  [Status.FILE_DELETED, Errno.NOENT],
  [0xc0000128, Errno.BADF], // FILE_CLOSED
  [Status.PIPE_BROKEN, Errno.PIPE],
  [0xc0000185, Errno.IO], // IO_DEVICE_ERROR
  [0xc0000203, Errno.IO], // USER_SESSION_DELETED
  [0xc000020c, Errno.IO], // CONNECTION_DISCONNECTED
  [0xc0000243, Errno.TXTBSY], // USER_MAPPED_FILE
  [0xc0000265, Errno.MLINK], // TOO_MANY_LINKS
  [Status.NOT_A_REPARSE_POINT, Errno.INVAL],
  [0xc0000279, Errno.PERM], // IO_REPARSE_TAG_NOT_HANDLED
  [Status.REPARSE_POINT_ENCOUNTERED, Errno.LOOP],
  [0xc0000904, Errno.FBIG], // FILE_TOO_LARGE
]);

/** The errno of an answer that is no success; IO for one that nobody knows. */
export function errnoOfStatus(status: number): number {
  return ERRNO.get(status >>> 0) ?? Errno.IO;
}
