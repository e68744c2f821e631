/**
 * A guest behaves in a worker, where what its calls read and write is carried, as it does in the
 * thread of its caller.
 *
 * What is made up comes from seeds: `WASI_SEEDS=500` runs so many of them, `WASI_SEED=17` begins at
 * that one.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import {
  canSuspend,
  memory,
  type MemoryDirectory,
  MemoryLink,
  OutputBuffer,
  run,
  type RunOptions,
} from "../../mod.ts";
import { generator } from "../support/fuzz.ts";
import { root, scratch } from "../support/harness.ts";
import { ENTRY, MEMORY, OWN, puppet, type PuppetCall, TABLES } from "../support/puppet.ts";
import { assemble } from "../support/wat.ts";
import { tree } from "../guests/guest.ts";

const SEEDS = Number(process.env.WASI_SEEDS ?? 6);
const FIRST = Number(process.env.WASI_SEED ?? 1);
const CALLS = 400;
const options = { timeout: 120_000 };
/** What makes run() use a worker. */
const APART: RunOptions = { timeout: 30_000 };

function guestBytes(name: string): Uint8Array {
  return new Uint8Array(fs.readFileSync(path.join(root, "tests", "guests", `${name}.wasm`)));
}

/** What a program leaves behind. */
interface Left {
  code: number | string;
  out: string;
  err: string;
  tree: string[];
}

/** Runs a guest over a fresh folder, with files as its standard streams. */
async function leaves(
  name: string,
  way: RunOptions,
  { input = "", ...given }: RunOptions & { input?: string },
): Promise<Left> {
  const folder = scratch("carried");
  const streams = scratch("streams");
  const names = ["in", "out", "err"].map((each) => path.join(streams, each));
  fs.writeFileSync(names[0]!, input);
  const [stdin, stdout, stderr] = names.map((each, i) => fs.openSync(each, i === 0 ? "r" : "w"));
  const own = { args: ["guest"], preopens: { "/": folder }, stdin, stdout, stderr };
  let code: number | string;
  try {
    code = await run(guestBytes(name), { ...own, ...given, ...way });
  } catch (error) {
    code = (error as Error).name;
  } finally {
    for (const fd of [stdin, stdout, stderr]) fs.closeSync(fd!);
  }
  const [out, err] = names.slice(1).map((each) => fs.readFileSync(each, "utf8"));
  return { code, out: out!, err: err!, tree: tree(folder) };
}

/** The guests of tests/guests, with how they are run there, and what must be in their output. */
const GUESTS: readonly (readonly [name: string, given?: RunOptions & { input?: string }])[] = [
  ["args", {
    args: ["guest", "", "ü", "x".repeat(5000)],
    env: { A: "b", LONG: "y".repeat(70000) },
  }],
  ["args", { args: [], env: {} }],
  ["append"],
  ["changing"],
  ["closed"],
  ["exit", { args: ["guest", "proc_exit", "7"] }],
  ["exit", { args: ["guest", "abort", "0"] }],
  ["fdflags"],
  ["filestat"],
  ["hardlinks"],
  ["libc", { input: "first line\n12 -7\n" }],
  ["memory"],
  ["names"],
  ["open"],
  ["pointers"],
  ["poll", { input: "something to read" }],
  ["preopens"],
  ["raise"],
  ["random"],
  ["readdir"],
  ["remove"],
  ["rename"],
  ["renumber", { input: "standard input" }],
  ["rights"],
  ["scatter", { input: "from outside" }],
  ["seek"],
  ["size"],
  ["sock"],
  ["swallow"],
  ["symlinks"],
  ["times"],
  ["trap"],
  ["tree"],
  ["unknown"],
  ["unstable", { version: "preview1" }],
  ["unstable", { version: "unstable" }],
  ["tool", { args: ["tool", "upper"], input: "hello" }],
  ["tool", { args: ["tool", "write", "/large", "0123456789", "30000"] }],
  ["tool", { args: ["tool", "list", "/"] }],
  ["tool", { args: ["tool", "times"], clock: 1_700_000_000_000_000_000n, random: 42 }],
  ["tool", { args: ["tool", "grows", "100"], limits: { memoryPages: 40 } }],
  ["tool", { args: ["tool", "rename", "none", "new"] }],
];

