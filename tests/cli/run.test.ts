/** What the command's options give a program, and what they keep from it. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { devNull } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { each, guest, wasi } from "../support/command.ts";
import { foreign, root, scratch, windows } from "../support/harness.ts";

const options = { timeout: 120_000 };
const show = guest("show");
const tool = guest("tool");

/** A folder with a file. */
function folder(): string {
  const made = scratch("wasi-cli");
  fs.mkdirSync(path.join(made, "data"));
  fs.writeFileSync(path.join(made, "data/in.txt"), "inside\n");
  return made;
}

/** The names in a list that the tool printed. */
function names(out: string): string[] {
  return out.split("\n").map((line) => line.split(" ")[0]!)
    .filter((name) => name !== "" && !name.startsWith(".")).sort();
}

test("nothing is given by default: no directory, no variable", options, async () => {
  const [env, list] = await Promise.all([
    wasi([show, "env"], { env: { SECRET: "1" } }),
    wasi([tool, "list", "."]),
  ]);
  assert.deepEqual({ code: env.code, out: env.out, err: env.err }, { code: 0, out: "", err: "" });
  assert.equal(list.out, "");
  assert.notEqual(list.code, 0);
});

test(
  "--dir, --mount, --overlay and --tmp: what can be seen and what is changed",
  options,
  async () => {
    const cwd = folder();
    const data = path.join(cwd, "data");
    const seen: [words: string[], place: string][] = [
      [["--dir", "data"], "data"],
      [["--dir=data"], "data"],
      [["--dir", data], data],
      [["--dir", "data::/"], "/"],
      [["--dir", "data::/a/b"], "/a/b"],
      [["--dir", "data::.", "--tmp"], "."],
      [["--dir", "data::/::ro"], "/"],
      [["--dir", "data::::ro"], "data"],
      [["--mount", "data"], "data"],
      [["--mount", "data:/"], "/"],
      [["-mount=data:/:ro"], "/"],
      [["--mount", "data:ro"], "data"],
      [["--overlay", "data"], "data"],
      [["--overlay", "data::/"], "/"],
    ];
    await each(seen, async ([words, place]) => {
      const { code, out, err } = await wasi([...words, tool, "list", place], { cwd });
      assert.equal(code, 0, err);
      assert.deepEqual(names(out), ["in.txt"]);
    });
    const written: [words: string[], place: string, code: number, kept: boolean][] = [
      [["--dir", "data::/"], "/1", 0, true],
      [["--dir", "data::/::rw"], "/2", 0, true],
      [["--dir", "data::/::ro"], "/3", 69, false],
      [["--mount", "data:/"], "/4", 0, true],
      [["--mount", "data:/:ro"], "/5", 69, false],
      [["--overlay", "data::/"], "/6", 0, false],
      [["--tmp"], "/tmp/7", 0, false],
      [["--tmp=/"], "/8", 0, false],
      [["--tmp=/a", "--dir", "data::/b"], "/b/9", 0, true],
    ];
    await each(written, async ([words, place, code, kept]) => {
      const ran = await wasi([...words, tool, "write", place, "text"], { cwd });
      assert.equal(ran.code, code, ran.err);
      const file = path.join(data, path.basename(place));
      assert.equal(fs.existsSync(file), kept, `${words}`);
      if (kept) assert.equal(fs.readFileSync(file, "utf8"), "text");
    });
  },
);

test("a program cannot get out of what it is given", options, async () => {
  const cwd = folder();
  fs.symlinkSync("/etc", path.join(cwd, "data/etc"));
  await each(["/../../etc", "/etc", "/etc/../..", "../.."], async (place) => {
    const { code, out } = await wasi(["--dir", "data::/", tool, "list", place], { cwd });
    assert.doesNotMatch(out, /passwd/);
    assert.notEqual(code, 0);
  });
});

