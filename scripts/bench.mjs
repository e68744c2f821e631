/**
 * Measures speed on every runtime, as ratios to that runtime's own `node:wasi` and to the raw host
 * call, each in one run: prints tables, writes bench.json and draws docs/bench.svg.
 *
 *   npm run bench                          everything
 *   npm run bench -- bun calls             one runtime, one part (calls, programs, startup,
 *                                         scale, components, runs)
 *   npm run bench -- node26 calls --rounds=30 --options='{"ffi":false}'
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { machineNode, programOf, root } from "./runtimes.mjs";
import { draw } from "./bench/chart.mjs";

const words = process.argv.slice(2);
const option = (name, other) =>
  words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? other;
const runtimes = ["node26", "deno", "bun"].filter((name) => {
  const chosen = words.filter((word) => ["node26", "deno", "bun"].includes(word));
  return chosen.length === 0 || chosen.includes(name);
});
const allParts = ["calls", "programs", "startup", "scale", "components", "runs"];
const parts = allParts.filter((word) => words.includes(word));
const what = (parts.length > 0 ? parts : allParts).join(",");

spawnSync(machineNode, [path.join(root, "scripts/build.mjs")], { stdio: "inherit" });

function ratio(ours, other) {
  return other === undefined || other === null ? "-" : (ours / other).toFixed(2);
}

function printCalls(rows) {
  console.log("  call                              ours ns  its own ns   raw ns   to own  to raw");
  for (const { name, ours, builtin, raw } of rows) {
    const numbers = [ours, builtin, raw].map((value) =>
      (value === undefined ? "-" : value.toFixed(0)).padStart(9)
    );
    console.log(
      `  ${name.padEnd(31)} ${numbers.join("  ")} ${ratio(ours, builtin).padStart(8)} ${
        ratio(ours, raw).padStart(7)
      }`,
    );
  }
  console.log(`  geometric mean of the ratios to its own: ${geometricMean(rows).toFixed(3)}`);
}

function geometricMean(rows) {
  const known = rows.filter(({ builtin }) => builtin !== undefined);
  const sum = known.reduce((total, { ours, builtin }) => total + Math.log(ours / builtin), 0);
  return Math.exp(sum / known.length);
}

/** A cost at each size, and how the last one compares with the first. */
function growth(values) {
  const cells = values.map((value) => (value === null ? "-" : value.toFixed(0)).padStart(6));
  const known = values.filter((value) => value !== null);
  const grown = known.length < 2 ? "-" : ratio(known[known.length - 1], known[0]);
  return `${cells.join(" ")} ${grown.padStart(7)}`;
}

function printRows(rows) {
  for (const { name, sizes, ours, builtin } of rows) {
    console.log(`  ${name}`);
    console.log(`    of ${sizes.map((size) => size.toLocaleString("en")).join(", ")}:`);
    console.log(`      ours ns     ${growth(ours)}`);
    console.log(`      its own ns  ${growth(builtin)}`);
  }
}

function printStreams(streams) {
  for (const { bytes, exact, speed, peak } of streams) {
    const size = (bytes / 2 ** 20).toFixed(0).padStart(5);
    const count = exact ? "all bytes came" : "BYTES ARE MISSING OR TOO MANY";
    const memory = peak === null ? "-" : (peak / 1024).toFixed(1);
    console.log(
      `      ${size} MiB: ${speed.toFixed(0).padStart(5)} MB/s, ${count}, memory ${memory} MiB`,
    );
  }
}

function printScale({ descriptors, rows, pipe }) {
  console.log(`  cost of one at each size, and the last over the first`);
  console.log(`  (this process may have ${descriptors} files open)`);
  printRows(rows);
  console.log("  from a pipe to a pipe, and the most memory that the process held");
  for (const [name, streams] of [["ours", pipe.ours], ["its own", pipe.builtin]]) {
    console.log(`    ${name}${streams.length === 0 ? ": cannot" : ""}`);
    printStreams(streams);
  }
}

function printComponents(rows) {
  console.log("  call                            module ns  component ns  ratio");
  for (const { name, module, component } of rows) {
    const numbers = [module.toFixed(0).padStart(10), component.toFixed(0).padStart(12)];
    console.log(
      `  ${name.padEnd(31)} ${numbers.join("  ")} ${ratio(component, module).padStart(6)}`,
    );
  }
  const sum = rows.reduce((sum, { module, component }) => sum + Math.log(component / module), 0);
  console.log(`  geometric mean: ${Math.exp(sum / rows.length).toFixed(2)}`);
}

function printRuns({ rows, memory }) {
  for (const { name, ways } of rows) {
    console.log(`  ${name}`);
    const [first] = Object.values(ways);
    for (const [way, time] of Object.entries(ways)) {
      const shown = time.toFixed(time < 10 ? 3 : 0).padStart(9);
      console.log(`    ${way.padEnd(24)} ${shown} ms ${ratio(time, first).padStart(7)}`);
    }
  }
  const [idle, runs] = [memory.idle.toFixed(1), memory.runs.toFixed(1)];
  console.log(`  an idle worker takes ${idle} MiB; 1,000 runs with a timeout added ${runs} MiB`);
}

function print(name, { calls, programs, startup, scale, components, runs }) {
  console.log(`\n=== ${name}`);
  if (calls) printCalls(calls);
  for (const { name, ours, builtin } of programs ?? []) {
    console.log(
      `  ${name.padEnd(46)} ${ours.toFixed(0).padStart(7)} ms  to own ${ratio(ours, builtin)}`,
    );
  }
  if (startup) {
    const { empty, ours, builtin } = startup;
    const added = builtin === undefined ? "-" : (builtin - empty).toFixed(1);
    console.log(
      `  import and construct: ${
        (ours - empty).toFixed(1)
      } ms over an empty start (its own: ${added})`,
    );
  }
  if (scale) printScale(scale);
  if (components) printComponents(components);
  if (runs) printRuns(runs);
}

const results = {};
for (const name of runtimes) {
  const output = path.join(os.tmpdir(), `wasi-bench-${name}.json`);
  // Node loads what is compiled, as its users do; Deno and Bun load the sources
  const module = path.join(root, name === "node26" ? "build/dist/mod.js" : "mod.ts");
  const flags = name === "deno"
    ? ["run", "-A", "--no-check"]
    : name === "node26"
    ? ["--no-warnings"]
    : [];
  const parameters = [output, module, what, option("rounds", "9"), option("options", "{}")];
  const script = path.join(root, "scripts/bench/run.ts");
  const { status } = spawnSync(programOf(name), [...flags, script, ...parameters], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"], // what Bun's own class prints ignores its stdout option
  });
  if (status !== 0) process.exit(1);
  results[name] = JSON.parse(fs.readFileSync(output, "utf8"));
  print(name, results[name]);
}
if (parts.length === 0 && runtimes.length === 3) {
  fs.mkdirSync(path.join(root, "docs"), { recursive: true });
  fs.writeFileSync(
    path.join(root, "docs/bench.json"),
    `${JSON.stringify(results, undefined, 1)}\n`,
  );
  fs.writeFileSync(path.join(root, "docs/bench.svg"), draw(results));
}
