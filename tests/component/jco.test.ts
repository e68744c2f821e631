/** Modules that jco has transpiled, with the WASI of this package; see tests/components/README.md. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { canSuspend, GuestAborted, memory, OutputBuffer } from "../../mod.ts";
import { WASIShim as BrowserShim } from "../../adapters/browser/preview2.ts";
import { ProcExit, WASIShim, type WASIShimOptions } from "../../preview2.ts";
import { transpiled as transpile } from "../support/components.ts";
import { root, scratch } from "../support/harness.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const component = fs.readFileSync(path.join(root, "tests/components/transpiled.wasm"));
const encoder = new TextEncoder();

/** The module that jco has written. */
async function transpiled(kind: "sync" | "jspi"): Promise<Any> {
  return await import(pathToFileURL(path.join(transpile(component, kind), "guest.mjs")).href);
}

function core(file: string): WebAssembly.Module {
  return new WebAssembly.Module(fs.readFileSync(path.join(transpile(component, "sync"), file)));
}

const opened: WASIShim[] = [];
after(() => {
  for (const wasi of opened) wasi[Symbol.dispose]();
});

function shim(options: WASIShimOptions): WASIShim {
  const wasi = new WASIShim({ stdin: null, ...options });
  opened.push(wasi);
  return wasi;
}

const { instantiate } = await transpiled("sync");

/** The guest, with its calls holding the thread. */
function guest(options: WASIShimOptions = {}): Any {
  return instantiate(core, shim(options).getImportObject());
}

test("arguments are a list of strings", () => {
  assert.deepEqual(guest({ args: ["demo", "ä"] }).listArguments(), ["demo", "ä"]);
});

test("what the guest writes and reads", () => {
  const stdout = new OutputBuffer();
  const { print, read } = guest({ stdin: encoder.encode("input"), stdout });
  assert.equal(print(encoder.encode("hello ")), true);
  assert.equal(print(encoder.encode("there")), true);
  assert.equal(stdout.text(), "hello there");
  assert.deepEqual(read(), encoder.encode("input"));
  assert.deepEqual(read(), new Uint8Array(0));
});

test("a file of 64 bits' length, and error codes", () => {
  const { size } = guest({
    preopens: { "/": memory({ "a.txt": "hello", "dir/b": "", link: new Uint8Array(70000) }) },
  });
  assert.equal(size("a.txt"), 5n);
  assert.equal(size("link"), 70000n);
  for (const [name, payload] of [["none", "no-entry"], ["a.txt/b", "not-directory"]]) {
    assert.throws(() => size(name), (error: Any) => error.payload === payload);
  }
  assert.throws(() => size("../x"), (error: Any) => error.payload === "not-permitted");
});

test("a folder of the host's is a sandbox", () => {
  const outside = scratch();
  fs.writeFileSync(path.join(outside, "secret"), "secret");
  const inside = path.join(outside, "inside");
  fs.mkdirSync(inside);
  fs.writeFileSync(path.join(inside, "mine"), "mine");
  fs.symlinkSync("../secret", path.join(inside, "link"));
  const { size } = guest({ preopens: { "/": inside } });
  assert.equal(size("mine"), 4n);
  assert.throws(() => size("../secret"), (error: Any) => error.payload === "not-permitted");
  assert.throws(() => size("link"), (error: Any) => error.payload === "not-permitted");
});

test("the class for browsers does the same without a host's files and streams", () => {
  const stdout = new OutputBuffer();
  const preopens = { "/": memory({ "a.txt": "hello" }) };
  const wasi = new BrowserShim({ args: ["demo"], preopens, stdin: encoder.encode("in"), stdout });
  const { listArguments, print, read, size } = instantiate(core, wasi.getImportObject());
  assert.deepEqual(listArguments(), ["demo"]);
  assert.deepEqual(read(), encoder.encode("in"));
  assert.equal(print(encoder.encode("out")), true);
  assert.equal(stdout.text(), "out");
  assert.equal(size("a.txt"), 5n);
  assert.throws(() => new BrowserShim({ preopens: { "/": "/" } }), {
    code: "ERR_INVALID_ARG_VALUE",
  });
  wasi[Symbol.dispose]();
});

