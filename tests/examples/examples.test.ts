/**
 * Runs the examples of the documentation (see scripts/examples.mjs), each in a folder that has what
 * they use: the programs "tool.wasm", "threads.wasm" and "reactor.wasm", the component "shop.wasm",
 * a folder "data", and packages from npm.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { root, runtime, scratch } from "../support/harness.ts";

const compiled = import.meta.url.endsWith(".js");
const here = path.join(root, compiled ? "build/tests/examples" : "tests/examples");
const generated = path.join(here, "generated");
const names = fs.readdirSync(generated).filter((name) => name.endsWith(compiled ? ".js" : ".ts"));

const options = { timeout: 120_000 };

test("there are examples", () => assert.ok(names.length >= 10));

for (const name of names) {
  const file = path.join(generated, name);
  const source = fs.readFileSync(file, "utf8");
  if (source.includes("Deno.") && runtime !== "deno") continue; // an example for Deno alone
  test(`the example ${name.replace(/\.[jt]s$/, "")} runs`, options, async () => {
    const folder = scratch("example");
    for (const guest of ["tool.wasm", "threads.wasm", "reactor.wasm"]) {
      fs.copyFileSync(path.join(root, "tests/guests", guest), path.join(folder, guest));
    }
    const component = path.join(root, "tests/components/shop.wasm");
    fs.copyFileSync(component, path.join(folder, "shop.wasm"));
    fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"), "junction");
    fs.mkdirSync(path.join(folder, "data"));
    fs.writeFileSync(path.join(folder, "data/in.txt"), "hello");
    const before = process.cwd();
    process.chdir(folder);
    try {
      await import(pathToFileURL(file).href);
    } finally {
      process.chdir(before);
    }
  });
}
