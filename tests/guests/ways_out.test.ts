/** Every way out of run(): what was given is closed or let go of, and it settles. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, type RunOptions } from "../../mod.ts";
import { textModule } from "../support/modules.ts";

/** A program in text, with what it imports of WASI. */
function program(code: string, more = ""): Promise<Uint8Array> {
  return textModule(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    ${more}
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\10\\00\\00\\00")
    (func (export "_start") ${code}))`);
}

const READ = "(drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))";

/** The ways out: what is run, with what, and what becomes of it. */
const WAYS: readonly [
  name: string,
  source: () => unknown,
  options: () => RunOptions,
  rejects: RegExp | number,
][] = [
  ["it returns", () => program(""), () => ({}), 0],
  ["it exits", () => program("(call $exit (i32.const 3))"), () => ({}), 3],
  ["it traps", () => program("unreachable"), () => ({}), /unreachable|Unreachable/],
  [
    "its start function traps",
    () => program("", "(func $s unreachable) (start $s)"),
    () => ({}),
    /unreachable|Unreachable/,
  ],
  [
    "it cannot be linked",
    () => program("", '(import "env" "nothing" (func))'),
    () => ({}),
    /env\.nothing/,
  ],
  [
    "it cannot be linked by the engine",
    () => program("", '(import "env" "table" (table 1 funcref))'),
    () => ({ imports: { env: { table: () => {} } } }),
    // without JSPI functions and streams cannot be had together
    /table|JSPI/,
  ],
  [
    "a preopen is not there",
    () => program(""),
    () => ({ preopens: { "/": "/nothing/is/here" } }),
    /UVWASI_ENOENT/,
  ],
  ["an option is wrong", () => program(""), () => ({ args: 5 as never }), /options\.args/],
  [
    "an option is mistyped",
    () => program(""),
    () => ({ timeOut: 5 } as never),
    /did you mean timeout/,
  ],
  ["a limit is too low", () => program(""), () => ({ limits: { memoryPages: 0 } }), /memoryPages/],
  ["the source is no module", () => new Uint8Array([1, 2, 3]), () => ({}), /./],
  ["the source is text", () => "tool.wasm", () => ({}), /not a path/],
  [
    "the source is a bad response",
    () => new Response("", { status: 404 }),
    () => ({}),
    /404/,
  ],
  ["it is aborted before", () => program(""), () => ({ signal: AbortSignal.abort() }), /abort/i],
  [
    "it is aborted while it waits",
    () => program(READ),
    () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      return { signal: controller.signal, stdin: new ReadableStream() };
    },
    /abort/i,
  ],
  [
    "its time is over",
    () => program(`(loop $l ${READ} (br $l))`),
    () => ({ timeout: 100, stdin: new ReadableStream() }),
    /100 ms|0\.1 s/,
  ],
  [
    "its input fails",
    () => program(READ),
    () => ({ stdin: new ReadableStream({ pull: (c) => c.error(new Error("input broke")) }) }),
    /input broke/,
  ],
];

for (const [name, source, options, outcome] of WAYS) {
  for (const [how, more] of [["here", {}], ["in a worker", { timeout: 20_000 }]] as const) {
    test(`output ends when ${name} (${how})`, { timeout: 30_000 }, async () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const all = { ...more, stdout: writable, stderr: writable, ...options() };
      const text = new Response(readable).text();
      const ran = run(await source() as Uint8Array, all);
      if (typeof outcome === "number") assert.equal(await ran, outcome);
      else await assert.rejects(ran, outcome);
      // whoever reads it does not wait for ever
      const ended = await Promise.race([
        text.then(() => "ended", () => "ended"),
        new Promise((resolve) => setTimeout(resolve, 5000, "still open")),
      ]);
      assert.equal(ended, "ended");
      assert.equal(writable.locked && ended !== "ended", false);
    });
  }
}

test("a preopen that cannot be opened leaves input to the embedder", async () => {
  const stdin = new ReadableStream({ start: (c) => c.enqueue(new Uint8Array([1])) });
  await assert.rejects(run(await program(""), { stdin, preopens: { "/": "/nothing/is/here" } }));
  assert.equal(stdin.locked, false);
});

test("a guest that has returned is not waited for by its input", { timeout: 20_000 }, async () => {
  let returned = false;
  async function* never(): AsyncGenerator<Uint8Array> {
    try {
      yield new Uint8Array([65]);
      await new Promise(() => {});
    } finally {
      returned = true;
    }
  }
  // asks for more and does not wait for it: a poll for input or 10 ms
  const bytes = await textModule(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")
    (data (i32.const 256) "\\00\\00\\00\\00\\00\\00\\00\\00\\01")
    (data (i32.const 304) "\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\01\\00\\00\\00\\00\\00\\00\\00\\80\\96\\98")
    (func (export "_start")
      ${READ}
      (drop (call $poll (i32.const 256) (i32.const 512) (i32.const 2) (i32.const 8)))))`);
  // with a clock of its own, too: time that is not real goes by when the stream has had as long
  for (const more of [{}, { timeout: 5000 }, { clock: 0n }]) {
    const began = performance.now();
    assert.equal(await run(bytes, { stdin: never(), ...more }), 0);
    assert.ok(performance.now() - began < 3000);
  }
  // one that can end is stopped
  async function* ready(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array([65]);
    } finally {
      returned = true;
    }
  }
  returned = false;
  assert.equal(await run(await program(READ), { stdin: ready() }), 0);
  assert.equal(returned, true);
});

