/**
 * What wasi-threads lets programs do, each as a program of its own: run by the command and by
 * run(), which are to end alike.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { run } from "../../mod.ts";
import { each, wasi } from "../support/command.ts";
import { scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 120_000 };

/** What all of them have; address 0 is where threads count themselves. */
const COMMON = `
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") (import "its" "own") 1 2 shared)
  ;; waits until so many threads have counted themselves
  (func $join (param $wanted i32) (local $n i32)
    (loop $again
      (local.set $n (i32.atomic.load (i32.const 0)))
      (if (i32.lt_s (local.get $n) (local.get $wanted)) (then
        (drop (memory.atomic.wait32 (i32.const 0) (local.get $n) (i64.const -1)))
        (br $again)))))
  (func $count
    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 0) (i32.const -1))))
  (func $must (param i32) (if (i32.eqz (local.get 0)) (then (call $exit (i32.const 99)))))
  (func $start (param i32) (call $must (i32.gt_s (call $spawn (local.get 0)) (i32.const 0))))
  (func $busy (loop (br 0)))
  (func $blocked
    (loop (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1))) (br 0)))
  (func $asleep
    (i32.store (i32.const 1040) (i32.const 1))
    (i64.store (i32.const 1048) (i64.const 3600000000000))
    (drop (call $poll (i32.const 1024) (i32.const 1200) (i32.const 1) (i32.const 1400))))
  (func $thread (export "wasi_thread_start") (param $tid i32) (param $arg i32)`;

const THREADS = ["busy", "blocked", "asleep"];

