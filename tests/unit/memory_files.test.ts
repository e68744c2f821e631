/** What an embedder does with directories in memory, and with archives. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { memory, MemoryFile, MemoryLink } from "../../core/directories/memory/mod.ts";
import { overlay } from "../../adapters/overlay.ts";
import { Errno } from "../../core/preview1/abi.ts";
import { FileStat } from "../../core/filestat.ts";
import { type Directory, type File, Open } from "../../core/host.ts";
import { fromTar, toTar } from "../../tar.ts";
import { scratch } from "../support/harness.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("a tree goes in and comes out as a plain object", () => {
  const content = Uint8Array.from([0, 255, 10]);
  const files = memory({
    "a.txt": "text",
    "deep/er/b.bin": content,
    deep: { c: new MemoryFile("c", { mode: 0o755, mtime: 5n }), l: new MemoryLink("../a.txt") },
    empty: {},
  });
  assert.deepEqual(files.toObject(), {
    "a.txt": bytes("text"),
    deep: { er: { "b.bin": content }, c: bytes("c"), l: new MemoryLink("../a.txt") },
    empty: {},
  });
  assert.deepEqual([...files.paths()], [
    "a.txt",
    "deep/",
    "deep/er/",
    "deep/er/b.bin",
    "deep/c",
    "deep/l",
    "empty/",
  ]);
  assert.equal(files.text("deep/l"), "text");
  const entry = [...files.entries()].find(({ path }) => path === "deep/c")!;
  assert.deepEqual([entry.kind, entry.mode, entry.mtime], ["file", 0o755, 5n]);
});

test("what it gives is a copy, what it takes is copied", () => {
  const mine = bytes("mine");
  const files = memory({ a: mine });
  mine[0] = 0;
  files.bytes("a")[1] = 0;
  assert.equal(files.text("a"), "mine");
});

test("a guest's odd names do no harm", () => {
  const files = memory();
  for (const name of ["__proto__", "constructor", "toString", "__proto__2"]) {
    files.write(name, name);
  }
  files.makeDirectory("d/__proto__");
  const object = files.toObject();
  assert.equal(Object.getPrototypeOf(object), Object.prototype);
  assert.deepEqual(Object.keys(object).sort(), [
    "__proto__",
    "__proto__2",
    "constructor",
    "d",
    "toString",
  ]);
});

test("errors have POSIX's codes and name the path", () => {
  const files = memory({ f: "x", d: {} });
  const fails = (use: () => unknown, code: string, name: string): void => {
    assert.throws(use, (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      assert.ok(error.message.includes(`"${name}"`), error.message);
      return true;
    });
  };
  fails(() => files.bytes("none"), "ENOENT", "none");
  fails(() => files.bytes("d"), "EISDIR", "d");
  fails(() => files.bytes("f/x"), "ENOTDIR", "f/x");
  fails(() => files.bytes("../f"), "EPERM", "../f");
  fails(() => files.write("d", "x"), "EISDIR", "d");
  fails(() => files.write("f/x", "x"), "ENOTDIR", "f");
  fails(() => files.makeDirectory("f"), "ENOTDIR", "f");
  assert.throws(() => memory({ a: 5 as unknown as string }), {
    code: "ERR_INVALID_ARG_TYPE",
    message: /tree\["a"\].*Uint8Array/,
  });
  assert.throws(() => memory(null as unknown as Record<string, string>), {
    code: "ERR_INVALID_ARG_TYPE",
  });
  files.remove("none/at/all");
  files.remove("d");
  assert.deepEqual([...files.paths()], ["f"]);
});

test("a snapshot is come back to, more than once", () => {
  const files = memory({ a: "1", d: { b: "2" } });
  files.linkTo("a", "d/same");
  const before = files.toObject();
  const snapshot = files.snapshot();
  for (let i = 0; i < 2; i++) {
    files.write("a", "changed");
    files.write("d/new", "3");
    files.remove("d/b");
    assert.equal(files.text("d/same"), "changed");
    files.restore(snapshot);
    assert.deepEqual(files.toObject(), before);
    // and both names are still one file
    const file = files.open("d/same", Open.WRITE, 0) as File;
    file.write(bytes("9"), 0, 1, 0);
    file.close();
    assert.equal(files.text("a"), "9");
    assert.equal(files.rename("d", files, "e"), 0);
    files.restore(snapshot);
  }
  assert.throws(() => memory().restore(snapshot), { code: "ERR_INVALID_ARG_TYPE" });
});

test("appending 100 MB in small writes takes time by their number alone", () => {
  const chunk = new Uint8Array(1000).fill(7);
  const append = (total: number): number => {
    const file = memory().open("f", Open.WRITE | Open.CREAT, 0) as File;
    const began = performance.now();
    for (let at = 0; at < total; at += chunk.length) file.write(chunk, 0, chunk.length, at);
    const took = performance.now() - began;
    const stat = new FileStat();
    file.stat(stat);
    assert.equal(stat.length, total);
    return took;
  };
  append(1e6);
  const small = Math.min(append(1e7), append(1e7));
  const large = append(1e8);
  assert.ok(large < 40 * small + 100, `10 MB: ${small} ms, 100 MB: ${large} ms`);
});

test("holes take no memory", () => {
  const files = memory();
  const file = files.open("f", Open.READ | Open.WRITE | Open.CREAT, 0) as File;
  const far = 2 ** 46;
  assert.equal(file.write(bytes("x"), 0, 1, far), 1);
  assert.equal(file.write(bytes("x"), 0, 1, 2 ** 48), -Errno.FBIG);
  assert.equal(file.setSize(2 ** 48), -Errno.FBIG);
  const into = new Uint8Array(3).fill(9);
  assert.equal(file.read(into, 0, 3, far - 2), 3);
  assert.deepEqual([...into], [0, 0, 120]);
  assert.equal(file.setSize(10), 0);
  assert.equal(files.bytes("f").length, 10);
});

test("a tree that a guest made very deep can still be used", () => {
  const files = memory();
  let inner = files as Directory;
  let depth = 0;
  for (; depth < 10000; depth++) {
    const error = inner.mkdir("d");
    if (error !== 0) {
      assert.equal(error, -Errno.NAMETOOLONG);
      break;
    }
    inner = inner.open("d", Open.READ | Open.DIRECTORY, 0) as Directory;
  }
  assert.ok(depth >= 500 && depth < 10000, `${depth}`);
  // neither by moving one deep tree into another
  files.makeDirectory("e/e");
  assert.equal(files.rename("d", files, "e/e/d"), -Errno.NAMETOOLONG);
  const snapshot = files.snapshot();
  assert.equal([...files.paths()].length, depth + 2);
  let object = files.toObject();
  for (let i = 0; i < depth; i++) object = object.d as typeof object;
  const draft = overlay(files);
  draft.remove("d");
  assert.deepEqual(draft.changes(), [{ path: "d", kind: "removed" }]);
  draft.commit();
  assert.equal(files.has("d"), false);
  files.restore(snapshot);
  assert.equal([...files.entries()].length, depth + 2);
});

test("what was moved away and back is as it was", () => {
  const lower = memory({ "d/a": "1", "b": "2" });
  const draft = overlay(lower);
  for (const [from, to] of [["b", "c"], ["d", "e"], ["e/a", "x"], ["x", "e/a"], ["e", "d"]]) {
    assert.equal(draft.rename(from!, draft, to!), 0);
  }
  assert.deepEqual(draft.changes(), [
    { path: "b", kind: "removed" },
    { path: "c", kind: "added", from: "b" },
  ]);
  draft.commit();
  assert.deepEqual(lower.toObject(), { d: { a: bytes("1") }, c: bytes("2") });
});

test("what was cut away does not come back", () => {
  for (const size of [100, 65536, 65537, 200000]) {
    const files = memory({ f: new Uint8Array(300000).fill(1) });
    const over = overlay(files);
    for (const directory of [over, files]) {
      const file = directory.open("f", Open.READ | Open.WRITE, 0) as File;
      assert.equal(file.setSize(size), 0);
      assert.equal(file.setSize(300000), 0);
      const all = directory.bytes("f");
      assert.ok(all.subarray(0, size).every((byte) => byte === 1));
      assert.ok(all.subarray(size).every((byte) => byte === 0));
      file.close();
    }
  }
});

test("archives go both ways, with links, modes and times", async () => {
  const files = memory({
    "a.txt": new MemoryFile("hello", { mode: 0o755, mtime: 1234567890000000000n }),
    d: { e: {}, l: new MemoryLink("../a.txt") },
    ["n".repeat(120)]: { ["ä".repeat(60)]: "long" },
  });
  files.linkTo("a.txt", "d/hard");
  const archive = await toTar(files);
  assert.deepEqual(await toTar(files), archive);
  const back = await fromTar(archive);
  assert.deepEqual(back.toObject(), files.toObject());
  const entry = [...back.entries()].find(({ path }) => path === "a.txt")!;
  assert.deepEqual([entry.mode, entry.mtime], [0o755, 1234567890000000000n]);
  back.write("a.txt", "changed");
  assert.equal(back.text("d/hard"), "changed");
});

test("the system's tar reads what is packed, and its archives are read", async (t) => {
  if (spawnSync("tar", ["--version"]).status !== 0) return t.skip("no tar on this machine");
  const folder = scratch("tar");
  const archive = path.join(folder, "a.tar");
  const files = memory({ "x/y.txt": "content", l: new MemoryLink("x/y.txt") });
  fs.writeFileSync(archive, await toTar(files));
  assert.equal(spawnSync("tar", ["-xf", archive, "-C", folder]).status, 0);
  assert.equal(fs.readFileSync(path.join(folder, "l"), "utf8"), "content");
  assert.equal(spawnSync("tar", ["-cf", archive, "-C", folder, "x", "l"]).status, 0);
  const back = await fromTar(new Uint8Array(fs.readFileSync(archive)));
  assert.deepEqual(back.toObject(), {
    x: { "y.txt": bytes("content") },
    l: new MemoryLink("x/y.txt"),
  });
});

test("an archive cannot reach out of its directory, and a broken one is refused", async () => {
  const evil = await toTar(memory({ "xx/evil": "x" }));
  const text = new TextDecoder("latin1").decode(evil);
  const at = text.indexOf("xx/evil");
  evil.set(bytes("../evil"), at);
  // the checksum counts the header's bytes: "." instead of "x" twice
  const sum = parseInt(text.slice(at + 148, at + 154), 8) - 2 * (120 - 46);
  evil.set(bytes(sum.toString(8).padStart(6, "0")), at + 148);
  await assert.rejects(fromTar(evil), { code: "EPERM" });
  await assert.rejects(fromTar(new Uint8Array(1024).fill(65)));
});
