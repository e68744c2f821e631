/** CPython 3.13, built from Debian's source, and all of its own tests, as its builder for WASI runs them. */
import fs from "node:fs";
import path from "node:path";
import { root } from "../runtimes.mjs";
import { ranProgram } from "./runner.mjs";
import { haveBuilt, haveLibrary, haveSource, haveToolchain, outside } from "./toolchain.mjs";
import { ranModule, readJSON } from "./unittest.mjs";

const PLACE = "cross-build/wasm32-wasip1";
const MINUTES = 15;

/** As Tools/wasm/wasi.py does it, with Debian's Python and clang, in a copy of its source. */
const BUILD = (source, zlib, bzip2) => `
  cp -r ${source}/. .
  mkdir -p ${PLACE} tmp
  cd ${PLACE}
  export CC="clang --target=wasm32-wasi" CXX="clang++ --target=wasm32-wasi"
  export AR=llvm-ar RANLIB=llvm-ranlib HOSTRUNNER=wasi
  export CONFIG_SITE=../../Tools/wasm/config.site-wasm32-wasi
  export ZLIB_CFLAGS=-I${zlib} ZLIB_LIBS="-L${zlib} -lz"
  export BZIP2_CFLAGS=-I${bzip2} BZIP2_LIBS="-L${bzip2} -lbz2"
  ../../configure --host=wasm32-wasip1 --build=x86_64-pc-linux-gnu --with-build-python=python3.13
  make -j2 all
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
    haveToolchain(cache);
    const { version, source } = haveSource("python3.13");
    const script = BUILD(source, haveLibrary("zlib"), haveLibrary("bzip2"));
    checkout = outside(haveBuilt("python3.13", script));
    for (const name of ["lines.py", "regrtest.py"]) {
      fs.copyFileSync(path.join(root, "scripts/languages", name), path.join(checkout, "tmp", name));
    }
    return version;
  },

  parts() {
    return modules(path.join(checkout, "Lib/test"));
  },

  run(name, runner) {
    return ranModule([], (excluded) => ranOnce(name, excluded, runner), readJSON);
  },
};
