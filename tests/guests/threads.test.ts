/** Guests with threads: run() makes them, over one table of descriptors. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { memory, OutputBuffer, run, type RunOptions } from "../../mod.ts";
import { root, runtime, scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 120_000 };
const bytes = new Uint8Array(fs.readFileSync(path.join(root, "tests/guests/threads.wasm")));

/** Runs the guest; gives its exit code and output. */
async function ran(args: string[], more: RunOptions = {}): Promise<[number, string]> {
  const stdout = new OutputBuffer();
  const code = await run(bytes, {
    threads: true,
    args: ["threads", ...args],
    stdin: null,
    stdout,
    timeout: 60_000,
    ...more,
  });
  return [code as number, stdout.text()];
}

test("1, 8 and 64 threads at once count right under a lock", options, async () => {
  for (const [threads, each] of [[1, 1000], [8, 1000], [64, 50]] as const) {
    assert.deepEqual(await ran(["count", String(threads), String(each)]), [
      0,
      `${threads * each}\n`,
    ]);
  }
});

test("10,000 threads one after another take no more memory than 1,000", options, async () => {
  assert.deepEqual(await ran(["spawn", "1000"]), [0, "1000\n"]);
  const before = process.memoryUsage().rss;
  assert.deepEqual(await ran(["spawn", "10000"]), [0, "10000\n"]);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 150e6, `${grown} bytes more`);
});

test(
  "as many threads as are allowed; then AGAIN, and room again when they have ended",
  options,
  async () => {
    assert.deepEqual(await ran(["most"], { threads: 3 }), [0, "3 threads, then -6\n"]);
    assert.deepEqual(await ran(["most"], { threads: 0 }), [1, "after the others: -6\n"]);
  },
);

/** The same folder, on the disk and in memory. */
function folders(): [string, string | ReturnType<typeof memory>][] {
  const folder = scratch("threads");
  fs.writeFileSync(path.join(folder, "file"), "abcdefghijkl");
  return [["disk", folder], ["memory", memory({ file: "abcdefghijkl" })]];
}

test(
  "one table for all: what a thread opens others read on, and it is closed once",
  options,
  async () => {
    // 8 is BADF
    const expected = [
      "open 0",
      "read 0",
      "main reads 0",
      "read 0",
      "abcdefghijkl",
      "close 0",
      "read 8",
      "close 8",
      "main closes 8",
    ];
    for (const [where, folder] of folders()) {
      const [code, out] = await ran(["files"], { preopens: { "/": folder } });
      assert.deepEqual([code, out.split("\n")], [0, [...expected, ""]], where);
    }
  },
);

test("a thread's call sees memory that another thread has made", options, async () => {
  for (const [where, folder] of folders()) {
    const [code, out] = await ran(["grow"], { preopens: { "/": folder } });
    assert.equal(code, 0, where);
    assert.match(out, /\nread 0: abcd\n$/, where);
  }
});

test("eight threads open, write, read and close at once", options, async () => {
  for (const [where, folder] of folders()) {
    assert.deepEqual(
      await ran(["race", "100"], { preopens: { "/": folder } }),
      [0, "800\n"],
      where,
    );
  }
});

/** How long the whole run took beside its beginning, in milliseconds. */
const QUICKLY = 2000;

for (const how of ["exit", "trap", "return"]) {
  for (const who of how === "return" ? ["main"] : ["main", "thread"]) {
    test(`${how} in ${who === "main" ? "the main" : "a thread"} ends all`, options, async () => {
      for (const busy of ["loop", "fill", "wait", "sleep", "read", "call"]) {
        const began = performance.now();
        const idle = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
        const ended = ran(["end", how, who, busy, busy], { stdin: idle });
        if (how === "trap") await assert.rejects(ended, { name: "RuntimeError" }, busy);
        else assert.deepEqual(await ended, [how === "exit" ? 42 : 7, ""], busy);
        const took = performance.now() - began;
        assert.ok(took < QUICKLY, `${busy}: ${took} ms`);
      }
      // nothing goes on behind us
      const { user, system } = await quiet();
      assert.ok(user + system < 200e3, `${user + system} us of 400 ms`);
    });
  }
}

/** What this process uses of its processors in 400 milliseconds. */
async function quiet(): Promise<NodeJS.CpuUsage> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 400));
  return process.cpuUsage(before);
}

test("a trap's stack names the functions of the guest", options, async () => {
  const source = await assemble(`(module
    (import "env" "memory" (memory 1 1 shared))
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (func $deep unreachable)
    (func $wasi_thread_start (export "wasi_thread_start") (param i32 i32) (call $deep))
    (func (export "_start")
      (drop (call $spawn (i32.const 1)))
      (loop (br 0)))
    (export "memory" (memory 0)))`);
  await assert.rejects(run(source, { threads: true, timeout: 20_000 }), (error: Error) => {
    assert.ok(error instanceof WebAssembly.RuntimeError);
    assert.match(error.message, /unreachable/i);
    if (runtime !== "bun") assert.match(error.stack!, /deep[^]*wasi_thread_start/);
    return true;
  });
});

