/** Dependencies point one way: mod.ts and adapters to core, core to nothing that runs it. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root } from "../support/harness.ts";

function sources(folder: string): string[] {
  return fs.readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.posix.join(folder, name));
}

function imports(file: string): string[] {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)"|import\("([^"]+)"\)/gms)]
    .map((found) => found[1] ?? found[2]!);
}

function targetOf(file: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(file), specifier);
}

test("core imports core alone, and names no runtime", () => {
  const files = sources("core");
  assert.ok(files.length > 15);
  for (const file of files) {
    for (const specifier of imports(file)) {
      assert.match(targetOf(file, specifier), /^core\//, `${file} imports ${specifier}`);
    }
    const code = fs.readFileSync(path.join(root, file), "utf8")
      .replace(/\/\*.*?\*\//gs, "").replace(/\/\/.*$/gm, "");
    assert.doesNotMatch(code, /\b(?:Deno|Bun|process|Buffer|require)\b\s*[.(]/, file);
  }
});

test("adapters import core and adapters; node: modules only as types", () => {
  for (const file of sources("adapters")) {
    for (const specifier of imports(file)) {
      if (specifier.startsWith("node:")) continue;
      assert.match(
        targetOf(file, specifier),
        /^(?:core|adapters)\//,
        `${file} imports ${specifier}`,
      );
    }
    const code = fs.readFileSync(path.join(root, file), "utf8");
    for (const found of code.matchAll(/^import (?!type)[^;]*?from "(node:[^"]+)"/gms)) {
      assert.fail(`${file} loads ${found[1]} when it is imported`);
    }
  }
});

test("system calls of different prefixes do not import each other", () => {
  const prefixes = ["args_environ", "clock", "fd", "path", "poll", "proc", "sock"];
  const files = prefixes.map((prefix) => `core/preview1/${prefix}.ts`);
  for (const file of files) {
    for (const specifier of imports(file)) {
      assert.ok(!files.includes(targetOf(file, specifier)), `${file}: ${specifier}`);
    }
  }
});

test("abi.ts imports nothing", () => {
  assert.deepEqual(imports("core/preview1/abi.ts"), []);
});
