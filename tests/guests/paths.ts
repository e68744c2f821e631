/** Paths: opening, attributes, links, names, lists. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { foreign, scratch, windows } from "../support/harness.ts";
import { Shared } from "../support/subject.ts";
import { here } from "../support/system.ts";
import { guestModule, type Guests, linesOf, testLinked, textOf, timesOf, tree } from "./guest.ts";

export const paths: Shared<Guests> = new Shared();

paths.test("path_open does what each flag says to what each path names", (on) => {
  if (!here.anyName) {
    const folder = scratch("guest-open");
    const outcome = on.run(guestModule("open"), { preopens: { "/": folder } });
    const [first, ...others] = linesOf(outcome, "not ok");
    assert.equal(first, "a name may be any UTF-8: expected SUCCESS, got INVAL");
    // where a name stays until the file is closed
    const known = [
      "an unlinked file has no name: expected NOENT, got SUCCESS",
      "an unlinked file has no links: expected 0, got 1",
      "a new file of that name is another: expected true, got false",
      "the preparation `opening file`: expected SUCCESS, got NOENT",
    ];
    for (const line of others) assert.ok(!here.unlinksOpen && known.includes(line), line);
    return;
  }
  const { folder } = on.passesIn("open");
  const made = tree(folder).filter((name) => !name.startsWith("n".repeat(255)));
  assert.deepEqual(made, [
    "after/",
    "after/file 5",
    "after/made 5",
    "created 0",
    "dir/",
    "dir/file 6",
    "dir/nested/",
    "dir/nested/file 6",
    "exclusive 0",
    "file 0",
    "gone 7",
    "reading 0",
    "ä € 🐟\n\\:*? 0",
  ]);
  assert.equal(fs.readdirSync(folder).filter((name) => name === "n".repeat(255)).length, 1);
  assert.equal(textOf(folder, "after", "made"), "there");

  // What a guest makes has the mode that the process itself would give it.
  const own = scratch("modes");
  fs.writeFileSync(path.join(own, "file"), "");
  fs.mkdirSync(path.join(own, "dir"));
  const mode = (file: string) => (fs.statSync(file).mode & 0o7777).toString(8);
  assert.equal(mode(path.join(folder, "created")), mode(path.join(own, "file")));
  assert.equal(mode(path.join(folder, "dir")), mode(path.join(own, "dir")));
});

testLinked(
  paths,
  "fd_filestat_get and path_filestat_get tell the same, and the host's attributes",
  "filestat",
  (on) => {
    const { folder } = on.passesIn("filestat");
    assert.deepEqual(tree(folder), ["dir/", "dir/link -> ../file", "file 12"]);
    assert.equal(textOf(folder, "file"), "twelve bytes");
  },
);

testLinked(paths, "times are set as they are given, on the disk too", "times", (on) => {
  const inexact = !foreign || windows;
  const { folder } = on.passesIn("times", { args: inexact ? ["guest", "us"] : ["guest"] });
  const isNear = (name: string, got: bigint, expected: bigint) => {
    const off = got > expected ? got - expected : expected - got;
    assert.ok(off <= (inexact ? 1000n : 0n), `${name}: ${got} is not ${expected}`);
  };
  const file = timesOf(path.join(folder, "file"));
  isNear("file", file.atim, 1234567890123456789n);
  isNear("file", file.mtim, 1345678901234567891n);
  const link = timesOf(path.join(folder, "link"));
  isNear("link", link.atim, 31_000_000_000n);
  isNear("link", link.mtim, 32_000_000_000n);
  isNear("dangling", timesOf(path.join(folder, "dangling")).mtim, 42_000_000_000n);
});

testLinked(
  paths,
  "symbolic links are read, followed and not followed as POSIX says",
  "symlinks",
  (on) => {
    const { folder } = on.passesIn("symlinks", {
      prepare: (folder) => fs.symlinkSync("/file", path.join(folder, "absolute")),
    });
    assert.equal(textOf(folder, "dir", "file"), "through");
    assert.equal(fs.readlinkSync(path.join(folder, "dir", "up")), "../file");
    assert.equal(fs.readlinkSync(path.join(folder, "slashed-target")), "dir/");
    assert.equal(fs.readlinkSync(path.join(folder, "absolute")), "/file");
    assert.ok(fs.lstatSync(path.join(folder, "nowhere")).isFile());
    assert.equal(fs.existsSync(path.join(folder, "link")), false);
  },
);

testLinked(paths, "hard links are names of one file", "hardlinks", (on) => {
  const { folder } = on.passesIn("hardlinks");
  assert.deepEqual(tree(folder), [
    "dangling -> missing",
    "dir/",
    "dir/same 3",
    "dir/sub/",
    "dir/sub/across 3",
    "hard -> same",
    "hard-dangling -> missing",
    "other 5",
    "same 3",
    "symbolic -> same",
  ]);
  assert.equal(fs.statSync(path.join(folder, "same")).nlink, 3);
  assert.equal(
    fs.statSync(path.join(folder, "same")).ino,
    fs.statSync(path.join(folder, "dir", "sub", "across")).ino,
  );
});

testLinked(paths, "path_rename renames every kind over every kind that it may", "rename", (on) => {
  const { folder } = on.passesIn("rename");
  assert.deepEqual(tree(folder), [
    "c 1",
    "empty/",
    "empty/inside 6",
    "file 4",
    "full/",
    "link-dir -> target",
    "moved-link 1",
    "target/",
    "target/inside 4",
    "target/vacant/",
  ]);
});

testLinked(
  paths,
  "directories are made and removed, files unlinked, and not the one for the other",
  "remove",
  (on) => {
    const { folder } = on.passesIn("remove");
    assert.deepEqual(tree(folder), []);
  },
);

testLinked(paths, "fd_readdir fills buffers of any size from any entry on", "readdir", {
  timeout: 60_000,
}, (on) => {
  const { folder } = on.passesIn("readdir");
  const names = fs.readdirSync(path.join(folder, "many"));
  assert.equal(names.length, 2000);
  assert.ok(names.includes("entry-0") && names.includes("entry-1999"));
});

paths.test("fd_readdir goes on while the directory changes", { timeout: 60_000 }, (on) => {
  const { folder } = on.passesIn("changing");
  const names = fs.readdirSync(path.join(folder, "while"));
  assert.ok(names.some((name) => name.startsWith("added-")));
  assert.equal(fs.existsSync(path.join(folder, "all")), false);
});
