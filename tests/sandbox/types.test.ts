/** A guest chooses the types of what it imports: one that chooses others than the table's is not run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AsyncWASI, canSuspend, run, WASI } from "../../mod.ts";
import { shapeOf } from "../../core/preview1/imports.ts";
import { preview1 } from "../../core/preview1/table.ts";
import { textModule } from "../support/modules.ts";

/** A command that imports a function with a type, and would say so in its exit code if it ran. */
async function command(name: string, type: string, call = "unreachable"): Promise<Uint8Array> {
  return await textModule(`(module
    (import "wasi_snapshot_preview1" "${name}" (func $call ${type}))
    (memory (export "memory") 1)
    (func (export "_start") ${call}))`);
}

const WRONG: readonly [name: string, type: string, call: string][] = [
  ["proc_exit", "(param i64)", "(call $call (i64.const 3))"],
  ["proc_exit", "(param f64)", "(call $call (f64.const 1.5))"],
  ["proc_exit", "", "(call $call)"],
  ["proc_exit", "(param externref)", "(call $call (ref.null extern))"],
  ["proc_exit", "(param i32 i32)", "(call $call (i32.const 3) (i32.const 4))"],
  ["sched_yield", "(result i64)", "(drop (call $call))"],
  ["sched_yield", "(result i32 i32)", "(drop (drop (call $call)))"],
  ["sched_yield", "(result externref)", "(drop (call $call))"],
  ["sched_yield", "", "(call $call)"],
  ["random_get", "(param i64 i32) (result i32)", "unreachable"],
  ["fd_seek", "(param i32 i32 i32 i32) (result i32)", "unreachable"],
  ["fd_read", "(param i32 i32 i32 i32) (result f32)", "unreachable"],
];

for (const [name, type, call] of WRONG) {
  test(`${name} as (func ${type}) is refused`, async () => {
    const bytes = await command(name, type, call);
    const module = new WebAssembly.Module(bytes as BufferSource);
    for (const Class of canSuspend() ? [WASI, AsyncWASI] : [WASI]) {
      const wasi = new Class({ version: "preview1" });
      const { wasiImport } = wasi;
      for (const imports of [wasi.getImportObject(), { wasi_snapshot_preview1: wasiImport }]) {
        assert.throws(
          () => new WebAssembly.Instance(module, imports as WebAssembly.Imports),
          (error: Error) => error instanceof WebAssembly.LinkError && error.message.includes(name),
        );
      }
    }
  });
}

test("the functions of both snapshots link with the types of the table", async () => {
  const imports = Object.entries(preview1).map(([name, signature]) => {
    const parameters = [...shapeOf(signature)].map((letter) => letter === "I" ? "i64" : "i32");
    return `(import "wasi_snapshot_preview1" "${name}" (func (param ${parameters.join(" ")})
      (result i32)))`;
  });
  const bytes = await textModule(`(module ${imports.join("\n")}
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_unstable" "proc_exit" (func (param i32)))
    (import "wasi_unstable" "fd_seek" (func (param i32 i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 7))))`);
  const wasi = new WASI({ version: "preview1" });
  const module = new WebAssembly.Module(bytes as BufferSource);
  assert.equal(wasi.start(new WebAssembly.Instance(module, wasi.getImportObject())), 7);
  assert.equal(await run(bytes), 7);
  assert.equal(await run(bytes, { timeout: 10_000 }), 7);
});

test("a function that the embedder puts in the place of one is called, and is what is there", () => {
  const wasi = new WASI({ version: "preview1" });
  const { wasiImport } = wasi;
  const own = (): number => 5;
  wasiImport.sched_yield = own;
  assert.equal(wasiImport.sched_yield, own);
  assert.equal(Object.getOwnPropertyDescriptor(wasiImport, "sched_yield")!.value, own);
  assert.equal({ ...wasiImport }.sched_yield, own);
  assert.equal(wasi.getImportObject().wasi_snapshot_preview1!.sched_yield, own);
  assert.equal(wasiImport.fd_read, wasiImport.fd_read);
  const { fd_read } = wasiImport;
  wasiImport.fd_read = fd_read!;
  assert.equal(wasiImport.fd_read, fd_read);
});
