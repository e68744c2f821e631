/** What a guest that means harm does to directories in memory, and what it must not cost. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { memory, MemoryLink } from "../../core/directories/memory/mod.ts";
import { type BrowserDirectoryHandle, opfs } from "../../core/directories/opfs.ts";
import { Quota, QuotaDirectory } from "../../core/directories/quota.ts";
import { StableDirectory, StableNumbers } from "../../core/directories/stable.ts";
import { WebClock } from "../../adapters/clock.ts";
import { Errno } from "../../core/preview1/abi.ts";
import { FileStat } from "../../core/filestat.ts";
import { type Directory, type DirentSink, type File, Open } from "../../core/host.ts";
import { fromTar, toTar } from "../../tar.ts";

const MIB = 1 << 20;
/** Some make very many files. */
const options = { timeout: 60_000 };

function make(directory: Directory, name: string): File {
  const file = directory.open(name, Open.READ | Open.WRITE | Open.CREAT, 0);
  assert.notEqual(typeof file, "number", `open ${name}: ${file}`);
  return file as File;
}

/** Collects garbage where that can be asked for: Bun's collector waits long in a large process. */
function collect(): void {
  (globalThis as { Bun?: { gc(now: boolean): void } }).Bun?.gc(true);
}

/** By how much the process grows. */
function growth(use: () => void): number {
  const before = process.memoryUsage().rss;
  use();
  return process.memoryUsage().rss - before;
}

test("renaming to and fro takes no longer in a large directory", options, () => {
  const rename = (names: number): number => {
    const files = memory();
    for (let i = 0; i < names; i++) make(files, `f${i}`).close();
    const began = performance.now();
    for (let i = 0; i < 20_000; i++) {
      const [from, to] = i % 2 === 0 ? ["f0", "g"] : ["g", "f0"];
      assert.equal(files.rename(from!, files, to!), 0);
    }
    const took = performance.now() - began;
    assert.equal([...files.paths()].length, names);
    return took;
  };
  rename(10);
  const small = Math.min(rename(10), rename(10));
  const large = rename(150_000);
  assert.ok(large < 10 * small + 300, `10 names: ${small} ms, 150,000 names: ${large} ms`);
});

test(
  "limits cost no more by opening again what is there, whatever else is counted",
  options,
  () => {
    const reopen = (names: number): number => {
      const quota = new Quota(1e6, 1e6);
      const directory = new QuotaDirectory(memory({ f: "" }), quota);
      for (let i = 0; i < names; i++) {
        const file = make(directory, `f${i}`);
        assert.equal(file.write(Uint8Array.of(1), 0, 1, 0), 1);
        file.close();
      }
      const began = performance.now();
      for (let i = 0; i < 20_000; i++) make(directory, "f").close();
      const took = performance.now() - began;
      assert.equal(quota.room, 1e6 - names);
      for (let i = 0; i < names; i++) assert.equal(directory.unlink(`f${i}`), 0);
      assert.equal(quota.room, 1e6);
      return took;
    };
    reopen(10);
    const small = Math.min(reopen(10), reopen(10));
    const large = reopen(50_000);
    assert.ok(large < 10 * small + 200, `10 files: ${small} ms, 50,000 files: ${large} ms`);
  },
);

test("cutting the end off takes no longer in a large file", options, () => {
  const cut = (pages: number): number => {
    const file = make(memory(), "f");
    const put = (index: number): void => {
      assert.equal(file.write(Uint8Array.of(1), 0, 1, index * 65536), 1);
    };
    for (let i = 0; i < pages; i++) put(i);
    const began = performance.now();
    for (let i = 0; i < 1_000; i++) {
      assert.equal(file.setSize((pages - 1) * 65536), 0);
      put(pages - 1);
    }
    return performance.now() - began;
  };
  cut(10);
  const small = Math.min(cut(10), cut(10));
  const large = cut(100_000);
  assert.ok(large < 10 * small + 300, `10 pages: ${small} ms, 100,000 pages: ${large} ms`);
});

test("what was removed keeps no memory, whatever else there is", options, () => {
  const quota = new Quota(2 * MIB, 10_000);
  const directory = new QuotaDirectory(memory(), quota);
  for (let i = 0; i < 2_000; i++) make(directory, `f${i}`).close();
  const content = new Uint8Array(MIB).fill(1);
  const files = growth(() => {
    for (let i = 0; i < 600; i++) {
      const file = make(directory, "f");
      assert.equal(file.write(content, 0, MIB, 0), MIB);
      file.close();
      assert.equal(directory.unlink("f"), 0);
      if (i % 50 === 0) collect();
    }
  });
  assert.ok(files < 300 * MIB, `files: ${files} bytes`);
  assert.equal(quota.room, 2 * MIB);
});

test("files in memory have other numbers than a host's, so that none is taken for another", () => {
  const stat = new FileStat();
  const numbers = new Set<bigint>();
  for (let i = 0; i < 3; i++) {
    assert.equal(memory({ f: "" }).statAt("f", false, stat), 0);
    // Linux has 32 bits of them, macOS too
    assert.ok(stat.dev > 0xffff_ffffn, `${stat.dev}`);
    numbers.add(stat.dev);
  }
  assert.equal(numbers.size, 3);
});

