/**
 * `path_*`: descriptors, rights and pointers. What is done with a path stands in system/paths.ts.
 *
 * @module
 */
import { Descriptor, knownRights, rightsOf } from "../system/descriptors.ts";
import * as paths from "../system/paths.ts";
import { badTimeFlags } from "../system/times.ts";
import { Errno, Fdflags, Filetype, Lookupflags, Oflags, Rights } from "./abi.ts";
import { WasiError } from "../errno.ts";
import { type Directory, Open } from "../host.ts";
import type { Preview1System } from "./system.ts";

function pathOf({ memory }: Preview1System, pointer: number, length: number): paths.Path {
  return paths.pathOf(memory.text(pointer, length));
}

/** The directory of a descriptor, or throws why there is none. */
function directoryOf(system: Preview1System, fd: number, right: number): Directory {
  return descriptorOf(system, fd, right).directory!;
}

function descriptorOf(system: Preview1System, fd: number, right: number): Descriptor {
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

export function path_create_directory(
  system: Preview1System,
  fd: number,
  path: number,
  path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_CREATE_DIRECTORY);
  return paths.createDirectory(directory, pathOf(system, path, path_len));
}

/** Fills `system.stat` from a path; an errno. */
export function statPath(
  system: Preview1System,
  fd: number,
  flags: number,
  path: number,
  path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_FILESTAT_GET);
  const follow = followOf(flags);
  return paths.statPath(directory, pathOf(system, path, path_len), follow, system.stat);
}

export function path_filestat_get(
  system: Preview1System,
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
  system: Preview1System,
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
  return paths.setPathTimes(
    directory,
    pathOf(system, path, path_len),
    follow,
    BigInt.asUintN(64, atim),
    BigInt.asUintN(64, mtim),
    fst_flags,
  );
}

export function path_link(
  system: Preview1System,
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
  return paths.linkPath(from, source, follow, to, target);
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
 * `fd_fdstat_set_rights` removes rights permanently.
 */
function handedOn(parent: Descriptor, base: number, inheriting: number): number {
  const isUseless = (base & Rights.PATH_OPEN) !== 0 &&
    (inheriting & (Rights.FD_READ | Rights.FD_WRITE)) === 0;
  return isUseless ? parent.rightsInheriting : inheriting;
}

/**
 * What an opened directory itself may do: what was asked for, and to truncate what it opens if it
 * hands on that right, which a guest could take by opening "." in it. Go's library opens its
 * directories so and truncates in them, as most hosts look at rights no more.
 */
function ownRights(base: number, inheriting: number): number {
  return (base & Rights.PATH_OPEN) === 0 ? base : base | inheriting & Rights.PATH_FILESTAT_SET_SIZE;
}

/**
 * What an opened file may do: what was asked for, and to be asked for its size if that may be set, which a
 * guest could do by opening it once more. Zig's library opens files so to write them.
 */
function fileRights(parent: Descriptor, base: number): number {
  if ((base & Rights.FD_FILESTAT_SET_SIZE) === 0) return base;
  return base | parent.rightsInheriting & Rights.FD_FILESTAT_GET;
}

export function path_open(
  system: Preview1System,
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
  const follow = followOf(dirflags);
  if (oflags > 15 || fdflags > 31) return Errno.INVAL;
  const base = knownRights(fs_rights_base);
  const inheriting = knownRights(fs_rights_inheriting);
  if (((base | inheriting | needed.inheriting) & ~parent.rightsInheriting) !== 0) {
    return Errno.NOTCAPABLE;
  }
  memory.check(opened_fd, 4);
  const parsed = pathOf(system, path, path_len);
  const flags = openFlags(oflags, base, follow);
  const handle = paths.openPath(parent.directory!, parsed, flags, fdflags, table);
  if (typeof handle === "number") return -handle;
  const isDirectory = handle.filetype === Filetype.DIRECTORY;
  const seekable = isDirectory || (handle as { seekable: boolean }).seekable;
  const own = isDirectory ? ownRights(base, inheriting) : fileRights(parent, base);
  const rights = own & rightsOf(handle.filetype, seekable);
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
  system: Preview1System,
  fd: number,
  path: number,
  path_len: number,
  buf: number,
  buf_len: number,
  bufused: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_READLINK);
  const { memory } = system;
  if (buf_len > 0) memory.check(buf, buf_len);
  memory.check(bufused, 4);
  const target = paths.readLink(directory, pathOf(system, path, path_len));
  if (typeof target === "number") return -target;
  const bytes = target.subarray(0, buf_len);
  if (bytes.length > 0) memory.set(buf, bytes);
  memory.setUint32(bufused, bytes.length);
  return 0;
}

export function path_remove_directory(
  system: Preview1System,
  fd: number,
  path: number,
  path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_REMOVE_DIRECTORY);
  return paths.removeDirectory(directory, pathOf(system, path, path_len));
}

export function path_rename(
  system: Preview1System,
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
  return paths.renamePath(from, source, to, target);
}

export function path_symlink(
  system: Preview1System,
  old_path: number,
  old_path_len: number,
  fd: number,
  new_path: number,
  new_path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_SYMLINK);
  const target = system.memory.text(old_path, old_path_len);
  paths.checkTarget(directory, target);
  return paths.makeLink(directory, target, pathOf(system, new_path, new_path_len));
}

export function path_unlink_file(
  system: Preview1System,
  fd: number,
  path: number,
  path_len: number,
): number {
  const directory = directoryOf(system, fd, Rights.PATH_UNLINK_FILE);
  return paths.unlinkFile(directory, pathOf(system, path, path_len));
}
