/** Programs with threads, run by the command. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { each, guest, wasi } from "../support/command.ts";
import { foreign, runtime, scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 120_000 };
const threads = guest("threads");

test("--threads and wasmtime's -S threads run them; without, it is said", options, async () => {
  for (const words of [["--threads"], ["-S", "threads"], ["-Sthreads=y"], ["--threads=8"]]) {
    const { code, out, err } = await wasi([...words, threads, "count", "8", "100"]);
    assert.deepEqual([code, out, err], [0, "800\n", ""], words.join(" "));
  }
  for (const words of [[], ["-S", "threads=n"], ["-W", "threads"]]) {
    const { code, out, err } = await wasi([...words, threads, "count", "8", "100"]);
    assert.deepEqual([code, out], [1, ""], words.join(" "));
    assert.match(err, /^wasi: .*threads\.wasm: it has threads; use --threads \(.*\)\n$/);
  }
});

test("--threads=N is how many there are at once", options, async () => {
  const { code, out } = await wasi(["--threads=3", threads, "most"]);
  assert.deepEqual([code, out], [0, "3 threads, then -6\n"]);
  const wrong = await wasi(["--threads=many", threads, "most"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /^wasi: --threads=many: it must be a number/);
});

test(
  "an exit or a trap in any thread ends the process, whatever the others do",
  options,
  async () => {
    // standard input is a socket here, a read from which holds the process on Node before 26: see README
    const ways = ["loop", "fill", "wait", "sleep", ...(foreign ? ["read"] : [])];
    const cases = ["main", "thread"].flatMap((who) => ways.map((busy) => [who, busy] as const));
    await each(cases, async ([who, busy]) => {
      const words = ["--threads", threads, "end"];
      const exited = await wasi([...words, "exit", who, busy, busy], { input: "idle" });
      assert.deepEqual([exited.code, exited.err], [42, ""], `exit ${who} ${busy}`);
      const trapped = await wasi([...words, "trap", who, busy, busy], { input: "idle" });
      assert.equal(trapped.code, 134, `trap ${who} ${busy}`);
      assert.match(trapped.err, /^wasi: the program trapped: unreachable/i);
      if (runtime !== "bun" && who === "thread") assert.match(trapped.err, /wasi_thread_start/);
    });
  },
);

test("--timeout ends all threads", options, async () => {
  const words = ["--timeout=500ms", "--threads", threads, "end", "return", "thread"];
  const { code, err } = await wasi([...words, "loop", "loop"]);
  assert.equal(code, 124);
  assert.match(err, /timed out after/);
});

test("threads share directories, standard streams and limits", options, async () => {
  const cwd = scratch("wasi-threads");
  fs.writeFileSync(path.join(cwd, "file"), "abcdefghijkl");
  for (const words of [["--dir", ".::/"], ["--overlay", ".::/"]]) {
    const { code, out, err } = await wasi([...words, "--threads", threads, "race", "50"], { cwd });
    assert.deepEqual([code, out, err], [0, "400\n", ""]);
  }
  assert.deepEqual(fs.readdirSync(cwd).sort(), ["file", "r0", "r1", "r2"]);
  const left = await wasi(["--threads", threads, "count", "1", "1"], {
    shell: '{ "$@"; echo $? >&2; } | true',
  });
  assert.equal(left.out, "");
  const bounded = await wasi(["--threads", "-W", "max-memory-size=64K", threads, "most"]);
  assert.equal(bounded.code, 1);
  assert.match(bounded.err, /^wasi: /);
});

test("a program without threads runs as ever", options, async () => {
  const { code, out } = await wasi(["--threads", guest("tool")], { input: "hello" });
  assert.deepEqual([code, out], [0, "HELLO"]);
});

test("a trap in a thread is told with the numbers of the program itself", options, async () => {
  const bytes = await assemble(`(module
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (memory (import "its" "own") 1 1 shared)
    (func $deep (param i32)
      (drop (memory.atomic.wait32 offset=4 (i32.const 0) (i32.const 1) (i64.const -1)))
      (memory.fill (i32.const 0) (i32.const 0) (local.get 0))
      (if (i32.eqz (local.get 0)) (then unreachable))
      (call $deep (i32.sub (local.get 0) (i32.const 1))))
    (func (export "wasi_thread_start") (param i32 i32) (call $deep (i32.const 2)))
    (func (export "_start")
      (drop (call $spawn (i32.const 0)))
      (loop (br 0)))
    (export "memory" (memory 0)))`);
  const file = path.join(scratch("wasi-threads"), "deep.wasm");
  fs.writeFileSync(file, bytes);
  const { code, err } = await wasi(["--threads", file]);
  assert.equal(code, 134);
  if (runtime === "bun") return; // it tells no frames of other threads
  const frames = [...err.matchAll(/^ {2}at (\S+) \(function (\d+), byte (0x[0-9a-f]+)\)$/gm)];
  assert.deepEqual(frames.map(([, name, number]) => `${name} ${number}`), [
    "deep 1",
    "deep 1",
    "deep 1",
    "wasi_thread_start 2",
  ]);
  // unreachable is 0, a call 16
  assert.deepEqual(frames.map(([, , , byte]) => bytes[Number(byte)]), [0, 16, 16, 16]);
});

test("a program of the older snapshot ends with its reader, too", options, async () => {
  const bytes = await assemble(`(module
    (import "wasi_unstable" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "yes\\n")
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 4))
      (loop
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (br 0))))`);
  const file = path.join(scratch("wasi-threads"), "yes.wasm");
  fs.writeFileSync(file, bytes);
  const { out, err } = await wasi(["--threads", file], {
    shell: '{ "$@"; echo "code $?" >&2; } | head -1',
  });
  assert.deepEqual([out, err], ["yes\n", "code 141\n"]);
});
