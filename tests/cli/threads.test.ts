/** Programs with threads, run by the command. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { each, guest, wasi } from "../support/command.ts";
import { runtime, scratch } from "../support/harness.ts";

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
    assert.match(err, /^wasi: .*threads\.wasm: it has threads; say --threads \(.*\)\n$/);
  }
});

test("--threads=N is how many there are at once", options, async () => {
  const { code, out } = await wasi(["--threads=3", threads, "most"]);
  assert.deepEqual([code, out], [0, "3 threads, then -6\n"]);
  const wrong = await wasi(["--threads=many", threads, "most"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^wasi: --threads=many: it must be a number/);
});

test(
  "an exit or a trap in any thread ends the process, whatever the others do",
  options,
  async () => {
    // standard input is a socket here, a read from which holds the process on Node 20: see README
    const ways = ["loop", "fill", "wait", "sleep", ...(runtime === "node20" ? [] : ["read"])];
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
  assert.match(err, /time is over/);
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
