/** CPython 3.13, built from Debian's source, and all of its own tests, as its builder for WASI runs them. */
import fs from "node:fs";
import path from "node:path";
import { root } from "../runtimes.mjs";
import { ranProgram } from "./runner.mjs";
import { haveLanguage } from "./toolchain.mjs";
import { ranModule, readJSON } from "./unittest.mjs";

const PLACE = "cross-build/wasm32-wasip1";
const MINUTES = 15;

/** As Tools/wasm/wasi.py does it, with Debian's Python and clang. */
const BUILD = `
  mkdir -p /build/python3.13/${PLACE}
  cd /build/python3.13/${PLACE}
  export CC="clang --target=wasm32-wasi" CXX="clang++ --target=wasm32-wasi"
  export AR=llvm-ar RANLIB=llvm-ranlib HOSTRUNNER=wasi
  export CONFIG_SITE=../../Tools/wasm/config.site-wasm32-wasi
  export ZLIB_CFLAGS=-I/build/include ZLIB_LIBS="-L/build/lib -lz"
  export BZIP2_CFLAGS=-I/build/include BZIP2_LIBS="-L/build/lib -lbz2"
  ../../configure --host=wasm32-wasip1 --build=x86_64-pc-linux-gnu --with-build-python=python3.13
  make -j2 all
  mkdir -p ../../tmp
  python3.13 -m compileall -q -x bad ../../Lib || true
`;

let checkout;

/** The modules as libregrtest finds them: those of some packages one by one. */
function modules(folder, prefix = "") {
  const file = fs.readFileSync(path.join(checkout, "Lib/test/libregrtest/findtests.py"), "utf8");
  const split = /SPLITTESTDIRS.*?\{(.*?)\}/s.exec(file)[1];
  return fs.readdirSync(folder).filter((name) => /^test_\w+(\.py)?$/.test(name)).flatMap((name) =>
    split.includes(`"${name}"`) && prefix === ""
      ? modules(path.join(folder, name), `test.${name}.`)
      : [prefix + name.replace(/\.py$/, "")]
  ).sort();
}

/** Runs a module without some of its tests, with a fresh folder for what they write. */
async function ranOnce(name, excluded, runner) {
  const temporary = fs.mkdtempSync(path.join(checkout, "tmp/"));
  try {
    return await ranProgram(path.join(runner, "wasi-deep"), [
      // where it recognizes that it is in its own checkout
      `--argv0=/${PLACE}/python.wasm`,
      `--dir=${checkout}::/`,
      `--env=PYTHONPATH=/${PLACE}/build/lib.wasi-wasm32-3.13`,
      "--env=PYTHONDONTWRITEBYTECODE=1",
      `--env=TMPDIR=/tmp/${path.basename(temporary)}`,
      path.join(checkout, PLACE, "python.wasm"),
      // the options that --fast-ci adds
      ...["-u", "-W", "default", "-bb"],
      "/tmp/regrtest.py",
      name,
      ...excluded,
    ], { milliseconds: MINUTES * 60_000 });
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

export const python313 = {
  name: "python313",
  title: "CPython 3.13",

  setUp(cache) {
    const built = haveLanguage(cache, "python3.13", ["zlib", "bzip2"], BUILD);
    checkout = path.join(built, "python3.13");
    for (const name of ["lines.py", "regrtest.py"]) {
      fs.copyFileSync(path.join(root, "scripts/languages", name), path.join(checkout, "tmp", name));
    }
    return /PY_VERSION\s+"(.*)"/.exec(
      fs.readFileSync(path.join(checkout, "Include/patchlevel.h"), "utf8"),
    )[1];
  },

  parts() {
    return modules(path.join(checkout, "Lib/test"));
  },

  run(name, runner) {
    return ranModule([], (excluded) => ranOnce(name, excluded, runner), readJSON);
  },
};
