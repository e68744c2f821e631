/**
 * Directories in memory from tar archives, and tar archives from them.
 *
 * @example
 * ```ts
 * import { memory } from "@x/wasi/memory";
 * import { fromTar, toTar } from "@x/wasi/tar";
 *
 * const archive = await toTar(memory({ "a/b.txt": "hello" }));
 * const files = await fromTar(archive);
 * console.assert(files.text("a/b.txt") === "hello");
 * ```
 *
 * @module
 */
import type { TarEntry } from "modern-tar";
import { Errno, posixError } from "./core/errno.ts";
import { invalidType } from "./core/errors.ts";
import { isDirectory } from "./core/host.ts";
import { isEscaped } from "./core/text.ts";
import { isBytes } from "./core/directories/memory/types.ts";
import {
  memory,
  type MemoryDirectory,
  MemoryFile,
  MemoryLink,
} from "./core/directories/memory/mod.ts";

export type * from "./core/directories/memory/mod.ts";

/** The library: it has no form that a CommonJS module could require before Node 20.19. */
const library = (): Promise<typeof import("modern-tar")> => import("modern-tar");

/** The latest time a header can hold: 8 ** 11 - 1 seconds. */
const SECONDS_MAX = 8589934591n;

/** The latest time that a guest can be told. */
const TIME_MAX = 2n ** 64n - 1n;

/** A path of an archive as one of a directory: no slash or "." at its beginning. */
function pathOf(name: string): string {
  return name.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

/**
 * Nanoseconds, from the extended header if that is finer; undefined for what is no time. As late as
 * 64 bits can say.
 */
function timeOf(mtime: Date | undefined, exact: string | undefined): bigint | undefined {
  const parts = exact === undefined ? null : /^(\d{1,20})(?:\.(\d{0,9})\d*)?$/.exec(exact);
  const milliseconds = mtime?.getTime();
  let time: bigint;
  if (parts !== null) {
    time = BigInt(parts[1]!) * 1000000000n + BigInt((parts[2] ?? "").padEnd(9, "0"));
  } else if (Number.isInteger(milliseconds)) time = BigInt(milliseconds!) * 1000000n;
  else return undefined;
  return time > TIME_MAX ? TIME_MAX : time;
}

/** Takes away what is in the way of a file or link. */
function clear(files: MemoryDirectory, path: string): void {
  if (files.has(path)) files.remove(path);
}

/**
 * Makes a directory in memory from a tar archive (ustar, pax, GNU; not compressed: see
 * `DecompressionStream`). Files, directories, hard and symbolic links keep their times and permission
 * bits; other entries are skipped.
 *
 * @param archive the archive as bytes or as a stream
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for anything else
 * @throws {Error} "EPERM" for a path that leads out of the directory ("../x"), "ENAMETOOLONG" for one
 * that is too long for a disk; errors of the library `modern-tar` for invalid archives
 *
 * @example
 * ```ts
 * import { fromTar, toTar } from "@x/wasi/tar";
 * import { memory } from "@x/wasi/memory";
 *
 * const packed = new Blob([await toTar(memory({ a: "1" }))]).stream()
 *   .pipeThrough(new CompressionStream("gzip"));
 * const files = await fromTar(packed.pipeThrough(new DecompressionStream("gzip")));
 * console.assert(files.text("a") === "1");
 * ```
 */
export async function fromTar(
  archive: Uint8Array | ReadableStream<Uint8Array>,
): Promise<MemoryDirectory> {
  if (!isBytes(archive) && typeof (archive as ReadableStream | null)?.getReader !== "function") {
    throw invalidType("archive", "an instance of Uint8Array or ReadableStream", archive);
  }
  const { unpackTar } = await library();
  const files = memory();
  for (const { header, data } of await unpackTar(archive, { strict: true })) {
    const path = pathOf(header.name);
    if (path === "") continue;
    const slash = path.lastIndexOf("/");
    if (slash > 0) files.makeDirectory(path.slice(0, slash));
    switch (header.type ?? "file") {
      case "directory":
        files.makeDirectory(path);
        break;
      case "symlink":
        clear(files, path);
        files.write(path, new MemoryLink(header.linkname ?? ""));
        break;
      case "link":
        clear(files, path);
        files.linkTo(pathOf(header.linkname ?? ""), path);
        break;
      case "file": {
        clear(files, path);
        const mtime = timeOf(header.mtime, header.pax?.mtime);
        files.write(path, new MemoryFile(data ?? new Uint8Array(0), { mode: header.mode, mtime }));
      }
    }
  }
  return files;
}

/**
 * Packs a directory in memory, or an overlay as it shows itself, as a tar archive. The same tree
 * gives the same bytes: owners are 0, times are the files' own, in whole seconds. Further names of
 * a file are hard links to the first, so the archive is about as large as the files and their paths
 * are: each path is written in full, and a guest can make directories 500 deep.
 *
 * Names and the targets of links are as a guest has chosen them: a name may have backslashes, which
 * part it on Windows, and a link may lead anywhere. Unpack it on a disk with a tool that minds that.
 *
 * @param files the directory
 * @returns the archive's bytes
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for anything else
 * @throws {Error} "EILSEQ" for a name or target that is not UTF-8; "EFBIG" for a file, or files
 * together, that do not fit into one array
 *
 * @example
 * ```ts
 * import { memory } from "@x/wasi/memory";
 * import { toTar } from "@x/wasi/tar";
 *
 * const archive = await toTar(memory({ "a.txt": "hello" }));
 * console.assert(archive.length % 512 === 0);
 * ```
 */
export async function toTar(files: MemoryDirectory): Promise<Uint8Array<ArrayBuffer>> {
  if (!isDirectory(files) || typeof (files as MemoryDirectory).entries !== "function") {
    throw invalidType("files", "a directory that memory(), overlay() or fromTar() made", files);
  }
  const packed = new Map<bigint, string>();
  const entries: TarEntry[] = [];
  for (const entry of files.entries()) {
    const { path, kind, target, ino, mode, mtime } = entry;
    if (isEscaped(path) || isEscaped(target)) {
      throw posixError(Errno.ILSEQ, `cannot pack "${path}": not UTF-8`);
    }
    const seconds = mtime / 1000000000n;
    const header = {
      name: path,
      size: 0,
      mode,
      mtime: new Date(Number(seconds > SECONDS_MAX ? SECONDS_MAX : seconds) * 1000),
      uid: 0,
      gid: 0,
    };
    const first = kind === "file" ? packed.get(ino) : undefined;
    if (kind === "directory") {
      entries.push({ header: { ...header, name: `${path}/`, type: "directory" } });
    } else if (kind === "link") {
      entries.push({ header: { ...header, type: "symlink", linkname: target } });
    } else if (first !== undefined) {
      entries.push({ header: { ...header, type: "link", linkname: first } });
    } else {
      packed.set(ino, path);
      const { content } = entry;
      entries.push({ header: { ...header, type: "file", size: content.length }, body: content });
    }
  }
  const { packTar } = await library();
  try {
    return await packTar(entries);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw posixError(Errno.FBIG, "cannot pack: the files together do not fit into an array");
  }
}
