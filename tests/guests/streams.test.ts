import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { foreign, scratch } from "../support/harness.ts";
import { WASI } from "../support/wasi.ts";
import { guestModule, shell } from "./guest.ts";

/** Runs stream.c with a descriptor as standard input; gives the lines it printed. */
function runOn(stdin: number, argument: string, folder: string): { code: number; lines: string[] } {
  const output = path.join(folder, "output");
  const fd = fs.openSync(output, "w");
  try {
    const wasi = new WASI({
      version: "preview1",
      // Without a call that counts, as before Node 26, a pipe is ready with an unknown number of bytes.
      args: foreign ? ["guest", argument] : ["guest", argument, "uncounted"],
      stdin,
      stdout: fd,
      stderr: fd,
    });
    const imports = wasi.getImportObject() as WebAssembly.Imports;
    const code = wasi.start(new WebAssembly.Instance(guestModule("stream"), imports));
    return { code, lines: fs.readFileSync(output, "utf8").trim().split("\n") };
  } finally {
    fs.closeSync(fd);
  }
}

function pipe(folder: string): { reader: number; writer: number } {
  shell("mkfifo pipe", folder);
  const file = path.join(folder, "pipe");
  // Opening for both does not wait for the other side.
  const writer = fs.openSync(file, fs.constants.O_RDWR);
  const reader = fs.openSync(file, fs.constants.O_RDONLY);
  fs.writeSync(writer, "hello");
  return { reader, writer };
}

test("a pipe as standard input is polled and read, and waited for", { timeout: 60_000 }, () => {
  const folder = scratch("stream");
  const { reader, writer } = pipe(folder);
  const late = spawn("/bin/sh", ["-c", "sleep 4; echo late > pipe"], {
    cwd: folder,
    stdio: "ignore",
  });
  try {
    const { code, lines } = runOn(reader, "open", folder);
    assert.deepEqual(lines.filter((line) => !line.startsWith("ok ")), []);
    assert.equal(code, 0);
    assert.equal(lines.length, 21);
  } finally {
    late.kill();
    fs.closeSync(reader);
    fs.closeSync(writer);
  }
});

test("a pipe whose writer is gone ends", { timeout: 60_000 }, () => {
  const folder = scratch("stream");
  const { reader, writer } = pipe(folder);
  fs.closeSync(writer);
  try {
    const { code, lines } = runOn(reader, "closed", folder);
    assert.deepEqual(lines.filter((line) => !line.startsWith("ok ")), []);
    assert.equal(code, 0);
    assert.equal(lines.length, 21);
  } finally {
    fs.closeSync(reader);
  }
});
