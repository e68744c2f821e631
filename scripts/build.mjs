/**
 * Compiles everything into build/ (for Node 20 and the tests), and bundles the entry points into
 * build/dist: 38 small modules cost Node 20 ms to load, a bundle 5. The bundler is esbuild
 * compiled to WebAssembly, run by the class that was just compiled.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { workerModule } from "./entries.mjs";
import { esbuild } from "./esbuild.mjs";
import { machineNode, root, tsc } from "./runtimes.mjs";

const build = path.join(root, "build");
const { exports } = JSON.parse(fs.readFileSync(path.join(root, "jsr.json"), "utf8"));
const entries = [...Object.values(exports), workerModule]
  .map((file) => file.replace(/^\.(.*)\.ts$/, "$1.js"));
fs.rmSync(build, { recursive: true, force: true });
execFileSync(machineNode, ["scripts/examples.mjs"], { cwd: root, stdio: "inherit" });
execFileSync(machineNode, [tsc, "-p", "tsconfig.json"], { cwd: root, stdio: "inherit" });

const { WASI } = await import("../build/mod.js");
const words = [
  "--bundle",
  "--splitting",
  "--format=esm",
  "--target=es2022",
  "--platform=neutral",
  "--packages=external",
  "--minify-whitespace",
  "--minify-syntax",
  "--outbase=/",
  "--outdir=/dist",
  "--chunk-names=chunks/[hash]",
  "--log-level=warning",
];
process.exitCode = await esbuild(WASI, [...entries, ...words], { "/": build });
