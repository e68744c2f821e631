/** Components: programs of WASI 0.2 run as modules do. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { canSuspend } from "../../mod.ts";
import { type CommandOptions, each, freePort, wasi } from "../support/command.ts";
import { root, scratch, windows } from "../support/harness.ts";

const options = { timeout: 120_000 };
const program = path.join(root, "tests/components/wat/command.wasm");
const values = path.join(root, "tests/components/wat/values.wasm");

/** Words, and what comes of them. */
type Case = [
  words: string[],
  expected: { code: number; out?: string; err?: string | RegExp },
  how?: CommandOptions,
];

async function runs(cases: readonly Case[]): Promise<void> {
  await each(cases, async ([words, { code, out = "", err = "" }, how]) => {
    const ran = await wasi(words, how);
    assert.deepEqual({ code: ran.code, out: ran.out }, { code, out }, `${words}: ${ran.err}`);
    if (typeof err === "string") assert.equal(ran.err, err, `${words}`);
    else assert.match(ran.err, err, `${words}`);
  });
}

test("arguments, variables, directories and the clock", options, async () => {
  const cwd = scratch("wasi-cli");
  fs.mkdirSync(path.join(cwd, "data"));
  const mounts = ["--dir", "data", "--dir", "data::/d", "--overlay", "data::/o", "--tmp"];
  await runs([
    [[program, "a", "b c", "--dir", ""], { code: 0, out: "command.wasm\na\nb c\n--dir\n\n" }],
    [["run", "--argv0", "me", program, "--", "a"], { code: 0, out: "me\na\n" }],
    [["-", "a"], { code: 0, out: "-\na\n" }, { input: fs.readFileSync(program) }],
    [[program, "v"], { code: 0 }, { env: { SECRET: "1" } }],
    [["--env", "A=1", "--env", "B==", program, "v"], { code: 0, out: "A=1\nB==\n" }],
    [[program, "d"], { code: 0 }],
    [[...mounts, program, "d"], { code: 0, out: "data\n/d\n/o\n/tmp\n" }, { cwd }],
    [["--clock", "2026-01-31", program, "c"], { code: 0, out: "1769817600\n" }],
    [["--deterministic", program, "c"], { code: 0, out: "946684800\n" }],
  ]);
});

test("exit codes, traps and limits", options, async () => {
  const cwd = scratch("wasi-cli");
  fs.copyFileSync(program, path.join(cwd, "c.wasm"));
  await runs([
    [[program, "n"], { code: 0 }],
    [[program, "f"], { code: 1 }],
    [[program, "x"], { code: 7 }],
    [[program, "o"], { code: 0 }],
    [[program, "t"], { code: 134, err: /^wasi: the program trapped: .+\n {2}at trap\b/ }],
    [[program, "r"], { code: 134, err: /^wasi: the program trapped: .+\n(?: .*\n)* {2}at deep\b/ }],
    [["--timeout", "60s", program, "x"], { code: 7 }],
    [["--timeout", "1s", program, "l"], {
      code: 124,
      err: "wasi: the program timed out after 1 s\n",
    }],
    [[program, "m"], { code: 0 }],
    [["--max-memory", "1M", program, "m"], { code: 1 }],
    [["--max-memory", "8M", program, "m"], { code: 0 }],
    [["--max-memory=64K", "c.wasm", "m"], {
      code: 1,
      err: "wasi: c.wasm: it needs more memory than --max-memory=65536 allows\n",
    }, { cwd }],
    // each error that it is given it keeps
    [["--max-output", "5", program, "w"], { code: 134, out: "\n\n\n\n\n", err: /handles/ }],
  ]);
});

