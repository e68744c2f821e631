/** What a limit on the disk counts of files that take memory without growing. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Quota, QuotaDirectory } from "../../core/directories/quota.ts";
import { type Directory, type File, Open } from "../../core/host.ts";
import { Errno, memory, overlay, WASI } from "../../mod.ts";
import { scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const folder = scratch("copied-limits");
const PAGE = 65536;
const RW = Open.READ | Open.WRITE;
const MIB = 1 << 20;

function open(directory: Directory, name: string, flags: number): File {
  const file = directory.open(name, flags, 0);
  assert.notEqual(typeof file, "number", `open ${name}: ${file}`);
  return file as File;
}

/** Writes one byte. */
function put(file: File, position: number): number {
  return file.write(Uint8Array.of(1), 0, 1, position);
}

/** Writes a byte into each page of "f", in place; exits with the errno that ends that. */
const OVERWRITES = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite"
    (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "f")
  (data (i32.const 64) "\\01")
  (data (i32.const 8) "\\40\\00\\00\\00\\01\\00\\00\\00")
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $exit (local.get $errno)))))
  (func (export "_start") (local $at i64)
    (call $check (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
      (i32.const 0) (i64.const 0x44) (i64.const 0x44) (i32.const 0) (i32.const 32)))
    (loop $next
      (call $check (call $pwrite
        (i32.load (i32.const 32)) (i32.const 8) (i32.const 1) (local.get $at) (i32.const 40)))
      (local.set $at (i64.add (local.get $at) (i64.const ${PAGE})))
      (br_if $next (i64.lt_u (local.get $at) (i64.const ${64 * MIB}))))))`;

test("a guest cannot make an overlay copy more than its limit of what lies beneath", async () => {
  const file = path.join(folder, "f");
  fs.writeFileSync(file, "");
  fs.truncateSync(file, 64 * MIB);
  const module = await WebAssembly.compile(await assemble(OVERWRITES) as Uint8Array<ArrayBuffer>);
  for (const [limits, expected] of [[{ diskBytes: MIB }, Errno.DQUOT], [{}, 0]] as const) {
    const draft = overlay(folder);
    const wasi = new WASI({ version: "preview1", preopens: { "/": draft }, limits });
    const before = process.memoryUsage().rss;
    const code = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
    const used = process.memoryUsage().rss - before;
    assert.equal(code, expected);
    if (expected !== 0) assert.ok(used < 16 * MIB, `${used} bytes`);
    // as far as it came, it has its bytes
    const written = open(draft, "f", Open.READ);
    const one = new Uint8Array(1);
    const pages = limits.diskBytes === undefined ? 1024 : MIB / PAGE;
    for (let i = 0; i < 1024; i += 5) {
      assert.equal(written.read(one, 0, 1, i * PAGE), 1);
      assert.equal(one[0], i < pages ? 1 : 0, `page ${i}`);
    }
    written.close();
    draft.close();
  }
  assert.equal(fs.readFileSync(file).indexOf(1), -1);
});

/** Directories whose file "f" of 4 pages takes memory when it is written to. */
const copying: Record<string, () => Directory> = {
  "an overlay": () => overlay(memory({ f: new Uint8Array(4 * PAGE) })),
  "an overlay over an overlay": () => overlay(overlay(memory({ f: new Uint8Array(4 * PAGE) }))),
  "a directory in memory with a snapshot": () => {
    const files = memory({ f: new Uint8Array(4 * PAGE) });
    files.snapshot();
    return files;
  },
  "one array at two names": () => {
    const same = new Uint8Array(4 * PAGE);
    return memory({ other: same, f: same });
  },
  "a file of holes": () => {
    const files = memory({ f: "" });
    open(files, "f", RW).setSize(4 * PAGE);
    return files;
  },
};

for (const [title, make] of Object.entries(copying)) {
  test(`${title}: pages count once, and what goes is free again`, () => {
    const quota = new Quota(3 * PAGE, 100);
    const directory = new QuotaDirectory(make(), quota);
    const file = open(directory, "f", RW);
    assert.equal(put(file, 5), 1);
    assert.equal(put(file, 6), 1);
    assert.equal(quota.room, 2 * PAGE);
    // over the border of two pages, of which one is there
    assert.equal(file.write(new Uint8Array(20), 0, 20, PAGE - 10), 20);
    assert.equal(quota.room, PAGE);
    assert.equal(file.write(new Uint8Array(2 * PAGE), 0, 2 * PAGE, 2 * PAGE), -Errno.DQUOT);
    assert.equal(quota.room, PAGE);
    // what it grows by counts as ever, with the page that is copied for it
    assert.equal(put(file, 4 * PAGE), 1);
    assert.equal(quota.room, PAGE - 1);
    assert.equal(put(file, 2 * PAGE), -Errno.DQUOT);
    // cutting gives back what is gone, and no more
    assert.equal(file.setSize(3 * PAGE), 0);
    assert.equal(quota.room, PAGE);
    assert.equal(file.setSize(2 * PAGE), 0);
    assert.equal(quota.room, PAGE);
    assert.equal(file.setSize(PAGE), 0);
    assert.equal(quota.room, 2 * PAGE);
    assert.equal(file.setSize(PAGE + 100), 0);
    assert.equal(put(file, PAGE), 1);
    assert.equal(quota.room, 2 * PAGE - 100);
    // so does removing, once it is closed
    assert.equal(directory.unlink("f"), 0);
    assert.equal(quota.room, 2 * PAGE - 100);
    file.close();
    assert.equal(quota.room, 3 * PAGE);
  });

  test(`${title}: what was copied stays counted after closing, until it is cut`, () => {
    const quota = new Quota(3 * PAGE, 100);
    const directory = new QuotaDirectory(make(), quota);
    for (let i = 0; i < 2; i++) {
      const file = open(directory, "f", RW);
      assert.equal(put(file, 0), 1);
      file.close();
      assert.equal(quota.room, 2 * PAGE);
    }
    open(directory, "f", RW | Open.TRUNC).close();
    assert.equal(quota.room, 3 * PAGE);
  });
}

test("appending to what lies beneath counts what is copied for it", () => {
  const quota = new Quota(100_000, 100);
  const directory = new QuotaDirectory(overlay(memory({ f: new Uint8Array(60_000) })), quota);
  const file = open(directory, "f", RW);
  assert.equal(put(file, 60_000), 1);
  assert.equal(quota.room, 39_999);
  assert.equal(put(file, 60_001), 1);
  assert.equal(quota.room, 39_998);
});

test("what a directory in memory has of its own is overwritten for nothing", () => {
  const quota = new Quota(10, 100);
  const directory = new QuotaDirectory(memory({ f: new Uint8Array(4 * PAGE) }), quota);
  const file = open(directory, "f", RW);
  assert.equal(file.write(new Uint8Array(4 * PAGE), 0, 4 * PAGE, 0), 4 * PAGE);
  assert.equal(put(file, 4 * PAGE), 1);
  assert.equal(quota.room, 9);
});

test("a file takes no more memory than its size when it was cut", { timeout: 60_000 }, () => {
  const files = memory();
  const count = 10_000; // of a page each they were 655 MB
  const page = new Uint8Array(PAGE).fill(1);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < count; i++) {
    const file = open(files, `f${i}`, RW | Open.CREAT);
    file.write(page, 0, PAGE, 0);
    assert.equal(file.setSize(300), 0);
    assert.equal(file.setSize(1000), 0);
    file.close();
  }
  const used = process.memoryUsage().rss - before;
  assert.ok(used < 450 * MIB, `${used} bytes`);
  const expected = new Uint8Array(1000).fill(1, 0, 300);
  assert.deepEqual(files.bytes(`f${count - 1}`), expected);
});

test("names of a removed file beneath keep no memory", () => {
  const lower = memory({ f: new Uint8Array(PAGE) });
  lower.linkTo("f", "g");
  const quota = new Quota(PAGE, 100);
  const draft = overlay(lower);
  const directory = new QuotaDirectory(draft, quota);
  const file = open(directory, "f", RW);
  assert.equal(put(file, 0), 1);
  assert.equal(quota.room, 0);
  assert.equal(directory.unlink("f"), 0);
  assert.equal(quota.room, 0);
  assert.equal(directory.unlink("g"), 0);
  const one = new Uint8Array(1);
  assert.equal(file.read(one, 0, 1, 0), 1);
  assert.equal(one[0], 1);
  file.close();
  assert.equal(quota.room, PAGE);
  draft.commit();
  assert.deepEqual([...lower.paths()], []);
});