/** What the thread does and what the main does, and how the program ends. */
const PROGRAMS: Record<string, [thread: string, main: string, end: number | "trap"]> = {
  "a thread gets its identifier and its argument": [
    `(i32.store (i32.const 16) (local.get $tid)) (i32.store (i32.const 20) (local.get $arg))
     (call $count)`,
    `(local $tid i32)
     (local.set $tid (call $spawn (i32.const 12345)))
     (call $must (i32.gt_s (local.get $tid) (i32.const 0)))
     (call $must (i32.lt_s (local.get $tid) (i32.const 0x20000000)))
     (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
     (call $must (i32.eq (i32.load (i32.const 16)) (local.get $tid)))
     (call $must (i32.eq (i32.load (i32.const 20)) (i32.const 12345)))
     (call $exit (i32.const 22))`,
    22,
  ],
  "ten threads at once are joined": [
    `(call $count)`,
    `(local $i i32)
     (loop $more
       (call $start (local.get $i))
       (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
         (i32.const 10))))
     (call $join (i32.const 10))
     (call $exit (i32.load (i32.const 0)))`,
    10,
  ],
  "thirty threads one after another are joined": [
    `(call $count)`,
    `(local $i i32)
     (loop $more
       (call $start (local.get $i))
       (call $join (local.tee $i (i32.add (local.get $i) (i32.const 1))))
       (br_if $more (i32.lt_u (local.get $i) (i32.const 30))))
     (call $exit (i32.load (i32.const 0)))`,
    30,
  ],
  "threads start threads": [
    `(if (local.get $arg) (then (call $start (i32.sub (local.get $arg) (i32.const 1)))))
     (call $count)`,
    `(call $start (i32.const 7)) (call $join (i32.const 8)) (call $exit (i32.load (i32.const 0)))`,
    8,
  ],
  "waits tell what ended them": [
    `(call $must (i32.eq (memory.atomic.wait32 offset=8 (i32.const 32) (i32.const 1) (i64.const -1))
       (i32.const 1)))
     (call $must (i32.eq (memory.atomic.wait64 (i32.const 48) (i64.const 0) (i64.const 1000000))
       (i32.const 2)))
     (call $must (i32.eq (memory.atomic.wait64 (i32.const 48) (i64.const 5) (i64.const -1))
       (i32.const 1)))
     (call $count)
     (call $must (i32.eqz (memory.atomic.wait64 offset=8 (i32.const 48) (i64.const 0)
       (i64.const -1))))
     (call $count)`,
    `(call $start (i32.const 0))
     (call $join (i32.const 1))
     ;; until it waits there is none to be woken
     (loop (br_if 0 (i32.eqz (memory.atomic.notify (i32.const 56) (i32.const 3)))))
     (call $join (i32.const 2))
     (call $exit (i32.const 5))`,
    5,
  ],
  "a thread traps while the main waits for it": [
    `unreachable`,
    `(call $start (i32.const 0)) (call $join (i32.const 1))`,
    "trap",
  ],
  "a wait beyond the memory is a trap": [
    `(drop (memory.atomic.wait32 (i32.const 65536) (i32.const 0) (i64.const -1)))`,
    `(call $start (i32.const 0)) (call $join (i32.const 1))`,
    "trap",
  ],
  "a wait that is not aligned is a trap": [
    `(drop (memory.atomic.wait64 (i32.const 68) (i64.const 0) (i64.const -1)))`,
    `(call $start (i32.const 0)) (call $join (i32.const 1))`,
    "trap",
  ],
  "a wait in memory that another thread has made": [
    `(call $must (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))) (call $count)`,
    `(call $start (i32.const 0))
     (call $join (i32.const 1))
     (call $must (i32.eq (memory.atomic.wait32 (i32.const 131068) (i32.const 0) (i64.const 1000000))
       (i32.const 2)))`,
    0,
  ],
  ...Object.fromEntries(THREADS.flatMap((how) => [
    [`the main exits while a thread is ${how}`, [
      `(call $count) (call $${how})`,
      `(call $start (i32.const 0)) (call $join (i32.const 1)) (call $exit (i32.const 3))`,
      3,
    ]],
    [`the main returns while a thread is ${how}`, [
      `(call $count) (call $${how})`,
      `(call $start (i32.const 0)) (call $join (i32.const 1))`,
      0,
    ]],
    [`the main traps while a thread is ${how}`, [
      `(call $count) (call $${how})`,
      `(call $start (i32.const 0)) (call $join (i32.const 1)) unreachable`,
      "trap",
    ]],
    [`a thread exits while the main and another are ${how}`, [
      `(if (local.get $arg) (then (call $join (i32.const 1)) (call $exit (i32.const 44))))
       (call $count) (call $${how})`,
      `(call $start (i32.const 0)) (call $start (i32.const 1)) (call $${how})`,
      44,
    ]],
    [`a thread of a thread traps while all others are ${how}`, [
      `(if (local.get $arg) (then (call $join (i32.const 1)) unreachable))
       (call $start (i32.const 1)) (call $count) (call $${how})`,
      `(call $start (i32.const 0)) (call $${how})`,
      "trap",
    ]],
  ])),
};

/** How a program ends with run(). */
async function ended(bytes: Uint8Array): Promise<unknown> {
  try {
    return await run(bytes, { threads: true, timeout: 60_000 });
  } catch (error) {
    return error instanceof WebAssembly.RuntimeError ? "trap" : error;
  }
}

for (const [what, [thread, main, end]] of Object.entries(PROGRAMS)) {
  test(what, options, async () => {
    const bytes = await assemble(`(module ${COMMON} ${thread})
      (func (export "_start") ${main}))`);
    const file = path.join(scratch("wasi-threads"), "program.wasm");
    fs.writeFileSync(file, bytes);
    // what goes wrong now and then is to show
    await each([1, 2], async () => {
      const { code, out, err } = await wasi(["--threads", file]);
      const expected = end === "trap" ? 134 : end;
      assert.deepEqual([code, out], [expected, ""], err);
      if (end !== "trap") assert.equal(err, "");
      else assert.match(err, /^wasi: the program trapped: \S/);
    });
    for (let i = 0; i < 2; i++) assert.equal(await ended(bytes), end);
  });
}
