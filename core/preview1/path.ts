/**
 * `path_*`.
 *
 * What a path may be is decided here, once: NUL is INVAL, an absolute path PERM (a guest has
 * directories, no root), an empty one NOENT. A trailing slash or "/." is taken off; it means "a
 * directory, and links are followed", whatever the flags say. What makes, removes or moves a name
 * refuses ".", ".." and "/." at its end: they name a directory from inside.
 *
 * @module
 */
import { Errno, Fdflags, Filetype, Lookupflags, Oflags, Rights } from "./abi.ts";
import { Descriptor, knownRights, rightsOf } from "../system/descriptors.ts";
import { WasiError } from "../errno.ts";
import { type Directory, Open } from "../host.ts";
import type { System } from "../system/system.ts";
import { encode, isEscaped } from "../text.ts";
import { badTimeFlags } from "../system/times.ts";

/** A path as a directory takes it. */
interface Path {
  /** without trailing slashes */
  text: string;
  /** whether only a directory will do */
  directory: boolean;
  /** whether it ended in ".", "..", "/." or "/..": no name that can be made or removed */
  dots: boolean;
}

function pathOf(system: System, pointer: number, length: number): Path {
  let text = system.memory.text(pointer, length);
  if (text.length === 0) throw new WasiError(Errno.NOENT);
  if (text.charCodeAt(0) === 47 /* / */) throw new WasiError(Errno.PERM);
  if (text.includes("\0")) throw new WasiError(Errno.INVAL);
  let directory = false;
  let dots = false;
  for (;;) {
    const last = text.length - 1;
    if (text.charCodeAt(last) === 47) text = text.slice(0, last);
    else if (text.charCodeAt(last) === 46 /* . */ && text.endsWith("/.")) {
      text = text.slice(0, -2);
      dots = true;
    } else break;
    directory = true;
  }
  return { text, directory, dots: dots || /^\.\.?$/.test(lastOf(text)) };
}

/** The directory of a descriptor, or throws why there is none. */
function directoryOf(system: System, fd: number, right: number): Directory {
  return descriptorOf(system, fd, right).directory!;
}

function descriptorOf(system: System, fd: number, right: number): Descriptor {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) throw new WasiError(Errno.BADF);
  if (descriptor.directory === undefined) throw new WasiError(Errno.NOTDIR);
  if ((descriptor.rightsBase & right) !== right) throw new WasiError(Errno.NOTCAPABLE);
  return descriptor;
}

function followOf(flags: number): boolean {
  if (flags > Lookupflags.SYMLINK_FOLLOW) throw new WasiError(Errno.INVAL);
  return flags !== 0;
}

/** The text after the last slash. */
function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * A name that is not UTF-8 can be used, as the disk may hold it, but not made: then ILSEQ. The
 * same for a name that is not there, because it is the name that is wrong with it.
 */
function illegal(path: string, errno: number): number {
  return errno === Errno.NOENT && isEscaped(path) ? Errno.ILSEQ : errno;
}

function refuseNewName(path: string): void {
  if (isEscaped(lastOf(path))) throw new WasiError(Errno.ILSEQ);
}

/**
 * Keeps a path that ends in dots from being made, removed or moved. What is wrong with the path
 * itself comes first, so that nothing outside shows.
 */
function refuseDots(system: System, directory: Directory, path: Path, errno: number): void {
  if (!path.dots) return;
  const error = directory.statAt(path.text, true, system.stat);
  if (error < 0) throw new WasiError(illegal(path.text, -error));
  throw new WasiError(system.stat.filetype === Filetype.DIRECTORY ? errno : Errno.NOTDIR);
}

/** NOTDIR unless there is a directory, not a link to one. */
function insistOnDirectory(system: System, directory: Directory, path: string): void {
  const error = directory.statAt(path, false, system.stat);
  if (error < 0) throw new WasiError(illegal(path, -error));
  if (system.stat.filetype !== Filetype.DIRECTORY) throw new WasiError(Errno.NOTDIR);
}

