/**
 * Bundles the modules of ECMAScript of the npm package, in place: some 80 small ones take Node 60
 * ms to load, their bundle takes 25. Each entry point stays a file of its own, what several of them
 * share is in chunks/, and the types stay as they are.
 */
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { esbuild } from "./esbuild.mjs";

/** Files of their own besides: a bundler that needs nothing of one leaves it out whole. */
const APART = ["./adapters/run.ts", "./core/run/threads/share.ts"];

/**
 * @param {string} folder the package's esm/
 * @param {string[]} sources those of the entry points
 */
export async function bundleModules(folder, sources) {
  // the class that was just built runs the bundler
  const { memory, WASI } = await import(pathToFileURL(path.join(folder, "mod.js")).href);
  const out = memory();
  const entries = [...sources, ...APART].map((source) => source.replace(/^\.\/(.*)\.ts$/, "$1.js"));
  const code = await esbuild(WASI, [
    ...entries,
    "--bundle",
    "--splitting",
    "--format=esm",
    "--target=es2022",
    "--platform=neutral",
    "--packages=external",
    "--outbase=/",
    "--outdir=/out",
    "--chunk-names=chunks/[hash]",
    "--log-level=warning",
  ], { "/": folder, "/out": out });
  if (code !== 0) throw new Error(`esbuild ended with ${code}`);
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    if (name.endsWith(".js")) fs.rmSync(path.join(folder, name));
  }
  for (const { kind, path: name, content } of out.entries()) {
    const file = path.join(folder, name);
    if (kind === "directory") fs.mkdirSync(file, { recursive: true });
    else fs.writeFileSync(file, content);
  }
}
