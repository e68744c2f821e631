/** What the command takes for its own and what it leaves to the program; what it refuses, and how. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { OPTIONS } from "../../cli/options.ts";
import { each, guest, wasi } from "../support/command.ts";
import { root, runtime, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };
const show = guest("show");

/** Words, and the one line that is said of them. */
const REFUSED: [words: string[], line: string][] = [
  [[], "which program? Give a FILE (.wasm or .wat); see wasi --help"],
  [["run"], "which program? Give a FILE (.wasm or .wat); see wasi --help"],
  [["--"], "which program? Give a FILE (.wasm or .wat); see wasi --help"],
  [[""], "which program? Give a FILE (.wasm or .wat); see wasi --help"],
  [["inspect"], "which program? Give a FILE (.wasm or .wat); see wasi --help"],
  [["inspect", "a", "b"], "b: inspect takes one FILE"],
  [["inspect", "--dir", ".", "a"], "--dir: inspect has no options; use wasi inspect FILE"],
  [["--dri", ".", "a"], "--dri: there is no such option; did you mean --dir? see wasi --help"],
  [["--nonsense", "a"], "--nonsense: there is no such option; see wasi --help"],
  [["-x", "a"], "-x: there is no such option; see wasi --help"],
  [["---", "a"], "---: there is no such option; see wasi --help"],
  [["--=", "a"], "--=: there is no such option; see wasi --help"],
  [["--constructor", "a"], "--constructor: there is no such option; see wasi --help"],
  [["--bad\u001b[31m\n", "a"], "--bad\\x1b[31m\\x0a: there is no such option; see wasi --help"],
  [["--dir"], "--dir: its value is missing: use --dir HOST[::GUEST[::ro]]"],
  [
    ["--dir", "--env", "A=1", "a"],
    "--dir: its value is missing: use --dir HOST[::GUEST[::ro]]; " +
    "for one that begins with a dash --dir=VALUE",
  ],
  [["-W"], "-W: its value is missing: use -W NAME[=VALUE]"],
  [["--dir=", "a"], "--dir : it must be HOST, HOST::GUEST or HOST::GUEST::ro"],
  [["--dir", "::/x", "a"], "--dir ::/x: it must be HOST, HOST::GUEST or HOST::GUEST::ro"],
  [["--dir", "a::b::no", "a"], "--dir a::b::no: it must be HOST, HOST::GUEST or HOST::GUEST::ro"],
  [["--overlay", "a::b::ro", "a"], "--overlay a::b::ro: it must be HOST or HOST::GUEST"],
  [["-mount", ":/x", "a"], "--mount :/x: it must be HOST, HOST:GUEST or HOST:GUEST:ro"],
  [
    ["--dir", ".::/a", "--tmp=/a", "a"],
    "--tmp=/a: the guest path /a is used already (--dir .::/a); choose another",
  ],
  [
    ["--mapdir", "/data::./here", "a"],
    "--mapdir /data::./here: wasmtime replaced it with --dir, where the host's path comes " +
    "first: use --dir ./here::/data",
  ],
  [["--tmp=", "a"], "--tmp=: it must be --tmp or --tmp=GUEST"],
  [["--env", "=x", "a"], "--env =x: it must be NAME or NAME=VALUE"],
  [["--env-inherit=perhaps", "a"], "--env-inherit=perhaps: it takes no value; use --env-inherit"],
  [["--timeout", "soon", "a"], "--timeout=soon: it must be a time such as 10s, 500ms or 1m30s"],
  [["--timeout=0", "a"], "--timeout=0: it must be a time such as 10s, 500ms or 1m30s"],
  [["--timeout=-1s", "a"], "--timeout=-1s: it must be a time such as 10s, 500ms or 1m30s"],
  [["-W", "timeout", "a"], "-W timeout=: it must be a time such as 10s, 500ms or 1m30s"],
  [
    ["--wasm", "max-memory-size=much", "a"],
    "--wasm max-memory-size=much: it must be a number such as 1000, 64K or 1G",
  ],
  [
    ["-Wmax-wasm-stack", "a"],
    "-W max-wasm-stack=: it must be a number such as 1000, 64K or 1G",
  ],
  [
    ["-W", "fuel=7", "a"],
    "-W fuel=7: there are timeout=TIME, max-memory-size=SIZE, max-wasm-stack=SIZE, and features " +
    "such as simd",
  ],
  [["-W", "simd=some", "a"], "-W simd=some: it must be y or n"],
  [
    ["-S", "http", "a"],
    '-S http: use --network HOST, or --network "*" for every host',
  ],
  [
    ["-S", "threads=two", "a"],
    "-S threads=two: there are inherit-env, inherit-network, allow-ip-name-lookup, threads and cli",
  ],
  [["--threads=two", "a"], "--threads=two: it must be a number such as 1000, 64K or 1G"],
  [
    ["-listen", "0.0.0.0", "a"],
    "--listen 0.0.0.0: it must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080",
  ],
  [["--max-disk", "1.5G", "a"], "--max-disk=1.5G: it must be a number such as 1000, 64K or 1G"],
  [["--max-files=x", "a"], "--max-files=x: it must be a number such as 1000, 64K or 1G"],
  [["--seed", "x", "a"], "--seed=x: it must be a whole number such as 42, below 2^64"],
  [
    ["--clock", "noon", "a"],
    "--clock=noon: it must be nanoseconds since 1970, or a date from then on such as " +
    "2026-01-31T12:00:00Z",
  ],
  [
    ["--clock=1969-12-31", "a"],
    "--clock=1969-12-31: it must be nanoseconds since 1970, or a date from then on such as " +
    "2026-01-31T12:00:00Z",
  ],
  [["--trace=fs,socks", "a"], "--trace=fs,socks: there are all, args, clock, fs, poll, proc, sock"],
  [["--confine", "hard", "a"], "--confine=hard: there are kernel, walk and checked"],
  [["--preload", "a=b", "a"], "--preload a=b: one module is run alone; link them into one"],
  [["--__proto__", "a"], "--__proto__: there is no such option; see wasi --help"],
  [
    ["--max-output", "-1", "a"],
    "--max-output: its value is missing: use --max-output SIZE; " +
    "for one that begins with a dash --max-output=VALUE",
  ],
  [["--max-output=all", "a"], "--max-output=all: it must be a number such as 1000, 64K or 1G"],
  [
    ["--max-open-files=-1", "a"],
    "--max-open-files=-1: it must be a number such as 1000, 64K or 1G",
  ],
  [["--max-memory=much", "a"], "--max-memory=much: it must be a number such as 1000, 64K or 1G"],
  [["--invoke", "f", "--threads", show], "--invoke: not with --threads"],
];

