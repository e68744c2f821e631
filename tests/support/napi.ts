/**
 * Loads a napi-rs binding compiled to WASI with the class under test in the place of `node:wasi`.
 * These packages import `node:wasi` themselves, on the main thread (.cjs) and on every worker
 * thread (.mjs). A copy of those two files naming our class instead, in a folder from which every
 * other import resolves as it does from the package, leaves node_modules alone.
 */
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";
import { root, runtime, scratch } from "./harness.ts";

// The baseline compiler of Node 20 has a fault around memory.atomic.wait that makes guests with
// threads trap now and then, with node:wasi as with ours.
if (runtime === "node20") v8.setFlagsFromString("--no-liftoff");

/** Where the class under test is: next to this file, and compiled just like it. */
const ours = new URL(import.meta.url.endsWith(".ts") ? "./wasi.ts" : "./wasi.js", import.meta.url);

/** Work queues of this size: enough for threads to run side by side, few enough to start fast. */
const threads = "2";

/** Loads a binding by the name of its npm package. */
export function load<T>(name: string): T {
  const folder = redirected(path.join(root, "node_modules", name));
  process.env["NAPI_RS_ASYNC_WORK_POOL_SIZE"] = threads;
  return createRequire(path.join(folder, "package.json"))(folder) as T;
}

/** A copy of the package whose threads all take the class under test; returns its folder. */
function redirected(source: string): string {
  const top = scratch("wasi-napi");
  const folder = path.join(top, "binding");
  fs.mkdirSync(folder);
  // The two levels at which the package itself finds what it imports.
  link(path.join(root, "node_modules"), path.join(top, "node_modules"));
  link(path.join(source, "node_modules"), path.join(folder, "node_modules"));
  for (const name of fs.readdirSync(source)) {
    const from = path.join(source, name);
    const to = path.join(folder, name);
    if (name.endsWith(".wasm")) link(from, to);
    else if (name === "package.json") fs.copyFileSync(from, to);
    else if (name.endsWith(".wasi.cjs") || name === "wasi-worker.mjs") rewrite(from, to);
  }
  return folder;
}

function link(target: string, file: string): void {
  if (fs.existsSync(target)) fs.symlinkSync(target, file);
}

/** Copies a script, naming our class where it names `node:wasi`. */
function rewrite(from: string, to: string): void {
  const wasi = to.endsWith(".mjs") ? ours.href : fileURLToPath(ours);
  const text = fs.readFileSync(from, "utf8");
  const changed = text.replace(/(["'])node:wasi\1/g, JSON.stringify(wasi));
  if (changed === text) throw new Error(`${from} does not import node:wasi`);
  fs.writeFileSync(to, changed);
}