test("variables: one by one, from a file, all of them; the nearest wins", options, async () => {
  const cwd = scratch("wasi-cli");
  fs.writeFileSync(
    path.join(cwd, "first.env"),
    "# a comment\nA=file\nB='two words'\n\nexport C=\"x # y\"\nEMPTY=\n",
  );
  fs.writeFileSync(path.join(cwd, "second.env"), "B=second\nHERE=file\n");
  const env = { HERE: "here", OTHER: "a=b" };
  const forms: [words: string[], expected: string[]][] = [
    [["--env", "A=1", "--env", "B=", "--env=C=a=b c", "--env", "HERE"], [
      "A=1",
      "B=",
      "C=a=b c",
      "HERE=here",
    ]],
    [["--env", "A=1", "--env", "A=2"], ["A=2"]],
    [["--env-file", "first.env"], ["A=file", "B=two words", "C=x # y", "EMPTY="]],
    [["--env", "A=nearest", "--env-file=first.env", "--env-file", "second.env"], [
      "A=nearest",
      "B=second",
      "C=x # y",
      "EMPTY=",
      "HERE=file",
    ]],
  ];
  await each(forms, async ([words, expected]) => {
    const { out, err } = await wasi([...words, show, "env"], { cwd, env });
    assert.equal(err, "");
    assert.deepEqual(out.split("\n").slice(0, -1).sort(), expected.map((line) => `[${line}]`));
  });
  const all = [["--env-inherit"], ["-env-inherit"], ["-Sinherit-env"], ["--wasi", "inherit-env=y"]];
  await each(all, async (words) => {
    const { out } = await wasi([...words, "--env", "OTHER=mine", show, "env"], { cwd, env });
    assert.match(out, /^\[HERE=here\]$/m);
    assert.match(out, /^\[OTHER=mine\]$/m);
    assert.match(out, /^\[PATH=.*\]$/im);
    assert.doesNotMatch(out, /a=b/);
  });
  // what is not set here is not set there, as wasmtime has it
  const unset = await wasi(["--env", "NOT_SET", "--env", "HERE", show, "env"], { cwd, env });
  assert.deepEqual({ code: unset.code, out: unset.out, err: unset.err }, {
    code: 0,
    out: "[HERE=here]\n",
    err: "",
  });
  // nor is there anything of the command's own
  const timed = await wasi(["--env-inherit", "--timeout=20s", show, "env"], { cwd, env });
  const plain = await wasi(["--env-inherit", show, "env"], { cwd, env });
  assert.deepEqual(timed.out.split("\n").sort(), plain.out.split("\n").sort());
});

test(
  "no name is special: a variable, a folder and a program called __proto__",
  options,
  async () => {
    const cwd = folder();
    fs.writeFileSync(
      path.join(cwd, "proto.env"),
      "__proto__=first\nexport __proto__ = 'file'\nA=1\n",
    );
    const forms: [words: string[], expected: string[]][] = [
      [["--env", "__proto__=1"], ["[__proto__=1]"]],
      [["--env", "__proto__"], ["[__proto__=here]"]],
      [["--env-file=proto.env"], ["[A=1]", "[__proto__=file]"]],
      [["--env-file=proto.env", "--env=__proto__="], ["[A=1]", "[__proto__=]"]],
      [["--timeout=60s", "--env", "__proto__=1", "--env=constructor=2"], [
        "[__proto__=1]",
        "[constructor=2]",
      ]],
    ];
    // where there is no shell, nobody can set it
    const shell = windows ? undefined : '__proto__=here exec "$@"';
    if (windows) forms.splice(1, 1);
    await each(forms, async ([words, expected]) => {
      const { out, err } = await wasi([...words, show, "env"], { cwd, shell });
      assert.equal(err, "");
      assert.deepEqual(out.split("\n").slice(0, -1).sort(), expected);
    });
    const all = await wasi(["--env-inherit", show, "env"], { cwd, shell });
    assert.equal(/^\[__proto__=here\]$/m.test(all.out), !windows);
    for (const words of [["--dir", "data::__proto__"], ["--overlay=data::__proto__"]]) {
      const { out, err } = await wasi([...words, "--tmp", tool, "list", "__proto__"], { cwd });
      assert.deepEqual(names(out), ["in.txt"], err);
    }
    const named = await wasi(["--argv0", "__proto__", show, "__proto__"], { cwd });
    assert.equal(named.out, "[__proto__]\n[__proto__]\n");
  },
);

