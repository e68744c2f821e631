/** Values that no option takes: the error names the option, whatever the value is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, type RunOptions, WASI, type WASIOptions } from "../../mod.ts";
import { textModule } from "../support/modules.ts";

const CALLS = `(module (import "env" "f" (func)) (memory (export "memory") 1)
  (func (export "_start") (call 0)))`;

/** Runs the program, and expects an error of this code that says this. */
async function refused(text: string, options: object, code: string, says: RegExp): Promise<void> {
  await assert.rejects(run(await textModule(text), options as RunOptions), (error) => {
    assert.ok(error instanceof TypeError);
    assert.equal((error as { code?: string }).code, code);
    assert.match(error.message, says);
    return true;
  });
}

test("imports without a prototype are named in the error", async () => {
  const imports = { __proto__: null, env: { f() {} } };
  await refused(CALLS, { imports, threads: true }, "ERR_INVALID_ARG_VALUE", /options\.imports/);
});

test("a value whose class has no name of text", () => {
  const args = { constructor: { name: Symbol("odd") } } as unknown as string[];
  assert.throws(() => new WASI({ version: "preview1", args } as WASIOptions), {
    code: "ERR_INVALID_ARG_TYPE",
    message: /"options\.args".*Symbol\(odd\)/,
  });
});
