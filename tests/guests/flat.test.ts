/** What waits and is stopped is free afterwards: memory stays flat over many runs. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { AsyncWASI, canSuspend } from "../../mod.ts";
import { sockets } from "../support/harness.ts";
import { textModule } from "../support/modules.ts";

const skip = canSuspend() ? false : "no JSPI on this runtime";
const MIB = 1 << 20;

/** A guest with 8 MiB, all of it used, that waits for input; or for `count` subscriptions to it. */
function waiting(count = 0): Promise<Uint8Array> {
  return textModule(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 128)
    (func (export "_start") (local $at i32)
      (memory.fill (i32.const 0) (i32.const 1) (i32.const ${8 * MIB}))
      (memory.fill (i32.const 0) (i32.const 0) (i32.const ${4 * MIB}))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 16))
      (loop $l
        (i32.store8 (i32.add (local.get $at) (i32.const 1032)) (i32.const 1))
        (local.set $at (i32.add (local.get $at) (i32.const 48)))
        (br_if $l (i32.lt_u (local.get $at) (i32.const ${48 * count}))))
      (i32.store (i32.const 1040) (i32.const 3))
      ${
    count === 0
      ? "(drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))"
      : `(drop (call $poll (i32.const 1024) (i32.const ${
        2 * MIB
      }) (i32.const ${count}) (i32.const 8)))`
  }))`);
}

function resident(): number {
  return process.memoryUsage().rss / MIB;
}

test(
  "guests that are ended while they wait are collected",
  { skip, timeout: 120_000 },
  async () => {
    const module = await WebAssembly.compile(await waiting() as BufferSource);
    const one = async (): Promise<void> => {
      const controller = new AbortController();
      const wasi = new AsyncWASI({
        version: "preview1",
        stdin: new ReadableStream(),
        signal: controller.signal,
      });
      const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
      const started = wasi.start(instance);
      setTimeout(() => controller.abort(new Error("enough")), 1);
      await assert.rejects(started, /enough/);
    };
    for (let i = 0; i < 20; i++) await one();
    const before = resident();
    // 2.4 GiB, if they stayed
    for (let i = 0; i < 300; i++) await one();
    assert.ok(resident() - before < 1000, `${before} MiB grew to ${resident()} MiB`);
  },
);

test(
  "a poll of many subscriptions keeps nothing for each look",
  {
    // it waits beside a socket
    skip: skip || (sockets ? false : "no sockets that listen on this runtime"),
    timeout: 60_000,
  },
  async () => {
    const bytes = await waiting(10_000);
    const controller = new AbortController();
    const stdin = new ReadableStream();
    // a socket of the host's beside the stream: then both are looked at every few milliseconds
    const listen = [{ host: "127.0.0.1", port: 0 }];
    const wasi = new AsyncWASI({ version: "preview1", stdin, listen, signal: controller.signal });
    const module = await WebAssembly.compile(bytes as BufferSource);
    const ran = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
    ran.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = resident();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const grown = resident() - before;
    controller.abort(new Error("enough"));
    await assert.rejects(ran, /enough/);
    assert.ok(grown < 60, `grew by ${grown} MiB in 3 s`);
  },
);
