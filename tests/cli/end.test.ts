/** How runs end: traps, time limits, signals, readers that go away. */
import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { command, each, guest, wasi } from "../support/command.ts";
import { runtime, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };
const show = guest("show");
const tool = guest("tool");

const TRAPS = {
  "calls.wat": `(module $calls
    (memory (export "memory") 1)
    (func $inner (param i32)
      (if (i32.eqz (local.get 0)) (then unreachable))
      (call $inner (i32.sub (local.get 0) (i32.const 1))))
    (func $outer (call $inner (i32.const 2)))
    (func (export "_start") (call $outer)))`,
  "bounds.wat": `(module (memory (export "memory") 1)
    (func $far (result i32) (i32.load (i32.const 65536)))
    (func (export "_start") (drop (call $far))))`,
  "divide.wat": `(module (memory (export "memory") 1)
    (func $by (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
    (func (export "_start") (drop (call $by (i32.const 0)))))`,
  "deep.wat": `(module (memory (export "memory") 1)
    (func $deep (param i32) (result i32)
      (i32.add (i32.const 1) (call $deep (i32.add (i32.const 1) (local.get 0)))))
    (func (export "_start") (drop (call $deep (i32.const 0)))))`,
  "turns.wat": `(module (memory (export "memory") 1)
    (func $even (param i32) (result i32)
      (i32.add (i32.const 1) (call $odd (i32.add (i32.const 1) (local.get 0)))))
    (func $odd (param i32) (result i32)
      (i32.add (i32.const 1) (call $even (i32.add (i32.const 1) (local.get 0)))))
    (func (export "_start") (drop (call $even (i32.const 0)))))`,
  "count.wat": `(module $count (memory (export "memory") 1)
    (func $down (param i32)
      (if (i32.eqz (local.get 0)) (then unreachable))
      (call $down (i32.sub (local.get 0) (i32.const 1))))
    (func (export "_start") (call $down (i32.const 20))))`,
  "throws.wat":
    `(module (tag $e) (func $throws (throw $e)) (func (export "_start") (call $throws)))`,
  "start.wat": `(module (func $begin unreachable) (start $begin) (func (export "_start")))`,
};

test("a trap ends with 134 and the guest's stack", options, async () => {
  const cwd = scratch("wasi-cli");
  for (const [name, text] of Object.entries(TRAPS)) fs.writeFileSync(path.join(cwd, name), text);
  const frames: [name: string, frames: string[]][] = [
    ["calls.wat", ["inner", "inner", "inner", "outer", "_start"]],
    ["bounds.wat", ["far", "_start"]],
    ["divide.wat", ["by", "_start"]],
    ["throws.wat", []],
    ["start.wat", ["begin"]],
  ];
  await each(frames, async ([name, expected]) => {
    const { code, out, err } = await wasi([name], { cwd });
    assert.equal(code, 134, err);
    assert.equal(out, "");
    const [first, ...lines] = err.split("\n");
    assert.match(first!, /^wasi: the program trapped: \S.*$/);
    assert.equal(lines.pop(), "");
    assert.deepEqual(lines.map((line) => /^ {2}at (\S+)/.exec(line)![1]), expected, name);
    if (runtime !== "bun") {
      for (const line of lines) assert.match(line, / \(function \d+, byte 0x[0-9a-f]+\)$/);
    }
  });
  const calls = await wasi(["calls.wat"], { cwd });
  if (runtime !== "bun") {
    const numbers = calls.err.split("\n").flatMap((line) => /function (\d)/.exec(line)?.[1] ?? []);
    assert.deepEqual(numbers, ["0", "0", "0", "1", "2"]);
  }
  // what it wrote before is there, and within a time limit it is the same
  const [aborted, timed] = await Promise.all([
    wasi([guest("trap")]),
    wasi(["--timeout=20s", guest("trap")]),
  ]);
  assert.deepEqual({ code: aborted.code, out: aborted.out }, { code: 134, out: "before\n" });
  assert.deepEqual({ ...aborted, milliseconds: 0 }, { ...timed, milliseconds: 0 });
});

