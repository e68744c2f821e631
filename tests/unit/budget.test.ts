/** One budget for all memories and tables of a module. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { limitMemory, run } from "../../mod.ts";
import { HOOKS, instrument } from "../../core/module/instrument.ts";
import { generator } from "../support/fuzz.ts";
import { runtime } from "../support/harness.ts";
import { block, madeModule, module, section, textModule } from "../support/modules.ts";

const options = { timeout: 120_000 };
/** Elements of a table that count as a page. */
const ELEMENTS = 1024;
type Grow = (by: number | bigint) => number | bigint;

/** The exports of a limited module, and of one with checks besides; undefined where it is not known. */
async function limited(
  text: string,
  pages: number,
  imports: WebAssembly.Imports = {},
): Promise<Record<string, Grow>[]> {
  const bytes = await textModule(`(module ${text})`);
  if (!WebAssembly.validate(bytes as BufferSource)) return [];
  const copy = limitMemory(bytes, pages);
  return [copy, instrument(copy, "loops"), instrument(copy, "long")].map((each) => {
    const compiled = new WebAssembly.Module(each as BufferSource);
    const hooks = { check: () => 4096, wait32: () => 0, wait64: () => 0 };
    const all = { ...imports, [HOOKS]: hooks };
    return new WebAssembly.Instance(compiled, all).exports as Record<string, Grow>;
  });
}

const memory = (name: string): string =>
  `(memory $${name} 1) (func (export "${name}") (param i32) (result i32)
    (memory.grow $${name} (local.get 0)))`;

test("several memories share it", options, async () => {
  for (const { a, b } of await limited(memory("a") + memory("b"), 10)) {
    assert.equal(a!(3), 1);
    assert.equal(b!(6), -1);
    assert.equal(b!(5), 1);
    assert.equal(a!(1), -1);
    assert.equal(a!(0), 4);
    assert.equal(b!(-1), -1);
    assert.equal(b!(0), 6);
  }
});

test("forty memories do not go round it", options, async () => {
  const names = Array.from({ length: 40 }, (_, i) => `m${i}`);
  for (const exports of await limited(names.map(memory).join(" "), 50)) {
    const grown = names.filter((name) => exports[name]!(1) === 1);
    assert.equal(grown.length, 10);
  }
});

test("tables share it with the memory, whatever they hold", options, async () => {
  const text = (type: string, zero: string): string =>
    `${memory("a")} (table $t 0 ${type}) (func (export "t") (param i32) (result i32)
      (table.grow $t (ref.null ${zero}) (local.get 0)))`;
  for (const [type, zero] of [["funcref", "func"], ["externref", "extern"]] as const) {
    for (const { a, t } of await limited(text(type, zero), 10)) {
      assert.equal(t!(10 * ELEMENTS), -1);
      assert.equal(t!(5 * ELEMENTS), 0);
      assert.equal(a!(5), -1);
      assert.equal(a!(4), 1);
      assert.equal(t!(1), -1);
      assert.equal(t!(0), 5 * ELEMENTS);
    }
  }
});

test("memories of 64 bits count as well", options, async () => {
  const text = `(memory $a i64 1) (memory $b 1) (func (export "a") (param i64) (result i64)
    (memory.grow $a (local.get 0))) (func (export "b") (param i32) (result i32)
    (memory.grow $b (local.get 0)))`;
  for (const { a, b } of await limited(text, 10)) {
    assert.equal(a!(1n << 50n), -1n);
    assert.equal(a!(-1n), -1n);
    assert.equal(a!(4n), 1n);
    assert.equal(b!(5), -1);
    assert.equal(b!(4), 1);
    assert.equal(a!(1n), -1n);
    assert.equal(a!(0n), 5n);
  }
});

test("imported ones count with what they must have, and by what they grow", options, async () => {
  const text = `(import "m" "memory" (memory $a 2)) (import "m" "table" (table $t 2048 funcref))
    (func (export "a") (param i32) (result i32) (memory.grow $a (local.get 0)))
    (func (export "t") (param i32) (result i32)
      (table.grow $t (ref.null func) (local.get 0)))`;
  const bytes = await textModule(`(module ${text})`);
  assert.ok(WebAssembly.validate(bytes as BufferSource));
  const copy = new WebAssembly.Module(limitMemory(bytes, 10) as BufferSource);
  const { a, t } = new WebAssembly.Instance(copy, {
    m: {
      memory: new WebAssembly.Memory({ initial: 2 }),
      table: new WebAssembly.Table({ initial: 2048, element: "anyfunc" }),
    },
  }).exports as Record<string, Grow>;
  assert.equal(t!(2 * ELEMENTS), 2048);
  assert.equal(a!(5), -1);
  assert.equal(a!(4), 2);
});

