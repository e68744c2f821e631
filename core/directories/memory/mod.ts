/**
 * A file system in memory: give it to a guest as a preopen, read it back afterwards.
 *
 * @example
 * ```ts
 * import { memory } from "@x/wasi/memory";
 *
 * const files = memory({ "notes.txt": "hello", data: { "zeros.bin": new Uint8Array(4) } });
 * files.write("data/more.txt", "more");
 * console.assert([...files.paths()].join() === "notes.txt,data/,data/zeros.bin,data/more.txt");
 * console.assert(files.text("notes.txt") === "hello");
 * ```
 *
 * @module
 */
import { TreeDirectory } from "./tree.ts";
import type { MemoryDirectory, Tree } from "./types.ts";
import { Volume } from "./volume.ts";

export type { FileStat } from "../../filestat.ts";
export type * from "../../host.ts";

export {
  type BytesTree,
  type MemoryDirectory,
  type MemoryEntry,
  MemoryFile,
  MemoryLink,
  type MemorySnapshot,
  type Tree,
} from "./types.ts";

/**
 * Makes a file system in memory, for use as a preopen. It has everything that a disk has: hard and
 * symbolic links, renaming and removing of open files, holes that take no memory, times and inode
 * numbers. Directories list their entries in the order of creation, and are at most 500 levels deep.
 *
 * @param tree its initial contents; default: nothing
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a value that a {@linkcode Tree} cannot contain
 *
 * @example
 * ```ts
 * import { memory, WASI } from "@x/wasi";
 *
 * const files = memory({ "in.txt": "data" });
 * const wasi = new WASI({ version: "preview1", preopens: { "/": files } });
 * // ... wasi.start(instance), then
 * console.assert(files.text("in.txt") === "data");
 * ```
 */
export function memory(tree: Tree = {}): MemoryDirectory {
  const directory = new TreeDirectory(new Volume());
  directory.fill(tree);
  return directory;
}
