/** What goes into directories in memory and what comes out: what is refused, what it may cost. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import vm from "node:vm";
import {
  memory,
  type MemoryDirectory,
  MemoryFile,
  MemoryLink,
} from "../../core/directories/memory/mod.ts";
import { opfs } from "../../core/directories/opfs.ts";
import { overlay } from "../../adapters/overlay.ts";
import { type File, Open } from "../../core/host.ts";
import { validateArgs, validateEnv, validatePreopens } from "../../core/guest/options.ts";
import { fromTar, toTar } from "../../tar.ts";

// deno-lint-ignore no-explicit-any
type Anything = any;

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Objects whose content is not among their own properties. */
const collections: Record<string, () => object> = {
  Map: () => new Map([["a", "b"]]),
  Set: () => new Set(["a"]),
  WeakMap: () => new WeakMap(),
  Headers: () => new Headers({ a: "b" }),
  URLSearchParams: () => new URLSearchParams("a=b"),
  URL: () => new URL("file:///a"),
  Promise: () => Promise.resolve({ a: "b" }),
  Date: () => new Date(0),
  Error: () => new Error("a"),
  Response: () => new Response("a"),
  Blob: () => new Blob(["a"]),
  ArrayBuffer: () => new ArrayBuffer(8),
  DataView: () => new DataView(new ArrayBuffer(8)),
  Uint16Array: () => new Uint16Array(4),
  String: () => Object("a"),
  RegExp: () => /a/,
  generator: () =>
    (function* () {
      yield "a";
    })(),
};

function refused(use: () => unknown, message: RegExp): void {
  assert.throws(use, (error: Error & { code?: string }) => {
    assert.equal(error.code, "ERR_INVALID_ARG_TYPE", error.message);
    assert.match(error.message, message);
    return true;
  });
}

test("a tree with what is none of its values is refused, and its path is named", () => {
  class Person {
    name = "a";
  }
  const values: Record<string, () => unknown> = {
    ...collections,
    array: () => ["a"],
    number: () => 1,
    undefined: () => undefined,
    null: () => null,
    function: () => () => "a",
    instance: () => new Person(),
    directory: () => memory(),
  };
  for (const [name, make] of Object.entries(values)) {
    const value = make() as Anything;
    const at = (path: string): RegExp => new RegExp(`tree\\["${path}"\\].*text, a Uint8Array`);
    refused(() => memory({ [name]: value }), at(name));
    refused(() => memory({ a: { b: { [name]: value } } }), at(`a/b/${name}`));
    refused(() => memory({ "a/b": { [name]: value } }), at(`a/b/${name}`));
    for (const directory of [memory(), overlay(memory())]) {
      refused(() => directory.write("f", value), /"content".*text, a Uint8Array/);
      assert.equal(directory.has("f"), false);
    }
    refused(() => new MemoryFile(value), /"content".*text or a Uint8Array/);
    refused(() => new MemoryLink(value), /"target"/);
    if (value === undefined) continue;
    refused(() => memory(value), /"tree".*plain object/);
    refused(() => memory().restore(value), /"snapshot"/);
  }
});

test("the error says what makes bytes of it", () => {
  const at = (value: Anything): () => void => () => memory({ "a/b": value });
  refused(at(new ArrayBuffer(8)), /new Uint8Array\(buffer\)/);
  refused(at(new Uint16Array(8)), /view\.byteOffset/);
  refused(at(Promise.resolve("a")), /await/);
  refused(() => memory(new Map() as Anything), /: Object\.fromEntries\(value\)/);
  refused(at(new Map()), /: Object\.fromEntries\(value\)/);
});

test("a tree may have objects and bytes of another realm, and objects without a prototype", () => {
  const realm = vm.createContext({});
  const files = memory({
    bare: Object.assign(Object.create(null), { a: "1" }),
    other: vm.runInContext("({ b: new Uint8Array([50]) })", realm),
    view: bytes("0123").subarray(1, 3),
  });
  assert.deepEqual([...files.paths()], ["bare/", "bare/a", "other/", "other/b", "view"]);
  assert.deepEqual(["bare/a", "other/b", "view"].map((path) => files.text(path)), ["1", "2", "12"]);
});

test("paths, modes and times of a wrong kind are refused", () => {
  const files = memory({ a: "1" });
  const odd = 5 as Anything;
  const uses: (() => unknown)[] = [
    () => files.write(odd, "x"),
    () => files.bytes(odd),
    () => files.text(odd),
    () => files.has(odd),
    () => files.linkTo(odd, "b"),
    () => files.linkTo("a", odd),
    () => files.makeDirectory(odd),
    () => files.remove(odd),
  ];
  for (const use of uses) refused(use, /"path".*of type string/);
  refused(() => new MemoryFile("", { mode: "644" as Anything }), /options\.mode/);
  refused(() => new MemoryFile("", { mtime: 5 as Anything }), /options\.mtime/);
  assert.throws(() => new MemoryFile("", { mode: -1 }), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => new MemoryFile("", { mode: 1.5 }), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => files.write("a\0b", ""), { code: "ERR_INVALID_ARG_VALUE" });
  assert.throws(() => memory({ "a\0b": {} }), { code: "ERR_INVALID_ARG_VALUE" });
  assert.throws(() => new MemoryLink("a\0b"), { code: "ERR_INVALID_ARG_VALUE" });
  assert.deepEqual([...files.paths()], ["a"]);
});

