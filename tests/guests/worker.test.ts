/** A program with a timeout makes its system calls in its worker, or here: it does the same. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { OutputBuffer, prepare, type Program, run, type RunOptions } from "../../mod.ts";
import { workers as workerPool } from "../../adapters/workers.ts";
import { root, scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";
import { tree } from "./guest.ts";

const timeout = 60_000;
/** Where the descriptors of a process are listed. */
const linux = { skip: process.platform !== "linux" };

const prepared = new Map<string, Promise<Program>>();

function guest(name: string): Promise<Program> {
  let program = prepared.get(name);
  if (program === undefined) {
    program = prepare(fs.readFileSync(path.join(root, "tests", "guests", `${name}.wasm`)));
    prepared.set(name, program);
  }
  return program;
}

/** Where a program runs: here, in a worker, in a worker whose calls are made here. */
const WAYS: Record<string, { more: RunOptions; plan: object }> = {
  "here": { more: {}, plan: { guest: "here", calls: "here", because: undefined } },
  "in a worker": {
    more: { timeout },
    plan: { guest: "worker", calls: "worker", because: undefined },
  },
  "in a worker, its calls here": {
    more: { timeout, trace: () => {} },
    plan: { guest: "worker", calls: "here", because: "options.trace" },
  },
};

const GUESTS = [
  "append",
  "closed",
  "large",
  "open",
  "readdir",
  "remove",
  "rename",
  "renumber",
  "rights",
  "seek",
];

for (const name of GUESTS) {
  test(`${name} does the same wherever it runs`, { timeout: 120_000 }, async () => {
    const program = await guest(name);
    const seen: unknown[] = [];
    for (const [way, { more, plan }] of Object.entries(WAYS)) {
      const folder = scratch(`way-${name}`);
      const [stdout, stderr] = [new OutputBuffer(), new OutputBuffer()];
      const options = { preopens: { "/": folder }, stdin: null, stdout, stderr, ...more };
      assert.deepEqual(await program.plan(options), plan, way);
      const code = await run(program, options);
      assert.equal(code, 0, `${way}: ${stdout.text()}${stderr.text()}`);
      assert.match(stdout.text(), /^ok /m);
      const words = stdout.text().split("\n").filter((line) => /^(not )?ok /.test(line));
      seen.push({ words, tree: tree(folder) });
    }
    assert.deepEqual(seen[1], seen[0]);
    assert.deepEqual(seen[2], seen[0]);
  });
}

test("arguments, environment, input, exit code and both outputs are the same in a worker", async () => {
  const wat = await assemble(`(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func $put (param $fd i32) (param $at i32) (param $length i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start")
      (drop (call $args_sizes (i32.const 16) (i32.const 20)))
      (drop (call $args (i32.const 1024) (i32.const 2048)))
      (call $put (i32.const 1) (i32.const 2048) (i32.load (i32.const 20)))
      (drop (call $env_sizes (i32.const 16) (i32.const 20)))
      (drop (call $env (i32.const 1024) (i32.const 2048)))
      (call $put (i32.const 2) (i32.const 2048) (i32.load (i32.const 20)))
      (i32.store (i32.const 0) (i32.const 4096))
      (i32.store (i32.const 4) (i32.const 100))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (call $put (i32.const 1) (i32.const 4096) (i32.load (i32.const 8)))
      (call $exit (i32.const 77))))`);
  const program = await prepare(wat);
  for (const [way, { more }] of Object.entries(WAYS)) {
    const both = new OutputBuffer();
    const options = {
      args: ["prog", "ä b", "1\0cut"],
      env: { A: "1", "__proto__x": "2", N: undefined, "X=Y": "z" },
      stdin: new TextEncoder().encode("from outside"),
      stdout: both,
      stderr: both,
    };
    assert.equal(await run(program, { ...options, ...more }), 77, way);
    const wanted = "prog\0ä b\x001\0A=1\0__proto__x=2\0X=Y=z\0from outside";
    assert.equal(both.text(), wanted, way);
  }
});

test("a worker's errors are those of the embedder's thread", async () => {
  const hello = await assemble(`(module (memory (export "memory") 1) (func (export "_start")))`);
  const program = await prepare(hello);
  const wrong: RunOptions[] = [
    { preopens: { "/": path.join(scratch(), "missing") } },
    { preopens: { "/": "a\0b" } },
    { preopens: { "/": path.join(root, "package.json") } },
    { stdin: 9999 },
    { stdout: -1 },
    { args: "x" as never },
    { env: [] as never },
    { limits: { openFiles: -1 } },
    { clock: 5 as never },
    { confinement: "none" as never },
    { listen: [{ host: "x", port: 70000 }] },
    { version: "preview2" as never },
  ];
  const failure = async (options: RunOptions): Promise<unknown> => {
    try {
      await run(program, options);
    } catch (error) {
      const { name, message, cause, constructor } = error as Error;
      const { code } = (cause ?? {}) as { code?: unknown };
      const inner = cause instanceof Error
        ? { name: cause.name, message: cause.message, code }
        : cause;
      return { name, message, class: constructor.name, own: { ...error as Error }, cause: inner };
    }
    return undefined;
  };
  for (const options of wrong) {
    const here = await failure({ stdout: null, ...options });
    assert.ok(here !== undefined, JSON.stringify(options));
    assert.deepEqual(await failure({ stdout: null, ...options, timeout }), here);
  }
});