/** The lines of what a guest said, without the numbers that differ in every run. */
function plain(text: string): string[] {
  return text.replace(/\d{4,}/g, "#").split("\n");
}

test("the guests of tests/guests leave the same in a worker", options, async (t) => {
  for (const [name, given = {}] of GUESTS) {
    await t.test(`${name} ${given.args?.slice(1, 3).join(" ").slice(0, 40) ?? ""}`, async () => {
      const expected = await leaves(name, {}, given);
      const found = await leaves(name, APART, given);
      assert.deepEqual(
        { ...found, out: plain(found.out), err: plain(found.err) },
        { ...expected, out: plain(expected.out), err: plain(expected.err) },
      );
    });
  }
});

const BLOCK = 8192;
const PATHS = [
  "file",
  "dir",
  "dir/inner",
  "dir/",
  ".",
  "..",
  "",
  "/",
  "../x",
  "link",
  "loop",
  "long",
  "new",
  "dir/new",
  "a\0b",
  "x".repeat(300),
  "d/".repeat(3000),
  "other",
];
const NUMBERS = [0, 1, 2, 3, 4, 5, 8, 16, 31, 64, 255, 4096, 65535, 65536];
const HUGE = [0x7fffffff, -0x80000000, -1, -2, 0x40000000, MEMORY, MEMORY - 1, 0x0fffffff, -65536];
const LONGS = [0n, 1n, 2n, 3n, 100n, 4096n, 0x3fffffffn, -1n, -2n, 1n << 32n, 1n << 40n];
const HUGE_LONGS = [(1n << 63n) - 1n, -(1n << 63n), (1n << 53n) - 1n, 1n << 53n];
/** Pointers at the end of memory. */
const EDGES = [0, 1, 2, 3, 4, 7, 8, 16, 24, 32, 48, 56, 64, 100];

type Random = (limit: number) => number;

function one<T>(random: Random, of: readonly T[]): T {
  return of[random(of.length)]!;
}

/** Where results go: the n-th such parameter of a call has a block of its own. */
function result(random: Random, n: number): number {
  if (random(8) === 0) return MEMORY - one(random, EDGES);
  return BLOCK * (13 + n) + random(BLOCK / 2);
}

/** Descriptors; the first two are the puppet's own and its input. */
function descriptor(random: Random, name: string): number {
  if (random(8) > 0) {
    if (/^(path_|fd_(prestat|readdir))/.test(name)) return 3 + random(2);
    return 5 + random(8); // what was opened
  }
  const keep = /^fd_(close|renumber|fdstat_set|filestat_set|write|pwrite|allocate)/.test(name) ||
    !canSuspend();
  const fd = random(12);
  return keep && (fd === 1 || fd === 2) ? 3 + fd : fd;
}

function parametersFor(
  name: string,
  parameters: readonly string[],
  random: Random,
): (number | bigint)[] {
  let results = 0;
  return parameters.map((parameter) => {
    if (parameter.endsWith(":i64")) {
      if (parameter.startsWith("fs_rights") && random(4) > 0) return 0x3fffffffn;
      return one(random, random(4) === 0 ? HUGE_LONGS : LONGS);
    }
    if (/^(fd|to|old_fd|new_fd)$/.test(parameter)) return descriptor(random, name);
    const huge = random(16) === 0;
    if (parameter.endsWith("*")) return huge ? one(random, HUGE) : result(random, results++);
    if (huge) return one(random, HUGE);
    if (/path$/.test(parameter)) {
      return random(10) === 0 ? MEMORY - one(random, EDGES) : BLOCK * (1 + random(8));
    }
    if (/path_len$/.test(parameter)) return random(20) === 0 ? 1 << random(20) : random(12);
    if (/^(iovs|ri_data|si_data)$/.test(parameter)) {
      return random(10) === 0 ? MEMORY - 8 * random(4) : BLOCK * 10 + 8 * random(100);
    }
    if (parameter === "nsubscriptions") return random(20) === 0 ? 65537 : random(4);
    if (/iovs_len|data_len/.test(parameter)) return random(10) === 0 ? random(2000) : random(5);
    if (/_len$/.test(parameter)) return one(random, [0, 1, 23, 24, 25, 50, 100, 1000, BLOCK / 2]);
    return random(3) === 0 ? one(random, NUMBERS) : random(8);
  });
}

