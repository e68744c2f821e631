/** Reactors, whose exports the embedder calls. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { canSuspend, Errno, instantiate, memory, OutputBuffer } from "../../mod.ts";
import { textModule } from "../support/modules.ts";

/** `say` prints "ok", `ask` gives the errno of fd_prestat_get, `sleep` waits a millisecond. */
const SPEAKING = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\02\\00\\00\\00")
  (data (i32.const 16) "ok")
  (func (export "say") (result i32)
    (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
  (func (export "ask") (result i32) (call $prestat (i32.const 3) (i32.const 32)))
  (func (export "sleep") (result i32)
    (i32.store (i32.const 80) (i32.const 1)) ;; monotonic
    (i64.store (i32.const 88) (i64.const 1000000))
    (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 8))))`;

type Speaking = Record<"say" | "ask" | "sleep", () => unknown>;

test("an instance uses what it was given until it is closed", async () => {
  const stdout = new OutputBuffer();
  const bytes = await textModule(SPEAKING);
  const reactor = await instantiate(bytes, { stdout, preopens: { "/": memory({}) } });
  const { say, ask, sleep } = reactor.exports as Speaking;
  assert.deepEqual([say(), stdout.text()], [0, "ok"]);
  assert.deepEqual([ask(), sleep()], [0, 0]);
  reactor[Symbol.dispose]();
  assert.deepEqual([say(), ask(), stdout.text()], [Errno.BADF, Errno.BADF, "ok"]);
});

test("exports of an instance with streams are suspended", async () => {
  const bytes = await textModule(SPEAKING);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const { promising } = WebAssembly as unknown as {
    promising?: (callee: unknown) => () => Promise<unknown>;
  };
  if (promising === undefined || !canSuspend()) {
    const code = "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM";
    return await assert.rejects(instantiate(bytes, { stdout: writable }), { code });
  }
  const text = new Response(readable).text();
  const reactor = await instantiate(bytes, { stdout: writable });
  const { say, sleep } = reactor.exports as Speaking;
  assert.throws(sleep, { name: "SuspendError" });
  assert.deepEqual([await promising(say)(), await promising(sleep)()], [0, 0]);
  reactor.close();
  assert.equal(await text, "ok");
});
