/** Workers are kept for later runs, and nothing of one guest is in them for the next. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { memory, OutputBuffer, prepare, run, type RunOptions, workerPool } from "../../mod.ts";
import { mod, runtime, scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const timeout = 30_000;
const HELLO = `(module (memory (export "memory") 1) (func (export "_start")))`;

/** Options with which calls are made in the worker, and here. */
const WAYS: Record<string, RunOptions> = {
  "calls in the worker": { timeout, stdout: null },
  "calls here": { timeout, stdout: () => {} },
};

const { keep, idleTime } = workerPool;

after(async () => {
  workerPool.keep = keep;
  workerPool.idleTime = idleTime;
  await workerPool.close();
});

for (const [way, more] of Object.entries(WAYS)) {
  test(`a worker is kept and used again, ${way}`, async () => {
    await workerPool.close();
    workerPool.keep = 2;
    const program = await prepare(await assemble(HELLO));
    for (let i = 0; i < 3; i++) {
      await run(program, more);
      assert.equal(workerPool.idle, 1);
    }
    await Promise.all([1, 2, 3].map(() => run(program, more)));
    assert.ok(workerPool.idle <= 2);
    workerPool.keep = 0;
    assert.equal(workerPool.idle, 0);
    await run(program, more);
    assert.equal(workerPool.idle, 0);
  });

  test(`a guest finds nothing of the one before it, ${way}`, async () => {
    await workerPool.close();
    workerPool.keep = 1;
    const imports = `
      (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 4)`;
    const leaves = await prepare(
      await assemble(`(module ${imports}
      (data (i32.const 0) "secret")
      (func (export "_start")
        (memory.fill (i32.const 64) (i32.const 0x5a) (i32.const 262080))
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 1)
          (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)))
        (call $exit (i32.const 9))))`),
    );
    const looks = await prepare(
      await assemble(`(module ${imports}
      (func (export "_start") (local $at i32) (local $found i32)
        (loop $more
          (local.set $found (i32.or (local.get $found) (i32.load (local.get $at))))
          (br_if $more (i32.lt_u
            (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 262144))))
        (if (local.get $found) (then (call $exit (i32.const 1))))
        ;; EBADF for what the other had open
        (if (i32.ne (call $prestat (i32.const 3) (i32.const 0)) (i32.const 8))
          (then (call $exit (i32.const 2))))
        (if (i32.ne (call $write (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0))
            (i32.const 8))
          (then (call $exit (i32.const 3))))
        (drop (call $args (i32.const 0) (i32.const 4)))
        (if (i32.load (i32.const 0)) (then (call $exit (i32.const 4))))
        (drop (call $env (i32.const 0) (i32.const 4)))
        (if (i32.load (i32.const 0)) (then (call $exit (i32.const 5))))))`),
    );
    const folder = scratch();
    for (let i = 0; i < 4; i++) {
      const given = { args: ["a", "b"], env: { KEY: "value" }, preopens: { "/": folder } };
      assert.equal(await run(leaves, { ...more, ...given }), 9);
      assert.ok(fs.existsSync(path.join(folder, "secret")));
      assert.equal(workerPool.idle, 1, "one and the same worker");
      assert.equal(await run(looks, more), 0);
    }
  });

  test(`a guest that was stopped leaves a worker for the next, ${way}`, async () => {
    await workerPool.close();
    workerPool.keep = 1;
    const loops = await prepare(
      await assemble(
        `(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))`,
      ),
    );
    const hello = await prepare(await assemble(HELLO));
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      await assert.rejects(run(loops, { ...more, timeout: 30 }), { name: "TimeoutError" });
      assert.ok(performance.now() - began < 2_000);
      assert.equal(await run(hello, more), 0);
      assert.equal(workerPool.idle, 1);
    }
  });

  test(`a trap, a failed link and a refused memory leave the worker as it was, ${way}`, async () => {
    await workerPool.close();
    workerPool.keep = 1;
    const trap = await prepare(
      await assemble(
        `(module (memory (export "memory") 1) (func (export "_start") unreachable))`,
      ),
    );
    const deep = await prepare(
      await assemble(
        `(module (memory (export "memory") 1) (func $f (export "_start") (call $f) (call $f)))`,
      ),
    );
    const hello = await prepare(await assemble(HELLO));
    await assert.rejects(run(trap, more), WebAssembly.RuntimeError);
    await assert.rejects(run(deep, more), /stack|recursion|unreachable/i);
    assert.equal(await run(hello, more), 0);
    assert.equal(workerPool.idle, 1);
  });
}

