import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOf, passes } from "./guest.ts";

test("a guest gets its arguments and environment byte by byte", () => {
  const outcome = passes("args", {
    args: ["guest", "one", "", "two words", "naïve €🐟", "a=b\n\\"],
    env: { PLAIN: "value", EMPTY: "", EQUALS: "a=b=c", "ключ": "значение", SPACE: " x " },
  });
  assert.deepEqual(linesOf(outcome, "#"), [
    "args 6",
    'args "guest"',
    'args "one"',
    'args ""',
    'args "two words"',
    String.raw`args "na\xc3\xafve \xe2\x82\xac\xf0\x9f\x90\x9f"`,
    String.raw`args "a=b\x0a\x5c"`,
    "environ 5",
    'environ "PLAIN=value"',
    'environ "EMPTY="',
    'environ "EQUALS=a=b=c"',
    String
      .raw`environ "\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87=\xd0\xb7\xd0\xbd\xd0\xb0\xd1\x87\xd0\xb5\xd0\xbd\xd0\xb8\xd0\xb5"`,
    'environ "SPACE= x "',
  ]);
});

test("a guest may have no arguments and no environment", () => {
  const outcome = passes("args", { args: [], env: {} });
  assert.deepEqual(linesOf(outcome, "#"), ["args 0", "environ 0"]);
});
