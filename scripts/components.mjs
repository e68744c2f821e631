/**
 * Makes the components of the tests with jco.
 *
 *   node scripts/components.mjs            builds those of tests/components, each .wasm beside its source
 *   node scripts/components.mjs --check    fails, naming them, where the bytes differ from the committed
 *                                          ones, which were made with the same version
 *   node scripts/components.mjs KIND IN OUT [NAME]
 *
 * The last is for tests, which run on all runtimes, while jco runs on Node. KIND is `new` (a module of
 * preview1, adapted), `parse` (text), `transpile` (a folder of JavaScript; NAME is `sync` or `jspi`)
 * or `script` (NAME.js and NAME.wit of the folder IN).
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { root } from "./runtimes.mjs";

const require = createRequire(import.meta.url);
const folder = path.join(root, "tests", "components");
const api = require.resolve("@bytecodealliance/jco");
const lib = path.resolve(path.dirname(api), "..", "lib");
const wits = path.join(lib, "wit", "builtin", "0.2.12");
const adapter = path.join(lib, "wasi_snapshot_preview1.command.wasm");
const { componentEmbed, componentNew, parse } = await import("@bytecodealliance/jco");

const adapted = (module) =>
  componentNew(module, [["wasi_snapshot_preview1", fs.readFileSync(adapter)]]);

/** jco's own command. */
function jco(args, options = {}) {
  const command = path.join(path.dirname(api), "jco.js");
  execFileSync(process.execPath, [command, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    ...options,
  });
}

/** What jco writes around a component; with JSPI these functions may wait. */
function transpiled(component, out, kind) {
  const waiting = ["--async-mode=jspi", "--async-wasi-imports", "--async-exports"];
  jco([
    "transpile",
    component,
    `--out-dir=${out}`,
    "--name=guest",
    "--no-typescript",
    `--instantiation=${kind === "jspi" ? "async" : "sync"}`,
    ...(kind === "jspi" ? [...waiting, "sleep", "read", "print"] : []),
  ]);
  fs.renameSync(path.join(out, "guest.js"), path.join(out, "guest.mjs"));
}

/** A component written in JavaScript. jco sees only what is below the folder that it works in. */
function scripted(from, out, name) {
  const draft = fs.mkdtempSync(path.join(os.tmpdir(), "component-"));
  try {
    fs.cpSync(wits, path.join(draft, "wit", "deps"), { recursive: true });
    fs.copyFileSync(path.join(from, `${name}.wit`), path.join(draft, "wit", `${name}.wit`));
    fs.copyFileSync(path.join(from, `${name}.js`), path.join(draft, "source.js"));
    jco([
      "componentize",
      "source.js",
      "--wit=wit",
      `--world-name=${name}`,
      "--backend=qjs",
      "--backend-qjs-disable-async",
      "--out=made.wasm",
    ], { cwd: draft });
    fs.copyFileSync(path.join(draft, "made.wasm"), out);
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** A component of a module and a world. */
async function embedded(module, world, name) {
  return await componentEmbed({ binary: module, witSource: world, worldName: name });
}

/** All packages of WASI 0.2 in one text after a world, which is its own package. */
function withPackages(world) {
  const packages = fs.readdirSync(wits).map((name) => {
    const text = fs.readFileSync(path.join(wits, name, "package.wit"), "utf8");
    // `package x;` at the beginning as `package x { … }`
    return text.replace(/^\s*package ([^;]+);/m, "package $1 {") + "\n}\n";
  });
  return `${world}\n${packages.join("\n")}`;
}

/** A guest in C, compiled by zig. */
function compiled(name) {
  const draft = fs.mkdtempSync(path.join(os.tmpdir(), "component-"));
  try {
    const out = path.join(draft, "out.wasm");
    const cc = "cc -target wasm32-wasi -std=gnu17 -Os -s -fno-ident".split(" ");
    const zig = path.join(root, "node_modules", ".bin", "zig");
    const caches = path.join(root, "node_modules", ".cache", "zig");
    execFileSync(zig, [...cc, `${name}.c`, "-o", out], {
      cwd: folder,
      env: { ...process.env, ZIG_LOCAL_CACHE_DIR: caches, ZIG_GLOBAL_CACHE_DIR: caches },
      stdio: ["ignore", "ignore", "inherit"],
    });
    return fs.readFileSync(out);
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** The components of tests/components: their files, and what makes their bytes. */
function components() {
  const text = (file) => fs.readFileSync(path.join(folder, file), "utf8");
  const made = new Map();
  for (const name of ["javascript", "shop", "transpiled"]) {
    made.set(`${name}.wasm`, () => parse(text(`${name}.wat`)));
  }
  for (const name of ["http", "sockets"]) {
    made.set(`${name}.wasm`, async () => {
      const world = withPackages(text(`${name}.wit`));
      return await adapted(await embedded(compiled(name), world, "guest"));
    });
  }
  for (const name of ["command", "values"]) {
    made.set(`wat/${name}.wasm`, async () => {
      const module = await parse(text(`wat/${name}.wat`));
      return await componentNew(await embedded(module, text(`wat/${name}.wit`), name), []);
    });
  }
  return made;
}

const [kind, from, out, name] = process.argv.slice(2);
switch (kind) {
  case undefined:
  case "--check": {
    const differing = [];
    for (const [file, make] of components()) {
      const bytes = await make();
      const target = path.join(folder, file);
      if (kind === undefined) fs.writeFileSync(target, bytes);
      else if (!fs.readFileSync(target).equals(bytes)) differing.push(file);
    }
    if (differing.length > 0) {
      console.error(`✖ not what their sources make: ${differing.join(", ")}`);
      process.exitCode = 1;
    }
    break;
  }
  case "new":
    fs.writeFileSync(out, await adapted(fs.readFileSync(from)));
    break;
  case "parse":
    fs.writeFileSync(out, await parse(fs.readFileSync(from, "utf8")));
    break;
  case "transpile":
    transpiled(from, out, name);
    break;
  case "script":
    scripted(from, out, name);
    break;
  default:
    console.error(`${kind} is not new, parse, transpile or script`);
    process.exitCode = 2;
}
