import assert from "node:assert/strict";
import { test } from "node:test";
import type { WASIOptions } from "../../mod.ts";
import { addressOf } from "../../core/directories/posix/sockets.ts";
import { sockets as canListen } from "../support/harness.ts";
import { WASI } from "../support/wasi.ts";
import { guests } from "./guest.ts";
import { sockets } from "./sockets.ts";

sockets.on(guests);

test("wrong addresses and ports are refused by name", () => {
  const refused = (listen: unknown, code: string, message: RegExp): void => {
    const make = (): unknown => new WASI({ version: "preview1", listen } as WASIOptions);
    assert.throws(make, { code, message });
  };
  refused("8080", "ERR_INVALID_ARG_TYPE", /options\.listen/);
  refused([8080], "ERR_INVALID_ARG_TYPE", /options\.listen\[0\]/);
  refused([{ port: 1 }], "ERR_INVALID_ARG_TYPE", /options\.listen\[0\]\.host/);
  refused([{ host: "::" }], "ERR_INVALID_ARG_TYPE", /options\.listen\[0\]\.port/);
  refused([{ host: "::", port: 65536 }], "ERR_OUT_OF_RANGE", /listen\[0\]\.port.*65535/);
  const name = [{ host: "example.org", port: 0 }];
  if (!canListen) refused(name, "ERR_INVALID_ARG_VALUE", /foreign functions/);
  else refused(name, "UVWASI_EINVAL", /"example\.org" must be "localhost" or an address/);
});

test("addresses are read as they are written", () => {
  const bytes = (host: string): number[] | undefined => {
    const address = addressOf(host);
    return address && [...address];
  };
  assert.deepEqual(bytes("127.0.0.1"), [127, 0, 0, 1]);
  assert.deepEqual(bytes("localhost"), [127, 0, 0, 1]);
  assert.deepEqual(bytes("::"), Array(16).fill(0));
  assert.deepEqual(bytes("[::1]"), [...Array(15).fill(0), 1]);
  assert.deepEqual(bytes("2001:db8::ff:1"), [0x20, 1, 0xd, 0xb8, ...Array(9).fill(0), 0xff, 0, 1]);
  for (
    const wrong of ["256.0.0.1", "1.2.3", "::1::", "1:2:3:4:5:6:7", "g::", "1:2:3:4:5:6:7:8::"]
  ) {
    assert.equal(bytes(wrong), undefined, wrong);
  }
});
