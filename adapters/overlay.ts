/**
 * A directory whose changes stay in memory: a guest can rename and delete anything, and the directory
 * beneath does not change until you call `commit()`.
 *
 * @example
 * ```ts
 * import { memory } from "@x/wasi/memory";
 * import { overlay } from "@x/wasi/overlay";
 *
 * const lower = memory({ "a.txt": "a" });
 * const draft = overlay(lower);
 * draft.write("b.txt", "b");
 * draft.remove("a.txt");
 * console.assert(lower.text("a.txt") === "a");
 * console.assert(draft.changes().map(({ kind, path }) => `${kind} ${path}`).join() ===
 *   "removed a.txt,added b.txt");
 * draft.commit();
 * console.assert([...lower.paths()].join() === "b.txt");
 * ```
 *
 * @module
 */
import { type Directory, isDirectory } from "../core/host.ts";
import { invalidType } from "../core/errors.ts";
import { host } from "./host_directory.ts";
import type { OverlayChange } from "../core/directories/overlay/commit.ts";
import { layOver } from "../core/directories/overlay/layered.ts";
import type { MemoryDirectory } from "../core/directories/memory/types.ts";

export type { FileStat } from "../core/filestat.ts";
export type * from "../core/host.ts";

export type {
  BytesTree,
  MemoryDirectory,
  MemoryEntry,
  MemorySnapshot,
} from "../core/directories/memory/types.ts";
export { MemoryFile, MemoryLink } from "../core/directories/memory/types.ts";
export type { OverlayChange } from "../core/directories/overlay/commit.ts";

/** The result of {@linkcode overlay}: a directory in memory that can list and commit its changes. */
export interface OverlayDirectory extends MemoryDirectory {
  /** The differences from the directory beneath, each directory before its contents. */
  changes(): OverlayChange[];
  /**
   * Makes the same changes in the directory beneath, and starts again without changes. Close files
   * that a guest has open before.
   *
   * Errors: an `Error` with a POSIX `code` for a change that fails beneath; its message names the
   * path. Changes made before stay.
   */
  commit(): void;
  /** Discards all changes. */
  discard(): void;
}

/**
 * Makes an overlay of a directory: reads come from that directory, changes stay in memory, in pages
 * of 64 KiB. Without limits a guest can use as much memory as the directory has data, and more;
 * `limits.diskBytes` counts the copied pages as well as what it adds. Nothing beneath is opened for
 * writing before `commit()`; do not change it otherwise meanwhile. Devices, pipes and sockets are
 * listed but cannot be opened.
 *
 * @param lower a path of the host, a file: URL, or any directory
 * @throws {Error} with POSIX's `code` if the path cannot be opened
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for anything else
 *
 * @example
 * ```ts
 * import { memory, overlay, WASI } from "@x/wasi";
 *
 * const project = overlay(memory({ "main.c": "int main() {}" }));
 * const wasi = new WASI({ version: "preview1", preopens: { "/": project } });
 * // ... wasi.start(instance), then
 * for (const { kind, path } of project.changes()) console.log(kind, path);
 * ```
 */
export function overlay(lower: string | URL | Directory): OverlayDirectory {
  const owned = typeof lower === "string" || lower instanceof URL ? host(lower) : undefined;
  const directory = owned ?? lower;
  if (!isDirectory(directory)) {
    throw invalidType("lower", "of type string, or an instance of URL or Directory", lower);
  }
  return layOver(directory, owned);
}
