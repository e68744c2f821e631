/** Our command as a runner, once for each runtime. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { programOf, root } from "../runtimes.mjs";

/** Each runtime, and as docs/runners.md has it for deep recursion. */
const WORDS = {
  node26: (cache, deep) => [
    ...["env", `NODE_COMPILE_CACHE=${cache}/node`, programOf("node26")],
    ...(deep ? ["--stack-size=60000", "--"] : []),
  ],
  deno: (_, deep) => [
    ...[programOf("deno"), "run", "-A", "--no-check", "--quiet"],
    ...(deep ? ["--v8-flags=--stack-size=60000"] : []),
  ],
  bun: (_, deep) => [
    ...(deep ? ["env", "BUN_JSC_maxPerThreadStackUsage=60000000"] : []),
    programOf("bun"),
  ],
};

/**
 * Makes a folder for each runtime with a script that passes everything on to our command on it, named
 * as the runners of toolchains are; `wasi-deep`, the same with a larger stack; `script` and `script-deep`
 * run a script on the runtime, `script-registered` one with our class in place of node:wasi.
 *
 * @returns the folders, by runtime
 */
export function makeRunners(cache, runtimes) {
  return Object.fromEntries(runtimes.map((runtime) => {
    const folder = path.join(cache, "runners", runtime);
    fs.mkdirSync(folder, { recursive: true });
    const write = (name, before, deep, words) => {
      const line = `exec ${[...WORDS[runtime](cache, deep), ...words].join(" ")} "$@"`;
      const text = ["#!/bin/sh", ...before, line, ""].join("\n");
      fs.writeFileSync(path.join(folder, name), text, { mode: 0o755 });
    };
    const command = path.join(root, "cli.ts");
    for (const name of ["wasi", "wasmtime"]) write(name, [], false, [command]);
    write("wasi-deep", ["ulimit -s 65000"], true, [command]);
    write("script", [], false, []);
    const preload = runtime === "node26" ? "--import" : "--preload";
    write("script-registered", [], false, [preload, path.join(root, "adapters/register.ts")]);
    write("script-deep", ["ulimit -s 65000"], true, []);
    return [runtime, folder];
  }));
}

/**
 * Runs a program; one that takes too long is ended with all that it has started.
 *
 * @param options `stdin` is its input, by default none; the others are those of `spawn()`
 * @returns its exit code or the signal that ended it, what it wrote to both of its outputs as `text`, and
 *   to each of them as bytes
 */
export function ranProgram(command, words, { milliseconds, stdin, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...options,
      detached: true,
    });
    const both = [];
    const out = [];
    const err = [];
    child.stdout.on("data", (chunk) => both.push(chunk) && out.push(chunk));
    child.stderr.on("data", (chunk) => both.push(chunk) && err.push(chunk));
    child.stdin?.on("error", () => {}).end(stdin); // a program need not read it
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), milliseconds);
    child.on("error", reject).on("close", (code, signal) => {
      clearTimeout(timer);
      const [text, ...apart] = [both, out, err].map((chunks) => Buffer.concat(chunks));
      resolve({ code: signal ?? code, text: text.toString(), out: apart[0], err: apart[1] });
    });
  });
}
