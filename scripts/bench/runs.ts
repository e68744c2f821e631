/**
 * Whole runs: what a run of a tiny program costs in every way, what a timeout costs large programs,
 * many at once, directories in memory beside browser_wasi_shim's, the command, and memory.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { File, OpenFile, PreopenDirectory, WASI as Shim } from "@bjorn3/browser_wasi_shim";
import wabt from "wabt";
import { root } from "../../tests/support/harness.ts";
import { bytesOf, programs } from "./programs.ts";

// deno-lint-ignore no-explicit-any
type Loose = any;

/** Milliseconds of each way, the median of the rounds. */
export interface RunRow {
  name: string;
  /** the first is what the others are compared with */
  ways: Record<string, number>;
}

/** What is measured. */
export interface Runs {
  rows: RunRow[];
  /** MiB */
  memory: { idle: number; runs: number };
}

const HELLO = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00hello\\0a")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

const FILES = 10_000;
const BLOCKS = 4000;

/** What a guest does with a directory. */
function directoryProgram(what: string): string {
  return `(module
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir"
      (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
    (memory (export "memory") 4)
    (data (i32.const 0) "\\00\\00\\01\\00\\00\\10\\00\\00") (data (i32.const 64) "f00000")
    (func $file (param $flags i32) (result i32)
      (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 6)
          (local.get $flags) (i64.const 0x42) (i64.const 0x42) (i32.const 0) (i32.const 16))
        (then unreachable))
      (i32.load (i32.const 16)))
    (func $digit (param $at i32) (param $n i32) (param $by i32)
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (local.get $by)) (i32.const 10)))))
    (func $name (param $n i32)
      (call $digit (i32.const 65) (local.get $n) (i32.const 10000))
      (call $digit (i32.const 66) (local.get $n) (i32.const 1000))
      (call $digit (i32.const 67) (local.get $n) (i32.const 100))
      (call $digit (i32.const 68) (local.get $n) (i32.const 10))
      (call $digit (i32.const 69) (local.get $n) (i32.const 1)))
    (func (export "_start") (local $n i32) (local $fd i32) (local $used i32) (local $cookie i64)
      ${what}))`;
}

const repeated = (count: number, body: string): string =>
  `(loop $more ${body} (br_if $more (i32.lt_u
    (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const ${count}))))`;

/** The programs, and how many files their directory has before. */
const DIRECTORIES: readonly { name: string; what: string; files: number }[] = [
  {
    name: `appends ${BLOCKS} times 4 KiB`,
    what: `(local.set $fd (call $file (i32.const 1))) ${
      repeated(
        BLOCKS,
        "(if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))",
      )
    }`,
    files: 0,
  },
  {
    name: `reads ${BLOCKS} times 4 KiB`,
    what: `(local.set $fd (call $file (i32.const 0))) ${
      repeated(
        BLOCKS,
        "(if (call $read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))",
      )
    }`,
    files: 1,
  },
  {
    name: `makes ${FILES} files`,
    what: repeated(
      FILES,
      "(call $name (local.get $n)) (drop (call $close (call $file (i32.const 1))))",
    ),
    files: 0,
  },
  {
    name: `lists ${FILES} files`,
    // the last entry of each piece has the cookie to go on from: pieces end where one does not fit
    what: `(loop $more
      (if (call $readdir (i32.const 3) (i32.const 65536) (i32.const 131072) (local.get $cookie)
          (i32.const 16))
        (then unreachable))
      (local.set $used (i32.load (i32.const 16)))
      (local.set $fd (i32.const 65536))
      (block $whole (loop $next
        (br_if $whole (i32.gt_u (i32.add (local.get $fd) (i32.const 24))
          (i32.add (i32.const 65536) (local.get $used))))
        (local.set $n (i32.add (i32.add (local.get $fd) (i32.const 24))
          (i32.load offset=16 (local.get $fd))))
        (br_if $whole (i32.gt_u (local.get $n) (i32.add (i32.const 65536) (local.get $used))))
        (local.set $cookie (i64.load (local.get $fd)))
        (local.set $fd (local.get $n))
        (br $next)))
      (br_if $more (i32.eq (local.get $used) (i32.const 131072))))`,
    files: FILES,
  },
];

const nameOf = (i: number): string => `f${String(i).padStart(5, "0")}`;
const CONTENT = new Uint8Array(BLOCKS * 4096);

