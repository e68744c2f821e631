/** esbuild, compiled to WebAssembly: the bundler of these scripts, run by a class of ours. */
import fs from "node:fs";
import path from "node:path";
import { root } from "./runtimes.mjs";

let compiled;

/**
 * Runs it with these arguments and directories; gives its exit code.
 *
 * @param WASI the class, of whichever build is to be used
 */
export async function esbuild(WASI, args, preopens) {
  compiled ??= WebAssembly.compile(
    fs.readFileSync(path.join(root, "node_modules/@esbuild/wasi-preview1/esbuild.wasm")),
  );
  const wasi = new WASI({ version: "preview1", args: ["esbuild", ...args], preopens });
  return wasi.start(await WebAssembly.instantiate(await compiled, wasi.getImportObject()));
}
