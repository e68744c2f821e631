import assert from "node:assert/strict";
import { test } from "node:test";
import { guestModule, linesOf, passesIn, tree } from "./guest.ts";

test("a guest of wasi_unstable seeks, stats, polls and lists by its own layouts", () => {
  const imports = WebAssembly.Module.imports(guestModule("unstable"));
  const names = new Set(imports.map(({ module }) => module));
  assert.deepEqual([...names].sort(), ["wasi_snapshot_preview1", "wasi_unstable"]);
  const { folder } = passesIn("unstable", { version: "unstable" });
  assert.deepEqual(tree(folder), ["file 10", "second 10"]);
});

test("a module that imports both snapshots gets both, whichever version was given", () => {
  const { out } = passesIn("unstable", { version: "preview1" });
  assert.ok(linesOf({ out } as Parameters<typeof linesOf>[0], "ok").length > 0);
});