/** Bytes of a subscription. Every second one is a clock's, so that no wait lasts for ever. */
const SUBSCRIPTION: Readonly<Record<string, number>> = {
  wasi_snapshot_preview1: 48,
  wasi_unstable: 56,
};

/** What is in memory at first: paths, iovecs, subscriptions. */
function laidOut(binding: string, random: Random): [number, Uint8Array][] {
  const all: [number, Uint8Array][] = [];
  const encoder = new TextEncoder();
  for (let i = 0; i < 8; i++) {
    const text = encoder.encode(one(random, PATHS)).slice(0, BLOCK);
    if (random(10) === 0) text.fill(0xff);
    all.push([BLOCK * (1 + i), text]);
  }
  const iovs = new DataView(new ArrayBuffer(BLOCK));
  for (let at = 0; at < BLOCK; at += 8) {
    const edge = random(16) === 0;
    const length = random(10) === 0 ? random(3000) : random(100);
    // blocks of their own, as two buffers that overlap may be filled in any order
    const free = OWN - BLOCK * 19 - 3000;
    iovs.setUint32(at, edge ? MEMORY - one(random, EDGES) : BLOCK * 19 + random(free), true);
    iovs.setUint32(at + 4, random(30) === 0 ? one(random, HUGE) : length, true);
  }
  all.push([BLOCK * 10, new Uint8Array(iovs.buffer)]);
  const subscriptions = new DataView(new ArrayBuffer(BLOCK));
  const stride = SUBSCRIPTION[binding]!;
  const id = stride - 32; // of the clock, in either layout
  for (let at = 0, i = 0; at + stride <= BLOCK; at += stride, i++) {
    const tag = i % 2 === 0 ? 0 : random(8) === 0 ? random(256) : 1 + random(2);
    subscriptions.setUint32(at, random(1000), true);
    subscriptions.setUint8(at + 8, tag);
    subscriptions.setUint32(at + 16, random(8), true);
    if (tag !== 0) continue;
    subscriptions.setUint32(at + id, random(5), true);
    subscriptions.setUint32(at + id + 8, random(1000000), true);
    subscriptions.setUint16(at + id + 24, random(16) === 0 ? random(65536) : random(2), true);
  }
  all.push([BLOCK * 11, new Uint8Array(subscriptions.buffer)]);
  return all;
}

/** Calls made up from a seed. */
function madeUp(binding: string, seed: number): {
  calls: PuppetCall[];
  data: [number, Uint8Array][];
} {
  const random = generator(seed);
  const table = Object.entries(TABLES[binding]!);
  const data = laidOut(binding, random);
  const paths = new TextEncoder();
  const calls = Array.from({ length: CALLS }, (): PuppetCall => {
    // files are opened more often than all else
    const [name, { parameters }] = random(6) === 0
      ? ["path_open", TABLES[binding]!.path_open!] as const
      : one(random, table);
    const words: [number, number][] = [];
    const given = parametersFor(name, parameters, random);
    parameters.forEach((parameter, i) => {
      if (parameter.endsWith("path") && random(3) > 0) {
        // a path that fits its length
        const text = paths.encode(one(random, PATHS.slice(0, 14)));
        const at = BLOCK * 9 + 64 * i;
        for (let word = 0; word < text.length; word += 4) {
          const four = [0, 1, 2, 3].map((byte) => text[word + byte] ?? 0);
          words.push([at + word, four[0]! | four[1]! << 8 | four[2]! << 16 | four[3]! << 24]);
        }
        given[i] = at;
        given[i + 1] = text.length;
      }
      if (/^(dirflags|flags|old_flags)$/.test(parameter) && random(4) > 0) given[i] = random(2);
      if (parameter === "oflags") given[i] = one(random, [0, 0, 0, 1, 1, 1, 2, 5, 8, 9, 255]);
      if (parameter === "fdflags") given[i] = one(random, [0, 0, 0, 1, 4, 255]);
    });
    if (random(10) === 0) {
      words.push([
        BLOCK * 10 + 4 * random(200),
        random(3) === 0 ? one(random, HUGE) : random(MEMORY),
      ]);
    }
    // its answer may depend on who answers it
    return name === "sched_yield"
      ? { name: "fd_datasync", parameters: [3], words }
      : { name, parameters: given, words };
  });
  return { calls, data };
}

