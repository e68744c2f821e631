/**
 * Hostile calls, made up from a seed: every function with every kind of wrong number, in a folder
 * with a tree of files, directories and links. The same seed makes the same calls.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { host, memory, MemoryLink, OutputBuffer, overlay, type WASIOptions } from "../../mod.ts";
import { preview1 } from "../../core/preview1/table.ts";
import { Guest } from "./guest.ts";
import { scratch } from "./harness.ts";
import type { Way } from "./hosts.ts";

/** Whole numbers below `limit`, from a seed (mulberry32). */
export function generator(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const NUMBERS = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 63, 64, 255, 1000, 4096, 65535, 65536];
const HUGE = [0x7fffffff, -0x80000000, -1, -2, 0x40000000, 1048575, 1048576, 1048577, 0x0fffffff];
const LONGS = [0n, 1n, 2n, 3n, 4096n, 0x3fffffffn, -1n, -2n, 1n << 31n, 1n << 32n, 1n << 40n];
const HUGE_LONGS = [(1n << 63n) - 1n, -(1n << 63n), (1n << 53n) - 1n, 1n << 53n, (1n << 62n) + 1n];
/** Paths, with what is beside the preopen on the disk and what is not there at all. */
export const PATHS: readonly string[] = [
  "file",
  "dir",
  "dir/inner",
  "dir/",
  "file/",
  ".",
  "..",
  "./",
  "../",
  "",
  "/",
  "/etc/passwd",
  "../secret",
  "dir/../../secret",
  "out",
  "out/",
  "out/.",
  "out/secret",
  "outfile",
  "dir/up",
  "dir/up/secret",
  "dir/up/../secret",
  "loop",
  "loop/x",
  "dangling",
  "in",
  "in/inner",
  "deep/er",
  "dir/..",
  "dir/.",
  "dir/../..",
  "a\0b",
  "\xff\xfe",
  "new",
  "new/",
  "dir/new",
  "x".repeat(300),
  "d/".repeat(3000),
  "../".repeat(200),
  "fifo",
  "a\\b",
  "..\\secret",
  "C:\\",
  "//",
  "file//",
  "./file",
  "dir//inner",
  "in/../secret",
  "in/..",
  "..\0",
  "proc/self/fd/0",
  ".. ",
  "...",
];

/** A tree to be attacked, with a secret beside it. */
export interface Arena {
  /** the folder above, which holds the preopen "inside" and nothing of the guest's */
  outside: string;
  inside: string;
  /** throws unless everything outside is as it was */
  verify(): void;
}

/** Makes a tree with every kind of link in it. */
export function arena(name: string): Arena {
  const outside = fs.mkdtempSync(path.join(scratch(name), "arena-"));
  const inside = path.join(outside, "inside");
  fs.mkdirSync(path.join(inside, "dir"), { recursive: true });
  fs.mkdirSync(path.join(outside, "folder"));
  fs.writeFileSync(path.join(outside, "secret"), "secret");
  fs.writeFileSync(path.join(outside, "folder", "secret"), "secret");
  fs.writeFileSync(path.join(inside, "file"), "file");
  fs.writeFileSync(path.join(inside, "dir", "inner"), "inner");
  fs.symlinkSync("../folder", path.join(inside, "out"));
  fs.symlinkSync("../secret", path.join(inside, "outfile"));
  fs.symlinkSync(path.join(outside, "secret"), path.join(inside, "absolute"));
  fs.symlinkSync("../..", path.join(inside, "dir", "up"));
  fs.symlinkSync("loop", path.join(inside, "loop"));
  fs.symlinkSync("nowhere", path.join(inside, "dangling"));
  fs.symlinkSync("dir", path.join(inside, "in"));
  const times = new Map<string, bigint>();
  const watched = ["", "secret", "folder", "folder/secret"];
  const state = (name: string): bigint =>
    fs.statSync(path.join(outside, name), { bigint: true }).mtimeNs;
  for (const name of watched) times.set(name, state(name));
  return {
    outside,
    inside,
    verify() {
      assert.deepEqual(fs.readdirSync(outside).sort(), ["folder", "inside", "secret"]);
      assert.deepEqual(fs.readdirSync(path.join(outside, "folder")), ["secret"]);
      assert.equal(fs.readFileSync(path.join(outside, "secret"), "utf8"), "secret");
      assert.equal(fs.readFileSync(path.join(outside, "folder", "secret"), "utf8"), "secret");
      for (const name of watched) assert.equal(state(name), times.get(name), `times of "${name}"`);
    },
  };
}

/** One call that was made, for the report of what went wrong. */
interface Made {
  name: string;
  parameters: (number | bigint)[];
}

const functions = Object.entries(preview1);
/** Where paths, iovecs and subscriptions are laid. */
const BLOCK = 8192;