test("what an embedder's stream throws, or gives instead of a promise, ends the run", async () => {
  const bytes = await textModule(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")
    (func (export "_start")
      ${READ}
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`);
  const iterable = (next: () => unknown): AsyncIterable<Uint8Array> =>
    ({ [Symbol.asyncIterator]: () => ({ next }) }) as AsyncIterable<Uint8Array>;
  const thrown = iterable(() => {
    throw new Error("input threw");
  });
  await assert.rejects(run(bytes, { stdin: thrown, stdout: null }), /input threw/);
  await assert.rejects(run(bytes, { stdin: iterable(() => 5), stdout: null }), TypeError);
  assert.equal(
    await run(bytes, { stdin: iterable(() => ({ done: true })), stdout: null }),
    0,
  );
  const broken = new WritableStream<Uint8Array>({
    write() {
      throw new Error("output threw");
    },
  });
  await assert.rejects(run(bytes, { stdin: null, stdout: broken }), /output threw/);
});

test("run() says which option is mistyped", async () => {
  const bytes = await program("");
  const refused = (options: object, message: RegExp): Promise<void> =>
    assert.rejects(run(bytes, options), { code: "ERR_INVALID_ARG_VALUE", message });
  await refused({ timeOut: 5 }, /options\.timeOut.*did you mean timeout/);
  await refused({ limit: {} }, /options\.limit'.*did you mean limits/);
  await refused({ preopen: {} }, /did you mean preopens/);
  await refused({ stdOut: null }, /did you mean stdout/);
  await refused({ whatever: 1 }, /is not an option of run\(\): run\(\) has args, /);
  await refused({ returnOnExit: true }, /always returns/);
  await assert.rejects(run(bytes, { limits: { memoryPage: 1 } as never }), /memoryPages/);
});

test("sources: a Blob, and what is none", async () => {
  const bytes = await program("(call $exit (i32.const 9))");
  assert.equal(await run(new Blob([bytes as BlobPart])), 9);
  assert.equal(await run(new Response(bytes as BodyInit)), 9);
  await assert.rejects(run("tool.wasm" as never), { code: "ERR_INVALID_ARG_TYPE", message: /URL/ });
  await assert.rejects(run(5 as never), { code: "ERR_INVALID_ARG_TYPE" });
});

test("streams given as text or as Node's are refused with what to give instead", async () => {
  const bytes = await program("");
  await assert.rejects(run(bytes, { stdin: "text" as never }), /TextEncoder/);
  await assert.rejects(run(bytes, { stdout: "out.txt" as never }), {
    code: "ERR_INVALID_ARG_TYPE",
  });
  const { stdout } = await import("node:process");
  await assert.rejects(run(bytes, { stdout: stdout as never }), /descriptor, 1/);
});
