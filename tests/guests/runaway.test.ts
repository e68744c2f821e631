/** Programs that do not end by themselves: run() with a timeout or a signal ends them. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { canSuspend, memory, OutputBuffer, run, type RunOptions } from "../../mod.ts";
import { mod, root, runtime, scratch } from "../support/harness.ts";
import { textModule } from "../support/modules.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 120_000 };
const TIMEOUT = 300;
/** How late a program may be ended here; on a quiet machine it is below 100 milliseconds. */
const LATE = 1500;

const CALLS = `
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)`;

/** What each of them does. */
const AWAY: Record<string, string> = {
  "a loop without calls": `(memory (export "memory") 1) (func (export "_start") (loop (br 0)))`,
  "a loop in its start function": `(memory (export "memory") 1) (func $s (loop (br 0))) (start $s)
    (func (export "_start"))`,
  "a recursion without end": `(memory (export "memory") 1)
    (func $f (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (call $f (i32.sub (local.get 0) (i32.const 1)))
          (call $f (i32.sub (local.get 0) (i32.const 1)))))
        (else (i32.const 1))))
    (func (export "_start") (drop (call $f (i32.const 60))))`,
  "a loop of tail calls": `(memory (export "memory") 1)
    (func $f (param i32) (return_call $f (local.get 0)))
    (func (export "_start") (return_call $f (i32.const 1)))`,
  "a loop that fills memory": `(memory (export "memory") 1000) (func (export "_start")
    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) (br 0)))`,
  "a sleep": `${CALLS} (func (export "_start")
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 1000000000000))
    (drop (call $poll (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 400))))`,
  "a read from an idle pipe": `${CALLS} (func (export "_start")
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 10))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 400))))`,
  "a poll of an idle pipe": `${CALLS} (func (export "_start")
    (i32.store8 (i32.const 8) (i32.const 1))
    (drop (call $poll (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 400))))`,
  "a wait on a shared memory of its own": `(memory (export "memory") 1) (memory $m 1 1 shared)
    (func (export "_start") (drop
      (memory.atomic.wait32 $m offset=8 (i32.const 8) (i32.const 0) (i64.const -1))))`,
  "a wait that catches all": `(memory (export "memory") 1)
    (memory 1) (memory $m 1 1 shared) (tag $e)
    (func (export "_start") (loop
      (try (do (drop (memory.atomic.wait64 $m (i32.const 8) (i64.const 0) (i64.const -1))))
        (catch_all)) (br 0)))`,
  "a long wait on a memory of 64 bits": `(memory (export "memory") 1) (memory $m i64 1 1 shared)
    (func (export "_start") (drop
      (memory.atomic.wait32 $m (i64.const 8) (i32.const 0) (i64.const 100000000000))))`,
  "calls in a loop": `${CALLS} (func (export "_start")
    (loop (drop (call $read (i32.const 99) (i32.const 0) (i32.const 1) (i32.const 400))) (br 0)))`,
};

/** Both ends of a pipe through which nothing comes. */
function idlePipe(): number {
  const fifo = path.join(scratch("runaway"), "fifo");
  execFileSync("mkfifo", [fifo]);
  return fs.openSync(fifo, "r+");
}

/** Runs it; gives what ended it, how late, and how often a timer of ours came meanwhile. */
async function ended(
  source: Uint8Array | WebAssembly.Module,
  given: RunOptions,
): Promise<{ name: string; late: number; ticks: number }> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const began = performance.now();
  try {
    const code = await run(source, given);
    return { name: `ended with ${code}`, late: 0, ticks };
  } catch (error) {
    return { name: (error as Error).name, late: performance.now() - began - TIMEOUT, ticks };
  } finally {
    clearInterval(timer);
  }
}

/** Share of a processor that this process uses while nothing should go on. */
async function busy(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 400));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 400e3;
}

for (const [what, text] of Object.entries(AWAY)) {
  test(
    `${what} is stopped by a timeout and by a signal, and the host goes on`,
    options,
    async () => {
      const source = await textModule(`(module ${text})`);
      if (!WebAssembly.validate(source as BufferSource)) return; // the runtime has no such memories
      const stdin = idlePipe();
      const byTimeout = await ended(source, { timeout: TIMEOUT, stdin });
      assert.equal(byTimeout.name, "TimeoutError");
      const controller = new AbortController();
      setTimeout(() => controller.abort(), TIMEOUT);
      const bySignal = await ended(source, { signal: controller.signal, stdin });
      assert.equal(bySignal.name, "AbortError");
      fs.closeSync(stdin);
      for (const { late, ticks } of [byTimeout, bySignal]) {
        assert.ok(late < LATE, `${late} ms late`);
        assert.ok(ticks >= 5, `${ticks} times in ${TIMEOUT} ms`);
      }
      const share = await busy();
      assert.ok(share < 0.5, `${share * 100} % of a processor afterwards`);
    },
  );
}

