/**
 * What goes into a directory in memory, and what it can do.
 *
 * @module
 */
import type { Directory } from "../../host.ts";
import { invalidType, invalidValue, outOfRange } from "../../errors.ts";
import { toRecord, validateObject } from "../../validate.ts";

/** Whether a value is a `Uint8Array`, of whatever realm: a test runner's, a frame's. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) &&
    (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === "Uint8Array";
}

/** The error for a value that is no content, with what makes one of it. */
export function invalidContent(name: string, expected: string, value: unknown): TypeError {
  const tag = Object.prototype.toString.call(value);
  const mend = ArrayBuffer.isView(value)
    ? ": new Uint8Array(view.buffer, view.byteOffset, view.byteLength)"
    : /^.object (Shared)?ArrayBuffer.$/.test(tag)
    ? ": new Uint8Array(buffer)"
    : toRecord(value);
  return invalidType(name, `${expected}${mend}`, value);
}

/** A symbolic link of a {@linkcode Tree}. */
export class MemoryLink {
  /** Where it leads, as it stands; relative to the directory it is in. */
  readonly target: string;

  /** Makes a link; `target` may lead anywhere, but a guest cannot follow it out of its preopen. */
  constructor(target: string) {
    if (typeof target !== "string") throw invalidType("target", "of type string", target);
    if (target.includes("\0")) throw invalidValue("target", "must have no NUL", target);
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

  /**
   * Makes a file; text is kept as UTF-8.
   *
   * Errors: `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` for anything else, such as an
   * `ArrayBuffer`: `new Uint8Array(buffer)`.
   */
  constructor(
    content: string | Uint8Array,
    options: { mode?: number; mtime?: bigint } = {},
  ) {
    validateObject(options, "options");
    const { mode = 0o644, mtime } = options;
    if (typeof content !== "string" && !isBytes(content)) {
      throw invalidContent("content", "text or a Uint8Array", content);
    }
    if (typeof mode !== "number") throw invalidType("options.mode", "of type number", mode);
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o177777) {
      throw outOfRange("options.mode", ">= 0 && <= 0o177777", mode);
    }
    if (mtime !== undefined && typeof mtime !== "bigint") {
      throw invalidType("options.mtime", "of type bigint", mtime);
    }
    this.content = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.mode = mode;
    this.mtime = mtime;
  }
}

/**
 * Files as a plain object: text or a `Uint8Array` for a file, an object for a directory. A key may
 * be a path: `{ "a/b.txt": "x" }` is `{ a: { "b.txt": "x" } }`.
 *
 * Anything else is refused by an error with its path: other views and buffers, because a
 * `Uint8Array` says what their bytes are; promises; a Map, of which `Object.fromEntries(map)` makes
 * an object; instances of classes. The same array at several names is kept once, until one of the
 * files is changed, which `limits.diskBytes` counts then.
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
  /**
   * the bytes of a file, read when they are first asked for; empty for the others. An `Error` with
   * the code "EFBIG" for a file whose bytes do not fit into one array, as one of holes may be
   */
  readonly content: Uint8Array;
  /** size in bytes of a file, 0 for the others */
  size: number;
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
 * A directory in memory. Guests use it through the methods of {@linkcode Directory}; the methods
 * here are for the embedder. Paths are relative, with "/" between names. A method that fails throws an
 * `Error` with a POSIX `code` such as "ENOENT".
 */
export interface MemoryDirectory extends Directory {
  /**
   * A copy of the bytes of a file, links followed. "EFBIG" for a file that does not fit into one
   * array: without `limits.diskBytes` a guest can create a sparse file of terabytes.
   */
  bytes(path: string): Uint8Array<ArrayBuffer>;
  /** The same as text: UTF-8, with U+FFFD for invalid bytes; "EFBIG" if it is too long for a string. */
  text(path: string): string;
  /** Whether a path exists; links are not followed. */
  has(path: string): boolean;
  /** Writes a file, and creates the directories it needs; replaces previous contents. */
  write(path: string, content: string | Uint8Array | MemoryFile | MemoryLink): void;
  /** Gives a file a second name, like link(2); the directories must exist. */
  linkTo(existing: string, path: string): void;
  /** Creates a directory and its parents; existing ones stay. */
  makeDirectory(path: string): void;
  /** Removes a file, a link or a directory with its contents; a missing path is not an error. */
  remove(path: string): void;
  /** All paths, in the order of creation; those of directories end in "/". */
  paths(): IterableIterator<string>;
  /** All entries in the same order, with content and attributes; hard links share their bytes. */
  entries(): IterableIterator<MemoryEntry>;
  /**
   * The whole tree as a plain object. Hard links share one array, so it is no larger than the files.
   * "EFBIG", with the path, for a file that does not fit: see `entries()`.
   */
  toObject(): BytesTree;
  /**
   * The current state. It is cheap: contents are shared until they change. What a guest changes later
   * is copied, which `limits.diskBytes` counts.
   */
  snapshot(): MemorySnapshot;
  /**
   * Restores a state of this directory; open files keep their content. An overlay cannot return to a
   * state before `commit()`: an `Error` with the code "ESTALE".
   */
  restore(snapshot: MemorySnapshot): void;
}
