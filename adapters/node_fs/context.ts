/**
 * What directories and files over `node:fs` share.
 *
 * @module
 */
import { Filetype } from "../../core/host.ts";
import { errnoOf } from "../../core/errno.ts";

/** The module `node:fs`. */
export type NodeFs = typeof import("node:fs");

/** What node:fs says of a file. */
export type BigStats = import("node:fs").BigIntStats;

/** A path as node:fs takes it. */
export type NodePath = string | Buffer;

export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;

/** What the directories of one host share. */
export interface NodeContext {
  readonly fs: NodeFs;
  /**
   * Whether `/proc/self/fd` can be used. With it a directory is a handle and paths are walked on
   * handles; without it a directory is a path that is checked.
   */
  readonly proc: boolean;
  /** Whether the host has Windows' names: backslashes, colons and devices lead elsewhere. */
  readonly windows: boolean;
  /** Whether names that are not UTF-8 can be given as bytes. */
  readonly byteNames: boolean;
  /**
   * Whether node:fs has Deno's ways: unlink(2) removes an empty directory, a file is made or cut
   * only when opened for writing, and not cut while it appends.
   */
  readonly deno: boolean;
  isatty(fd: number): boolean;
}

/** Calls `use` and gives what it gives, or -errno for what it throws. */
export function attempt<R>(use: () => R): R | number {
  try {
    return use();
  } catch (error) {
    return -errnoOf(error);
  }
}

/** The same for what gives nothing. */
export function done(use: () => void): number {
  try {
    use();
    return 0;
  } catch (error) {
    return -errnoOf(error);
  }
}

/** The kind of file that a mode tells. */
export function filetypeOf(stats: Pick<BigStats, "mode">): number {
  switch (Number(stats.mode) & 0o170000) {
    case 0o100000:
      return Filetype.REGULAR_FILE;
    case 0o040000:
      return Filetype.DIRECTORY;
    case 0o120000:
      return Filetype.SYMBOLIC_LINK;
    case 0o020000:
      return Filetype.CHARACTER_DEVICE;
    case 0o060000:
      return Filetype.BLOCK_DEVICE;
    case 0o140000:
      return Filetype.SOCKET_STREAM;
    default:
      return Filetype.UNKNOWN;
  }
}
