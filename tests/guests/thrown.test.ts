/** What run() rejects with if a guest fails: the same in this thread, in workers and in threads. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { canSuspend, run, type RunOptions } from "../../mod.ts";
import { wasi } from "../support/command.ts";
import { scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 120_000 };

/** Where the guest is. */
const PLACES: Record<string, RunOptions> = {
  "in this thread": {},
  "in this thread, with a stream": { stdin: new Blob([]) },
  "in a worker": { timeout: 30_000 },
  "in a worker with threads": { threads: true, timeout: 30_000 },
};

/** What it does: parts of a module, and what goes into a function. */
const FAILURES: Record<string, [parts: string, body: string, name: string, message: RegExp]> = {
  "throws an exception": [
    "(tag $e (param i32))",
    "(throw $e (i32.const 7))",
    "RuntimeError",
    /^uncaught exception in the program$/,
  ],
  "throws in what it calls": [
    "(tag $e) (func $inner (throw $e))",
    "(call $inner)",
    "RuntimeError",
    /^uncaught exception in the program$/,
  ],
  "traps": ["", "unreachable", "RuntimeError", /unreachable/i],
  "calls itself without end": [
    `(func $deep (param i32) (result i32)
      (i32.add (i32.const 1) (call $deep (i32.add (i32.const 1) (local.get 0)))))`,
    "(drop (call $deep (i32.const 0)))",
    "RangeError",
    /call stack/i,
  ],
};

/** A program whose main does it, or whose start function does. */
function ofMain(parts: string, body: string): Promise<Uint8Array> {
  return assemble(`(module (memory (export "memory") 1) ${parts}
    (func (export "_start") ${body}))`);
}

function ofStart(parts: string, body: string): Promise<Uint8Array> {
  return assemble(`(module (memory (export "memory") 1) ${parts}
    (func $s ${body}) (start $s) (func (export "_start")))`);
}

/** A program that does it in a thread, or in its main if there is one. */
function ofThread(parts: string, body: string, inMain = false): Promise<Uint8Array> {
  return assemble(`(module
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (memory (export "memory") (import "its" "own") 1 1 shared)
    ${parts}
    (func $wait
      (loop (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))) (br 0)))
    (func (export "wasi_thread_start") (param i32 i32)
      ${inMain ? "(call $wait)" : body})
    (func (export "_start")
      (drop (call $spawn (i32.const 0)))
      ${inMain ? body : "(call $wait)"}))`);
}

/** What a run rejects with. */
async function failure(source: Uint8Array, given: RunOptions): Promise<unknown> {
  try {
    await run(source, given);
  } catch (error) {
    return error;
  }
  assert.fail("it did not fail");
}

for (const [what, [parts, body, name, message]] of Object.entries(FAILURES)) {
  test(`a guest that ${what} fails alike wherever it is`, options, async () => {
    const places: [string, Uint8Array, RunOptions][] = [];
    for (const [place, given] of Object.entries(PLACES)) {
      places.push([place, await ofMain(parts, body), given]);
      places.push([`${place}, at its start`, await ofStart(parts, body), given]);
    }
    const threads = { threads: true, timeout: 30_000 };
    places.push(["in a thread", await ofThread(parts, body), threads]);
    places.push(["with a thread", await ofThread(parts, body, true), threads]);
    for (const [place, source, given] of places) {
      const error = await failure(source, given) as Error;
      const expected = name === "RangeError" ? RangeError : WebAssembly.RuntimeError;
      assert.ok(error instanceof expected, `${place}: ${error}`);
      assert.deepEqual([error.name, (error as { code?: unknown }).code], [name, undefined], place);
      assert.match(error.message, message, place);
    }
  });
}

test("an exception is the cause where it is of this thread", options, async () => {
  const { Exception } = WebAssembly as unknown as { Exception: new () => object };
  const source = await ofMain(...FAILURES["throws an exception"]!.slice(0, 2) as [string, string]);
  const here = await failure(source, {}) as Error;
  assert.ok(here.cause instanceof Exception);
  assert.deepEqual(Object.keys(here), []);
  const apart = await failure(source, { timeout: 30_000 }) as Error;
  assert.equal("cause" in apart, false);
});

test("the command tells of an exception as of a trap, in threads too", options, async () => {
  const [parts, body] = FAILURES["throws in what it calls"]!;
  const folder = scratch("wasi-thrown");
  const sources = { main: ofMain(parts, body), thread: ofThread(parts, body) };
  for (const [name, source] of Object.entries(sources)) {
    fs.writeFileSync(path.join(folder, `${name}.wasm`), await source);
  }
  const forms = [["main"], ["--threads", "main"], ["--threads", "thread"]];
  for (const words of forms) {
    const file = `${words.pop()}.wasm`;
    const { code, out, err } = await wasi([...words, file], { cwd: folder });
    assert.deepEqual([code, out], [134, ""], err);
    assert.match(err, /^wasi: the program trapped: uncaught exception\n/);
  }
});

test("what cannot be linked is a LinkError in a worker, too", options, async () => {
  const source = await assemble(`(module
    (import "wasi_snapshot_preview1" "nothing" (func)) (memory (export "memory") 1)
    (func (export "_start")))`);
  for (const given of Object.values(PLACES)) {
    const error = await failure(source, given);
    assert.ok(error instanceof WebAssembly.LinkError, String(error));
  }
});

test("what the embedder's functions throw is what run() rejects with", options, async () => {
  const source = await assemble(`(module (import "env" "f" (func $f))
    (memory (export "memory") 1) (func (export "_start") (call $f)))`);
  const writing = await assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write"
      (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (i32.store (i32.const 4) (i32.const 1))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`);
  const nasty = Object.defineProperties(Object.create(null), {
    ...Object.fromEntries(["name", "message", "stack", "code"].map((name) => [name, {
      get: () => {
        throw new Error("asked");
      },
    }])),
  });
  for (const thrown of [null, undefined, 5, "text", Symbol("own"), nasty, new Error("mine")]) {
    const f = (): never => {
      throw thrown;
    };
    assert.ok(Object.is(await failure(source, { imports: { env: { f } } }), thrown));
    if (canSuspend()) {
      const given = { imports: { env: { f } }, timeout: 30_000 };
      assert.ok(Object.is(await failure(source, given), thrown));
    }
    for (const given of Object.values(PLACES)) {
      assert.ok(Object.is(await failure(writing, { ...given, stdout: f }), thrown));
    }
  }
});
