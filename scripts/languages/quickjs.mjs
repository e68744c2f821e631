/** QuickJS's own tests, each function of them for itself. */
import fs from "node:fs";
import path from "node:path";
import { root } from "../runtimes.mjs";
import { ranProgram } from "./runner.mjs";
import { haveBuilt, haveSource, outside, writing } from "./toolchain.mjs";
import { ranModule } from "./unittest.mjs";
import { haveCompiler } from "./wasi_cc.mjs";

const MINUTES = 10;
const MARK = "@@";

/** The files of tests. There is one more, test_worker.js, for threads. */
const PARTS = ["bigint", "bjson", "builtin", "closure", "cyclic_import", "language", "loop", "std"];

/** What starts processes. */
const LEFT_OUT = ["test_popen", "test_os_exec"];

/** How a test asks another process whether the standard input is a terminal; it is none here. */
const ASKED = 'os.exec(["/bin/sh", "-c", "test -t 0"], { usePath: false })';

/** A call at the end of a file. */
const CALL = /^(\w*test\w*)\(\);$/gm;

const BUILD = (source, header, program) => `
  ${writing("qjs.h", header)}
  ${writing("program.c", program)}
  mkdir sys
  echo >sys/wait.h
  compile="wasi-cc -O2 -D_GNU_SOURCE -D_WASI_EMULATED_PTHREAD -mllvm -wasm-enable-sjlj -fwrapv
    -I. -I${source} -include qjs.h"
  for file in quickjs libregexp libunicode cutils dtoa quickjs-libc qjs tests/bjson; do
    $compile "-DCONFIG_VERSION=\\"$(cat ${source}/VERSION)\\"" -c ${source}/$file.c
  done
  wasi-cc -c program.c
  wasi-cc *.o -lsetjmp -lwasi-emulated-pthread -o qjs.wasm
`;

let program;
let tests;

/** Says how each test has ended. */
const DRIVER = (names) => `
const say = (...event) => print("${MARK}" + JSON.stringify(event));
for (const [name, run] of [${names.map((name) => `["${name}", ${name}]`).join(", ")}]) {
  say("begin", name);
  try {
    run();
    say("pass", name);
  } catch (error) {
    say("fail", name, error + "\\n" + error.stack);
  }
}
say("done");
`;

function line(event) {
  return MARK + JSON.stringify(event);
}

function read(text) {
  return text.startsWith(MARK) ? JSON.parse(text.slice(MARK.length)) : undefined;
}

/** Runs a file without some of its tests; that all of it has ended well is one more. */
async function ranFile(file, excluded, runner) {
  const text = fs.readFileSync(path.join(tests, file), "utf8");
  const names = [...text.matchAll(CALL)].map(([, name]) => name);
  const left = names.filter((name) => !excluded.includes(name));
  const folder = fs.mkdtempSync(path.join(path.dirname(program), "run-"));
  try {
    fs.cpSync(tests, folder, { recursive: true });
    fs.mkdirSync(path.join(folder, "tmp"));
    fs.writeFileSync(
      path.join(folder, file),
      text.replace(CALL, "").replace(ASKED, "1") + DRIVER(left),
    );
    const { code, text: said } = await ranProgram(path.join(runner, "wasi"), [
      `--dir=${folder}::/`,
      program,
      "--std",
      `/${file}`,
    ], { milliseconds: MINUTES * 60_000 });
    if (!said.includes(line(["done"]))) return { code, text: said };
    const how = code === 0 ? "pass" : "fail";
    const ended = [how, "(ended)", `ended with ${code}\n${said.slice(-1500)}`];
    return { code, text: `${said}\n${line(ended)}\n${line(["end"])}` };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

export const quickjs = {
  name: "quickjs",
  title: "QuickJS's tests",

  setUp(cache) {
    const compiler = haveCompiler(cache);
    const { version, source } = haveSource("quickjs");
    const [header, linked] = ["qjs.h", "qjs.c"].map((name) =>
      fs.readFileSync(path.join(root, "scripts/languages/c", name), "utf8")
    );
    const place = haveBuilt("quickjs", BUILD(source, header, linked), compiler);
    program = outside(`${place}/qjs.wasm`);
    tests = outside(`${source}/tests`);
    return version;
  },

  parts() {
    return PARTS;
  },

  run(part, runner) {
    const file = `test_${part}.js`;
    return ranModule(LEFT_OUT, (excluded) => ranFile(file, excluded, runner), read);
  },
};