test("env and preopens that would be taken for empty are refused", () => {
  for (const make of Object.values(collections)) {
    refused(() => validateEnv(make()), /"options\.env".*plain object/);
    refused(() => validatePreopens(make()), /"options\.preopens".*plain object/);
  }
  refused(() => validateEnv(new Map()), /: Object\.fromEntries\(value\)\. Received.* Map/);
  refused(() => validatePreopens(Promise.resolve({})), /: await the promise\. Received/);
  refused(() => validateArgs(new Set(["a"])), /"options\.args"/);
  // a hole is what stands there
  assert.deepEqual(validateArgs([...new Array(1), "a"].concat(new Array(1))), [
    "undefined",
    "a",
    "undefined",
  ]);
});

test("env and preopens may be any objects with properties of their own, as Node takes them", () => {
  class Settings {
    #secret = 1;
    A = "1";
    b: unknown = undefined;
    get secret(): number {
      return this.#secret;
    }
  }
  assert.deepEqual(validateEnv(new Settings()), ["A=1"]);
  assert.deepEqual(validateEnv(Object.create(null, { A: { value: 2, enumerable: true } })), [
    "A=2",
  ]);
  assert.deepEqual(validateEnv({}), []);
  assert.deepEqual(validateEnv(Object.create({ inherited: "1" })), []);
  assert.deepEqual(validateEnv({ then: "1", length: "2" }), ["then=1", "length=2"]);
  assert.deepEqual(validatePreopens(new (class {})()), []);
  assert.deepEqual(validatePreopens({ "/": "folder" }), [["/", "folder"]]);
  const strict = new Proxy({ A: "1" }, {
    get(target, name) {
      if (name in target) return target[name as "A"];
      throw new ReferenceError(`no variable ${String(name)}`);
    },
    has: () => true,
  });
  assert.deepEqual(validateEnv(strict), ["A=1"]);
});

test("env may be the process's own, and proxies of it", () => {
  const expected = Object.keys(process.env).map((name) => `${name}=${process.env[name]}`);
  assert.ok(expected.length > 0);
  for (const env of [process.env, new Proxy(process.env, {}), { ...process.env }]) {
    // Deno's come in another order each time
    assert.deepEqual(validateEnv(env).sort(), expected.sort());
  }
});

test("archives are made of directories, and directories of archives", async () => {
  for (const value of [undefined, "a", new Map(), [], fromTar(await toTar(memory()))]) {
    await assert.rejects(toTar(value as Anything), {
      code: "ERR_INVALID_ARG_TYPE",
      message: /"files"/,
    });
  }
  for (const value of [undefined, "a", new ArrayBuffer(512), new Uint16Array(512), {}]) {
    await assert.rejects(fromTar(value as Anything), {
      code: "ERR_INVALID_ARG_TYPE",
      message: /"archive"/,
    });
  }
});

test("a browser's directory with something odd in it is refused, and its path is named", async () => {
  const folder = (name: string, entries: unknown[]): object => ({
    kind: "directory",
    name,
    async *values() {
      yield* entries;
    },
  });
  for (const value of [...Object.values(collections).map((make) => make()), null, 5]) {
    await assert.rejects(opfs(value as Anything), { code: "ERR_INVALID_ARG_TYPE" });
  }
  const inner = folder("a", [folder("b", [{ kind: "socket", name: "c" }])]);
  await assert.rejects(opfs(folder("", [inner]) as Anything), {
    code: "ERR_INVALID_ARG_TYPE",
    message: /handle\["a\/b\/c"\]/,
  });
});

/** A directory with one file of a megabyte that has many names. */
function linked(names: number): MemoryDirectory {
  const files = memory({ f0: new Uint8Array(1 << 20).fill(7), d: {} });
  for (let i = 1; i < names; i++) files.linkTo("f0", `d/f${i}`);
  return files;
}

test("a file with many names is one array in what comes out", async () => {
  const files = linked(3000); // copied, they were 3 GB
  const object = files.toObject() as { f0: Uint8Array; d: Record<string, Uint8Array> };
  assert.equal(object.f0.length, 1 << 20);
  assert.equal(Object.keys(object.d).length, 2999);
  for (const content of Object.values(object.d)) assert.equal(content, object.f0);
  const contents = [...files.entries()].filter(({ kind }) => kind === "file");
  assert.equal(new Set(contents.map(({ content }) => content)).size, 1);
  assert.ok((await toTar(files)).length < 8 << 20);
  // it is a copy for all that
  object.f0[0] = 1;
  assert.equal(files.bytes("f0")[0], 7);
  assert.notEqual(files.toObject().f0, object.f0);
});

