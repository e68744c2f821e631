/**
 * Runs Perl of npm's @6over3/zeroperl-ts, whose module is a library for JavaScript, as a command.
 *
 *   perl_command.mjs PROGRAM FOLDERS WORDS...   FOLDERS and the variable GUEST are JSON
 */
import fs from "node:fs";
import process from "node:process";
import { WASI } from "../../mod.ts";

const [program, folders, ...words] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  env: JSON.parse(process.env.GUEST ?? "{}"),
  preopens: JSON.parse(folders),
});
const module = await WebAssembly.compile(fs.readFileSync(program));
const instance = await WebAssembly.instantiate(module, {
  ...wasi.getImportObject(),
  env: { call_host_function: () => 0 }, // functions in JavaScript: there are none
});
wasi.initialize(instance);
const perl = instance.exports;

function pointerTo(bytes) {
  const at = perl.malloc(bytes.length);
  new Uint8Array(perl.memory.buffer).set(bytes, at);
  return at;
}
const pointers = ["perl", ...words].map((word) => pointerTo(new TextEncoder().encode(`${word}\0`)));
const argv = pointerTo(new Uint8Array(Uint32Array.from([...pointers, 0]).buffer));
const code = perl.zeroperl_init_with_args(pointers.length, argv);
perl.zeroperl_shutdown(); // which writes what is left
process.exitCode = code;
