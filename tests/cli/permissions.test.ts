/** What the command says where the runtime may not do what it is told: one line, with the option. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { command, each, guest } from "../support/command.ts";
import { root, runRuntime, runtime, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };
const show = guest("show");
const tool = guest("tool");
const cli = command.at(-1)!;

/** Flags of the runtime, words of the command, and what it says. */
type Case = [flags: string[], words: string[], line: string];

/** Files beside the repository. */
function outside(): string {
  const folder = scratch("wasi-permissions");
  fs.writeFileSync(path.join(folder, "show.wasm"), fs.readFileSync(show));
  fs.writeFileSync(path.join(folder, "some.env"), "A=1\n");
  fs.writeFileSync(path.join(folder, "some.toml"), "[wasm]\n");
  return folder;
}

function casesOfDeno(folder: string): Case[] {
  const says = (option: string): string =>
    `Deno is not permitted to do this; start it with --allow-${option}`;
  const some = [`--allow-read=${root}`];
  const one = (name: string): string => path.join(folder, name);
  return [
    [[], [show], `${show}: ${says("read")}`],
    [[], ["inspect", show], `${show}: ${says("read")}`],
    [some, [one("show.wasm")], `${one("show.wasm")}: ${says("read")}`],
    [some, ["--env", "HOME", show], `--env HOME: ${says("env")}`],
    [some, ["--env-inherit", show], `--env-inherit: ${says("env")}`],
    [some, ["--env-file", one("some.env"), show], `--env-file ${one("some.env")}: ${says("read")}`],
    [some, ["--config", one("some.toml"), show], `--config ${one("some.toml")}: ${says("read")}`],
    [some, ["--stdin", one("some.env"), show], `--stdin ${one("some.env")}: ${says("read")}`],
    [some, ["--dir", folder, show], `--dir ${folder}: ${says("read")}`],
    [some, ["--overlay", folder, show], `--overlay ${folder}: ${says("read")}`],
    [some, ["--listen", "127.0.0.1:0", show], `--listen: ${says("ffi")}`],
    [some, ["http://127.0.0.1:8099/x"], `http://127.0.0.1:8099/x: ${says("net")}`],
    ...["--allow-env", "--allow-run=/bin/true"].map((flag): Case => [
      [...some, flag],
      ["--timeout=60s", show],
      "--timeout: it starts another Deno process, with the permissions granted without a list; " +
      "add --allow-read and --allow-run, without a list",
    ]),
    [
      ["--allow-read"],
      ["--timeout=60s", show],
      "--timeout: it starts another Deno process, with the permissions granted without a list; " +
      "add --allow-run, without a list",
    ],
    [
      ["--allow-read", "--allow-run"],
      ["--timeout=60s", "--env-inherit", show],
      `--env-inherit: ${says("env")}`,
    ],
  ];
}

function casesOfNode(folder: string): Case[] {
  const says = (option: string): string =>
    `Node is not permitted to do this; start it with --allow-${option}`;
  const permission = runtime === "node20" ? "--experimental-permission" : "--permission";
  const some = ["--no-warnings", permission, `--allow-fs-read=${root}`];
  const one = (name: string): string => path.join(folder, name);
  const both = "child-process and --allow-worker";
  const cases: Case[] = [
    [some, [one("show.wasm")], `${one("show.wasm")}: ${says("fs-read")}`],
    [some, ["inspect", one("show.wasm")], `${one("show.wasm")}: ${says("fs-read")}`],
    [
      some,
      ["--config", one("some.toml"), show],
      `--config ${one("some.toml")}: ${says("fs-read")}`,
    ],
    [some, ["--stdin", one("some.env"), show], `--stdin ${one("some.env")}: ${says("fs-read")}`],
    [some, ["--dir", folder, show], `--dir ${folder}: ${says("fs-read")}`],
    [some, ["--overlay", folder, show], `--overlay ${folder}: ${says("fs-read")}`],
    [some, ["--threads", guest("threads")], `${guest("threads")}: ${says("worker")}`],
    [some, ["--timeout=60s", show], `--timeout: ${says(both)}`],
    [[...some, "--allow-worker"], ["--timeout=60s", show], `--timeout: ${says("child-process")}`],
    [[...some, "--allow-child-process"], ["--timeout=60s", show], `--timeout: ${says("worker")}`],
  ];
  if (runtime === "node20") return cases; // it knows no permission for these
  return [
    ...cases,
    [some, ["--listen", "127.0.0.1:0", show], `--listen: ${says("ffi")}`],
    [some, ["http://127.0.0.1:8099/x"], `http://127.0.0.1:8099/x: ${says("net")}`],
  ];
}

const start = (flags: string[], words: string[], cwd: string) =>
  runRuntime(
    [...(runtime === "deno" ? ["run", "--no-prompt"] : []), ...flags, cli, ...words],
    cwd,
  );

// Bun has no permissions
if (runtime !== "bun") {
  test("a missing permission is told in one line that names the option", options, async () => {
    const folder = outside();
    const cases = runtime === "deno" ? casesOfDeno(folder) : casesOfNode(folder);
    await each(cases, async ([flags, words, line]) => {
      const { status, stdout, stderr } = await Promise.resolve(start(flags, words, folder));
      assert.deepEqual({ status, stdout, stderr }, {
        status: 1,
        stdout: "",
        stderr: `wasi: ${line}\n`,
      }, `${flags} ${words}`);
    });
  });
}

if (runtime === "deno") {
  test("with --timeout a program has no more of Deno's permissions than without", options, () => {
    const folder = outside();
    const flags = ["--allow-read", "--allow-run"];
    const words = ["--dir", ".::/", tool, "write", "/made", "text"];
    for (const limits of [[], ["--timeout=60s"]]) {
      const { status, stderr } = start(flags, [...limits, ...words], folder);
      assert.notEqual(status, 0);
      assert.match(stderr, /Permission denied|Capabilities insufficient/);
      assert.equal(fs.existsSync(path.join(folder, "made")), false);
    }
    const { status } = start([...flags, "--allow-write"], ["--timeout=60s", ...words], folder);
    assert.equal(status, 0);
    assert.equal(fs.readFileSync(path.join(folder, "made"), "utf8"), "text");
  });
}
