/** Components as programs: guests of tests/guests, with jco's adapter, and text. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { canSuspend, memory, OutputBuffer, run, type RunOptions } from "../../mod.ts";
import { scratch } from "../support/harness.ts";
import { adapted, component, guestBytes } from "../support/components.ts";

interface Outcome {
  code: number;
  out: string;
}

async function ran(program: Uint8Array, options: RunOptions = {}): Promise<Outcome> {
  const stdout = new OutputBuffer();
  const code = await run(program, { stdin: null, stderr: null, stdout, ...options });
  return { code, out: stdout.text() };
}

/** Guests all of whose checks pass through the adapter. */
const GUESTS = ["args", "changing", "hardlinks", "open", "random", "remove", "rename", "tree"];

/** What a guest has checked. */
const checksOf = (out: string): string[] =>
  out.split("\n").filter((line) => /^(not )?ok /.test(line));

for (const name of GUESTS) {
  test(`${name}: a guest does as a component what it does as a module`, async () => {
    for (const make of [scratch, memory]) {
      const options = (): RunOptions => ({ args: [name], preopens: { "/": make() } });
      const asModule = await ran(guestBytes(name), options());
      const { code, out } = await ran(await adapted(name), options());
      assert.equal(code, 0, out);
      assert.ok(checksOf(out).length > 9);
      assert.deepEqual(checksOf(out), checksOf(asModule.out));
      assert.doesNotMatch(out, /^not ok/m);
    }
  });
}

test("standard streams: bytes in, output and errors apart, the exit code", async () => {
  const tool = await adapted("tool");
  const upper = await ran(tool, {
    args: ["tool", "upper"],
    stdin: new TextEncoder().encode("hello, component"),
  });
  assert.deepEqual(upper, { code: 0, out: "HELLO, COMPONENT" });
  const stderr = new OutputBuffer();
  const missing = await ran(tool, { args: ["tool", "list", "/nowhere"], stderr });
  assert.equal(missing.code, 1);
  assert.match(stderr.text(), /nowhere/);
});

test("files that a component writes are on the disk, and nothing is left open", async () => {
  const folder = scratch();
  const tool = await adapted("tool");
  const before = process_.descriptors();
  for (let i = 0; i < 3; i++) {
    const options = { args: ["tool", "write", "/new.txt", `text ${i}`], preopens: { "/": folder } };
    assert.equal((await ran(tool, options)).code, 0);
    assert.equal(fs.readFileSync(`${folder}/new.txt`, "utf8"), `text ${i}`);
  }
  assert.equal(process_.descriptors(), before);
});

/** What the process has open, where that can be seen. */
const process_ = {
  descriptors: (): number =>
    fs.existsSync("/proc/self/fd") ? fs.readdirSync("/proc/self/fd").length : 0,
};

/** A component of one module that runs; `body` is WAT, `imports` of the component's. */
function command(body: string, { given = "", more = "" } = {}): Promise<Uint8Array> {
  return component(`(component
    ${given}
    (core module $m ${more}
      (memory (export "memory") 1)
      (func (export "run") (result i32) ${body}))
    (core instance $i (instantiate $m ${given && '(with "" (instance $imports))'}))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (component $c
      (import "run" (func $f (result (result))))
      (export "run" (func $f)))
    (instance $out (instantiate $c (with "run" (func $run))))
    (export "wasi:cli/run@0.2.0" (instance $out)))`);
}

test("what run gives is the exit code: 0 for ok, 1 for an error", async () => {
  assert.equal(await run(await command("i32.const 0")), 0);
  assert.equal(await run(await command("i32.const 1")), 1);
});

test("a trap is thrown, as a module's is", async () => {
  await assert.rejects(run(await command("unreachable")), WebAssembly.RuntimeError);
});

test("a result that its type does not have is a trap", async () => {
  await assert.rejects(run(await command("i32.const 2")), /a variant has no case 2/);
});

const LOOP = "(loop $l (br $l)) i32.const 0";

test("timeout stops a component that computes", async () => {
  const began = performance.now();
  await assert.rejects(run(await command(LOOP), { timeout: 200 }), { name: "TimeoutError" });
  assert.ok(performance.now() - began < 5000);
});

