/** Dependencies point one way: mod.ts and adapters to core, core to nothing that runs it. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root, runRuntime, runtime } from "../support/harness.ts";

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

/** The rooms of core/, from the floor up: each may use those before it. The files in core/ itself are first. */
const ROOMS = [
  "",
  "directories",
  "module",
  "system",
  "preview1",
  "unstable",
  "component",
  "preview2",
  "guest",
  "run",
];

/** The room of a file of core/. */
function roomOf(file: string): string {
  const [, room, more] = file.split("/");
  return more === undefined ? "" : room!;
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

test("the rooms of core build on each other one way", () => {
  for (const file of sources("core")) {
    const room = ROOMS.indexOf(roomOf(file));
    assert.ok(room >= 0, `${file} is in a room that is not known`);
    // what is for everybody is handed on from one place
    if (file === "core/mod.ts") continue;
    for (const specifier of imports(file)) {
      const target = targetOf(file, specifier);
      const other = ROOMS.indexOf(roomOf(target));
      const handsOn = file === "core/preview1/abi.ts";
      assert.ok(other <= room || handsOn, `${file} imports ${target}`);
    }
  }
});

test("no files import each other in a circle", () => {
  const files = [
    ...["core", "adapters", "cli"].flatMap(sources),
    "mod.ts",
    "tar.ts",
    "preview2.ts",
    "cli.ts",
  ];
  const done = new Set<string>();
  const visit = (file: string, way: string[]): void => {
    if (done.has(file)) return;
    assert.ok(!way.includes(file), `a circle: ${[...way, file].join(" -> ")}`);
    for (const specifier of imports(file)) {
      if (specifier.startsWith(".")) visit(targetOf(file, specifier), [...way, file]);
    }
    done.add(file);
  };
  for (const file of files) visit(file, []);
  assert.ok(done.size >= files.length);
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

test("docs/layout.md shows what the files import", () => {
  const script = path.join(root, "scripts/layout.mjs");
  const { status, stderr } = runRuntime([
    ...(runtime === "deno" ? ["run", "-A"] : []),
    script,
    "--check",
  ], root);
  assert.equal(status, 0, stderr);
});
