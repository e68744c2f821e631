/** `wasi completion`: what shells make of its scripts. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { OPTIONS } from "../../cli/options.ts";
import { wasi } from "../support/command.ts";
import { scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };

/** What is typed, and the words that it can become. */
const TYPED: [line: string, words: string[]][] = [
  ["wasi --confin", ["--confine"]],
  ["wasi --confine ker", ["kernel"]],
  ["wasi --confine=w", ["walk"]],
  ["wasi --trace=cl", ["clock"]],
  ["wasi run --max-ope", ["--max-open-files"]],
  ["wasi --env A=1 --tmp --max-di", ["--max-disk"]],
  ["wasi --dir fol", ["folder"]],
  ["wasi --dir=fol", ["folder"]],
  ["wasi --stdin fil", ["file.txt"]],
  ["wasi ins", ["inspect"]],
  ["wasi completion fi", ["fish"]],
  // FILE ends the options, and a value is none
  ["wasi x.wasm --confin", []],
  ["wasi --dir x x.wasm --confin", []],
  ["wasi -W simd x.wasm --confin", []],
];

/** A folder with the script of a shell. */
async function prepare(shell: string): Promise<string> {
  const cwd = scratch("wasi-completion");
  const { code, out, err } = await wasi(["completion", shell]);
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  fs.writeFileSync(path.join(cwd, "script"), out);
  fs.mkdirSync(path.join(cwd, "folder"));
  fs.writeFileSync(path.join(cwd, "file.txt"), "");
  return cwd;
}

function run(shell: string, parameters: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(shell, parameters, { cwd, encoding: "utf8" });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  return stdout;
}

function installed(shell: string): boolean {
  return spawnSync(shell, ["-c", "true"]).error === undefined;
}

test("bash completes what the script says", options, async () => {
  const cwd = await prepare("bash");
  for (const [line, expected] of TYPED) {
    const out = run("bash", [
      "--norc",
      "-c",
      // outside of a prompt bash has no options of a completion
      `compopt() { :; }; source ./script; COMP_LINE=$1 COMP_POINT=\${#1}; _wasi
       printf '%s\\n' "\${COMPREPLY[@]}"`,
      "bash",
      line,
    ], cwd);
    assert.deepEqual(out.split("\n").filter((word) => word !== ""), expected, line);
  }
  assert.equal(
    run("bash", ["--norc", "-c", "source ./script; complete -p wasi"], cwd).trim(),
    "complete -o default -F _wasi wasi",
  );
});

test("fish completes what the script says", options, async (t) => {
  if (!installed("fish")) return t.skip("there is no fish");
  const cwd = await prepare("fish");
  for (const [line, expected] of TYPED) {
    const out = run("fish", ["--no-config", "-c", `source ./script; complete -C '${line}'`], cwd);
    const words = out.split("\n").map((word) => word.split("\t")[0]!.replace(/^--\w+=|\/$/g, ""));
    assert.deepEqual(words.filter((word) => word !== ""), expected, line);
  }
});

test("zsh completes what the script says", options, async (t) => {
  if (!installed("zsh")) return t.skip("there is no zsh");
  const cwd = await prepare("zsh");
  run("zsh", ["-f", "-n", "script"], cwd);
  fs.writeFileSync(
    path.join(cwd, "drive"),
    `zmodload zsh/zpty
zpty z zsh -f -i
get() { local out; sleep $1; text=; while zpty -r -t z out; do text+=$out; done }
zpty -w z 'autoload -Uz compinit && compinit -u -D; source ./script; setopt no_beep; wasi() { print -r -- "<\${(j: :)@}>" }'
get 2
for line; do
  zpty -w -n z "$line"$'\\t'; sleep 0.5; zpty -w -n z $'\\C-m'
  get 0.5
  print -r -- \${\${\${(M)\${(f)text}:#*\\<*\\>*}##*\\<}%%\\>*}
done
zpty -d z
`,
  );
  const lines = TYPED.map(([line]) => line);
  const expected = TYPED.map(([line, [word]]) => {
    const whole = word === undefined ? line : line.replace(/[^ =]*$/, word);
    return whole.slice("wasi ".length);
  });
  // a busy machine may be late
  for (let tries = 1;; tries++) {
    const said = run("zsh", ["-f", "drive", ...lines], cwd).trimEnd().split("\n")
      .map((line) => line.replace(/\/$/, ""));
    if (tries < 3 && said.join() !== expected.join()) continue;
    assert.deepEqual(said, expected);
    return;
  }
});

test("scripts know every option, and no other shell has one", options, async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { out } = await wasi(["completion", shell]);
    const dashes = shell === "fish" ? "-l " : "--";
    for (const [name, { hidden }] of Object.entries(OPTIONS)) {
      assert.equal(new RegExp(`${dashes}${name}(?![\\w-])`).test(out), !hidden, `${shell} ${name}`);
    }
  }
  const wrong: [string[], string][] = [
    [["completion"], "completion: use wasi completion bash|zsh|fish"],
    [["completion", "bash", "zsh"], "completion: use wasi completion bash|zsh|fish"],
    [["completion", "tcsh"], "completion tcsh: there are bash, zsh, fish"],
    [["completion", "constructor"], "completion constructor: there are bash, zsh, fish"],
  ];
  for (const [words, line] of wrong) {
    const { code, out, err } = await wasi(words);
    assert.deepEqual({ code, out, err }, { code: 2, out: "", err: `wasi: ${line}\n` });
  }
});
