/** CPython with a clock and a source of randomness of its own: runs that can be repeated. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { type Directory, host, memory, MemoryLink } from "../../mod.ts";
import { scratch } from "../support/harness.ts";
import { answer, type Options, python } from "../support/programs.ts";

const options = { timeout: 120_000 };
const large = "größe".repeat(50_000);

/** Prints all that a clock, a source of randomness and a disk can make differ between two runs. */
const REPEATABLE = `
import json, os, random, sys, tempfile, time, uuid
began = time.time_ns(), time.monotonic_ns(), time.perf_counter_ns(), time.process_time_ns()
time.sleep(1000)
slept = time.time_ns() - began[0], time.monotonic_ns() - began[1]
print(json.dumps([began, slept]))
print(os.urandom(20).hex(), random.random(), uuid.uuid4(), uuid.uuid1())
print(hash("text"), hash(b"bytes"), {"a", "b", "c", "d", "e", "f"}, id(object()))
os.chdir("/data")
def tell(top="."):
    print(top, os.listdir(top), *(tuple(s) + (s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)
        for s in [os.stat(top)]))
    for e in os.scandir(top):
        s = os.lstat(e.path)
        print(e.path, e.inode(), tuple(s), s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)
        if e.is_dir(follow_symlinks=False): tell(e.path)
tell()
for i in range(12):
    with open("passing", "w") as f: f.write("x")
    print(os.stat("passing"))
    os.remove("passing")
    if i % 3 == 0: open("kept%d" % i, "w").close()
    if i % 4 == 0: os.mkdir("made%d" % i)
f = open("unlinked", "w")
os.remove("unlinked")
open("next", "w").close()
print(os.fstat(f.fileno()), os.stat("next"))
f.close()
open("after", "w").close()
os.rename("sub/inner", "moved")
os.replace("moved", "b")
os.rmdir("made4")
os.link("a", "again")
os.symlink("a", "to-a")
with open("c", "a") as f: f.write("more")
open("d", "w").close()
os.utime("ü", ns=(1_000_000_007, 2_000_000_011))
for i in range(3):
    with tempfile.NamedTemporaryFile(dir=".", delete=False) as f: print(f.name, f.write(b"abc"))
print(tempfile.mkdtemp(dir="."))
tell()
print(time.time_ns(), time.monotonic_ns(), os.urandom(8).hex())
`;

/** The same files, made in another order and at other times if `other`. */
function makeAgain(other: boolean): string {
  const folder = scratch("wasi-values");
  const at = (name: string): string => path.join(folder, name);
  const steps = [
    () => fs.writeFileSync(at("a"), "a"),
    () => fs.writeFileSync(at("b"), "bb"),
    () => fs.writeFileSync(at("c"), "ccc"),
    () => fs.writeFileSync(at("d"), "dddd"),
    () => fs.writeFileSync(at("ü"), large),
    () => fs.symlinkSync("ü", at("link")),
    () => {
      fs.mkdirSync(at("sub"));
      for (const name of other ? ["inner", "x", "y"] : ["y", "x", "inner"]) {
        fs.writeFileSync(at(`sub/${name}`), name);
      }
    },
    () => {
      fs.writeFileSync(at("one"), "linked");
      fs.linkSync(at("one"), at("two"));
    },
  ];
  // numbers that are free in between, which the next files may get
  if (other) { for (let i = 0; i < 40; i++) fs.writeFileSync(at(`junk${i}`), ""); }
  if (other) { for (let i = 0; i < 40; i += 2) fs.rmSync(at(`junk${i}`)); }
  for (const step of other ? steps.reverse() : steps) step();
  if (other) { for (let i = 1; i < 40; i += 2) fs.rmSync(at(`junk${i}`)); }
  for (const name of ["a", "c", "ü", "sub"]) {
    fs.utimesSync(at(name), 1_500_000_000 + Number(other), 1_600_000_000 + Number(other));
  }
  return folder;
}

