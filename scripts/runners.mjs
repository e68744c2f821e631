/** What the runners of tests are given, and how they say that something failed. */
import fs from "node:fs";
import path from "node:path";
import { root } from "./runtimes.mjs";

/** How they begin a line about what failed. */
export const FAILED = /^\s*(?:not ok |✖ |\(fail\) |FAIL |# not ok )|\.\.\. FAILED/;

/** How they begin a line about what passed. */
const PASSED = /^\s*(?:✔ |\(pass\) )|\.\.\. ok \(/;

/** Lines that are shown around what failed, since they may tell why; and how many of them at most. */
const BEFORE = 12;
const AFTER = 30;
const MOST = 150;

/** What a runner's output says of what failed, and why. */
export function aboutFailures(text) {
  const lines = text.split("\n").filter((line) => !PASSED.test(line));
  const shown = new Set();
  for (const [at, line] of lines.entries()) {
    // Deno gives the reasons under a heading
    const until = FAILED.test(line) ? AFTER : line.trim() === "ERRORS" ? lines.length : -1;
    for (let i = at - BEFORE; i <= at + until; i++) shown.add(i);
  }
  const about = lines.filter((_, at) => shown.has(at));
  return about.slice(-MOST);
}

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
