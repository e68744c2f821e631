/**
 * oxc-parser (Rust, napi-rs): parses JavaScript and TypeScript on the main thread and on worker
 * threads, each with a WASI instance of its own over one shared memory. What it says about a
 * source is checked against the text itself.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root } from "../support/harness.ts";
import { load } from "../support/napi.ts";

const options = { timeout: 120_000 };

interface Span {
  start: number;
  end: number;
}

interface Node extends Span {
  type: string;
  [key: string]: unknown;
}

interface ParseResult {
  /** The tree as JSON, under "node". */
  program: string;
  module: {
    hasModuleSyntax: boolean;
    staticImports: (Span & { moduleRequest: Span & { value: string } })[];
    staticExports: (Span & { entries: { exportName: { name: string | null } }[] })[];
    dynamicImports: { moduleRequest: Span }[];
    importMetas: Span[];
  };
  comments: (Span & { type: string; value: string })[];
  errors: { severity: string; message: string; labels: Span[] }[];
}

interface Oxc {
  parseSync(name: string, text: string, options?: object): ParseResult;
  parse(name: string, text: string, options?: object): Promise<ParseResult>;
}

let loaded: Oxc | undefined;

function oxc(): Oxc {
  return loaded ??= load<Oxc>("@oxc-parser/binding-wasm32-wasi");
}

/** Everything a result holds, its getters called. */
function contents({ program, module, comments, errors }: ParseResult): object {
  return { program, module, comments, errors };
}

/** All nodes of a tree. */
function nodes(value: unknown): Node[] {
  if (typeof value !== "object" || value === null) return [];
  const below = Object.values(value).flatMap(nodes);
  return "type" in value && "start" in value ? [value as Node, ...below] : below;
}

function tree({ program }: ParseResult): Node[] {
  return nodes(JSON.parse(program).node);
}

function named(all: Node[], type: string): Node[] {
  return all.filter((node) => node.type === type);
}

const source = `// ünï: 🦀 counts as two
import fs, { type Stats } from "node:fs";
import * as größe from './größe.js'
/* second
   comment */
export const answer: number = 6 * 7;
export default class Box<T> { #value = "日本"; get(): T { return this.#value as T } }
export * from "elsewhere";
const late = () => import("./läte.js");
if (import.meta.url === größe.x?.y) await late();
`;

test("oxc-parser places every name and literal of a TypeScript source", options, () => {
  const result = oxc().parseSync("source.ts", source);
  assert.deepEqual(result.errors, []);
  const all = tree(result);
  const text = ({ start, end }: Span): string => source.slice(start, end);
  // The annotation of a variable is part of its name's node.
  const names = named(all, "Identifier");
  for (const node of names) assert.equal(text(node).split(":")[0], node["name"]);
  const words = names.map((node) => node["name"]);
  for (const name of ["fs", "größe", "answer", "Box", "T", "late"]) assert.ok(words.includes(name));
  const literals = named(all, "Literal").map((node) => [text(node), node["value"]]);
  assert.deepEqual(literals, [
    [`"node:fs"`, "node:fs"],
    [`'./größe.js'`, "./größe.js"],
    ["6", 6],
    ["7", 7],
    [`"日本"`, "日本"],
    [`"elsewhere"`, "elsewhere"],
    [`"./läte.js"`, "./läte.js"],
  ]);
});

test("oxc-parser lists imports, exports and comments by their places", options, () => {
  const { module, comments } = oxc().parseSync("source.ts", source);
  const text = ({ start, end }: Span): string => source.slice(start, end);
  assert.equal(module.hasModuleSyntax, true);
  assert.deepEqual(module.staticImports.map((item) => [text(item), item.moduleRequest.value]), [
    [`import fs, { type Stats } from "node:fs";`, "node:fs"],
    [`import * as größe from './größe.js'`, "./größe.js"],
  ]);
  const exported = module.staticExports.map(({ entries }) => entries[0]?.exportName.name);
  assert.deepEqual(exported, ["answer", null, null]);
  const dynamic = module.dynamicImports.map(({ moduleRequest }) => text(moduleRequest));
  assert.deepEqual(dynamic, [`"./läte.js"`]);
  assert.deepEqual(module.importMetas.map(text), ["import.meta"]);
  assert.deepEqual(comments.map((comment) => [comment.type, comment.value, text(comment)]), [
    ["Line", " ünï: 🦀 counts as two", "// ünï: 🦀 counts as two"],
    ["Block", " second\n   comment ", "/* second\n   comment */"],
  ]);
});

