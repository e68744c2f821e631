/** Workers are neither lost nor given back too early, whatever goes wrong between a run and its worker. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { after, beforeEach, test } from "node:test";
import { canSuspend, OutputBuffer, prepare, run, type RunOptions, workerPool } from "../../mod.ts";
import { mod, runtime, scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const timeout = 30_000;
const HELLO = `(module (memory (export "memory") 1) (func (export "_start")))`;
const LOOPS = `(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))`;

const { keep } = workerPool;

beforeEach(async () => {
  await workerPool.close();
  workerPool.keep = 1;
});

after(async () => {
  workerPool.keep = keep;
  await workerPool.close();
});

/** A worker is there at once for the next run, and it is the only one. */
async function worksStill(): Promise<void> {
  const hello = await prepare(await assemble(HELLO));
  assert.equal(workerPool.idle, 1);
  assert.equal(await run(hello, { timeout }), 0);
  assert.equal(workerPool.idle, 1);
}

test("a signal that is aborted at any moment before the guest begins stops it", async () => {
  const loops = await prepare(await assemble(LOOPS));
  await workerPool.warm();
  for (let moment = 0; moment < 40; moment++) {
    const controller = new AbortController();
    const running = run(loops, { signal: controller.signal, timeout: 5_000 });
    for (let i = 0; i < moment; i++) await undefined;
    controller.abort(new Error("enough"));
    await assert.rejects(running, { message: "enough" }, `after ${moment} steps`);
  }
  await worksStill();
});

test("however many workers are ended at once, only as many as are kept are started", async () => {
  const { GuestWorkers } = await import("../../core/run/workers.ts");
  const ready: (() => void)[] = [];
  const pool = new GuestWorkers({
    endsLoops: true,
    boundsHeap: false,
    start(_source, events) {
      ready.push(() => events.message({ ready: true }));
      return { post() {}, terminate: () => Promise.resolve(), ref() {}, unref() {} };
    },
    processors: () => 4,
    used: () => 0,
    later: () => () => {},
  }, "file:///nowhere.js");
  pool.keep = 2;
  const events = { message() {}, failed() {} };
  const workers = Array.from({ length: 12 }, () => pool.takeAnother(events, Infinity));
  const started = ready.splice(0);
  assert.equal(started.length, 12);
  workers.forEach((worker) => pool.replace(worker));
  assert.equal(ready.length, 2);
  let warm = false;
  const warming = pool.warm().then(() => warm = true);
  assert.equal(ready.length, 2, "those that are starting are waited for");
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(warm, false);
  ready.forEach((say) => say());
  await warming;
  assert.equal(pool.idle, 2);
});

test("what cannot be posted to a worker is told as without one, which is not lost", async () => {
  const hello = await prepare(await assemble(HELLO));
  await workerPool.warm();
  const gone = new Uint8Array(4);
  structuredClone(gone, { transfer: [gone.buffer] });
  const given: RunOptions[] = [
    { version: Symbol("v") as never },
    { version: (() => {}) as never },
    { stdin: gone },
    { stdin: new Proxy(new Uint8Array(4), {}) },
  ];
  const ended = (options: RunOptions): Promise<unknown> =>
    run(hello, options).catch(({ name, code, message }) => ({ name, code, message }));
  for (const options of given) {
    assert.deepEqual(await ended({ ...options, timeout }), await ended(options));
  }
  await worksStill();
});