/** The same files in memory. */
function inMemory(): Directory {
  const folder = makeAgain(false);
  const text = (name: string): string => fs.readFileSync(path.join(folder, name), "utf8");
  const sub = Object.fromEntries(["y", "x", "inner"].map((name) => [name, text(`sub/${name}`)]));
  const files = ["a", "b", "c", "d", "one"].map((name) => [name, text(name)]);
  return memory({ ...Object.fromEntries(files), ü: large, link: new MemoryLink("ü"), sub });
}

const repeatable: Record<string, (other: boolean) => [string | Directory, Options]> = {
  "in memory": () => [inMemory(), {}],
  "in a folder": (other) => [makeAgain(other), {}],
  "in a folder with limits": (other) => [
    makeAgain(other),
    { limits: { diskBytes: 1_000_000, files: 1000 } },
  ],
  "in a folder as a value": (other) => [host(makeAgain(other)), {}],
};

for (const [kind, make] of Object.entries(repeatable)) {
  test(`python's run ${kind} is the same again with the same clock and seed`, options, () => {
    const clock = 1_700_000_000_123_456_000n;
    const run = (other: boolean, random: number): string => {
      const [directory, more] = make(other);
      const { out } = python(REPEATABLE, {
        preopens: { "/data": directory },
        clock,
        random,
        ...more,
      });
      return out;
    };
    const began = performance.now();
    const lines = run(false, 7).split("\n");
    assert.deepEqual(run(true, 7).split("\n"), lines);
    const others = run(false, 8).split("\n");
    assert.ok(performance.now() - began < 60_000, "nobody slept");
    assert.equal(others.length, lines.length);
    assert.equal(others[0], lines[0]); // times
    assert.notEqual(others[1], lines[1]); // random numbers
    assert.notEqual(others[2], lines[2]); // hashes
    assert.notEqual(others.at(-2), lines.at(-2));
    const [times, slept] = JSON.parse(lines[0]!) as [number[], number[]];
    const wall = BigInt(times[0]!);
    assert.ok(wall >= clock && wall < clock + 1_000_000_000n, `${wall}`);
    for (const time of slept) assert.ok(time >= 1e12 && time < 1.001e12, `${time}`);
  });
}

test("with a clock and a seed python sees modules that it has just written", options, () => {
  // the import system asks a folder's time before it looks into it again
  const script = `
import sys
sys.path.insert(0, "/data")
sys.dont_write_bytecode = True
for i in range(3):
    with open("/data/made%d.py" % i, "w") as f: f.write("value = %d" % i)
    print(__import__("made%d" % i).value)
`;
  const more = { clock: 0n, random: 1 };
  for (const directory of [scratch("wasi-values"), host(scratch("wasi-values")), memory()]) {
    assert.equal(python(script, { preopens: { "/data": directory }, ...more }).out, "0\n1\n2\n");
  }
});

test("python lives by a clock and a source of bytes of the embedder's", options, () => {
  const waits: bigint[] = [];
  const asked: number[] = [];
  let monotonic = 5_000_000_000n;
  const script = `
import json, os, time
before = time.monotonic_ns()
time.sleep(3.5)
print(json.dumps([time.time_ns(), time.monotonic_ns() - before, os.urandom(5).hex()]))
`;
  const printed = answer(script, {
    clock: {
      now: (id) => id === 0 ? 123_456_789_000_000_000n : monotonic,
      wait: (nanoseconds) => {
        waits.push(nanoseconds);
        monotonic += nanoseconds;
      },
    },
    random(into) {
      asked.push(into.length);
      into.fill(0xab);
    },
  });
  assert.deepEqual(printed, [123_456_789_000_000_000, 3_500_000_000, "ababababab"]);
  assert.deepEqual(waits, [3_500_000_000n]);
  assert.ok(asked.includes(5));
});