test("identifiers of threads are above 0 and all different", options, async () => {
  const source = await assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write"
      (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "elsewhere" "name" (memory 1 4 shared))
    (export "memory" (memory 0))
    (func (export "wasi_thread_start") (param $tid i32) (param $arg i32)
      ;; each leaves its identifier where its argument points
      (i32.atomic.store (local.get $arg) (local.get $tid))
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))
    (func (export "_start") (local $i i32) (local $n i32)
      (loop $next
        ;; what was returned, beside it
        (i32.store (i32.add (i32.const 200) (i32.shl (local.get $i) (i32.const 2)))
          (call $spawn (i32.add (i32.const 100) (i32.shl (local.get $i) (i32.const 2)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 5))))
      (loop $wait
        (local.set $n (i32.atomic.load (i32.const 0)))
        (if (i32.lt_u (local.get $n) (i32.const 5)) (then
          (drop (memory.atomic.wait32 (i32.const 0) (local.get $n) (i64.const -1)))
          (br $wait))))
      (i32.store (i32.const 16) (i32.const 100))
      (i32.store (i32.const 20) (i32.const 20))
      (i32.store (i32.const 24) (i32.const 200))
      (i32.store (i32.const 28) (i32.const 20))
      (drop (call $write (i32.const 1) (i32.const 16) (i32.const 2) (i32.const 32)))))`);
  const stdout = new OutputBuffer();
  assert.equal(await run(source, { threads: true, stdout, timeout: 20_000 }), 0);
  const written = new Int32Array(stdout.bytes.slice().buffer);
  const [given, returned] = [[...written.slice(0, 5)], [...written.slice(5)]];
  assert.deepEqual(given, returned);
  assert.equal(new Set(given).size, 5);
  for (const tid of given) assert.ok(tid > 0 && tid < 2 ** 29, String(tid));
});

test("a WebAssembly.Module runs with the memory that is given to it", options, async () => {
  const module = new WebAssembly.Module(bytes);
  const args = ["threads", "count", "4", "100"];
  const stdout = new OutputBuffer();
  const shared = new WebAssembly.Memory({ initial: 3, maximum: 256, shared: true });
  const imports = { env: { memory: shared } };
  // where Node 20 compiles a wait as it is, it may trap (see the README)
  const run1 = run(module, { threads: true, args, stdout, imports, timeout: 30_000 });
  if (runtime === "node20") await run1.catch(() => {});
  else assert.deepEqual([await run1, stdout.text()], [0, "400\n"]);
  await assert.rejects(run(module, { threads: true, args }), {
    code: "ERR_INVALID_ARG_VALUE",
    message: /options\.imports.*env\.memory.*bytes/,
  });
});

test("what cannot be with threads is refused in words", options, async () => {
  const imports = { env: { f: () => 0 } };
  const wrong: [RunOptions, RegExp][] = [
    [{ threads: -1 }, /"options\.threads" is out of range/],
    [{ threads: 1.5 }, /"options\.threads" is out of range/],
    [{ threads: "yes" as unknown as boolean }, /"options\.threads"/],
    [{ threads: true, imports }, /'options\.imports'/],
    [{ timeout: -5 }, /"options\.timeout" is out of range/],
    [{ timeout: NaN }, /"options\.timeout" is out of range/],
    [{ timeout: "5s" as unknown as number }, /"options\.timeout"/],
    [{ interruptible: 1 as unknown as boolean }, /"options\.interruptible"/],
  ];
  for (const [given, message] of wrong) {
    await assert.rejects(run(bytes, { args: ["threads"], ...given }), { message });
  }
  for (const env of [null, undefined, 5]) {
    const given = { imports: { env } } as unknown as RunOptions;
    await assert.rejects(run(bytes, given), {
      code: "ERR_INVALID_ARG_TYPE",
      message: /options\.imports\.env/,
    });
  }
  const both = await assemble(`(module (memory (export "memory") 1)
    (func (export "_start")) (func (export "_initialize")))`);
  for (const given of [{}, { threads: true }, { timeout: 5000 }]) {
    await assert.rejects(run(both, given), { message: /_initialize" property must be undefined/ });
  }
  const reactor = await assemble(`(module (memory (export "memory") 1))`);
  await assert.rejects(run(reactor, { threads: true }), { message: /_start/ });
  await assert.rejects(run(bytes, { threads: true, limits: { memoryPages: 1 } }), {
    code: "ERR_OUT_OF_RANGE",
    message: /memoryPages/,
  });
});

test(
  "a program without threads runs as well, and one that has no right to them gets none",
  options,
  async () => {
    const tool = fs.readFileSync(path.join(root, "tests/guests/tool.wasm"));
    const stdout = new OutputBuffer();
    const stdin = new TextEncoder().encode("hello");
    assert.equal(await run(tool, { threads: true, args: ["tool"], stdin, stdout }), 0);
    assert.equal(stdout.text(), "HELLO");
    await assert.rejects(run(bytes, { args: ["threads", "count", "1", "1"] }), {
      code: "ERR_INVALID_ARG_VALUE",
      message: /options\.threads/,
    });
  },
);

/**
 * Starts 400 threads, at most 12 at once. Each sleeps a little and asks for clocks, and looks
 * whether what comes back is its own; the last twelve sleep for long when one of them exits.
 */
const STORM = `(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (memory (export "memory") (import "env" "memory") 2 2 shared)
  (func $must (param i32) (if (i32.eqz (local.get 0)) (then (call $exit (i32.const 99)))))
  ;; sleeps so many microseconds with what is at the place; the event has its number
  (func $sleep (param $at i32) (param $number i32) (param $us i32)
    (i64.store (local.get $at) (i64.extend_i32_u (local.get $number)))
    (i32.store offset=16 (local.get $at) (i32.const 1))
    (i64.store offset=24 (local.get $at)
      (i64.mul (i64.extend_i32_u (local.get $us)) (i64.const 1000)))
    (i64.store offset=64 (local.get $at) (i64.const -1))
    (call $must (i32.eqz (call $poll (local.get $at) (i32.add (local.get $at) (i32.const 64))
      (i32.const 1) (i32.add (local.get $at) (i32.const 128)))))
    (call $must (i32.eq (i32.load offset=128 (local.get $at)) (i32.const 1)))
    (call $must (i64.eq (i64.load offset=64 (local.get $at))
      (i64.extend_i32_u (local.get $number)))))
  (func (export "wasi_thread_start") (param $tid i32) (param $n i32) (local $at i32) (local $i i32)
    (local.set $at (i32.add (i32.const 1024) (i32.mul (local.get $n) (i32.const 256))))
    (if (i32.ge_u (local.get $n) (i32.const 400)) (then
      (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))
      (if (i32.eq (local.get $n) (i32.const 411)) (then
        (loop (br_if 0 (i32.lt_u (i32.atomic.load (i32.const 4)) (i32.const 12))))
        (call $sleep (local.get $at) (local.get $n) (i32.const 3000))
        (call $exit (i32.const 42))))
      (call $sleep (local.get $at) (local.get $n) (i32.const 1000000000))))
    ;; one comes late, so that many others are done before it
    (if (i32.eq (local.get $n) (i32.const 5)) (then
      (call $sleep (local.get $at) (local.get $n) (i32.const 300000))))
    (loop $more
      (call $sleep (local.get $at) (local.get $n)
        (i32.mul (i32.rem_u (local.get $n) (i32.const 4)) (i32.const 300)))
      (i64.store offset=136 (local.get $at) (i64.const 0))
      (call $must (i32.eqz (call $time (i32.const 1) (i64.const 0)
        (i32.add (local.get $at) (i32.const 136)))))
      (call $must (i64.ne (i64.load offset=136 (local.get $at)) (i64.const 0)))
      (call $must (i32.eq (call $prestat (i32.add (i32.const 90) (local.get $i)) (local.get $at))
        (i32.const 8)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
        (i32.const 3))))
    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
    (drop (i32.atomic.rmw.sub (i32.const 8) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 8) (i32.const 1))))
  (func (export "_start") (local $n i32) (local $running i32)
    (loop $next
      (loop $room
        (local.set $running (i32.atomic.load (i32.const 8)))
        (if (i32.ge_u (local.get $running) (i32.const 12)) (then
          (drop (memory.atomic.wait32 (i32.const 8) (local.get $running) (i64.const -1)))
          (br $room))))
      (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
      ;; one that has counted itself may still be on its way out
      (loop $again (br_if $again (i32.lt_s (call $spawn (local.get $n)) (i32.const 0))))
      (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
        (i32.const 400))))
    (loop $rest
      (local.set $running (i32.atomic.load (i32.const 8)))
      (if (local.get $running) (then
        (drop (memory.atomic.wait32 (i32.const 8) (local.get $running) (i64.const -1)))
        (br $rest))))
    (call $must (i32.eq (i32.atomic.load (i32.const 0)) (i32.const 400)))
    (loop $last
      (loop $try (br_if $try (i32.lt_s (call $spawn (local.get $n)) (i32.const 0))))
      (br_if $last (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
        (i32.const 412))))
    (loop (drop (memory.atomic.wait32 (i32.const 16) (i32.const 0) (i64.const -1))) (br 0))))`;

test(
  "threads that come and go get their own answers, and none after the end",
  options,
  async () => {
    const source = await assemble(STORM);
    const began = performance.now();
    const storms = [1, 2].map(() => run(source, { threads: 13, timeout: 60_000 }));
    assert.deepEqual(await Promise.all(storms), [42, 42]);
    const aborted = new AbortController();
    setTimeout(() => aborted.abort(), 150);
    const { signal } = aborted;
    await assert.rejects(run(source, { threads: 13, signal }), { name: "AbortError" });
    const took = performance.now() - began;
    assert.ok(took < 30_000, `${took} ms`);
    const { user, system } = await quiet();
    assert.ok(user + system < 200e3, `${user + system} us of 400 ms`);
  },
);