test("a buffer that fails ends the guest with its error", async () => {
  const writes = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 3)
    (data (i32.const 0) "\\10\\00\\00\\00\\00\\00\\02\\00")
    (func (export "_start")
      (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0))))`),
  );
  const mine = new Error("mine");
  let calls = 0;
  class Failing extends OutputBuffer {
    override write(): void {
      calls++;
      throw mine;
    }
  }
  for (const more of [{}, { timeout }]) {
    calls = 0;
    const stdout = new Failing();
    await assert.rejects(run(writes, { stdout, ...more }), (error) => error === mine);
    assert.equal(calls, 1);
  }
  await worksStill();
});

test("a memory of the embedder's that is not shared is no matter for workers", async () => {
  const source = await assemble(`(module (import "env" "memory" (memory 1))
    (export "memory" (memory 0)) (func (export "_start")))`);
  await workerPool.warm();
  const imports = { env: { memory: new WebAssembly.Memory({ initial: 1 }) } };
  const running = run(source, { imports, timeout });
  if (canSuspend()) assert.equal(await running, 0);
  else {await assert.rejects(running, {
      code: "ERR_INVALID_ARG_VALUE",
      message: /options\.imports/,
    });}
  await worksStill();
});

test("a worker in which a thread goes on is not given to the next run", {
  timeout: 120_000,
}, async () => {
  // twenty threads, one after another, are soon over; the last begins in a worker of theirs, and goes on
  const source = await prepare(
    await assemble(`(module
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "env" "memory" (memory 1 1 shared))
    (export "memory" (memory 0))
    (func (export "wasi_thread_start") (param i32 i32)
      (if (local.get 1) (then
        (i32.atomic.store (i32.const 4) (i32.const 1))
        (loop (br 0))))
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))
    (func (export "_start") (local $i i32) (local $pause i32)
      (loop $more
        (drop (call $spawn (i32.const 0)))
        (loop $until (br_if $until (i32.eq (i32.atomic.load (i32.const 0)) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const 20))))
      (loop $wait
        (local.set $pause (i32.add (local.get $pause) (i32.const 1)))
        (br_if $wait (i32.lt_u (local.get $pause) (i32.const 3000))))
      (drop (call $spawn (i32.const 1)))
      (loop $until (br_if $until (i32.eqz (i32.atomic.load (i32.const 4)))))
      (call $exit (i32.const 3))))`),
  );
  workerPool.keep = 4;
  const hello = await prepare(await assemble(HELLO));
  for (let i = 0; i < 20; i++) {
    assert.equal(await run(source, { threads: true, stdout: null }), 3);
    assert.equal(await run(hello, { timeout }), 0);
  }
});

/** The bytes of a program that does nothing. */
const BYTES =
  `Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1,
  7, 19, 2, 6, 109, 101, 109, 111, 114, 121, 2, 0, 6, 95, 115, 116, 97, 114, 116, 0, 0, 10, 4, 1, 2, 0, 11)`;

/** Runs a script in a process of its own, which has to end by itself. */
function printed(text: string): string {
  const script = path.join(scratch(), "script.mjs");
  fs.writeFileSync(script, text);
  const words = runtime === "deno" ? ["run", "-A", script] : [script];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: "utf8",
    timeout: 20_000,
    env: { ...process.env, NO_COLOR: "1" },
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("a run that is stopped while its worker starts leaves no timer", { timeout: 60_000 }, () => {
  const text = printed(`import { prepare, run } from ${JSON.stringify(mod)};
    const program = await prepare(${BYTES});
    const controller = new AbortController();
    const running = run(program, { signal: controller.signal, timeout: 1_000_000 });
    setTimeout(() => {
      controller.abort(new Error("enough"));
      const until = performance.now() + 150; // what the worker says comes after it is given up
      while (performance.now() < until);
    }, 1);
    console.log(await running.catch(({ message }) => message));
    setTimeout(() => {}, 700);`);
  assert.equal(text, "enough");
});

const STACKS: Record<string, string> = {
  "throws": "Error.prepareStackTrace = () => { throw new Error('mine'); };",
  "gives no text": "Error.prepareStackTrace = () => Object.create(null);",
  "is off": "Error.stackTraceLimit = 0;",
};

for (const [what, set] of Object.entries(STACKS)) {
  test(`an application whose stack traces ${what} has workers`, { timeout: 60_000 }, () => {
    const text = printed(`${set}
      const before = [Error.prepareStackTrace, Error.stackTraceLimit];
      const { prepare, run } = await import(${JSON.stringify(mod)});
      const program = await prepare(${BYTES});
      const { calls } = await program.plan({ timeout: 10_000 });
      const after = [Error.prepareStackTrace, Error.stackTraceLimit];
      console.log(calls, await run(program, { timeout: 10_000 }), before.every((one, i) => one === after[i]));`);
    assert.equal(text, "worker 0 true");
  });
}
