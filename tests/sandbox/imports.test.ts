/** A guest chooses what it imports: what objects inherit is not among what it gets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AsyncWASI, canSuspend, run, type RunOptions, WASI } from "../../mod.ts";
import { assemble } from "../support/wat.ts";

const START = `(memory (export "memory") 1) (func (export "_start"))`;

/** What a guest could reach the objects of its host with. */
const WANTED: Record<string, string> = {
  "Object.freeze": `(import "constructor" "freeze" (func (param externref) (result externref)))`,
  "Object.prototype": `(import "constructor" "prototype" (global externref))`,
  "Object.prototype, as a module": `(import "__proto__" "toString" (func))`,
  "Function": `(import "toString" "constructor" (func (param externref) (result externref)))`,
  "Object": `(import "wasi_snapshot_preview1" "constructor" (func (param i32)))`,
  "those of the other snapshot": `(import "wasi_unstable" "valueOf" (func))`,
};

const refused = { name: /^(LinkError|TypeError)$/ };

for (const [what, text] of Object.entries(WANTED)) {
  test(`no guest imports ${what}`, async () => {
    const bytes = await assemble(`(module ${text} ${START})`);
    const module = new WebAssembly.Module(bytes as BufferSource);
    const linked = (imports: WebAssembly.Imports) => () =>
      new WebAssembly.Instance(module, imports);
    const options = { version: "preview1" } as const;
    assert.throws(linked(new WASI(options).getImportObject()), refused);
    if (canSuspend()) assert.throws(linked(new AsyncWASI(options).getImportObject()), refused);
    const given: RunOptions[] = [{}, { timeout: 10_000 }, { imports: { env: {} } }];
    for (const more of given) await assert.rejects(run(bytes, more), refused);
  });
}

test("as a global what objects inherit is undefined", async () => {
  for (const snapshot of ["wasi_snapshot_preview1", "wasi_unstable"]) {
    const module = new WebAssembly.Module(
      await assemble(`(module (import "${snapshot}" "__proto__" (global $g externref))
        (export "g" (global $g)) ${START})`) as BufferSource,
    );
    for (const Class of canSuspend() ? [WASI, AsyncWASI] : [WASI]) {
      const imports = new Class({ version: "preview1" }).getImportObject();
      const { g } = new WebAssembly.Instance(module, imports as WebAssembly.Imports).exports;
      assert.equal((g as WebAssembly.Global).value, undefined);
    }
  }
});

test("a memory may be called as what objects inherit, and is a memory all the same", async () => {
  for (const [module, name] of [["__proto__", "module"], ["constructor", "prototype"]]) {
    const bytes = await assemble(`(module (import "${module}" "${name}" (memory 1 2 shared))
      (export "memory" (memory 0)) (func (export "_start")))`);
    assert.equal(await run(bytes, { threads: true }), 0);
  }
  assert.equal("module" in {}, false);
});

test("what is hidden is not seen otherwise", () => {
  const wasi = new WASI({ version: "preview1" });
  assert.deepStrictEqual(wasi.getImportObject(), { wasi_snapshot_preview1: wasi.wasiImport });
  assert.deepEqual(Object.keys(wasi.getImportObject()), ["wasi_snapshot_preview1"]);
  assert.equal(Object.keys(wasi.wasiImport).length, 46);
});

test("run() gives of an embedder's imports what they are, and not what they inherit", async () => {
  class Functions {
    seven(): number {
      return 7;
    }
  }
  const own = Object.assign(Object.create(null), { eight: () => 8 });
  const good = await assemble(`(module
    (import "env" "seven" (func $seven (result i32)))
    (import "own" "eight" (func $eight (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.add (call $seven) (call $eight)))))`);
  const imports = { env: new Functions() as never, own };
  assert.equal(await run(good, { imports }), 15);
  for (
    const name of [
      "constructor",
      "toString",
      "hasOwnProperty",
      "__proto__",
      "__defineGetter__",
      "call",
    ]
  ) {
    for (const env of [new Functions(), {}, () => {}, class {}]) {
      const bytes = await assemble(`(module (import "env" "${name}" (func))
        (memory (export "memory") 1) (func (export "_start")))`);
      const message = new RegExp(`env\\.${name}`);
      await assert.rejects(run(bytes, { imports: { env: env as never } }), { message });
    }
  }
});
