/** What the checks of a toolchain's programs use. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ranProgram } from "../runner.mjs";

const MILLISECONDS = 300_000;
const embedded = fileURLToPath(new URL("./embedded.mjs", import.meta.url));

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
      const ran = await ranProgram(path.join(runner, "wasi"), words, {
        stdin,
        milliseconds: MILLISECONDS,
      });
      const [out, err] = [ran.out.toString(), ran.err.toString()];
      assert.equal(ran.code, code, `${program} ${args.join(" ")}\n${out}\n${err}`);
      return { out, bytes: ran.out, err };
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
  const { code, out, text } = await ranProgram(
    path.join(runner, "script-registered"),
    [embedded, home, part],
    {
      cwd: home,
      env: { ...process.env, NODE_NO_WARNINGS: "1", NAPI_RS_ASYNC_WORK_POOL_SIZE: "2" },
      milliseconds: MILLISECONDS,
    },
  );
  const lines = out.toString().split("\n").filter((line) => line.startsWith("@@"));
  const done = lines.map((line) => JSON.parse(line.slice(2)));
  const ended = done.at(-1)?.name === "(end)";
  if (ended) done.pop();
  else done.push({ name: "(all)", text: `ended with ${code}\n${text}`.slice(-4000) });
  return done;
}
