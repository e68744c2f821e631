/**
 * What a path means, and what is done with one, whatever interface it came through.
 *
 * What a path may be is decided here, once: NUL is INVAL, an absolute path PERM (a guest has
 * directories, no root), an empty one NOENT. A trailing slash or "/." is taken off; it means "a
 * directory, and links are followed", whatever the flags say. What makes, removes or moves a name
 * refuses ".", ".." and "/." at its end: they name a directory from inside.
 *
 * Functions here return an errno, or throw one as a `WasiError`.
 *
 * @module
 */
import { Errno, WasiError } from "../errno.ts";
import { FileStat } from "../filestat.ts";
import { type Directory, type File, Filetype, Open } from "../host.ts";
import { encode, isEscaped } from "../text.ts";
import type { DescriptorTable } from "./descriptors.ts";

/** A path as a directory takes it. */
export interface Path {
  /** without trailing slashes */
  readonly text: string;
  /** whether only a directory will do */
  readonly directory: boolean;
  /** whether it ended in ".", "..", "/." or "/..": no name that can be made or removed */
  readonly dots: boolean;
}

/** For one look at a time, never kept. */
const stat: FileStat = new FileStat();

/** A path out of a guest's text. */
export function pathOf(given: string): Path {
  let text = given;
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
function refuseDots(directory: Directory, path: Path, errno: number): void {
  if (!path.dots) return;
  const error = directory.statAt(path.text, true, stat);
  if (error < 0) throw new WasiError(illegal(path.text, -error));
  throw new WasiError(stat.filetype === Filetype.DIRECTORY ? errno : Errno.NOTDIR);
}

/** NOTDIR unless there is a directory, not a link to one. */
function insistOnDirectory(directory: Directory, path: string): void {
  const error = directory.statAt(path, false, stat);
  if (error < 0) throw new WasiError(illegal(path, -error));
  if (stat.filetype !== Filetype.DIRECTORY) throw new WasiError(Errno.NOTDIR);
}

/** What becomes of making something that is no directory at a path that ends in a slash. */
function refuseSlash(directory: Directory, path: Path): void {
  if (!path.directory) return;
  const error = directory.statAt(path.text, false, stat);
  if (error < 0) throw new WasiError(-error);
  throw new WasiError(stat.filetype === Filetype.REGULAR_FILE ? Errno.NOTDIR : Errno.EXIST);
}

/** Makes a directory. */
export function createDirectory(directory: Directory, path: Path): number {
  refuseDots(directory, path, Errno.EXIST);
  refuseNewName(path.text);
  return -directory.mkdir(path.text);
}

/** Fills `into` with the attributes of what a path leads to. */
export function statPath(
  directory: Directory,
  path: Path,
  follow: boolean,
  into: FileStat,
): number {
  const error = directory.statAt(path.text, follow || path.directory, into);
  if (error < 0) return illegal(path.text, -error);
  return path.directory && into.filetype !== Filetype.DIRECTORY ? Errno.NOTDIR : 0;
}

/** Sets times; `flags` are `Fstflags`. */
export function setPathTimes(
  directory: Directory,
  path: Path,
  follow: boolean,
  atim: bigint,
  mtim: bigint,
  flags: number,
): number {
  if (path.directory) {
    const error = directory.statAt(path.text, true, stat);
    if (error < 0) return -error;
    if (stat.filetype !== Filetype.DIRECTORY) return Errno.NOTDIR;
  }
  const error = directory.setTimesAt(path.text, follow || path.directory, atim, mtim, flags);
  return illegal(path.text, -error);
}

/** A link to a link's target is INVAL, as in wasmtime: linkat(2) follows where nothing confines. */
export function linkPath(
  from: Directory,
  source: Path,
  follow: boolean,
  to: Directory,
  target: Path,
): number {
  refuseDots(from, source, Errno.PERM);
  if (source.directory) insistOnDirectory(from, source.text);
  if (follow) {
    const error = from.statAt(source.text, false, stat);
    if (error < 0) return illegal(source.text, -error);
    if (stat.filetype === Filetype.SYMBOLIC_LINK) return Errno.INVAL;
  }
  refuseDots(to, target, Errno.EXIST);
  refuseSlash(to, target);
  refuseNewName(target.text);
  if (to.readOnly) return Errno.ROFS;
  return illegal(source.text, -from.link(source.text, to, target.text));
}

/**
 * Opens a file or directory that goes into `table`; `flags` are those of `Open`, `fdflags` the
 * specification's. Returns what is open, or -errno: -MFILE if the table is full.
 */
export function openPath(
  directory: Directory,
  path: Path,
  flags: number,
  fdflags: number,
  table: Pick<DescriptorTable, "full">,
): File | Directory | number {
  if (path.directory) flags |= Open.FOLLOW;
  if ((flags & Open.CREAT) !== 0) {
    // Linux says ISDIR of "name/", and since 6.4 INVAL of both flags, as wasmtime does
    refuseDots(directory, path, Errno.ISDIR);
    if (path.directory) return -Errno.ISDIR;
    if ((flags & Open.DIRECTORY) !== 0) return -Errno.INVAL;
    if (isEscaped(lastOf(path.text))) {
      const error = directory.statAt(path.text, false, stat);
      if (error < 0) return -illegal(path.text, -error);
      if ((flags & Open.EXCL) !== 0) return -Errno.EXIST;
      flags &= ~Open.CREAT;
    }
  }
  if (path.directory) flags |= Open.DIRECTORY;
  if (table.full) return -Errno.MFILE;
  const handle = directory.open(path.text, flags, fdflags);
  return typeof handle === "number" ? -illegal(path.text, -handle) : handle;
}

/** The target of a link as bytes, or -errno. */
export function readLink(directory: Directory, path: Path): Uint8Array | number {
  if (path.directory || path.dots) {
    const error = directory.statAt(path.text, true, stat);
    if (error < 0) return -illegal(path.text, -error);
    return stat.filetype === Filetype.DIRECTORY ? -Errno.INVAL : -Errno.NOTDIR;
  }
  const target = directory.readlink(path.text);
  return typeof target === "number" ? -illegal(path.text, -target) : encode(target);
}

/** Removes an empty directory. */
export function removeDirectory(directory: Directory, path: Path): number {
  const { text } = path;
  refuseDots(directory, path, lastOf(text) === ".." ? Errno.NOTEMPTY : Errno.INVAL);
  return illegal(text, -directory.rmdir(text));
}

/** Gives a file or directory another name. */
export function renamePath(from: Directory, source: Path, to: Directory, target: Path): number {
  refuseDots(from, source, Errno.BUSY);
  refuseDots(to, target, Errno.BUSY);
  if (source.directory || target.directory) insistOnDirectory(from, source.text);
  refuseNewName(target.text);
  if (to.readOnly) return Errno.ROFS;
  return illegal(source.text, -from.rename(source.text, to, target.text));
}

/**
 * What a symbolic link may hold: a text that is not empty and has no NUL. An absolute target is
 * PERM, as in wasmtime, where it could only lead outside. Throws.
 */
export function checkTarget(directory: Directory, target: string): void {
  if (target.length === 0) throw new WasiError(Errno.NOENT);
  if (target.includes("\0")) throw new WasiError(Errno.INVAL);
  if (target.startsWith("/") && !directory.isHostRoot) throw new WasiError(Errno.PERM);
  if (isEscaped(target)) throw new WasiError(Errno.ILSEQ);
}

/** Makes a symbolic link to a target that has been checked. */
export function makeLink(directory: Directory, target: string, path: Path): number {
  refuseDots(directory, path, Errno.EXIST);
  refuseSlash(directory, path);
  refuseNewName(path.text);
  return -directory.symlink(target, path.text);
}

/** Removes what is no directory. */
export function unlinkFile(directory: Directory, path: Path): number {
  refuseDots(directory, path, Errno.ISDIR);
  if (path.directory) {
    insistOnDirectory(directory, path.text);
    return Errno.ISDIR;
  }
  return illegal(path.text, -directory.unlink(path.text));
}
