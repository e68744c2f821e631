/** Programs at the limits of engines: what is added to them must not make them invalid. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../mod.ts";
import { body, leb, list, module, section } from "../support/modules.ts";

const options = { timeout: 120_000 };
const LOCALS = 50_000;
const TYPES = 1_000_000;
const given = { timeout: 30_000, limits: { memoryPages: 100 }, interruptible: true };

test("as many locals as there may be, and what moves memory", options, async () => {
  const length = [0x20, 0];
  const code = [0x41, 0, 0x41, 0, length, 0xfc, 11, 0, 0x41, 0, 0x40, 0, 0x1a];
  const bytes = module(
    section(1, list([[0x60, 0, 0]])),
    section(3, list([0])),
    section(5, list([[0, 1]])),
    section(7, list([["_start", 0, 0], ["memory", 2, 0]])),
    section(10, list([body([[leb(LOCALS), 0x7f]], code)])),
  );
  assert.ok(WebAssembly.validate(bytes));
  assert.equal(await run(bytes, given), 0);
});

test("as many types as there may be: refused in words, or run", options, async () => {
  const types = new Uint8Array(TYPES * 3);
  for (let at = 0; at < types.length; at += 3) types[at] = 0x60;
  const head = module();
  const rest = module(
    section(3, list([0])),
    section(5, list([[0, 1]])),
    section(7, list([["_start", 0, 0], ["memory", 2, 0]])),
    section(10, list([body([], [])])),
  ).subarray(head.length);
  const count = leb(TYPES);
  const size = leb(types.length + count.length);
  const bytes = new Uint8Array([...head, 1, ...size, ...count, ...types, ...rest]);
  if (!WebAssembly.validate(bytes)) return; // this engine takes fewer
  await run(bytes, given).then(
    (code) => assert.equal(code, 0),
    (error: Error) => {
      assert.equal(error.name, "TypeError");
      assert.match(error.message, /cannot be run: it is so large/);
    },
  );
});
