/**
 * C for WASI with Debian's clang and wasi-libc, and the sources of Debian's packages: for suites whose
 * programs are built here.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { haveDebian, haveSources, inside, once, SetupError } from "../debian.mjs";
import { root } from "../runtimes.mjs";

const PACKAGES = `
  clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32 make dpkg-dev patch xz-utils bzip2
  gcc libc6-dev tcl8.6
`.trim().split(/\s+/);

/** What c/posix.c replaces. */
const WRAPPED = `
  stat lstat fstat fstatat chmod fchmod fchmodat mkdir mkdirat unlink unlinkat rmdir rename open openat
  opendir setlocale
`.trim().split(/\s+/);

const EMULATED = ["SIGNAL", "GETPID", "PROCESS_CLOCKS", "MMAN"];

/**
 * The compiler as a command: it finds nothing of the host's, and everything that c/posix.h declares,
 * unless BARE is set, as configure scripts need it, which declare functions themselves. A program that
 * is linked gets c/posix.c too.
 */
const COMMAND = `#!/bin/sh
case " $* " in
  *" -c "*|*" -E "*|*" -S "*) link= ;;
  *) link="/posix/posix.o ${
  [
    ...WRAPPED.map((name) => `-Wl,--wrap=${name}`),
    ...EMULATED.map((name) => `-lwasi-emulated-${name.toLowerCase().replaceAll("_", "-")}`),
  ].join(" ")
} -Wl,-z,stack-size=4194304" ;;
esac
exec clang-19 --target=wasm32-wasi -w -nostdlibinc -isystem /posix \\
  -isystem /usr/include/wasm32-wasi \${BARE--include /posix/posix.h} \\
  ${EMULATED.map((name) => `-D_WASI_EMULATED_${name}`).join(" ")} "$@" $link
`;

let debian;

/** A place inside the Debian, as the host sees it. */
export function outside(place) {
  return path.join(debian, place);
}

/** Makes the Debian and the compiler's command, `wasi-cc`, unless they are there. */
export function haveCompiler(cache) {
  debian = path.join(cache, "c/debian");
  fs.mkdirSync(path.dirname(debian), { recursive: true });
  haveDebian(debian, PACKAGES);
  const command = outside("usr/local/bin/wasi-cc");
  const folder = outside("posix");
  const sources = ["posix.h", "posix.c"].map((name) =>
    path.join(root, "scripts/languages/c", name)
  );
  once(folder, changes(COMMAND, ...sources.map((file) => fs.readFileSync(file, "utf8"))), () => {
    fs.writeFileSync(command, COMMAND, { mode: 0o755 });
    fs.mkdirSync(folder);
    for (const file of sources) fs.copyFileSync(file, path.join(folder, path.basename(file)));
    for (const name of ["pwd.h", "grp.h", "termios.h"]) {
      fs.writeFileSync(path.join(folder, name), '#include "posix.h"\n');
    }
    inside(debian, "posix.c does not build.", "cd /posix && wasi-cc -O1 -c posix.c -o posix.o");
  });
  haveSources(debian);
}

/** Stands for what a step depends on. */
export function changes(...texts) {
  return createHash("sha256").update(texts.join("\0")).digest("hex");
}

/**
 * Has the source of one of Debian's packages.
 *
 * @returns its version, and where it is inside the Debian
 */
export function haveSource(name) {
  const place = `/src/${name}`;
  fs.mkdirSync(outside("src"), { recursive: true });
  once(outside(place), name, () => {
    inside(
      debian,
      `The source of ${name} cannot be had: see whether the mirror has it.`,
      `mkdir -p ${place}; cd ${place}; apt-get -q source --download-only ${name}; ` +
        `dpkg-source -x *.dsc source; rm -f *.orig*`,
    );
  });
  const description = fs.readdirSync(outside(place)).find((file) => file.endsWith(".dsc"));
  if (description === undefined) {
    throw new SetupError(`${outside(place)} is not complete: remove it.`);
  }
  const version = description.slice(name.length + 1).split("-")[0];
  return { version, source: `${place}/source` };
}

/**
 * Builds something in a folder of its own inside the Debian, with a script for sh.
 *
 * @returns the folder, inside the Debian
 */
export function haveBuilt(name, script) {
  const place = `/build/${name}`;
  fs.mkdirSync(outside("build"), { recursive: true });
  const posix = fs.readFileSync(`${outside("posix")}.done`, "utf8");
  once(outside(place), changes(posix, script), () => {
    inside(debian, `${name} does not build.`, `mkdir ${place}; cd ${place}; exec 2>log; ${script}`);
  });
  return place;
}
