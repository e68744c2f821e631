/** wasi:io, wasi:cli, wasi:clocks and wasi:random, call by call. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { canSuspend, OutputBuffer } from "../../mod.ts";
import { runtime } from "../support/harness.ts";
import { bytes, probe, text } from "./probe.ts";

/** The engine that componentize-qjs builds has constant expressions that Node 20 refuses. */
const skip = runtime === "node20" ? "Node 20 does not know extended constant expressions" : false;
const test = (name: string, act: () => Promise<void>): void => void nodeTest(name, { skip }, act);

test("arguments, environment, no working directory, no terminal", async () => {
  const p = await probe({ args: ["prog", "ä", ""], env: { A: "b=c", EMPTY: "" } });
  assert.deepEqual(await p.call("getArguments"), ["prog", "ä", ""]);
  assert.deepEqual(await p.call("getEnvironment"), [["A", "b=c"], ["EMPTY", ""]]);
  assert.equal(await p.call("initialCwd"), null);
  for (const name of ["getTerminalStdin", "getTerminalStdout", "getTerminalStderr"]) {
    if (name !== "getTerminalStdin") continue;
    assert.equal(await p.call(name), null);
  }
  p.close();
});

test("standard streams are those of the options", async () => {
  const [stdout, stderr] = [new OutputBuffer(), new OutputBuffer()];
  const stdin = new TextEncoder().encode("0123456789");
  const p = await probe({ stdin, stdout, stderr });
  const [input, out, err] = [
    await p.call("getStdin"),
    await p.call("getStdout"),
    await p.call("getStderr"),
  ];
  assert.ok(await p.call("checkWrite", out) >= 4096);
  await p.call("write", out, bytes("out"));
  await p.call("blockingFlush", out);
  await p.call("blockingWriteAndFlush", err, bytes("err"));
  assert.equal(text(await p.call("blockingRead", input, 3)), "012");
  assert.equal(await p.call("skip", input, 2), 2);
  assert.equal(await p.call("blockingSplice", out, input, 3), 3);
  await p.call("blockingWriteZeroesAndFlush", out, 2);
  assert.equal(text(await p.call("read", input, 100)), "89");
  assert.deepEqual(await p.error("blockingRead", input, 1), { tag: "closed" });
  assert.deepEqual(await p.error("read", input, 1), { tag: "closed" });
  assert.equal(stdout.text(), "out567\0\0");
  assert.equal(stderr.text(), "err");
  p.close();
});

test("output that its limit does not allow is an error with a code", async () => {
  const p = await probe({ stdout: null, limits: { outputBytes: 5 } });
  const out = await p.call("getStdout");
  await p.call("blockingWriteAndFlush", out, bytes("12345"));
  const { tag, val } = await p.error("blockingWriteAndFlush", out, bytes("6"));
  assert.equal(tag, "last-operation-failed");
  assert.equal(await p.call("filesystemErrorCode", val), "file-too-large");
  assert.equal(await p.call("toDebugString", val), "file-too-large");
  p.close();
});

test("pollables: times that have come, that have not, and the first of several", async () => {
  const p = await probe({ stdin: null });
  const now = await p.call("now") as number;
  const past = await p.call("subscribeInstant", now);
  const soon = await p.call("subscribeDuration", 30_000_000);
  const late = await p.call("subscribeDuration", 60_000_000_000);
  assert.equal(await p.call("ready", past), true);
  assert.equal(await p.call("ready", late), false);
  assert.deepEqual(await p.call("poll", [late, past]), [1]);
  const began = performance.now();
  assert.deepEqual(await p.call("poll", [late, soon]), [1]);
  assert.ok(performance.now() - began < 5_000);
  assert.ok(await p.call("now") as number - now >= 30_000_000);
  const input = await p.call("getStdin");
  assert.deepEqual(await p.call("poll", [late, await p.call("subscribe", input)]), [1]);
  await p.call("block", past);
  p.close();
});

nodeTest("a read that waits lets the thread go on", {
  skip: skip || (canSuspend() ? false : "no JSPI on this runtime"),
}, async () => {
  let give: (chunk: Uint8Array) => void = () => {};
  const stdin = new ReadableStream<Uint8Array>({
    start: (controller) => give = (chunk) => controller.enqueue(chunk),
  });
  const p = await probe({ stdin });
  const input = await p.call("getStdin");
  assert.deepEqual(await p.call("read", input, 10), { bytes: [] });
  const ready = await p.call("subscribe", input);
  assert.equal(await p.call("ready", ready), false);
  setTimeout(() => give(new TextEncoder().encode("late")), 40);
  assert.equal(text(await p.call("blockingRead", input, 10)), "late");
  setTimeout(() => give(new TextEncoder().encode("again")), 40);
  await p.call("block", ready);
  assert.equal(text(await p.call("read", input, 10)), "again");
  p.close();
});

test("clocks and random numbers are those of the options", async () => {
  const p = await probe({ clock: 1_000_000_000_123_456_789n, random: 7 });
  const { seconds, nanoseconds } = await p.call("wallNow");
  assert.equal(seconds, 1_000_000_000);
  assert.ok(nanoseconds >= 123_456_789 && nanoseconds < 123_556_789, String(nanoseconds));
  const first = await p.call("getRandomBytes", 20);
  assert.equal(first.bytes.length, 20);
  p.close();
  const again = await probe({ clock: 1_000_000_000_123_456_789n, random: 7 });
  assert.deepEqual(await again.call("getRandomBytes", 20), first);
  again.close();
  const own = await probe();
  assert.ok(Math.abs((await own.call("wallNow")).seconds - Date.now() / 1000) < 60);
  assert.notDeepEqual(await own.call("getRandomBytes", 16), await own.call("getRandomBytes", 16));
  assert.equal((await own.call("getInsecureRandomBytes", 5)).bytes.length, 5);
  assert.equal((await own.call("insecureSeed")).length, 2);
  assert.ok((await own.call("resolution")) > 0);
  own.close();
});

test("a trace tells each call and what it gave", async () => {
  const lines: string[] = [];
  const p = await probe({ args: ["a"], stdout: null, trace: (line) => lines.push(line) });
  await p.call("getArguments");
  const out = await p.call("getStdout");
  await p.call("blockingWriteAndFlush", out, bytes("four"));
  p.close();
  const calls = lines.join("\n");
  assert.match(calls, /^==> wasi:cli\/environment get-arguments\(\)\n<== \["a"\]$/m);
  assert.match(
    calls,
    /^==> wasi:io\/streams \[method\]output-stream\.blocking-write-and-flush\(self=<OutputStream>, contents=4 bytes\)\n<== none$/m,
  );
});
