/**
 * The tests of Rust's compiler whose programs are run. Rust's own builders run them for wasm32-wasip1.
 * Only those are here that need nothing but rustc and this file's few directives.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ranProgram } from "./runner.mjs";

const SECONDS = 60;

/** Folders whose programs do something while they run. */
const FOLDERS = `
  allocator array-slice-vec async-await backtrace coroutine drop env-macro fmt hashmap intrinsics
  iterators numbers-arithmetic panics process runtime simd statics std stdlib-unit-tests test-attrs
  thread-local
`.trim().split(/\s+/);

/** Directives of tests that can be run here, whatever they say. */
const PLAIN = new Set(
  `run-pass run-fail edition compile-flags run-flags exec-env aux-build revisions
  check-run-results no-prefer-dynamic rustc-env error-pattern failure-status needs-symlink
  needs-target-has-atomic needs-deterministic-layouts regex-error-pattern check-stdout
  dont-check-compiler-stderr dont-check-compiler-stdout unused-revision-names
  no-auto-check-cfg`.split(/\s+/),
);
/** Directives that do not concern what the program does. */
const OTHERS =
  /^(normalize-|ignore-|reference$|run-rustfix$|rustfix-|stderr-per-bitwidth$|min-llvm)/;
const IGNORED = /^ignore-(test|wasm|wasm32|wasi|wasm32-wasip\d|32bit|cross-compile|llvm-version)\b/;
const ONLY = /^only-(wasm|wasm32|wasi|32bit)\b/;

/** The directives of a test for one of its revisions. */
function directives(text, revision) {
  const found = [];
  for (const [, of, rest] of text.matchAll(/^\s*\/\/@\s*(?:\[([^\]]*)\])?\s*(.*)$/gm)) {
    if (of !== undefined && !of.split(",").includes(revision)) continue;
    const [, name, value] = /^([\w-]+)(?:\s*:\s*|\s*)(.*)$/.exec(rest) ?? [, rest, ""];
    found.push({ name, value: value.trim() });
  }
  return found;
}

/** How rustc is called. */
function building(text, revision) {
  const values = valuesIn(directives(text, revision));
  return { edition: values("edition")[0] ?? "2015", flags: values("compile-flags").join(" ") };
}

function valuesIn(all) {
  return (name) => all.filter((one) => one.name === name).map(({ value }) => value);
}

/** What is known of a test, or undefined where it cannot be run. */
function plan(text, revision) {
  const all = directives(text, revision);
  const values = valuesIn(all);
  const runs = all.some(({ name }) => name === "run-pass" || name === "run-fail");
  const fits = all.every(({ name }) =>
    !IGNORED.test(name) && (PLAIN.has(name) || OTHERS.test(name) || ONLY.test(name))
  );
  if (!runs || !fits) return undefined;
  return {
    fails: values("run-fail").length > 0,
    results: values("check-run-results").length > 0,
    normal: values("normalize-stdout").map((value) => /^"(.*)" -> "(.*)"$/.exec(value).slice(1)),
    ...building(text, revision),
    words: values("run-flags").join(" ").split(/\s+/).filter(Boolean),
    env: values("exec-env"),
    rustcEnv: values("rustc-env"),
    auxiliaries: values("aux-build"),
  };
}

/** The tests of a folder. */
function tests(root, folder) {
  const found = [];
  for (const name of fs.readdirSync(path.join(root, folder), { recursive: true }).sort()) {
    if (!name.endsWith(".rs") || name.split(path.sep).includes("auxiliary")) continue;
    const file = path.join(folder, name);
    const text = fs.readFileSync(path.join(root, file), "utf8");
    if (!/^\s*\/\/@\s*(\[[^\]]*\])?\s*run-(pass|fail)/m.test(text)) continue;
    const revisions = /^\s*\/\/@\s*revisions:(.*)$/m.exec(text)?.[1].trim().split(/\s+/);
    for (const revision of revisions ?? [undefined]) {
      const id = name.slice(0, -3) + (revision === undefined ? "" : `#${revision}`);
      found.push({ id, file, revision, plan: plan(text, revision) });
    }
  }
  return found;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const fileOf = (id) => id.replaceAll("/", "+");

