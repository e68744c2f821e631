/**
 * Tailwind's scanner (Rust, napi-rs): walks folders and reads files from several worker threads,
 * each with a WASI instance of its own over one shared memory. Every file of these tests holds
 * class names that no other holds, so what is found tells which files were read.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { scratch } from "../support/harness.ts";
import { load } from "../support/napi.ts";

const options = { timeout: 120_000 };

interface Source {
  base: string;
  pattern: string;
  negated: boolean;
}

interface Changed {
  file?: string;
  content?: string;
  extension: string;
}

interface Scanner {
  scan(): string[];
  scanFiles(files: Changed[]): string[];
  getCandidatesWithPositions(file: Changed): { candidate: string; position: number }[];
  readonly files: string[];
}

interface Oxide {
  Scanner: new (options: { sources?: Source[] }) => Scanner;
}

let loaded: Oxide | undefined;

function scanner(...sources: Source[]): Scanner {
  // The number of threads that read files side by side; by default it is only one.
  process.env["RAYON_NUM_THREADS"] = "3";
  loaded ??= load<Oxide>("@tailwindcss/oxide-wasm32-wasi");
  return new loaded.Scanner({ sources });
}

/** A folder with these files, each holding the class `[--file:name]`, its name made safe. */
function folderOf(names: string[]): string {
  const folder = scratch("wasi-tailwind");
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), `<p class="${mark(name)}"></p>`);
  }
  return folder;
}

function mark(name: string): string {
  return `[--file:${Buffer.from(name).toString("hex")}]`;
}

/** The names that the marks among these candidates stand for. */
function marked(candidates: string[]): string[] {
  return candidates.filter((candidate) => candidate.startsWith("[--file:"))
    .map((candidate) => Buffer.from(candidate.slice(8, -1), "hex").toString()).sort();
}

/** Asserts that exactly these files of the folder were found and read. */
function assertScanned(folder: string, sources: Source[], names: string[]): void {
  const found = scanner(...sources);
  assert.deepEqual(marked(found.scan()), [...names].sort());
  const files = found.files.map((file) => path.relative(folder, file));
  assert.deepEqual(files.sort(), [...names].sort());
}

test("tailwind finds the class names in a text, with their places", options, () => {
  const content =
    `<a class="flex p-4 hover:underline md:[&>p]:text-red-500/50">größe w-[calc(1px+2%)]</a>`;
  const classes = [
    "flex",
    "p-4",
    "hover:underline",
    "md:[&>p]:text-red-500/50",
    "w-[calc(1px+2%)]",
  ];
  const found = scanner().getCandidatesWithPositions({ content, extension: "html" });
  for (const { candidate, position } of found) {
    assert.equal(content.slice(position, position + candidate.length), candidate);
  }
  const names = found.map(({ candidate }) => candidate);
  assert.deepEqual(names.filter((name) => classes.includes(name)), classes);
  const scanned = scanner().scanFiles([{ content, extension: "html" }]);
  assert.deepEqual(scanned.sort(), [...new Set(names)].sort());
});

test("tailwind walks a folder and reads every file in it", options, () => {
  const names = ["a.html", "b/c.tsx", "b/d/e.vue", "ünï/日本/語 🦀.html", "b/no extension"];
  const folder = folderOf(names);
  fs.mkdirSync(path.join(folder, "empty"));
  assertScanned(folder, [{ base: folder, pattern: "**/*", negated: false }], names);
});

test("tailwind reads 500 files from its threads and mixes none up", options, () => {
  const names = Array.from({ length: 500 }, (_, i) => `${i % 7}/${i % 3}/${i}.html`);
  const folder = folderOf(names);
  assertScanned(folder, [{ base: folder, pattern: "**/*", negated: false }], names);
});

test("tailwind keeps to the patterns it is given", options, () => {
  const folder = folderOf(["a.html", "a.js", "sub/b.html", "sub/b.js", "sub/deep/c.html"]);
  const source = (pattern: string, negated = false) => ({ base: folder, pattern, negated });
  assertScanned(folder, [source("**/*.html")], ["a.html", "sub/b.html", "sub/deep/c.html"]);
  assertScanned(folder, [source("a.js")], ["a.js"]);
  assertScanned(folder, [source("sub/**/*.js")], ["sub/b.js"]);
  assertScanned(folder, [source("**/*"), source("sub/deep/**/*", true)], [
    "a.html",
    "a.js",
    "sub/b.html",
    "sub/b.js",
  ]);
});

test("tailwind takes several folders as its sources", options, () => {
  const [one, two] = [folderOf(["one.html"]), folderOf(["two.html"])];
  const sources = [one, two].map((base) => ({ base, pattern: "**/*", negated: false }));
  const found = scanner(...sources);
  assert.deepEqual(marked(found.scan()), ["one.html", "two.html"]);
  const files = [path.join(one, "one.html"), path.join(two, "two.html")];
  assert.deepEqual([...found.files].sort(), files.sort());
});

test("tailwind leaves out what .gitignore names and what is not text", options, () => {
  const names = ["a.html", "kept/b.html"];
  const folder = folderOf([
    ...names,
    "ignored/c.html",
    "d.tmp",
    "kept/e.png",
    "node_modules/f.html",
  ]);
  fs.writeFileSync(path.join(folder, ".gitignore"), "ignored/\n*.tmp\n");
  fs.mkdirSync(path.join(folder, ".git"));
  assertScanned(folder, [{ base: folder, pattern: "**/*", negated: false }], names);
});

test("tailwind reads only the changed files again", options, () => {
  const folder = folderOf(["a.html", "sub/ä.html", "b.js"]);
  const found = scanner({ base: folder, pattern: "**/*", negated: false });
  assert.equal(marked(found.scan()).length, 3);
  const changed = ["sub/ä.html", "b.js"].map((name) => {
    const file = path.join(folder, name);
    fs.appendFileSync(file, `\n<p class="${mark(`changed ${name}`)}"></p>`);
    return { file, extension: path.extname(name).slice(1) };
  });
  fs.appendFileSync(path.join(folder, "a.html"), mark("not to be read"));
  assert.deepEqual(marked(found.scanFiles(changed)), ["changed b.js", "changed sub/ä.html"]);
});

test("tailwind reads a megabyte of class names in one file", options, () => {
  const folder = scratch("wasi-tailwind");
  const classes = Array.from({ length: 60_000 }, (_, i) => `mt-[${i}.${i % 10}px]`);
  const text = classes.join(" ");
  assert.ok(text.length > 800_000);
  fs.writeFileSync(path.join(folder, "large.html"), text);
  const found = scanner({ base: folder, pattern: "**/*", negated: false }).scan();
  assert.deepEqual(found.filter((name) => name.startsWith("mt-[")).sort(), classes.sort());
});
