/**
 * Where the runtimes are that npm installed: the programs themselves. Install scripts move some of
 * them, if npm is allowed to run them.
 */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const { arch, platform } = process;
const cpu = arch === "arm64" ? "aarch64" : arch;
const candidates = platform === "win32"
  ? {
    node22: [`node22-win-${arch}/bin/node.exe`],
    node24: [`node24-win-${arch}/bin/node.exe`],
    node26: [`node-win-${arch}/bin/node.exe`],
    deno: [`@deno/win32-${arch}/deno.exe`, "deno/deno.exe"],
    bun: [`@oven/bun-windows-${cpu}/bin/bun.exe`, "bun/bin/bun.exe"],
  }
  : {
    node22: [`node22-${platform}-${arch}/bin/node`],
    node24: [`node24-${platform}-${arch}/bin/node`],
    node26: [`node-${platform}-${arch}/bin/node`, `node-bin-${platform}-${arch}/bin/node`],
    deno: [`@deno/${platform}-${arch}-glibc/deno`, `@deno/${platform}-${arch}/deno`, "deno/deno"],
    bun: [`@oven/bun-${platform}-${cpu}/bin/bun`, "bun/bin/bun.exe"],
  };

/** The program of "node22", "node24", "node26", "deno" or "bun". */
export function programOf(name) {
  const tried = candidates[name].map((file) => path.join(root, "node_modules", file));
  const found = tried.find((file) => fs.existsSync(file));
  if (found === undefined) {
    throw new Error(`${name} is not installed: no ${tried.join(" and no ")}`);
  }
  fs.chmodSync(found, 0o755);
  return found;
}

/** The machine's own Node: npm puts the packages' `node` before it, and knows which it was. */
export const machineNode = process.env.npm_node_execpath ?? process.execPath;

/** TypeScript's compiler, to be run by Node. */
export const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc");

/** The compilers that the package's types are for, by version. */
export const compilers = {
  5.7: path.join(root, "node_modules", "typescript57", "bin", "tsc"),
  5.9: path.join(root, "node_modules", "typescript59", "bin", "tsc"),
  7: tsc,
};