test(
  "a compiled module that waits is stopped, and one that computes where the runtime can",
  options,
  async () => {
    const moduleOf = async (what: string): Promise<WebAssembly.Module> =>
      new WebAssembly.Module(await assemble(`(module ${AWAY[what]!})`) as BufferSource);
    const stdin = idlePipe();
    const waiting = await ended(await moduleOf("a read from an idle pipe"), {
      timeout: TIMEOUT,
      stdin,
    });
    assert.equal(waiting.name, "TimeoutError");
    assert.ok(waiting.late < LATE);
    assert.ok(await busy() < 0.5);
    fs.closeSync(stdin);
    // elsewhere its thread would go on until the process ends
    if (!runtime.startsWith("node")) return;
    const computing = await ended(await moduleOf("a loop without calls"), { timeout: TIMEOUT });
    assert.equal(computing.name, "TimeoutError");
    assert.ok(computing.late < LATE);
    assert.ok(await busy() < 0.5);
  },
);

/** Runs a script in a process of its own; gives its exit code, or the signal after ten seconds. */
function processOf(script: string): Promise<number | string | null> {
  const file = path.join(scratch("runaway"), "script.mjs");
  fs.writeFileSync(file, script);
  const words = [
    process.execPath,
    ...(runtime === "deno" ? ["run", "-A", "--no-check"] : []),
    file,
  ];
  // through a shell, because Deno changes the words of a Deno that it starts
  const child = spawn("/bin/sh", ["-c", 'exec "$@"', "sh", ...words], { stdio: "inherit" });
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? signal);
    });
  });
}

test("a compiled module that is given up does not keep the process", options, async () => {
  // one that fills memory holds Node for good (see docs/threads.md)
  const filling = runtime.startsWith("node") ? [] : ["a loop that fills memory"];
  for (const what of ["a loop without calls", ...filling]) {
    const source = await assemble(`(module ${AWAY[what]!})`);
    const code = await processOf(`
      import { run } from ${JSON.stringify(mod)};
      const module = new WebAssembly.Module(new Uint8Array([${source}]));
      const error = await run(module, { timeout: 100 }).catch((error) => error);
      process.exitCode = error.name === "TimeoutError" ? 5 : 6;`);
    assert.equal(code, 5, what);
  }
});

test("with functions of the embedder it runs here, and its time is limited", options, async () => {
  const imports = { env: { f: () => {} } };
  for (const [what, text] of Object.entries(AWAY)) {
    const source = await textModule(`(module (import "env" "f" (func)) ${text})`);
    if (!WebAssembly.validate(source as BufferSource)) continue;
    const stdin = idlePipe();
    const run1 = ended(source, { timeout: TIMEOUT, stdin, imports });
    if (!canSuspend()) {
      assert.equal((await run1).name, "TypeError", what);
      continue;
    }
    const { name, late, ticks } = await run1;
    assert.equal(name, "TimeoutError", what);
    assert.ok(late < LATE, `${what}: ${late} ms late`);
    if (/sleep|pipe|wait/.test(what)) assert.ok(ticks >= 5, `${what}: ${ticks} times`);
    fs.closeSync(stdin);
  }
  assert.ok(await busy() < 0.5);
});

test("functions of the embedder: what is over in time, fails or is not to be limited", {
  ...options,
  skip: canSuspend() ? false : "refused without JSPI",
}, async () => {
  const called: number[] = [];
  const mine = new Error("mine");
  const imports = {
    env: {
      f(n: number) {
        called.push(n);
        if (n === 7) throw mine;
      },
    },
  };
  const calling = (n: number): Promise<Uint8Array> =>
    assemble(`(module (import "env" "f" (func $f (param i32))) (memory (export "memory") 1)
      (func (export "_start") (call $f (i32.const ${n}))))`);
  const { signal } = new AbortController();
  assert.equal(await run(await calling(5), { imports, timeout: 5000, signal }), 0);
  assert.deepEqual(called, [5]);
  const thrown = (given: RunOptions, n = 5) => (async () => run(await calling(n), given))();
  await assert.rejects(thrown({ imports, timeout: 5000 }, 7), (error) => error === mine);
  const aborted = AbortSignal.abort(mine);
  await assert.rejects(
    thrown({ imports, timeout: 5000, signal: aborted }),
    (error) => error === mine,
  );
  await assert.rejects(thrown({ imports, timeout: 5000, interruptible: false }), {
    message: /options\.imports.*interruptible/s,
  });
  const module = new WebAssembly.Module(await calling(5) as BufferSource);
  await assert.rejects(run(module, { imports, timeout: 5000 }), {
    message: /options\.imports.*bytes/s,
  });
  const shared = await assemble(`(module (import "env" "f" (func)) (import "env" "memory"
    (memory 1 1 shared)) (func (export "_start")))`);
  await assert.rejects(run(shared, { imports, timeout: 5000 }), { message: /options\.imports/ });
});