/** What becomes of making something that is no directory at a path that ends in a slash. */
function refuseSlash(system: System, directory: Directory, path: Path): void {
  if (!path.directory) return;
  const error = directory.statAt(path.text, false, system.stat);
  if (error < 0) throw new WasiError(-error);
  throw new WasiError(
    system.stat.filetype === Filetype.REGULAR_FILE ? Errno.NOTDIR : Errno.EXIST,
  );
}

export function path_create_directory(
  system: System,
  fd: number,
  path: number,
  path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_CREATE_DIRECTORY);
  const parsed = pathOf(system, path, path_len);
  refuseDots(system, directory, parsed, Errno.EXIST);
  refuseNewName(parsed.text);
  return -directory.mkdir(parsed.text);
}

/** Fills `system.stat` from a path; an errno. */
export function statPath(
  system: System,
  fd: number,
  flags: number,
  path: number,
  path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_FILESTAT_GET);
  const follow = followOf(flags);
  const parsed = pathOf(system, path, path_len);
  const error = directory.statAt(parsed.text, follow || parsed.directory, system.stat);
  if (error < 0) return illegal(parsed.text, -error);
  if (parsed.directory && system.stat.filetype !== Filetype.DIRECTORY) return Errno.NOTDIR;
  return 0;
}

export function path_filestat_get(
  system: System,
  fd: number,
  flags: number,
  path: number,
  path_len: number,
  filestat: number,
): number {
  const errno = statPath(system, fd, flags, path, path_len);
  if (errno === 0) system.memory.set(filestat, system.stat.bytes);
  return errno;
}

export function path_filestat_set_times(
  system: System,
  fd: number,
  flags: number,
  path: number,
  path_len: number,
  atim: bigint,
  mtim: bigint,
  fst_flags: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_FILESTAT_SET_TIMES);
  const follow = followOf(flags);
  if (badTimeFlags(fst_flags)) return Errno.INVAL;
  const parsed = pathOf(system, path, path_len);
  if (parsed.directory) {
    const error = directory.statAt(parsed.text, true, system.stat);
    if (error < 0) return -error;
    if (system.stat.filetype !== Filetype.DIRECTORY) return Errno.NOTDIR;
  }
  const error = directory.setTimesAt(
    parsed.text,
    follow || parsed.directory,
    BigInt.asUintN(64, atim),
    BigInt.asUintN(64, mtim),
    fst_flags,
  );
  return illegal(parsed.text, -error);
}

/** A link to a link's target is INVAL, as in wasmtime: linkat(2) follows where nothing confines. */
export function path_link(
  system: System,
  old_fd: number,
  old_flags: number,
  old_path: number,
  old_path_len: number,
  new_fd: number,
  new_path: number,
  new_path_len: number,
): number {
  const from = directoryOf(system, old_fd, Rights.PATH_LINK_SOURCE);
  const to = directoryOf(system, new_fd, Rights.PATH_LINK_TARGET);
  const follow = followOf(old_flags);
  const source = pathOf(system, old_path, old_path_len);
  const target = pathOf(system, new_path, new_path_len);
  refuseDots(system, from, source, Errno.PERM);
  if (source.directory) insistOnDirectory(system, from, source.text);
  if (follow) {
    const error = from.statAt(source.text, false, system.stat);
    if (error < 0) return illegal(source.text, -error);
    if (system.stat.filetype === Filetype.SYMBOLIC_LINK) return Errno.INVAL;
  }
  refuseDots(system, to, target, Errno.EXIST);
  refuseSlash(system, to, target);
  refuseNewName(target.text);
  if (to.readOnly) return Errno.ROFS;
  return illegal(source.text, -from.link(source.text, to, target.text));
}