test("what cannot be is refused with 2, in one line that says what to do", options, async () => {
  await each(REFUSED, async ([words, line]) => {
    const { code, out, err } = await wasi(words);
    assert.deepEqual({ code, out, err }, { code: 2, out: "", err: `wasi: ${line}\n` });
  });
});

test("what cannot be done ends with 1, in one line that names the option", options, async () => {
  const folder = scratch("wasi-cli");
  const config = path.join(folder, "wasmtime.toml");
  fs.writeFileSync(config, "# stack\n[wasm]\nmax-wasm-stack = [1]\n");
  const failing: [string[], string][] = [
    [["/none.wasm"], "/none.wasm: there is no such file or directory"],
    [[root], `${root}: it is a directory`],
    [[`${show}/x`], `${show}/x: it is not a directory`],
    [["--dir", "/none", show], "--dir /none: there is no such directory; create it first"],
    [["--dir", show, show], `--dir ${show}: it is not a directory`],
    [["--mount=/none:/", show], "--mount /none:/: there is no such directory; create it first"],
    [["--overlay=/none", show], "--overlay /none: there is no such directory; create it first"],
    [["--stdin", "/none", show], "--stdin /none: there is no such file or directory"],
    [["--stdin", root, show], `--stdin ${root}: it is a directory`],
    [["--config", "/none", show], "--config /none: there is no such file or directory"],
    ...[["-W", "max-memory-size=64K"], ["--max-memory=64K"]].map((words): [string[], string] => [
      [...words, show],
      `${show}: it begins with 16842752 bytes of memory, but the limit is 65536; ` +
      "use at least --max-memory=16842752",
    ]),
  ];
  // Node looks for --env-file among the words of its scripts, too, and ends without such a file
  if (!runtime.startsWith("node")) {
    failing.push([
      ["--env-file", "/none", "a"],
      "--env-file /none: there is no such file or directory",
    ]);
  }
  await each(failing, async ([words, line]) => {
    const { code, out, err } = await wasi(words);
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.equal(err, `wasi: ${line}\n`);
  });
  // a file of settings is as wrong as the words would be
  const settings = await wasi(["--config", config, show]);
  assert.deepEqual({ code: settings.code, err: settings.err }, {
    code: 2,
    err: `wasi: --config ${config}: line 3 is neither a group such as [wasm] nor name = value\n`,
  });
});

/** What the guest shows of its arguments. */
async function argumentsOf(words: string[]): Promise<string[]> {
  const { code, out, err } = await wasi(words);
  assert.equal(code, 0, err);
  assert.equal(err, "");
  return out.split("\n").filter((line) => line !== "").map((line) => line.slice(1, -1));
}

