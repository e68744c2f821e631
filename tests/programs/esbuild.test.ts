/**
 * esbuild (Go) bundling real folders. The bundles are run here: what they compute says whether
 * every file was read and written rightly.
 */
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { compile, type Outcome, root, run, type RunOptions, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };

/**
 * Runs esbuild with the folder as /, for it looks for package.json all the way up; fails the test
 * unless it ends with `code`.
 */
function esbuild(folder: string, args: string[], more: RunOptions = {}, code = 0): Outcome {
  const outcome = run(compile("node_modules/@esbuild/wasi-preview1/esbuild.wasm"), {
    ...more,
    args: ["esbuild", ...args],
    preopens: { "/": folder },
  });
  assert.equal(outcome.code, code, outcome.err);
  return outcome;
}

/** A fresh folder holding these files. */
function project(files: Record<string, string | Uint8Array>): string {
  const folder = scratch("wasi-esbuild");
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

/** Runs a bundle and returns what it exports. */
async function load(...file: string[]): Promise<Record<string, unknown>> {
  return await import(pathToFileURL(path.join(...file)).href);
}

/** What a module that was printed rather than written exports. */
function loadText(text: string): Promise<Record<string, unknown>> {
  return load(project({ "printed.mjs": text }), "printed.mjs");
}

/** A shop in TypeScript, JSX and JSON with a linked package and a non-ASCII name. */
function shop(): string {
  const folder = project({
    "src/main.ts": `
      import { total, Currency } from "./größe/合計";
      import goods from "./goods.json";
      import { shout } from "shout";
      import { label } from "./label.jsx";
      export const result: string = shout(label(total(goods), Currency.Euro));
    `,
    "src/größe/合計.ts": `
      export enum Currency { Euro = "€", Yen = "¥" }
      export const total = (goods: { price: number }[]): number =>
        goods.reduce((sum, { price }) => sum + price, 0);
    `,
    "src/goods.json": JSON.stringify([{ price: 12 }, { price: 30 }]),
    "src/label.jsx": `
      const h = (tag, props, ...children) => [tag, ...children].join(" ");
      export const label = (sum, sign) => /* @jsx h */ <costs>{sum}{sign}</costs>;
    `,
    "linked/shout/package.json": JSON.stringify({ name: "shout", exports: "./lib/shout.cjs" }),
    "linked/shout/lib/shout.cjs": `exports.shout = (text) => text.toUpperCase() + "!";`,
    "tsconfig.json": JSON.stringify({ compilerOptions: { jsxFactory: "h" } }),
  });
  fs.mkdirSync(path.join(folder, "node_modules"));
  fs.symlinkSync("../linked/shout", path.join(folder, "node_modules/shout"));
  return folder;
}

/** The target is the oldest language version that the bundles are run in. */
const bundle = ["--bundle", "--format=esm", "--target=es2022", "--log-level=error"];

test("esbuild bundles a project of several languages, and the bundle runs", options, async () => {
  const folder = shop();
  const { out, err } = esbuild(folder, [...bundle, "src/main.ts", "--outfile=out/größe.mjs"]);
  assert.equal(out + err, "");
  assert.equal((await load(folder, "out/größe.mjs"))["result"], "COSTS 42 €!");
  assert.deepEqual(fs.readdirSync(path.join(folder, "out")), ["größe.mjs"]);
});

test(
  "esbuild writes a smaller bundle when minifying, over the whole old one",
  options,
  async () => {
    const folder = shop();
    esbuild(folder, [...bundle, "src/main.ts", "--outfile=out.mjs"]);
    const plain = fs.statSync(path.join(folder, "out.mjs")).size;
    esbuild(folder, [...bundle, "src/main.ts", "--minify", "--outfile=out.mjs"]);
    assert.ok(fs.statSync(path.join(folder, "out.mjs")).size < plain / 2);
    assert.equal((await load(folder, "out.mjs"))["result"], "COSTS 42 €!");
  },
);

test("esbuild turns TypeScript on standard input into JavaScript", options, async () => {
  const source = `
    enum Size { Small = 1, Große }
    export const answer: number[] = [Size.Große, <any>"ünï🦀".length];
    export class Box<T> { constructor(readonly value: T) {} }
  `;
  const folder = scratch("wasi-esbuild");
  const { out } = esbuild(folder, ["--loader=ts", "--charset=utf8"], { input: source });
  const { answer, Box } = await loadText(out);
  assert.deepEqual(answer, [2, "ünï🦀".length]);
  assert.equal(new (Box as new (value: string) => { value: string })("x").value, "x");
  assert.deepEqual(fs.readdirSync(folder), []);
});

test("esbuild bundles standard input with the files that it imports", options, async () => {
  const input =
    `import { total } from "./src/größe/合計"; export const sum = total([{ price: 1.5 }]);`;
  const { out } = esbuild(shop(), [...bundle, "--loader=ts"], { input });
  assert.equal((await loadText(out))["sum"], 1.5);
});

test("esbuild passes a megabyte of standard input on to standard output", options, () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => `export let value${i} = "größe ${i}";\n`);
  const input = rows.join("");
  assert.ok(input.length > 1_000_000);
  const { out } = esbuild(scratch("wasi-esbuild"), ["--charset=utf8"], { input });
  assert.equal(out, input);
});

