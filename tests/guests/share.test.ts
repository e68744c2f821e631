/** Guests in threads that the embedder starts: finalizeBindings() in each, over one table. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import {
  memory,
  SharedWASI,
  shareTable,
  type TableShare,
  WASI,
  type WASIOptions,
} from "../../mod.ts";
import { root, scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 60_000 };
const compiled = import.meta.url.endsWith(".js");
const mod = pathToFileURL(path.join(root, compiled ? "build/mod.js" : "mod.ts")).href;

/** Reads, opens and closes as it is told, into a shared memory. */
const GUEST = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "env" "memory" (memory 1 1 shared))
  (data (i32.const 16) "file")
  ;; opens "file" for reading; its descriptor is at the address
  (func (export "open") (param $at i32) (result i32)
    (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 0)
      (i64.const 6) (i64.const 0) (i32.const 0) (local.get $at)))
  ;; reads up to four bytes to the address + 16
  (func (export "read") (param $at i32) (param $fd i32) (result i32)
    (i32.store (local.get $at) (i32.add (local.get $at) (i32.const 16)))
    (i32.store offset=4 (local.get $at) (i32.const 4))
    (call $read (local.get $fd) (local.get $at) (i32.const 1)
      (i32.add (local.get $at) (i32.const 8))))
  (func (export "close") (param i32) (result i32) (call $close (local.get 0)))
  (func (export "exit") (param i32) (call $exit (local.get 0))))`;

/** Calls one export after another and tells what each returned or threw. */
const WORKER = `
const { parentPort } = require("node:worker_threads");
parentPort.once("message", async ({ module, memory, share, calls, mod }) => {
  try {
    const { SharedWASI } = await import(mod);
    const wasi = new SharedWASI(share);
    const imports = { env: { memory }, ...wasi.getImportObject() };
    const instance = await WebAssembly.instantiate(module, imports);
    let early;
    try { instance.exports.close(3); } catch (error) { early = error.code; }
    wasi.finalizeBindings(instance, { memory });
    const results = calls.map(([name, ...values]) => {
      try {
        return instance.exports[name](...values);
      } catch (error) {
        return error.name + " " + (error.code ?? error.message);
      }
    });
    parentPort.postMessage({ early, results });
  } catch (error) {
    parentPort.postMessage({ error: String(error.stack) });
  }
});`;

interface Told {
  early?: string;
  results?: unknown[];
  error?: string;
}

async function inWorker(
  module: WebAssembly.Module,
  shared: WebAssembly.Memory,
  share: TableShare,
  calls: [string, ...number[]][],
): Promise<Told> {
  const worker = new Worker(WORKER, { eval: true });
  const told = new Promise<Told>((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
  });
  // deno-lint-ignore no-explicit-any
  worker.postMessage({ module, memory: shared, share, calls, mod }, [share.port as any]);
  try {
    return await told;
  } finally {
    await worker.terminate();
  }
}

test(
  "a worker reads on what the main thread has opened, and what it closes is closed",
  options,
  async () => {
    const module = new WebAssembly.Module(await assemble(GUEST) as BufferSource);
    const folder = scratch("share");
    fs.writeFileSync(path.join(folder, "file"), "abcdefghijkl");
    for (const preopen of [folder, memory({ file: "abcdefghijkl" })]) {
      const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      const wasi = new WASI({ version: "preview1", preopens: { "/": preopen } });
      const imports = { env: { memory: shared }, ...wasi.getImportObject() };
      const instance = new WebAssembly.Instance(module, imports as WebAssembly.Imports);
      wasi.finalizeBindings(instance, { memory: shared });
      const guest = instance.exports as unknown as Record<string, (...values: number[]) => number>;
      const words = new Uint32Array(shared.buffer);
      const text = (at: number): string =>
        new TextDecoder().decode(new Uint8Array(shared.buffer).slice(at + 16, at + 20));
      assert.equal(guest.open!(64), 0);
      const fd = words[16]!;
      assert.equal(guest.read!(128, fd), 0);
      const told = await inWorker(module, shared, shareTable(wasi), [["read", 192, fd]]);
      assert.deepEqual(told, { early: "ERR_WASI_NOT_STARTED", results: [0] });
      assert.equal(guest.read!(256, fd), 0);
      assert.deepEqual([text(128), text(192), text(256)], ["abcd", "efgh", "ijkl"]);
      const more = await inWorker(module, shared, shareTable(wasi), [
        ["open", 320],
        ["close", fd],
        ["close", fd],
        ["exit", 5],
      ]);
      assert.deepEqual(more.results, [0, 0, 8, "ProcExit 5"]);
      assert.equal(guest.close!(fd), 8);
      assert.equal(guest.read!(384, words[80]!), 0);
      assert.equal(text(384), "abcd");
      wasi[Symbol.dispose]();
    }
  },
);

test("two workers at once take turns", options, async () => {
  const module = new WebAssembly.Module(await assemble(GUEST) as BufferSource);
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const size = 4000;
  const content = new Uint8Array(size).map((_, i) => i % 251);
  const wasi = new WASI({ version: "preview1", preopens: { "/": memory({ file: content }) } });
  const imports = { env: { memory: shared }, ...wasi.getImportObject() };
  const instance = new WebAssembly.Instance(module, imports as WebAssembly.Imports);
  wasi.finalizeBindings(instance, { memory: shared });
  const guest = instance.exports as unknown as Record<string, (...values: number[]) => number>;
  assert.equal(guest.open!(64), 0);
  const fd = new Uint32Array(shared.buffer)[16]!;
  // each reads its own places: 500 times four bytes, and both together have the file once
  const reads = (from: number): [string, ...number[]][] =>
    Array.from({ length: size / 8 }, (_, i) => ["read", from + 32 * i, fd]);
  await Promise.all([
    inWorker(module, shared, shareTable(wasi), reads(1024)),
    inWorker(module, shared, shareTable(wasi), reads(32768)),
  ]);
  const bytes = new Uint8Array(shared.buffer);
  const seen: number[] = [];
  for (const from of [1024, 32768]) {
    for (let i = 0; i < size / 8; i++) {
      const at = from + 32 * i + 16;
      seen.push(...[0, 1, 2, 3].map((n) => bytes[at + n]!));
    }
  }
  assert.deepEqual(seen.sort((a, b) => a - b), [...content].sort((a, b) => a - b));
});

/** Runs a function's body in a worker over a share; gives what it returns, or fails after a while. */
async function bodyInWorker(
  share: TableShare,
  shared: WebAssembly.Memory,
  body: string,
): Promise<unknown> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
    parentPort.once("message", async ({ share, memory, mod }) => {
      const { SharedWASI } = await import(mod);
      const wasi = new SharedWASI(share);
      const begin = () => wasi.finalizeBindings({ exports: {} }, { memory });
      const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
      const told = (call) => {
        try {
          return call();
        } catch (error) {
          return [error.name, error.code ?? error.cause?.message ?? error.message].join(" ");
        }
      };
      const { wasiImport: calls } = wasi;
      parentPort.postMessage(await (async () => { ${body} })());
    });`,
    { eval: true },
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const told = new Promise((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
    timer = setTimeout(() => reject(new Error("the worker does not answer")), 20_000);
  });
  // deno-lint-ignore no-explicit-any
  worker.postMessage({ share, memory: shared, mod }, [share.port as any]);
  try {
    return await told;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

/** An owner of a table, and the memory that it shares. */
function owner(
  given: Partial<WASIOptions> = {},
  bound = true,
): { wasi: WASI; shared: WebAssembly.Memory; bind: () => void } {
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const wasi = new WASI({
    version: "preview1",
    preopens: { "/": memory({ file: "x" }) },
    ...given,
  });
  const instance = { exports: {} } as unknown as WebAssembly.Instance;
  const bind = (): void => wasi.finalizeBindings(instance, { memory: shared });
  if (bound) bind();
  return { wasi, shared, bind };
}

test("values of wrong types are INVAL in a worker, as they are without", options, async () => {
  const { wasi, shared } = owner();
  const told = await bodyInWorker(
    shareTable(wasi),
    shared,
    `begin();
    const nothing = { valueOf() { throw new Error("asked"); } };
    return [
      calls.fd_close(), calls.fd_close(3n), calls.fd_close(Symbol()), calls.fd_close(nothing),
      calls.fd_seek(3, 5, 0, 0), calls.fd_seek(3, nothing, 0, 0), calls.fd_seek(3, 5n, 0),
      calls.fd_advise(3, 0n, "0", 0), calls.clock_time_get(0, 0, 64),
      calls.fd_close(99), calls.fd_prestat_get(3, 64),
    ];`,
  );
  assert.deepEqual(told, [28, 28, 28, 28, 28, 28, 28, 28, 28, 8, 0]);
});

test("a guest finds nothing among the calls that objects inherit", options, async () => {
  const { wasi } = owner();
  const names = Object.getOwnPropertyNames(Object.prototype);
  const shared = new SharedWASI(shareTable(wasi));
  for (const name of names.filter((name) => name !== "__proto__")) {
    const module = new WebAssembly.Module(
      await assemble(
        `(module (import "wasi_snapshot_preview1" "${name}" (func)))`,
      ) as BufferSource,
    );
    const imports = shared.getImportObject() as WebAssembly.Imports;
    assert.throws(() => new WebAssembly.Instance(module, imports), WebAssembly.LinkError, name);
  }
});

test("calls before their time are refused and end nothing", options, async () => {
  const { wasi, shared, bind } = owner({}, false);
  const early = await bodyInWorker(
    shareTable(wasi),
    shared,
    `const first = told(() => calls.fd_close(99)); begin();
    return [first, told(() => calls.fd_close(99)), told(() => calls.fd_close(99))];`,
  );
  assert.deepEqual(early, Array(3).fill("Error ERR_WASI_NOT_STARTED"));
  bind();
  const late = await bodyInWorker(shareTable(wasi), shared, "begin(); return calls.fd_close(99);");
  assert.equal(late, 8);
  assert.equal(wasi.wasiImport.fd_close!(99), 8);
});

test("whoever waits is answered when the port is closed or the owner is", options, async () => {
  const { wasi, shared } = owner();
  const share = shareTable(wasi);
  const told = await bodyInWorker(
    share,
    shared,
    `begin(); const before = calls.fd_close(99);
    share.port.close(); await sleep(500);
    return [before, told(() => calls.fd_close(99)), told(() => calls.fd_close(99))];`,
  );
  const closed = "GuestAborted the port of the share is closed";
  assert.deepEqual(told, [8, closed, closed]);
  const other = bodyInWorker(
    shareTable(wasi),
    shared,
    `begin(); const seen = new Set();
    for (let i = 0; i < 100 && !seen.has(8); i++) {
      seen.add(calls.fd_prestat_get(3, 64)); await sleep(20);
    }
    return [...seen];`,
  );
  while (new Uint8Array(shared.buffer)[68] === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  wasi[Symbol.dispose]();
  assert.deepEqual(await other, [0, 8]);
});

test("an exit ends a worker's guest alone, a failure the owner's as well", options, async () => {
  const mine = new Error("mine");
  const { wasi, shared } = owner({
    stdout: () => {
      throw mine;
    },
  });
  new Uint32Array(shared.buffer).set([64, 1]);
  const told = await bodyInWorker(
    shareTable(wasi),
    shared,
    `begin();
    return [
      told(() => calls.proc_exit(7)), told(() => calls.fd_prestat_get(3, 64)),
      told(() => calls.fd_write(1, 0, 1, 128)), told(() => calls.fd_prestat_get(3, 64)),
    ];`,
  );
  const ended = "GuestAborted the guest that owns the table was stopped";
  assert.deepEqual(told, ["ProcExit 7", 0, ended, ended]);
  assert.throws(() => wasi.wasiImport.fd_close!(99), { name: "GuestAborted", cause: mine });
});

test("SharedWASI refuses what it cannot use", () => {
  assert.throws(() => new SharedWASI(5 as unknown as TableShare), {
    code: "ERR_INVALID_ARG_TYPE",
  });
  for (const wrong of [null, undefined, 5, {}, [], new Map()]) {
    assert.throws(() => shareTable(wrong as unknown as WASI), {
      code: "ERR_INVALID_ARG_TYPE",
      message: /"wasi"/,
    });
    assert.throws(() => new SharedWASI(wrong as unknown as TableShare), {
      code: "ERR_INVALID_ARG_TYPE",
      message: /"share"/,
    });
  }
  const wasi = new WASI({ version: "preview1" });
  const shared = new SharedWASI(shareTable(wasi));
  const plain = new WebAssembly.Memory({ initial: 1 });
  const instance = { exports: { memory: plain } } as unknown as WebAssembly.Instance;
  assert.throws(() => shared.finalizeBindings(instance), { code: "ERR_INVALID_ARG_TYPE" });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  shared.finalizeBindings(instance, { memory });
  assert.throws(() => shared.finalizeBindings(instance, { memory }), {
    code: "ERR_WASI_ALREADY_STARTED",
  });
});
