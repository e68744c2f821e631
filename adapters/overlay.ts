/**
 * A directory whose changes stay in memory: a guest may rename and delete as it likes, and what
 * lies beneath stays as it is until somebody says `commit()`.
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

/** What {@linkcode overlay} makes: all that a directory in memory can do, and what became of it. */
export interface OverlayDirectory extends MemoryDirectory {
  /** What differs from what lies beneath, each directory before what is in it. */
  changes(): OverlayChange[];
  /**
   * Makes the same changes beneath, then begins anew with none. Files that a guest has open should
   * be closed by then.
   *
   * Errors: an `Error` with POSIX's `code` for what cannot be done beneath, whose text names the
   * path; what was done by then stays done.
   */
  commit(): void;
  /** Forgets all changes. */
  discard(): void;
}

/**
 * Lays a directory in memory over another one: what is read comes from there, what is changed stays
 * here, by pages of 64 KiB. Without limits a guest can take as much memory as there is beneath, and
 * more; `limits.diskBytes` counts the pages that are copied as well as what it adds. Beneath, nothing
 * is opened for writing before `commit()`; meanwhile nobody else should change it. Devices, pipes and
 * sockets are shown and cannot be opened.
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