test("what fails to grow for other reasons uses nothing up", options, async () => {
  const text = `${memory("a")} (memory $b 1 2) (func (export "b") (param i32) (result i32)
    (memory.grow $b (local.get 0)))`;
  for (const { a, b } of await limited(text, 10)) {
    assert.equal(b!(5), -1);
    assert.equal(b!(1), 1);
    assert.equal(a!(7), 1);
  }
});

test("one memory and tables that do not grow get a maximum, and no code", options, async () => {
  const text = `${memory("a")} (table 10 10 funcref)`;
  const bytes = await textModule(`(module ${text})`);
  const copy = limitMemory(bytes, 10);
  assert.ok(copy.length <= bytes.length + 4);
  for (const { a } of await limited(text, 10)) {
    assert.equal(a!(10), -1);
    assert.equal(a!(9), 1);
  }
});

test("run() refuses what begins with more, all together", options, async () => {
  const bytes = await textModule(`(module (memory (export "memory") 3) (memory 4)
    (table 3072 funcref) (func (export "_start")))`);
  if (!WebAssembly.validate(bytes as BufferSource)) return;
  await assert.rejects(run(bytes, { limits: { memoryPages: 9 } }), {
    code: "ERR_OUT_OF_RANGE",
    message: /instance\.exports\.memory.*memoryPages/,
  });
  assert.equal(await run(bytes, { limits: { memoryPages: 10 } }), 0);
});

test("a module cannot name the budget", () => {
  // (global.set 0 (i64.const 1000000)) where there is no global
  const bytes = module(
    section(1, [1, 0x60, 0, 0]),
    section(3, [1, 0]),
    section(5, [2, 0, 1, 0, 1]),
    section(10, [1, 9, 0, 0x42, 0xc0, 0x84, 0x3d, 0x24, 0, 0x01, 0x0b]),
  );
  assert.equal(WebAssembly.validate(bytes), false);
  assert.equal(WebAssembly.validate(limitMemory(bytes, 10) as BufferSource), false);
});

test("objects without end end the program only, in workers of V8", options, async () => {
  const OBJECT = 1;
  // a list of objects, each made with the one before it
  const bytes = module(
    section(1, [2, 0x60, 0, 0, 0x5f, 1, 0x63, OBJECT, 1]),
    section(3, [1, 0]),
    section(5, [1, 0, 1]),
    section(6, [1, 0x63, OBJECT, 1, 0xd0, OBJECT, 0x0b]),
    section(7, [2, "_start", 0, 0, "memory", 2, 0]),
    section(10, [
      1,
      block([0, 0x03, 0x40, 0x23, 0, 0xfb, 0, OBJECT, 0x24, 0, 0x0c, 0, 0x0b, 0x0b]),
    ]),
  );
  if (!WebAssembly.validate(bytes)) return; // Node 20
  if (runtime === "bun") return; // it has no such limit: see SECURITY.md
  const end = run(bytes, { timeout: 5000, limits: { memoryPages: 100 } });
  if (runtime.startsWith("node")) {
    await assert.rejects(end, { code: "ERR_OUT_OF_RANGE", message: /memoryPages/ });
  } else await assert.rejects(end, { name: "TimeoutError" }); // Deno's worker stands still then
  assert.ok(process.memoryUsage().rss < 2 ** 30);
});

test("made up modules stay valid", options, () => {
  for (let seed = 1; seed < 60; seed++) {
    const bytes = madeModule(generator(seed));
    assert.ok(WebAssembly.validate(limitMemory(bytes, 3) as BufferSource), `seed ${seed}`);
  }
});

test("bytes changed at random are as valid as before, or refused in words", options, () => {
  let valid = 0;
  for (let seed = 1; seed < 400; seed++) {
    const random = generator(seed);
    const bytes = madeModule(generator(seed % 20 + 1));
    for (let changes = 1 + random(2); changes > 0; changes--) {
      bytes[8 + random(bytes.length - 8)] = random(256);
    }
    const before = WebAssembly.validate(bytes);
    if (before) valid++;
    try {
      const copy = limitMemory(bytes, 3);
      assert.equal(WebAssembly.validate(copy as BufferSource), before, `seed ${seed}`);
    } catch (error) {
      assert.ok(error instanceof RangeError, `seed ${seed}: ${error}`);
    }
  }
  assert.ok(valid > 20, `${valid} of them are valid`);
});