test("esbuild takes the folder named by PWD as the current one", options, async () => {
  const folder = shop();
  const args = [...bundle, "größe/合計.ts", "--outfile=../out.mjs"];
  esbuild(folder, args, { env: { PWD: "/src" } });
  const { total } = await load(folder, "out.mjs");
  assert.equal((total as (goods: object[]) => number)([{ price: 7 }]), 7);
  assert.match(esbuild(folder, args, {}, 1).err, /Could not resolve "größe\/合計\.ts"/);
});

test("esbuild's source map holds the sources", options, () => {
  const folder = shop();
  esbuild(folder, [...bundle, "src/main.ts", "--sourcemap", "--outfile=out/main.mjs"]);
  const text = fs.readFileSync(path.join(folder, "out/main.mjs"), "utf8");
  assert.ok(text.endsWith("//# sourceMappingURL=main.mjs.map\n"));
  const map = JSON.parse(fs.readFileSync(path.join(folder, "out/main.mjs.map"), "utf8"));
  const names: string[] = map.sources.map((url: string) => path.join("out", decodeURI(url)));
  assert.deepEqual([...names].sort(), [
    "linked/shout/lib/shout.cjs",
    "src/goods.json",
    "src/größe/合計.ts",
    "src/label.jsx",
    "src/main.ts",
  ]);
  const contents = names.map((name) => fs.readFileSync(path.join(folder, name), "utf8"));
  assert.deepEqual(map.sourcesContent, contents);
});

test("esbuild's metafile gives the sizes of what it read and wrote", options, () => {
  const folder = shop();
  esbuild(folder, [...bundle, "src/main.ts", "--metafile=meta.json", "--outfile=out.mjs"]);
  const meta = JSON.parse(fs.readFileSync(path.join(folder, "meta.json"), "utf8"));
  const files = Object.entries({ ...meta.inputs, ...meta.outputs }) as [
    string,
    { bytes: number },
  ][];
  assert.equal(files.length, 6);
  for (const [name, { bytes }] of files) {
    assert.equal(bytes, fs.statSync(path.join(folder, name)).size, name);
  }
});

test("esbuild splits what two entries share into a chunk of its own", options, async () => {
  const folder = project({
    "a.js": `import { state } from "./shared"; export const add = () => ++state.count;`,
    "b.js": `import { state } from "./shared"; export const read = () => state.count;
      export const late = async () => (await import("./late")).late;`,
    "shared.js": `export const state = { count: 0 };`,
    "late.js": `export const late = "läte";`,
    "package.json": `{ "type": "module" }`,
  });
  const args = [...bundle, "--splitting", "a.js", "b.js"];
  esbuild(folder, [...args, "--outdir=out"]);
  esbuild(folder, [...args, "--outdir=again"]);
  const names = fs.readdirSync(path.join(folder, "out")).sort();
  assert.deepEqual(names.map((name) => name.replace(/-\w{8}/, "-…")), [
    "a.js",
    "b.js",
    "chunk-….js",
    "late-….js",
  ]);
  assert.deepEqual(fs.readdirSync(path.join(folder, "again")).sort(), names);
  const [a, b] = [await load(folder, "out/a.js"), await load(folder, "out/b.js")];
  const call = (value: unknown): unknown => (value as () => unknown)();
  assert.equal(call(a["add"]), 1);
  assert.equal(call(a["add"]), 2);
  assert.equal(call(b["read"]), 2);
  assert.equal(await call(b["late"]), "läte");
});

