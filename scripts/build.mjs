/**
 * Compiles everything into build/ (for Node 20 and the tests), and bundles the entry points into
 * build/dist: 38 small modules cost Node 20 ms to load, a bundle 5. The bundler is esbuild
 * compiled to WebAssembly, run by the class that was just compiled.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { machineNode, root, tsc } from "./runtimes.mjs";

const build = path.join(root, "build");
const { exports } = JSON.parse(fs.readFileSync(path.join(root, "jsr.json"), "utf8"));
const entries = Object.values(exports).map((file) => file.replace(/^\.(.*)\.ts$/, "$1.js"));
fs.rmSync(build, { recursive: true, force: true });
execFileSync(machineNode, ["scripts/examples.mjs"], { cwd: root, stdio: "inherit" });
execFileSync(machineNode, [tsc, "-p", "tsconfig.json"], { cwd: root, stdio: "inherit" });

const { WASI } = await import("../build/mod.js");
const wasi = new WASI({
  version: "preview1",
  args: [
    "esbuild",
    ...entries,
    ...[
      "--bundle",
      "--splitting",
      "--format=esm",
      "--target=es2022",
      "--platform=neutral",
      "--packages=external",
    ],
    ...[
      "--minify-whitespace",
      "--minify-syntax",
      "--outbase=/",
      "--outdir=/dist",
      "--log-level=warning",
    ],
  ],
  preopens: { "/": build },
});
const esbuild = path.join(root, "node_modules/@esbuild/wasi-preview1/esbuild.wasm");
const module = await WebAssembly.compile(fs.readFileSync(esbuild));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
