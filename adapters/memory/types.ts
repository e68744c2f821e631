/**
 * What goes into a directory in memory, and what it can do.
 *
 * @module
 */
import type { Directory } from "../../core/host.ts";

/** A symbolic link of a {@linkcode Tree}. */
export class MemoryLink {
  /** Where it leads, as it stands; relative to the directory it is in. */
  readonly target: string;

  /** Makes a link; `target` may lead anywhere, but a guest cannot follow it out of its preopen. */
  constructor(target: string) {
    this.target = target;
  }
}

/** A file of a {@linkcode Tree} with attributes. */
export class MemoryFile {
  /** What is in it. */
  readonly content: Uint8Array;
  /** Permission bits, default 0o644. Nothing checks them; they go into archives. */
  readonly mode: number;
  /** When it was last changed, in nanoseconds since 1970; undefined for when the tree was made. */
  readonly mtime: bigint | undefined;

  /** Makes a file; text is kept as UTF-8. */
  constructor(
    content: string | Uint8Array,
    { mode = 0o644, mtime }: { mode?: number; mtime?: bigint } = {},
  ) {
    this.content = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.mode = mode;
    this.mtime = mtime;
  }
}

/**
 * Files as a plain object: text or bytes for a file, an object for a directory. A key may be a
 * path: `{ "a/b.txt": "x" }` is `{ a: { "b.txt": "x" } }`.
 */
export interface Tree {
  /** What stands at a name or path. */
  [path: string]: string | Uint8Array | MemoryFile | MemoryLink | Tree;
}

/** What {@linkcode MemoryDirectory.toObject} gives: bytes for files, objects for directories. */
export interface BytesTree {
  /** What stands at a name. */
  [name: string]: Uint8Array | MemoryLink | BytesTree;
}

/** One file, directory or link, as {@linkcode MemoryDirectory.entries} gives it. */
export interface MemoryEntry {
  /** relative to the directory, without a slash at its end */
  path: string;
  /** what it is */
  kind: "file" | "directory" | "link";
  /** the bytes of a file; empty for the others */
  content: Uint8Array;
  /** the target of a link; "" for the others */
  target: string;
  /** the inode number: names of one file have the same */
  ino: bigint;
  /** permission bits */
  mode: number;
  /** last change, in nanoseconds since 1970 */
  mtime: bigint;
}

/** A state to come back to; see {@linkcode MemoryDirectory.snapshot}. */
export interface MemorySnapshot {
  /** Only what has it is a snapshot. */
  readonly kind: "snapshot";
}

/**
 * A directory in memory. Guests use it through the methods of {@linkcode Directory}; the ones
 * here are for the embedder. Paths are relative, "/" between names; what fails throws an `Error`
 * whose `code` is POSIX's name, such as "ENOENT".
 */
export interface MemoryDirectory extends Directory {
  /** The bytes of a file, links followed: a copy. */
  bytes(path: string): Uint8Array<ArrayBuffer>;
  /** The same as text: UTF-8, with U+FFFD for what is none. */
  text(path: string): string;
  /** Whether there is anything at a path, a link's target not asked for. */
  has(path: string): boolean;
  /** Puts a file there, with the directories it needs; what it held before is gone. */
  write(path: string, content: string | Uint8Array | MemoryFile | MemoryLink): void;
  /** Gives a file a second name, as link(2) does; directories it needs must be there. */
  linkTo(existing: string, path: string): void;
  /** Makes a directory and those it lies in; one that is there already stays. */
  makeDirectory(path: string): void;
  /** Takes away a file, a link or a directory with all in it; nothing there is no error. */
  remove(path: string): void;
  /** The paths of all there is, in the order of making; those of directories end in "/". */
  paths(): IterableIterator<string>;
  /** All there is, in the same order, with content and attributes. */
  entries(): IterableIterator<MemoryEntry>;
  /** All there is, as a plain object. */
  toObject(): BytesTree;
  /** The state now. It costs little: contents are shared until they change. */
  snapshot(): MemorySnapshot;
  /**
   * Goes back to a state of this directory; files that are open meanwhile keep their content. An
   * overlay cannot go back to before `commit()`: an `Error` with the code "ESTALE".
   */
  restore(snapshot: MemorySnapshot): void;
}
