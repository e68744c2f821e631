/** Programs that cannot be run: run() says why, and what to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate, OutputBuffer, run, type RunOptions } from "../../mod.ts";
import { textModule } from "../support/modules.ts";

const MEMORY = '(memory (export "memory") 1)';
const START = '(func (export "_start"))';
const READ = '(import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))';

const UNFIT: readonly [what: string, text: string, options: RunOptions, says: RegExp][] = [
  ["Go for JavaScript", `(import "gojs" "runtime.wasmExit" (func (param i32)))`, {}, /GOOS=wasip1/],
  ["older Go for JavaScript", `(import "go" "debug" (func (param i32)))`, {}, /GOOS=wasip1/],
  [
    "Emscripten",
    `(import "env" "emscripten_resize_heap" (func (param i32) (result i32)))`,
    {},
    /Emscripten.*STANDALONE_WASM.*/,
  ],
  [
    "wasm-bindgen",
    `(import "__wbindgen_placeholder__" "__wbindgen_throw" (func (param i32 i32)))`,
    {},
    /wasm-bindgen.*wasm32-wasip1/,
  ],
  [
    "Emscripten's exceptions",
    `(import "env" "invoke_vi" (func (param i32 i32)))`,
    {},
    /-sSTANDALONE_WASM, and -fwasm-exceptions/,
  ],
  [
    "napi-rs, with threads",
    `(import "wasi" "thread-spawn" (func (param i32) (result i32)))
     (import "env" "napi_get_undefined" (func (param i32 i32) (result i32))) ${MEMORY}`,
    {},
    /env\.napi_get_undefined .*@x\/wasi\/register/,
  ],
  ["Ruby", `(import "rb-js-abi-host" "global-this" (func (result i32)))`, {}, /@ruby\/wasm-wasi/],
  ["SWC", `(import "env" "__set_transform_result" (func (param i32 i32)))`, {}, /plugin of SWC/],
  [
    "WasmEdge's sockets",
    `(import "wasi_snapshot_preview1" "sock_open" (func (param i32 i32 i32) (result i32)))`,
    {},
    /sock_open .*wasm32-wasip2/,
  ],
  [
    "no name",
    `(import "" "b" (func))`,
    {},
    /: ""\.b \(function\); provide them in options\.imports/,
  ],
  [
    "a core module of WASI 0.2",
    `(import "wasi:cli/environment@0.2.0" "get-environment" (func (param i32)))`,
    {},
    /wasm32-wasip1/,
  ],
  ["AssemblyScript", `(import "env" "abort" (func (param i32 i32 i32 i32)))`, {}, /AssemblyScript/],
  ["any name", `(import "env" "x" (func)) (import "env" "y" (func))`, {}, /env\.x .*env\.y /],
  [
    "a name that WASI does not have",
    `(import "wasi_snapshot_preview1" "fd_reed" (func))`,
    {},
    /wasi_snapshot_preview1\.fd_reed/,
  ],
  [
    "other types",
    `(import "wasi_snapshot_preview1" "proc_exit" (func (param f64)))`,
    {},
    /proc_exit as \(f64\) -> \(\), which is \(i32\) -> \(\)/,
  ],
  [
    "other results",
    `(import "wasi_unstable" "sched_yield" (func (result i32 i32)))`,
    {},
    /sched_yield as \(\) -> \(i32, i32\), which is \(\) -> \(i32\)/,
  ],
  ["no memory", `${READ} ${START}`, {}, /exports no memory/],
  [
    "a memory of another name",
    `${READ} (memory (export "mem") 1) ${START}`,
    {},
    /exported as "mem"/,
  ],
  ["a memory of 64 bits", `${READ} (memory (export "memory") i64 1) ${START}`, {}, /64-bit/],
  [
    "a memory that it imports",
    `${READ} (import "env" "memory" (memory 1)) ${START}`,
    {},
    /env\.memory/,
  ],
  [
    "threads without leave",
    `(import "wasi" "thread-spawn" (func (param i32) (result i32))) ${MEMORY} ${START}`,
    {},
    /options\.threads/,
  ],
  [
    "threads with nothing to begin with",
    `(import "wasi" "thread-spawn" (func (param i32) (result i32)))
     (import "env" "memory" (memory 1 2 shared)) ${START}`,
    { threads: true },
    /wasi_thread_start/,
  ],
];