test("a recursion is shown once, with how often", options, async () => {
  const cwd = scratch("wasi-cli");
  for (const [name, text] of Object.entries(TRAPS)) fs.writeFileSync(path.join(cwd, name), text);
  /** The frames of a trap: names of functions, and what is said of the others. */
  const framesOf = async (name: string): Promise<string[]> => {
    const { code, err } = await wasi([name], { cwd });
    assert.equal(code, 134);
    const lines = err.split("\n").slice(1, -1);
    return lines.map((line) => /^ {2}at (\S+)/.exec(line)?.[1] ?? line.trim());
  };
  const [deep, turns, count] = await Promise.all(
    ["deep.wat", "turns.wat", "count.wat"].map(framesOf),
  );
  // the function's first frame may be at another byte
  assert.deepEqual([...new Set(deep!.slice(0, -1))], ["deep"]);
  assert.ok(deep!.length <= 3, deep!.join());
  assert.match(deep!.at(-1)!, /^\.\.\. the same again, 5\d times or more$/);
  assert.deepEqual([...new Set(turns!.slice(0, -1))].sort(), ["even", "odd"]);
  assert.ok(turns!.length <= 4, turns!.join());
  assert.match(turns!.at(-1)!, /^\.\.\. these 2 again, 2\d times or more$/);
  // 21 calls of it in all
  assert.equal(count!.at(-1), "_start");
  const again = count!.find((line) => line.startsWith("..."))!;
  const named = count!.filter((line) => line === "down").length;
  assert.equal(Number(/^\.\.\. the same again, (\d+) times$/.exec(again)![1]) + named, 21);
});

/** The processes that have this word among theirs. */
function processesWith(word: string): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid,stat,args"], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.includes(word) && !/^\s*\d+ Z/.test(line));
}

/** How much later than told a time limit may take effect, the start of the runtime apart. */
const LATE = 300;

test("--timeout ends whatever it is, with 124, and leaves no process", options, async () => {
  const start = Math.min(...(await Promise.all([1, 2].map(() => wasi([show])))).map((ran) => {
    return ran.milliseconds;
  }));
  const forms: [words: string[], milliseconds: number, input?: "idle"][] = [
    [["--timeout", "600ms", show, "loop"], 600],
    [["-W", "timeout=0.7s", show, "sleep", "1000"], 700],
    [["-timeout=500ms", tool, "upper"], 500, "idle"],
    [["--wasm", "timeout=10s", "--timeout=500ms", show, "loop"], 500],
  ];
  for (const [words, milliseconds, input] of forms) {
    const late: number[] = [];
    // a busy machine may be late once or twice
    while (late.length < 4 && !late.some((time) => time < LATE)) {
      const mark = `mark-${crypto.randomUUID()}`;
      const ran = await wasi([...words, mark], { input });
      assert.deepEqual({ code: ran.code, out: ran.out }, { code: 124, out: "" });
      assert.equal(
        ran.err,
        `wasi: the program timed out after ${milliseconds / 1000} s\n`,
      );
      assert.ok(ran.milliseconds >= milliseconds);
      assert.deepEqual(processesWith(mark), []);
      late.push(ran.milliseconds - milliseconds - start);
    }
    assert.ok(late.length < 4, `${late} ms late`);
  }
});

test("a time limit that is not reached changes nothing", options, async () => {
  const forms: [words: string[], code: number, out: string][] = [
    [["--timeout", "1000h", show, "a"], 0, "[show.wasm]\n[a]\n"],
    [["--timeout", "20s", show, "exit", "124"], 124, ""],
    [["--timeout", "20s", "--", show, "--", "--"], 0, "[show.wasm]\n[--]\n"],
    [["run", "--timeout", "1m30s", show], 0, "[show.wasm]\n"],
  ];
  await each(forms, async ([words, code, out]) => {
    const ran = await wasi(words);
    assert.deepEqual({ code: ran.code, out: ran.out, err: ran.err }, { code, out, err: "" });
  });
  const { code, err } = await wasi(["--timeout", "20s", "--dir", "/none", show]);
  assert.deepEqual({ code, err }, {
    code: 1,
    err: "wasi: --dir /none: there is no such directory; create it first\n",
  });
});