test("options end at FILE: what comes after it is the guest's", options, async () => {
  const ours = ["--dir", "/none", "--env", "A", "-W", "timeout=x", "--help", "-", "--nonsense"];
  const forms: [words: string[], args: string[]][] = [
    [[show], []],
    [[show, ...ours], ours],
    [["run", show, ...ours], ours],
    [["--", show, ...ours], ours],
    [[show, "--", ...ours], ours],
    [[show, "--", "--", "a"], ["--", "a"]],
    [["run", "--", show, "--", "a", "--"], ["a", "--"]],
    [[show, "a", "--", "b"], ["a", "--", "b"]],
    [[show, "", " ", "ä 日本 🦀", 'a"b\\c', "*"], ["", " ", "ä 日本 🦀", 'a"b\\c', "*"]],
    [["--tmp", show, "--tmp"], ["--tmp"]],
    [["--argv0=show.wasm", "--trace=sock", show, "run"], ["run"]],
  ];
  await each(forms, async ([words, args]) => {
    assert.deepEqual(await argumentsOf(words), ["show.wasm", ...args]);
  });
});

test("the program's name is its file's, or what --argv0 says", options, async () => {
  const folder = scratch("wasi-cli");
  for (const name of ["run", "inspect", "help", "-odd", "no suffix"]) {
    fs.copyFileSync(show, path.join(folder, name));
  }
  const forms: [words: string[], name: string][] = [
    [["run", "run"], "run"],
    [["./run"], "run"],
    [["--tmp", "run"], "run"],
    [["run", "inspect"], "inspect"],
    [["run", "help"], "help"],
    [["./-odd"], "-odd"],
    [["no suffix"], "no suffix"],
    [["--argv0", "other name", "run"], "other name"],
    [["--argv0=", "run", "run"], ""],
    [["--argv0=--dir", "./run"], "--dir"],
    [["run", "--", "-odd"], "-odd"],
  ];
  // Bun takes a "--" away that comes before all else
  if (runtime !== "bun") {
    for (const name of ["run", "inspect", "help", "-odd"]) forms.push([["--", name], name]);
  }
  await each(forms, async ([words, name]) => {
    const { out, err } = await wasi(words, { cwd: folder });
    assert.equal(err, "");
    assert.equal(out.split("\n")[0], `[${name}]`);
  });
});

test("wasmtime's, wazero's and their files' spellings are taken", options, async () => {
  const folder = scratch("wasi-cli");
  fs.writeFileSync(
    path.join(folder, "wasmtime.toml"),
    '# as CPython has it\n[wasm]\nmax-wasm-stack = 33_554_432 # bytes\ntimeout = "20s"\n\n' +
      "[wasi]\ninherit-env = true\n[optimize]\nopt-level = 2\n",
  );
  const forms: string[][] = [
    ["-W", "max-wasm-stack=16777216"],
    ["--wasm", "max-wasm-stack=16777216", "--wasi", "cli=y"],
    ["-Wmax-wasm-stack=0x1000000,simd,threads=n", "-Scommon,http=n", "-S=preview2"],
    ["-C", "cache=n", "-O", "opt-level=2", "-D", "debug-info", "-C=cranelift-x=y"],
    ["-mount", `${folder}:/`, "-env-inherit", "-cachedir", `${folder}/wazero`, "-timeout=20s"],
    ["-env-inherit=true", "--env-inherit=false", "-env=A=B"],
    ["--config", "wasmtime.toml", "--wasm", "timeout=1m30s"],
  ];
  await each(forms, async (words) => {
    const { code, out, err } = await wasi([...words, show], { cwd: folder });
    assert.deepEqual({ code, out, err }, { code: 0, out: "[show.wasm]\n", err: "" });
  });
});

test("--help and --version say so, to standard output", options, async () => {
  const { version } = JSON.parse(fs.readFileSync(path.join(root, "jsr.json"), "utf8"));
  await each([["--version"], ["-V"], ["run", "-version", "none"]], async (words) => {
    const { code, out, err } = await wasi(words);
    assert.deepEqual({ code, out, err }, { code: 0, out: `wasi ${version}\n`, err: "" });
  });
  const { out: help } = await wasi(["--help"]);
  await each([["-h"], ["help"], ["run", "--help"], ["inspect", "--help"]], async (words) => {
    const { code, out, err } = await wasi(words);
    assert.deepEqual({ code, out, err }, { code: 0, out: help, err: "" });
  });
  for (const line of help.split("\n")) assert.ok(line.length <= 105, line);
});

test("every option is in the help, and the help names no other", options, async () => {
  const unknown = new Set(["preload", "hostlogging", "mapdir"]);
  const known = Object.keys(OPTIONS).filter((name) => !unknown.has(name));
  const { out } = await wasi(["--help"]);
  const named = new Set([...out.matchAll(/--([a-z0-9-]+)/g)].map((match) => match[1]!));
  assert.deepEqual([...named].sort(), known.sort());
});