/** What a guest asks for in `path_open`, in a directory's words. */
function openFlags(oflags: number, rights: number, follow: boolean): number {
  const writing = Rights.FD_WRITE | Rights.FD_ALLOCATE | Rights.FD_FILESTAT_SET_SIZE;
  let flags = follow ? Open.FOLLOW : 0;
  if ((rights & (Rights.FD_READ | Rights.FD_READDIR)) !== 0) flags |= Open.READ;
  if ((rights & writing) !== 0) flags |= Open.WRITE;
  if ((oflags & Oflags.CREAT) !== 0) flags |= Open.CREAT;
  // without CREAT it means nothing (open(2)), and Deno would make the file
  if ((flags & Open.CREAT) !== 0 && (oflags & Oflags.EXCL) !== 0) flags |= Open.EXCL;
  if ((oflags & Oflags.TRUNC) !== 0) flags |= Open.TRUNC;
  if ((oflags & Oflags.DIRECTORY) !== 0) flags |= Open.DIRECTORY;
  return flags;
}

/** Rights a directory must have itself, and hand on, for an open with these flags. */
function neededRights(oflags: number, fdflags: number): { base: number; inheriting: number } {
  let base: number = Rights.PATH_OPEN;
  let inheriting = 0;
  if ((oflags & Oflags.CREAT) !== 0) base |= Rights.PATH_CREATE_FILE;
  if ((oflags & Oflags.TRUNC) !== 0) base |= Rights.PATH_FILESTAT_SET_SIZE;
  if ((fdflags & Fdflags.DSYNC) !== 0) inheriting |= Rights.FD_DATASYNC;
  if ((fdflags & (Fdflags.RSYNC | Fdflags.SYNC)) !== 0) inheriting |= Rights.FD_SYNC;
  return { base, inheriting };
}

/**
 * What an opened directory hands on: what was asked for, within what its parent hands on. A directory
 * that may be opened from and would hand on neither reading nor writing hands on all that its parent
 * does. Zig's library asks so for each directory, as most hosts look at rights no more.
 * `fd_fdstat_set_rights` takes rights away for good.
 */
function handedOn(parent: Descriptor, base: number, inheriting: number): number {
  const isUseless = (base & Rights.PATH_OPEN) !== 0 &&
    (inheriting & (Rights.FD_READ | Rights.FD_WRITE)) === 0;
  return isUseless ? parent.rightsInheriting : inheriting;
}

export function path_open(
  system: System,
  fd: number,
  dirflags: number,
  path: number,
  path_len: number,
  oflags: number,
  fs_rights_base: bigint,
  fs_rights_inheriting: bigint,
  fdflags: number,
  opened_fd: number,
): number {
  const { table, memory } = system;
  const needed = neededRights(oflags, fdflags);
  const parent = descriptorOf(system, fd, needed.base);
  const directory = parent.directory!;
  const follow = followOf(dirflags);
  if (oflags > 15 || fdflags > 31) return Errno.INVAL;
  const base = knownRights(fs_rights_base);
  const inheriting = knownRights(fs_rights_inheriting);
  if (((base | inheriting | needed.inheriting) & ~parent.rightsInheriting) !== 0) {
    return Errno.NOTCAPABLE;
  }
  memory.check(opened_fd, 4);
  const parsed = pathOf(system, path, path_len);
  let flags = openFlags(oflags, base, follow || parsed.directory);
  if ((flags & Open.CREAT) !== 0) {
    // Linux says ISDIR of "name/", and since 6.4 INVAL of both flags, as wasmtime does
    refuseDots(system, directory, parsed, Errno.ISDIR);
    if (parsed.directory) return Errno.ISDIR;
    if ((flags & Open.DIRECTORY) !== 0) return Errno.INVAL;
    if (isEscaped(lastOf(parsed.text))) {
      const error = directory.statAt(parsed.text, false, system.stat);
      if (error < 0) return illegal(parsed.text, -error);
      if ((flags & Open.EXCL) !== 0) return Errno.EXIST;
      flags &= ~Open.CREAT;
    }
  }
  if (parsed.directory) flags |= Open.DIRECTORY;
  if (table.full) return Errno.MFILE;
  const handle = directory.open(parsed.text, flags, fdflags);
  if (typeof handle === "number") return illegal(parsed.text, -handle);
  const isDirectory = handle.filetype === Filetype.DIRECTORY;
  const seekable = isDirectory || (handle as { seekable: boolean }).seekable;
  const rights = base & rightsOf(handle.filetype, seekable);
  const number = table.insert(
    new Descriptor(handle, rights, isDirectory ? handedOn(parent, base, inheriting) : 0, {
      flags: fdflags,
      position: seekable ? 0 : -1,
    }),
  );
  memory.setUint32(opened_fd, number);
  return 0;
}

