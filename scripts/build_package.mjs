/**
 * Builds the npm package into npm/ with TypeScript's own compiler: what scripts/build_npm.ts builds
 * with dnt, for development and where JSR cannot be reached. One pass makes modules of ECMAScript
 * (esm/), another those of CommonJS (script/).
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { bundleModules } from "./bundle_modules.mjs";
import {
  copyFiles,
  finishedTypes,
  manifest,
  marker,
  presentEntries,
  sourcesOf,
  workerModule,
} from "./entries.mjs";
import { machineNode, root, tsc } from "./runtimes.mjs";

const out = path.join(root, "npm");

function readJson(file) {
  return JSON.parse(fs.readFileSync(path.join(root, file), "utf8"));
}

function writeJson(file, value) {
  fs.writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** The modules that an entry point needs, itself included. */
function closure(sources) {
  const found = new Set();
  const visit = (file) => {
    if (found.has(file)) return;
    found.add(file);
    const text = fs.readFileSync(path.join(root, file), "utf8")
      .replace(/^ *(?:\*|\/\/).*$/gm, ""); // without examples
    for (const [, specifier] of text.matchAll(/(?:\bfrom |\bimport\(|^import )"(\.[^"]+)"/gm)) {
      visit(path.posix.join(path.posix.dirname(file), specifier));
    }
  };
  for (const source of sources) visit(path.posix.normalize(source));
  return found;
}

/** A source as the compiler is to see it: what it imports has the extension it will have. */
function staged(text, commonJs) {
  const renamed = text.replace(/((?:\bfrom |\bimport\(|^import )"\.[^"]+)\.ts"/gm, '$1.js"');
  if (!commonJs) return renamed;
  return renamed.replace(
    /^(?! *(?:\*|\/\/))(.*?)\bimport\.meta\.url\b/gm,
    '$1require("node:url").pathToFileURL(__filename).href',
  );
}

function compile(sources, folder, type) {
  const target = path.join(out, folder);
  const stage = path.join(out, `.${folder}`);
  for (const file of closure(sources)) {
    const to = path.join(stage, file);
    fs.mkdirSync(path.dirname(to), { recursive: true });
    const text = fs.readFileSync(path.join(root, file), "utf8");
    fs.writeFileSync(to, staged(text, type === "commonjs"));
  }
  // it decides what a file of the folder is: for the compiler here, for runtimes there
  writeJson(path.join(stage, "package.json"), { type });
  writeJson(path.join(stage, "tsconfig.json"), {
    extends: path.join(root, "tsconfig.json"),
    compilerOptions: {
      rootDir: ".",
      outDir: target,
      allowImportingTsExtensions: false,
      rewriteRelativeImportExtensions: false,
      // the first pass checks; the second would refuse what import() may well load
      noCheck: type === "commonjs",
      verbatimModuleSyntax: type === "module",
    },
    include: [],
    files: sources,
  });
  execFileSync(machineNode, [tsc, "-p", stage], { cwd: root, stdio: "inherit" });
  writeJson(path.join(target, "package.json"), marker(entries, type));
  for (const name of fs.readdirSync(target, { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const file = path.join(target, name);
    fs.writeFileSync(file, finishedTypes(fs.readFileSync(file, "utf8")));
  }
  fs.rmSync(stage, { recursive: true });
}

const entries = presentEntries((source) => fs.existsSync(path.join(root, source)));
const sources = [...sourcesOf(entries), workerModule];
fs.rmSync(out, { recursive: true, force: true });
compile(sources, "esm", "module");
await bundleModules(path.join(out, "esm"), sources);
compile(sources, "script", "commonjs");
copyFiles(root, out);
writeJson(
  path.join(out, "package.json"),
  manifest(entries, readJson("jsr.json"), readJson("package.json")),
);