/** Rust's own builders optimize only what is to end well and does not say how. */
function optimized({ fails, flags }) {
  return !fails && !/(^|\s)-O|opt-level/.test(flags);
}

/** The commands that build a test; where they fail, there is no program. */
function commands(target, out, root, { id, file, revision, plan }) {
  const auxiliary = path.join(path.dirname(file), "auxiliary");
  const libraries = `${out}/libraries/${fileOf(id)}`;
  const own = revision === undefined ? "" : `--cfg ${quoted(revision)}`;
  const rustc = `rustc --target ${target} -A warnings -C strip=debuginfo -L ${libraries} ${own}`;
  const lines = [`rm -rf ${libraries}; mkdir -p ${libraries}`];
  for (const name of plan.auxiliaries) {
    const source = path.join(auxiliary, name);
    const { edition, flags } = building(fs.readFileSync(path.join(root, source), "utf8"), revision);
    lines.push(
      `${rustc} --edition ${edition} ${flags} --crate-type rlib --out-dir ${libraries} ${source}`,
    );
  }
  const env = plan.rustcEnv.map((set) => quoted(set)).join(" ");
  lines.push(
    `env ${env} ${rustc} ${
      optimized(plan) ? "-O" : ""
    } --edition ${plan.edition} ${plan.flags} -o ${out}/${fileOf(id)}.wasm ${file}`,
  );
  return `( ${lines.join(" && ")} ) > ${out}/${fileOf(id)}.log 2>&1 || true`;
}

function script({ target, source }, out, root, list) {
  return `set -e; export RUSTC_BOOTSTRAP=1; rm -rf ${out}.new; mkdir -p ${out}.new
    cd ${source}/tests/ui
    ${list.map((test) => commands(target, `${out}.new`, root, test)).join("\n")}
    rm -rf ${out}.new/libraries; mv ${out}.new ${out}`;
}

/** Why a run is not as its test wants it, or undefined. */
function wrong({ plan, file, revision }, root, { code, text }) {
  if (plan.fails ? code === 0 || typeof code === "string" : code !== 0) {
    return `ended with ${code}\n${text}`;
  }
  const base = path.join(root, file.slice(0, -3));
  const results = [`${base}.${revision}.run.stdout`, `${base}.run.stdout`].find(fs.existsSync);
  if (!plan.results || results === undefined) return undefined;
  const wanted = fs.readFileSync(results, "utf8");
  const normal = plan.normal.reduce(
    (text, [pattern, replacement]) => text.replaceAll(new RegExp(pattern, "g"), replacement),
    text,
  );
  return normal.includes(wanted) ? undefined : `wrote\n${normal}\ninstead of\n${wanted}`;
}

export const ui = {
  parts: () => FOLDERS,

  async run(name, workshop, runner) {
    const root = workshop.outside(`${workshop.source}/tests/ui`);
    const all = tests(root, name);
    const list = all.filter(({ plan }) => plan !== undefined);
    const out = `${workshop.place}/${workshop.target}/ui/${name}`;
    await workshop.make(out, `${name} does not build.`, script(workshop, out, root, list));
    const failed = [];
    let passed = 0;
    for (const test of list) {
      const program = workshop.outside(`${out}/${fileOf(test.id)}.wasm`);
      if (!fs.existsSync(program)) continue;
      const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "rust-"));
      const run = await ranProgram(path.join(runner, "wasi"), [
        `--dir=${temporary}::.`,
        ...test.plan.env.map((set) => `--env=${set}`),
        program,
        ...test.plan.words,
      ], { milliseconds: SECONDS * 1000 });
      fs.rmSync(temporary, { recursive: true, force: true });
      const text = wrong(test, root, run);
      if (text === undefined) passed++;
      else failed.push({ name: test.id, text: text.slice(0, 2000) });
    }
    return { passed, skipped: all.length - passed - failed.length, failed };
  },
};
