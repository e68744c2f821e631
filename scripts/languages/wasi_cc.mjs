/** A C compiler for programs that expect POSIX, as a command in the Debian of toolchain.mjs. */
import fs from "node:fs";
import path from "node:path";
import { root } from "../runtimes.mjs";
import { haveBuilt, haveToolchain, outside, writing } from "./toolchain.mjs";

const FOLDER = "/build/posix";

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
  *) link="${FOLDER}/posix.o ${
  [
    ...WRAPPED.map((name) => `-Wl,--wrap=${name}`),
    ...EMULATED.map((name) => `-lwasi-emulated-${name.toLowerCase().replaceAll("_", "-")}`),
  ].join(" ")
} -Wl,-z,stack-size=4194304" ;;
esac
exec clang --target=wasm32-wasi -w -nostdlibinc -isystem ${FOLDER} \\
  -isystem /usr/include/wasm32-wasi \${BARE--include ${FOLDER}/posix.h} \\
  ${EMULATED.map((name) => `-D_WASI_EMULATED_${name}`).join(" ")} "$@" $link
`;

/**
 * Makes the Debian and the command, `wasi-cc`, unless they are there.
 *
 * @returns what stands for it in what is built with it
 */
export function haveCompiler(cache) {
  haveToolchain(cache);
  fs.writeFileSync(outside("usr/local/bin/wasi-cc"), COMMAND, { mode: 0o755 });
  const [header, source] = ["posix.h", "posix.c"].map((name) =>
    fs.readFileSync(path.join(root, "scripts/languages/c", name), "utf8")
  );
  const script = `
    ${writing("posix.h", header)}
    ${writing("posix.c", source)}
    for name in pwd grp termios; do echo '#include "posix.h"' >$name.h; done
    wasi-cc -O1 -c posix.c
  `;
  haveBuilt("posix", script, COMMAND);
  return COMMAND + script;
}
