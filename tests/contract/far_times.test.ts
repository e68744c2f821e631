/** Times beyond what a disk or 64 bits can hold. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { host } from "../../adapters/host_directory.ts";
import { Fstflags } from "../../core/preview1/abi.ts";
import { FileStat, writeTime } from "../../core/filestat.ts";
import { scratch } from "../support/harness.ts";

const MAX = 2n ** 64n - 1n;

test("a time that does not fit into 64 bits is the last one that does", () => {
  const view = new DataView(new ArrayBuffer(8));
  const written = (seconds: number, nanoseconds: number): bigint => {
    writeTime(view, 0, seconds, nanoseconds);
    return view.getBigUint64(0, true);
  };
  assert.equal(written(18446744073, 709551614), MAX - 1n);
  assert.equal(written(18446744073, 709551615), MAX);
  assert.equal(written(18446744073, 709551616), MAX);
  for (const seconds of [18446744074, 19880899200, 2 ** 37, 2 ** 53, 2 ** 63]) {
    assert.equal(written(seconds, 5), MAX, String(seconds));
  }
  assert.equal(written(-1, 5), 0n);
  const stat = new FileStat();
  stat.mtim = MAX + 1n;
  assert.equal(stat.mtim, MAX);
  stat.mtim = MAX - 1n;
  assert.equal(stat.mtim, MAX - 1n);
});

test("a time that was set is read as the disk has it", () => {
  const folder = scratch("far_times");
  const file = path.join(folder, "file");
  fs.writeFileSync(file, "");
  for (const ffi of [true, false]) {
    const directory = host(folder, { ffi });
    const stat = new FileStat();
    for (const year of [1980, 2030, 2200, 2400, 2500, 2550]) {
      const time = BigInt(Date.UTC(year, 5)) * 1000000n;
      const flags = Fstflags.ATIM | Fstflags.MTIM;
      assert.equal(directory.setTimesAt("file", false, time, time, flags), 0);
      assert.equal(directory.statAt("file", false, stat), 0);
      const kept = fs.statSync(file, { bigint: true }).mtimeNs;
      const apart = stat.mtim - kept;
      assert.ok(apart < 1000000n && apart > -1000000n, `${year}, ffi ${ffi}: ${stat.mtim} ${kept}`);
    }
    directory.close();
  }
});