/** What can be seen of a file system in memory. */
function filesOf(files: MemoryDirectory): string[] {
  return [...files.paths()].map((name) => {
    if (name.endsWith("/")) return name;
    try {
      const bytes = files.bytes(name);
      let hash = bytes.length;
      for (const byte of bytes.subarray(0, 1 << 16)) hash = (Math.imul(hash, 31) + byte) | 0;
      return `${name} ${bytes.length} ${hash}`;
    } catch {
      return `${name} is no file, or too long`;
    }
  });
}

/** Makes the calls; gives what was answered to each, and what it left. */
async function answers(
  binding: string,
  { calls, data }: ReturnType<typeof madeUp>,
  way: RunOptions,
): Promise<{ log: string[]; rest: unknown }> {
  const files = memory({
    file: "file content",
    dir: { inner: "inner", sub: {} },
    link: new MemoryLink("dir"),
    loop: new MemoryLink("loop"),
    long: "0123456789".repeat(1000),
  });
  const [stdout, stderr] = [new OutputBuffer(), new OutputBuffer()];
  let passed = 0n;
  let turn = 0;
  const code = await run(puppet(binding, calls, data), {
    args: ["puppet", "second", "ü"],
    env: { A: "b", C: "" },
    preopens: { "/": files, "/dir": memory({ a: "a", b: { c: "c" } }) },
    stdin: (into) => {
      const count = Math.min(into.length, ++turn % 50);
      return into.fill(turn, 0, count), count;
    },
    stdout,
    stderr,
    // no look at it moves it, as it may be looked at more or less often
    clock: { now: () => 1_000_000_000_000n + passed, wait: (time) => void (passed += time) },
    random: 42,
    limits: { diskBytes: 50_000_000 },
    ...way,
  }).catch((error) => `${error}`);
  const bytes = stdout.bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const log = calls.slice(0, bytes.length / ENTRY).map(({ name, parameters }, i) => {
    const hash = view.getUint32(ENTRY * i + 4, true).toString(16);
    return `${i}: ${name}(${parameters.join(", ")}) = ${view.getUint32(ENTRY * i, true)}, ${hash}`;
  });
  return { log, rest: { code, files: filesOf(files), err: stderr.text() } };
}

for (const binding of Object.keys(TABLES)) {
  test(`made up calls of ${binding} are answered the same in a worker`, options, async () => {
    const answered = new Map<string, number>();
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const made = madeUp(binding, seed);
      const expected = await answers(binding, made, {});
      const found = await answers(binding, made, APART);
      const at = expected.log.findIndex((line, i) => line !== found.log[i]);
      assert.ok(
        at < 0,
        `seed ${seed}:\n${expected.log.slice(Math.max(0, at - 3), at).join("\n")}\n` +
          `in the thread ${expected.log[at]}\nin a worker   ${found.log[at]}\n` +
          `after ${JSON.stringify(made.calls[at]?.words)}`,
      );
      assert.deepEqual(found.rest, expected.rest, `seed ${seed}`);
      assert.equal(expected.log.length, CALLS, `seed ${seed}: all calls came back`);
      for (const line of expected.log) {
        const [, name] = /^\d+: (\w+)/.exec(line)!;
        if (line.includes(") = 0,")) answered.set(name!, (answered.get(name!) ?? 0) + 1);
      }
    }
    // most calls succeeded now and then
    assert.ok(answered.size >= 35 || SEEDS < 6, `${answered.size}: ${[...answered.keys()]}`);
  });
}

/** How a program ends. */
async function ending(source: Uint8Array | WebAssembly.Module, given: RunOptions): Promise<string> {
  const out = new OutputBuffer();
  const lines: string[] = [];
  try {
    const code = await run(source, {
      stdin: null,
      stdout: out,
      stderr: null,
      ...given,
      trace: given.trace === true ? (line) => lines.push(line) : false,
    });
    return `ended with ${code}: ${out.text()}${lines.join("; ")}`;
  } catch (error) {
    // engines say in words of their own what is missing; Bun also quotes the line of ours
    const { name, message } = error as Error;
    const text = name === "LinkError" ? "" : `: ${message.replace(/ \(evaluating .*\)$/, "")}`;
    return `${name}${text}: ${out.text()}`;
  }
}