test("a memory directory and a path are given to guests of one worker in turn", async () => {
  workerPool.keep = 1;
  const program = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "path_create_directory"
      (func $mkdir (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "made")
    (func (export "_start")
      (if (call $mkdir (i32.const 3) (i32.const 0) (i32.const 4)) (then unreachable))))`),
  );
  const folder = scratch();
  const files = memory();
  await run(program, { preopens: { "/": folder }, timeout, stdout: null });
  await run(program, { preopens: { "/": files }, timeout, stdout: null });
  assert.deepEqual(fs.readdirSync(folder), ["made"]);
  assert.deepEqual(Object.keys(files.toObject()), ["made"]);
});

test("warm() starts workers, close() ends them, and an idle one ends by itself", async () => {
  await workerPool.close();
  workerPool.keep = 2;
  await workerPool.warm();
  assert.equal(workerPool.idle, 2);
  await workerPool.warm(1);
  assert.equal(workerPool.idle, 2);
  await workerPool.close();
  assert.equal(workerPool.idle, 0);
  workerPool.idleTime = 50;
  await workerPool.warm(1);
  assert.equal(workerPool.idle, 1);
  const until = performance.now() + 5_000;
  while (workerPool.idle > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(workerPool.idle, 0);
  workerPool.idleTime = idleTime;
});

test("wrong numbers of workers are refused", async () => {
  for (const value of [-1, 1.5, NaN, 1e9, "2" as never]) {
    assert.throws(() => workerPool.keep = value, { code: "ERR_OUT_OF_RANGE" });
    await assert.rejects(workerPool.warm(value), { code: "ERR_OUT_OF_RANGE" });
  }
  for (const value of [-1, NaN, "2" as never]) {
    assert.throws(() => workerPool.idleTime = value, { code: "ERR_OUT_OF_RANGE" });
  }
});

test("more runs at once than there are processors all come to their end", async () => {
  workerPool.keep = 2;
  const program = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00hello")
    (func (export "_start") (local $i i32)
      (loop $more (br_if $more (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3000000))))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`),
  );
  const outputs = Array.from({ length: 20 }, () => new OutputBuffer());
  await Promise.all(outputs.map((stdout) => run(program, { stdout, timeout })));
  assert.deepEqual(outputs.map((out) => out.text()), outputs.map(() => "hello"));
});

test("guests that wait for each other all get a worker", { timeout: 60_000 }, async () => {
  const sleeps = await prepare(
    await assemble(`(module
    (import "wasi_snapshot_preview1" "poll_oneoff"
      (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (i32.store (i32.const 16) (i32.const 1))
      (i64.store (i32.const 24) (i64.const 300000000))
      (drop (call $poll (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 400)))))`),
  );
  const began = performance.now();
  await Promise.all(Array.from({ length: 6 }, () => run(sleeps, { timeout })));
  assert.ok(performance.now() - began >= 300);
});

test("a run that still waits for its turn can be given up", async () => {
  const loops = await prepare(
    await assemble(
      `(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))`,
    ),
  );
  const all = new AbortController();
  const many = Array.from({ length: 12 }, () => run(loops, { signal: all.signal }));
  const last = new AbortController();
  const waiting = run(loops, { signal: last.signal });
  setTimeout(() => last.abort(new Error("not any more")), 20);
  await assert.rejects(waiting, { message: "not any more" });
  all.abort(new Error("all"));
  for (const { status } of await Promise.allSettled(many)) assert.equal(status, "rejected");
  const hello = await prepare(await assemble(HELLO));
  assert.equal(await run(hello, { timeout }), 0);
});

test("idle workers keep no process alive", { timeout: 60_000 }, () => {
  const script = path.join(scratch(), "script.mjs");
  fs.writeFileSync(
    script,
    `import { prepare, run, workerPool } from ${JSON.stringify(mod)};
    const bytes = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1,
      7, 19, 2, 6, 109, 101, 109, 111, 114, 121, 2, 0, 6, 95, 115, 116, 97, 114, 116, 0, 0, 10, 4, 1, 2, 0, 11);
    workerPool.idleTime = Infinity;
    const program = await prepare(bytes);
    const code = await run(program, { timeout: 10_000 });
    console.log(code, workerPool.idle);`,
  );
  const words = runtime === "deno" ? ["run", "-A", script] : [script];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: "utf8",
    timeout: 30_000,
    env: { ...process.env, NO_COLOR: "1" },
  });
  assert.equal(stdout.trim(), "0 1", stderr);
  assert.equal(status, 0);
});