test("oxc-parser says the same on a worker thread as on the main one", options, async () => {
  for (const text of [source, "let broken = ;", ""]) {
    const result = await oxc().parse("source.ts", text);
    assert.deepEqual(contents(result), contents(oxc().parseSync("source.ts", text)));
  }
});

test("oxc-parser parses many sources side by side without mixing them up", options, async () => {
  const results = await Promise.all(
    Array.from(
      { length: 60 },
      (_, i) => oxc().parse(`${i}.js`, `export const n${i} = [${Array(i).fill(i).join(", ")}];`),
    ),
  );
  for (const [i, result] of results.entries()) {
    const all = tree(result);
    assert.deepEqual(named(all, "Identifier").map((node) => node["name"]), [`n${i}`]);
    assert.deepEqual(named(all, "Literal").map((node) => node["value"]), Array(i).fill(i));
  }
});

test("oxc-parser reports where a source is wrong", options, async () => {
  const text = `const fine = "ü🦀";\nconst broken = ;\n`;
  for (const { errors } of [oxc().parseSync("a.js", text), await oxc().parse("a.js", text)]) {
    assert.equal(errors.length, 1);
    assert.equal(errors[0]!.severity, "Error");
    assert.deepEqual(errors[0]!.labels.map(({ start }) => start), [text.lastIndexOf(";")]);
  }
  const twice = "let same; let same;";
  const { errors } = oxc().parseSync("a.js", twice, { showSemanticErrors: true });
  const places = errors.flatMap(({ labels }) => labels.map(({ start, end }) => [start, end]));
  assert.deepEqual(places.sort(), [[4, 8], [14, 18]].sort());
});

test("oxc-parser takes the language from the file's name or the options", options, () => {
  const count = (name: string, text: string, more?: object) =>
    oxc().parseSync(name, text, more).errors.length;
  assert.equal(count("a.ts", "let x: number;"), 0);
  assert.equal(count("a.js", "let x: number;"), 1);
  assert.equal(count("a.js", "let x: number;", { lang: "ts" }), 0);
  assert.equal(count("a.tsx", "let x = <b>{1}</b>;"), 0);
  assert.equal(count("a.js", "export let x;", { sourceType: "module" }), 0);
  assert.equal(count("a.js", "export let x;", { sourceType: "script" }), 1);
});

test("oxc-parser parses the files of this folder and of a large package", options, async () => {
  const here = path.join(root, "tests/programs");
  const files = fs.readdirSync(here).filter((name) => name.endsWith(".ts"))
    .map((name) => path.join(here, name));
  files.push(path.join(root, "node_modules/tslib/tslib.es6.mjs"));
  files.push(path.join(root, "node_modules/rolldown/dist/index.mjs"));
  files.push(path.join(root, "node_modules/wabt/index.js"));
  assert.ok(files.length > 6);
  await Promise.all(files.map(async (file) => {
    const text = fs.readFileSync(file, "utf8");
    const result = await oxc().parse(file, text);
    assert.deepEqual(result.errors, [], file);
    const all = tree(result);
    assert.deepEqual(named(all, "Program").map(({ end }) => end), [text.length], file);
    for (const node of named(all, "Identifier")) {
      const name = node["name"] as string;
      assert.equal(text.slice(node.start, node.start + name.length), name, file);
    }
    const functions = named(all, "FunctionDeclaration").length;
    assert.ok(functions >= (text.match(/^(async )?function \w/gm) ?? []).length, file);
  }));
});