test("a trap and an exception of a guest in a worker are told as such", async () => {
  const trap = await prepare(
    await assemble(
      `(module (memory (export "memory") 1) (func (export "_start") unreachable))`,
    ),
  );
  await assert.rejects(run(trap, { timeout }), WebAssembly.RuntimeError);
  await assert.rejects(run(trap), WebAssembly.RuntimeError);
  const throws = await prepare(
    await assemble(
      `(module (memory (export "memory") 1) (tag $e) (func (export "_start") (throw $e)))`,
    ),
  );
  await assert.rejects(run(throws, { timeout }), (error: Error) => {
    assert.equal(error.message, "uncaught exception in the program");
    assert.equal(error.cause, undefined, "an exception stays in its worker");
    return error instanceof WebAssembly.RuntimeError;
  });
});

test("limits hold in a worker", async () => {
  const folder = scratch();
  const writes = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\08\\00\\00\\00")
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (call $exit (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`),
  );
  const stdout = new OutputBuffer();
  assert.equal(await run(writes, { stdout, timeout, limits: { outputBytes: 8 } }), 22, "FBIG");
  assert.equal(stdout.bytes.length, 8);
  const grows = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.eq (memory.grow (i32.const 9)) (i32.const -1)))))`),
  );
  for (const [memoryPages, code] of [[5, 1], [10, 0]] as const) {
    const options = { timeout, limits: { memoryPages }, preopens: { "/": folder } };
    assert.equal(await run(grows, options), code);
  }
});

test("the guest's own clock and seed work in a worker", async () => {
  const random = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\28\\00\\00\\00")
    (func (export "_start")
      (drop (call $random (i32.const 16) (i32.const 32)))
      (drop (call $time (i32.const 0) (i64.const 1) (i32.const 48)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`),
  );
  const [here, there] = [new OutputBuffer(), new OutputBuffer()];
  const same = { clock: 1_700_000_000_000_000_000n, random: 7n };
  await run(random, { ...same, stdout: here });
  await run(random, { ...same, stdout: there, timeout });
  assert.deepEqual(there.bytes, here.bytes);
  assert.equal(there.bytes.length, 40);
});

test("what a guest has written is there while it computes, and when it is stopped", async () => {
  const program = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00hello")
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (loop (br 0))))`),
  );
  const stdout = new OutputBuffer();
  const controller = new AbortController();
  const running = run(program, { stdout, signal: controller.signal });
  const until = performance.now() + 5_000;
  while (stdout.text() === "" && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(stdout.text(), "hello");
  controller.abort(new Error("enough"));
  await assert.rejects(running, { message: "enough" });
  assert.equal(stdout.text(), "hello");
});

test("a worker that cannot have the module for it leaves the calls here", async () => {
  const { address } = workerPool;
  assert.ok(address !== undefined);
  await workerPool.close();
  workerPool.address = new URL("missing.js", address).href;
  try {
    const program = await guest("append");
    const folder = scratch();
    const options: RunOptions = { preopens: { "/": folder }, stdout: null, timeout };
    assert.equal(await run(program, options), 0);
    const { calls, because } = await program.plan(options);
    assert.equal(calls, "here");
    assert.match(because!, /guest_worker/);
    assert.equal(await run(program, { ...options, preopens: { "/": scratch() } }), 0);
  } finally {
    workerPool.address = address;
    await workerPool.close();
  }
});

test("nothing that a guest has opened in a worker stays open", linux, async () => {
  const descriptors = (): number => fs.readdirSync("/proc/self/fd").length;
  const opens = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "file")
    (func (export "_start") (local $i i32)
      (loop $more
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 1)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
        (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))
      (drop (call $args (i32.const 16) (i32.const 20)))
      (if (i32.eq (i32.load (i32.const 16)) (i32.const 1)) (then unreachable))
      (if (i32.eq (i32.load (i32.const 16)) (i32.const 2)) (then (loop (br 0))))))`),
  );
  const preopens = { "/": scratch() };
  await run(opens, { preopens, timeout });
  const before = descriptors();
  for (let i = 0; i < 5; i++) {
    await run(opens, { preopens, timeout });
    await assert.rejects(run(opens, { preopens, timeout, args: ["x"] }), WebAssembly.RuntimeError);
    await assert.rejects(run(opens, { preopens, timeout: 20, args: ["x", "y"] }), {
      name: "TimeoutError",
    });
  }
  assert.ok(descriptors() <= before + 8, `${before} before, ${descriptors()} after`);
});

test("a day on a clock of the guest's own passes at once in a worker, and by as much", async () => {
  const sleeps = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "poll_oneoff"
      (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\00\\02\\00\\00\\08\\00\\00\\00")
    (func (export "_start") (local $i i32)
      (i32.store (i32.const 80) (i32.const 1))
      (i64.store (i32.const 88) (i64.const 86400000000000))
      (loop $more
        (drop (call $poll (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 400)))
        (br_if $more
          (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 30))))
      (drop (call $time (i32.const 0) (i64.const 1) (i32.const 512)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`),
  );
  const start = 1_700_000_000_000_000_000n;
  const times: bigint[] = [];
  const began = performance.now();
  for (const more of [{ trace: () => {} }, {}]) {
    const stdout = new OutputBuffer();
    await run(sleeps, { clock: start, random: 1, stdout, timeout, ...more });
    times.push(new BigUint64Array(stdout.bytes.slice().buffer)[0]!);
  }
  assert.ok(performance.now() - began < 3_000, "30 days in steps would take a minute");
  assert.equal(times[1], times[0]);
  const late = times[0]! - start - 30n * 86_400_000_000_000n;
  assert.ok(late >= 0n && late < 1_000_000n, `${late} ns late`);
});