test("esbuild copies and embeds binary files unchanged", options, async () => {
  const bytes = crypto.randomBytes(1_000_003);
  const folder = project({
    "main.js": `export { default as embedded } from "./embedded.b64";
      export { default as name } from "./cöpied.bin"; export { default as array } from "./array.raw";`,
    "embedded.b64": bytes,
    "cöpied.bin": bytes,
    "array.raw": bytes,
  });
  const loaders = ["--loader:.b64=base64", "--loader:.bin=file", "--loader:.raw=binary"];
  esbuild(folder, [...bundle, ...loaders, "main.js", "--outdir=out", "--out-extension:.js=.mjs"]);
  const { embedded, name, array } = await load(folder, "out/main.mjs");
  assert.ok(embedded === bytes.toString("base64"));
  assert.ok(bytes.equals(array as Uint8Array));
  assert.match(name as string, /^\.\/cöpied-\w{8}\.bin$/);
  assert.ok(bytes.equals(fs.readFileSync(path.join(folder, "out", name as string))));
});

test("esbuild bundles a thousand modules", options, async () => {
  const numbers = Array.from({ length: 1000 }, (_, i) => i);
  const folder = project(Object.fromEntries([
    ...numbers.map((i) => [`${i % 10}/m${i}.js`, `export const n = ${i * i};`]),
    [
      "main.js",
      [
        ...numbers.map((i) => `import { n as n${i} } from "./${i % 10}/m${i}";\n`),
        `export const sum = ${numbers.map((i) => `n${i}`).join(" + ")};`,
      ].join(""),
    ],
  ]));
  esbuild(folder, [...bundle, "main.js", "--outfile=out.mjs"]);
  const sum = numbers.reduce((total, i) => total + i * i, 0);
  assert.equal((await load(folder, "out.mjs"))["sum"], sum);
});

test("esbuild reports errors by file and line, exits with 1 and writes nothing", options, () => {
  const folder = project({
    "syntax.ts": `export const fine = 1;\nexport const broken: = 2;\n`,
    "import.ts": `import "./nowhere";\n`,
  });
  const syntax = esbuild(folder, [...bundle, "syntax.ts", "--outfile=out.js"], {}, 1);
  assert.match(syntax.err, /\[ERROR\] Unexpected "="\n\n {4}syntax\.ts:2:21:\n/);
  const missing = esbuild(folder, [...bundle, "import.ts", "--outfile=out.js"], {}, 1);
  assert.match(missing.err, /\[ERROR\] Could not resolve "\.\/nowhere"\n\n {4}import\.ts:1:7:\n/);
  assert.equal(syntax.out + missing.out, "");
  assert.deepEqual(fs.readdirSync(folder).sort(), ["import.ts", "syntax.ts"]);
});

test("esbuild's bundle of a real package exports what the package exports", options, async () => {
  const { out } = esbuild(path.join(root, "node_modules"), [...bundle, "tslib/tslib.es6.js"]);
  const bundled = await loadText(out);
  const original = await load(root, "node_modules/tslib/tslib.es6.mjs");
  assert.ok(Object.keys(original).length > 20);
  assert.deepEqual(Object.keys(bundled).sort(), Object.keys(original).sort());
  const rest = bundled["__rest"] as (from: object, names: string[]) => object;
  assert.deepEqual(rest({ a: 1, b: 2, c: 3 }, ["b"]), { a: 1, c: 3 });
});
