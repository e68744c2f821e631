/**
 * Runs the portable tests on Windows' builds of Node, Deno and Bun, on Linux under Wine.
 *
 *   npm run test:windows                    all of them (see scripts/windows/files.mjs)
 *   npm run test:windows -- bun deno        on these only (node26, node22, node20, deno, bun)
 *   npm run test:windows -- bun tests/cli   only these files or folders
 *   npm run test:windows -- --run bun x.mjs words...   a program instead of tests
 *
 * It needs root, debootstrap, a mirror of Debian and npm's registry, and says so if one is missing.
 * Everything is kept in ~/.cache/wasi-windows, or the folder that WASI_WINDOWS_CACHE names.
 */
import fs from "node:fs";
import process from "node:process";
import { FAILED, filesIn, runnerWords } from "./runners.mjs";
import { portable } from "./windows/files.mjs";
import { runWindows, setUp, SetupError } from "./windows/wine.mjs";

/** A run of tests that takes longer has stopped somewhere. */
const MINUTES = 10;

/** Each runner's own numbers. */
function countsOf(text) {
  const number = (pattern) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? NaN);
  const node = { passed: number(/^ℹ pass (\d+)/gm), failed: number(/^ℹ fail (\d+)/gm) };
  if (!Number.isNaN(node.passed)) return node;
  const bun = { passed: number(/^ +(\d+) pass$/gm), failed: number(/^ +(\d+) fail$/gm) };
  if (!Number.isNaN(bun.passed)) return bun;
  return { passed: number(/\| (\d+) passed/g), failed: number(/\| (\d+) failed/g) };
}

async function testOn(name, files) {
  console.log(`\n=== ${name} for Windows: ${files.length} files`);
  const began = Date.now();
  const chunks = [];
  const code = await runWindows(name, runnerWords(name, files), (chunk) => {
    process.stdout.write(chunk);
    chunks.push(chunk);
  }, { milliseconds: MINUTES * 60_000 });
  const text = Buffer.concat(chunks).toString().replaceAll("\r", "");
  const seconds = Math.round((Date.now() - began) / 1000);
  const lines = [...new Set(text.split("\n").filter((line) => FAILED.test(line)))];
  const { passed, failed } = countsOf(text);
  return { name, code, passed, failed, seconds, lines };
}

async function main() {
  const words = process.argv.slice(2);
  if (words[0] === "--run") {
    const [, name, ...rest] = words;
    setUp([name]);
    const input = process.stdin.isTTY ? undefined : fs.readFileSync(0);
    return await runWindows(name, rest, (chunk) => process.stdout.write(chunk), { input });
  }
  const began = Date.now();
  const known = ["node26", "node22", "node20", "deno", "bun"];
  const only = words.filter((word) => known.includes(word));
  const places = words.filter((word) => !known.includes(word));
  const runtimes = only.length > 0 ? only : ["node26", "deno", "bun"];
  const files = (places.length > 0 ? places : portable).flatMap(filesIn);
  const version = setUp(runtimes);
  console.log(`=== ${version}, set up in ${Math.round((Date.now() - began) / 1000)} s`);
  const results = [];
  for (const name of runtimes) results.push(await testOn(name, files));
  console.log("");
  for (const { name, lines } of results) {
    for (const line of lines.slice(0, 30)) console.log(`${name}: ${line.trim()}`);
  }
  console.table(
    Object.fromEntries(results.map(({ name, code, passed, failed, seconds }) => [
      name,
      { passed, failed, "exit code": code, seconds },
    ])),
  );
  return results.every(({ code, passed }) => code === 0 && passed > 0) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`The tests for Windows cannot be run here. ${error.message}`);
  process.exitCode = 1;
}
