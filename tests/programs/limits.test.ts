/**
 * CPython with scripts that take all they can get: what `limits` leaves them, to the byte, in
 * memory, in a real folder and over one.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import {
  Errno,
  limitMemory,
  memory,
  type MemoryDirectory,
  OutputBuffer,
  overlay,
  WASI,
} from "../../mod.ts";
import { compile, root, scratch } from "../support/harness.ts";
import { answer, encoder, PYTHON, python, start } from "../support/programs.ts";

const options = { timeout: 120_000 };

/** A kind of directory that a guest can fill, and the bytes in all its files. */
interface Disk {
  directory: string | MemoryDirectory;
  bytes(): number;
}

function memoryBytes(directory: MemoryDirectory): number {
  return [...directory.entries()].reduce((sum, { content }) => sum + content.length, 0);
}

function folderBytes(folder: string): number {
  return (fs.readdirSync(folder, { recursive: true }) as string[])
    .map((name) => fs.lstatSync(path.join(folder, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}

const disks: Record<string, () => Disk> = {
  memory() {
    const directory = memory();
    return { directory, bytes: () => memoryBytes(directory) };
  },
  folder() {
    const directory = scratch("wasi-values");
    return { directory, bytes: () => folderBytes(directory) };
  },
  overlay() {
    const directory = overlay(scratch("wasi-values"));
    return { directory, bytes: () => memoryBytes(directory) };
  },
};

/** What is there before the guest comes. */
const OLD = new Uint8Array(70_001).fill(1);

/** Fills the disk in every way there is and tells how far it came. */
const FILL = `
import json, os
os.chdir("/data")
told = []
def fill(name, at=0, flags=0):
    f = os.open(name, os.O_WRONLY | os.O_CREAT | flags)
    end = os.lseek(f, at, 0)
    try:
        while end < 5_000_000: end += os.write(f, b"x" * 7001)
        told.append([end, "without end"])
    except OSError as e: told.append([end, e.errno])
    os.close(f)
def tried(call, *given):
    try: call(*given)
    except OSError as e: told.append(e.errno)
    else: told.append("done")
fill("a")
fill("b")
os.remove("a")
fill("b")
os.truncate("b", 600_000)
fill("c")
with open("b", "r+b") as f: f.write(b"y" * 600_000)
os.replace("c", "b")
fill("d", flags=os.O_APPEND)
os.remove("b")
os.remove("d")
fill("sparse", 999_990)
os.remove("sparse")
fill("sparse", 2_000_000)
told.append(os.path.getsize("sparse"))
tried(os.truncate, "sparse", 1_000_001)
tried(os.truncate, "sparse", 1_000_000)
fill("e")
os.truncate("sparse", 0)
f = os.open("sparse", os.O_WRONLY)
tried(os.posix_fallocate, f, 500_000, 500_001)
tried(os.posix_fallocate, f, 500_000, 500_000)
os.unlink("sparse")
fill("e")
os.close(f)
fill("e")
open("e", "w").close()
tried(lambda: open("whole", "wb").write(b"z" * 2_000_000))
print(json.dumps(told))
`;

for (const [kind, make] of Object.entries(disks)) {
  test(`python fills its megabyte and no more (${kind})`, options, () => {
    const { directory, bytes } = make();
    const told = answer(FILL, {
      preopens: { "/data": directory },
      limits: { diskBytes: 1_000_000 },
    });
    const { DQUOT } = Errno;
    assert.deepEqual(told, [
      [1_000_000, DQUOT], // a
      [0, DQUOT], // b, as long as there is an a
      [1_000_000, DQUOT], // b alone
      [400_000, DQUOT], // c beside 600,000 of b
      [600_000, DQUOT], // d beside c, which has taken the place of b
      [1_000_000, DQUOT], // ten bytes after a hole
      [2_000_000, DQUOT], // a hole that is too large
      0,
      DQUOT,
      "done",
      [0, DQUOT], // e beside nothing but a hole
      DQUOT,
      "done",
      [0, DQUOT], // e, while a file without a name is open
      [1_000_000, DQUOT], // and when it is closed
      DQUOT,
    ]);
    assert.ok(bytes() <= 1_000_000, `${bytes()} bytes`);
  });
}

test("what was there before is not counted; what the guest adds to it is", options, () => {
  const files = memory({ old: OLD, other: OLD.slice() }); // one array at both names is copied late
  const script = `
import json, os
os.chdir("/data")
told = []
def grow(name):
    f, count = os.open(name, os.O_WRONLY | os.O_APPEND), 0
    try:
        while count < 50_000: count += os.write(f, b"x" * 999)
    except OSError: os.close(f)
    told.append(count)
with open("old", "r+b") as f: f.write(b"y" * ${OLD.length})
grow("old")
os.remove("other")
grow("old")
os.truncate("old", ${OLD.length})
grow("old")
print(json.dumps(told))
`;
  const preopens = { "/data": files };
  assert.deepEqual(answer(script, { preopens, limits: { diskBytes: 5000 } }), [5000, 0, 5000]);
  assert.equal(memoryBytes(files), OLD.length + 5000);
});

for (const [kind, make] of Object.entries(disks)) {
  test(`python makes fifty names and no more (${kind})`, options, () => {
    const { directory } = make();
    const script = `
import json, os
os.chdir("/data")
def tried(call, *given):
    try: call(*given)
    except OSError as e: return e.errno
    return "done"
def touch(name): open(name, "x").close()
made = 0
while made < 500 and tried(touch, "f%d" % made) == "done": made += 1
told = [made, tried(touch, "x"), tried(os.mkdir, "d"), tried(os.symlink, "f0", "l"),
    tried(os.link, "f0", "h"), tried(os.rename, "f0", "g0"), tried(open, "f1", "w"),
    tried(touch, "f1"), len(os.listdir("."))]
os.remove("g0")
told += [tried(os.mkdir, "d"), tried(os.mkdir, "e"), tried(os.rename, "f1", "d/f1")]
os.replace("f2", "f3")
told += [tried(os.link, "f4", "d/h"), tried(touch, "y")]
os.remove("d/h")
told += [tried(os.symlink, "f0", "l"), tried(os.symlink, "f0", "m")]
os.remove("l")
os.remove("d/f1")
os.rmdir("d")
told += [tried(touch, name) for name in "uvwxyz"]
told.append(len(os.listdir(".")))
print(json.dumps(told))
`;
    const { DQUOT, EXIST } = Errno;
    const preopens = { "/data": directory };
    assert.deepEqual(
      answer(script, { preopens, limits: { files: 50 } }),
      [
        [50, DQUOT, DQUOT, DQUOT, DQUOT, "done", "done", EXIST, 50],
        ["done", DQUOT, "done"],
        ["done", DQUOT],
        ["done", DQUOT],
        ["done", "done", "done", DQUOT, DQUOT, DQUOT, 50],
      ].flat(),
    );
  });
}

test("python keeps no more by keeping it open, or by many names of one link", options, () => {
  const files = memory();
  const script = `
import json, os
os.chdir("/data")
told, held = [], []
try:
    for i in range(50):
        held.append(os.open("f", os.O_RDONLY | os.O_CREAT))
        with open("f", "wb", 0) as f: told.append(f.write(b"x" * 40_000))
        os.unlink("f")
except OSError as e: told.append(e.errno)
told.append(sum(os.fstat(f).st_size for f in held) <= 100_000)
for f in held: os.close(f)
os.unlink("f")
os.symlink("t" * 4000, "link")
for i in range(100):
    os.link("link", "again")
    os.unlink("again")
with open("f", "wb", 0) as f: told.append(f.write(b"x" * 100_000))
print(json.dumps(told))
`;
  const told = answer(script, { preopens: { "/data": files }, limits: { diskBytes: 100_000 } });
  assert.deepEqual(told, [40_000, 40_000, 20_000, Errno.DQUOT, true, 96_000]);
});

test("python opens ten files at once and no more", options, () => {
  const script = `
import json, os
opened, told = [], []
def more():
    for i in range(500):
        try: opened.append(os.open("/data/f", os.O_RDONLY | os.O_CREAT))
        except OSError as e: return told.append([len(opened), e.errno])
more()
try: os.listdir("/data")
except OSError as e: told.append(e.errno)
told.append(os.stat("/data/f").st_size)
for f in opened[:3]: os.close(f)
del opened[:3]
told.append(os.listdir("/data"))
more()
for f in opened: os.close(f)
for i in range(1000): open("/data/f").close()
print(json.dumps(told))
`;
  const { MFILE } = Errno;
  for (const kind of ["memory", "folder"]) {
    const { directory } = disks[kind]!();
    assert.deepEqual(
      answer(script, { preopens: { "/data": directory }, limits: { openFiles: 10 } }),
      [[10, MFILE], MFILE, 0, ["f"], [10, MFILE]],
    );
  }
});

test("python prints ten thousand bytes and no more", options, () => {
  const files = memory();
  const [stdout, stderr] = [new OutputBuffer(), new OutputBuffer()];
  const script = `
import os, sys
os.write(2, b"e" * 3000)
n = 0
try:
    while n < 100_000:
        print("line", n)
        n += 1
except OSError as e: told = [e.errno]
for fd in (1, 2):
    try: told.append(os.write(fd, b"more"))
    except OSError as e: told.append(e.errno)
with open("/data/told", "w") as f: f.write(repr(told))
os._exit(7)
`;
  const limits = { outputBytes: 10_000 };
  python(script, { preopens: { "/data": files }, stdout, stderr, limits }, [], 7);
  const { FBIG } = Errno;
  assert.equal(files.text("told"), `[${FBIG}, ${FBIG}, ${FBIG}]`);
  assert.equal(stderr.text(), "e".repeat(3000));
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join("");
  assert.equal(stdout.bytes.length, 7000);
  assert.equal(stdout.text(), lines.slice(0, 7000));
  stdout.clear();
  const endless = `for i in range(100_000): print("x" * 99)`;
  const { code } = start(compile(PYTHON), ["python", "-c", endless], { stdout, limits });
  assert.notEqual(code, 0);
  assert.equal(stdout.text(), `${"x".repeat(99)}\n`.repeat(100));
});

test("python meets the end of its memory and lives on", options, () => {
  const PAGES = 1600; // it begins with 160
  const module = new WebAssembly.Module(
    new Uint8Array(limitMemory(fs.readFileSync(path.join(root, PYTHON)), PAGES)),
  );
  const stdout = new OutputBuffer();
  const script = `
import json
def fill():
    blocks = []
    try:
        while len(blocks) < 1000: blocks.append(bytearray(1 << 20))
    except MemoryError: return len(blocks)
told = [fill(), fill()]
try: bytearray(1 << 30)
except MemoryError: told.append("large")
print(json.dumps([*told, sum(bytearray(b"\\1") * (1 << 20))]))
`;
  const wasi = new WASI({
    version: "preview1",
    args: ["python", "-"],
    stdin: encoder.encode(script),
    stdout,
    limits: { memoryPages: PAGES },
  });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  assert.equal(wasi.start(instance), 0);
  const [first, second, ...rest] = JSON.parse(stdout.text());
  for (const blocks of [first, second]) {
    assert.ok(blocks >= 70 && blocks <= 100, `${blocks} blocks`);
  }
  assert.deepEqual(rest, ["large", 1 << 20]);
  const memory = instance.exports.memory as WebAssembly.Memory;
  assert.ok(memory.buffer.byteLength <= PAGES * 65536);
});

test("python is stopped when its memory has grown beyond limits.memoryPages", options, () => {
  const files = memory();
  const script = `
import time
try:
    data = bytearray(200 << 20)
    time.time()
except BaseException: open("/data/caught", "w").close()
open("/data/after", "w").close()
`;
  const run = (memoryPages: number): unknown =>
    python(script, { preopens: { "/data": files }, limits: { memoryPages } });
  assert.throws(() => run(1600), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => run(100), { code: "ERR_OUT_OF_RANGE" });
  assert.deepEqual([...files.paths()], []);
  run(6400);
  assert.deepEqual([...files.paths()], ["after"]);
});
