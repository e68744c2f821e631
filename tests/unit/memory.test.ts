/** Guest memory: bounds, growth, sharing. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Errno } from "../../core/preview1/abi.ts";
import { WasiError } from "../../core/errno.ts";
import { GuestMemory, isMemory } from "../../core/preview1/memory.ts";
import { memory } from "../../mod.ts";
import { Guest } from "../support/guest.ts";
import { root, runtime, scratch } from "../support/harness.ts";

function bound(memory: WebAssembly.Memory): GuestMemory {
  const guest = new GuestMemory();
  guest.bind(memory);
  return guest;
}

function faults(use: () => void): void {
  assert.throws(use, (error) => error instanceof WasiError && error.errno === Errno.FAULT);
}

test("check() lets through what is inside, to the last byte", () => {
  const guest = bound(new WebAssembly.Memory({ initial: 1 }));
  for (const [pointer, length] of [[0, 0], [0, 65536], [65535, 1], [65536, 0], [1, 65535]]) {
    guest.check(pointer!, length!);
  }
  for (
    const [pointer, length] of [[0, 65537], [65536, 1], [65537, 0], [0xffffffff, 1], [
      0xffffffff,
      0xffffffff,
    ], [1, 65536]]
  ) faults(() => guest.check(pointer!, length!));
});

test("memory of no pages has no byte, and grows", () => {
  const memory = new WebAssembly.Memory({ initial: 0 });
  const guest = bound(memory);
  guest.check(0, 0);
  faults(() => guest.check(0, 1));
  memory.grow(1);
  guest.setUint32(0, 7);
  assert.equal(new DataView(memory.buffer).getUint32(0, true), 7);
});

for (const shared of [false, true]) {
  test(`memory that grows is seen, ${shared ? "shared" : "not shared"}`, () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared });
    const guest = bound(memory);
    faults(() => guest.setUint32(70000, 1));
    memory.grow(1);
    guest.setUint32(70000, 0x01020304);
    assert.equal(new DataView(memory.buffer).getUint32(70000, true), 0x01020304);
    memory.grow(1);
    guest.setUint64(0, 2 ** 40 + 5);
    assert.equal(new DataView(memory.buffer).getBigUint64(0, true), 2n ** 40n + 5n);
    assert.equal(guest.text(0, 1), "\x05");
  });
}

test("shared memory that was grown on its way to a worker is seen whole there", {
  timeout: 60_000,
}, async () => {
  const file = path.join(scratch("memory"), "worker.mjs");
  const built = runtime === "node20";
  const module = path.join(
    root,
    built ? "build/core/preview1/memory.js" : "core/preview1/memory.ts",
  );
  fs.writeFileSync(
    file,
    `import { parentPort } from "node:worker_threads";
    import { GuestMemory } from ${JSON.stringify(pathToFileURL(module).href)};
    parentPort.once("message", ({ memory, sent }) => {
      Atomics.wait(sent, 0, 0);
      const guest = new GuestMemory();
      guest.bind(memory);
      let outcome = "seen";
      try {
        guest.check(3 * 65536, 65536);
      } catch (error) {
        outcome = "not seen";
      }
      parentPort.postMessage(outcome);
    });`,
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true });
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(file);
  const answer = new Promise((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
  });
  worker.postMessage({ memory, sent });
  memory.grow(3);
  Atomics.store(sent, 0, 1);
  Atomics.notify(sent, 0);
  assert.equal(await answer, "seen");
  await worker.terminate();
});

test("buffers() reads each pair once, leaves empty ones out and refuses bad ones", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = new DataView(memory.buffer);
  const guest = bound(memory);
  [[100, 5], [0xaaaaaaaa, 0], [300, 7]].forEach(([pointer, length], i) => {
    view.setUint32(i * 8, pointer!, true);
    view.setUint32(i * 8 + 4, length!, true);
  });
  assert.deepEqual(guest.buffers(0, 3), [100, 5, 300, 7]);
  assert.deepEqual(guest.buffers(0, 0), []);
  faults(() => guest.buffers(0, 0x20000000)); // times 8 it wraps to 0 in 32 bits
  faults(() => guest.buffers(65530, 1));
  view.setUint32(16, 65530, true);
  faults(() => guest.buffers(0, 3));
});

test("an empty buffer may point anywhere", () => {
  const inner = memory();
  inner.symlink("target", "link");
  const guest = new Guest({ preopens: { "/": inner } });
  const link = guest.put("link");
  assert.equal(guest.call.path_readlink!(3, ...link, 0xaaaaaaaa | 0, 0, 1024), 0);
  assert.equal(guest.view.getUint32(1024, true), 0);
  assert.equal(guest.call.path_readlink!(3, ...link, 0xaaaaaaaa | 0, 1, 1024), Errno.FAULT);
  assert.equal(guest.call.path_readlink!(3, ...guest.put("none"), -1, 0, 1024), Errno.NOENT);
});

test("isMemory() knows memories from what looks like them", () => {
  assert.equal(isMemory(new WebAssembly.Memory({ initial: 0 })), true);
  for (const other of [undefined, null, {}, { buffer: new ArrayBuffer(8) }, new ArrayBuffer(8)]) {
    assert.equal(isMemory(other), false);
  }
});

test("pointers from 2 GiB up are addresses, not negative numbers", () => {
  const memory = new WebAssembly.Memory({ initial: 32769 });
  const guest = new Guest({}, memory);
  const at = 2 ** 31 + 8; // WebAssembly hands it over as -2147483640
  assert.equal(guest.call.random_get!(at | 0, 16), 0);
  assert.ok(guest.bytes.subarray(at, at + 16).some((byte) => byte !== 63));
  assert.equal(guest.call.clock_time_get!(0, 0n, at | 0), 0);
  const now = guest.view.getBigUint64(at, true);
  assert.ok(now > 1_600_000_000_000_000_000n);
  assert.equal(guest.call.random_get!(-1, 16), Errno.FAULT);
});
