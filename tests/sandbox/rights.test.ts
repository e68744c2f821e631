/** What a right is needed for is not had without it, on any way to the disk. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Errno, Rights } from "../../core/preview1/abi.ts";
import { Guest } from "../support/guest.ts";
import { scratch } from "../support/harness.ts";
import { ways } from "../support/hosts.ts";

const EXCL = 4;

for (const [name, way] of ways) {
  test(`a file is not made without CREAT, whatever the other flags (${name})`, () => {
    const folder = scratch("rights");
    fs.writeFileSync(path.join(folder, "there"), "x");
    const guest = new Guest({ preopens: { "/": folder }, ...way });
    for (const rights of [BigInt(Rights.FD_READ), BigInt(Rights.FD_READ | Rights.FD_WRITE)]) {
      assert.equal(guest.open("new", { oflags: EXCL, rights }), -Errno.NOENT);
      assert.ok(guest.open("there", { oflags: EXCL, rights }) > 0);
    }
    assert.deepEqual(fs.readdirSync(folder), ["there"]);
    guest.wasi[Symbol.dispose]();
  });
}
