/** Readiness of pipes, terminals and FIFOs, with and without foreign functions. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Errno, Eventtype } from "../../core/abi.ts";
import { Guest } from "../support/guest.ts";
import { foreign, scratch } from "../support/harness.ts";
import { shell } from "./guest.ts";

const IN = 200000;
const OUT = 210000;
const COUNT = 220000;
const TIMER = 99n;

/** What an event says. */
interface Told {
  fd: number;
  error: number;
  nbytes: bigint;
  hangup: number;
}

/** Asks poll_oneoff about a descriptor; undefined if the milliseconds were over first. */
function poll(guest: Guest, fd: number, type: number, milliseconds: number): Told | undefined {
  const { view } = guest;
  guest.bytes.fill(0, IN, IN + 96);
  view.setBigUint64(IN, BigInt(fd), true);
  view.setUint8(IN + 8, type);
  view.setUint32(IN + 16, fd, true);
  view.setBigUint64(IN + 48, TIMER, true);
  view.setUint32(IN + 64, 1, true); // the monotonic clock
  view.setBigUint64(IN + 72, BigInt(milliseconds) * 1_000_000n, true);
  assert.equal(guest.call.poll_oneoff!(IN, OUT, 2, COUNT), 0);
  assert.ok(view.getUint32(COUNT, true) >= 1);
  if (view.getBigUint64(OUT, true) === TIMER) return undefined;
  return {
    fd: Number(view.getBigUint64(OUT, true)),
    error: view.getUint16(OUT + 8, true),
    nbytes: view.getBigUint64(OUT + 16, true),
    hangup: view.getUint16(OUT + 24, true),
  };
}

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
}