test("what was written before is there; what is open is closed", options, async () => {
  const tool = fs.readFileSync(path.join(root, "tests/guests/tool.wasm"));
  const stdout = new OutputBuffer();
  const open = (): number => {
    try {
      return fs.readdirSync("/proc/self/fd").length;
    } catch {
      return 0;
    }
  };
  const folder = scratch("runaway");
  fs.writeFileSync(path.join(folder, "in"), "x");
  const once = (): Promise<unknown> =>
    run(tool, {
      args: ["tool", "upper"],
      stdin: new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode("begun ")),
      }),
      stdout,
      preopens: { "/": folder },
      timeout: 100,
    }).catch((error: Error) => error.name);
  assert.equal(await once(), "TimeoutError");
  const before = open();
  for (let i = 0; i < 12; i++) await once();
  // Deno's last worker gives back what it had somewhat later
  assert.ok(open() < before + 12, `${before} descriptors before, ${open()} after`);
});

test("a signal that is over from the start ends it before it begins", options, async () => {
  const source = await assemble(`(module ${AWAY["a loop without calls"]!})`);
  const stdout = new OutputBuffer();
  await assert.rejects(run(source, { signal: AbortSignal.abort(new Error("mine")), stdout }), {
    message: "mine",
  });
  const reason = { not: "an error" };
  await run(source, { signal: AbortSignal.abort(reason) }).then(
    () => assert.fail("it ran"),
    (given) => assert.equal(given, reason),
  );
});

test(
  "a program that ends in time is not hurt: its code, its output, its files",
  options,
  async () => {
    const tool = fs.readFileSync(path.join(root, "tests/guests/tool.wasm"));
    for (const source of [tool, new WebAssembly.Module(tool)]) {
      const stdout = new OutputBuffer();
      const code = await run(source, {
        args: ["tool", "upper"],
        stdin: new TextEncoder().encode("x".repeat(300_000)),
        stdout,
        preopens: { "/": memory() },
        timeout: 60_000,
        signal: new AbortController().signal,
      });
      assert.equal(code, 0);
      assert.equal(stdout.text(), "X".repeat(300_000));
    }
  },
);

test("checks can be had and left out; they need the program's bytes", options, async () => {
  const source = await assemble(`(module (memory (export "memory") 1)
    (func (export "_start") (local $i i32)
      (loop $next
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 1000000))))))`);
  for (const interruptible of [true, false]) {
    assert.equal(await run(source, { interruptible, timeout: 20_000 }), 0);
  }
  await assert.rejects(
    run(new WebAssembly.Module(source as BufferSource), { interruptible: true, timeout: 1000 }),
    { code: "ERR_INVALID_ARG_VALUE", message: /options\.interruptible.*bytes/ },
  );
});

test("a large piece of memory goes to a worker's calls and back", options, async () => {
  // reads 3 MB at once from standard input, as often as it takes, and writes them
  const source = await assemble(`(module ${CALLS.replace('(memory (export "memory") 1)', "")}
    (import "wasi_snapshot_preview1" "fd_write"
      (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 64)
    (func (export "_start") (local $n i32)
      (loop $next
        (i32.store (i32.const 0) (i32.const 65536))
        (i32.store (i32.const 4) (i32.const 3000000))
        (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
        (local.set $n (i32.load (i32.const 8)))
        (if (local.get $n) (then
          (i32.store (i32.const 4) (local.get $n))
          (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
            (then unreachable))
          (if (i32.ne (local.get $n) (i32.load (i32.const 8))) (then unreachable))
          (br $next))))))`);
  const stdin = new Uint8Array(3_000_000).map((_, i) => i % 253);
  // the first call of each run makes room: which of two messages comes first is chance
  for (let i = 0; i < 20; i++) {
    const stdout = new OutputBuffer();
    assert.equal(await run(source, { stdin, stdout, timeout: 20_000 }), 0);
    assert.equal(stdout.bytes.length, stdin.length);
    assert.ok(stdout.bytes.every((byte, i) => byte === i % 253));
  }
});
