/** What the checks of a toolchain's programs use. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { programOf, root } from "../../runtimes.mjs";

const MILLISECONDS = 300_000;
const register = path.join(root, "adapters/register.ts");
const embedded = fileURLToPath(new URL("./embedded.mjs", import.meta.url));

const FLAGS = {
  node26: ["--import", register],
  deno: ["run", "-A", "--no-check", "--quiet", "--preload", register],
  bun: ["--preload", register],
};

/** Runs a program; what is written to its outputs stays apart, as bytes. */
function ran(command, words, { stdin = "", ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { ...options, detached: true });
    const out = [];
    const err = [];
    child.stdout.on("data", (chunk) => out.push(chunk));
    child.stderr.on("data", (chunk) => err.push(chunk));
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), MILLISECONDS);
    child.on("error", reject).on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: signal ?? code, bytes: Buffer.concat(out), err: `${Buffer.concat(err)}` });
    });
    child.stdin.on("error", () => {}).end(stdin); // a program need not read it
  });
}

/** What a check is given: a folder, which is the program's root, and ways to run it. */
export function makeTools({ home, folder, runner }) {
  const fileOf = (name) => path.join(home, name);
  const tools = {
    folder,
    fileOf,
    write: (name, text) => fs.writeFileSync(path.join(folder, name), text),
    read: (name, encoding = "utf8") => fs.readFileSync(path.join(folder, name), encoding),

    /** Runs a program of the cache, or of the folder, with our command. */
    async ran(program, args = [], { options = [], stdin = "", code = 0 } = {}) {
      const file = [path.join(folder, program), fileOf(program)].find((one) => fs.existsSync(one));
      assert.ok(file !== undefined, `there is no ${program}`);
      const words = [`--dir=${folder}::/`, ...options, file, ...args];
      const { bytes, ...more } = await ran(path.join(runner, "wasi"), words, { stdin });
      const out = bytes.toString();
      assert.equal(more.code, code, `${program} ${args.join(" ")}\n${out}\n${more.err}`);
      return { out, bytes, err: more.err };
    },

    /** Runs a program, which must print this and nothing else. */
    async prints(expected, program, args, options) {
      const { out, err } = await tools.ran(program, args, options);
      assert.equal(out, expected, err);
    },
  };
  return tools;
}

/** Runs the checks of what is used from JavaScript, in a process with our class as `node:wasi`. */
export async function ranEmbedded(part, { home, runner }) {
  const runtime = path.basename(runner);
  const { code, bytes, err } = await ran(
    programOf(runtime),
    [...FLAGS[runtime], embedded, home, part],
    {
      cwd: home,
      env: { ...process.env, NODE_NO_WARNINGS: "1", NAPI_RS_ASYNC_WORK_POOL_SIZE: "2" },
    },
  );
  const lines = bytes.toString().split("\n").filter((line) => line.startsWith("@@"));
  const done = lines.map((line) => JSON.parse(line.slice(2)));
  const ended = done.at(-1)?.name === "(end)";
  if (ended) done.pop();
  else done.push({ name: "(all)", text: `ended with ${code}\n${bytes}\n${err}`.slice(-4000) });
  return done;
}
