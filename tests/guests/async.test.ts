/** Guests that are suspended while they wait: run() and AsyncWASI. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  AsyncWASI,
  canSuspend,
  instantiate,
  memory,
  OutputBuffer,
  run,
  type RunOptions,
} from "../../mod.ts";
import { root, runtime } from "../support/harness.ts";
import { guestModule } from "./guest.ts";

const tool = guestModule("tool");
const file = path.join(root, "tests/guests/tool.wasm");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
const skip = canSuspend() ? false : "no JSPI on this runtime";

/** Runs the tool; gives its exit code and output. */
async function ran(args: string[], options: RunOptions = {}): Promise<[number, string]> {
  const stdout = new OutputBuffer();
  const code = await run(tool, { args: ["tool", ...args], stdin: null, stdout, ...options });
  return [code, stdout.text()];
}

test("only Node before 24.20 cannot suspend", () => {
  assert.equal(canSuspend(), !["node20", "node22"].includes(runtime));
});

test("run() takes a module, bytes, a file: URL, a response and a promise of one", async () => {
  const content = new Uint8Array(fs.readFileSync(file));
  const response = (): Response =>
    new Response(content, { headers: { "content-type": "application/wasm" } });
  const sources = [
    tool,
    content,
    content.buffer,
    pathToFileURL(file),
    response(),
    Promise.resolve(response()),
  ];
  for (const source of sources) {
    const stdout = new OutputBuffer();
    const code = await run(source, { args: ["tool"], stdin: bytes("x"), stdout });
    assert.deepEqual([code, stdout.text()], [0, "X"]);
  }
});

test("run() refuses what is no program, in words", async () => {
  await assert.rejects(run("tool.wasm" as unknown as URL), {
    code: "ERR_INVALID_ARG_TYPE",
    message: /"source".*WebAssembly\.Module, URL, Response/,
  });
  await assert.rejects(run(new Response(null, { status: 404 })), {
    code: "ERR_WASI_SOURCE",
    message: /404/,
  });
  await assert.rejects(run(new Uint8Array(3)), { name: "CompileError" });
  await assert.rejects(run(tool, { env: 5 } as unknown as RunOptions), {
    code: "ERR_INVALID_ARG_TYPE",
  });
  await assert.rejects(run(tool, null as unknown as RunOptions), { code: "ERR_INVALID_ARG_TYPE" });
});

test("run() gives the exit code of a command, instantiate() the exports of a reactor", async () => {
  assert.deepEqual(await ran(["unknown"], { stderr: null }), [2, ""]);
  const reactor = await instantiate(guestModule("reactor"));
  const { initialized } = reactor.exports as { initialized(): number };
  assert.equal(initialized(), 1);
  assert.equal(reactor.instance!.exports, reactor.exports);
  reactor.close();
  reactor.close();
});

test("each says which one a program is for", async () => {
  await assert.rejects(run(guestModule("reactor")), {
    code: "ERR_INVALID_ARG_VALUE",
    message: /exports no _start.*instantiate\(\)/,
  });
  await assert.rejects(instantiate(tool), {
    code: "ERR_INVALID_ARG_VALUE",
    message: /is a command.*run\(\)/,
  });
  for (const options of [{ timeout: 5 }, { threads: true }, { interruptible: true }]) {
    await assert.rejects(instantiate(guestModule("reactor"), options), {
      code: "ERR_INVALID_ARG_VALUE",
      message: /is one of run\(\)/,
    });
  }
  await assert.rejects(instantiate(guestModule("reactor"), { evn: {} } as RunOptions), {
    code: "ERR_INVALID_ARG_VALUE",
    message: /is not an option of instantiate\(\): did you mean env\?/,
  });
});

test("run() rejects with a guest's trap", async () => {
  const source = new Uint8Array(
    // (module (memory (export "memory") 1) (func (export "_start") unreachable))
    // deno-fmt-ignore
    [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 19, 2, 6, 109,
      101, 109, 111, 114, 121, 2, 0, 6, 95, 115, 116, 97, 114, 116, 0, 0, 10, 5, 1, 3, 0, 0, 11],
  );
  await assert.rejects(run(source), (error) => error instanceof WebAssembly.RuntimeError);
});

