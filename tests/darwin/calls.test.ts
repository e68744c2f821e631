/** How many calls of libc a call of a guest takes on the macOS backend, and what is in use at all. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { FileStat } from "../../core/filestat.ts";
import { type Directory, type File, Open } from "../../core/host.ts";
import { Darwin, darwins } from "../support/darwin.ts";
import { scratch } from "../support/harness.ts";
import { hostOf } from "../support/hosts.ts";

for (const darwin of darwins) {
  darwin.test("a path of one name takes no walk", {}, () => {
    const folder = scratch("calls");
    fs.mkdirSync(path.join(folder, "deep", "er"), { recursive: true });
    fs.writeFileSync(path.join(folder, "file"), "text");
    fs.writeFileSync(path.join(folder, "deep", "er", "file"), "text");
    const directory = hostOf(darwin.way).fs.directory(folder);
    const calls = (act: () => unknown): number => {
      const before = darwin.calls();
      act();
      return darwin.calls() - before;
    };
    let opened: File | Directory | number = -1;
    const close = (): void => (opened as unknown as File).close();
    const open = (name: string, flags: number): number =>
      calls(() => opened = directory.open(name, flags, 0));
    // openat and fstat, which tells what was opened
    assert.equal(open("file", Open.READ | Open.FOLLOW), 2);
    assert.equal(calls(close), 1);
    assert.equal(open("none", Open.READ | Open.FOLLOW), 1);
    assert.equal(open("deep", Open.READ | Open.DIRECTORY | Open.FOLLOW), 1);
    close();
    // and beside these openat and close of each directory on the way
    assert.equal(open("deep/er/file", Open.READ | Open.FOLLOW), 6);
    close();
    assert.equal(calls(() => directory.statAt("file", true, new FileStat())), 1);
    assert.equal(calls(() => directory.mkdir("made")), 1);
    assert.equal(calls(() => directory.rmdir("made")), 1);
    assert.equal(calls(() => directory.rename("file", directory, "other")), 1);
    assert.equal(calls(() => directory.unlink("other")), 1);
    directory.close();
  });

  test(`a library that is not there is no library in use (macOS, ${darwin.processor})`, () => {
    const missing = new Darwin(darwin.processor, path.join(scratch("missing"), "none.so"));
    assert.throws(() => missing.calls(), /cannot be opened/);
    assert.throws(() => missing.assertUsed(0), /is not mapped/);
    // another backend would serve it, though not as a test's own way
    assert.throws(() => new missing.WASI({ version: "preview1", confinement: "walk" }), {
      code: "ERR_INVALID_ARG_VALUE",
    });
  });
}
