/** Single cases of directories that are values, which differential.test.ts seldom or never meets. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { WebClock } from "../../adapters/clock.ts";
import { memory, MemoryLink } from "../../core/directories/memory/mod.ts";
import { overlay, type OverlayChange } from "../../adapters/overlay.ts";
import { Errno, Fstflags } from "../../core/preview1/abi.ts";
import { Quota, QuotaDirectory } from "../../core/directories/quota.ts";
import { StableDirectory, StableNumbers } from "../../core/directories/stable.ts";
import { FileStat } from "../../core/filestat.ts";
import { type Directory, type File, Open } from "../../core/host.ts";
import { scratch } from "../support/harness.ts";
import { hostOf, ways } from "../support/hosts.ts";

const folder = scratch("value-cases");
const RW = Open.READ | Open.WRITE;

function open(directory: Directory, path: string, flags: number): File {
  const file = directory.open(path, flags, 0);
  assert.notEqual(typeof file, "number", `open ${path}: ${file}`);
  return file as File;
}

function stat(directory: Directory, path: string): FileStat {
  const into = new FileStat();
  assert.equal(directory.statAt(path, false, into), 0, path);
  return into;
}

function append(file: File, text: string): void {
  const bytes = new TextEncoder().encode(text);
  const into = new FileStat();
  assert.equal(file.stat(into), 0);
  assert.equal(file.write(bytes, 0, bytes.length, into.length), bytes.length);
}

function told(changes: OverlayChange[]): string {
  return changes.map(({ kind, path }) => `${kind} ${path}`).join();
}

test("overlay(): what was changed under one name is changed under names not seen yet", () => {
  for (const remove of [false, true]) {
    const lower = memory({ "a": "old", "deep/er": {} });
    assert.equal(lower.link("a", lower, "deep/er/b"), 0);
    const draft = overlay(lower);
    const file = open(draft, "a", RW);
    append(file, " and new");
    file.close();
    if (remove) assert.equal(draft.unlink("a"), 0);
    assert.equal(told(draft.changes()), `${remove ? "removed" : "modified"} a,modified deep/er/b`);
    assert.equal(stat(draft, "deep/er/b").nlink, remove ? 1n : 2n);
    draft.commit();
    assert.equal(lower.text("deep/er/b"), "old and new");
    assert.equal(lower.has("a"), !remove);
  }
});

test("overlay(): commit() alone finds such names, and a snapshot keeps the change for them", () => {
  const lower = memory({ a: "old", d: {} });
  assert.equal(lower.link("a", lower, "d/b"), 0);
  const draft = overlay(lower);
  draft.write("a", "new");
  draft.remove("a");
  const snapshot = draft.snapshot();
  draft.discard();
  assert.equal(draft.text("d/b"), "old");
  draft.restore(snapshot);
  assert.equal(draft.text("d/b"), "new");
  draft.restore(snapshot);
  draft.commit();
  assert.deepEqual([...lower.paths()], ["d/", "d/b"]);
  assert.equal(lower.text("d/b"), "new");
});

test("overlay(): names of one symbolic link are names of one symbolic link", () => {
  const lower = memory({ a: new MemoryLink("x"), d: {} });
  assert.equal(lower.link("a", lower, "d/b"), 0);
  const draft = overlay(lower);
  assert.equal(stat(draft, "a").nlink, 2n);
  assert.equal(draft.setTimesAt("a", false, 0n, 7n, Fstflags.MTIM), 0);
  assert.equal(draft.unlink("a"), 0);
  assert.equal(stat(draft, "d/b").nlink, 1n);
  assert.equal(stat(draft, "d/b").mtim, 7n);
  draft.commit();
  assert.equal(stat(lower, "d/b").mtim, 7n);
});

test("overlay(): what is new has another inode than what is new beneath", () => {
  const middle = overlay(memory());
  middle.write("a", "");
  const draft = overlay(middle);
  draft.write("b", "");
  assert.notEqual(stat(draft, "a").ino, stat(draft, "b").ino);
});

test("overlay(): commit() stays away from names that a guest has given", () => {
  const lower = memory({ a: "a" });
  const draft = overlay(lower);
  assert.equal(draft.rename("a", draft, "b"), 0);
  draft.write(".overlay-0", "mine");
  draft.commit();
  assert.deepEqual([...lower.paths()].sort(), [".overlay-0", "b"]);
});

test("overlay(): there is no way back to before commit(), but to before discard()", () => {
  const draft = overlay(memory({ a: "a" }));
  draft.write("b", "b");
  const snapshot = draft.snapshot();
  draft.discard();
  assert.equal(draft.has("b"), false);
  draft.restore(snapshot);
  assert.equal(draft.text("b"), "b");
  draft.commit();
  assert.throws(() => draft.restore(snapshot), { code: "ESTALE" });
  assert.deepEqual(draft.changes(), []);
  draft.restore(draft.snapshot());
});

test("overlay(): times of the directory itself are a change, no times at all are none", () => {
  const lower = memory({ a: "a" });
  const draft = overlay(lower);
  assert.equal(draft.setTimesAt("a", false, 1n, 1n, 0), 0);
  assert.deepEqual(draft.changes(), []);
  assert.equal(draft.setTimesAt(".", false, 0n, 7n, Fstflags.MTIM), 0);
  assert.equal(draft.rename("a", draft, "b"), 0);
  assert.equal(draft.setTimes(0n, 7n, Fstflags.MTIM), 0);
  assert.equal(told(draft.changes()), "modified .,removed a,added b");
  draft.commit();
  assert.equal(stat(lower, ".").mtim, 7n);
});

test("a quota gives back the bytes of a link once, and only what the guest has taken", () => {
  const files = memory({ old: new MemoryLink("y".repeat(100)) });
  const quota = new Quota(1000, 100);
  const directory = new QuotaDirectory(files, quota);
  assert.equal(directory.symlink("x".repeat(200), "a"), 0);
  assert.equal(quota.room, 800);
  assert.equal(directory.link("a", directory, "b"), 0);
  assert.equal(directory.unlink("a"), 0);
  assert.equal(quota.room, 800);
  assert.equal(directory.unlink("b"), 0);
  assert.equal(quota.room, 1000);
  assert.equal(directory.unlink("old"), 0);
  assert.equal(quota.room, 1000);
});

test("a quota gives back the bytes of a removed file when its last reader is gone too", () => {
  const quota = new Quota(1000, 100);
  const directory = new QuotaDirectory(memory(), quota);
  const reader = open(directory, "a", Open.READ | Open.CREAT);
  const writer = open(directory, "a", RW);
  append(writer, "x".repeat(300));
  writer.close();
  assert.equal(directory.unlink("a"), 0);
  assert.equal(quota.room, 700);
  reader.close();
  assert.equal(quota.room, 1000);
});

test("in a run that can be repeated a new file is another one, if the disk reuses its number", () => {
  const inner = hostOf(ways[0]![1]).fs.directory(fs.mkdtempSync(path.join(folder, "d-")));
  const directory = new StableDirectory(inner, new StableNumbers(new WebClock()));
  const made: ((name: string) => void)[] = [
    (name) => open(directory, name, RW | Open.CREAT).close(),
    (name) => assert.equal(directory.symlink("x", name), 0),
  ];
  const numbers = new Set<bigint>();
  for (const make of made) {
    for (let i = 0; i < 5; i++) {
      make("a");
      const seen = stat(directory, "a");
      assert.ok(!numbers.has(seen.ino) && seen.mtim > 7n);
      numbers.add(seen.ino);
      assert.equal(directory.setTimesAt("a", false, 0n, 7n, Fstflags.MTIM), 0);
      assert.equal(stat(directory, "a").mtim, 7n);
      assert.equal(directory.unlink("a"), 0);
    }
  }
  for (let i = 0; i < 3; i++) {
    assert.equal(directory.mkdir("a"), 0);
    assert.ok(!numbers.has(stat(directory, "a").ino));
    numbers.add(stat(directory, "a").ino);
    assert.equal(directory.rmdir("a"), 0);
  }
  inner.close();
});

test("links in memory do what a disk's do", () => {
  const files = memory({ d: {}, f: "f" });
  assert.equal(files.symlink("", "l"), -Errno.NOENT);
  assert.equal(files.symlink("d", "l"), 0);
  assert.equal(files.open("l", Open.READ | Open.DIRECTORY, 0), -Errno.NOTDIR);
  assert.equal(files.link("d", files, "f"), -Errno.EXIST);
  assert.equal(files.link("f/x", files, "none/x"), -Errno.NOTDIR);
  assert.equal(files.link("none", files, "f/x"), -Errno.NOTDIR);
  files.write("d/f", "");
  assert.equal(files.rename("d/f", files, "d"), -Errno.NOTEMPTY);
});
