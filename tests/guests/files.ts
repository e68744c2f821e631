/** File contents: reading, writing, seeking, sizes, memory. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Shared } from "../support/subject.ts";
import { type Guests, linesOf, testLinked, textOf, tree } from "./guest.ts";

export const files: Shared<Guests> = new Shared();

files.test("fd_write gathers and fd_read scatters over several buffers", (on) => {
  const { folder, err } = on.passesIn("scatter", { input: "from outside" });
  assert.equal(textOf(folder, "gathered"), "The quick brown fox jumps over the lazy dog");
  const expected = Buffer.from(Array.from({ length: 3000 }, (_, i) => i * 7 % 256));
  assert.ok(expected.equals(fs.readFileSync(path.join(folder, "many"))));
  assert.equal(err, "# to standard error");
});

files.test(
  "fd_pread and fd_pwrite reach beyond 4 GiB in a sparse file",
  { timeout: 60_000 },
  (on) => {
    const { folder } = on.passesIn("large");
    const file = path.join(folder, "large");
    const GIB = 2 ** 30;
    const { size, blocks } = fs.statSync(file);
    assert.equal(size, 5 * GIB + 9);
    assert.ok(blocks * 512 < 2 ** 20, `the file is sparse: ${blocks} blocks`);
    const fd = fs.openSync(file, "r");
    try {
      const at = (position: number, length: number) => {
        const bytes = Buffer.alloc(length);
        assert.equal(fs.readSync(fd, bytes, 0, length, position), length);
        return bytes.toString("latin1");
      };
      assert.equal(at(0, 8), "stARt\0\0\0");
      assert.equal(at(2 * GIB - 4, 9), "\0two|gib\0");
      assert.equal(at(4 * GIB - 5, 10), "\0four|gib\0");
      assert.equal(at(4 * GIB + 8, 6), "\0here\0");
      assert.equal(at(5 * GIB, 9), "\0\0\0beyond");
    } finally {
      fs.closeSync(fd);
    }
  },
);

files.test("fd_seek and fd_tell move within a file and refuse what is before it", (on) => {
  const { folder } = on.passesIn("seek");
  assert.equal(textOf(folder, "seek"), "0123456789\0\0\0\0\0ab");
});

files.test("append goes to the file's end, wherever the descriptor is", (on) => {
  const { folder } = on.passesIn("append");
  assert.deepEqual(tree(folder), ["fresh 5", "log 9"]);
  assert.equal(textOf(folder, "log"), "plain!xyz");
  assert.equal(textOf(folder, "fresh"), "again");
});

files.test("fd_fdstat_set_flags sets and clears what fd_fdstat_get tells", (on) => {
  const { folder } = on.passesIn("fdflags");
  assert.equal(textOf(folder, "flags"), "still56789end");
});

files.test("files are resized, allocated, advised and synchronised", (on) => {
  const { folder } = on.passesIn("size");
  assert.equal(textOf(folder, "file"), "0123456789");
  assert.deepEqual(tree(folder), ["dir/", "file 10"]);
});

files.test("random_get fills buffers of any size, and nothing beside them", (on) => {
  on.passesIn("random");
});

files.test("memory may grow between calls, to over 2 GiB", { timeout: 60_000 }, (on) => {
  const { folder, out } = on.passesIn("memory");
  assert.match(out, /^# memory over 2 GiB \d+$/m);
  assert.equal(textOf(folder, "grown"), "written from there, and read into it");
});

testLinked(files, "pointers outside the guest's memory are fault", "pointers", (on) => {
  const { folder } = on.passesIn("pointers");
  assert.deepEqual(tree(folder), ["file 7", "link -> file-of-a-longer-name"]);
  assert.equal(textOf(folder, "file"), "content");
});

testLinked(files, "a C program reads, writes and lists through libc", "libc", (on) => {
  const { folder, out } = on.passesIn("libc", { input: "first line\n12 -7\n" });
  assert.deepEqual(linesOf({ out } as Parameters<typeof linesOf>[0], "#"), ["printed by printf"]);
  const lines = textOf(folder, "stream").split("\n");
  assert.equal(lines[0], "line 0");
  assert.equal(lines[999], "line 999");
  assert.equal(lines[1000], "appended");
  assert.deepEqual(tree(folder), [
    "link -> tree/relative",
    "raw 3",
    "stream 8899",
    "tree/",
    "tree/relative 0",
  ]);
  assert.equal(textOf(folder, "raw"), "abc");
  assert.equal(fs.statSync(path.join(folder, "raw")).mtimeMs, 1_500_000_000_000);
});

testLinked(files, "a Zig program makes, walks and deletes a tree without libc", "tree", (on) => {
  const { folder } = on.passesIn("tree");
  assert.deepEqual(tree(folder), ["left 6"]);
  assert.equal(textOf(folder, "left"), "by Zig");
});