async function median(rounds: number, act: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const began = performance.now();
    await act();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

/** Each way in turn, several times; the medians. */
async function byTurns(
  rounds: number,
  each: number,
  ways: Record<string, () => unknown>,
): Promise<Record<string, number>> {
  const times: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, act] of Object.entries(ways)) {
      (times[name] ??= []).push(await median(each, act));
    }
  }
  return Object.fromEntries(
    Object.entries(times).map(([name, all]) => [name, all.sort((a, b) => a - b)[all.length >> 1]!]),
  );
}

/** A class's whole life, as its users write it. */
function life(Class: Loose, module: WebAssembly.Module, options: object = {}) {
  return async (): Promise<void> => {
    const wasi = new Class({ version: "preview1", returnOnExit: true, args: ["x"], ...options });
    const imports = wasi.getImportObject?.() ?? { wasi_snapshot_preview1: wasi.wasiImport };
    await wasi.start(await WebAssembly.instantiate(module, imports));
    wasi[Symbol.dispose]?.();
  };
}

async function hello(library: Loose, Builtin: Loose, rounds: number): Promise<RunRow[]> {
  const { AsyncWASI, memory, prepare, run, WASI } = library;
  const { parseWat } = await wabt();
  const bytes = parseWat("hello.wat", HELLO).toBinary({}).buffer as Uint8Array<ArrayBuffer>;
  const silent = parseWat("silent.wat", HELLO.replace('"_start")', '"_start") (return)'))
    .toBinary({}).buffer as Uint8Array<ArrayBuffer>;
  const module = await WebAssembly.compile(bytes);
  const quiet = await WebAssembly.compile(silent);
  const program = await prepare(bytes);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-bench-"));
  const [stdout, timeout] = [null, 60_000];
  const preopens = { "/": folder };
  const rows = [
    {
      name: "hello",
      ways: await byTurns(rounds, 40, {
        "run(module)": () => run(module, { stdout }),
        "run(program)": () => run(program, { stdout }),
        "with a preopen": () => run(program, { stdout, preopens }),
        "with limits": () => run(program, { stdout, limits: { memoryPages: 10, openFiles: 10 } }),
        "with a timeout": () => run(program, { stdout, timeout }),
        "timeout, preopen": () => run(program, { stdout, timeout, preopens }),
        "timeout, memory()": () => run(program, { stdout, timeout, preopens: { "/": memory() } }),
        "timeout, from bytes": () => run(bytes, { stdout, timeout }),
        "threads": () => run(program, { stdout, threads: true }),
      }),
    },
    {
      name: "class: construct, instantiate, start",
      ways: await byTurns(rounds, 40, {
        "its own": life(Builtin, quiet),
        "ours": life(WASI, quiet),
        ...(library.canSuspend() ? { "ours, AsyncWASI": life(AsyncWASI, quiet) } : {}),
      }),
    },
    {
      name: "the same with a preopen",
      ways: await byTurns(rounds, 40, {
        "its own": life(Builtin, quiet, { preopens }),
        "ours": life(WASI, quiet, { preopens }),
      }),
    },
  ];
  fs.rmSync(folder, { recursive: true });
  return rows;
}

async function large({ prepare, run }: Loose, rounds: number): Promise<RunRow[]> {
  const rows: RunRow[] = [];
  for (const wanted of programs.filter(({ name }) => /CPython|esbuild/.test(name))) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-bench-"));
    wanted.prepare(folder);
    const bytes = await bytesOf(wanted);
    const module = await WebAssembly.compile(bytes);
    const program = await prepare(bytes);
    const options = {
      args: wanted.args,
      env: { PYTHONDONTWRITEBYTECODE: "1" },
      preopens: { "/work": folder, "/": folder },
      stdout: null,
    };
    const timeout = 600_000;
    const ways = await byTurns(rounds, 1, {
      "run(module)": () => run(module, options),
      "with a timeout": () => run(program, { ...options, timeout }),
      "timeout, calls here": () => run(program, { ...options, stdout: () => {}, timeout }),
      "timeout, from bytes": () => run(bytes, { ...options, timeout }),
    });
    rows.push({ name: wanted.name, ways });
    if (wanted.name.includes("CPython")) {
      const small = { ...options, args: ["python", "-c", "print(sum(range(100000)))"], timeout };
      const each = (): Promise<number> => run(program, small);
      rows.push({
        name: "ten runs of CPython",
        ways: await byTurns(rounds, 1, {
          "one after another": async () => {
            for (let i = 0; i < 10; i++) await each();
          },
          "at once": () => Promise.all(Array.from({ length: 10 }, each)),
        }),
      });
    }
    fs.rmSync(folder, { recursive: true });
  }
  return rows;
}

