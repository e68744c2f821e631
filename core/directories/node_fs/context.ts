/**
 * What directories and files over `node:fs` share.
 *
 * @module
 */
import { Filetype } from "../../host.ts";
import { errnoOf } from "../../errno.ts";

/** A path as node:fs takes it; bytes are for names that are not UTF-8. */
export type NodePath = string | Uint8Array;

/** What node:fs says of a file, as far as it is asked. */
export interface BigStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly size: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

type Time = number | Date;
type InBytes = { readonly encoding: "buffer" };
type Exact = { readonly bigint: true };

/** The functions of node:fs that are called. */
export interface NodeFs {
  /** Flags of `openSync`; not every system has all. */
  readonly constants: Readonly<
    Record<
      | "O_RDONLY"
      | "O_WRONLY"
      | "O_RDWR"
      | "O_CREAT"
      | "O_EXCL"
      | "O_TRUNC"
      | "O_APPEND"
      | "O_DIRECTORY"
      | "O_NOFOLLOW"
      | "O_NOCTTY"
      | "O_NONBLOCK",
      number
    >
  >;
  closeSync(fd: number): void;
  fdatasyncSync(fd: number): void;
  fstatSync(fd: number, options: Exact): BigStats;
  fstatSync(fd: number): { readonly size: number };
  fsyncSync(fd: number): void;
  ftruncateSync(fd: number, size: number): void;
  futimesSync(fd: number, atime: Time, mtime: Time): void;
  linkSync(from: NodePath, to: NodePath): void;
  lstatSync(path: NodePath, options: Exact & { throwIfNoEntry: false }): BigStats | undefined;
  lstatSync(path: NodePath, options: Exact): BigStats;
  lutimesSync(path: NodePath, atime: Time, mtime: Time): void;
  mkdirSync(path: NodePath): unknown;
  openSync(path: NodePath, flags: number | "r", mode?: number): number;
  readFileSync(path: string, encoding: "utf8"): string;
  readSync(
    fd: number,
    into: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number;
  readdirSync(path: NodePath, options: InBytes): Uint8Array[];
  readdirSync(path: NodePath): string[];
  readlinkSync(path: NodePath, options: InBytes): Uint8Array;
  readlinkSync(path: NodePath): string;
  realpathSync(path: string): string;
  renameSync(from: NodePath, to: NodePath): void;
  rmdirSync(path: NodePath): void;
  statSync(path: NodePath, options: Exact): BigStats;
  symlinkSync(target: string, path: NodePath): void;
  unlinkSync(path: NodePath): void;
  writeSync(
    fd: number,
    from: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number;
}

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
