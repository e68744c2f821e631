/** Readiness of pipes, terminals and FIFOs, with and without foreign functions. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Errno, Eventtype, Rights } from "../../core/preview1/abi.ts";
import { Guest } from "../support/guest.ts";
import { compiled, foreign, root, runtime, scratch } from "../support/harness.ts";
import { builtLauncher } from "../support/launch.ts";
import { poll } from "../support/polling.ts";
import { shell } from "./guest.ts";

const READS = BigInt(Rights.FD_READ | Rights.POLL_FD_READWRITE);
const READS_AND_WRITES = READS | BigInt(Rights.FD_WRITE);

/** A FIFO in a folder of its own. */
function fifo(): { folder: string; file: string } {
  const folder = scratch("readiness");
  shell("mkfifo fifo", folder);
  return { folder, file: path.join(folder, "fifo") };
}

/** Reads what a descriptor has, up to a thousand bytes. */
function textOf(fd: number): string {
  const bytes = new Uint8Array(1000);
  return new TextDecoder().decode(bytes.subarray(0, fs.readSync(fd, bytes, 0, 1000, null)));
}

/**
 * What launch.c types, and then nothing: what poll_oneoff and fd_read say by turns. Bytes are
 * counted where there are any; the system counts those behind an end as well.
 */
const TYPED: [counted: boolean, hangup: number, text: string][] = [
  "first\n",
  "\n",
  "",
  "ab",
  "",
  "last\n",
].map((text) => [true, 0, text]);

function moduleOf(file: string): string {
  const name = compiled ? `build/${file.replace(/ts$/, "js")}` : file;
  return JSON.stringify(pathToFileURL(path.join(root, name)).href);
}

/** Asks about its standard input and reads it by turns, until there is nothing for a while. */
const ASKING = `
import fs from "node:fs";
import process from "node:process";
const { Guest } = await import(${moduleOf("tests/support/guest.ts")});
const { poll } = await import(${moduleOf("tests/support/polling.ts")});
const guest = new Guest({ ffi: process.argv[2] === "true" });
const all = [];
for (let told; all.length < 20 && (told = poll(guest, 0, 1, 300)) !== undefined;) {
  poll(guest, 0, 1, 0); // asking twice changes nothing
  const text = guest.read(0);
  all.push([told.nbytes > 0n || text === "", told.hangup, text]);
}
fs.writeSync(1, JSON.stringify(all));
process.exit(0);
`;

/** Starts a script by launch.c; gives what it wrote. */
function launched(kind: string, script: string, ...args: string[]): string {
  const folder = scratch("launched");
  const launch = builtLauncher(folder);
  const file = path.join(folder, "script.mjs");
  fs.writeFileSync(file, script);
  // through a shell, because Deno changes the words of a Deno that it starts
  const words = [process.execPath, ...(runtime === "deno" ? ["run", "-A"] : []), file, ...args];
  return execFileSync("/bin/sh", ["-c", `exec ${launch} ${kind} "$@"`, "sh", ...words], {
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
    encoding: "utf8",
  });
}

