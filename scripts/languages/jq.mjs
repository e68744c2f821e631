/** jq's own tests: those that it runs itself, and a script that runs it several hundred times. */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { resultOf } from "./results.mjs";
import { ranProgram } from "./runner.mjs";
import { haveBuilt, haveSource, outside } from "./toolchain.mjs";
import { haveCompiler } from "./wasi_cc.mjs";

const MINUTES = 20;

/** The files of tests that jq runs itself. */
const FILES = ["base64", "jq", "man", "manonig", "onig", "optional"];

/** Those that are scripts for sh: each is one test. */
const SCRIPTS = ["shtest", "utf8test"];

const EXPRESSIONS = `
  regparse regcomp regexec regenc regerror regext regsyntax regtrav regversion st unicode
  unicode_unfold_key unicode_fold1_key unicode_fold2_key unicode_fold3_key onig_init ascii utf8
`.trim().split(/\s+/);

/** Debian's source has no script configure: what it would find out is found out here. */
const BUILD = ({ source, version }, expressions) => `
  for type in INT:4 LONG:4 LONG_LONG:8 VOIDP:4; do
    echo "#define SIZEOF_\${type%:*} \${type#*:}"
  done >config.h
  printf '#define HAVE_%s 1\\n' ALLOCA_H STDINT_H UNISTD_H >>config.h
  for name in ${EXPRESSIONS.join(" ")}; do
    wasi-cc -O2 -I. -c ${expressions.source}/src/$name.c
  done

  mkdir src
  sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g; s/.*/"&\\\\n"/' ${source}/src/builtin.jq >src/builtin.inc
  echo '#define JQ_VERSION "${version}"' >src/version.h
  echo '#define JQ_CONFIG ""' >src/config_opts.inc
  llvm-nm --defined-only --format=just-symbols /usr/lib/wasm32-wasi/libc.a >symbols
  for macro in $(grep -oh 'HAVE_[A-Z0-9_]*' ${source}/src/*.[ch] | sort -u); do
    name=$(echo \${macro#HAVE_} | tr A-Z a-z)
    if grep -qx $name symbols; then echo -D$macro; fi
  done >found
  for file in $(ls ${source}/src/*.c | grep -v inject_errors) \\
    ${source}/src/decNumber/decNumber.c ${source}/src/decNumber/decContext.c; do
    wasi-cc -O2 -I. -I${source} -I${source}/src -I${expressions.source}/src -D_GNU_SOURCE \\
      -D_WASI_EMULATED_PTHREAD -DIEEE_8087 -DUSE_DECNUM -DDECUSE64=1 -DHAVE_LIBONIG \\
      -DHAVE_ALLOCA_H -DHAVE_TM_TM_GMT_OFF -DHAVE___THREAD $(cat found) -c $file
  done
  wasi-cc *.o -lwasi-emulated-pthread -o jq.wasm
`;

let program;
let tests;

/** Runs a file of tests without the first ones, and says of each that was begun how it has ended. */
async function ranFrom(first, file, runner) {
  const { code, text } = await ranProgram(path.join(runner, "wasi"), [
    `--dir=${tests}::/tests::ro`,
    "--env=PAGER=less", // a test asks for it
    program,
    ...["-L", "/tests/modules", "--run-tests", `/tests/${file}.test`],
    ...(first > 0 ? ["--skip", String(first)] : []),
  ], { milliseconds: MINUTES * 60_000 });
  const begun = text.split(/^(?=Test #)/m).flatMap((said) => {
    const [, name, line] = /^Test #\d+: '(.*)' at line number (\d+)$/m.exec(said) ?? [];
    const how = /^\*\*\* /m.test(said) ? "fail" : "pass";
    return name === undefined ? [] : [[`line ${line}: ${name}`, { how, text: said }]];
  });
  return { begun, ended: /^\d+ of \d+ tests passed /m.test(text), code, text };
}

/** Runs a file of tests; one that ends the program is the last of a run. */
async function ranFile(file, runner) {
  const done = new Map();
  for (let first = 0;;) {
    const { begun, ended, code, text } = await ranFrom(first, file, runner);
    for (const [name, result] of begun) done.set(name, result);
    if (ended) return resultOf(done);
    const [last] = begun.at(-1) ?? ["(all)"];
    done.set(last, { how: "fail", text: `ended with ${code}\n${text.slice(-1500)}` });
    if (begun.length === 0) return resultOf(done);
    first += begun.length;
  }
}

/** Runs a script with our command as jq, and fewer rounds of what it calls torture. */
async function ranScript(name, runner) {
  const source = path.dirname(tests);
  const folder = fs.mkdtempSync(path.join(path.dirname(program), "run-"));
  const command = (name, line) =>
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  try {
    command(
      "jq",
      `exec ${runner}/wasi --dir=. --dir=${folder} --dir=${source} --env-inherit ${program} "$@"`,
    );
    command("seq", 'exec /usr/bin/seq "$1" 10 "$2"');
    const { code, text } = await ranProgram(path.join(tests, name), [], {
      cwd: source,
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        HOME: folder,
        TMPDIR: folder,
        JQ: "jq",
        NO_VALGRIND: "1",
      },
      milliseconds: MINUTES * 60_000,
    });
    const how = code === 0 ? "pass" : "fail";
    return resultOf(new Map([[name, { how, text: `ended with ${code}\n${text.slice(-1500)}` }]]));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

export const jq = {
  name: "jq",
  title: "jq's tests",

  setUp(cache) {
    const compiler = haveCompiler(cache);
    const own = haveSource("jq");
    const place = haveBuilt("jq", BUILD(own, haveSource("libonig")), compiler);
    program = outside(`${place}/jq.wasm`);
    tests = outside(`${own.source}/tests`);
    return own.version;
  },

  parts() {
    return [...FILES, ...SCRIPTS];
  },

  run(part, runner) {
    return SCRIPTS.includes(part) ? ranScript(part, runner) : ranFile(part, runner);
  },
};
