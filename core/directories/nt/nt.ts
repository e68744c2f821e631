/**
 * Numbers and layouts of NT's file functions, each written once, and the functions themselves.
 *
 * Source: Microsoft's documentation of the functions in ntifs.h and wdm.h, [MS-FSCC] for what is
 * queried and set, [MS-FSCC] 2.1.2 for reparse points. Structures are those of 64-bit Windows.
 *
 * @module
 */
import type { Library, Tables } from "../../foreign.ts";

/** Access rights. */
export const Access = {
  READ_DATA: 0x1, // of a directory: its list
  WRITE_DATA: 0x2,
  READ_ATTRIBUTES: 0x80,
  WRITE_ATTRIBUTES: 0x100,
  DELETE: 0x10000,
  SYNCHRONIZE: 0x100000,
  /** FILE_GENERIC_READ and FILE_GENERIC_WRITE; both have SYNCHRONIZE. */
  GENERIC_READ: 0x120089,
  GENERIC_WRITE: 0x120116,
} as const;

/** Others may do everything meanwhile, deleting too, as on POSIX. */
export const SHARE_ALL = 7;

/** CreateDisposition of NtCreateFile. */
export const Disposition = { OPEN: 1, CREATE: 2, OPEN_IF: 3 } as const;

/** CreateOptions of NtCreateFile. */
export const Options = {
  DIRECTORY_FILE: 0x1,
  WRITE_THROUGH: 0x2,
  SYNCHRONOUS_IO_NONALERT: 0x20,
  NON_DIRECTORY_FILE: 0x40,
  OPEN_FOR_BACKUP_INTENT: 0x4000,
  OPEN_REPARSE_POINT: 0x200000,
} as const;

/** Attributes of OBJECT_ATTRIBUTES. */
export const OBJ_CASE_INSENSITIVE = 0x40;
/** A reparse point on the way is STATUS_REPARSE_POINT_ENCOUNTERED. Since Windows 10, 1607. */
export const OBJ_DONT_REPARSE = 0x1000;

/** What NtCreateFile did, in the status block. */
export const FILE_OPENED = 1;

export const FILE_ATTRIBUTE_DIRECTORY = 0x10;
export const FILE_ATTRIBUTE_NORMAL = 0x80;
export const FILE_ATTRIBUTE_REPARSE_POINT = 0x400;

/** Classes of NtQueryInformationFile and NtSetInformationFile. */
export const Info = {
  Basic: 4,
  Name: 9,
  Rename: 10,
  Link: 11,
  Disposition: 13,
  Position: 14,
  All: 18,
  EndOfFile: 20,
  PipeLocal: 24,
  DispositionEx: 64,
  RenameEx: 65,
} as const;

/** Class of NtQueryDirectoryFile: FileIdBothDirectoryInformation. */
export const DIRECTORY_ID_BOTH = 37;

/** Class of NtQueryVolumeInformationFile: FileFsVolumeInformation. */
export const VOLUME = 1;

/** `FILE_ALL_INFORMATION`, up to the name. */
export const All = {
  size: 104,
  atime: 8,
  mtime: 16,
  ctime: 24,
  attributes: 32,
  end: 48,
  links: 56,
  index: 64,
} as const;

/** `FILE_BASIC_INFORMATION`: 0 leaves a time as it is. */
export const Basic = { size: 40, atime: 8, mtime: 16 } as const;

/** `FILE_PIPE_LOCAL_INFORMATION`. */
export const Pipe = { size: 40, readable: 20, writable: 28, state: 32 } as const;
/** The other end is gone, or going. */
export const PIPE_CLOSING = 4;

/** `FILE_FS_VOLUME_INFORMATION`. */
export const Volume = { serial: 8 } as const;

/** `FILE_RENAME_INFORMATION` and `FILE_LINK_INFORMATION`. */
export const Rename = { flags: 0, root: 8, length: 16, name: 20, size: 24 } as const;
export const RENAME_REPLACE = 1;
export const RENAME_POSIX = 2;
export const RENAME_IGNORE_READONLY = 0x40;

/** Flags of `FILE_DISPOSITION_INFORMATION_EX`. */
export const DELETE_POSIX: number = 1 | 2 | 0x10; // DELETE, POSIX_SEMANTICS, IGNORE_READONLY

/** `FILE_ID_BOTH_DIR_INFORMATION`. */
export const DirectoryEntry = {
  next: 0,
  attributes: 56,
  length: 60,
  /** for a reparse point its tag */
  eaSize: 64,
  id: 96,
  name: 104,
} as const;

