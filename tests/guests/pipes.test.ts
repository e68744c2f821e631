/** A process's standard input that is a pipe: what a guest is told of it, empty, filled and closed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Filetype } from "../../core/host.ts";
import { compiled, root, runtime, scratch, windows } from "../support/harness.ts";
import { type Way, ways } from "../support/hosts.ts";
import type { Told } from "../support/polling.ts";

const support = path.join(root, compiled ? "build/tests/support" : "tests/support");

/** The address of one of the tests' modules. */
function addressOf(name: string): string {
  return pathToFileURL(path.join(support, `${name}.${compiled ? "js" : "ts"}`)).href;
}

/** Says on standard error how far it has come, so that the pipe is filled and closed after that. */
const SCRIPT = `
import fs from "node:fs";
import process from "node:process";
const { Guest } = await import(${JSON.stringify(addressOf("guest"))});
const { poll } = await import(${JSON.stringify(addressOf("polling"))});
const guest = new Guest({ stdin: 0, ...JSON.parse(process.argv[2]) });
const errno = guest.call.fd_filestat_get(0, 1024);
const stat = [errno, guest.view.getUint8(1024 + 16), guest.view.getBigUint64(1024 + 32, true)];
const empty = poll(guest, 0, 1, 50) ?? null;
fs.writeSync(2, "<polled>");
const filled = poll(guest, 0, 1, 30000) ?? null;
const read = guest.read(0);
fs.writeSync(2, "<read>");
const closed = poll(guest, 0, 1, 30000) ?? null;
const report = { stat, empty, filled, read, closed, end: guest.read(0) };
fs.writeSync(1, JSON.stringify(report, (_, value) =>
  typeof value === "bigint" ? Number(value) : value));
`;

/** An event, with its number of bytes as JSON has it. */
type Event = Omit<Told, "nbytes"> & { nbytes: number };

interface Report {
  stat: [errno: number, filetype: number, size: number];
  empty: Event | null;
  filled: Event | null;
  read: string | number;
  closed: Event | null;
  end: string | number;
}

/** Runs the script with a pipe as its standard input, which gets 5 bytes and is closed. */
async function reportOf({ ffi, confinement }: Way): Promise<Report> {
  const file = path.join(scratch("pipes"), "script.mjs");
  fs.writeFileSync(file, SCRIPT);
  const flags = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  const words = [process.execPath, ...flags, file, JSON.stringify({ ffi, confinement })];
  // outside Windows Node and Bun give their children a pair of sockets for a pipe
  if (!windows) words.unshift("/bin/sh", "-c", 'cat | "$@"', "sh");
  const child = spawn(words[0]!, words.slice(1), {
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const text = { out: "", err: "" };
  let written = false;
  let ended = false;
  child.stdout.setEncoding("utf8").on("data", (chunk) => text.out += chunk);
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    text.err += chunk;
    if (!written && text.err.includes("<polled>")) {
      written = true;
      child.stdin.write("hello");
    }
    if (!ended && text.err.includes("<read>")) {
      ended = true;
      child.stdin.end();
    }
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 0, text.err);
  return JSON.parse(text.out) as Report;
}

for (const [name, way] of ways) {
  test(`a standard input that is a pipe is waited for, read and ended (${name})`, {
    timeout: 120_000,
  }, async () => {
    const { stat, empty, filled, read, closed, end } = await reportOf(way);
    assert.deepEqual(stat, [0, Filetype.UNKNOWN, 0]);
    assert.equal(read, "hello");
    assert.equal(end, "");
    assert.equal(filled?.error, 0);
    assert.equal(closed?.error, 0);
    assert.equal(filled.hangup, 0);
    // without /proc and foreign functions nothing tells: it counts as readable (README)
    if (!way.ffi && way.confinement === "checked") return;
    assert.equal(empty, null);
    if (way.ffi) assert.equal(filled.nbytes, 5);
    else assert.ok(filled.nbytes >= 1, String(filled.nbytes));
    assert.deepEqual([closed.nbytes, closed.hangup], [0, 1]);
  });
}