const CALLS_TEXT = `
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))`;
const MEMORY_TEXT = `(memory (export "memory") 1 100) (data (i32.const 64) "hello")
  (func $say
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 5))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))`;
const mine = new Error("mine");

/** Programs, and how all of them must end. */
const PROGRAMS: readonly (readonly [
  what: string,
  text: string,
  end: RegExp,
  given?: RunOptions,
  how?: "compiled",
])[] = [
  ["a program", `(func (export "_start") (call $say))`, /^ended with 0: hello$/],
  [
    "an exit",
    `(func (export "_start") (call $say) (call $exit (i32.const 9)))`,
    /^ended with 9: he/,
  ],
  [
    "a call in its start function",
    `(func $s (drop (call $random (i32.const 0) (i32.const 8)))) (start $s)
     (func (export "_start"))`,
    /^ended with 0: $/,
  ],
  [
    "an exit in its start function",
    `(func $s (call $exit (i32.const 1))) (start $s) (func (export "_start"))`,
    /^ended with 1: $/,
  ],
  [
    "much randomness in its start function, for which its memory is too small",
    `(func $s (call $exit (call $random (i32.const 0) (i32.const 2000000)))) (start $s)
     (func (export "_start"))`,
    /^ended with 21: $/, // EFAULT
  ],
  ["a trap", `(func (export "_start") (call $say) (unreachable))`, /^RuntimeError: .*: hello$/],
  [
    "an endless recursion",
    `(func $f (export "_start") (call $f) (call $say))`,
    /^RangeError: Maximum call stack size exceeded\.?: $/,
  ],
  [
    "memory that grows between calls",
    `(func (export "_start") (local i32)
       (loop
         (drop (memory.grow (i32.const 1)))
         (i32.store (i32.const 0) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 3)))
         (i32.store (i32.const 4) (i32.const 3))
         (memory.copy (i32.load (i32.const 0)) (i32.const 64) (i32.const 3))
         (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
         (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 50)))))`,
    /^ended with 0: (hel){50}$/,
  ],
  [
    "memory that is too large from the start",
    `(func (export "_start"))`,
    /^RangeError: .*instance\.exports\.memory.*limits\.memoryPages/,
    { limits: { memoryPages: 0 } },
  ],
  [
    "standard output that throws",
    `(func (export "_start") (call $say))`,
    /^Error: mine: $/,
    {
      stdout: () => {
        throw mine;
      },
    },
  ],
  [
    "standard input that throws",
    `(func (export "_start") (i32.store (i32.const 4) (i32.const 5)) (call $say)
       (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16))))`,
    /^Error: mine: hello$/,
    {
      stdin: () => {
        throw mine;
      },
    },
  ],
  [
    "standard input",
    `(func (export "_start") (i32.store (i32.const 0) (i32.const 64))
       (i32.store (i32.const 4) (i32.const 5))
       (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16))) (call $say))`,
    /^ended with 0: input$/,
    { stdin: new TextEncoder().encode("input, and more") },
  ],
  [
    "a trace",
    `(func (export "_start") (call $say) (call $exit (i32.const 3)))`,
    /^ended with 3: hello==> fd_write\(fd=1, .*proc_exit\(rval=3\).*ended$/,
    { trace: true },
  ],
];

test("programs end the same way in a worker", options, async (t) => {
  for (const [what, text, end, given = {}] of PROGRAMS) {
    await t.test(what, async () => {
      const source = await assemble(`(module ${CALLS_TEXT} ${MEMORY_TEXT} ${text})`);
      const expected = await ending(source, given);
      assert.match(expected, end, "in the thread");
      assert.equal(await ending(source, { ...given, ...APART }), expected, "in a worker");
    });
  }
  await t.test("no memory", async () => {
    const source = await assemble(`(module (func (export "_start")))`);
    const expected = await ending(source, {});
    assert.match(expected, /^TypeError: "instance\.exports\.memory" property must be/);
    assert.equal(await ending(source, APART), expected);
  });
  await t.test("something that nobody has", async () => {
    const source = await assemble(`(module (import "wasi_snapshot_preview1" "fd_none" (func))
      (memory (export "memory") 1) (func (export "_start")))`);
    assert.match(await ending(source, {}), /^LinkError/);
    assert.match(await ending(source, APART), /^LinkError/);
  });
});
