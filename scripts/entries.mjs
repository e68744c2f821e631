/**
 * The npm package: its entry points, and the package.json made of them. scripts/build_npm.ts (with
 * dnt, on Deno) and scripts/build_package.mjs (with TypeScript, on Node) both build it from this.
 *
 * Both put modules of ECMAScript and their types into esm/, those of CommonJS into script/, each
 * with a package.json that says which they are; below, the folders are those of the sources.
 */
import fs from "node:fs";
import path from "node:path";
import { repository } from "./project.mjs";

/**
 * Each entry point: its source, or the source for each condition, in the order in which they are
 * tried. jsr.json exports the same ones, without conditions.
 *
 * @type {Record<string, string | Record<string, string>>}
 */
export const entryPoints = {
  ".": {
    // first: no runtime sets it, only bundlers for browsers do
    browser: "./adapters/browser/mod.ts",
    deno: "./mod.ts",
    bun: "./mod.ts",
    node: "./mod.ts",
    default: "./mod.ts", // finds out which runtime this is
  },
  "./node": "./adapters/node/mod.ts",
  "./bun": "./adapters/bun/mod.ts",
  "./deno": "./adapters/deno/mod.ts",
  "./browser": "./adapters/browser/mod.ts",
  "./memory": "./core/directories/memory/mod.ts",
  "./host": "./adapters/host_directory.ts",
  "./overlay": "./adapters/overlay.ts",
  "./tar": "./tar.ts",
  "./preview2": { browser: "./adapters/browser/preview2.ts", default: "./preview2.ts" },
  "./register": "./adapters/register.ts",
  "./cli": "./cli.ts",
};

/** What workers import by its place (adapters/workers.ts): a file of its own, that nobody else imports. */
export const workerModule = "./adapters/guest_worker.ts";

/** Those that do something when they are imported. */
export const sideEffects = ["./register", "./cli"];

/** What a value is for under each condition, from its source or sources. */
function conditionsOf(sources) {
  return typeof sources === "string" ? { default: sources } : sources;
}

/** The source of an entry point for those who know no conditions. */
export function sourceOf(name) {
  return conditionsOf(entryPoints[name]).default;
}

/**
 * The entry points whose sources are there; what is not is printed.
 *
 * @param {(source: string) => boolean} exists
 * @returns {typeof entryPoints}
 */
export function presentEntries(exists) {
  const present = {};
  for (const [name, sources] of Object.entries(entryPoints)) {
    const conditions = Object.entries(conditionsOf(sources)).filter(([condition, source]) => {
      if (exists(source)) return true;
      const when = condition === "default" ? "" : `, condition "${condition}"`;
      console.log(`left out: the entry "${name}"${when}: there is no ${source}`);
      return false;
    });
    if (conditions.length > 0) present[name] = Object.fromEntries(conditions);
  }
  return present;
}

/** All sources of entry points, each once. */
export function sourcesOf(entries) {
  return [...new Set(Object.values(entries).flatMap((conditions) => Object.values(conditions)))];
}

function built(folder, source, extension) {
  return `./${path.posix.join(folder, source.replace(/\.ts$/, extension))}`;
}

/** A source's module and its types, for import and for require. */
function forms(source) {
  const form = (folder) => ({
    types: built(folder, source, ".d.ts"),
    default: built(folder, source, ".js"),
  });
  return { import: form("esm"), require: form("script") };
}

/** The modules of a folder that do something when they are imported. */
function actingIn(entries, folder) {
  return sideEffects.filter((name) => name in entries)
    .map((name) => built(folder, sourceOf(name), ".js"));
}

/**
 * The package.json of esm/ or script/. Bundlers look for side effects in the nearest one.
 *
 * @param {ReturnType<typeof presentEntries>} entries
 * @param {"module" | "commonjs"} type
 */
export function marker(entries, type) {
  return { type, sideEffects: actingIn(entries, ".") };
}

/**
 * The package.json.
 *
 * @param {ReturnType<typeof presentEntries>} entries
 * @param {{ name: string, version: string, license: string }} jsr jsr.json
 * @param {{ dependencies: object, devDependencies: object, engines: object }} development the repository's package.json
 */
export function manifest(entries, jsr, development) {
  const exports = {};
  for (const [name, conditions] of Object.entries(entries)) {
    const { default: fallback, ...others } = conditions;
    exports[name] = {
      ...Object.fromEntries(
        Object.entries(others).map(([condition, source]) => [condition, forms(source)]),
      ),
      ...(Object.keys(others).length === 0 ? forms(fallback) : { default: forms(fallback) }),
    };
  }
  const main = entries["."].default;
  return {
    name: jsr.name,
    version: jsr.version,
    description: "WASI for Deno, Bun and Node: the class of node:wasi, complete, and a sandbox",
    keywords: ["wasi", "webassembly", "wasm", "sandbox", "deno", "bun", "node"],
    homepage: `${repository}#readme`,
    bugs: { url: `${repository}/issues` },
    repository: { type: "git", url: `git+${repository}.git` },
    license: jsr.license,
    type: "module",
    engines: development.engines,
    bin: Object.fromEntries(LAUNCHERS.map((name) => [name, `./${launcherOf(name)}`])),
    main: built("script", main, ".js"),
    module: built("esm", main, ".js"),
    types: built("script", main, ".d.ts"),
    exports: { ...exports, "./package.json": "./package.json" },
    sideEffects: [...actingIn(entries, "esm"), ...actingIn(entries, "script")],
    files: ["bin", "esm", "script", "docs", "examples", "*.md"],
    dependencies: development.dependencies,
    // for the command; package managers that link strictly let it find what is named here only
    peerDependencies: { wabt: development.devDependencies.wabt },
    peerDependenciesMeta: { wabt: { optional: true } },
  };
}

/**
 * What is written into a file of types: it may be compiled with the library of an older ECMAScript,
 * which does not know `Symbol.dispose`.
 */
export function finishedTypes(text) {
  return /\bSymbol\.dispose\b/.test(text)
    ? `/// <reference lib="esnext.disposable" />\n${text}`
    : text;
}

/** What starts the command: `wasi` by sh, `wasi-node` without, for Windows. */
const LAUNCHERS = ["wasi", "wasi-node"];

const launcherOf = (name) => `bin/${name}.js`;

/** Files of the repository that the package has, too: what the README and the guides link to. */
const COPIED = [
  "LICENSE",
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "RATIONALE.md",
  "SECURITY.md",
  "docs",
  "examples/node",
];

/** Copies them from the repository's folder into the package's, and the command's launchers. */
export function copyFiles(root, out) {
  fs.mkdirSync(path.join(out, "bin"), { recursive: true });
  for (const name of LAUNCHERS) {
    fs.copyFileSync(path.join(root, "scripts/package", name), path.join(out, launcherOf(name)));
    fs.chmodSync(path.join(out, launcherOf(name)), 0o755);
  }
  for (const name of COPIED) {
    fs.cpSync(path.join(root, name), path.join(out, name), {
      recursive: true,
      filter: (file) => !file.endsWith(".json"),
    });
  }
}