test("without JSPI run() takes streams and signals all the same, in a worker", {
  skip: canSuspend() ? "there is JSPI" : false,
}, async () => {
  assert.deepEqual(await ran(["upper"], { stdin: bytes("held") }), [0, "HELD"]);
  assert.deepEqual(await ran(["upper"], { stdin: new Blob(["x"]) }), [0, "X"]);
  const { signal } = new AbortController();
  assert.deepEqual(await ran(["upper"], { stdin: bytes("y"), signal }), [0, "Y"]);
  const refused = {
    code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
    message: /JSPI.*Node from 24\.20/,
  };
  const imports = { env: { f: () => 0 } };
  await assert.rejects(ran([], { stdin: new Blob(["x"]), imports }), refused);
  assert.throws(() => new AsyncWASI({ version: "preview1" }), refused);
});

test("other tasks go on while a guest sleeps and reads", { skip }, async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  async function* lines(): AsyncGenerator<Uint8Array> {
    for (const line of ["one ", "two ", "three"]) {
      await pause(100);
      yield bytes(line);
    }
  }
  const result = await ran(["upper"], { stdin: lines() });
  clearInterval(timer);
  assert.deepEqual(result, [0, "ONE TWO THREE"]);
  assert.ok(ticks >= 15, `${ticks} ticks of 10 ms in 300 ms`);
});

test("streams, blobs and async iterables are standard input", { skip }, async () => {
  const parts = (): Uint8Array[] => [bytes("a"), bytes(""), bytes("bc")];
  const stream = new ReadableStream({
    start(controller) {
      for (const part of parts()) controller.enqueue(part);
      controller.close();
    },
  });
  const inputs = [
    stream,
    new Blob(["abc"]),
    (async function* () {
      yield* parts();
    })(),
  ];
  for (const stdin of inputs) assert.deepEqual(await ran(["upper"], { stdin }), [0, "ABC"]);
  // what is still on its way need not be ready
  const [, streams] = await ran(["streams"], { stdin: new Blob(["x"]) });
  assert.match(streams, /^0 type=0 tty=0 read=1 write=0 ready=[01]\n1 type=0 tty=0 /);
});

test("an output stream sets the pace, gets all of it and is closed", { skip }, async () => {
  const size = 1_000_000;
  let [received, busy, most] = [0, 0, 0];
  let closed = false;
  const stdout = new WritableStream<Uint8Array>({
    async write(chunk) {
      most = Math.max(most, ++busy);
      await null;
      received += chunk.length;
      busy--;
    },
    close: () => void (closed = true),
  });
  const stdin = new Uint8Array(size).fill(97);
  assert.equal(await run(tool, { args: ["tool"], stdin, stdout }), 0);
  assert.deepEqual([received, most, closed], [size, 1, true]);
});

test("one stream can be output and error", { skip }, async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const text = new Response(readable).text();
  const code = await run(tool, { args: ["tool", "x"], stdout: writable, stderr: writable });
  assert.deepEqual([code, await text], [2, "tool: unknown command x\n"]);
});

test("what a stream fails with is what run() rejects with", { skip }, async () => {
  const mine = new Error("broken");
  const is = (error: unknown): boolean => error === mine;
  const stdin = new ReadableStream<Uint8Array>({ pull: (it) => it.error(mine) });
  await assert.rejects(ran(["upper"], { stdin }), is);
  const stdout = new WritableStream<Uint8Array>({
    write() {
      throw mine;
    },
  });
  await assert.rejects(ran(["upper"], { stdin: new Uint8Array(1e6), stdout }), is);
  const text = new ReadableStream({ start: (it) => it.enqueue("text") });
  await assert.rejects(ran(["upper"], { stdin: text }), {
    code: "ERR_INVALID_ARG_TYPE",
    message: /chunk of options\.stdin.*Uint8Array/,
  });
});

test("a signal ends a guest that sleeps, reads or has not begun", { skip }, async () => {
  const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  for (const [args, stdin] of [[["times"], null], [["upper"], never]] as const) {
    const began = performance.now();
    const signal = AbortSignal.timeout(100);
    await assert.rejects(ran([...args], { stdin, signal, stdout: null }), {
      name: "TimeoutError",
    });
    const took = performance.now() - began;
    assert.ok(took >= 90 && took < 400, `${took} ms`);
  }
  const mine = new Error("not today");
  await assert.rejects(ran(["times"], { signal: AbortSignal.abort(mine) }), (e) => e === mine);
  await assert.rejects(ran([], { signal: {} } as unknown as RunOptions), {
    code: "ERR_INVALID_ARG_TYPE",
    message: /options\.signal/,
  });
});

