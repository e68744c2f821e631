import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOf, passes, passesIn, tree } from "./guest.ts";

test("the four clocks tell times, and the realtime clock the host's", { timeout: 60_000 }, () => {
  const before = Date.now();
  const outcome = passes("clocks", 23);
  const after = Date.now();
  const told = Number(linesOf(outcome, "# realtime")[0]) / 1e6;
  assert.ok(told >= before - 50 && told <= after + 50, `${before} <= ${told} <= ${after}`);
});

test("poll_oneoff waits for clocks and tells what is ready", { timeout: 60_000 }, () => {
  passesIn("poll", 120, { input: "something to read" });
});

test("values outside the specification's enumerations and flags are inval", () => {
  const { folder } = passesIn("unknown", 35);
  assert.deepEqual(tree(folder), ["file 7"]);
});
