/** MicroPython's own tests, each in a process of its own, as its script run-tests.py runs them. */
import fs from "node:fs";
import path from "node:path";
import { root } from "../runtimes.mjs";
import { resultOf } from "./results.mjs";
import { ranProgram } from "./runner.mjs";
import { haveBuilt, haveSource, outside, writing } from "./toolchain.mjs";
import { haveCompiler } from "./wasi_cc.mjs";

const MINUTES = 2;

/**
 * The folders of tests. Those left out are about threads, sockets, assembly, boards and what an editor of
 * lines does on a terminal.
 */
const PARTS = "basics cmdline extmod float import io micropython misc stress unicode".split(" ");

/** What emits machine code, edits lines, needs a build for coverage, or a library that is not in the source. */
const LEFT_OUT = /^((native|viper|repl)_|cmd_parsetree$)/;
const NEEDS = /^ *(import|from) unittest/m;

/** Tests with words of their own for the command, and patterns for lines that differ. */
const SPECIAL = ["micropython/meminfo", "basics/bytes_compare3", "basics/builtin_help"];

/** What is not built: what needs libraries, threads or devices. */
const WITHOUT = `
  USE_READLINE PY_BTREE PY_THREAD PY_TERMIOS PY_SOCKET PY_FFI PY_SSL SSL_MBEDTLS
`.trim().split(/\s+/).map((name) => `MICROPY_${name}=0`).join(" ");

/**
 * The collector of garbage looks for pointers on the stack, so that all have to be there: Binaryen sees to
 * that. What a test must print is what CPython prints, where no file has it.
 */
const BUILD = (source, variant) => `
  cp -r ${source}/. .
  cd ports/unix
  mkdir variants/wasi
  : >variants/wasi/mpconfigvariant.mk
  ${writing("variants/wasi/mpconfigvariant.h", variant)}
  make -j2 VARIANT=wasi BUILD=build FROZEN_MANIFEST= CWARN= COPT=-O1 ${WITHOUT} \\
    CC=wasi-cc CPP="wasi-cc -E" LD=wasi-cc AR=llvm-ar STRIP=true SIZE=true \\
    CFLAGS_EXTRA="-mllvm -wasm-enable-sjlj -D_GNU_SOURCE" LDFLAGS="-lsetjmp -lm"
  cd ../..
  wasm-opt --all-features --spill-pointers -O1 ports/unix/build/micropython -o micropython.wasm

  mkdir -p /tests
  mount --bind tests /tests
  export PYTHONIOENCODING=utf-8
  for part in ${PARTS.join(" ")}; do
    cd /tests/$part
    for file in *.py; do
      [ -e $file.exp ] || timeout 60 python3 -BS /tests/$part/$file >/tmp/printed 2>&1 || true
      [ -e $file.exp ] || mv /tmp/printed $file.exp
    done
  done
`;

let program;
let tests;
let library;

function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** A pattern for what a special test prints: eight signs stand for any lines, ".+" and the like for themselves. */
function patternOf(expected) {
  const lines = expected.split("\n").slice(0, -1).map((line) =>
    line === "########"
      ? "(?:.*\\n)*?"
      : `${line.replace(/\\(.)|([^\\])/g, (_, meant, plain) => meant ?? escaped(plain))}\\n`
  );
  return new RegExp(`^${lines.join("")}$`);
}

function isSpecial(part, name) {
  return part === "cmdline" || SPECIAL.includes(`${part}/${name}`);
}

/** The words for the command in a special test's first line. */
function wordsOf(text) {
  return /^# cmdline:(.*)/.exec(text)?.[1].trim().split(/\s+/).filter(Boolean) ?? [];
}

/** Runs a test in a folder that {@linkcode folderOf} has made. */
async function ranTest(part, name, folder, runner) {
  const file = path.join(tests, part, `${name}.py`);
  const special = isSpecial(part, name);
  const words = special ? wordsOf(fs.readFileSync(file, "utf8")) : [];
  const { code, text } = await ranProgram(
    "/bin/sh",
    [
      ...["-c", 'exec "$@" 2>&1', "sh", path.join(runner, "wasi")],
      ...[`--dir=${folder}::/`, "--env=MICROPYPATH=/lib", program],
      ...[...words, `${special ? "" : "/tests/"}${part}/${name}.py`],
    ],
    { milliseconds: MINUTES * 60_000 },
  );
  if (text === "SKIP\n" || special && /^SKIP$/m.test(text)) return { how: "skip", text };
  const expected = fs.readFileSync(`${file}.exp`, "utf8");
  const right = special ? patternOf(expected).test(text) : text === expected;
  return { how: right ? "pass" : "fail", text: `ended with ${code}\n${text.slice(-1500)}` };
}

/**
 * Makes a folder, the root and current directory of all tests of a part. They find the others of the part
 * beside them, their own paths begin with /tests/, and special ones have paths in the current directory.
 */
function folderOf(part) {
  const folder = fs.mkdtempSync(path.join(path.dirname(program), "run-"));
  for (const place of [".", part, `tests/${part}`]) {
    fs.cpSync(path.join(tests, part), path.join(folder, place), { recursive: true });
  }
  fs.cpSync(library, path.join(folder, "lib"), { recursive: true });
  return folder;
}

export const micropython = {
  name: "micropython",
  title: "MicroPython's tests",

  setUp(cache) {
    const compiler = haveCompiler(cache);
    const { version, source } = haveSource("micropython");
    const header = path.join(root, "scripts/languages/c/micropython.h");
    const script = BUILD(source, fs.readFileSync(header, "utf8"));
    const place = haveBuilt("micropython", script, compiler);
    program = outside(`${place}/micropython.wasm`);
    tests = outside(`${place}/tests`);
    library = outside(`${place}/extmod`);
    return version;
  },

  parts() {
    return PARTS;
  },

  async run(part, runner) {
    const folder = folderOf(part);
    try {
      const done = new Map();
      for (const file of fs.readdirSync(path.join(tests, part))) {
        const { name, ext } = path.parse(file);
        if (ext !== ".py" || LEFT_OUT.test(name)) continue;
        if (NEEDS.test(fs.readFileSync(path.join(tests, part, file), "utf8"))) continue;
        done.set(name, await ranTest(part, name, folder, runner));
      }
      return resultOf(done);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  },
};
