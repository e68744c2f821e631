/**
 * Runs a script by Ruby of npm's @ruby/3.3-wasm-wasi, whose module is a library for JavaScript.
 *
 *   ruby_command.mjs PROGRAM FOLDERS SCRIPT WORDS...   FOLDERS and the variable GUEST are JSON
 */
import fs from "node:fs";
import process from "node:process";
import { WASI } from "../../mod.ts";

const [program, folders, script, ...words] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  env: JSON.parse(process.env.GUEST ?? "{}"),
  preopens: JSON.parse(folders),
});
const module = await WebAssembly.compile(fs.readFileSync(program));
const imports = wasi.getImportObject();
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  if (from === "wasi_snapshot_preview1") continue;
  imports[from] ??= {};
  if (/^resource_(new|get)_rb-abi-value$/.test(name)) {
    imports[from][name] = (value) => value; // the handle of an object of Ruby
    continue;
  }
  imports[from][name] = () => { // objects of JavaScript: no script has any
    throw new Error(`${from}.${name} is called`);
  };
}
const instance = await WebAssembly.instantiate(module, imports);
wasi.initialize(instance);
const { memory, cabi_realloc: allocate } = instance.exports;
const named = (start) =>
  instance.exports[Object.keys(instance.exports).find((name) => name.startsWith(`${start}:`))];

/** A string or a list of strings as the canonical ABI passes it. */
function lower(value) {
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    const at = allocate(0, 0, 1, bytes.length);
    new Uint8Array(memory.buffer).set(bytes, at);
    return [at, bytes.length];
  }
  const pairs = value.flatMap(lower);
  const at = allocate(0, 0, 4, pairs.length * 4);
  new Uint32Array(memory.buffer, at, pairs.length).set(pairs);
  return [at, value.length];
}

named("ruby-init")(...lower(["ruby\0", "-EUTF-8\0", "-e_=0\0"]));
const result = named("rb-eval-string-protect")(...lower(
  `$0 = ${JSON.stringify(script)}; ARGV.replace(${JSON.stringify(words)})
  begin
    load $0
  rescue SystemExit
  rescue Exception
    warn $!.full_message
    raise
  end`,
));
process.exitCode = new Uint32Array(memory.buffer, result, 2)[1] === 0 ? 0 : 1;
