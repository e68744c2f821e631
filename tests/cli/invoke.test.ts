/** `--invoke`: numbers in, numbers out. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { each, guest, wasi } from "../support/command.ts";
import { scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 120_000 };

const FUNCTIONS = `(module $named
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global $ready (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $ready (i32.const 1)))
  (func (export "_start") unreachable)
  (func (export "i32") (param i32) (result i32) (local.get 0))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "all") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (local.get 3) (local.get 2) (local.get 1) (local.get 0))
  (func (export "none"))
  (func (export "ready") (result i32) (global.get $ready))
  (func (export "exit") (param i32) (call $exit (local.get 0)))
  (func (export "trap") (param i32) unreachable)
  (func (export "vector") (result v128) (v128.const i64x2 0 0))
  (func (export "reference") (param externref)))
`;

async function functions(): Promise<{ cwd: string; file: string }> {
  const cwd = scratch("wasi-cli");
  fs.writeFileSync(path.join(cwd, "f.wasm"), await assemble(FUNCTIONS));
  fs.writeFileSync(
    path.join(cwd, "no_memory.wasm"),
    await assemble(
      '(module (func (export "add") (param i32 i32) (result i32) ' +
        "(i32.add (local.get 0) (local.get 1))))",
    ),
  );
  return { cwd, file: "f.wasm" };
}

test("--invoke gives numbers and prints what comes back", options, async () => {
  const { cwd, file } = await functions();
  const calls: [name: string, args: string[], lines: string[]][] = [
    ["i32", ["0"], ["0"]],
    ["i32", ["-2147483648"], ["-2147483648"]],
    ["i32", ["4294967295"], ["-1"]],
    ["i32", ["0x80000000"], ["-2147483648"]],
    ["i32", ["+7"], ["7"]],
    ["i64", ["9223372036854775807"], ["9223372036854775807"]],
    ["i64", ["-9223372036854775808"], ["-9223372036854775808"]],
    ["i64", ["18446744073709551615"], ["-1"]],
    ["i64", ["-0x10"], ["-16"]],
    ["f32", ["0.1"], ["0.1"]],
    ["f32", ["16777217"], ["16777216"]],
    ["f32", ["1e-45"], ["1e-45"]],
    ["f32", ["3.4028235e38"], ["3.4028235e+38"]],
    ["f32", ["1e39"], ["inf"]],
    ["f64", ["0.1"], ["0.1"]],
    ["f64", ["-0"], ["-0"]],
    ["f64", ["5e-324"], ["5e-324"]],
    ["f64", ["-inf"], ["-inf"]],
    ["f64", ["Infinity"], ["inf"]],
    ["f64", ["nan"], ["NaN"]],
    ["f64", [".5"], ["0.5"]],
    ["all", ["1", "-2", "0.25", "1e100"], ["1e+100", "0.25", "-2", "1"]],
    ["none", [], []],
    ["ready", [], ["1"]],
  ];
  await each(calls, async ([name, args, lines]) => {
    const { code, out, err } = await wasi(["--invoke", name, file, ...args], { cwd });
    assert.deepEqual({ code, out, err }, {
      code: 0,
      out: lines.map((l) => `${l}\n`).join(""),
      err: "",
    });
  });
  const sum = await wasi(["--invoke=add", "no_memory.wasm", "--", "-1", "3"], { cwd });
  assert.deepEqual({ code: sum.code, out: sum.out, err: sum.err }, {
    code: 0,
    out: "2\n",
    err: "",
  });
});

test("--invoke refuses what is no such number, or no such function", options, async () => {
  const { cwd, file } = await functions();
  const i32 = "it must be a whole number from -2^31 to 2^32 - 1";
  const i64 = "it must be a whole number from -2^63 to 2^64 - 1";
  const float = "it must be a number, nan, inf or -inf";
  const refused: [name: string, args: string[], line: string][] = [
    ["i32", ["4294967296"], `4294967296 is not a valid i32: ${i32}`],
    ["i32", ["-2147483649"], `-2147483649 is not a valid i32: ${i32}`],
    ["i32", ["1.5"], `1.5 is not a valid i32: ${i32}`],
    ["i32", ["1e3"], `1e3 is not a valid i32: ${i32}`],
    ["i32", [""], `"" is not a valid i32: ${i32}`],
    ["i32", ["0x"], `0x is not a valid i32: ${i32}`],
    ["i64", ["18446744073709551616"], `18446744073709551616 is not a valid i64: ${i64}`],
    ["i64", ["-9223372036854775809"], `-9223372036854775809 is not a valid i64: ${i64}`],
    ["f32", ["one"], `one is not a valid f32: ${float}`],
    ["f64", ["0x10"], `0x10 is not a valid f64: ${float}`],
    ["f64", [" 1"], ` 1 is not a valid f64: ${float}`],
    ["i32", [], "it takes 1 (i32) and 0 were given; pass them after FILE"],
    [
      "all",
      ["1"],
      "it takes 4 (i32, i64, f32, f64) and 1 were given; pass them after FILE",
    ],
    ["none", ["1", "2"], "it takes none and 2 were given; pass them after FILE"],
    ["vector", [], "a value of type v128 cannot be given or shown"],
    ["reference", ["0"], "a value of type externref cannot be given or shown"],
    ["memory", [], "f.wasm has no such function; wasi inspect f.wasm lists what it has"],
    ["toString", [], "f.wasm has no such function; wasi inspect f.wasm lists what it has"],
  ];
  await each(refused, async ([name, args, line]) => {
    const { code, out, err } = await wasi(["--invoke", name, file, ...args], { cwd });
    assert.deepEqual({ code, out, err }, {
      code: 1,
      out: "",
      err: `wasi: --invoke ${name}: ${line}\n`,
    });
  });
  const few = await wasi(["--invoke", "sub", "no_memory.wasm"], { cwd });
  assert.equal(few.err, "wasi: --invoke sub: no_memory.wasm has no such function; there are add\n");
});

test("what is invoked can exit and trap as others do", options, async () => {
  const { cwd, file } = await functions();
  const [exit, trap, start] = await Promise.all([
    wasi(["--invoke", "exit", file, "7"], { cwd }),
    wasi(["--invoke", "trap", file, "7"], { cwd }),
    wasi(["--invoke", "_start", guest("show")]),
  ]);
  assert.deepEqual({ code: exit.code, err: exit.err }, { code: 7, err: "" });
  assert.equal(trap.code, 134);
  assert.match(trap.err, /^wasi: the program trapped: .*nreachable.*\n {2}at trap\b/);
  assert.deepEqual({ code: start.code, out: start.out }, { code: 0, out: "[show.wasm]\n" });
});