/** `OBJECT_ATTRIBUTES`. */
export const ObjectAttributes = { size: 48, length: 0, root: 8, name: 16, attributes: 24 } as const;

/** `UNICODE_STRING`: lengths in bytes. */
export const UnicodeString = { size: 16, length: 0, maximum: 2, buffer: 8 } as const;

/** `IO_STATUS_BLOCK`. */
export const StatusBlock = { size: 16, information: 8 } as const;

/** Where a write goes that appends, as the two halves of its offset. */
export const WRITE_TO_END_OF_FILE: readonly [low: number, high: number] = [0xffffffff, 0xffffffff];

export const FSCTL_SET_REPARSE_POINT = 0x900a4;
export const FSCTL_GET_REPARSE_POINT = 0x900a8;

export const REPARSE_TAG_SYMLINK = 0xa000000c;
export const REPARSE_TAG_MOUNT_POINT = 0xa0000003;
export const REPARSE_DATA_MAX = 16384;
export const SYMLINK_FLAG_RELATIVE = 1;

/**
 * `REPARSE_DATA_BUFFER`: for a symbolic link `flags` come before the names, for a mount point not.
 * Offsets of the names count from where these begin.
 */
export const Reparse = {
  tag: 0,
  length: 4,
  /** what `length` counts begins here */
  data: 8,
  substituteOffset: 8,
  substituteLength: 10,
  printOffset: 12,
  printLength: 14,
  flags: 16,
  symlinkNames: 20,
  mountPointNames: 16,
} as const;

/** This process, as a handle. */
export const CURRENT_PROCESS = -1;
export const DUPLICATE_SAME_ACCESS = 2;

/** Privilege number for RtlAdjustPrivilege. */
export const SE_CREATE_SYMBOLIC_LINK_PRIVILEGE = 35;

const tables: Tables = {
  first: "NtClose",
  signatures: {
    NtClose: [["i64"], "i32"],
    NtCreateFile: [
      ["ptr", "u32", "ptr", "ptr", "ptr", "u32", "u32", "u32", "u32", "ptr", "u32"],
      "i32",
    ],
    NtDuplicateObject: [["i64", "i64", "i64", "ptr", "u32", "u32", "u32"], "i32"],
    NtFlushBuffersFile: [["i64", "ptr"], "i32"],
    NtFsControlFile: [
      ["i64", "i64", "ptr", "ptr", "ptr", "u32", "ptr", "u32", "ptr", "u32"],
      "i32",
    ],
    NtQueryDirectoryFile: [
      ["i64", "i64", "ptr", "ptr", "ptr", "ptr", "u32", "u32", "u32", "ptr", "u32"],
      "i32",
    ],
    NtQueryInformationFile: [["i64", "ptr", "ptr", "u32", "u32"], "i32"],
    NtQueryVolumeInformationFile: [["i64", "ptr", "ptr", "u32", "u32"], "i32"],
    NtReadFile: [["i64", "i64", "ptr", "ptr", "ptr", "ptr", "u32", "ptr", "ptr"], "i32"],
    NtSetInformationFile: [["i64", "ptr", "ptr", "u32", "u32"], "i32"],
    NtWriteFile: [["i64", "i64", "ptr", "ptr", "ptr", "ptr", "u32", "ptr", "ptr"], "i32"],
    RtlAdjustPrivilege: [["u32", "u32", "u32", "ptr"], "i32"],
  },
  variants: {},
  optionalSignatures: {},
};

/** Every process has it loaded: no other file of that name can take its place. */
export const ntLibrary: Library = { names: ["ntdll.dll"], tables };

/** Arguments of GetStdHandle for descriptors 0 to 2. */
export const STD_HANDLES: readonly number[] = [0xfffffff6, 0xfffffff5, 0xfffffff4];

/** `INPUT_RECORD` of a key. */
export const InputRecord = { size: 20, type: 0, down: 4, character: 14 } as const;
export const KEY_EVENT = 1;

/** What is asked of standard streams; loaded in every process as well. */
export const kernelLibrary: Library = {
  names: ["kernel32.dll"],
  tables: {
    first: "GetStdHandle",
    signatures: {
      GetStdHandle: [["u32"], "i64"],
      PeekConsoleInputW: [["i64", "ptr", "u32", "ptr"], "i32"],
    },
    variants: {},
    optionalSignatures: {},
  },
};
