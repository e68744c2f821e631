/** A program is prepared once and run many times. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { instantiate, OutputBuffer, prepare, run, type Source } from "../../mod.ts";
import { root } from "../support/harness.ts";
import { adapted } from "../support/components.ts";
import { assemble } from "../support/wat.ts";

const HELLO = path.join(root, "tests/guests/tool.wasm");

async function upper(program: Parameters<typeof run>[0], more = {}): Promise<string> {
  const stdout = new OutputBuffer();
  const stdin = new TextEncoder().encode("hello");
  assert.equal(await run(program, { args: ["tool", "upper"], stdin, stdout, ...more }), 0);
  return stdout.text();
}

test("a program is prepared from whatever run() takes, and runs again and again", async () => {
  const bytes = new Uint8Array(fs.readFileSync(HELLO));
  const sources: Record<string, Source> = {
    bytes,
    buffer: bytes.slice().buffer,
    view: new DataView(bytes.buffer),
    blob: new Blob([bytes]),
    url: pathToFileURL(HELLO),
    response: new Response(bytes),
    promise: Promise.resolve(new Response(bytes)),
    module: await WebAssembly.compile(bytes),
  };
  for (const [name, source] of Object.entries(sources)) {
    const program = await prepare(source);
    assert.equal(program.kind, "module");
    for (const more of [{}, { timeout: 20_000 }, { timeout: 20_000 }, {}]) {
      assert.equal(await upper(program, more), "HELLO", name);
    }
  }
});

test("what happens to the bytes afterwards makes no difference", async () => {
  const bytes = new Uint8Array(fs.readFileSync(HELLO));
  const preparing = prepare(bytes);
  const program = await preparing;
  bytes.fill(0);
  assert.equal(await upper(program, { limits: { memoryPages: 1000 } }), "HELLO");
  assert.equal(await upper(program, { timeout: 20_000, limits: { memoryPages: 999 } }), "HELLO");
});

test("a prepared program runs many times at once", async () => {
  const program = await prepare(pathToFileURL(HELLO));
  const all = Array.from({ length: 8 }, (_, i) => upper(program, i % 2 ? { timeout: 20_000 } : {}));
  assert.deepEqual(await Promise.all(all), all.map(() => "HELLO"));
});

test("a prepared reactor is instantiated more than once, each with its own memory", async () => {
  const program = await prepare(
    await assemble(`(module (memory (export "memory") 1)
    (func (export "add") (result i32)
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
      (i32.load (i32.const 0))))`),
  );
  const [one, two] = [await instantiate(program), await instantiate(program)];
  assert.deepEqual([one, one, two].map(({ exports }) => exports.add()), [1, 2, 1]);
  one.close();
  two.close();
  await assert.rejects(run(program), /no _start/);
});

test("memoryPages are built in when a program is prepared, or when it is run", async () => {
  const bytes = await assemble(`(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.add (memory.grow (i32.const 3)) (i32.const 1)))))`);
  const limits = { memoryPages: 2 };
  const program = await prepare(bytes, { limits });
  for (const more of [{}, { timeout: 20_000 }]) {
    assert.equal(await run(program, { limits, ...more }), 0);
    assert.equal(await run(program, more), 2);
  }
});

test("what cannot be prepared is told at once", async () => {
  const garbage = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 99);
  await assert.rejects(prepare(garbage), WebAssembly.CompileError);
  await assert.rejects(prepare(garbage, { interruptible: false }), WebAssembly.CompileError);
  await assert.rejects(prepare("tool.wasm" as never), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(prepare(new Response("", { status: 404 })), { code: "ERR_WASI_SOURCE" });
  const component = Uint8Array.of(0, 97, 115, 109, 13, 0, 1, 0, 99, 99);
  await assert.rejects(prepare(component), { code: "ERR_WASI_COMPONENT" });
  const bytes = fs.readFileSync(HELLO);
  await assert.rejects(prepare(bytes, { timeout: 5 } as never), { code: "ERR_INVALID_ARG_VALUE" });
  await assert.rejects(prepare(bytes, 5 as never), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(prepare(bytes, { interruptible: 1 as never }), {
    code: "ERR_INVALID_ARG_TYPE",
  });
  await assert.rejects(prepare(bytes, { limits: { memoryPages: -1 } }), {
    code: "ERR_OUT_OF_RANGE",
  });
});

test("a plan says what keeps the calls here, and refuses what run() refuses", async () => {
  const program = await prepare(pathToFileURL(HELLO));
  const timeout = 1_000;
  const because = async (options: Parameters<typeof run>[1]): Promise<string | undefined> =>
    (await program.plan({ timeout, ...options })).because;
  assert.equal(await because({}), undefined);
  assert.equal(await because({ stdin: () => 0 }), "options.stdin");
  assert.equal(await because({ stdin: new Uint8Array(3), stdout: null, stderr: 2 }), undefined);
  assert.equal(await because({ stderr: () => {} }), "options.stderr");
  assert.equal(await because({ trace: () => {} }), "options.trace");
  assert.equal(await because({ clock: { now: () => 0n } }), "options.clock");
  assert.equal(await because({ random: () => {} }), "options.random");
  assert.equal(await because({ preopens: { "/": root } }), undefined);
  assert.match((await because({ interruptible: false }))!, /checks/);
  assert.match((await because({ imports: { env: { f() {} } } }))!, /imports/);
  const { guest, calls } = await program.plan({ timeout, imports: { env: { f() {} } } });
  assert.deepEqual([guest, calls], ["here", "here"]);
  await assert.rejects(program.plan({ timeot: 5 } as never), { code: "ERR_INVALID_ARG_VALUE" });
  await assert.rejects(program.plan({ timeout: -5 }), { code: "ERR_OUT_OF_RANGE" });
});

test("a prepared component runs again and again", async () => {
  const program = await prepare(await adapted("tool"));
  assert.equal(program.kind, "component");
  for (const more of [{}, { timeout: 20_000 }, {}]) {
    assert.equal(await upper(program, more), "HELLO");
  }
  assert.equal((await program.plan({ timeout: 20_000 })).guest, "here");
});

test("a program of the package's other copy runs as well", async () => {
  const program = await prepare(pathToFileURL(HELLO));
  // what another copy has made is none of our class, and has what a program shows of itself
  const other = Object.create({}, Object.getOwnPropertyDescriptors(program)) as typeof program;
  for (const more of [{}, { timeout: 20_000 }]) assert.equal(await upper(other, more), "HELLO");
});
