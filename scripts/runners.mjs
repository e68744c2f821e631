/** What the runners of tests are given, and how they say that something failed. */
import fs from "node:fs";
import path from "node:path";
import { root } from "./runtimes.mjs";

/** How they begin a line about what failed. */
export const FAILED = /^\s*(?:not ok |✖ |\(fail\) |FAIL |# not ok )|\.\.\. FAILED/;

/** The tests in a folder, or the one file, with slashes, from the repository's folder on. */
export function filesIn(where) {
  const full = path.join(root, where);
  if (!fs.statSync(full).isDirectory()) return [where];
  return fs.readdirSync(full, { recursive: true })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => path.posix.join(where, name.replaceAll(path.sep, "/")))
    .sort();
}

/** How Node runs tests. */
export const nodeFlags = ["--test", "--test-reporter=spec", "--test-concurrency=2"];

/** The words with which a runtime runs test files. */
export function runnerWords(runtime, files) {
  if (runtime === "deno") return ["test", "--allow-all", "--no-check", ...files];
  if (runtime === "bun") return ["test", "--timeout=120000", ...files.map((file) => `./${file}`)];
  return [...nodeFlags, ...files];
}
