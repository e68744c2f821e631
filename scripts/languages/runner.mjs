/** Our command as a runner, once for each runtime. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { programOf, root } from "../runtimes.mjs";

const WORDS = {
  node26: (cache) => ["env", `NODE_COMPILE_CACHE=${cache}/node`, programOf("node26")],
  deno: () => [programOf("deno"), "run", "-A", "--no-check", "--quiet"],
  bun: () => [programOf("bun")],
};

/**
 * Makes a folder for each runtime with a script that passes everything on to our command on it, named
 * as the runners of toolchains are.
 *
 * @returns the folders, by runtime
 */
export function makeRunners(cache, runtimes) {
  return Object.fromEntries(runtimes.map((runtime) => {
    const folder = path.join(cache, "runners", runtime);
    fs.mkdirSync(folder, { recursive: true });
    const words = [...WORDS[runtime](cache), path.join(root, "cli.ts")];
    const script = `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`;
    for (const name of ["wasi", "wasmtime"]) {
      fs.writeFileSync(path.join(folder, name), script, { mode: 0o755 });
    }
    return [runtime, folder];
  }));
}

/**
 * Runs a program; one that takes too long is ended with all that it has started.
 *
 * @returns its exit code or the signal that ended it, and what it wrote to both of its outputs
 */
export function ranProgram(command, words, { milliseconds, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
      detached: true,
    });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), milliseconds);
    child.on("error", reject).on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: signal ?? code, text: Buffer.concat(chunks).toString() });
    });
  });
}