test("--trace shows each call, or those of a kind, on standard error", options, async () => {
  const all: [kinds: string[], calls: string[]][] = [
    [["--trace"], ["environment get-arguments", "stdout get-stdout", "exit exit-with-code"]],
    [["--trace=args"], ["environment get-arguments"]],
    [["--trace=fs"], ["stdout get-stdout"]],
    [["--trace=proc,poll", "--trace=args"], ["environment get-arguments", "exit exit-with-code"]],
    [["--trace=clock"], []],
  ];
  await each(all, async ([kinds, calls]) => {
    const { code, out, err } = await wasi([...kinds, program, "x"]);
    assert.deepEqual({ code, out }, { code: 7, out: "" });
    const begun = [...err.matchAll(/^==> wasi:cli\/([^(]*)/gm)].map(([, call]) => call);
    assert.deepEqual(begun, calls, `${kinds}`);
    assert.equal([...err.matchAll(/^<== /gm)].length, calls.length);
  });
});

test("V8 tells which function of which module trapped", options, async () => {
  if ("Bun" in globalThis) return;
  await runs([
    [[program, "t"], {
      code: 134,
      err: /\n {2}at trap \(function \d+, byte 0x[0-9a-f]+\)\n {2}at wasi:cli\/run@0\.2\.0#run \(f/,
    }],
  ]);
});

test("a reader that is gone ends it quietly", options, async () => {
  if (windows) return; // there is no shell
  const shell = '{ "$@"; echo "code $?" >&2; } | head -1';
  await runs([[[program, "w"], { code: 0, out: "\n", err: "code 141\n" }, { shell }]]);
});

test("what a component cannot be given, and what is no program, is one line", options, async () => {
  const cwd = scratch("wasi-cli");
  const bytes = fs.readFileSync(program);
  const write = (name: string, content: Uint8Array) =>
    fs.writeFileSync(path.join(cwd, name), content);
  write("c.wasm", bytes);
  write("values.wasm", fs.readFileSync(values));
  write("cut.wasm", bytes.subarray(0, 4000));
  const from = bytes.indexOf("wasi:clocks/wall-clock");
  write("alien.wasm", Buffer.from(bytes).fill("wasi:clocks/wild-clock", from, from + 22));
  // the type of a function, in the module
  const code = bytes.indexOf("cabi_realloc");
  write("broken.wasm", Buffer.from(bytes).fill(0xff, code + 20, code + 30));
  const said: [words: string[], code: number, line: string | RegExp][] = [
    [
      ["--threads", "c.wasm"],
      2,
      "--threads: not for a component; only modules of preview1 have threads",
    ],
    [["-S", "threads", "c.wasm"], 2, /^--threads: not for a component/],
    [["-S", "udp=n", "c.wasm"], 2, /^-S udp=n: there are inherit-env, inherit-network, /],
    [
      ["--network", "a b", "c.wasm"],
      2,
      /^--network a b: it must be HOST or HOST:PORT/,
    ],
    [
      ["values.wasm"],
      1,
      "values.wasm: it exports no wasi:cli/run; use --invoke NAME to call one of its functions",
    ],
    [["cut.wasm"], 1, /^cut\.wasm: the component is not valid: /],
    [
      ["alien.wasm"],
      1,
      "alien.wasm: the component cannot be linked: it imports wasi:clocks/wild-clock@0.2.0, which is not available",
    ],
    [["broken.wasm"], 1, /^broken\.wasm: the engine rejects a module of this component: /],
  ];
  await runs(said.map(([words, code, line]): Case => {
    const err = typeof line === "string"
      ? `wasi: ${line}\n`
      : new RegExp(`^wasi: ${line.source.replace(/^\^/, "")}.*\\n$`);
    return [words, { code, err }, { cwd }];
  }));
});

test("--invoke calls functions with values in WAVE's notation", options, async () => {
  const all = "{a-bool: true, small: -128, byte: 255, short: -5, word: 65535, int: -2147483648, " +
    "natural: 4294967295, long: -9223372036854775808, big: 18446744073709551615, single: 0.1, " +
    "double: -inf, letter: '\u{1f600}', title: \"\\n\\u{0}\", " +
    'points: [{x: 1}, {x: 2, y: some(3)}], pair: (7, "p"), shape: %ok({x: 5}), color: %none, ' +
    'rights: {read, run-it}, nested: some(none), outcome: err("e"), done: ok}';
  const echo = "test:values/echo@1.2.3";
  await runs([
    [["--invoke", "add-all", values, "[1, 2, 65535]"], { code: 0, out: "65538\n" }],
    [["--invoke", "add-all", values, "[]"], { code: 0, out: "0\n" }],
    [["--invoke", "favorite", values], { code: 0, out: "%none\n" }],
    [["--invoke", "echo#add", values, "1", "2"], { code: 0, out: "3\n" }],
    [["--invoke", "test:values/twice#add", values, "1", "2"], { code: 0, out: "6\n" }],
    [["--invoke", `${echo}#add`, values, "1", "2"], { code: 0, out: "3\n" }],
    [["--invoke", "say", values, '"a\\"b"'], { code: 0, out: '"a\\"b"\n' }],
    [["--invoke", "half", values, "0.2"], { code: 0, out: "0.1\n" }],
    [["--invoke", "parse", values, "9"], { code: 0, out: "ok(9)\n" }],
    [["--invoke", "parse", values, "0"], { code: 0, out: "err(dark-green)\n" }],
    [["--invoke", "sum", values, "1"], { code: 0, out: "1\n" }],
    [["--invoke", "sum", values, "1", "none"], { code: 0, out: "1\n" }],
    [["--invoke", "sum", values, "1", "2"], { code: 0, out: "3\n" }],
    [["--invoke", "sum(1, some(2))", values], { code: 0, out: "3\n" }],
    [["--invoke", "nothing", values], { code: 0 }],
    [["--invoke", "same", values, all], { code: 0, out: `${all}\n` }],
    [["--timeout", "20s", "--invoke", "echo#add", values, "--", "1", "2"], { code: 0, out: "3\n" }],
    [["--invoke", "trap", values], {
      code: 134,
      err: /^wasi: the program trapped: .+\n {2}at broken/,
    }],
    [["--invoke", "run", program, "x"], {
      code: 1,
      err: "wasi: --invoke run: it takes none and 1 were given; pass them after FILE\n",
    }],
    [["--invoke", "run", program], { code: 0, out: "ok\n" }],
  ]);
});

test("--invoke tells which argument is wrong and what it must be", options, async () => {
  const said: [words: string[], line: string][] = [
    [
      ["add", values, "1", "2"],
      "add: several functions have this name; use test:values/echo@1.2.3#add, test:values/twice@1.2.3#add",
    ],
    [
      ["echo#add", values, "1", "x"],
      "echo#add: argument other (u32): x is not valid: it must be a whole number from 0 to 4294967295",
    ],
    [
      ["echo#add", values, "1", "-1"],
      "echo#add: argument other (u32): -1 is not valid: it must be a whole number from 0 to 4294967295",
    ],
    [
      ["echo#add", values, "1"],
      "echo#add: it takes 2 (one: u32, other: u32) and 1 were given; pass them after FILE",
    ],
    [
      ["echo#add", values, "1", "2", "3"],
      "echo#add: it takes 2 (one: u32, other: u32) and 3 were given; pass them after FILE",
    ],
    [
      ["add-all", values, "[1, 2"],
      'add-all: argument numbers (list<u16>): [1, 2 is not valid: "]" must come at its end',
    ],
    [
      ["add-all", values, "[1, 65536]"],
      "add-all: argument numbers (list<u16>): [1, 65536] is not valid: it must be a whole number from 0 to 65535, at 65536]",
    ],
    [
      ["say", values, "text"],
      'say: argument text (string): text is not valid: it must be text in double quotes, as "text"',
    ],
    [
      ["say", values, '"a" b'],
      'say: argument text (string): "a" b is not valid: it has more than the value, at b',
    ],
    [
      ["nowhere", program],
      "nowhere: command.wasm has no such function; there are wasi:cli/run@0.2.0#run",
    ],
    [
      ["twice#say", values, '""'],
      "twice#say: values.wasm has no such function; wasi inspect values.wasm lists what it has",
    ],
    [["open", values, "1"], "open: a value of type box cannot be given or shown"],
    [
      ["[method]box.content", values, "1"],
      "[method]box.content: a value of type borrow<box> cannot be given or shown",
    ],
    [["sum(1)", values, "2"], "sum: its values stand in the brackets; leave out 2"],
  ];
  const cwd = path.dirname(program);
  const short = (word: string): string => path.isAbsolute(word) ? path.basename(word) : word;
  await runs(said.map(([words, line]): Case => [
    ["--invoke", ...words.map(short)],
    { code: 1, err: `wasi: --invoke ${line}\n` },
    { cwd },
  ]));
});

test("--network lets a component connect, and nothing else does", options, async () => {
  const guest = path.join(root, "tests/components/sockets.wasm");
  const module = path.join(root, "tests/guests/tool.wasm");
  const call = ["connect", "127.0.0.1", "1", "text"];
  await runs([
    [["--network", "127.0.0.1", module], {
      code: 2,
      err: /^wasi: --network: only for a component/,
    }],
    [[guest, ...call], { code: 1, out: "connect: access-denied\n" }],
    [["--network", "127.0.0.1:2", guest, ...call], { code: 1, out: "connect: access-denied\n" }],
  ]);
  // nobody listens there
  const ran = await wasi(["--network", "127.0.0.1:1", guest, ...call]);
  const answer = canSuspend() ? "connection-refused" : "not-supported";
  assert.deepEqual([ran.code, ran.out], [1, `connect: ${answer}\n`]);
});

test("--listen and wasmtime's settings for the network", options, async () => {
  const guest = path.join(root, "tests/components/sockets.wasm");
  const on = (port: number) => [guest, "serve", "127.0.0.1", String(port), "0"];
  const serve = on(0);
  const port = await freePort();
  const resolve = [guest, "resolve", "localhost"];
  const denied = /^1: (bind|resolve): access-denied\n$/;
  const granted = (out: RegExp): RegExp => canSuspend() ? out : /^1: \w+: not-supported\n$/;
  const cases: [words: string[], said: RegExp][] = [
    [serve, denied],
    [["--listen", "127.0.0.2:0", ...serve], denied],
    [["--listen", "127.0.0.1:0", ...serve], granted(/^0: \d+\n/)],
    // the port is left to the component
    [["--listen", `127.0.0.1:${port}`, ...on(port)], granted(new RegExp(`^0: ${port}\n`))],
    [["--listen", `127.0.0.1:${port}`, ...serve], denied],
    [["-S", "inherit-network", ...serve], granted(/^0: \d+\n/)],
    [["-S", "inherit-network=n,tcp,udp", ...serve], denied],
    [resolve, denied],
    [["-S", "inherit-network", ...resolve], denied],
    [["-S", "allow-ip-name-lookup", ...resolve], granted(/^0: (.*\n)*127\.0\.0\.1\n/)],
    [["-S", "inherit-network,allow-ip-name-lookup", ...resolve], granted(/127\.0\.0\.1\n/)],
  ];
  await each(cases, async ([words, said]) => {
    const { code, out } = await wasi(words);
    assert.match(`${code}: ${out}`, said, words.join(" "));
  });
});
