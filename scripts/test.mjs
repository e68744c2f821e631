/**
 * Runs every test on every runtime: the machine's Node on what TypeScript compiles, and Node 26,
 * Deno and Bun from npm on the sources. Node 22 and 24 run what is compiled, too, and of everything
 * only what differs between versions of Node. Each runner prints its own summary.
 *
 *   npm test                       everything
 *   npm test -- bun deno           on these runtimes only (node, node22, node24, node26, deno, bun)
 *   npm test -- bun tests/parity   only these files or folders
 *   npm test -- portable           only what runs on every system (scripts/windows/files.mjs)
 *   npm test -- changed            only what imports a file that has changed since the last commit;
 *                                  changed=main: since main
 */
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { changedTests } from "./changed.mjs";
import { aboutFailures, filesIn, nodeFlags, runnerWords } from "./runners.mjs";
import { machineNode, programOf, root } from "./runtimes.mjs";
import { portable } from "./windows/files.mjs";

/** What is said of failures, for the end: what is printed in between may be cut off. */
const lines = [];

/** Prints what a stream says, and keeps it. */
function pass(from, to, said) {
  from.setEncoding("utf8").on("data", (text) => {
    to.write(text);
    said.push(text);
  });
}

async function run(title, command, parameters) {
  console.log(`\n=== ${title}`);
  const began = Date.now();
  const env = { ...process.env, NO_COLOR: "1" };
  const said = [];
  const how = await new Promise((resolve) => {
    const child = spawn(command, parameters, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env });
    pass(child.stdout, process.stdout, said);
    pass(child.stderr, process.stderr, said);
    child.on("error", resolve).on("close", (code, signal) => resolve(signal ?? code));
    // a process that a test has left behind may hold the pipes
    child.on("exit", (code, signal) => setTimeout(resolve, 5000, signal ?? code).unref());
  });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`=== ${title}: ${how === 0 ? "passed" : `FAILED (${how})`} in ${seconds} s`);
  if (how === 0) return [];
  lines.push(`--- ${title}:`, ...aboutFailures(said.join("")));
  return [title];
}

/** What an engine that crashes is ended by. */
const CRASHES = ["SIGILL", "SIGSEGV", "SIGBUS", "SIGTRAP"];

/**
 * Runs files on a version of Node in which nothing but JavaScript and WebAssembly runs. If its engine
 * itself crashed, and nothing else failed, those files are run once more: it is no fault of theirs.
 */
async function runCompiled(title, command, files, again = false) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-tests-"));
  const report = path.join(folder, "failures");
  const failures = await run(title, command, [
    ...nodeFlags,
    "--test-reporter-destination=stdout",
    "--test-reporter=./scripts/failures.mjs",
    `--test-reporter-destination=${report}`,
    ...files,
  ]);
  const failed = fs.readFileSync(report, "utf8").split("\n").slice(0, -1).map((line) =>
    JSON.parse(line)
  );
  fs.rmSync(folder, { recursive: true });
  const crashed = failed.filter(({ signal }) => CRASHES.includes(signal));
  if (again || crashed.length === 0 || crashed.length < failed.length) return failures;
  for (const { name, signal } of crashed) {
    lines.push(`${title}: ${signal} ended ${name}: run again`);
  }
  return runCompiled(`${title}, again`, command, crashed.map(({ name }) => name), true);
}

const chosen = process.argv.slice(2);
const runtimes = ["node", "node22", "node24", "node26", "deno", "bun"];
/** What runs on Node 22 and 24 if no files are chosen: conformance and threads. */
const between = ["tests/guests", "tests/cli/threads.test.ts", "tests/cli/thread_programs.test.ts"];
const only = chosen.filter((word) => runtimes.includes(word));
const places = chosen.filter((word) => !runtimes.includes(word));
const files = (places.length > 0 ? places : ["tests"]).flatMap((place) =>
  place === "portable"
    ? portable.flatMap(filesIn)
    : /^changed(=|$)/.test(place)
    ? changedTests(place.split("=")[1] ?? "HEAD")
    : filesIn(place)
);
if (files.length === 0) {
  console.log("No test is about what has changed.");
  process.exit(0);
}
const inBuild = (file) => path.posix.join("build", file.replace(/\.ts$/, ".js"));
const compiled = files.map(inBuild);
const wants = (name) => only.length === 0 || only.includes(name);

/** How much of the core and the adapters the tests must run through; the command runs in processes. */
const coverageFlags = [
  "--experimental-test-coverage",
  "--test-coverage-lines=92",
  "--test-coverage-branches=90",
  "--test-coverage-functions=90",
  ...["core", "adapters"].map((folder) => `--test-coverage-include=${folder}/**/*.ts`),
];

const failures = await run("types, and JavaScript for Node 20", machineNode, ["scripts/build.mjs"]);
if (chosen.length === 0) {
  failures.push(
    ...await run("guests rebuild to the same bytes", machineNode, [
      "scripts/guests.mjs",
      "--check",
    ]),
    ...await run("components rebuild to the same bytes", machineNode, [
      "scripts/components.mjs",
      "--check",
    ]),
    ...await run("lint", programOf("deno"), ["lint", "--quiet"]),
    ...await run("format", programOf("deno"), ["fmt", "--check", "--quiet"]),
    ...await run("the npm package", machineNode, ["scripts/check_package.mjs"]),
    ...await run("Chromium, if there is one", machineNode, [
      "scripts/browser.mjs",
      "--test",
      "--optional",
    ]),
  );
}
if (wants("node")) {
  failures.push(
    ...await runCompiled(
      `Node ${
        execFileSync(machineNode, ["--version"], { encoding: "utf8" }).trim()
      } of this machine`,
      machineNode,
      compiled,
    ),
  );
}
for (const name of ["node22", "node24"]) {
  if (!wants(name)) continue;
  const some = places.length === 0 ? between.flatMap(filesIn).map(inBuild) : compiled;
  const title = name.replace("node", "Node ");
  failures.push(...await runCompiled(title, programOf(name), some));
}
if (wants("node26")) {
  failures.push(
    ...await run("Node 26", programOf("node26"), [
      ...nodeFlags,
      ...(chosen.length === 0 ? coverageFlags : []),
      ...files,
    ]),
  );
}
if (wants("deno")) {
  failures.push(
    ...await run("Deno", programOf("deno"), runnerWords("deno", files)),
  );
}
if (wants("bun")) {
  failures.push(
    ...await run("Bun", programOf("bun"), runnerWords("bun", files)),
  );
}

for (const line of lines) console.log(line);
console.log(failures.length === 0 ? "\nEverything passed." : `\nFailed: ${failures.join(", ")}`);
process.exit(failures.length === 0 ? 0 : 1);