function layOut(guest: Guest, random: (limit: number) => number): void {
  const { view, bytes } = guest;
  for (let i = 0; i < 8; i++) {
    const choice = PATHS[random(PATHS.length)]!;
    const text = choice.includes("\xff")
      ? Uint8Array.from([255, 254])
      : new TextEncoder().encode(choice);
    bytes.set(text.subarray(0, BLOCK), BLOCK * (1 + i));
  }
  // iovecs and subscriptions; what waits, waits a moment
  for (let at = BLOCK * 10; at < BLOCK * 11; at += 8) {
    view.setUint32(at, random(4) === 0 ? random(0xffffffff) : BLOCK * 12 + random(BLOCK), true);
    view.setUint32(at + 4, random(8) === 0 ? random(0xffffffff) : random(100), true);
  }
  for (let at = BLOCK * 11; at < BLOCK * 12 - 48; at += 48) {
    bytes.fill(0, at, at + 48);
    view.setUint8(at + 8, random(16) === 0 ? random(256) : random(3));
    view.setUint32(at + 16, random(6), true);
    view.setUint32(at + 24, random(1000000), true);
    view.setUint16(at + 40, random(16) === 0 ? random(65536) : 0, true);
  }
}

function argument(name: string, random: (limit: number) => number): number | bigint {
  if (name.endsWith(":i64")) {
    return random(3) === 0 ? HUGE_LONGS[random(HUGE_LONGS.length)]! : LONGS[random(LONGS.length)]!;
  }
  if (random(12) === 0) return HUGE[random(HUGE.length)]!;
  if (/path$/.test(name)) return BLOCK * (1 + random(8));
  if (/path_len$/.test(name)) return random(20) === 0 ? 1 << random(20) : random(24);
  if (/^(iovs|ri_data|si_data)$/.test(name)) return BLOCK * 10 + 8 * random(100);
  if (/_len$|nsubscriptions/.test(name)) return random(10) === 0 ? random(100000) : random(5);
  if (name === "in") return BLOCK * 11 + 48 * random(50);
  if (/fd$|^to$/.test(name)) return random(12);
  if (name.endsWith("*")) return BLOCK * 13 + random(BLOCK);
  return NUMBERS[random(NUMBERS.length)]!;
}

/**
 * Makes `count` calls from a seed. Throws if one throws, gives something that is no errno, takes
 * longer than `slowest` milliseconds, or if anything outside the arena changed.
 */
export function fuzz(
  seed: number,
  count: number,
  options: { way: Way; stdin: number; slowest?: number; values?: boolean },
): void {
  const random = generator(seed);
  const place = arena("fuzz");
  const wasm = new WebAssembly.Memory({ initial: 16, maximum: 64 });
  const make = (): Guest =>
    new Guest({
      preopens: { "/": place.inside, "/dir": path.join(place.inside, "dir") },
      ...options.way,
      stdin: options.stdin,
      stdout: options.stdin,
      stderr: options.stdin,
      ...options.values ? valuesFor(place, options.way, random) : {},
    }, wasm);
  let guest = make();
  const renew = (): void => {
    guest.wasi[Symbol.dispose]();
    // the guest may have removed it, or put a link in its place that the preopen would follow
    const dir = path.join(place.inside, "dir");
    if (fs.lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
      fs.rmSync(dir, { force: true });
      fs.mkdirSync(dir);
    }
    guest = make();
  };
  for (let i = 0; i < count; i++) {
    if (i % 50 === 0) layOut(guest, random);
    if (random(1000) === 0 && wasm.buffer.byteLength < 60 * 65536) wasm.grow(1);
    if (random(500) === 0) renew();
    const [name, { parameters }] = functions[random(functions.length)]!;
    const made = { name, parameters: parameters.map((each) => argument(each, random)) };
    one(guest, made, `seed ${seed}, call ${i}`, options.slowest ?? 5000);
  }
  guest.wasi[Symbol.dispose]();
  place.verify();
}

/** Directories, streams and clocks that are values, in the place of the host's. */
function valuesFor(
  place: Arena,
  way: Way,
  random: (limit: number) => number,
): Partial<WASIOptions> {
  const readOnly = host(place.inside, { readOnly: true, ...way });
  const lower = random(2) === 0 ? readOnly : host(place.inside, way);
  const tree = {
    file: "file",
    dir: { inner: "inner", up: new MemoryLink("../..") },
    out: new MemoryLink("../folder"),
    loop: new MemoryLink("loop"),
    in: new MemoryLink("dir"),
  };
  return {
    preopens: { "/": overlay(lower), "/dir": memory(tree), "/ro": readOnly },
    stdin: random(2) === 0 ? new TextEncoder().encode("input") : (into) => random(into.length + 1),
    stdout: new OutputBuffer(),
    stderr: null,
    limits: { diskBytes: 100_000, files: 100, openFiles: 30, outputBytes: 10_000 },
    ...random(2) === 0 ? { clock: 0n, random: 1 } : {},
    ...random(4) === 0 ? { trace: () => {} } : {},
  };
}

function one(guest: Guest, { name, parameters }: Made, where: string, slowest: number): void {
  const text = `${where}: ${name}(${parameters.join(", ")})`;
  const began = performance.now();
  let errno: number;
  try {
    errno = guest.call[name]!(...parameters);
  } catch (error) {
    throw new Error(`${text} threw ${error}`, { cause: error });
  }
  assert.ok(Number.isInteger(errno) && errno >= 0 && errno <= 76, `${text} gave ${errno}`);
  const took = performance.now() - began;
  assert.ok(took < slowest, `${text} took ${took} ms`);
}
