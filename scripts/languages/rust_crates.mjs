/** The tests of crates that work with files and randomness, as cargo builds them. */
import fs from "node:fs";
import path from "node:path";
import { changeSources, linking } from "./rust_sources.mjs";
import { ranTests, together } from "./rust_tests.mjs";

const TESTED = [
  "fs_extra-1.3.0",
  "getrandom-0.2.15",
  "globset-0.4.15",
  "ignore-0.4.23",
  "tempfile-3.14.0",
  "walkdir-2.5.0",
];

/** What they need. */
const NEEDED = `aho-corasick-1.1.3 bitflags-2.6.0 bstr-1.11.1 cfg-if-1.0.0 crossbeam-channel-0.5.14
  crossbeam-deque-0.8.6 crossbeam-epoch-0.9.18 crossbeam-utils-0.8.21 doc-comment-0.3.3 errno-0.3.10
  fastrand-2.3.0 glob-0.3.2 itoa-1.0.14 libc-0.2.169 linux-raw-sys-0.4.14 log-0.4.22 memchr-2.7.4
  once_cell-1.20.2 proc-macro2-1.0.92 quote-1.0.38 rand-0.8.5 rand_core-0.6.4 rand_xorshift-0.3.0
  regex-automata-0.4.9 regex-syntax-0.8.5 rustix-0.38.42 ryu-1.0.18 same-file-1.0.6 serde-1.0.217
  serde_derive-1.0.217 serde_json-1.0.134 syn-2.0.93 unicode-ident-1.0.14
  wasi-0.11.0+wasi-snapshot-preview1`.split(/\s+/);

/** Dependencies for other systems, which the sources do not have. */
const ELSEWHERE =
  /^\[(target\.(?!.*(any|not)\(.*(unix|windows)).*windows|target\..*(js|wasm-bindgen)|.*workspace)/;
const ABSENT = /^\[(dependencies\.(core|compiler_builtins)|dev-dependencies\.wasm-bindgen-test)\]/;
const FEATURES = /^(rustc-dep-of-std|test-in-browser|js) = \[[^\]]*\]\n/gm;

/** Threads that run at once, where the test has nothing else to do in the meantime. */
const THREADS = `mod thread {
    pub struct Ended<T>(T);
    impl<T> Ended<T> {
        pub fn join(self) -> Result<T, ()> {
            Ok(self.0)
        }
    }
    pub fn spawn<T>(run: impl FnOnce() -> T) -> Ended<T> {
        Ended(run())
    }
}
`;

/** What is stable for modules is not for components. */
const UNSTABLE = '#![cfg_attr(target_env = "p2", feature(wasip2))]';

/** There is no folder for temporary files, unless it is named. */
const CHANGES = {
  "fs_extra-1.3.0/tests/dir.rs": [["use std::thread;", THREADS]],
  "fs_extra-1.3.0/tests/file.rs": [["use std::thread;", THREADS]],
  "fs_extra-1.3.0/tests/lib.rs": [["use std::thread;", THREADS]],
  "tempfile-3.14.0/src/env.rs": [[
    "unwrap_or_else(env::temp_dir)",
    'unwrap_or_else(|| PathBuf::from("/tmp"))',
  ]],
  "ignore-0.4.23/src/lib.rs": [["env::temp_dir()", 'std::path::PathBuf::from("/tmp")']],
  "tempfile-3.14.0/src/lib.rs": [["#![cfg_attr(test, deny(warnings))]", UNSTABLE]],
  "walkdir-2.5.0/src/lib.rs": [[
    "#![deny(missing_docs)]",
    `#![cfg_attr(test, feature(wasi_ext))]\n${UNSTABLE}`,
  ]],
  "walkdir-2.5.0/src/tests/util.rs": [
    ["env::temp_dir()", 'PathBuf::from("/tmp")'],
    ["#[cfg(unix)]\n        fn imp", '#[cfg(target_os = "wasi")]\n        fn imp'],
    ["use std::os::unix::fs::symlink;", linking("std")],
  ],
};

const CONFIG = (vendor) =>
  `[source.crates-io]\nreplace-with = "here"\n[source.here]\ndirectory = "${vendor}"\n` +
  "[net]\noffline = true\n";

function script({ target, source, place }, name) {
  const out = `${place}/${target}/crates/${name}`;
  return `set -e; mkdir -p ${place}/cargo ${place}/work; rm -rf ${place}/work/${name}
    printf '%s' '${CONFIG(`${source}/vendor`)}' > ${place}/cargo/config.toml
    cp -r ${source}/vendor/${name} ${place}/work/; cd ${place}/work/${name}; rm -f Cargo.lock
    export RUSTC_BOOTSTRAP=1 CARGO_HOME=${place}/cargo CARGO_TARGET_DIR=${place}/target
    export RUSTFLAGS=--cap-lints=warn CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_TEST_STRIP=debuginfo CARGO_BUILD_JOBS=1
    cargo test --no-run --tests --lib --target ${target} 2> ../${name}.log || { cat ../${name}.log; exit 1; }
    rm -rf ${out}.new; mkdir -p ${out}.new
    sed -n 's/^ *Executable.*(\\(.*\\.wasm\\))$/\\1/p' ../${name}.log | while read file; do
      cp "$file" ${out}.new/
    done
    mv ${out}.new ${out}`;
}

function prepareManifest(folder) {
  const file = path.join(folder, "Cargo.toml");
  let kept = true;
  const lines = fs.readFileSync(file, "utf8").split("\n").filter((line) => {
    if (line.startsWith("[")) kept = !ELSEWHERE.test(line) && !ABSENT.test(line);
    return kept;
  });
  fs.writeFileSync(file, lines.join("\n").replace(FEATURES, ""));
  fs.writeFileSync(path.join(folder, ".cargo-checksum.json"), '{"files":{}}');
}

export const crates = {
  parts: () => TESTED,

  /** What is taken of the sources. */
  sources: () => [...TESTED, ...NEEDED].map((name) => `vendor/${name}`),

  changes: () => JSON.stringify(CHANGES),

  prepare(vendor) {
    for (const name of fs.readdirSync(vendor)) prepareManifest(path.join(vendor, name));
    changeSources(vendor, CHANGES);
  },

  async run(name, workshop, runner) {
    const folder = `${workshop.place}/${workshop.target}/crates/${name}`;
    await workshop.make(folder, `${name} does not build.`, script(workshop, name));
    const results = [];
    for (const file of fs.readdirSync(workshop.outside(folder)).sort()) {
      const outside = path.join(workshop.outside(folder), file);
      results.push(
        await ranTests(outside, runner, {
          files: workshop.outside(`${workshop.source}/vendor/${name}`),
        }),
      );
    }
    return together(results);
  },
};
