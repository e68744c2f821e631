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
 * Makes a file system in memory, to be given as a preopen. It has all a disk has: hard and
 * symbolic links, renaming and removing what is open, holes that take no memory, times and inode
 * numbers. Directories list what they hold in the order of making, and lie at most 500 deep.
 *
 * @param tree what is in it at first; default: nothing
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a value that is none of {@linkcode Tree}'s
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
