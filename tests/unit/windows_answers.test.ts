/**
 * Directories over node:fs where that answers as it does on Windows: the real one there, and
 * elsewhere one that answers alike.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { nodeContext } from "../../adapters/node/host.ts";
import type { NodeContext, NodeFs } from "../../core/directories/node_fs/context.ts";
import { openDirectory } from "../../core/directories/node_fs/directory.ts";
import { openStream } from "../../core/directories/node_fs/file.ts";
import { Errno, errnoOf } from "../../core/errno.ts";
import { FileStat } from "../../core/filestat.ts";
import { type Directory, type File, Filetype, Open } from "../../core/host.ts";
import { contract } from "../contract/suite.ts";
import { runtime, scratch, windows } from "../support/harness.ts";
import { here } from "../support/system.ts";

const folder = scratch("windows");

/** Throws as node:fs does. */
function fail(code: string): never {
  throw Object.assign(new Error(`${code}: as on Windows`), { code });
}

function kind(file: fs.PathLike): "none" | "directory" | "other" {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "none" : stats.isDirectory() ? "directory" : "other";
}

/** Calls the real function; a name that is too long is none, nor is one with control characters. */
function real<T>(file: string, use: () => T): T {
  if (/\p{Cc}/u.test(file)) fail("ENOENT");
  try {
    return use();
  } catch (error) {
    if ((error as { code?: string }).code === "ENAMETOOLONG") fail("ENOENT");
    throw error;
  }
}

/** What was opened for reading alone. */
const readers = new Set<number>();

/** node:fs with Windows' answers, as they were seen on Node's, Deno's and Bun's own builds. */
const answers: Partial<Record<keyof NodeFs, unknown>> = {
  unlinkSync(file: string) {
    // Deno removes an empty directory
    if (kind(file) === "directory") return runtime === "deno" ? fs.rmdirSync(file) : fail("EPERM");
    fs.unlinkSync(file);
  },
  rmdirSync(file: string) {
    if (kind(file) === "other") fail("ENOENT");
    fs.rmdirSync(file);
  },
  renameSync(from: string, to: string) {
    if (to.startsWith(`${from}/`)) fail("ENOENT");
    if (kind(to) === "directory") fail("EPERM");
    if (kind(from) === "directory" && kind(to) === "other") fs.unlinkSync(to);
    fs.renameSync(from, to);
  },
  openSync(file: string, flags: number, mode?: number) {
    const fd = real(file, () => fs.openSync(file, flags, mode));
    if ((flags & 3) === 0) readers.add(fd);
    else readers.delete(fd);
    return fd;
  },
  closeSync(fd: number) {
    readers.delete(fd);
    fs.closeSync(fd);
  },
  lstatSync: (file: string, options: object) => real(file, () => fs.lstatSync(file, options)),
  mkdirSync: (file: string) => real(file, () => fs.mkdirSync(file)),
  fsyncSync: (fd: number) => readers.has(fd) ? fail("EPERM") : fs.fsyncSync(fd),
  fdatasyncSync: (fd: number) => readers.has(fd) ? fail("EPERM") : fs.fdatasyncSync(fd),
  readlinkSync: (file: string) => fs.readlinkSync(file).replaceAll("/", "\\"),
};

/** A context over node:fs with other functions. */
function contextOf(functions: Partial<Record<keyof NodeFs, unknown>>): NodeContext {
  const context = nodeContext({ byteNames: false, deno: runtime === "deno" });
  const known = windows ? {} : answers;
  return {
    ...context,
    fs: { ...context.fs, ...known, ...functions } as NodeFs,
    proc: false,
    windows: true,
  };
}

const context = contextOf({});
const make = (from: NodeContext = context): Directory =>
  openDirectory(from, fs.mkdtempSync(path.join(folder, "d-")));

contract("checked, as on Windows", {
  make,
  pinned: false,
  system: { ...here, anyName: false, nameUnits: 16 },
});

contract("checked, as where links are said to be made", {
  make: () => make(contextOf({ symlinkSync: () => {} })),
  pinned: false,
  system: { ...here, anyName: false, nameUnits: 16, linkError: Errno.PERM },
});

/** An empty folder, and a directory over it. */
function fresh(from: NodeContext = context): { place: string; directory: Directory } {
  const place = fs.mkdtempSync(path.join(folder, "d-"));
  return { place, directory: openDirectory(from, place) };
}

test("a directory takes the place of an empty one, and what is in it comes along", () => {
  const { place, directory } = fresh();
  for (const name of ["from", "to", "full"]) fs.mkdirSync(path.join(place, name));
  fs.writeFileSync(path.join(place, "from", "file"), "text");
  fs.writeFileSync(path.join(place, "full", "file"), "other");
  assert.equal(directory.rename("from", directory, "full"), -Errno.NOTEMPTY);
  assert.equal(directory.rename("from", directory, "to"), 0);
  assert.deepEqual(fs.readdirSync(place).sort(), ["full", "to"]);
  assert.equal(fs.readFileSync(path.join(place, "to", "file"), "utf8"), "text");
  assert.equal(fs.readFileSync(path.join(place, "full", "file"), "utf8"), "other");
  directory.close();
});

