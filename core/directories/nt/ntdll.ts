/**
 * NT's file functions with their memory: each method is one call, its structures laid out in one
 * block, its answer a number as POSIX has it.
 *
 * A name is always one component in an open directory. What could be anything else is refused
 * before the call (names.ts), and a reparse point is never followed: the walk reads links itself.
 *
 * @module
 */
import { Filetype } from "../../host.ts";
import { Errno } from "../../errno.ts";
import type { FileStat } from "../../filestat.ts";
import type { CFunction, Foreign, Pointer } from "../../foreign.ts";
import { linkOf, putLink } from "./links.ts";
import { checkName } from "./names.ts";
import * as nt from "./nt.ts";
import { errnoOfStatus, Status } from "./status.ts";

/** Where things lie in the block. */
const OBJECT = 0;
const STRING = 64;
const STATUS = 80;
const HANDLE = 96;
const OFFSET = 104;
/** attributes, times, flags: what is queried and set */
const INFO = 128;
const INFO_SIZE = 2048;
const NAME = INFO + INFO_SIZE;
/** UTF-16 units of the longest path that NT takes */
const NAME_UNITS = 32767;
const SIZE = NAME + 2 * NAME_UNITS + 2;

/** The longest read or write: sizes are 32 bits there. */
const TRANSFER_MAX = 0x7ffff000;

/** 100 ns steps between 1601 and 1970. */
const EPOCH = 116444736000000000n;

/** A time that NT counts, as nanoseconds since 1970. */
export function timeOf(filetime: bigint): bigint {
  return (filetime - EPOCH) * 100n;
}

/** A time of a guest as NT counts, as far as it can; never 0, which would leave it as it is. */
export function filetimeOf(nanoseconds: bigint): bigint {
  const time = nanoseconds / 100n + EPOCH;
  return time > 0x7fffffffffffffffn ? 0x7fffffffffffffffn : time;
}

/** What is asked of a file beside its attributes. */
export interface Details {
  /** Whether it is a directory, and no link to one. */
  directory: boolean;
  /** Whether it is a link or another reparse point. */
  reparse: boolean;
  /** Its number on its volume. */
  index: bigint;
}

/** ntdll.dll, as far as it is called. */
export class Ntdll {
  readonly #foreign: Foreign;
  readonly #c: Readonly<Record<string, CFunction>>;
  readonly #block: Uint8Array = new Uint8Array(new ArrayBuffer(SIZE));
  readonly #view: DataView = new DataView(this.#block.buffer);
  readonly #object: Pointer;
  readonly #status: Pointer;
  readonly #handle: Pointer;
  readonly #offset: Pointer;
  readonly #info: Pointer;
  /** No handle, as an argument. */
  readonly #none: number | bigint;
  /** Made when a link is first read or made. */
  #reparse: Uint8Array | undefined = undefined;

  constructor(foreign: Foreign) {
    this.#foreign = foreign;
    this.#c = foreign.symbols;
    this.#none = foreign.long(0);
    this.#object = foreign.pointer(this.#block, OBJECT);
    this.#status = foreign.pointer(this.#block, STATUS);
    this.#handle = foreign.pointer(this.#block, HANDLE);
    this.#offset = foreign.pointer(this.#block, OFFSET);
    this.#info = foreign.pointer(this.#block, INFO);
    const base = foreign.address(this.#block);
    const { ObjectAttributes, UnicodeString } = nt;
    this.#view.setUint32(OBJECT + ObjectAttributes.length, ObjectAttributes.size, true);
    this.#view.setBigUint64(OBJECT + ObjectAttributes.name, base + BigInt(STRING), true);
    this.#view.setBigUint64(STRING + UnicodeString.buffer, base + BigInt(NAME), true);
  }

  #result(status: number): number {
    return status < 0 ? -errnoOfStatus(status) : 0;
  }

