/**
 * A directory of the host as a value: what a path given as a preopen means, and read-only.
 *
 * @example
 * ```ts
 * import { host } from "@x/wasi/host";
 *
 * const data = host(".", { readOnly: true });
 * console.assert(data.mkdir("new") === -69); // Errno.ROFS
 * data.close();
 * ```
 *
 * @module
 */
import { ReadOnlyDirectory } from "../core/directories/read_only.ts";
import { WrappedDirectory } from "../core/directories/wrapped.ts";
import { errnoOf, posixError } from "../core/errno.ts";
import type { Confinement, Directory } from "../core/host.ts";
import { invalidType, invalidValue } from "../core/errors.ts";
import { pathOfURL, validateConfinement } from "../core/guest/options.ts";
import { validateBoolean, validateNames, validateObject } from "../core/validate.ts";
import { runtimeMaker } from "./runtime.ts";

export type { FileStat } from "../core/filestat.ts";

export type * from "../core/host.ts";

/** Options of {@linkcode host}. */
export interface HostDirectoryOptions {
  /** Whether every change returns ROFS. On Deno `--allow-read` is enough then. Default: false. */
  readOnly?: boolean;
  /** As {@linkcode WASIOptions.ffi}. Default: true. */
  ffi?: boolean;
  /** As {@linkcode WASIOptions.confinement}. Default: the strongest one available. */
  confinement?: Confinement;
}

/** A directory that can be closed, once. */
export interface HostDirectory extends Directory {
  /** Closes it; guests that use it as a preopen get BADF from then on. */
  close(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/** Closes directories that are no longer reachable. */
const abandoned: FinalizationRegistry<Directory> = new FinalizationRegistry((inner) =>
  inner.close()
);

/** The embedder's object: when it is collected, the handle is closed. */
class OpenDirectory extends WrappedDirectory implements HostDirectory {
  constructor(inner: Directory) {
    super(inner);
    abandoned.register(this, inner, this);
  }

  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  override close(): void {
    abandoned.unregister(this);
    this.#closed = true;
    this.inner.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a directory of the host, to be given as a preopen, to several guests if need be. It stays
 * open until `close()` is called or nobody holds it any more.
 *
 * @param path where it is, links followed, or a file: URL
 * @throws {Error} with POSIX's `code` ("ENOENT", "ENOTDIR", "EACCES") if it cannot be opened
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` and `ERR_INVALID_ARG_VALUE` for wrong parameters, and
 * if the confinement asked for is not available
 *
 * @example
 * ```ts
 * import { host, WASI } from "@x/wasi";
 *
 * const wasi = new WASI({
 *   version: "preview1",
 *   preopens: { "/src": host(".", { readOnly: true }) },
 * });
 * ```
 */
export function host(path: string | URL, options: HostDirectoryOptions = {}): HostDirectory {
  const place = path instanceof URL ? pathOfURL(path, "path") : path;
  if (typeof place !== "string") {
    throw invalidType("path", "of type string or an instance of URL", path);
  }
  if (place.includes("\0")) throw invalidValue("path", "must not have NUL in it", place);
  validateObject(options, "options");
  validateNames(options, ["readOnly", "ffi", "confinement"], "options");
  const { readOnly = false, ffi = true, confinement } = options;
  validateBoolean(readOnly, "options.readOnly");
  validateBoolean(ffi, "options.ffi");
  validateConfinement(confinement);
  const { fs, name } = runtimeMaker()({ ffi, confinement });
  if (confinement !== undefined && fs.confinement !== confinement) {
    throw invalidValue(
      "options.confinement",
      `is not available on ${name}: directories are confined by "${fs.confinement}" here`,
      confinement,
    );
  }
  let inner: Directory;
  try {
    inner = fs.directory(place);
  } catch (error) {
    const { message } = error as Error;
    throw posixError(errnoOf(error), `cannot open directory "${place}": ${message}`);
  }
  return new OpenDirectory(readOnly ? new ReadOnlyDirectory(inner) : inner);
}