async function directories({ memory, WASI }: Loose, rounds: number): Promise<RunRow[]> {
  const { parseWat } = await wabt();
  const rows: RunRow[] = [];
  for (const { name, what, files } of DIRECTORIES) {
    const text = parseWat(`${name}.wat`, directoryProgram(what));
    const module = new WebAssembly.Module(text.toBinary({}).buffer as Uint8Array<ArrayBuffer>);
    const names = Array.from({ length: files }, (_, i) => nameOf(i));
    const contents = names.map((name) =>
      [name, files === 1 ? CONTENT : new Uint8Array(0)] as const
    );
    const ours = (make: () => [unknown, () => void]) => (): number => {
      const [directory, done] = make();
      const wasi = new WASI({ version: "preview1", preopens: { "/": directory } });
      const instance = new WebAssembly.Instance(module, wasi.getImportObject());
      const began = performance.now();
      wasi.start(instance);
      const took = performance.now() - began;
      wasi[Symbol.dispose]();
      done();
      return took;
    };
    const ways: Record<string, () => number> = {
      "browser_wasi_shim": () => {
        const tree = new Map(contents.map(([name, bytes]) => [name, new File(bytes)]));
        const fds = [0, 1, 2].map(() => new OpenFile(new File([])));
        const wasi = new Shim([], [], [...fds, new PreopenDirectory("/", tree)]);
        const instance = new WebAssembly.Instance(module, {
          wasi_snapshot_preview1: wasi.wasiImport,
        });
        const began = performance.now();
        wasi.start(instance as Loose);
        return performance.now() - began;
      },
      "memory()": ours(() => [memory(Object.fromEntries(contents)), () => {}]),
      "a folder": ours(() => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-bench-"));
        for (const [name, bytes] of contents) fs.writeFileSync(path.join(folder, name), bytes);
        return [folder, () => fs.rmSync(folder, { recursive: true })];
      }),
    };
    const times: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round++) {
      for (const [way, act] of Object.entries(ways)) (times[way] ??= []).push(act());
    }
    const best = Object.entries(times).map(([way, all]) => [way, Math.min(...all)]);
    rows.push({ name: `a program ${name}`, ways: Object.fromEntries(best) });
  }
  return rows;
}

async function command(rounds: number): Promise<RunRow> {
  const { parseWat } = await wabt();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-bench-"));
  const [program, empty] = [path.join(folder, "hello.wasm"), path.join(folder, "empty.mjs")];
  fs.writeFileSync(program, parseWat("hello.wat", HELLO).toBinary({}).buffer);
  fs.writeFileSync(empty, "");
  const node = !("Deno" in globalThis || "Bun" in globalThis);
  const cli = path.join(root, node ? "build/dist/cli.js" : "cli.ts");
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-check", "--no-lock"] : [];
  const start = (...words: string[]) => (): void => {
    const { status } = spawnSync(process.execPath, [...flags, ...words]);
    if (status !== 0) throw new Error(`${words.join(" ")}: ${status}`);
  };
  const ways = await byTurns(rounds, 3, {
    "an empty script": start(empty),
    "the command": start(cli, program),
  });
  fs.rmSync(folder, { recursive: true });
  return { name: "the command's start", ways };
}

const mebibytes = (): number => process.memoryUsage().rss / 2 ** 20;

/** What an idle worker takes, and how much a process grows by 1,000 runs. */
async function memoryOf({ prepare, run, workerPool }: Loose): Promise<Runs["memory"]> {
  const { parseWat } = await wabt();
  const program = await prepare(parseWat("hello.wat", HELLO).toBinary({}).buffer);
  await workerPool.close();
  const before = mebibytes();
  const { keep } = workerPool;
  workerPool.keep = 4;
  await workerPool.warm(4);
  const idle = (mebibytes() - before) / 4;
  await workerPool.close();
  workerPool.keep = keep;
  for (let i = 0; i < 300; i++) await run(program, { stdout: null, timeout: 60_000 });
  const warm = mebibytes();
  for (let i = 0; i < 1000; i++) await run(program, { stdout: null, timeout: 60_000 });
  return { idle, runs: mebibytes() - warm };
}

/** Measures; `library` is what mod.ts exports. */
export async function measureRuns(library: Loose, Builtin: Loose, rounds: number): Promise<Runs> {
  await library.workerPool.warm();
  return {
    rows: [
      ...await hello(library, Builtin, rounds),
      ...await large(library, Math.ceil(rounds / 2)),
      ...await directories(library, rounds),
      await command(Math.ceil(rounds / 3)),
    ],
    memory: await memoryOf(library),
  };
}
