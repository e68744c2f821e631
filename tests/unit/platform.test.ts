/** Which systems are known, and what follows from it: shown on a runtime that only claims them. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hostMaker, type Runtime } from "../../adapters/host.ts";
import { nodeContext } from "../../adapters/node/host.ts";
import { systemOf } from "../../adapters/platform.ts";
import { Errno } from "../../core/preview1/abi.ts";
import { FileStat } from "../../core/filestat.ts";
import { Open } from "../../core/host.ts";
import { mod, root, runRuntime, runtime, scratch } from "../support/harness.ts";

function on(platform: string): Runtime {
  return {
    name: "test",
    platform,
    arch: "x86_64",
    foreign: () => undefined,
    transfers: (libc) => libc,
    libcClock: false,
    slowWebCrypto: true,
    node: () => nodeContext({ byteNames: true, deno: runtime === "deno" }),
    mayUse: () => true,
    mayUseProc: () => true,
    clockSources: () => ({}),
    exit: () => {
      throw new Error("exit");
    },
  };
}

const UNKNOWN = ["freebsd", "openbsd", "netbsd", "aix", "android", "sunos", "cygwin", "haiku", ""];

test("a system that is not known is refused", () => {
  for (const platform of [...UNKNOWN, "Linux", "toString"]) {
    assert.throws(() => hostMaker(on(platform)), {
      code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
      message: new RegExp(`not available on the system "${platform}"`),
    });
  }
  assert.equal(systemOf("windows"), systemOf("win32"));
});

const folder = scratch("platform");
const preopen = path.join(folder, "preopen");
fs.mkdirSync(preopen);
// what Windows would take for "../secret", "file:stream" and so on are plain names on this system
const ODD = ["..\\secret", "dir\\file", "C:file", "file:stream", "nul", "NUL.txt", "end.", "end "];
for (const name of ODD) fs.writeFileSync(path.join(preopen, name), "odd");
fs.writeFileSync(path.join(preopen, "plain"), "plain");

test("on Windows, by either of its names, names that lead elsewhere are refused", () => {
  for (const platform of ["windows", "win32"]) {
    const host = hostMaker(on(platform))({ ffi: true, confinement: undefined });
    assert.equal(host.fs.confinement, "checked");
    const directory = host.fs.directory(preopen);
    const stat = new FileStat();
    for (const name of ODD) {
      assert.equal(directory.statAt(name, false, stat), -Errno.NOENT, name);
      assert.equal(directory.open(name, Open.READ, 0), -Errno.NOENT, name);
      assert.equal(directory.open(name, Open.WRITE | Open.CREAT, 0), -Errno.INVAL, name);
      assert.equal(directory.unlink(name), -Errno.NOENT, name);
      assert.equal(directory.rename("plain", directory, name), -Errno.INVAL, name);
      assert.equal(directory.mkdir(`${name}\\new`), -Errno.INVAL, name);
    }
    assert.equal(directory.statAt("plain", false, stat), 0);
    directory.close();
  }
  assert.deepEqual(fs.readdirSync(preopen).sort(), [...ODD, "plain"].sort());
});

test("elsewhere they are names as all others", () => {
  const host = hostMaker(on("linux"))({ ffi: true, confinement: "checked" });
  const directory = host.fs.directory(preopen);
  for (const name of ODD) assert.equal(directory.statAt(name, false, new FileStat()), 0, name);
  directory.close();
});

test("the class, run(), instantiate(), host() and overlay() refuse an unknown system", () => {
  const script = path.join(folder, "script.mjs");
  fs.writeFileSync(
    script,
    `const real = globalThis.Deno;
    if (real !== undefined) {
      const build = { ...real.build, os: "freebsd" };
      const value = new Proxy({}, {
        get: (_, name) => name === "build" ? build : real[name],
      });
      Object.defineProperty(globalThis, "Deno", { value });
    } else Object.defineProperty(process, "platform", { value: "freebsd" });
    const bytes = await (await import("node:fs/promises")).readFile(${
      JSON.stringify(path.join(root, "tests/guests/exit.wasm"))
    });
    const { WASI, host, instantiate, overlay, run } = await import(${JSON.stringify(mod)});
    const codes = [];
    for (const use of [
      () => new WASI({ version: "preview1" }), () => host("."), () => overlay("."),
      () => run(bytes), () => instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
    ]) {
      try {
        await use();
        codes.push("none");
      } catch (error) {
        codes.push(error.code);
      }
    }
    console.log(JSON.stringify(codes));`,
  );
  const flags = runtime === "deno" ? ["run", "-A", "--no-lock", "--no-config"] : [];
  const { stdout, stderr } = runRuntime([...flags, script], folder);
  assert.notEqual(stdout, "", stderr);
  assert.deepEqual(JSON.parse(stdout), new Array(5).fill("ERR_FEATURE_UNAVAILABLE_ON_PLATFORM"));
});
