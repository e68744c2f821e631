/**
 * What a program does with the installed package: every entry point runs a guest. The same for
 * modules of both kinds, which load the entries and give them to this.
 */
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");

const bytes = fs.readFileSync(path.join(__dirname, "tool.wasm"));
const module_ = new WebAssembly.Module(bytes);
const text = new TextEncoder();

/** Runs the guest by a class; gives what it wrote. */
function run(WASI, args, options) {
  let written = "";
  const decoder = new TextDecoder();
  const wasi = new WASI({
    version: "preview1",
    args: ["tool", ...args],
    stdout: (chunk) => void (written += decoder.decode(chunk, { stream: true })),
    ...options,
  });
  const code = wasi.start(new WebAssembly.Instance(module_, wasi.getImportObject()));
  assert.equal(code, 0);
  return written;
}

function upper(WASI) {
  assert.equal(run(WASI, ["upper"], { stdin: text.encode("hello") }), "HELLO");
}

/** The names in a directory, as the guest lists them. */
function names(WASI, directory) {
  const lines = run(WASI, ["list", "/d"], { preopens: { "/d": directory } }).trim().split("\n");
  return lines.map((line) => line.split(" ")[0]).filter((name) => !/^\.{1,2}$/.test(name)).sort();
}

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** What is done with each entry; `entries` has them all. */
const uses = {
  async "."({ WASI, OutputBuffer, limitMemory, prepare, run }, _, bundled) {
    upper(WASI);
    assert.deepEqual(names(WASI, "data"), ["in.txt"]);
    const { memory: limited } = new WebAssembly.Instance(
      new WebAssembly.Module(limitMemory(bytes, 100)),
      new WASI({ version: "preview1" }).getImportObject(),
    ).exports;
    assert.throws(() => limited.grow(100), RangeError);
    const stdout = new OutputBuffer();
    const options = { args: ["tool", "upper"], stdin: text.encode("hello"), stdout };
    assert.equal(await run(bytes, options), 0);
    assert.equal(stdout.text(), "HELLO");
    // in a worker, which makes the system calls if it finds the module for that
    const program = await prepare(bytes);
    const limited_ = { ...options, stdout: new OutputBuffer(), timeout: 60_000 };
    assert.equal(await run(program, limited_), 0);
    assert.equal(limited_.stdout.text(), "HELLO");
    const { guest, calls, because } = await program.plan(limited_);
    assert.deepEqual([guest, calls], ["worker", bundled ? "here" : "worker"], because);
    // in one whose calls are made here, which gets its program as text
    let out = "";
    const stdout_ = (chunk) => void (out += new TextDecoder().decode(chunk));
    assert.equal(await run(program, { ...limited_, stdout: stdout_ }), 0);
    assert.equal(out, "HELLO");
  },
  "./memory"({ memory }, { ".": { WASI } }) {
    assert.deepEqual(names(WASI, memory({ a: "1", b: "2" })), ["a", "b"]);
  },
  "./host"({ host }, { ".": { WASI } }) {
    assert.deepEqual(names(WASI, host("data", { readOnly: true })), ["in.txt"]);
  },
  "./overlay"({ overlay }, { ".": { WASI } }) {
    const draft = overlay("data");
    run(WASI, ["mkdir", "/d/new"], { preopens: { "/d": draft } });
    assert.deepEqual(names(WASI, draft), ["in.txt", "new"]);
    assert.deepEqual(fs.readdirSync("data"), ["in.txt"]);
  },
  async "./tar"({ fromTar, toTar }, { "./memory": { memory }, ".": { WASI } }) {
    const archive = await toTar(memory({ "packed.txt": "hello" }));
    assert.deepEqual(names(WASI, await fromTar(archive)), ["packed.txt"]);
  },
  "./preview2"({ WASIShim }, { "./memory": { memory } }) {
    const wasi = new WASIShim({ preopens: { "/": memory({ a: "hello" }) }, stdin: null });
    const { getDirectories } = wasi.getImportObject()["wasi:filesystem/preopens"];
    const [[directory]] = getDirectories();
    assert.equal(directory.statAt({}, "a").size, 5n);
  },
  "./browser"({ WASI }) {
    upper(WASI);
  },
};
for (const name of ["node", "bun", "deno"]) {
  uses[`./${name}`] = ({ WASI }) => {
    assert.equal(typeof WASI, "function"); // it can be loaded everywhere
    if (name !== runtime) return;
    upper(WASI);
    assert.deepEqual(names(WASI, "data"), ["in.txt"]);
  };
}

/** Uses every entry. `bundled` says that they are in one file. */
module.exports = async function use(entries, bundled) {
  for (const [name, exports] of Object.entries(entries)) {
    assert.ok(name in uses, `nothing is known to be done with "${name}"`);
    try {
      await uses[name](exports, entries, bundled);
    } catch (error) {
      throw new Error(`the entry "${name}"`, { cause: error });
    }
  }
  console.log(Object.keys(entries).length);
};