test("such an object is read back without as many copies, and its files are files of their own", () => {
  const before = memoryUsed();
  const files = memory(linked(3000).toObject());
  assert.ok(memoryUsed() - before < 300 << 20, `${memoryUsed() - before} bytes`);
  files.write("d/f1", "other");
  const file = files.open("d/f2", Open.WRITE, 0) as File;
  file.write(bytes("changed"), 0, 7, 0);
  file.close();
  assert.equal(files.text("d/f1"), "other");
  assert.equal(files.text("d/f2").slice(0, 9), "changed\x07\x07");
  for (const path of ["f0", "d/f3", "d/f2999"]) assert.equal(files.bytes(path)[0], 7);
});

test("a tree with the same array twice has two files", () => {
  const content = bytes("same");
  const files = memory({ a: content, b: content, c: new MemoryFile(content, { mode: 0o600 }) });
  files.open("b", Open.WRITE | Open.TRUNC, 0);
  content[0] = 0;
  assert.deepEqual(["a", "b", "c"].map((path) => files.text(path)), ["same", "", "same"]);
  assert.deepEqual([...files.entries()].map(({ mode }) => mode), [0o644, 0o644, 0o600]);
});

function memoryUsed(): number {
  const { rss } = process.memoryUsage();
  return rss;
}

/** As a guest makes it that has no limit: a file of holes among others. */
function sparse(size: number): MemoryDirectory {
  const files = memory({ "a.txt": "a", d: {}, "z.txt": "z" });
  const file = files.open("d/holes", Open.WRITE | Open.CREAT, 0) as File;
  assert.equal(file.setSize(size), 0);
  assert.equal(file.write(bytes("end"), 0, 3, size - 3), 3);
  file.close();
  return files;
}

test(
  "a file of terabytes is told from the others, which are read",
  { timeout: 60_000 },
  async () => {
    for (const files of [sparse(2 ** 46), overlay(sparse(2 ** 46))]) {
      const expected = { code: "EFBIG", message: /"d\/holes".*70368744177664 bytes/ };
      assert.throws(() => files.bytes("d/holes"), expected);
      assert.throws(() => files.text("d/holes"), expected);
      assert.throws(() => files.toObject(), expected);
      await assert.rejects(toTar(files), expected);
      const read: string[] = [];
      for (const entry of files.entries()) {
        if (entry.size > 1e9) assert.throws(() => entry.content, expected);
        else read.push(`${entry.path} ${new TextDecoder().decode(entry.content)} ${entry.size}`);
      }
      assert.deepEqual(read.sort(), ["a.txt a 1", "d  0", "z.txt z 1"]);
      // a snapshot shares what there is
      const snapshot = files.snapshot();
      files.remove("d/holes");
      files.restore(snapshot);
      assert.equal([...files.entries()].find(({ path }) => path === "d/holes")!.size, 2 ** 46);
      assert.equal(files.text("z.txt"), "z");
    }
  },
);

test("holes are read without being filled", () => {
  const files = sparse(2 ** 30);
  const before = memoryUsed();
  const content = files.bytes("d/holes");
  assert.equal(content.length, 2 ** 30);
  assert.equal(new TextDecoder().decode(content.subarray(-4)), "\0end");
  assert.ok(memoryUsed() - before < 300 << 20, `${memoryUsed() - before} bytes`);
});

test("an entry's content is read when it is first asked for, and stays", () => {
  const files = memory({ a: "1" });
  const [entry] = files.entries();
  const { content } = entry!;
  files.write("a", "2");
  assert.equal(entry!.content, content);
  assert.deepEqual(content, bytes("1"));
  assert.deepEqual(Object.keys(entry!).includes("content"), true);
});

test("names that are no text are not packed", async () => {
  const files = memory({ "a\udcff": "1" });
  await assert.rejects(toTar(files), { code: "EILSEQ", message: /not UTF-8/ });
  const link = memory({ l: new MemoryLink("\udcff") });
  await assert.rejects(toTar(link), { code: "EILSEQ", message: /"l"/ });
});

test("what a guest may call its files comes out and goes in again", async () => {
  const names = [
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "a\\b",
    "..\\..\\c",
    "C:x",
    "10",
    "-r",
  ];
  const files = memory();
  for (const name of names) files.write(name, name);
  files.write("__proto__d/__proto__", "deep");
  const { paths } = files;
  const expected = [...paths.call(files)].sort();
  for (const again of [memory(files.toObject()), await fromTar(await toTar(files))]) {
    assert.deepEqual([...again.paths()].sort(), expected);
    for (const name of names) assert.equal(again.text(name), name);
  }
  assert.equal((Object.prototype as Record<string, unknown>).deep, undefined);
});