/** Gives as much of the target as fits, without a NUL. */
export function path_readlink(
  system: System,
  fd: number,
  path: number,
  path_len: number,
  buf: number,
  buf_len: number,
  bufused: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_READLINK);
  const { memory } = system;
  memory.check(buf, buf_len);
  memory.check(bufused, 4);
  const parsed = pathOf(system, path, path_len);
  if (parsed.directory || parsed.dots) {
    const error = directory.statAt(parsed.text, true, system.stat);
    if (error < 0) return illegal(parsed.text, -error);
    return system.stat.filetype === Filetype.DIRECTORY ? Errno.INVAL : Errno.NOTDIR;
  }
  const target = directory.readlink(parsed.text);
  if (typeof target === "number") return illegal(parsed.text, -target);
  const bytes = encode(target).subarray(0, buf_len);
  memory.set(buf, bytes);
  memory.setUint32(bufused, bytes.length);
  return 0;
}

export function path_remove_directory(
  system: System,
  fd: number,
  path: number,
  path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_REMOVE_DIRECTORY);
  const parsed = pathOf(system, path, path_len);
  const { text } = parsed;
  refuseDots(system, directory, parsed, lastOf(text) === ".." ? Errno.NOTEMPTY : Errno.INVAL);
  return illegal(text, -directory.rmdir(text));
}

export function path_rename(
  system: System,
  fd: number,
  old_path: number,
  old_path_len: number,
  new_fd: number,
  new_path: number,
  new_path_len: number,
): number {
  const from = directoryOf(system, fd, Rights.PATH_RENAME_SOURCE);
  const to = directoryOf(system, new_fd, Rights.PATH_RENAME_TARGET);
  const source = pathOf(system, old_path, old_path_len);
  const target = pathOf(system, new_path, new_path_len);
  refuseDots(system, from, source, Errno.BUSY);
  refuseDots(system, to, target, Errno.BUSY);
  if (source.directory || target.directory) insistOnDirectory(system, from, source.text);
  refuseNewName(target.text);
  if (to.readOnly) return Errno.ROFS;
  return illegal(source.text, -from.rename(source.text, to, target.text));
}

/** An absolute target is PERM, as in wasmtime, where it could only lead outside. */
export function path_symlink(
  system: System,
  old_path: number,
  old_path_len: number,
  fd: number,
  new_path: number,
  new_path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_SYMLINK);
  const target = system.memory.text(old_path, old_path_len);
  if (target.length === 0) return Errno.NOENT;
  if (target.includes("\0")) return Errno.INVAL;
  if (target.startsWith("/") && !directory.isHostRoot) return Errno.PERM;
  if (isEscaped(target)) return Errno.ILSEQ;
  const parsed = pathOf(system, new_path, new_path_len);
  refuseDots(system, directory, parsed, Errno.EXIST);
  refuseSlash(system, directory, parsed);
  refuseNewName(parsed.text);
  return -directory.symlink(target, parsed.text);
}

export function path_unlink_file(
  system: System,
  fd: number,
  path: number,
  path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_UNLINK_FILE);
  const parsed = pathOf(system, path, path_len);
  refuseDots(system, directory, parsed, Errno.ISDIR);
  if (parsed.directory) {
    insistOnDirectory(system, directory, parsed.text);
    return Errno.ISDIR;
  }
  return illegal(parsed.text, -directory.unlink(parsed.text));
}
