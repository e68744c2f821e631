/**
 * Runs the languages' own tests with our command as their runner, on Node 26, Deno and Bun, and shows
 * what came of it as a table. What has been run is kept, and not run again.
 *
 *   npm run languages                        everything that has not been run yet
 *   npm run languages -- go bun              these suites and runtimes only (node26, deno, bun)
 *   npm run languages -- go/os go/io/fs      these parts only
 *   npm run languages -- --again go/os       once more, whatever is kept
 *   npm run languages -- --table             only the table
 *
 * It needs what scripts/debian.mjs needs. All is kept in ~/.cache/wasi-languages, or the folder that
 * WASI_LANGUAGES_CACHE names.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { cacheFolder, say, SetupError } from "./debian.mjs";
import { go } from "./languages/go.mjs";
import { causeOf } from "./languages/known.mjs";
import { jq } from "./languages/jq.mjs";
import { libarchive } from "./languages/libarchive.mjs";
import { micropython } from "./languages/micropython.mjs";
import { makeRunners } from "./languages/runner.mjs";
import { perl } from "./languages/perl.mjs";
import { python } from "./languages/python.mjs";
import { python313 } from "./languages/python313.mjs";
import { quickjs } from "./languages/quickjs.mjs";
import { ruby } from "./languages/ruby.mjs";
import { rust } from "./languages/rust.mjs";
import { sqlite } from "./languages/sqlite.mjs";
import { toolchains } from "./languages/toolchains.mjs";
import { work } from "./languages/work.mjs";
import { zig } from "./languages/zig.mjs";

const suites = [
  go,
  jq,
  libarchive,
  micropython,
  perl,
  python,
  python313,
  quickjs,
  ruby,
  rust,
  sqlite,
  toolchains,
  work,
  zig,
];
const runtimes = ["node26", "deno", "bun"];
const cache = cacheFolder("wasi-languages");

function resultFile(suite, part, runtime) {
  return path.join(cache, "results", suite.name, `${part.replaceAll("/", "+")}.${runtime}.json`);
}

function keep(file, result) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.new`, JSON.stringify(result));
  fs.renameSync(`${file}.new`, file); // whole, or not at all
}

/** Runs what is asked for, some at a time. */
async function runAll(jobs, most) {
  const left = [...jobs];
  const total = jobs.length;
  await Promise.all(Array.from({ length: most }, async () => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) {
      const { suite, part, runtime, runner, file } = job;
      const began = Date.now();
      const result = await suite.run(part, runner);
      const seconds = (Date.now() - began) / 1000;
      keep(file, { ...result, seconds });
      const { passed, failed } = result;
      const names = failed.map(({ name }) => name).join(", ");
      console.log(
        `${total - left.length}/${total} ${suite.name}/${part} on ${runtime}: ${passed} passed, ` +
          `${failed.length} failed${names && `: ${names}`} (${seconds.toFixed(1)} s)`,
      );
    }
  }));
}

/** What is kept of a suite on a runtime. */
function kept(suite, parts, runtime) {
  return parts.flatMap((part) => {
    const file = resultFile(suite, part, runtime);
    return fs.existsSync(file) ? [{ part, ...JSON.parse(fs.readFileSync(file, "utf8")) }] : [];
  });
}

function showTable(wanted) {
  console.log("\n| Suite | Version | Runtime | Parts | Passed | Skipped | Known | Failed |");
  console.log("|---|---|---|---|---|---|---|---|");
  const unknown = [];
  for (const { suite, version, parts } of wanted) {
    for (const runtime of runtimes) {
      const results = kept(suite, parts, runtime);
      if (results.length === 0) continue;
      const sum = (key) => results.reduce((total, result) => total + result[key], 0);
      const failed = results.flatMap(({ part, failed }) =>
        failed.map((failure) => ({ runtime, suite, part, ...failure }))
      );
      const causeless = failed.filter((failure) => causeOf(failure) === undefined);
      unknown.push(...causeless);
      console.log(
        `| ${suite.title} | ${version} | ${runtime} | ${results.length} of ${parts.length} | ` +
          `${sum("passed")} | ${sum("skipped")} | ${failed.length - causeless.length} | ` +
          `${causeless.length} |`,
      );
    }
  }
  for (const { runtime, suite, part, name, text } of unknown) {
    console.log(
      `\n--- ${suite.name}/${part} on ${runtime}: ${name}\n${text.trim().slice(0, 2000)}`,
    );
  }
  return unknown.length;
}

/** Why suites could not be set up. */
const refused = [];

/** Sets a suite up; gives its version, or undefined where that failed: the others are still run. */
async function setUp(suite, cache) {
  try {
    return await suite.setUp(cache);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`${suite.name} cannot be set up`);
    console.error(error.message);
    refused.push(`${suite.name} was not run: ${error.message.split("\n")[0]}`);
    return undefined;
  }
}

async function main() {
  const words = process.argv.slice(2);
  const flag = (name) => words.includes(name) && words.splice(words.indexOf(name), 1).length > 0;
  const again = flag("--again");
  const only = flag("--table");
  const on = runtimes.filter((name) => words.includes(name));
  const named = words.filter((word) => !runtimes.includes(word));
  const wrong = named.find((word) => !suites.some(({ name }) => word.split("/")[0] === name));
  if (wrong !== undefined) {
    throw new SetupError(
      `There is no ${wrong}: there are ${suites.map(({ name }) => name).join(", ")}, and ` +
        `${runtimes.join(", ")}.`,
    );
  }
  const runners = makeRunners(cache, runtimes);
  const wanted = [];
  const jobs = [];
  for (const suite of suites) {
    const mine = named.filter((word) => word.split("/")[0] === suite.name);
    if (named.length > 0 && mine.length === 0) continue;
    const version = await setUp(suite, cache);
    if (version === undefined) continue;
    const all = suite.parts();
    const parts = mine.length === 0 || mine.includes(suite.name)
      ? all
      : mine.map((word) => word.slice(suite.name.length + 1));
    const unknown = parts.find((part) => !all.includes(part));
    if (unknown !== undefined) {
      throw new SetupError(`${suite.name} has no ${unknown}: it has ${all.join(", ")}.`);
    }
    wanted.push({ suite, version, parts });
    for (const part of parts) {
      for (const runtime of on.length > 0 ? on : runtimes) {
        const file = resultFile(suite, part, runtime);
        if (fs.existsSync(file) && !again) continue;
        jobs.push({ suite, part, runtime, runner: runners[runtime], file });
      }
    }
  }
  if (!only) await runAll(jobs, os.availableParallelism());
  const unknown = showTable(wanted);
  for (const text of refused) console.log(`\n${text}`);
  return unknown === 0 && refused.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say("the languages' tests cannot be run");
  console.error(error.message);
  process.exitCode = 1;
}
