/**
 * What every directory must do, whatever it is made of. A kind of directory is tested by calling
 * {@linkcode contract} with a way to make an empty one.
 */
import assert from "node:assert/strict";
import { Errno, WasiError } from "../../core/errno.ts";
import { FileStat } from "../../core/filestat.ts";
import {
  type Directory,
  type DirentSink,
  Fdflags,
  type File,
  Filetype,
  Fstflags,
  Open,
} from "../../core/host.ts";
import { type Declare, declare } from "../support/subject.ts";
import { posix, type System } from "../support/system.ts";

/** What a kind of directory can and cannot do, apart from the contract. */
export interface Kind {
  /** an empty directory, open */
  make(): Directory;
  /** whether an open directory can be used after it was renamed */
  pinned: boolean;
  /** in what steps times are kept, in nanoseconds; 1 if that is left out */
  step?: bigint;
  /** what the system below can do, if it is not all that POSIX knows */
  system?: System;
  /** how a test is declared; default: as it stands */
  test?: Declare;
}

const RW = Open.READ | Open.WRITE;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function openFile(directory: Directory, path: string, flags: number, fdflags = 0): File {
  const opened = directory.open(path, flags, fdflags);
  assert.notEqual(typeof opened, "number", `open ${path}: ${opened}`);
  assert.notEqual((opened as File).filetype, Filetype.DIRECTORY);
  return opened as File;
}

function openDirectory(directory: Directory, path: string): Directory {
  const opened = directory.open(path, Open.READ | Open.DIRECTORY, 0);
  assert.notEqual(typeof opened, "number", `open ${path}: ${opened}`);
  assert.equal((opened as Directory).filetype, Filetype.DIRECTORY);
  return opened as Directory;
}

function write(directory: Directory, path: string, text: string): void {
  const file = openFile(directory, path, RW | Open.CREAT | Open.TRUNC);
  const bytes = encoder.encode(text);
  assert.equal(file.write(bytes, 0, bytes.length, 0), bytes.length);
  file.close();
}

function read(directory: Directory, path: string): string {
  const file = openFile(directory, path, Open.READ | Open.FOLLOW);
  const bytes = new Uint8Array(1000);
  const count = file.read(bytes, 0, bytes.length, 0);
  assert.ok(count >= 0, `read ${path}: ${count}`);
  file.close();
  return decoder.decode(bytes.subarray(0, count));
}

function stat(directory: Directory, path: string, follow = false): FileStat {
  const into = new FileStat();
  assert.equal(directory.statAt(path, follow, into), 0, `stat ${path}`);
  return into;
}

interface Entry {
  next: bigint;
  ino: bigint;
  filetype: number;
  name: string;
}