type Form = [words: string[], out: string];

test("standard input is the command's, or a file", options, async () => {
  const cwd = folder();
  const forms: Form[] = [
    [[], "GIVEN\n"],
    [["--stdin", "data/in.txt"], "INSIDE\n"],
    [["--stdin=-"], "GIVEN\n"],
    [["--stdin", devNull], ""],
    ...(windows ? [[["--stdin", "nul"], ""]] as Form[] : []),
    [["--timeout", "20s"], "GIVEN\n"],
  ];
  await each(forms, async ([words, expected]) => {
    const { code, out, err } = await wasi([...words, tool, "upper"], { cwd, input: "given\n" });
    assert.deepEqual({ code, out, err }, { code: 0, out: expected, err: "" });
  });
});

test("the exit code is the program's", options, async () => {
  await each([0, 1, 2, 7, 125, 126, 127, 130, 255], async (expected) => {
    const words = expected === 7 ? ["--timeout=20s"] : [];
    const { code, out, err } = await wasi([...words, show, "exit", String(expected)]);
    assert.deepEqual({ code, out, err }, { code: expected, out: "", err: "" });
  });
  // as for any other program the system keeps eight bits
  const { code } = await wasi([show, "exit", "-1"]);
  assert.equal(code, 255);
});

test("limits: memory, bytes on disks, files", options, async () => {
  const forms: [words: string[], args: string[], out: RegExp][] = [
    [[], ["grows", "20"], /^20 of 20$/m],
    [["-W", "max-memory-size=17MiB"], ["grows", "20"], /^1[0-5] of 20$/m],
    [["-Wmax-memory-size=17_825_792"], ["grows", "20"], /^1[0-5] of 20$/m],
    [["--max-memory", "17M"], ["grows", "20"], /^1[0-5] of 20$/m],
    [["--max-memory=17M", "-Wmax-memory-size=100M"], ["grows", "20"], /^1[0-5] of 20$/m],
    [["--tmp=/", "--max-files", "3"], ["makes", "5"], /^3 Quota exceeded$/m],
    [["--tmp=/", "--max-files=10"], ["makes", "5"], /^5 all$/m],
  ];
  await each(forms, async ([words, args, expected]) => {
    assert.match((await wasi([...words, tool, ...args])).out, expected);
  });
  const cwd = folder();
  const words = [
    "--dir",
    "data::/",
    "--max-disk",
    "1_000",
    tool,
    "write",
    "/big",
    "0123456789",
    "1000",
  ];
  const { code } = await wasi(words, { cwd });
  assert.equal(code, 19); // DQUOT
  assert.equal(fs.statSync(path.join(cwd, "data/big")).size, 1000);
  // twenty bytes a line
  const lines = await wasi(["--max-output", "1K", show, "lines", "1000"]);
  assert.equal(lines.out.slice(0, 40), "guest: 000000000000\nguest: 000000000001\n");
  assert.equal(lines.stdout.length, 1024);
  const few = await wasi(["--max-output=20000", show, "lines", "1000"]);
  assert.equal(few.stdout.length, 20_000);
  // a list of a directory takes a descriptor
  const [open, none] = await Promise.all([
    wasi(["--dir", "data", "--max-open-files", "1", tool, "list", "data"], { cwd }),
    wasi(["--dir", "data", "--max-open-files=0", tool, "list", "data"], { cwd }),
  ]);
  assert.deepEqual(names(open.out), ["big", "in.txt"]);
  assert.equal(none.out, "");
  assert.match(none.err, /No file descriptors available|Too many open files/);
});