test("a directory never takes a file's place, nor a file a directory's", () => {
  const { place, directory } = fresh();
  fs.mkdirSync(path.join(place, "directory"));
  fs.writeFileSync(path.join(place, "file"), "text");
  assert.equal(directory.rename("directory", directory, "file"), -Errno.NOTDIR);
  assert.equal(directory.rename("file", directory, "directory"), -Errno.ISDIR);
  assert.equal(directory.rename("directory", directory, "directory/in"), -Errno.INVAL);
  assert.deepEqual(fs.readdirSync(place).sort(), ["directory", "file"]);
  assert.equal(fs.readFileSync(path.join(place, "file"), "utf8"), "text");
  directory.close();
});

test("an empty directory is put back if nothing can take its place", () => {
  const refusing = contextOf({ renameSync: () => fail("EBUSY") });
  const { place, directory } = fresh(refusing);
  for (const name of ["from", "to"]) fs.mkdirSync(path.join(place, name));
  assert.equal(directory.rename("from", directory, "to"), -Errno.BUSY);
  assert.deepEqual(fs.readdirSync(place).sort(), ["from", "to"]);
  directory.close();
});

test("two names of one file both stay when one is renamed to the other", () => {
  const { place, directory } = fresh();
  fs.writeFileSync(path.join(place, "one"), "text");
  fs.linkSync(path.join(place, "one"), path.join(place, "two"));
  assert.equal(directory.rename("one", directory, "two"), 0);
  assert.deepEqual(fs.readdirSync(place).sort(), ["one", "two"]);
  // and a name is given capitals, where the system does that
  fs.writeFileSync(path.join(place, "control"), "");
  fs.renameSync(path.join(place, "control"), path.join(place, "CONTROL"));
  const capital = fs.readdirSync(place).includes("CONTROL");
  assert.equal(directory.rename("one", directory, "ONE"), 0);
  assert.equal(fs.readdirSync(place).includes("ONE"), capital);
  directory.close();
});

test("what is open for reading alone can be asked to be on the disk", () => {
  const { place, directory } = fresh();
  fs.writeFileSync(path.join(place, "file"), "text");
  for (const flags of [Open.READ, Open.WRITE, Open.READ | Open.WRITE]) {
    const file = directory.open("file", flags, 0) as File;
    assert.equal(file.sync(false), 0);
    assert.equal(file.sync(true), 0);
    file.close();
  }
  directory.close();
});

test("a link's text is read with slashes, and one to a drive, share or device leads out", () => {
  for (
    const [text, read, answer] of [
      ["..\\dir\\file", "../dir/file", -Errno.PERM],
      ["dir\\file", "dir/file", 0],
      ["C:\\dir\\file", "/C:/dir/file", -Errno.PERM],
      ["c:file", "/c:file", -Errno.PERM],
      ["\\dir\\file", "/dir/file", -Errno.PERM],
      ["\\\\server\\share\\file", "//server/share/file", -Errno.PERM],
      ["\\\\?\\C:\\dir\\file", "//?/C:/dir/file", -Errno.PERM],
      ["\\??\\Volume{1}\\dir", "/??/Volume{1}/dir", -Errno.PERM],
    ] as const
  ) {
    const linked = contextOf({
      readlinkSync: () => text,
      lstatSync: (file: string, options: fs.StatSyncOptions) => {
        const stats = fs.lstatSync(file, options);
        const isLink = path.basename(file) === "link";
        return isLink && stats ? { ...stats, mode: 0o120666n } : stats;
      },
    });
    const { place, directory } = fresh(linked);
    fs.mkdirSync(path.join(place, "dir"));
    for (const name of ["link", "dir/file"]) fs.writeFileSync(path.join(place, name), "");
    assert.equal(directory.readlink("link"), read);
    assert.equal(directory.statAt("link", true, new FileStat()), answer, text);
    directory.close();
  }
});

test("the end of a pipe is the end, and a reader that is gone is PIPE", () => {
  const place = path.join(folder, "stream");
  fs.writeFileSync(place, "");
  const fd = fs.openSync(place, "r+");
  const end = (): never => fail("EOF");
  const stream = openStream(contextOf({ readSync: end, writeSync: end }), fd);
  const bytes = new Uint8Array(4);
  assert.equal(stream.read(bytes, 0, 4, -1), 0);
  assert.equal(stream.write(bytes, 0, 4, -1), -Errno.PIPE);
  fs.closeSync(fd);
});

test("devices and pipes that cannot be described are standard streams even so", () => {
  for (
    const [code, filetype] of [
      ["EINVAL", Filetype.CHARACTER_DEVICE],
      ["EISDIR", Filetype.UNKNOWN],
    ] as const
  ) {
    const stream = openStream(contextOf({ fstatSync: () => fail(code) }), 0);
    assert.equal(stream.filetype, filetype);
    const stat = new FileStat();
    assert.equal(stream.stat(stat), 0);
    assert.equal(stat.filetype, filetype);
    assert.equal(stat.size, 0n);
  }
  const closed = contextOf({ fstatSync: () => fail("EBADF") });
  assert.throws(() => openStream(closed, 0), { code: "EBADF" });
});

test("libuv's codes of all systems are known", () => {
  const codes: Record<string, number> = {
    ECHARSET: Errno.ILSEQ,
    EFTYPE: Errno.INVAL,
    EHOSTDOWN: Errno.HOSTUNREACH,
    ENONET: Errno.NETUNREACH,
    EPFNOSUPPORT: Errno.AFNOSUPPORT,
    ESOCKTNOSUPPORT: Errno.NOTSUP,
    EOF: Errno.PIPE,
    UNKNOWN: Errno.IO,
  };
  for (const [code, errno] of Object.entries(codes)) {
    assert.equal(errnoOf(Object.assign(new Error(code), { code })), errno, code);
  }
});