  /** What the status block tells beside success. */
  #information(): number {
    return this.#view.getUint32(STATUS + nt.StatusBlock.information, true);
  }

  #put(text: string, at: number): void {
    for (let i = 0; i < text.length; i++) {
      this.#view.setUint16(at + 2 * i, text.charCodeAt(i), true);
    }
  }

  /** NtCreateFile. Returns a handle or -errno; -LOOP for a reparse point that is not to be opened. */
  #create(
    root: number,
    name: string,
    access: number,
    disposition: number,
    options: number,
    attributes: number,
  ): number {
    const view = this.#view;
    const { ObjectAttributes, UnicodeString } = nt;
    this.#put(name, NAME);
    view.setUint16(STRING + UnicodeString.length, 2 * name.length, true);
    view.setUint16(STRING + UnicodeString.maximum, 2 * name.length, true);
    view.setUint32(OBJECT + ObjectAttributes.root, root, true);
    view.setUint32(OBJECT + ObjectAttributes.attributes, attributes, true);
    const status = this.#c.NtCreateFile!(
      this.#handle,
      access | nt.Access.SYNCHRONIZE,
      this.#object,
      this.#status,
      null,
      nt.FILE_ATTRIBUTE_NORMAL,
      nt.SHARE_ALL,
      disposition,
      options | nt.Options.SYNCHRONOUS_IO_NONALERT | nt.Options.OPEN_FOR_BACKUP_INTENT,
      null,
      0,
    );
    // handles have 32 bits that count, whatever the process
    return status < 0 ? this.#result(status) : view.getUint32(HANDLE, true);
  }

  /**
   * Opens or makes one name in a directory. A link is -LOOP, unless `options` open the link itself.
   */
  openIn(
    directory: number,
    name: string,
    access: number,
    disposition: number,
    options: number,
  ): number {
    const error = checkName(name, disposition !== nt.Disposition.OPEN);
    if (error < 0) return error;
    const itself = (options & nt.Options.OPEN_REPARSE_POINT) !== 0;
    const attributes = nt.OBJ_CASE_INSENSITIVE | (itself ? 0 : nt.OBJ_DONT_REPARSE);
    return this.#create(directory, name, access, disposition, options, attributes);
  }

  /** Opens what a handle has open once more, with other rights. */
  reopen(handle: number, access: number, options: number): number {
    const attributes = nt.OBJ_CASE_INSENSITIVE;
    return this.#create(handle, "", access, nt.Disposition.OPEN, options, attributes);
  }

  /** A second handle of what is open, also once it is deleted. */
  duplicate(handle: number): number {
    const { long } = this.#foreign;
    const status = this.#c.NtDuplicateObject!(
      long(nt.CURRENT_PROCESS),
      long(handle),
      long(nt.CURRENT_PROCESS),
      this.#handle,
      0,
      0,
      nt.DUPLICATE_SAME_ACCESS,
    );
    return status < 0 ? this.#result(status) : this.#view.getUint32(HANDLE, true);
  }

  /** Opens a directory by its whole path in NT's form, links followed. */
  openPath(path: string): number {
    if (path.length > NAME_UNITS) return -Errno.NAMETOOLONG;
    const access = nt.Access.READ_DATA | nt.Access.READ_ATTRIBUTES;
    const { OPEN } = nt.Disposition;
    return this.#create(
      0,
      path,
      access,
      OPEN,
      nt.Options.DIRECTORY_FILE,
      nt.OBJ_CASE_INSENSITIVE,
    );
  }

  /** Whether what was opened last had been there before. */
  get wasThere(): boolean {
    return this.#information() === nt.FILE_OPENED;
  }

  close(handle: number): void {
    this.#c.NtClose!(this.#foreign.long(handle));
  }

  #query(handle: number, kind: number, size: number): number {
    const h = this.#foreign.long(handle);
    const status = this.#c.NtQueryInformationFile!(h, this.#status, this.#info, size, kind);
    // a name that does not fit is not asked for
    return status >>> 0 === Status.BUFFER_OVERFLOW ? 0 : status;
  }

  #set(handle: number, kind: number, size: number): number {
    const h = this.#foreign.long(handle);
    return this.#c.NtSetInformationFile!(h, this.#status, this.#info, size, kind);
  }

  /** Fills `into`, but for the device; `details` too, if they are asked for. */
  stat(handle: number, into: FileStat, details?: Details): number {
    const status = this.#query(handle, nt.Info.All, nt.All.size);
    if (status < 0) return this.#result(status);
    const view = this.#view;
    const { All } = nt;
    const attributes = view.getUint32(INFO + All.attributes, true);
    const reparse = (attributes & nt.FILE_ATTRIBUTE_REPARSE_POINT) !== 0;
    const directory = (attributes & nt.FILE_ATTRIBUTE_DIRECTORY) !== 0 && !reparse;
    into.atim = timeOf(view.getBigInt64(INFO + All.atime, true));
    into.mtim = timeOf(view.getBigInt64(INFO + All.mtime, true));
    into.ctim = timeOf(view.getBigInt64(INFO + All.ctime, true));
    into.size = view.getBigUint64(INFO + All.end, true);
    into.nlink = BigInt(view.getUint32(INFO + All.links, true));
    into.ino = view.getBigUint64(INFO + All.index, true);
    into.filetype = directory ? Filetype.DIRECTORY : Filetype.REGULAR_FILE;
    if (details !== undefined) Object.assign(details, { directory, reparse, index: into.ino });
    return reparse ? this.#statReparse(handle, into) : 0;
  }

  #statReparse(handle: number, into: FileStat): number {
    const link = this.readlink(handle);
    into.filetype = typeof link === "string" ? Filetype.SYMBOLIC_LINK : Filetype.UNKNOWN;
    into.size = typeof link === "string" ? BigInt(new TextEncoder().encode(link).length) : 0n;
    return 0;
  }

  /** The serial number of the volume that holds what is open. */
  volume(handle: number): bigint {
    const h = this.#foreign.long(handle);
    const { NtQueryVolumeInformationFile } = this.#c;
    const status = NtQueryVolumeInformationFile!(h, this.#status, this.#info, INFO_SIZE, nt.VOLUME);
    const failed = status < 0 && status >>> 0 !== Status.BUFFER_OVERFLOW;
    return failed ? 0n : BigInt(this.#view.getUint32(INFO + nt.Volume.serial, true));
  }

  /** The path from the volume's root, with backslashes, or -errno. */
  pathOf(handle: number): string | number {
    const h = this.#foreign.long(handle);
    const name = this.#foreign.pointer(this.#block, NAME);
    const { NtQueryInformationFile } = this.#c;
    const status = NtQueryInformationFile!(h, this.#status, name, SIZE - NAME, nt.Info.Name);
    if (status < 0) return this.#result(status);
    const length = this.#view.getUint32(NAME, true);
    return utf16(this.#block, NAME + 4, length);
  }

  /** Sets times in nanoseconds; undefined leaves one as it is. */
  setTimes(handle: number, atim: bigint | undefined, mtim: bigint | undefined): number {
    const { Basic } = nt;
    this.#block.fill(0, INFO, INFO + Basic.size);
    const put = (at: number, time: bigint | undefined): void => {
      if (time !== undefined) this.#view.setBigInt64(INFO + at, filetimeOf(time), true);
    };
    put(Basic.atime, atim);
    put(Basic.mtime, mtim);
    return this.#result(this.#set(handle, nt.Info.Basic, Basic.size));
  }

  /** The size in bytes, or -errno. */
  sizeOf(handle: number): number {
    const status = this.#query(handle, nt.Info.All, nt.All.size);
    if (status < 0) return this.#result(status);
    return Number(this.#view.getBigUint64(INFO + nt.All.end, true));
  }

  setSize(handle: number, size: number): number {
    this.#view.setBigInt64(INFO, BigInt(size), true);
    return this.#result(this.#set(handle, nt.Info.EndOfFile, 8));
  }

  sync(handle: number): number {
    return this.#result(this.#c.NtFlushBuffersFile!(this.#foreign.long(handle), this.#status));
  }

  /** Where the handle itself stands, which a write that appends moves. */
  position(handle: number): number {
    const status = this.#query(handle, nt.Info.Position, 8);
    return status < 0 ? this.#result(status) : Number(this.#view.getBigInt64(INFO, true));
  }

  /** What a pipe has, or undefined for what is none; `open` is false once its other end is gone. */
  pipe(handle: number): { readable: number; writable: number; open: boolean } | undefined {
    const { Pipe } = nt;
    const status = this.#query(handle, nt.Info.PipeLocal, Pipe.size);
    if (status >>> 0 === Status.PIPE_BROKEN || status >>> 0 === Status.PIPE_CLOSING) {
      return { readable: 0, writable: 0, open: false };
    }
    if (status < 0) return undefined;
    return {
      readable: this.#view.getUint32(INFO + Pipe.readable, true),
      writable: this.#view.getUint32(INFO + Pipe.writable, true),
      open: this.#view.getUint32(INFO + Pipe.state, true) !== nt.PIPE_CLOSING,
    };
  }

  /** Deletes at once, whoever has it open; older file systems when everybody has closed it. */
  delete(handle: number): number {
    this.#view.setUint32(INFO, nt.DELETE_POSIX, true);
    const status = this.#set(handle, nt.Info.DispositionEx, 4);
    if (!isUnknown(status)) return this.#result(status);
    this.#view.setUint32(INFO, 1, true);
    return this.#result(this.#set(handle, nt.Info.Disposition, 1));
  }

  #putTarget(flags: number, directory: number, name: string): number {
    const { Rename } = nt;
    this.#block.fill(0, INFO, INFO + Rename.name);
    this.#view.setUint32(INFO + Rename.flags, flags, true);
    this.#view.setUint32(INFO + Rename.root, directory, true);
    this.#view.setUint32(INFO + Rename.length, 2 * name.length, true);
    this.#put(name, INFO + Rename.name);
    return Math.max(Rename.size, Rename.name + 2 * name.length);
  }

  /** Gives what is open another name, in place of a file that has it. */
  rename(handle: number, directory: number, name: string): number {
    const error = checkName(name, true);
    if (error < 0) return error;
    const flags = nt.RENAME_REPLACE | nt.RENAME_POSIX | nt.RENAME_IGNORE_READONLY;
    const size = this.#putTarget(flags, directory, name);
    const status = this.#set(handle, nt.Info.RenameEx, size);
    if (!isUnknown(status)) return this.#result(status);
    this.#putTarget(nt.RENAME_REPLACE, directory, name);
    return this.#result(this.#set(handle, nt.Info.Rename, size));
  }

  /** Gives what is open a further name. */
  link(handle: number, directory: number, name: string): number {
    const error = checkName(name, true);
    if (error < 0) return error;
    const size = this.#putTarget(0, directory, name);
    return this.#result(this.#set(handle, nt.Info.Link, size));
  }

  #control(handle: number, code: number, length: number): number {
    const buffer = this.#reparse ??= new Uint8Array(new ArrayBuffer(nt.REPARSE_DATA_MAX));
    const pointer = this.#foreign.pointer(buffer, 0);
    const sets = code === nt.FSCTL_SET_REPARSE_POINT;
    return this.#c.NtFsControlFile!(
      this.#foreign.long(handle),
      this.#none,
      null,
      null,
      this.#status,
      code,
      sets ? pointer : null,
      sets ? length : 0,
      sets ? null : pointer,
      sets ? 0 : buffer.length,
    );
  }

  /**
   * The target of a link, with slashes; -INVAL if it is none, -PERM for a reparse point of a kind
   * that is not known.
   */
  readlink(handle: number): string | number {
    const status = this.#control(handle, nt.FSCTL_GET_REPARSE_POINT, 0);
    return status < 0 ? this.#result(status) : linkOf(this.#reparse!, this.#information());
  }

  /** Makes what is open, and empty, a symbolic link. -PERM where none can be made. */
  makeLink(handle: number, target: string): number {
    this.#reparse ??= new Uint8Array(new ArrayBuffer(nt.REPARSE_DATA_MAX));
    const length = putLink(this.#reparse, target);
    if (length < 0) return length;
    const made = this.#privileged(() =>
      this.#result(this.#control(handle, nt.FSCTL_SET_REPARSE_POINT, length))
    );
    // what symlink(2) answers where a file system has no links
    return made === -Errno.NOTSUP ? -Errno.PERM : made;
  }

  /** Making links is a privilege that an administrator has, but not switched on. */
  #privileged(use: () => number): number {
    const { RtlAdjustPrivilege } = this.#c;
    const privilege = nt.SE_CREATE_SYMBOLIC_LINK_PRIVILEGE;
    const adjusted = RtlAdjustPrivilege!(privilege, 1, 0, this.#offset) >= 0;
    const before = this.#block[OFFSET]!;
    const result = use();
    if (adjusted && before === 0) RtlAdjustPrivilege!(privilege, 0, 0, this.#offset);
    return result;
  }

  /** Fills `into` with the next entries. Returns the count of bytes, 0 at the end, or -errno. */
  list(handle: number, into: Uint8Array): number {
    const status = this.#c.NtQueryDirectoryFile!(
      this.#foreign.long(handle),
      this.#none,
      null,
      null,
      this.#status,
      this.#foreign.pointer(into, 0),
      into.length,
      nt.DIRECTORY_ID_BOTH,
      0,
      null,
      0,
    );
    if (status >= 0) return this.#information();
    const over: readonly number[] = [
      Status.NO_MORE_FILES,
      Status.NO_SUCH_FILE,
      // removed while it was open: its list is at its end
      Status.DELETE_PENDING,
      Status.FILE_DELETED,
    ];
    return over.includes(status >>> 0) ? 0 : this.#result(status);
  }

  #putOffset(position: number): void {
    this.#view.setUint32(OFFSET, position, true);
    this.#view.setUint32(OFFSET + 4, position / 0x100000000, true);
  }

  read(handle: number, into: Uint8Array, at: number, length: number, position: number): number {
    this.#putOffset(position);
    const { pointer, long } = this.#foreign;
    const status = this.#c.NtReadFile!(
      long(handle),
      this.#none,
      null,
      null,
      this.#status,
      pointer(into, at),
      Math.min(length, TRANSFER_MAX),
      this.#offset,
      null,
    );
    if (status >= 0) return this.#information();
    return status >>> 0 === Status.END_OF_FILE ? 0 : this.#result(status);
  }

  /** Writes at a position, or at the end for -1. */
  write(handle: number, from: Uint8Array, at: number, length: number, position: number): number {
    if (position >= 0) this.#putOffset(position);
    else {
      const [low, high] = nt.WRITE_TO_END_OF_FILE;
      this.#view.setUint32(OFFSET, low, true);
      this.#view.setUint32(OFFSET + 4, high, true);
    }
    const { pointer, long } = this.#foreign;
    const status = this.#c.NtWriteFile!(
      long(handle),
      this.#none,
      null,
      null,
      this.#status,
      pointer(from, at),
      Math.min(length, TRANSFER_MAX),
      this.#offset,
      null,
    );
    return status >= 0 ? this.#information() : this.#result(status);
  }
}

/** Whether a file system or an older Windows does not know a way of asking. */
function isUnknown(status: number): boolean {
  const unknown: readonly number[] = [
    Status.NOT_IMPLEMENTED,
    Status.INVALID_INFO_CLASS,
    Status.INVALID_PARAMETER,
    Status.INVALID_DEVICE_REQUEST,
    Status.NOT_SUPPORTED,
  ];
  return unknown.includes(status >>> 0);
}

const decoder: TextDecoder = new TextDecoder("utf-16le");

/** Text out of UTF-16; halves of pairs that stand alone become U+FFFD. */
export function utf16(bytes: Uint8Array, at: number, length: number): string {
  return decoder.decode(bytes.subarray(at, at + length));
}