test("--deterministic, --clock and --seed: the same run twice", options, async () => {
  const cwd = folder();
  const words = ["--deterministic", "--dir", "data", tool];
  const [one, two, seeded, clocked, list, again] = await Promise.all([
    wasi([...words, "times"], { cwd }),
    wasi([...words, "times"], { cwd }),
    wasi(["--seed", "7", ...words, "times"], { cwd }),
    wasi(["--clock=2026-01-31T12:00:00Z", ...words, "times"], { cwd }),
    wasi([...words, "list", "data"], { cwd }),
    wasi([...words, "list", "data"], { cwd }),
  ]);
  assert.equal(one.code, 0, one.err);
  assert.equal(one.out, two.out);
  assert.match(one.out, /^946684800\.\d{9} /); // 2000-01-01
  assert.match(one.out, /^946688400\.\d{9} /m); // an hour later, at once
  assert.equal(seeded.out.split("\n")[0], one.out.split("\n")[0]);
  assert.notEqual(seeded.out.split("\n")[2], one.out.split("\n")[2]);
  assert.match(clocked.out, /^1769860800\.\d{9} /);
  assert.equal(clocked.out.split("\n")[2], one.out.split("\n")[2]);
  assert.equal(list.out, again.out);
  const same: [string, string][] = [
    ["2026-01-31", "1769817600000000000"],
    ["2026-01-31T12:00", "2026-01-31T12:00:00+00:00"],
  ];
  await each(same, async ([first, second]) => {
    const runs = await Promise.all(
      [first, second].map((clock) => wasi(["--deterministic", "--clock", clock, tool, "times"])),
    );
    assert.equal(runs[0]!.out, runs[1]!.out);
    assert.notEqual(runs[0]!.out, one.out);
  });
});

test("--trace shows each call, or those of a kind, on standard error", options, async () => {
  const [all, clock, two, none] = await Promise.all([
    wasi(["--trace", "--dir", "docs", tool, "list", "docs"]),
    wasi(["--trace=clock", "--deterministic", tool, "times"]),
    wasi(["--trace=poll,proc", "--trace=args", "--deterministic", tool, "times"]),
    wasi(["--trace=sock", tool, "streams"]),
  ]);
  assert.match(all.err, /^==> args_sizes_get\(.*\n<== .*SUCCESS$/m);
  assert.match(all.err, /^==> path_open\(.*path="\."/m);
  assert.equal(all.err.match(/^==> /gm)!.length, all.err.match(/^<== /gm)!.length);
  assert.deepEqual([...new Set(clock.err.match(/^==> \w+/gm))], ["==> clock_time_get"]);
  assert.deepEqual(clock.err.split("\n").slice(0, -1).length, 8); // four, before and after
  assert.deepEqual([...new Set(two.err.match(/^==> \w+/gm))].sort(), [
    "==> args_get",
    "==> args_sizes_get",
    "==> poll_oneoff",
    "==> random_get",
  ]);
  assert.equal(none.err, "");
  assert.match(none.out, /^0 type/);
});

test("what a trace shows of a guest's text moves no terminal", options, async () => {
  const place = "/tmp/\u001b[31m\u009b\u007f\u202ea\u2028\u2066";
  const { err } = await wasi(["--trace=fs", "--tmp", tool, "list", place]);
  assert.match(err, /path="\\u001b\[31m\\u009b\\u007f\\u202ea\\u2028\\u2066"/);
  // the program says on its own what it did not find
  const lines = err.split("\n").filter((line) => /^(==>|<==) /.test(line));
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(lines.join("\n"), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/);
});

test("--confine insists", options, async () => {
  const known = ["kernel", "walk", "checked"];
  const there = known.slice(windows ? (foreign ? 1 : 2) : foreign ? 0 : 1);
  await each(known, async (confine) => {
    const { code, out, err } = await wasi([
      `--confine=${confine}`,
      "--dir",
      "docs",
      tool,
      "list",
      "docs",
    ]);
    if (!there.includes(confine)) {
      assert.equal(code, 1);
      const [, name, best] =
        /^wasi: --confine=(\w+): it is not available on \w+ [\d.]+: directories are confined by "(\w+)" here; leave it out for the strongest one\n$/
          .exec(err)!;
      assert.deepEqual([name, best], [confine, there[0]]);
    } else {
      assert.equal(code, 0, err);
      assert.ok(names(out).includes("bench.json"));
    }
  });
});

test("--confine, without a directory, is no matter", options, async () => {
  const { code, out } = await wasi(["--confine", "checked", show], { cwd: root });
  assert.deepEqual({ code, out }, { code: 0, out: "[show.wasm]\n" });
});