for (const ffi of foreign ? [true, false] : [false]) {
  const how = ffi ? "with foreign functions" : "without foreign functions";

  test(`asking for what a descriptor does not allow takes nothing from it (${how})`, () => {
    for (const mode of [fs.constants.O_WRONLY, fs.constants.O_RDWR]) {
      const { file } = fifo();
      const both = fs.openSync(file, fs.constants.O_RDWR);
      const given = fs.openSync(file, mode);
      try {
        fs.writeSync(both, "the host's");
        const guest = new Guest({ ffi, stdin: both, stdout: given, stderr: given });
        for (const fd of [1, 2]) {
          assert.equal(poll(guest, fd, Eventtype.FD_READ, 20)?.error, Errno.NOTCAPABLE);
          assert.deepEqual([poll(guest, fd, Eventtype.FD_WRITE, 20)?.error, fd], [0, fd]);
        }
        assert.equal(poll(guest, 0, Eventtype.FD_WRITE, 20)?.error, Errno.NOTCAPABLE);
        assert.equal(textOf(both), "the host's");
      } finally {
        fs.closeSync(given);
        fs.closeSync(both);
      }
    }
  });

  test(`input that cannot be read is not read (${how})`, () => {
    const { file } = fifo();
    const both = fs.openSync(file, fs.constants.O_RDWR);
    const given = fs.openSync(file, fs.constants.O_WRONLY);
    try {
      fs.writeSync(both, "the host's");
      const guest = new Guest({ ffi, stdin: given });
      assert.equal(poll(guest, 0, Eventtype.FD_READ, 20)?.error, Errno.NOTCAPABLE);
      assert.equal(guest.read(0), -Errno.NOTCAPABLE);
      assert.equal(textOf(both), "the host's");
    } finally {
      fs.closeSync(given);
      fs.closeSync(both);
    }
  });

  test(`what is typed on a terminal is told and read, ends too (${how})`, {
    timeout: 60_000,
  }, () => {
    assert.deepEqual(JSON.parse(launched("typing", ASKING, String(ffi))), TYPED);
  });

  test(`a socket at its end says so (${how})`, { timeout: 60_000 }, () => {
    const told = JSON.parse(launched("ended", ASKING, String(ffi))) as unknown[][];
    const [[, , text], [, , end], [, hangup, after]] = told as [unknown[], unknown[], unknown[]];
    // without foreign functions a socket that waits by itself has to be read to know
    assert.deepEqual([text, end, hangup, after], ["text", "", 1, ""]);
  });

  for (const confinement of ffi ? ["kernel", "walk"] as const : ["walk", "checked"] as const) {
    const options = { ffi, confinement, returnOnExit: true };

    test(`a FIFO opened by a guest is waited for at no cost (${how}, ${confinement})`, {
      timeout: 60_000,
    }, async () => {
      const { folder, file } = fifo();
      const guest = new Guest({ ...options, preopens: { "/": folder } });
      const fd = guest.open("fifo", { rights: READS_AND_WRITES });
      const only = guest.open("fifo", { rights: READS });
      assert.ok(fd > 3 && only > 3, `${fd}, ${only}`);
      for (const wait of ["read", "poll"]) {
        const late = spawn("/bin/sh", ["-c", `sleep 0.5; printf ${wait} > ${file}`]);
        const ended = new Promise((resolve) => late.on("close", resolve));
        const [before, began] = [process.cpuUsage(), performance.now()];
        if (wait === "poll") {
          assert.equal(poll(guest, only, Eventtype.FD_READ, 100), undefined);
          const told = poll(guest, only, Eventtype.FD_READ, 20_000);
          assert.deepEqual([told?.error, told?.hangup, told!.nbytes > 0n], [0, 0, true]);
        }
        assert.equal(guest.read(wait === "read" ? fd : only), wait);
        const { user, system } = process.cpuUsage(before);
        const took = performance.now() - began;
        assert.ok(took > 300, `${took} ms`);
        assert.ok((user + system) / 1000 < took / 5, `${user + system} us in ${took} ms`);
        await ended;
      }
      assert.equal(guest.call.fd_close!(fd), 0);
      assert.equal(guest.call.fd_close!(only), 0);
    });

    test(`a FIFO ends when its writer has gone, not before one came (${how}, ${confinement})`, {
      timeout: 60_000,
    }, async () => {
      const { folder, file } = fifo();
      const guest = new Guest({ ...options, preopens: { "/": folder } });
      const fd = guest.open("fifo", { rights: READS });
      assert.equal(poll(guest, fd, Eventtype.FD_READ, 50), undefined);
      const late = spawn("/bin/sh", ["-c", `sleep 0.2; printf text > ${file}`]);
      const ended = new Promise((resolve) => late.on("close", resolve));
      const told = poll(guest, fd, Eventtype.FD_READ, 20_000);
      assert.deepEqual([told?.error, told!.nbytes > 0n], [0, true]);
      assert.equal(guest.read(fd), "text");
      await ended;
      const end = poll(guest, fd, Eventtype.FD_READ, 20_000);
      assert.deepEqual([end?.error, end?.nbytes, end?.hangup], [0, 0n, 1]);
      assert.equal(guest.read(fd), "");
    });
  }
}
