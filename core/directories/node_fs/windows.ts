/**
 * What node:fs answers on Windows, made into what it answers elsewhere: the same guest gets the same
 * errno, and a rename replaces what POSIX lets it replace.
 *
 * The answers are those of Node, Deno and Bun, which agree on few of them: unlink(2) of a directory
 * is PERM, or removes it; rmdir(2) of a file is NOENT; a directory is renamed onto a file, and not
 * onto an empty directory. So what is there is looked at first.
 *
 * @module
 */
import { Filetype } from "../../host.ts";
import { Errno, WasiError } from "../../errno.ts";
import { isTarget } from "../nt/links.ts";
import { type BigStats, filetypeOf, type NodeFs, type NodePath } from "./context.ts";

function look(fs: NodeFs, path: NodePath): BigStats | undefined {
  return fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function isDirectory(stats: BigStats): boolean {
  return filetypeOf(stats) === Filetype.DIRECTORY;
}

function lookAt(fs: NodeFs, path: NodePath): BigStats {
  const stats = look(fs, path);
  if (stats === undefined) throw new WasiError(Errno.NOENT);
  return stats;
}

/** rmdir(2). */
export function removeDirectory(fs: NodeFs, path: NodePath): void {
  if (!isDirectory(lookAt(fs, path))) throw new WasiError(Errno.NOTDIR);
  fs.rmdirSync(path);
}

/** unlink(2). */
export function removeFile(fs: NodeFs, path: NodePath): void {
  if (isDirectory(lookAt(fs, path))) throw new WasiError(Errno.ISDIR);
  fs.unlinkSync(path);
}

/** Whether two paths of node:fs differ in nothing but the case of their letters. */
function sameButCase(one: NodePath, other: NodePath): boolean {
  return String(one).toLowerCase() === String(other).toLowerCase();
}

/**
 * rename(2). `isInside` tells whether the target's directory is a directory, or in it: nothing can be
 * moved into itself.
 */
export function rename(
  fs: NodeFs,
  from: NodePath,
  to: NodePath,
  isInside: (directory: BigStats) => boolean,
): void {
  const moved = lookAt(fs, from);
  if (isDirectory(moved) && isInside(moved)) throw new WasiError(Errno.INVAL);
  const there = look(fs, to);
  if (there === undefined) return fs.renameSync(from, to);
  if (there.dev === moved.dev && there.ino === moved.ino) {
    // two names of one file both stay, as POSIX has it; a name is given capitals
    if (sameButCase(from, to)) fs.renameSync(from, to);
    return;
  }
  if (isDirectory(there) !== isDirectory(moved)) {
    throw new WasiError(isDirectory(there) ? Errno.ISDIR : Errno.NOTDIR);
  }
  if (!isDirectory(there)) return fs.renameSync(from, to);
  fs.rmdirSync(to);
  try {
    fs.renameSync(from, to);
  } catch (error) {
    fs.mkdirSync(to);
    throw error;
  }
}

/**
 * symlink(2). Some file systems, and Wine, say that a link was made and make none: no guest is to
 * believe that. The answer is Linux's for a file system that has no links.
 */
export function makeLink(fs: NodeFs, target: string, place: NodePath): void {
  if (target === "") throw new WasiError(Errno.NOENT);
  if (look(fs, place) !== undefined) throw new WasiError(Errno.EXIST);
  if (!isTarget(target)) throw new WasiError(Errno.INVAL);
  fs.symlinkSync(target, place);
  const made = look(fs, place);
  if (made === undefined || filetypeOf(made) !== Filetype.SYMBOLIC_LINK) {
    throw new WasiError(Errno.PERM);
  }
}

/**
 * The text of a link as a guest is to read it: with slashes. One that begins at a drive, a share or
 * a device is absolute, whatever the guest makes of its letters.
 */
export function linkText(target: string): string {
  const text = target.replaceAll("\\", "/");
  return /^[a-z]:/i.test(text) ? `/${text}` : text;
}

/** What is known of a device or pipe that node:fs cannot describe. */
function described(mode: bigint): BigStats {
  const zero = {
    dev: 0n,
    ino: 0n,
    size: 0n,
    atimeNs: 0n,
    mtimeNs: 0n,
    ctimeNs: 0n,
  };
  return { ...zero, mode, nlink: 1n } as BigStats;
}

const DEVICE = described(0o020666n);
const PIPE = described(0o010666n);

/**
 * fstat(2). Deno describes files alone: of the null device it says EINVAL, of a pipe EISDIR, which
 * stands for "incorrect function".
 */
export function describeDescriptor(fs: NodeFs, fd: number): BigStats {
  try {
    return fs.fstatSync(fd, { bigint: true });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "EINVAL") return DEVICE;
    if (code === "EISDIR") return PIPE;
    throw error;
  }
}