test("in a run that can be repeated a list goes on with the numbers it began with", () => {
  const directory = new StableDirectory(memory(), new StableNumbers(new WebClock()));
  for (const name of ["a", "b", "c"]) make(directory, name).close();
  const list = (cookie: bigint, count: number): [name: string, ino: bigint, next: bigint][] => {
    const seen: [string, bigint, bigint][] = [];
    const sink = {
      add(next: bigint, ino: bigint, _filetype: number, name: string): boolean {
        if (seen.length === count) return false;
        seen.push([name, ino, next]);
        return true;
      },
    };
    assert.equal(directory.list(cookie, sink as unknown as DirentSink), 0);
    return seen;
  };
  const all = list(0n, 10);
  const last = all.reduce((most, [, ino]) => ino > most ? ino : most, 0n);
  const whole = all.filter(([name]) => !name.startsWith("."));
  assert.deepEqual(whole.map(([name]) => name), ["a", "b", "c"]);
  const [[, , next]] = list(0n, 3).slice(-1) as [[string, bigint, bigint]]; // ".", "..", "a"
  assert.equal(directory.unlink("b"), 0);
  assert.deepEqual(list(next, 1)[0]!.slice(0, 2), whole[1]!.slice(0, 2));
  // and what is gone has got no new number meanwhile
  make(directory, "d").close();
  const stat = new FileStat();
  assert.equal(directory.statAt("d", false, stat), 0);
  const made = list(0n, 10).find(([name]) => name === "d")!;
  assert.equal(made[1], stat.ino);
  assert.equal(stat.ino, last + 1n);
});

test("a link leads no further than a path may be long, and none is followed that is longer", async () => {
  const files = memory();
  const { NAMETOOLONG } = Errno;
  assert.equal(files.symlink("a/".repeat(2_047), "a"), 0);
  assert.equal(files.symlink("x".repeat(4_095), "b"), 0);
  assert.equal(files.symlink("x".repeat(4_096), "c"), -NAMETOOLONG);
  assert.equal(files.symlink("ä".repeat(2_048), "c"), -NAMETOOLONG);
  assert.throws(() => memory({ d: { l: new MemoryLink("/".repeat(1e6)) } }), {
    code: "ENAMETOOLONG",
    message: /"d\/l"/,
  });
  assert.equal(files.open("a", Open.READ | Open.FOLLOW, 0), -Errno.LOOP);
  assert.equal((await toTar(files)).length % 512, 0);
});

/** An archive of one file with other bytes in its header. */
async function archive(at: number, bytes: number[]): Promise<Uint8Array> {
  const packed = await toTar(memory({ a: "1" }));
  packed.set(bytes, at);
  packed.fill(32, 148, 156); // the sum is made as if it were spaces
  const sum = packed.subarray(0, 512).reduce((sum, byte) => sum + byte, 0);
  packed.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return packed;
}

test("an archive's time that is none is left out", async () => {
  const late = [0x80, 0, 0, 0, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]; // 2 ** 53 - 1 seconds
  const before = BigInt(Date.now()) * 1_000_000n;
  const [entry] = (await fromTar(await archive(136, late))).entries();
  const age = Number((entry!.mtime - before) / 1_000_000n);
  assert.ok(age >= 0 && age < 60_000, `${entry!.mtime}`);
  assert.deepEqual([entry!.path, entry!.size], ["a", 1]);
  // 8 ** 11 - 1 seconds are a time
  const [other] = (await fromTar(await archive(136, [...new TextEncoder().encode("7".repeat(11))])))
    .entries();
  assert.equal(other!.mtime, 8_589_934_591_000_000_000n);
});

/** A browser's directory: what is stored, and how often somebody wrote. */
function browserFolder(): {
  handle: BrowserDirectoryHandle;
  stored: Map<string, Uint8Array>;
  fail: number;
} {
  const stored = new Map<string, Uint8Array>();
  const state = { handle: folder("", ""), stored, fail: Infinity };
  function folder(name: string, path: string): BrowserDirectoryHandle {
    return {
      kind: "directory",
      name,
      async *values() {},
      // deno-lint-ignore require-await
      async getFileHandle(name) {
        return {
          kind: "file",
          name,
          getFile: () => Promise.reject(new Error("not read here")),
          // deno-lint-ignore require-await
          async createWritable() {
            if (state.fail-- === 0) throw new Error("full");
            return {
              // deno-lint-ignore require-await
              write: async (data) => void stored.set(path + name, data),
              close: () => Promise.resolve(),
            };
          },
        };
      },
      getDirectoryHandle: (name) => Promise.resolve(folder(name, `${path}${name}/`)),
      // deno-lint-ignore require-await
      removeEntry: async (name) => void stored.delete(path + name),
    };
  }
  return state;
}

test("opfs: names of one file are written from one array, and what failed is written later", async () => {
  const browser = browserFolder();
  const files = await opfs(browser.handle);
  files.write("d/f0", new Uint8Array(MIB));
  for (let i = 1; i < 2_000; i++) files.linkTo("d/f0", `d/f${i}`); // copied, they were 2 GB
  browser.fail = 1_000;
  await assert.rejects(files.flush(), /full/);
  assert.equal(browser.stored.size, 1_000);
  files.write("later", "x");
  await files.flush();
  assert.equal(browser.stored.size, 2_001);
  assert.equal(browser.stored.get("later")![0], 120);
  browser.stored.delete("later");
  assert.equal(new Set(browser.stored.values()).size, 1);
  files.write("l", new MemoryLink("f"));
  await assert.rejects(files.flush(), { code: "ENOTSUP", message: /"l"/ });
});

test("opfs: any number of changes is written back", options, async () => {
  const browser = browserFolder();
  let made = 0;
  browser.handle.getDirectoryHandle = () => Promise.resolve(((made++), browser.handle));
  const files = await opfs(browser.handle);
  const count = 130_000; // more than a function can be given
  for (let i = 0; i < count; i++) assert.equal(files.mkdir(`d${i}`), 0);
  await files.flush();
  assert.equal(made, count);
});
