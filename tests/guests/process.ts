/** How guests end. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { root } from "../support/harness.ts";
import { Shared } from "../support/subject.ts";
import { guestModule, type Guests } from "./guest.ts";

export const processes: Shared<Guests> = new Shared();

processes.test("start() returns the code of the guest's exit, however it exits", async (on, t) => {
  const exits: [how: string, out: string][] = [
    ["proc_exit", "main\n"],
    ["_Exit", "main\n"],
    ["exit", "main\natexit\n"],
    ["return", "main\natexit\n"],
  ];
  for (const [how, out] of exits) {
    for (const code of [0, 1, 7, 125, 255]) {
      await t.test(`${how} with ${code}`, () => {
        const outcome = on.run(guestModule("exit"), { args: ["guest", how, String(code)] });
        assert.equal(outcome.code, code);
        assert.equal(outcome.out, out);
        assert.equal(outcome.err, "");
      });
    }
  }
});

processes.test("a trap reaches the embedder as WebAssembly.RuntimeError", (on) => {
  const module = guestModule("trap");
  assert.throws(() => on.run(module), WebAssembly.RuntimeError);
  assert.throws(() => on.run(guestModule("exit"), { args: ["guest", "abort", "0"] }), (error) => {
    assert.ok(error instanceof WebAssembly.RuntimeError);
    return true;
  });
});

processes.test("a guest that catches everything cannot swallow its exit, nor go on after it", (on) => {
  for (const name of ["swallow", "swallow_table"]) {
    const bytes = fs.readFileSync(path.join(root, "tests", "guests", `${name}.wasm`));
    // Node 20 does not know the second encoding.
    if (name === "swallow_table" && !WebAssembly.validate(bytes)) continue;
    const outcome = on.run(new WebAssembly.Module(bytes));
    assert.equal(outcome.code, 42, name);
    assert.equal(outcome.out, "", name);
  }
});

processes.test("a reactor is initialised, called, and its exit reaches who called it", (on) => {
  const wasi = new on.WASI({ version: "preview1" });
  const instance = new WebAssembly.Instance(
    guestModule("reactor"),
    wasi.getImportObject() as WebAssembly.Imports,
  );
  wasi.initialize(instance);
  const exports = instance.exports as Record<string, (...args: number[]) => number>;
  assert.equal(exports.initialized!(), 1);
  assert.notEqual(exports.random!(), exports.random!());
  assert.throws(() => exports.exit!(3));
});

processes.test("proc_raise signals nobody", (on) => {
  on.passes("raise");
});
