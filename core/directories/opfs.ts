/**
 * Directories of a browser's file system as preopens: of the origin's private one
 * (`navigator.storage.getDirectory()`), or one that the user has chosen (`showDirectoryPicker()`).
 *
 * A browser opens files only asynchronously, and a guest cannot wait for that. So everything is read
 * into memory first, and `flush()` writes back what guests changed.
 *
 * @module
 */
import { Errno, posixError } from "../errno.ts";
import { invalidType } from "../errors.ts";
import { isEscaped } from "../text.ts";
import { memory } from "./memory/mod.ts";
import { changesOf, commit, type OverlayChange } from "./overlay/commit.ts";
import { DirectoryNode, LinkNode, type Node } from "./memory/nodes.ts";
import { OverlayVolume } from "./overlay/overlay.ts";
import { TreeDirectory } from "./memory/tree.ts";
import { type MemoryDirectory, MemoryFile } from "./memory/types.ts";

/** What is used of a `FileSystemFileHandle`. */
export interface BrowserFileHandle {
  /** "file" */
  readonly kind: string;
  /** its name */
  readonly name: string;
  /** What is in it. */
  getFile(): Promise<Blob & { readonly lastModified: number }>;
  /** For writing; what is written is seen once it is closed. */
  createWritable?(): Promise<{
    /** Adds bytes. */
    write(data: Uint8Array<ArrayBuffer>): Promise<void>;
    /** Puts it in the file's place. */
    close(): Promise<void>;
  }>;
  /** The same where there is no `createWritable`, in workers alone. */
  createSyncAccessHandle?(): Promise<{
    /** Cuts it. */
    truncate(size: number): void;
    /** Writes bytes. */
    write(data: Uint8Array<ArrayBuffer>, options: { at: number }): number;
    /** Waits for the disk. */
    flush(): void;
    /** Lets others open it. */
    close(): void;
  }>;
}

/** What is used of a `FileSystemDirectoryHandle`. */
export interface BrowserDirectoryHandle {
  /** "directory" */
  readonly kind: string;
  /** its name */
  readonly name: string;
  /** What is in it. Optional, because TypeScript before 6 has it in "DOM.AsyncIterable" alone. */
  values?(): AsyncIterable<{ readonly kind: string; readonly name: string }>;
  /** A file in it. */
  getFileHandle(name: string, options?: { create?: boolean }): Promise<BrowserFileHandle>;
  /** A directory in it. */
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<BrowserDirectoryHandle>;
  /** Takes it away. */
  removeEntry(name: string, options?: { recursive?: boolean }): Promise<void>;
}

/** The result of {@linkcode opfs}: a directory in memory that can be written back. */
export interface OpfsDirectory extends MemoryDirectory {
  /** Changes that are not written back yet, each new directory before its contents. */
  changes(): OverlayChange[];
  /**
   * Writes back the changes. Call it while no guest has files open. Times and permissions are not
   * kept. Hard links become separate files, so more may be stored than `limits.diskBytes` allows;
   * `limits.files` limits how many names a guest creates. If it fails, the next `flush()` writes the
   * rest.
   *
   * Errors: an `Error` with the code "ENOTSUP" for links, with "EILSEQ" for names that are not
   * UTF-8, before anything is written; errors of the browser, such as a `DOMException` named
   * "QuotaExceededError".
   */
  flush(): Promise<void>;
}

/** One step of writing back: bytes for a file, null for a directory, undefined to take it away. */
type Step = [path: string, content: Uint8Array<ArrayBuffer> | null | undefined];

/** What files hold that are to be written, each read once, whatever its names. */
type Contents = Map<Node | number, Uint8Array<ArrayBuffer>>;