for (const [what, text, options, says] of UNFIT) {
  test(`${what}`, async () => {
    const bytes = await textModule(`(module ${text})`);
    for (const more of [{}, { timeout: 10_000 }]) {
      await assert.rejects(run(bytes, { ...options, ...more }), (error: Error) => {
        assert.ok(error instanceof WebAssembly.LinkError, String(error));
        assert.equal((error as { code?: unknown }).code, "ERR_INVALID_ARG_VALUE");
        assert.match(error.message, says);
        return true;
      });
    }
  });
}

test("a component that exports nothing", async () => {
  const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
  await assert.rejects(run(bytes), { code: "ERR_INVALID_ARG_VALUE", message: /instantiate\(\)/ });
});

test("a start function that makes system calls is run", async () => {
  const bytes = await textModule(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
    (data (i32.const 16) "start ")
    (data (i32.const 64) "\\50\\00\\00\\00\\05\\00\\00\\00")
    (data (i32.const 80) "main!")
    (func $s
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $read (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 8))))
    (start $s)
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 8)))))`);
  for (const more of [{}, { timeout: 10_000 }]) {
    const stdout = new OutputBuffer();
    const stdin = new TextEncoder().encode("input");
    assert.equal(await run(bytes, { stdout, stdin, ...more }), 0);
    assert.equal(stdout.text(), "start input");
  }
  const module = new WebAssembly.Module(bytes as BufferSource);
  await assert.rejects(run(module), { message: /start function.*bytes/ });
});

test("a start function is run once, before _start, also without other exports than memory", async () => {
  const bytes = await textModule(`(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory 1) (global $n (mut i32) (i32.const 40))
    (export "memory" (memory 0))
    (func $s (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (start $s)
    (func (export "_start") (call $exit (global.get $n))))`);
  assert.equal(await run(bytes), 41);
  assert.equal(await run(bytes, { timeout: 10_000 }), 41);
  const reactor = await instantiate(
    await textModule(`(module (memory (export "memory") 1)
    (global $n (export "n") (mut i32) (i32.const 1))
    (func $s (global.set $n (i32.const 5))) (start $s))`),
  );
  const { n } = reactor.exports;
  assert.equal((n as WebAssembly.Global).value, 5);
});

test("an entry point that cannot be called", async () => {
  for (const type of ["(param i64)", "(param funcref)"]) {
    const bytes = await textModule(`(module ${MEMORY} (func (export "_start") ${type}))`);
    await assert.rejects(run(bytes), { message: /its _start is \(\w+\) -> \(\), but must be/ });
  }
});

test("bytes that have been transferred away, and addresses where nobody answers", async () => {
  const bytes = await textModule(`(module ${MEMORY} ${START})`);
  const copy = new Uint8Array(bytes);
  structuredClone(copy.buffer, { transfer: [copy.buffer] });
  await assert.rejects(run(copy), (error: { code?: string; message: string }) =>
    // an engine may take such a view for an empty one
    (error.code === "ERR_INVALID_ARG_VALUE" && /transferred/.test(error.message)) ||
    error instanceof WebAssembly.CompileError);
  const nobody = new URL("http://127.0.0.1:1/tool.wasm");
  await assert.rejects(run(nobody), { code: "ERR_WASI_SOURCE", message: /127\.0\.0\.1:1\/tool/ });
});

test("a memory that is too large when the program exits", async () => {
  const bytes = await textModule(`(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (drop (memory.grow (i32.const 5))) (call $exit (i32.const 6))))`);
  const module = new WebAssembly.Module(bytes as BufferSource);
  for (const more of [{}, { timeout: 10_000 }]) {
    const limits = { memoryPages: 3 };
    await assert.rejects(run(module, { limits, ...more }), { code: "ERR_OUT_OF_RANGE" });
    // with the bytes memory.grow itself fails
    assert.equal(await run(bytes, { limits, ...more }), 6);
  }
});