/** Takes `room` entries and refuses the next. */
class Collector implements DirentSink {
  readonly entries: Entry[] = [];
  readonly #room: number;
  constructor(room: number) {
    this.#room = room;
  }
  add(next: bigint, ino: bigint, filetype: number, name: string): boolean {
    if (this.entries.length >= this.#room) return false;
    this.entries.push({ next, ino, filetype, name });
    return true;
  }
  addBytes(
    bytes: Uint8Array,
    view: DataView,
    next: number,
    ino: number,
    filetype: number,
    start: number,
    end: number,
  ): boolean {
    const name = decoder.decode(bytes.slice(start, end));
    return this.add(view.getBigUint64(next, true), view.getBigUint64(ino, true), filetype, name);
  }
}

/** Lists in portions, with what `between` does to the directory after each. */
function list(directory: Directory, portion = Infinity, between = () => {}): Entry[] {
  const all: Entry[] = [];
  let cookie = 0n;
  for (;;) {
    const sink = new Collector(portion);
    assert.equal(directory.list(cookie, sink), 0);
    all.push(...sink.entries);
    if (sink.entries.length < portion) return all;
    cookie = sink.entries.at(-1)!.next;
    between();
  }
}

function names(entries: Entry[]): string[] {
  return entries.map(({ name }) => name).sort();
}

/** What a call gives, or -errno of what it throws. */
function attempt<R>(use: () => R): R | number {
  try {
    return use();
  } catch (error) {
    if (error instanceof WasiError) return -error.errno;
    throw error;
  }
}

/** A name that means something else: it is not found, and nothing is made by it. */
function refused(d: Directory, name: string): void {
  write(d, "there", "x");
  const shown = JSON.stringify(name);
  const into = new FileStat();
  assert.equal(attempt(() => d.statAt(name, false, into)), -Errno.NOENT, shown);
  assert.equal(attempt(() => d.open(name, Open.READ, 0)), -Errno.NOENT, shown);
  assert.equal(attempt(() => d.open(name, RW | Open.CREAT, 0)), -Errno.INVAL, shown);
  assert.equal(attempt(() => d.mkdir(name)), -Errno.INVAL, shown);
  assert.equal(attempt(() => d.rename("there", d, name)), -Errno.INVAL, shown);
  assert.equal(attempt(() => d.link("there", d, name)), -Errno.INVAL, shown);
  assert.equal(attempt(() => d.unlink(name)), -Errno.NOENT, shown);
  assert.equal(d.unlink("there"), 0);
  assert.deepEqual(names(list(d)), [".", ".."], shown);
}

/** Tests a kind of directory. */
export function contract(what: string, kind: Kind): void {
  const system = kind.system ?? posix;
  const kept = (time: bigint): bigint => time - time % (kind.step ?? 1n);

  /** Makes a link, or sees that it is refused and not made; tells whether it is there. */
  const linked = (directory: Directory, target: string, path: string): boolean => {
    const answer = directory.symlink(target, path);
    if (system.linkError === 0) {
      assert.equal(answer, 0, path);
      return true;
    }
    assert.equal(answer, -system.linkError, path);
    assert.equal(directory.readlink(path), -Errno.NOENT, path);
    assert.equal(directory.statAt(path, false, new FileStat()), -Errno.NOENT, path);
    return false;
  };

  const check = (sentence: string, body: (directory: Directory) => void): void => {
    (kind.test ?? declare)(`${what}: ${sentence}`, {}, () => {
      const directory = kind.make();
      try {
        body(directory);
      } finally {
        directory.close();
      }
    });
  };

  check("open() makes a file only when told to", (d) => {
    assert.equal(d.open("f", RW, 0), -Errno.NOENT);
    openFile(d, "f", RW | Open.CREAT).close();
    openFile(d, "f", RW | Open.CREAT).close();
    assert.equal(d.open("f", RW | Open.CREAT | Open.EXCL, 0), -Errno.EXIST);
    openFile(d, "g", RW | Open.CREAT | Open.EXCL).close();
  });

  check("open() with TRUNC cuts the file", (d) => {
    write(d, "f", "hello");
    openFile(d, "f", RW | Open.TRUNC).close();
    assert.equal(stat(d, "f").size, 0n);
  });

  check("open() says NOTDIR of a file and ISDIR of a directory opened for writing", (d) => {
    write(d, "f", "x");
    assert.equal(d.mkdir("d"), 0);
    assert.equal(d.open("f", Open.READ | Open.DIRECTORY, 0), -Errno.NOTDIR);
    assert.equal(d.open("f", Open.READ | Open.DIRECTORY | Open.FOLLOW, 0), -Errno.NOTDIR);
    assert.equal(d.open("f/g", Open.READ, 0), -Errno.NOTDIR);
    assert.equal(d.open("d", RW, 0), -Errno.ISDIR);
    assert.equal(d.open("nowhere/g", RW | Open.CREAT, 0), -Errno.NOENT);
    openDirectory(d, "d").close();
    openDirectory(d, ".").close();
  });

  check("reads and writes at positions, beyond the end too", (d) => {
    const file = openFile(d, "f", RW | Open.CREAT);
    assert.equal(file.filetype, Filetype.REGULAR_FILE);
    assert.equal(file.seekable, true);
    const bytes = encoder.encode("hello");
    assert.equal(file.write(bytes, 1, 3, 10), 3);
    const into = new Uint8Array(20).fill(63);
    assert.equal(file.read(into, 2, 10, 8), 5);
    assert.deepEqual([...into.subarray(0, 8)], [63, 63, 0, 0, 101, 108, 108, 63]);
    assert.equal(file.read(into, 0, 5, 13), 0);
    assert.equal(file.read(into, 0, 5, 2 ** 40), 0);
    file.close();
  });

  check("files beyond 4 GiB are sparse and exact", (d) => {
    const file = openFile(d, "f", RW | Open.CREAT);
    const at = 2 ** 32 + 5;
    assert.equal(file.write(encoder.encode("far"), 0, 3, at), 3);
    const into = new Uint8Array(3);
    assert.equal(file.read(into, 0, 3, at), 3);
    assert.equal(decoder.decode(into), "far");
    assert.equal(stat(d, "f").size, BigInt(at + 3));
    file.close();
  });

  check("a file that appends writes at its end and knows where it stands", (d) => {
    const one = openFile(d, "f", RW | Open.CREAT, Fdflags.APPEND);
    const two = openFile(d, "f", RW, Fdflags.APPEND);
    assert.equal(one.write(encoder.encode("one"), 0, 3, -1), 3);
    assert.equal(two.write(encoder.encode("two!"), 0, 4, -1), 4);
    assert.equal(one.tell!(), 3);
    assert.equal(two.tell!(), 7);
    assert.equal(one.write(encoder.encode("1"), 0, 1, -1), 1);
    assert.equal(one.tell!(), 8);
    assert.equal(read(d, "f"), "onetwo!1");
    assert.equal(one.setFlags(0), 0);
    assert.equal(one.write(encoder.encode("X"), 0, 1, 0), 1);
    assert.equal(one.setFlags(Fdflags.APPEND), 0);
    assert.equal(one.write(encoder.encode("2"), 0, 1, -1), 1);
    assert.equal(read(d, "f"), "Xnetwo!12");
    one.close();
    two.close();
  });

  check("setSize() cuts and grows, allocate() only grows", (d) => {
    write(d, "f", "hello");
    const file = openFile(d, "f", RW);
    assert.equal(file.setSize(2), 0);
    assert.equal(read(d, "f"), "he");
    assert.equal(file.setSize(4), 0);
    assert.equal(read(d, "f"), "he\0\0");
    assert.equal(file.allocate(1, 2), 0);
    assert.equal(stat(d, "f").size, 4n);
    assert.equal(file.allocate(2, 10), 0);
    assert.equal(stat(d, "f").size, 12n);
    assert.equal(file.advise(0, 12, 1), 0);
    assert.equal(file.sync(true), 0);
    assert.equal(file.sync(false), 0);
    assert.equal(d.sync(false), 0);
    file.close();
  });

  check("stat of a path, of a link, of an open file agree", (d) => {
    write(d, "f", "hello");
    const file = openFile(d, "f", Open.READ);
    const open = new FileStat();
    assert.equal(file.stat(open), 0);
    const path = stat(d, "f");
    assert.deepEqual(open.bytes, path.bytes);
    assert.equal(path.filetype, Filetype.REGULAR_FILE);
    assert.equal(path.size, 5n);
    assert.equal(path.nlink, 1n);
    assert.notEqual(path.ino, 0n);
    if (linked(d, "f", "l")) {
      assert.deepEqual(stat(d, "l", true).bytes, path.bytes);
      const link = stat(d, "l");
      assert.equal(link.filetype, Filetype.SYMBOLIC_LINK);
      assert.equal(link.size, 1n);
      assert.notEqual(link.ino, path.ino);
      assert.equal(link.dev, path.dev);
    }
    assert.equal(stat(d, ".").filetype, Filetype.DIRECTORY);
    const into = new FileStat();
    assert.equal(d.statAt("none", false, into), -Errno.NOENT);
    assert.equal(d.statAt("f/x", false, into), -Errno.NOTDIR);
    file.close();
  });

  check("times are set, left alone, and set to now", (d) => {
    write(d, "f", "x");
    const [atim, mtim] = [1234567890123456789n, 987654321987654321n];
    assert.equal(d.setTimesAt("f", false, atim, mtim, Fstflags.ATIM | Fstflags.MTIM), 0);
    const isAccessed = (expected: bigint): void => {
      if (system.accessTimes) assert.equal(stat(d, "f").atim, expected);
      else { // what was set, or the time of the last look
        const { atim } = stat(d, "f");
        assert.ok(atim === expected || atim > 10n ** 18n, String(atim));
      }
    };
    isAccessed(kept(atim));
    assert.equal(stat(d, "f").mtim, kept(mtim));
    const file = openFile(d, "f", RW);
    assert.equal(file.setTimes(5n, 700n, Fstflags.MTIM), 0);
    isAccessed(kept(atim));
    assert.equal(stat(d, "f").mtim, 700n);
    const before = BigInt(Date.now() - 20) * 1000000n; // a kernel's clock is coarse
    assert.equal(file.setTimes(0n, 0n, Fstflags.ATIM_NOW), 0);
    assert.ok(stat(d, "f").atim >= before);
    assert.equal(stat(d, "f").mtim, 700n);
    assert.equal(file.setTimes(0n, 0n, Fstflags.ATIM | Fstflags.MTIM), 0);
    isAccessed(0n);
    assert.equal(stat(d, "f").mtim, 0n);
    file.close();
    assert.equal(d.setTimesAt("none", true, 0n, 0n, Fstflags.ATIM), -Errno.NOENT);
  });

  check("times of a link and of what it leads to are two things", (d) => {
    write(d, "f", "x");
    if (!linked(d, "f", "l")) {
      assert.equal(d.setTimesAt("l", false, 0n, 3000000000n, Fstflags.MTIM), -Errno.NOENT);
      return;
    }
    const target = stat(d, "f").mtim;
    assert.equal(d.setTimesAt("l", false, 0n, 3000000000n, Fstflags.MTIM), 0);
    assert.equal(stat(d, "l").mtim, 3000000000n);
    assert.equal(stat(d, "f").mtim, target);
    assert.equal(d.setTimesAt("l", true, 0n, 4000000000n, Fstflags.MTIM), 0);
    assert.equal(stat(d, "l").mtim, 3000000000n);
    assert.equal(stat(d, "f").mtim, 4000000000n);
  });

  check("directories are made and removed", (d) => {
    assert.equal(d.mkdir("a"), 0);
    assert.equal(d.mkdir("a"), -Errno.EXIST);
    assert.equal(d.mkdir("a/b"), 0);
    assert.equal(d.mkdir("x/b"), -Errno.NOENT);
    assert.equal(d.rmdir("a"), -Errno.NOTEMPTY);
    assert.equal(d.unlink("a"), -Errno.ISDIR);
    assert.equal(d.rmdir("a/b"), 0);
    assert.equal(d.rmdir("a"), 0);
    assert.equal(d.rmdir("a"), -Errno.NOENT);
    write(d, "f", "x");
    assert.equal(d.rmdir("f"), -Errno.NOTDIR);
    assert.equal(d.unlink("f"), 0);
    assert.equal(d.unlink("f"), -Errno.NOENT);
  });

  check("an unlinked file lives as long as it is open", (d) => {
    write(d, "f", "hello");
    const file = openFile(d, "f", RW);
    assert.equal(d.unlink("f"), 0);
    const into = new Uint8Array(5);
    assert.equal(file.read(into, 0, 5, 0), 5);
    assert.equal(decoder.decode(into), "hello");
    const open = new FileStat();
    assert.equal(file.stat(open), 0);
    if (system.unlinksOpen) {
      assert.equal(open.nlink, 0n);
      assert.equal(d.open("f", Open.READ, 0), -Errno.NOENT);
    }
    file.close();
    assert.equal(d.open("f", Open.READ, 0), -Errno.NOENT);
  });

  check("rename() moves, replaces, and refuses what does not fit", (d) => {
    write(d, "f", "file");
    write(d, "g", "other");
    assert.equal(d.rename("f", d, "g"), 0);
    assert.equal(read(d, "g"), "file");
    assert.equal(d.statAt("f", false, new FileStat()), -Errno.NOENT);
    assert.equal(d.mkdir("a"), 0);
    assert.equal(d.mkdir("b"), 0);
    assert.equal(d.rename("a", d, "b"), 0);
    assert.equal(d.mkdir("c"), 0);
    write(d, "c/x", "x");
    assert.equal(d.rename("b", d, "c"), -Errno.NOTEMPTY);
    assert.equal(d.rename("b", d, "g"), -Errno.NOTDIR);
    assert.equal(d.rename("g", d, "b"), -Errno.ISDIR);
    assert.equal(d.rename("c", d, "c/inside"), -Errno.INVAL);
    assert.equal(d.rename("none", d, "x"), -Errno.NOENT);
    assert.equal(d.rename("g", d, "c/g"), 0);
    assert.equal(read(d, "c/g"), "file");
    const inner = openDirectory(d, "c");
    assert.equal(inner.rename("g", d, "back"), 0);
    assert.equal(read(d, "back"), "file");
    inner.close();
  });

  check("link() gives a file a second name", (d) => {
    write(d, "f", "hello");
    assert.equal(d.mkdir("a"), 0);
    assert.equal(d.link("f", d, "a/g"), 0);
    assert.equal(stat(d, "f").nlink, 2n);
    assert.equal(stat(d, "a/g").ino, stat(d, "f").ino);
    assert.equal(d.link("f", d, "a/g"), -Errno.EXIST);
    assert.equal(d.link("a", d, "b"), -Errno.PERM);
    assert.equal(d.link("none", d, "b"), -Errno.NOENT);
    assert.equal(d.unlink("f"), 0);
    assert.equal(read(d, "a/g"), "hello");
    assert.equal(stat(d, "a/g").nlink, 1n);
    if (linked(d, "nowhere", "s")) {
      assert.equal(d.link("s", d, "t"), 0);
      assert.equal(d.readlink("t"), "nowhere");
    }
  });

  check("links are made, read, and followed only when told to", (d) => {
    write(d, "f", "hello");
    assert.equal(d.mkdir("a"), 0);
    write(d, "a/g", "inner");
    assert.equal(d.readlink("f"), -Errno.INVAL);
    assert.equal(d.readlink("none"), -Errno.NOENT);
    assert.equal(d.symlink("f", "a"), -Errno.EXIST);
    if (!linked(d, "f", "l")) return;
    assert.equal(d.symlink("f", "l"), -Errno.EXIST);
    assert.equal(d.readlink("l"), "f");
    assert.equal(d.open("l", Open.READ, 0), -Errno.LOOP);
    assert.equal(read(d, "l"), "hello");
    assert.equal(d.symlink("a", "m"), 0);
    assert.equal(read(d, "m/g"), "inner");
    assert.equal(d.symlink("../f", "a/up"), 0);
    assert.equal(read(d, "a/up"), "hello");
    assert.equal(read(d, "m/../f"), "hello");
    const directory = d.open("m", Open.READ | Open.DIRECTORY | Open.FOLLOW, 0);
    assert.notEqual(typeof directory, "number");
    (directory as Directory).close();
    const refused = d.open("m", Open.READ | Open.DIRECTORY, 0);
    assert.ok(refused === -Errno.LOOP || refused === -Errno.NOTDIR, String(refused));
  });

  check("a link that leads nowhere is made into a file by CREAT, and refused with EXCL", (d) => {
    if (!linked(d, "new", "l")) return;
    assert.equal(d.open("l", Open.READ | Open.FOLLOW, 0), -Errno.NOENT);
    assert.equal(d.open("l", RW | Open.CREAT | Open.EXCL | Open.FOLLOW, 0), -Errno.EXIST);
    openFile(d, "l", RW | Open.CREAT | Open.FOLLOW).close();
    assert.equal(stat(d, "new").filetype, Filetype.REGULAR_FILE);
  });

  check("links in a circle are LOOP", (d) => {
    if (!linked(d, "b", "a")) return;
    assert.equal(d.symlink("a", "b"), 0);
    const into = new FileStat();
    assert.equal(d.statAt("a", true, into), -Errno.LOOP);
    assert.equal(d.open("a", Open.READ | Open.FOLLOW, 0), -Errno.LOOP);
    assert.equal(d.open("a/x", Open.READ, 0), -Errno.LOOP);
    assert.equal(stat(d, "a").filetype, Filetype.SYMBOLIC_LINK);
  });

  check("nothing leads out", (d) => {
    assert.equal(d.mkdir("a"), 0);
    assert.equal(d.mkdir("a/b"), 0);
    const outside = ["..", "../x", "a/../.."];
    const outsideX = ["../x", "a/../../x"];
    if (linked(d, "../..", "a/out")) {
      assert.equal(d.symlink("..", "up"), 0);
      assert.equal(d.symlink("a/b/../../..", "far"), 0);
      outside.push("up", "a/out", "far", "up/x", "a/b/../out/..");
      outsideX.push("up/x", "a/out/x", "far/x");
    }
    const into = new FileStat();
    for (const path of outside) {
      assert.equal(d.statAt(path, true, into), -Errno.PERM, path);
      assert.equal(d.open(path, Open.READ | Open.FOLLOW, 0), -Errno.PERM, path);
      assert.equal(d.setTimesAt(path, true, 0n, 0n, Fstflags.ATIM), -Errno.PERM, path);
    }
    for (const path of outsideX) {
      assert.equal(d.mkdir(path), -Errno.PERM, path);
      assert.equal(d.open(path, RW | Open.CREAT, 0), -Errno.PERM, path);
      assert.equal(d.unlink(path), -Errno.PERM, path);
      assert.equal(d.rmdir(path), -Errno.PERM, path);
      assert.equal(d.readlink(path), -Errno.PERM, path);
      assert.equal(d.symlink("x", path), -Errno.PERM, path);
      assert.equal(d.rename("a", d, path), -Errno.PERM, path);
      assert.equal(d.rename(path, d, "x"), -Errno.PERM, path);
      assert.equal(d.link(path, d, "x"), -Errno.PERM, path);
    }
    for (const path of ["..", ".", "a/..", "a/b/."]) {
      assert.notEqual(d.mkdir(path), 0, path);
      assert.notEqual(d.unlink(path), 0, path);
      assert.notEqual(d.rmdir(path), 0, path);
      assert.notEqual(d.symlink("x", path), 0, path);
      assert.notEqual(d.rename(path, d, "y"), 0, path);
      assert.notEqual(d.rename("a", d, path), 0, path);
    }
    const inner = openDirectory(d, "a");
    assert.equal(inner.statAt("..", true, into), -Errno.PERM);
    assert.equal(inner.open("b/../../a", Open.READ, 0), -Errno.PERM);
    const out = system.linkError === 0 ? Errno.PERM : Errno.NOENT;
    assert.equal(inner.statAt("out", true, into), -out);
    inner.close();
  });

  check("list() gives . and .., kinds and inodes", (d) => {
    write(d, "f", "x");
    assert.equal(d.mkdir("a"), 0);
    const expected: Record<string, number> = {
      ".": Filetype.DIRECTORY,
      "..": Filetype.DIRECTORY,
      a: Filetype.DIRECTORY,
      f: Filetype.REGULAR_FILE,
    };
    if (linked(d, "f", "l")) expected.l = Filetype.SYMBOLIC_LINK;
    const entries = list(d);
    assert.deepEqual(names(entries), Object.keys(expected).sort());
    const kinds = Object.fromEntries(entries.map(({ name, filetype }) => [name, filetype]));
    assert.deepEqual(kinds, expected);
    for (const { name, ino } of entries) {
      assert.equal(ino, stat(d, name === ".." ? "." : name).ino, name);
    }
    assert.equal(new Set(entries.map(({ next }) => next)).size, entries.length);
  });

  check("list() goes on from any cookie, and begins anew from 0", (d) => {
    const expected = [".", ".."];
    for (let i = 0; i < 50; i++) {
      write(d, `file-${i}`, "");
      expected.push(`file-${i}`);
    }
    expected.sort();
    for (const portion of [1, 2, 7, 51, 52, 53]) {
      assert.deepEqual(names(list(d, portion)), expected, `in portions of ${portion}`);
    }
    const all = list(d);
    for (const at of [40, 3, 20, 51]) {
      const sink = new Collector(Infinity);
      assert.equal(d.list(all[at]!.next, sink), 0);
      assert.deepEqual(names(sink.entries), names(all.slice(at + 1)), `after entry ${at}`);
    }
    for (const { next } of all) assert.ok(next < 2n ** 31n, "telldir() keeps 31 bits of a cookie");
    write(d, "later", "");
    assert.deepEqual(names(list(d)), [...expected, "later"].sort());
  });

  check("list() shows each file that stays once, whatever comes and goes meanwhile", (d) => {
    for (let i = 0; i < 300; i++) write(d, `file-${i}`, "");
    let round = 0;
    const seen = names(list(d, 10, () => {
      assert.equal(d.unlink(`file-${round * 2}`), 0);
      write(d, `new-${round}`, "");
      round++;
    }));
    assert.equal(new Set(seen).size, seen.length, "nothing twice");
    const stayed = [...Array(300).keys()].filter((i) => i >= 2 * round || i % 2 === 1);
    for (const i of stayed) assert.ok(seen.includes(`file-${i}`), `file-${i}`);
  });

  check("names of 255 bytes or units fit, longer ones are NAMETOOLONG", (d) => {
    const longest = "n".repeat(255);
    write(d, longest, "x");
    assert.equal(read(d, longest), "x");
    assert.ok(names(list(d)).includes(longest));
    const into = new FileStat();
    assert.equal(d.statAt("n".repeat(256), false, into), -Errno.NAMETOOLONG);
    assert.equal(d.open("n".repeat(256), RW | Open.CREAT, 0), -Errno.NAMETOOLONG);
    assert.equal(d.mkdir("n".repeat(256)), -Errno.NAMETOOLONG);
    const isName = system.nameUnits === 16; // of which there is none
    assert.equal(
      d.statAt("ä".repeat(128), false, into),
      isName ? -Errno.NOENT : -Errno.NAMETOOLONG,
    );
    assert.equal(d.statAt("ä".repeat(256), false, into), -Errno.NAMETOOLONG);
  });

  check("names are kept as they are", (d) => {
    const odd = ["ä", "日本語", "😀", "a b", "-", "..a", "%2e%2e", "PROGRA~9"];
    const posix = [" ", "a\\b", "\n", "C:", "nul", "a.", "f:s", "a*b"];
    if (system.anyName) odd.push(...posix);
    else for (const name of posix) refused(d, name);
    for (const name of odd) write(d, name, name);
    for (const name of odd) assert.equal(read(d, name), name);
    assert.deepEqual(names(list(d)), [".", "..", ...odd].sort());
  });

  check("a path 64 directories deep works, doubled slashes and dots too", (d) => {
    let path = "d";
    assert.equal(d.mkdir(path), 0);
    for (let i = 1; i < 64; i++) assert.equal(d.mkdir(path += "/d"), 0);
    write(d, `${path}/f`, "deep");
    assert.equal(read(d, `${path}/f`), "deep");
    assert.equal(read(d, `${path.replaceAll("/", "/.//")}/f`), "deep");
    assert.equal(read(d, `${path}${"/..".repeat(63)}/${path.slice(2)}/f`), "deep");
  });

  check("a parked directory is found again, and nothing else is taken for it", (d) => {
    assert.equal(d.mkdir("a"), 0);
    write(d, "a/f", "mine");
    const inner = openDirectory(d, "a");
    assert.deepEqual(names(list(inner)), [".", "..", "f"]);
    inner.park?.();
    assert.equal(read(inner, "f"), "mine");
    assert.deepEqual(names(list(inner)), [".", "..", "f"]);
    inner.park?.();
    assert.equal(d.rename("a", d, "b"), 0);
    assert.equal(d.mkdir("a"), 0);
    write(d, "a/f", "theirs");
    const opened = attempt(() => inner.open("f", Open.READ, 0));
    if (typeof opened !== "number") {
      // what holds on to it while it is parked
      opened.close();
      assert.equal(read(inner, "f"), "mine");
    } else assert.ok(opened === -Errno.BADF || opened === -Errno.NOENT, String(opened));
    // put back where it was, it is the one that it was
    assert.equal(d.rename("a", d, "c"), 0);
    assert.equal(d.rename("b", d, "a"), 0);
    assert.equal(read(inner, "f"), "mine");
    inner.close();
  });

  check("an open directory stays the one it is when it is renamed", (d) => {
    assert.equal(d.mkdir("a"), 0);
    const inner = openDirectory(d, "a");
    assert.equal(d.rename("a", d, "b"), 0);
    if (kind.pinned) {
      write(inner, "f", "x");
      assert.equal(read(d, "b/f"), "x");
      assert.equal(d.unlink("b/f"), 0);
    }
    // and nothing that takes its name is taken for it
    assert.equal(d.mkdir("a"), 0);
    const opened = attempt(() => inner.open("g", RW | Open.CREAT, 0));
    if (typeof opened !== "number") opened.close();
    else assert.equal(kind.pinned, false);
    assert.equal(d.rmdir("a"), 0);
    assert.equal(d.unlink("b/g"), kind.pinned ? 0 : -Errno.NOENT);
    assert.equal(d.rmdir("b"), 0);
    assert.equal(attempt(() => inner.open("f", RW | Open.CREAT, 0)), -Errno.NOENT);
    inner.close();
  });
}
