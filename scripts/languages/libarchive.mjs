/** libarchive's own tests: hundreds of archives that are read, and written to the disk. */
import fs from "node:fs";
import path from "node:path";
import { resultOf } from "./results.mjs";
import { ranProgram } from "./runner.mjs";
import { haveBuilt, haveSource, outside } from "./toolchain.mjs";
import { haveCompiler } from "./wasi_cc.mjs";

const MINUTES = 20;

/** What wasi-libc has but cannot do, what c/posix.c has, and where the links are of use to the tests. */
const CONFIGURED = {
  ac_cv_func_fchdir: "yes",
  ac_cv_func_fork: "yes",
  ac_cv_func_pipe: "yes",
  ac_cv_func_getpwnam: "yes",
  ac_cv_func_getgrnam: "yes",
  ac_cv_func_chown: "yes",
  ac_cv_func_fchown: "yes",
  ac_cv_func_lchown: "yes",
  ac_cv_func_lchmod: "yes",
  ac_cv_func_linkat: "no", // Debian's wasi-libc passes one path twice
  ac_cv_header_signal_h: "no", // there is no sigaction
  ac_cv_func_statvfs: "no",
  ac_cv_func_fstatvfs: "no",
};

const WITHOUT = "acl xattr";
const WITHOUT_LIBRARY = "zlib bz2lib libb2 iconv lz4 zstd lzma cng nettle openssl xml2 expat";

/** The tests by what comes first of these in their names; the others are "other". */
const PARTS = ["read_disk", "read_format", "read", "write_disk", "write_format", "write"];

/** How it says that a test has ended. */
const ENDED = { ok: "pass", "ok (S)": "skip", FAIL: "fail" };

let program;
let references;
let tests;

function partOf(test) {
  return PARTS.find((part) => test.startsWith(`test_${part}`)) ?? "other";
}

/** Runs tests in a fresh folder, and says of each that has ended how. */
async function ranOnce(names, folder, runner) {
  const temporary = fs.mkdtempSync(path.join(folder, "root-"));
  fs.mkdirSync(path.join(temporary, "tmp"));
  try {
    const { code, text } = await ranProgram(path.join(runner, "wasi"), [
      `--dir=${temporary}::/`,
      `--dir=${references}::/references::ro`,
      "--env=TMPDIR=/tmp",
      program,
      "-r",
      "/references",
      ...names,
    ], { milliseconds: MINUTES * 60_000 });
    const ended = new Map();
    for (const [, name, how] of text.matchAll(/^ *\d+: (\w+) +(ok \(S\)|ok|FAIL)/gm)) {
      const text = how === "FAIL" ? logOf(name, temporary) : "";
      ended.set(name, { how: ENDED[how], text });
    }
    return { ended, code, text };
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** What a test has said to its log. */
function logOf(name, temporary) {
  const folder = path.join(temporary, "tmp");
  for (const inner of fs.readdirSync(folder)) {
    const log = path.join(folder, inner, `${name}.log`);
    if (fs.existsSync(log)) return fs.readFileSync(log, "utf8");
  }
  return "";
}

export const libarchive = {
  name: "libarchive",
  title: "libarchive's tests",

  setUp(cache) {
    const compiler = haveCompiler(cache);
    const { version, source } = haveSource("libarchive");
    const place = haveBuilt(
      "libarchive",
      `BARE= ${Object.entries(CONFIGURED).map((pair) => pair.join("=")).join(" ")} ` +
        `${source}/configure --host=wasm32-wasi --disable-shared CC=wasi-cc CFLAGS=-O1 ` +
        `${WITHOUT.split(" ").map((name) => `--disable-${name}`).join(" ")} ` +
        `${WITHOUT_LIBRARY.split(" ").map((name) => `--without-${name}`).join(" ")}\n` +
        "make AUTOMAKE=: ACLOCAL=: AUTOCONF=: AUTOHEADER=: -j2 libarchive_test",
      compiler,
    );
    program = outside(`${place}/libarchive_test`);
    references = outside(`${source}/libarchive/test`);
    const list = fs.readFileSync(path.join(references, "list.h"), "utf8");
    tests = [...list.matchAll(/DEFINE_TEST\((\w+)\)/g)].map(([, name]) => name);
    return version;
  },

  parts() {
    return [...new Set(tests.map(partOf))];
  },

  async run(part, runner) {
    const folder = fs.mkdtempSync(path.join(path.dirname(program), "run-"));
    const done = new Map();
    try {
      for (let left = tests.filter((name) => partOf(name) === part); left.length > 0;) {
        const { ended, code, text } = await ranOnce(left, folder, runner);
        for (const [name, result] of ended) done.set(name, result);
        left = left.filter((name) => !ended.has(name));
        if (left.length === 0) break;
        done.set(left.shift(), { how: "fail", text: `ended with ${code}\n${text.slice(-1500)}` });
      }
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
    return resultOf(done);
  },
};