/** Waits until a guest with this word among its arguments is running. */
async function running(word: string, count: number): Promise<void> {
  for (let i = 0; i < 200 && processesWith(word).length < count; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // past the start of the runtime
  await new Promise((resolve) => setTimeout(resolve, 300));
}

test("signals end it, with and without a time limit, and leave no process", options, async () => {
  const signals: [signal: NodeJS.Signals, words: string[], processes: number][] = [
    ["SIGINT", [show, "loop"], 1],
    ["SIGINT", ["--timeout=60s", show, "loop"], 2],
    ["SIGINT", ["--timeout=60s", show, "sleep", "1000"], 2],
    ["SIGTERM", [show, "sleep", "1000"], 1],
    ["SIGTERM", ["--timeout=60s", show, "loop"], 2],
    ["SIGHUP", ["--timeout=60s", tool, "upper"], 2],
    ["SIGKILL", ["--timeout=60s", show, "loop"], 2],
  ];
  await each(signals, async ([signal, words, processes]) => {
    const mark = `mark-${crypto.randomUUID()}`;
    let child: ChildProcess | undefined;
    let sent = 0;
    const ran = wasi([...words, mark], { input: "idle", started: (one) => child = one });
    await running(mark, processes);
    sent = performance.now();
    child!.kill(signal);
    const { code, out } = await ran;
    assert.deepEqual({ code, out }, { code: signal, out: "" });
    // a killed parent cannot end the other process: that looks for itself, twice a second
    const most = signal === "SIGKILL" ? 2000 : 1000;
    const taken = performance.now() - sent;
    assert.ok(taken < most, `${signal} ${words}: ${taken} ms`);
    assert.deepEqual(processesWith(mark), []);
  });
});

test("a process whose parent is gone before it has begun ends, too", options, async () => {
  const mark = `mark-${crypto.randomUUID()}`;
  // the number of a process that is not there
  const words = ["--timed=999999999", ...["--timeout=60s", show, "loop", mark].map((w) => `:${w}`)];
  const { code } = await wasi(words);
  assert.equal(code, "SIGKILL");
  assert.deepEqual(processesWith(mark), []);
});

test("a shell's Ctrl-C reaches the program, too", options, async () => {
  // a process group of its own, all of which gets the signal, as in a terminal
  const mark = `mark-${crypto.randomUUID()}`;
  const words = [...command, "--timeout=60s", show, "loop", mark];
  const script = 'set -m; "$@" & sleep 1.5; kill -INT -$!; wait $!; echo "code $?"';
  const { out } = await wasi(words.slice(command.length), {
    shell: `exec bash -c '${script}' bash "$@"`,
  });
  assert.match(out, /^code 130$/m);
  assert.deepEqual(processesWith(mark), []);
});

test("a closed pipe ends it quietly", options, async () => {
  const shell = '{ "$@"; echo "code $?" >&2; } | head -2';
  await each([[], ["--timeout=60s"]], async (words) => {
    const ran = await wasi([...words, show, "lines", "1000000"], { shell });
    assert.equal(ran.out, "guest: 000000000000\nguest: 000000000001\n");
    assert.equal(ran.err, "code 141\n");
  });
  const traced = await wasi(["--trace", show, "lines", "100000"], {
    shell: '{ "$@" 2>&1 >/dev/null; echo "code $?" >&2; } | head -1',
  });
  assert.match(traced.out, /^==> /);
  assert.match(traced.err, /^code \d+\n$/);
});

test("what is closed from the start is no fault", options, async () => {
  const forms: [shell: string, out: string][] = [
    ['"$@" a <&-', "[show.wasm]\n[a]\n"],
    ['"$@" a 2>&-', "[show.wasm]\n[a]\n"],
    ['"$@" exit 3 >&-; echo "code $?"', "code 3\n"],
  ];
  await each(forms, async ([shell, expected]) => {
    const { out, err } = await wasi([show], { shell });
    assert.deepEqual({ out, err }, { out: expected, err: "" });
  });
});

test("much output comes through a pipe whole", options, async () => {
  const count = 500_000; // 10 MB
  const slow = `node -e '
    let got = 0, hash = require("crypto").createHash("sha256");
    process.stdin.on("data", (chunk) => {
      hash.update(chunk); got += chunk.length;
      if (Math.random() < 0.05) { process.stdin.pause(); setTimeout(() => process.stdin.resume(), 5); }
    }).on("end", () => console.log(got, hash.digest("hex")));'`;
  const hash = crypto.createHash("sha256");
  for (let i = 0; i < count; i++) hash.update(`guest: ${String(i).padStart(12, "0")}\n`);
  const expected = `${count * 20} ${hash.digest("hex")}\n`;
  const [piped, timed, direct] = await Promise.all([
    wasi([show, "lines", String(count)], { shell: `"$@" | ${slow}` }),
    wasi(["--timeout=100s", show, "lines", String(count)], { shell: `"$@" | ${slow}` }),
    wasi([show, "lines", String(count)]),
  ]);
  assert.equal(piped.out, expected);
  assert.equal(timed.out, expected);
  assert.equal(direct.stdout.length, count * 20);
  assert.equal(direct.code, 0);
  // and through it
  const { stdout } = await wasi([tool, "upper"], { input: direct.stdout });
  assert.equal(stdout.length, count * 20);
  assert.match(new TextDecoder().decode(stdout.subarray(-20)), /^GUEST: 000000499999\n$/);
});
