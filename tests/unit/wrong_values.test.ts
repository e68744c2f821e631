/** Values that no option takes: the error names the option, whatever the value is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputBuffer, run, type RunOptions, WASI, type WASIOptions } from "../../mod.ts";
import { textModule } from "../support/modules.ts";

const READS = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\20\\00\\00\\00\\08\\00\\00\\00")
  (func (export "_start")
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 64)))))`;
const CALLS = `(module (import "env" "f" (func)) (memory (export "memory") 1)
  (func (export "_start") (call 0)))`;

/** Runs the program, and expects an error of this code that says this. */
async function refused(text: string, options: object, code: string, says: RegExp): Promise<void> {
  await assert.rejects(run(await textModule(text), options as RunOptions), (error) => {
    assert.ok(error instanceof TypeError);
    assert.equal((error as { code?: string }).code, code);
    assert.match(error.message, says);
    return true;
  });
}

test("imports without a prototype are named in the error", async () => {
  const imports = { __proto__: null, env: { f() {} } };
  await refused(CALLS, { imports, threads: true }, "ERR_INVALID_ARG_VALUE", /options\.imports/);
});

test("a value whose class has no name of text", () => {
  const args = { constructor: { name: Symbol("odd") } } as unknown as string[];
  assert.throws(() => new WASI({ version: "preview1", args } as WASIOptions), {
    code: "ERR_INVALID_ARG_TYPE",
    message: /"options\.args".*Symbol\(odd\)/,
  });
});

for (const name of ["stdin", "stdout", "stderr"]) {
  test(`a locked stream as ${name}`, async () => {
    const stream = name === "stdin" ? new ReadableStream() : new WritableStream();
    if ("getReader" in stream) stream.getReader();
    else stream.getWriter();
    const says = new RegExp(`options\\.${name}.*is locked`);
    await refused(READS, { [name]: stream }, "ERR_INVALID_ARG_VALUE", says);
  });

  test(`what only looks like a stream as ${name}`, async () => {
    const value = { getReader: 1, getWriter: 1, [Symbol.asyncIterator]: undefined };
    const says = new RegExp(`options\\.${name}`);
    await refused(READS, { [name]: value }, "ERR_INVALID_ARG_TYPE", says);
  });
}

test("an iterator that gives no results", async () => {
  const stdin = { [Symbol.asyncIterator]: () => ({ next: () => null }) };
  await refused(READS, { stdin }, "ERR_INVALID_ARG_TYPE", /options\.stdin/);
});

test("OutputBuffer takes bytes alone", () => {
  const buffer = new OutputBuffer();
  for (const value of [undefined, null, "text", [1, 2], new Uint16Array(2)]) {
    assert.throws(() => buffer.write(value as unknown as Uint8Array), {
      code: "ERR_INVALID_ARG_TYPE",
    });
  }
  assert.equal(buffer.bytes.length, 0);
  buffer.write(new Uint8Array([65]));
  assert.equal(buffer.text(), "A");
});

test("a program whose entry is proc_exit itself exits with 0", async () => {
  const text = `(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
    (memory (export "memory") 1) (export "_start" (func 0)))`;
  const bytes = await textModule(text);
  assert.equal(await run(bytes), 0);
  const wasi = new WASI({ version: "preview1" });
  const module = new WebAssembly.Module(bytes as BufferSource);
  assert.equal(wasi.start(new WebAssembly.Instance(module, wasi.getImportObject())), 0);
});
