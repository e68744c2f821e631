/**
 * Which tests a change is about: those that import what has changed, by however many steps, and those
 * that have changed themselves. Tests that start processes import no source, so they are among them
 * only if their own files have changed.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { importsOf } from "./imports.mjs";
import { filesIn } from "./runners.mjs";
import { root } from "./runtimes.mjs";

function git(...words) {
  return execFileSync("git", words, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);
}

/** The test files that a change since a commit is about. */
export function changedTests(since) {
  const changed = new Set([
    ...git("diff", "--name-only", "--relative", since),
    ...git("ls-files", "--others", "--exclude-standard"),
  ]);
  // a guest's source or module belongs to the tests beside it
  const folders = new Set(
    [...changed].filter((file) => /\.(?:wasm|c|zig|wat)$/.test(file))
      .map((file) => path.posix.dirname(file)),
  );
  const known = new Map();
  const isAbout = (file) => {
    if (changed.has(file)) return true;
    if (known.has(file)) return known.get(file);
    const about = fs.existsSync(path.join(root, file)) && importsOf(file).some(isAbout);
    known.set(file, about);
    return about;
  };
  return filesIn("tests").filter((file) => isAbout(file) || folders.has(path.posix.dirname(file)));
}
