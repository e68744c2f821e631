/** The program's words reach the program alone: the runtime takes none of them for its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { command, each, guest, wasi } from "../support/command.ts";
import { root, runtime, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };
const show = guest("show");

/** Words that name files which change how Node runs. */
const WORDS: readonly string[][] = [
  ["--env-file=evil.env"],
  ["--env-file", "evil.env"],
  ["--env-file-if-exists=evil.env"],
  ["--experimental-config-file=evil.json"],
  ["--experimental-config-file", "evil.json"],
  ["--experimental-default-config-file"],
  ["--import=./marker.mjs"],
  ["--require", "./marker.cjs"],
  ["--preload", "./marker.mjs"],
  ["-r", "./marker.cjs"],
];

/** A folder with files that write a file "marker" if a runtime reads them. */
function trap(): string {
  const cwd = scratch("wasi-words");
  const write = (name: string, text: string): void => fs.writeFileSync(path.join(cwd, name), text);
  write("marker.cjs", 'require("node:fs").writeFileSync(__dirname + "/marker", "");');
  write(
    "marker.mjs",
    'import fs from "node:fs"; fs.writeFileSync(new URL("marker", import.meta.url), "");',
  );
  write("evil.env", "NODE_OPTIONS=--require=./marker.cjs\nSECRET=1\n");
  for (const name of ["evil.json", "node.config.json"]) {
    write(name, '{ "nodeOptions": { "import": ["./marker.cjs"] } }');
  }
  return cwd;
}

/** The command as npm installs it, with `node` this runtime. */
function installed(): { bin: string; program: string } {
  const folder = scratch("wasi-installed");
  for (const name of ["bin", "esm", "node_modules/.bin"]) {
    fs.mkdirSync(path.join(folder, name), { recursive: true });
  }
  fs.writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  fs.copyFileSync(
    path.join(root, "scripts/package/wasi"),
    path.join(folder, "bin/wasi.js"),
  );
  fs.chmodSync(path.join(folder, "bin/wasi.js"), 0o755);
  const cli = pathToFileURL(command.at(-1)!).href;
  fs.writeFileSync(path.join(folder, "esm/cli.js"), `import ${JSON.stringify(cli)};`);
  const bin = path.join(folder, "node_modules/.bin");
  fs.symlinkSync("../../bin/wasi.js", path.join(bin, "wasi"));
  fs.symlinkSync(process.execPath, path.join(bin, "node"));
  return { bin, program: path.join(bin, "wasi") };
}

interface Started {
  code: number | null;
  out: string;
  err: string;
}

/** Starts the installed command. */
function start(words: readonly string[], cwd: string, bin: string): Started {
  const { status, stdout, stderr } = spawnSync("wasi", words, {
    cwd,
    encoding: "utf8",
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: path.join(root, "node_modules/.cache/node"),
    },
  });
  return { code: status, out: stdout, err: stderr };
}

function shown(words: readonly string[]): string {
  return words.map((word) => `[${word}]\n`).join("");
}

// only Node looks at the words of its scripts, and Deno is not started by this launcher
if (runtime.startsWith("node")) {
  test("Node applies nothing that the program's words name", options, () => {
    const cwd = trap();
    const { bin } = installed();
    // what is to be seen if one is applied
    spawnSync(process.execPath, ["--env-file=evil.env", "-e", "0"], { cwd });
    assert.ok(fs.existsSync(path.join(cwd, "marker")));
    fs.rmSync(path.join(cwd, "marker"));
    for (const limits of [[], ["--timeout=60s"]]) {
      for (const words of WORDS) {
        const ran = start([...limits, show, ...words], cwd, bin);
        assert.deepEqual(ran, { code: 0, out: shown(["show.wasm", ...words]), err: "" });
        assert.equal(fs.existsSync(path.join(cwd, "marker")), false, words.join(" "));
        const { out } = start([...limits, "--env-inherit", show, "env", ...words], cwd, bin);
        assert.doesNotMatch(out, /SECRET|NODE_OPTIONS/);
      }
    }
  });

  test("the launcher passes every word on as it is", options, () => {
    const { bin } = installed();
    const words = [
      "",
      " ",
      "a b",
      'it\'s "quoted"',
      "$HOME `id` $(id) \\ \\\\ !",
      "*",
      "new\nline",
      "~",
      ":",
      "--",
      "--marked",
      "--timed",
      "ä 日本 🦀",
      "${1}",
    ];
    for (const limits of [[], ["--timeout=60s"]]) {
      const { code, out, err } = start([...limits, show, ...words], root, bin);
      assert.deepEqual({ code, out, err }, {
        code: 0,
        out: shown(["show.wasm", ...words]),
        err: "",
      });
    }
    const many = Array.from({ length: 3000 }, (_, i) => `word ${i}`);
    assert.equal(start([show, ...many], root, bin).out, shown(["show.wasm", ...many]));
    const none = start([], root, bin);
    assert.deepEqual(none, {
      code: 2,
      out: "",
      err: "wasi: which program? Give a FILE (.wasm or .wat); see wasi --help\n",
    });
    const inner = start(["--marked", show], root, bin);
    assert.match(inner.err, /^wasi: --marked: there is no such option/);
  });
}

test(
  "the process that --timeout starts applies nothing of the program's words",
  options,
  async () => {
    const cwd = trap();
    // Node itself reads these, before the command begins: SECURITY.md says how it is started then
    const own = runtime.startsWith("node");
    const words = WORDS.filter(([word]) => !own || !/^--(env|experimental)/.test(word!));
    await each(words, async (words) => {
      const { code, out, err } = await wasi(["--timeout=60s", show, ...words], { cwd });
      assert.deepEqual({ code, out, err }, {
        code: 0,
        out: shown(["show.wasm", ...words]),
        err: "",
      });
      assert.equal(fs.existsSync(path.join(cwd, "marker")), false, words.join(" "));
    });
  },
);
