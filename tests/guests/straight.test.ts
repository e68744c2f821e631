/** Programs without a loop in which much is moved, or thrown: they are ended in time, too. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { canSuspend, run } from "../../mod.ts";
import { block, body, type Bytes, leb, list, module, section, signed } from "../support/modules.ts";

const options = { timeout: 120_000 };
const TIMEOUT = 200;
/** How late a program may be ended here; on a quiet machine it is below 100 milliseconds. */
const LATE = 1500;
/** Elements, or bytes, that one instruction moves: few, so that none by itself takes long. */
const LENGTH = 4096;
const TIMES = 6_000;

const [VOID, BYTES, REFERENCES, FUNCTIONS] = [0, 1, 2, 3];
const [FUNCREF, EXTERNREF, I32] = [0x70, 0x6f, 0x7f];
const i32 = (value: number): Bytes => [0x41, signed(value)];
const length = i32(LENGTH);
/** The locals: a length that is no constant, and an array of each kind. */
const COUNT: Bytes = [0x20, 0];
const array = (type: number): Bytes => [0x20, type];
const func: Bytes = [0xd2, 1];
const nothing: Bytes = [0xd0, EXTERNREF];

/** One instruction with what it takes. Those of arrays are not known everywhere. */
const EACH: Record<string, Bytes> = {
  "memory.fill": [i32(0), i32(1), length, 0xfc, 11, 0],
  "memory.fill of any length": [i32(0), i32(1), COUNT, 0xfc, 11, 0],
  "memory.copy": [i32(0), i32(5000), length, 0xfc, 10, 0, 0],
  "memory.init": [i32(0), i32(0), length, 0xfc, 8, 0, 0],
  "memory.grow by nothing": [i32(0), 0x40, 0, 0x1a],
  "table.fill": [i32(0), func, length, 0xfc, 17, 0],
  "table.fill of any length": [i32(0), func, COUNT, 0xfc, 17, 0],
  "table.fill of host references": [i32(0), nothing, length, 0xfc, 17, 1],
  "table.copy": [i32(0), i32(1), length, 0xfc, 14, 0, 0],
  "table.copy of any length": [i32(0), i32(1), COUNT, 0xfc, 14, 0, 0],
  "table.init": [i32(0), i32(0), length, 0xfc, 12, 0, 0],
  "table.set": [i32(0), func, 0x26, 0],
  "throw": [0x06, 0x40, 0x08, 0, 0x19, 0x0b],
  "array.new": [nothing, length, 0xfb, 6, REFERENCES, 0x1a],
  "array.new_default": [length, 0xfb, 7, REFERENCES, 0x1a],
  "array.new_data": [i32(0), length, 0xfb, 9, BYTES, 0, 0x1a],
  "array.new_elem": [i32(0), length, 0xfb, 10, FUNCTIONS, 0, 0x1a],
  "array.fill": [array(REFERENCES), i32(0), nothing, length, 0xfb, 16, REFERENCES],
  "array.copy": [
    array(REFERENCES),
    i32(0),
    array(REFERENCES),
    i32(1),
    COUNT,
    0xfb,
    17,
    REFERENCES,
    REFERENCES,
  ],
  "array.init_data": [array(BYTES), i32(0), i32(0), length, 0xfb, 18, BYTES, 0],
  "array.init_elem": [array(FUNCTIONS), i32(0), i32(0), length, 0xfb, 19, FUNCTIONS, 0],
};

/** The instruction many times in a row, and that over and over. */
function straight(one: Bytes, arrays: boolean): Uint8Array<ArrayBuffer> {
  const made = [BYTES, REFERENCES, FUNCTIONS].map((
    type,
  ): Bytes => [i32(10_000), 0xfb, 7, type, 0x21, type]);
  const locals = arrays ? [1, 2, 3].map((type): Bytes => [1, 0x63, type]) : [];
  const rows = Array.from({ length: TIMES }, () => one);
  return module(
    section(
      1,
      list([
        [0x60, 0, 0],
        ...(arrays ? [[0x5e, 0x78, 1], [0x5e, EXTERNREF, 1], [0x5e, FUNCREF, 1]] : []),
      ]),
    ),
    section(3, list([VOID, VOID])),
    section(4, list([[FUNCREF, 0, leb(10_000)], [EXTERNREF, 0, leb(10_000)]])),
    section(5, list([[0, 1]])),
    section(13, list([[0, VOID]])),
    section(7, list([["_start", 0, 0], ["memory", 2, 0]])),
    section(9, list([[1, 0, list(Array.from({ length: LENGTH }, () => leb(1)))]])),
    section(12, leb(1)),
    section(
      10,
      list([
        body([[1, I32], ...locals], [
          [i32(LENGTH), 0x21, 0, arrays ? made : []],
          [0x03, 0x40, rows, 0x0c, 0, 0x0b],
        ]),
        body([], []),
      ]),
    ),
    section(11, list([[1, block(Array<number>(LENGTH).fill(1))]])),
  );
}

/** Runs it; gives what ended it, and how late. */
async function ended(source: Uint8Array, imports?: WebAssembly.Imports): Promise<[string, number]> {
  let began = performance.now();
  // compiling is no part of the program's time
  await WebAssembly.compile(source as BufferSource);
  const compiling = performance.now() - began;
  began = performance.now();
  const end = await run(source, { timeout: TIMEOUT, ...(imports && { imports }) }).then(
    (code) => `ended with ${code}`,
    (error: Error) => error.name,
  );
  return [end, performance.now() - began - TIMEOUT - 3 * compiling];
}

/** Whether this process comes to rest; an engine that compiles what has ended takes a while. */
async function idle(): Promise<boolean> {
  for (let i = 0; i < 30; i++) {
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { user, system } = process.cpuUsage(before);
    if (user + system < 150e3) return true;
  }
  return false;
}

for (const [what, one] of Object.entries(EACH)) {
  test(`${what} in a row is stopped in time, in a worker and here`, options, async () => {
    const source = straight(one, what.startsWith("array"));
    if (!WebAssembly.validate(source)) {
      assert.ok(/array|throw/.test(what), "it is valid");
      return; // Node 20 has no arrays
    }
    const [end, late] = await ended(source);
    assert.equal(end, "TimeoutError");
    assert.ok(late < LATE, `${late} ms late`);
    if (canSuspend()) {
      const [end, late] = await ended(source, { env: { f: () => {} } });
      assert.equal(end, "TimeoutError");
      assert.ok(late < LATE, `${late} ms late here`);
    }
    assert.ok(await idle(), "nothing goes on");
  });
}