test("a signal ends the wait for a stream that takes no more, too", { skip }, async () => {
  const stdout = new WritableStream<Uint8Array>({ write: () => new Promise(() => {}) });
  const wasi = new AsyncWASI({
    version: "preview1",
    args: ["tool", "upper"],
    stdin: bytes("the guest has ended before"),
    stdout,
    signal: AbortSignal.timeout(200),
  });
  const imports = wasi.getImportObject() as WebAssembly.Imports;
  const instance = await WebAssembly.instantiate(tool, imports);
  await assert.rejects(wasi.start(instance), { name: "TimeoutError" });
});

test("empty chunks without end do not keep a signal from coming", async () => {
  const stdin = (): ReadableStream<Uint8Array> =>
    new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(0)) });
  const imports = { env: { f: () => {} } };
  for (const more of canSuspend() ? [{}, { imports }] : [{}]) {
    const signal = AbortSignal.timeout(100);
    await assert.rejects(ran(["upper"], { stdin: stdin(), signal, ...more }), {
      name: "TimeoutError",
    });
  }
});

test("a signal that outlives its guests keeps nothing of them", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  Object.assign(signal, {
    addEventListener: (...given: Parameters<typeof add>) => (listeners++, add(...given)),
    removeEventListener: (...given: Parameters<typeof remove>) => (listeners--, remove(...given)),
  });
  const imports = { env: { f: () => {} } };
  assert.equal((await ran(["upper"], { signal }))[0], 0);
  if (canSuspend()) assert.equal((await ran(["upper"], { signal, imports }))[0], 0);
  await assert.rejects(run(new Uint8Array(fs.readFileSync(file)).fill(0, 8), { signal }));
  assert.equal(listeners, 0);
});

test("a signal given while a guest computes ends it at its next call", { skip }, async () => {
  const controller = new AbortController();
  const mine = new Error("enough");
  let chunks = 0;
  const stdout = (): void => {
    if (++chunks === 3) controller.abort(mine);
  };
  const options = { stdin: new Uint8Array(1e6), stdout, signal: controller.signal };
  await assert.rejects(ran(["upper"], options), (error) => error === mine);
  assert.equal(chunks, 3);
});

test("a guest that asks without waiting lets others through", { skip }, async () => {
  async function* input(): AsyncGenerator<Uint8Array> {
    for (const part of ["a", "b"]) {
      await pause(50);
      yield bytes(part);
    }
  }
  const signal = AbortSignal.timeout(20000);
  assert.deepEqual(await ran(["polls"], { stdin: input(), signal }), [0, "AB"]);
  assert.deepEqual(await ran(["spins"], { stdin: input(), signal }), [0, "ab"]);
});

test("two guests take turns", { skip }, async () => {
  const order: string[] = [];
  const one = async (name: string, wait: number): Promise<void> => {
    async function* input(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 3; i++) {
        await pause(wait);
        yield bytes(name);
      }
    }
    await ran(["upper"], { stdin: input(), stdout: () => void order.push(name) });
  };
  await Promise.all([one("slow", 400), one("fast", 20)]);
  assert.deepEqual(order.slice(0, 2), ["fast", "fast"]);
  assert.equal(order.at(-1), "slow");
});

test("time that is not real passes at once", { skip }, async () => {
  const began = performance.now();
  const options = { clock: 0n, random: 1 };
  const first = await ran(["times"], options);
  assert.deepEqual(first, await ran(["times"], options));
  assert.ok(performance.now() - began < 10000);
  const stdin = new Blob(["x"]);
  assert.deepEqual(await ran(["upper"], { ...options, stdin }), [0, "X"]);
});

test("limits hold here too, memory's by making growth fail", async () => {
  const content = new Uint8Array(fs.readFileSync(file));
  const stdout = new OutputBuffer();
  const limits = { memoryPages: 300 };
  assert.equal(await run(content, { args: ["tool", "grows", "500"], stdout, limits }), 0);
  assert.match(stdout.text(), /^(3\d|4[0-3]) of 500/);
  const files = memory();
  const code = await run(tool, {
    args: ["tool", "write", "f", "0", "99"],
    preopens: { "/": files },
    limits: { diskBytes: 42 },
    stderr: null,
  });
  assert.deepEqual([code, files.bytes("f").length], [19, 42]);
});

test("the output of another process is input while it runs", { skip }, async () => {
  const child = spawn("sh", ["-c", "sleep 0.3; printf hello; sleep 0.2; printf ' again'"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stdout = new OutputBuffer();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  child.stdout.on("data", (chunk: Uint8Array) => void writer.write(new Uint8Array(chunk)));
  child.stdout.on("end", () => void writer.close());
  const code = await run(tool, { args: ["tool"], stdin: readable, stdout });
  assert.deepEqual([code, stdout.text()], [0, "HELLO AGAIN"]);
});