test("a wait holds the thread, or passes at once on a clock that starts somewhere", () => {
  const start = performance.now();
  guest().sleep(30_000_000n);
  assert.ok(performance.now() - start >= 29);
  guest({ clock: 0n }).sleep(3_600_000_000_000n);
  assert.ok(performance.now() - start < 60_000);
});

test("an exit is a ProcExit with the code", () => {
  for (const [failed, code] of [[false, 0], [true, 1]] as const) {
    assert.throws(() => guest().leave(failed), (error: Any) => {
      assert.ok(error instanceof ProcExit);
      assert.equal(error.code, code);
      assert.equal((error as Any).exitError, true);
      return true;
    });
  }
});

test("what a function of the embedder's throws stops the guest and is its cause", () => {
  const { print } = guest({
    stdout: () => {
      throw new RangeError("full");
    },
  });
  assert.throws(() => print(encoder.encode("x")), (error: Any) => {
    assert.ok(error instanceof GuestAborted);
    assert.equal((error.cause as Error).message, "full");
    return true;
  });
});

test("limits hold", () => {
  const stdout = new OutputBuffer();
  const { print } = guest({ stdout, limits: { outputBytes: 5 } });
  assert.equal(print(encoder.encode("12345")), true);
  assert.equal(print(encoder.encode("6")), false);
  assert.equal(stdout.text(), "12345");
});

test("names with a version, and classes that jco asks instanceof of", () => {
  const imports = shim({ preopens: { "/": memory() } }).getImportObject({ asVersion: "0.2.3" });
  const files = imports["wasi:filesystem/types@0.2.3"] as Any;
  const [[directory, name]] = (imports["wasi:filesystem/preopens@0.2.3"] as Any).getDirectories();
  assert.equal(name, "/");
  assert.ok(directory instanceof files.Descriptor);
  assert.equal(directory.getType(), "directory");
  assert.deepEqual(directory.getFlags(), {
    read: true,
    write: false,
    fileIntegritySync: false,
    dataIntegritySync: false,
    requestedWriteSync: false,
    mutateDirectory: true,
  });
  const stat = directory.stat();
  assert.equal(typeof stat.size, "bigint");
  assert.equal(typeof stat.dataModificationTimestamp.seconds, "bigint");
  const file = directory.openAt({}, "new", { create: true }, { read: true, write: true });
  assert.equal(file.write(encoder.encode("hello"), 0n), 5n);
  assert.deepEqual(file.read(100n, 1n), [encoder.encode("ello"), false]);
  assert.throws(() => directory.openAt({}, "none", {}, {}), (thrown) => thrown === "no-entry");
  file[Symbol.dispose]();
  assert.throws(() => file.stat(), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => new files.Descriptor(), TypeError);
});

test("wrong options are refused", () => {
  for (
    const [options, message] of [
      [{ sandbox: {} }, /sandbox.*args, env and preopens/s],
      [{ arg: [] }, /did you mean args/],
      [{ limits: { memoryPages: 1 } }, /memoryPages/],
      [{ version: "preview1" }, /version/],
      [{ stdin: new Blob([]) }, /stdin/],
    ] as [Any, RegExp][]
  ) assert.throws(() => new WASIShim(options), { name: "TypeError", message });
  assert.throws(() => new WASIShim({ asyncImports: "all" as Any }), {
    code: "ERR_INVALID_ARG_TYPE",
  });
});

test("imports that jco knows as async leave the thread free", async () => {
  if (!canSuspend()) {
    const code = "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM";
    assert.throws(() => new WASIShim({ asyncImports: true }), { code });
    return;
  }
  const { instantiate } = await transpiled("jspi");
  const stdout = new OutputBuffer();
  const wasi = shim({
    asyncImports: true,
    stdout,
    stdin: new ReadableStream({
      async start(controller) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.enqueue(encoder.encode("later"));
        controller.close();
      },
    }),
  });
  const { sleep, read, print, leave } = await instantiate(core, wasi.getImportObject());
  const start = performance.now();
  await sleep(30_000_000n);
  assert.ok(performance.now() - start >= 29);
  // a timer gives it, which could not run if the thread were held
  assert.deepEqual(await read(), encoder.encode("later"));
  assert.equal(await print(encoder.encode("out")), true);
  assert.equal(stdout.text(), "out");
  assert.throws(() => leave(true), { code: 1 });
});