const exit = (name: string, parameter: string): { given: string; more: string } => ({
  given: `(import "wasi:cli/exit@0.2.3" (instance $exit
      (export "${name}" (func (param "status${parameter === "u8" ? "-code" : ""}" ${parameter})))))
    (alias export $exit "${name}" (func $f))
    (core func $lowered (canon lower (func $f)))
    (core instance $imports (export "exit" (func $lowered)))`,
  more: `(import "" "exit" (func $exit (param i32)))`,
});

test("exit ends the component at once, and exit-with-code says with what", async () => {
  const calls = `(call $exit (i32.const 1)) unreachable`;
  assert.equal(await run(await command(calls, exit("exit", "(result)"))), 1);
  const code = `(call $exit (i32.const 42)) unreachable`;
  assert.equal(await run(await command(code, exit("exit-with-code", "u8"))), 42);
});

test("an import of another type than WASI's cannot be linked", async () => {
  const program = await command("i32.const 0", exit("exit", "u32"));
  await assert.rejects(run(program), (error: Error & { code?: string }) => {
    assert.ok(error instanceof WebAssembly.LinkError);
    assert.equal(error.code, "ERR_WASI_COMPONENT");
    assert.match(error.message, /wasi:cli\/exit@0\.2\.3 exit as func\(status: u32\)/);
    return true;
  });
});

test("what is not there is named, with what to do", async () => {
  const wants = (name: string): Promise<Uint8Array> =>
    component(`(component (import "${name}" (instance)))`);
  await assert.rejects(
    run(await wants("wasi:keyvalue/store@0.2.0")),
    /options\.imports\["wasi:key/,
  );
  await assert.rejects(run(await wants("wasi:cli/stdin@0.3.0")), /WASI 0\.3 is not supported/);
  await assert.rejects(run(await wants("wasi:cli/stdin@0.9.0")), /only the versions 0\.2\.x/);
  await assert.rejects(run(await wants("wasi:io/streams@0.2.99")), /exports no wasi:cli\/run/);
});

test("limits.memoryPages holds for a component's memories", async () => {
  const grows = `(drop (memory.grow (i32.const 20))) (i32.sub (memory.size) (i32.const 21))`;
  assert.equal(await run(await command(grows)), 0);
  // growing fails, so the size stays 1
  const small = run(
    await command(`(i32.eq (memory.grow (i32.const 20)) (i32.const -1))
    (i32.eqz)`),
    { limits: { memoryPages: 4 } },
  );
  assert.equal(await small, 0);
});

test("a component that sleeps lets the thread go on", {
  skip: canSuspend() ? false : "no JSPI on this runtime",
}, async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const began = performance.now();
  const program = await sleeper(150);
  assert.equal(await run(program), 0);
  clearInterval(timer);
  assert.ok(performance.now() - began >= 149);
  assert.ok(ticks > 5, `${ticks} ticks`);
});

test("a signal ends a component that waits", {
  skip: canSuspend() ? false : "no JSPI on this runtime",
}, async () => {
  const program = await sleeper(60_000);
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 50);
  await assert.rejects(run(program, { signal: controller.signal }), (error) => error === reason);
  await assert.rejects(run(program, { timeout: 100 }), { name: "TimeoutError" });
});

/** A component that waits so many milliseconds on the monotonic clock. */
function sleeper(milliseconds: number): Promise<Uint8Array> {
  return command(
    `(local $p i32)
      (local.set $p (call $subscribe (i64.const ${milliseconds * 1_000_000})))
      (call $block (local.get $p))
      (call $drop (local.get $p))
      i32.const 0`,
    {
      given: `(import "wasi:io/poll@0.2.0" (instance $poll
          (export "pollable" (type $p (sub resource)))
          (export "[method]pollable.block" (func (param "self" (borrow $p))))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
          (alias outer 1 $pollable (type $outer))
          (export "pollable" (type $p (eq $outer)))
          (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
        (core func $subscribe (canon lower (func $clock "subscribe-duration")))
        (core func $block (canon lower (func $poll "[method]pollable.block")))
        (core func $drop (canon resource.drop $pollable))
        (core instance $imports
          (export "subscribe" (func $subscribe))
          (export "block" (func $block))
          (export "drop" (func $drop)))`,
      more: `(import "" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "" "block" (func $block (param i32)))
        (import "" "drop" (func $drop (param i32)))`,
    },
  );
}