class StoredDirectory extends TreeDirectory implements OpfsDirectory {
  readonly #volume: OverlayVolume;
  readonly #handle: BrowserDirectoryHandle;
  #steps: Step[] = [];
  /** How many of them are done. */
  #stored = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(volume: OverlayVolume, handle: BrowserDirectoryHandle) {
    super(volume);
    this.#volume = volume;
    this.#handle = handle;
  }

  changes(): OverlayChange[] {
    return changesOf(this.#volume);
  }

  flush(): Promise<void> {
    const run = this.#flushing.then(() => this.#flush());
    this.#flushing = run.catch(() => {});
    return run;
  }

  async #flush(): Promise<void> {
    const removed: Step[] = [];
    const written: Step[] = [];
    const read: Contents = new Map();
    for (const { path, kind, from } of this.changes()) {
      if (path === ".") continue;
      if (kind === "removed") removed.push([path, undefined]);
      else this.#addSteps(path, from !== undefined, read, written);
    }
    for (const [path] of written) {
      if (isEscaped(path)) throw posixError(Errno.ILSEQ, `cannot store "${path}": not UTF-8`);
    }
    commit(this.#volume);
    this.#steps = [...this.#steps.slice(this.#stored), ...removed, ...written];
    for (this.#stored = 0; this.#stored < this.#steps.length; this.#stored++) {
      await this.#store(this.#steps[this.#stored]!);
      this.#steps[this.#stored] = [".", null]; // its bytes need not be kept
    }
    this.#steps = [];
    this.#stored = 0;
  }

  /** Adds how a file or directory is put where it is now; `whole`: with all that is in it. */
  #addSteps(path: string, whole: boolean, read: Contents, steps: Step[]): void {
    const node = this.at(path, false);
    if (node instanceof LinkNode) {
      throw posixError(Errno.NOTSUP, `cannot store "${path}": a browser has no links`);
    }
    if (!(node instanceof DirectoryNode)) {
      const content = read.get(node) ?? this.bytes(path);
      read.set(node, content);
      steps.push([path, content]);
      return;
    }
    steps.push([path, null]);
    if (!whole) return;
    this.volume.list(node);
    for (const { name } of node.entries()) this.#addSteps(`${path}/${name}`, true, read, steps);
  }

  async #store([path, content]: Step): Promise<void> {
    const names = path.split("/");
    const name = names.pop()!;
    let directory = this.#handle;
    try {
      for (const name of names) directory = await directory.getDirectoryHandle(name);
      if (content === undefined) await directory.removeEntry(name, { recursive: true });
    } catch (error) {
      if (content === undefined && (error as Error).name === "NotFoundError") return;
      throw error;
    }
    if (content === null) await directory.getDirectoryHandle(name, { create: true });
    else if (content !== undefined) {
      await put(await directory.getFileHandle(name, { create: true }), content);
    }
  }
}

/** Replaces what is in a file. */
async function put(file: BrowserFileHandle, content: Uint8Array<ArrayBuffer>): Promise<void> {
  if (file.createWritable !== undefined) {
    const stream = await file.createWritable();
    await stream.write(content);
    await stream.close();
    return;
  }
  if (file.createSyncAccessHandle === undefined) {
    throw posixError(
      Errno.NOTSUP,
      `cannot write "${file.name}": this browser can write files only in workers`,
    );
  }
  const access = await file.createSyncAccessHandle();
  try {
    access.truncate(0);
    for (let at = 0; at < content.length;) at += access.write(content.subarray(at), { at });
    access.flush();
  } finally {
    access.close();
  }
}

function isDirectoryHandle(value: unknown): value is BrowserDirectoryHandle {
  const handle = value as BrowserDirectoryHandle | null | undefined;
  return typeof handle?.values === "function" && handle.kind === "directory";
}

/** Reads a directory with all in it. */
async function read(
  handle: BrowserDirectoryHandle,
  path: string,
  into: MemoryDirectory,
): Promise<void> {
  const found: (BrowserFileHandle | BrowserDirectoryHandle)[] = [];
  for await (const entry of handle.values!()) {
    const { kind, name } = entry;
    const isKnown = kind === "file" || isDirectoryHandle(entry);
    if (!isKnown) throw invalidType(`handle["${path}${name}"]`, "a file or a directory", entry);
    found.push(entry as BrowserFileHandle | BrowserDirectoryHandle);
  }
  found.sort((one, other) => one.name < other.name ? -1 : 1);
  const contents = await Promise.all(found.map(async (entry) => {
    if (!("getFile" in entry)) return undefined;
    const file = await entry.getFile();
    return { bytes: new Uint8Array(await file.arrayBuffer()), time: file.lastModified };
  }));
  for (const [i, entry] of found.entries()) {
    const content = contents[i];
    if (content === undefined) {
      into.makeDirectory(path + entry.name);
      await read(entry as BrowserDirectoryHandle, `${path}${entry.name}/`, into);
    } else {
      const mtime = BigInt(content.time) * 1_000_000n;
      into.write(path + entry.name, new MemoryFile(content.bytes, { mtime }));
    }
  }
}

/**
 * Reads a directory of a browser's file system into memory, to be given as a preopen; `flush()`
 * writes back what has changed.
 *
 * @param handle the directory: `await navigator.storage.getDirectory()` or one in it, or what
 * `showDirectoryPicker({ mode: "readwrite" })` gives
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for anything else
 *
 * @example
 * ```ts ignore
 * import { opfs, run } from "@x/wasi/browser";
 *
 * const files = await opfs(await navigator.storage.getDirectory());
 * await run(fetch("tool.wasm"), { args: ["tool", "write", "a", "x"], preopens: { "/": files } });
 * await files.flush();
 * ```
 */
export async function opfs(handle: BrowserDirectoryHandle): Promise<OpfsDirectory> {
  if (!isDirectoryHandle(handle)) {
    throw invalidType("handle", "an instance of FileSystemDirectoryHandle", handle);
  }
  const lower = memory();
  await read(handle, "", lower);
  return new StoredDirectory(new OverlayVolume(lower), handle);
}
