/** The tests of Rust's own libraries: core, alloc and std. */
import { changeSources, linking } from "./rust_sources.mjs";
import { ranTests } from "./rust_tests.mjs";

/** They catch a panic, or start a thread, both of which a program for WASI cannot. */
const UNWINDING = [
  /^sort::tests::(un)?stable::(panic_|violate_ord_)/,
];

/** Tests of files are left out on WASI; this takes them in. `tmp` is the folder for what they make. */
const CHANGES = {
  "std/src/fs.rs": [['        target_os = "wasi",\n', ""]],
  "std/src/sys_common/io.rs": [["env::temp_dir()", 'PathBuf::from("/tmp")']],
  "std/src/fs/tests.rs": [
    [
      "#[cfg(unix)]\nuse crate::os::unix::fs::symlink as symlink_dir;",
      `${linking("crate")}use symlink as symlink_dir;`,
    ],
    ["#[cfg(unix)]\nuse crate::os::unix::fs::symlink as", "use symlink as"],
    ["#[cfg(unix)]\nmacro_rules!", '#[cfg(target_os = "wasi")]\nmacro_rules!'],
    ['#[cfg(all(unix, not(target_os = "vxworks")))]', '#[cfg(target_os = "wasi")]'],
  ],
};

/** Crates that std is made of, which are in rustc's own folder, and those that its tests need. */
const OWN =
  `core alloc cfg_if panic_abort panic_unwind compiler_builtins unwind hashbrown std_detect
  rustc_demangle miniz_oxide addr2line libc object wasi`.split(/\s+/);

function script({ target, source, place }, name) {
  const out = `${place}/${target}/library`;
  const random = (crate, version, more) =>
    `$rustc -C opt-level=1 --crate-type rlib --crate-name ${crate} ` +
    `${source}/vendor/${crate}-${version}/src/lib.rs ${more}\n`;
  const tests = {
    core:
      `-C opt-level=1 --extern alloc --crate-name coretests ${source}/library/core/tests/lib.rs`,
    alloc: `-C opt-level=1 --extern alloc --crate-name alloctests ` +
      `${source}/library/alloc/tests/lib.rs`,
    // Debian's LLVM crashes where it computes with f128 while it optimizes
    std: OWN.map((crate) => `--extern ${crate}=$(echo $own/lib${crate}-*.rlib)`).join(" ") +
      " --crate-name std --cfg 'feature=\"backtrace\"' --cfg 'feature=\"panic_unwind\"' " +
      "--cfg backtrace_in_libstd --cfg reliable_f128 -Z force-unstable-if-unmarked " +
      `${source}/library/std/src/lib.rs`,
  };
  return `set -e; mkdir -p ${out}; export RUSTC_BOOTSTRAP=1 STD_ENV_ARCH=wasm32
    own=/usr/lib/rustlib/${target}/lib; out=$(mktemp -d -p ${out})
    rustc="rustc --target ${target} --edition 2021 --cap-lints allow -C strip=debuginfo --out-dir $out"
    ${random("rand_core", "0.6.4", "--cfg 'feature=\"alloc\"'")}
    ${random("rand_xorshift", "0.3.0", "--extern rand_core=$out/librand_core.rlib")}
    ${
    random("rand", "0.8.5", "--extern rand_core=$out/librand_core.rlib --cfg 'feature=\"alloc\"'")
  }
    $rustc -L $out --extern rand=$out/librand.rlib --extern rand_xorshift=$out/librand_xorshift.rlib \\
      --test ${tests[name]}
    mv $out/*.wasm ${out}/${name}.wasm; rm -r $out`;
}

/** The last run that listens. */
let listening = Promise.resolve();

export const library = {
  parts: () => ["core", "alloc", "std"],

  /** What is done to the sources. */
  changes: () => JSON.stringify(CHANGES),

  prepare: (folder) => changeSources(folder, CHANGES),

  async run(name, workshop, runner) {
    const file = `${workshop.place}/${workshop.target}/library/${name}.wasm`;
    await workshop.make(file, `${name} does not build.`, script(workshop, name));
    const tests = (options) =>
      ranTests(workshop.outside(file), runner, { unfit: UNWINDING, options });
    if (name !== "std" || !workshop.target.endsWith("p2")) return await tests([]);
    // std's tests of sockets listen, which only components can, at ports that are always the same
    const run = () => tests(["-S", "inherit-network,allow-ip-name-lookup"]);
    listening = listening.then(run, run);
    return await listening;
  },
};