test("a guest that fills its memory with random bytes is stopped in the middle", async () => {
  const source = (size: number) =>
    assemble(`(module
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory"
      (func $mkdir (param i32 i32 i32) (result i32)))
    (memory (export "memory") ${size})
    (data (i32.const 0) "made")
    (func (export "_start")
      (drop (call $random (i32.const 8) (i32.const ${size * 65536 - 8})))
      (drop (call $random (i32.const 8) (i32.const ${size * 65536 - 8})))
      (drop (call $mkdir (i32.const 3) (i32.const 0) (i32.const 4)))))`);
  for (const random of [{}, { random: 5 }]) {
    const folder = scratch();
    const program = await prepare(await source("random" in random ? 4_000 : 16_000));
    await assert.rejects(run(program, { preopens: { "/": folder }, timeout: 50, ...random }), {
      name: "TimeoutError",
    });
    // two such calls take more than a second
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    assert.deepEqual(fs.readdirSync(folder), []);
  }
});

test("a start function that makes system calls is told of in the same words", async () => {
  const source = await assemble(`(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $first (drop (call $args (i32.const 0) (i32.const 4))))
    (start $first)
    (func (export "_start")))`);
  for (const more of [{}, { timeout }]) {
    assert.equal(await run(source, more), 0);
    await assert.rejects(run(new WebAssembly.Module(source as BufferSource), more), {
      code: "ERR_INVALID_ARG_VALUE",
      message: /start function makes system calls/,
    });
  }
});

test("a guest that writes without end is stopped in time, and waits for who takes it", async () => {
  const floods = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 17)
    (data (i32.const 0) "\\10\\00\\00\\00\\00\\00\\10\\00")
    (func (export "_start")
      (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0))))`),
  );
  let bytes = 0;
  class Counting extends OutputBuffer {
    override write(chunk: Uint8Array): void {
      bytes += chunk.length;
    }
  }
  const began = performance.now();
  const stdout = new Counting();
  const stopped = assert.rejects(run(floods, { stdout, timeout: 300 }), { name: "TimeoutError" });
  const busy = new Promise<void>((resolve) =>
    setTimeout(() => {
      const until = performance.now() + 1_000;
      const before = bytes;
      while (performance.now() < until);
      assert.equal(bytes, before);
      resolve();
    }, 150)
  );
  await busy;
  await stopped;
  assert.ok(performance.now() - began < 3_000, `${performance.now() - began} ms`);
  assert.ok(bytes > 0);
});

test("a guest that has been stopped makes no more system calls", linux, async () => {
  const program = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory"
      (func $mkdir (param i32 i32 i32) (result i32)))
    (memory (export "memory") 2050)
    (data (i32.const 0) "\\00\\00\\01\\00\\00\\00\\00\\08") (data (i32.const 100) "sparse")
    (data (i32.const 110) "made")
    (func $slow (drop (call $read (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 200))))
    (func (export "_start")
      (drop (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 6) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 200)))
      ${"(call $slow)".repeat(8)}
      (drop (call $mkdir (i32.const 3) (i32.const 110) (i32.const 4)))))`),
  );
  const folder = scratch();
  const file = path.join(folder, "sparse");
  fs.writeFileSync(file, "");
  fs.truncateSync(file, 2 ** 34); // reading 128 MiB of it takes from 20 to 300 ms
  await assert.rejects(run(program, { preopens: { "/": folder }, timeout: 50 }), {
    name: "TimeoutError",
  });
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  assert.deepEqual(fs.readdirSync(folder), ["sparse"]);
});
