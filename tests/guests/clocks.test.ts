import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOf, passes, passesIn, tree } from "./guest.ts";

test("the four clocks tell times, and the realtime clock the host's", { timeout: 60_000 }, () => {
  const before = Date.now();
  const outcome = passes("clocks");
  const after = Date.now();
  const told = Number(linesOf(outcome, "# realtime")[0]) / 1e6;
  assert.ok(told >= before - 50 && told <= after + 50, `${before} <= ${told} <= ${after}`);
});

test("poll_oneoff waits for clocks and tells what is ready", { timeout: 60_000 }, () => {
  passesIn("poll", { input: "something to read" });
});

test("a wait on a clock of coarse steps is over when that clock says so", () => {
  // 30 ms are no multiple of its steps: what is left of them cannot be told to the millisecond
  const step = 7_000_000n;
  let time = 1_700_000_000_000_000_000n;
  const clock = {
    now: (id: number) => id === 0 ? time / step * step : time,
    resolution: (id: number) => id === 0 ? step : 1n,
    wait: (nanoseconds: bigint) => void (time += nanoseconds),
  };
  passesIn("poll", { input: "something to read", clock });
});

test("values outside the specification's enumerations and flags are inval", () => {
  const { folder } = passesIn("unknown");
  assert.deepEqual(tree(folder), ["file 7"]);
});
