/** WAVE: values of components as text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WaveError, WaveReader } from "../../cli/wave.ts";
import { written } from "../../cli/wave_text.ts";
import type { ValueType } from "../../core/component/types.ts";

const u8: ValueType = { kind: "u8" };
const string: ValueType = { kind: "string" };
const option = (type: ValueType): ValueType => ({ kind: "option", type });
const point: ValueType = {
  kind: "record",
  fields: [{ name: "x-axis", type: u8 }, { name: "y", type: option(u8) }],
};
const optional: ValueType = { kind: "record", fields: [{ name: "y", type: option(u8) }] };
const shape: ValueType = {
  kind: "variant",
  cases: [{ name: "dot", type: undefined }, { name: "err", type: u8 }],
};
const flags: ValueType = { kind: "flags", names: ["read-it", "write"] };
const result: ValueType = { kind: "result", ok: u8, error: string };

function read(type: ValueType, text: string): unknown {
  const reader = new WaveReader(text);
  const value = reader.value(type);
  reader.end();
  return value;
}

test("what is read, and how it is written", () => {
  const cases: [type: ValueType, text: string, value: unknown, again?: string][] = [
    [{ kind: "bool" }, "true", true],
    [u8, " 7 // seven", 7, "7"],
    [{ kind: "s64" }, "-9223372036854775808", -(2n ** 63n)],
    [{ kind: "u64" }, "18446744073709551615", 2n ** 64n - 1n],
    [{ kind: "f32" }, "0.1", 0.1],
    [{ kind: "f64" }, "1e21", 1e21, "1000000000000000000000"],
    [{ kind: "f64" }, "1.5e-7", 1.5e-7, "0.00000015"],
    [{ kind: "f64" }, "-0", -0],
    [{ kind: "f64" }, "nan", NaN],
    [{ kind: "f64" }, "-inf", -Infinity],
    [{ kind: "char" }, "'\u{1f600}'", "\u{1f600}"],
    [{ kind: "char" }, "'\\u{0}'", "\0"],
    [{ kind: "char" }, "'\\''", "'"],
    [string, '"a\\n\\"\\\\"', 'a\n"\\'],
    [string, '"\\u{7f}\\u{202e}\\u{301}"', "\x7f\u202e\u0301"],
    [string, '"é \\\' 水"', "é ' 水"],
    [string, '"""\n    One\n      two\n  """', "  One\n    two", '"  One\\n    two"'],
    [{ kind: "list", element: u8, length: undefined }, "[1, 2,]", [1, 2], "[1, 2]"],
    [{ kind: "list", element: u8, length: undefined }, "[]", []],
    [{ kind: "tuple", types: [u8, string] }, '(1, "a")', [1, "a"]],
    [point, "{y: 3, x-axis: 1}", { xAxis: 1, y: 3 }, "{x-axis: 1, y: some(3)}"],
    [point, "{x-axis: 1}", { xAxis: 1, y: undefined }],
    [optional, "{:}", { y: undefined }],
    [shape, "dot", { tag: "dot" }],
    [shape, "%err(5)", { tag: "err", val: 5 }],
    [{ kind: "enum", names: ["none", "a-b"] }, "%none", "none"],
    [{ kind: "enum", names: ["none", "a-b"] }, "%a-b", "a-b", "a-b"],
    [option(u8), "none", undefined],
    [option(u8), "5", 5, "some(5)"],
    [option(option(u8)), "some(none)", { tag: "some", val: undefined }],
    [option(option(u8)), "some(some(1))", { tag: "some", val: 1 }],
    [option(option(u8)), "none", { tag: "none" }],
    [result, "ok(1)", { tag: "ok", val: 1 }],
    [result, "1", { tag: "ok", val: 1 }, "ok(1)"],
    [result, 'err("e")', { tag: "err", val: "e" }],
    [{ kind: "result", ok: undefined, error: undefined }, "ok", { tag: "ok" }],
    [flags, "{write}", { readIt: false, write: true }],
    [flags, "{}", { readIt: false, write: false }],
  ];
  for (const [type, text, value, again = text] of cases) {
    assert.deepEqual(read(type, text), value, text);
    assert.equal(written(type, value), again);
  }
});

test("what is no value says what it must be and where", () => {
  const cases: [type: ValueType, text: string, reason: RegExp, at?: number][] = [
    [u8, "256", /^it must be a whole number from 0 to 255$/],
    [u8, "-1", /^it must be a whole number from 0 to 255$/],
    [u8, "1.0", /^it must be a whole number/],
    [u8, "01", /^it has more than the value$/, 1],
    [u8, "9".repeat(100_000), /^it must be a whole number/],
    [u8, "", /^it must be a whole number/],
    [{ kind: "bool" }, "yes", /^it must be true or false$/],
    [{ kind: "char" }, "'ab'", /^it must be one character in single quotes/],
    [{ kind: "char" }, "''", /^it must be one character in single quotes/],
    [string, '"a', /^its closing quote is missing$/],
    [string, '"\\x"', /^\\x means nothing/],
    [string, '"\\u{d800}"', /^\\u means nothing/],
    [string, '"a\nb"', /^a line break must be written as \\n$/, 2],
    [{ kind: "tuple", types: [u8, u8] }, "(1)", /^it must be 2 values in round brackets/],
    [{ kind: "tuple", types: [u8] }, "(1, 2)", /^it must be 1 values/],
    [point, "{y: 1}", /^its field x-axis is missing$/],
    [point, "{z: 1}", /^there is no field z; the record has x-axis, y$/, 1],
    [point, "{x-axis: 1, x-axis: 2}", /^it has the field x-axis twice$/],
    [shape, "err(5)", /^it must be %err, for err alone is a keyword$/],
    [shape, "square", /^it must be one of dot, %err\(\.\.\.\)$/],
    [shape, "%err", /^"\(" must come at its end$/],
    [option(option(u8)), "1", /^it must be some\(\.\.\.\) or none/],
    [flags, "{run}", /^there is no flag run; there are read-it, write$/, 1],
    [{ kind: "list", element: u8, length: 2 }, "[1]", /^it must be a list/],
    [{ kind: "list", element: u8, length: undefined }, "[1 2]", /^"\]" must come here$/, 3],
  ];
  for (const [type, text, reason, at] of cases) {
    assert.throws(() => read(type, text), (error) => {
      assert.ok(error instanceof WaveError, String(error));
      assert.match(error.reason, reason);
      if (at !== undefined) assert.equal(error.at, at, text);
      return true;
    });
  }
});
