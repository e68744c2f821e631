/**
 * Runs scripts by Perl of npm's @6over3/zeroperl-ts, whose module is a library for JavaScript: each in an
 * instance of its own. Says before each which it is, and after it what it wrote and how it ended.
 *
 *   perl_command.mjs PROGRAM FOLDERS SCRIPTS...   FOLDERS and the variable GUEST are JSON
 */
import fs from "node:fs";
import process from "node:process";
import { OutputBuffer, WASI } from "../../mod.ts";

const [program, folders, ...scripts] = process.argv.slice(2);
const module = await WebAssembly.compile(fs.readFileSync(program));
const guest = JSON.parse(process.env.GUEST ?? "{}");
const host = JSON.parse(folders)["/"];

/** The switches that Perl wants on its command line too, if a script has them in its first line. */
function switchesOf(script) {
  const file = `${host}/${script}`;
  const line = fs.existsSync(file) ? fs.readFileSync(file, "latin1").split("\n", 1)[0] : "";
  const taint = /^#!.*perl.*\s-\w*([tT])/.exec(line);
  // the variable PERL5LIB does not count then
  return taint === null ? [] : [`-${taint[1]}`, ...guest.PERL5LIB ? [`-I${guest.PERL5LIB}`] : []];
}

/** Runs Perl, and gives its exit code. */
async function ran(words, output) {
  const wasi = new WASI({
    version: "preview1",
    env: guest,
    preopens: JSON.parse(folders),
    stdin: null,
    stdout: output,
    stderr: output,
  });
  const call_host_function = () => {
    throw new Error("no function of the host is registered");
  };
  const { exports } = await WebAssembly.instantiate(module, {
    ...wasi.getImportObject(),
    env: { call_host_function },
  });
  const put = (bytes) => {
    const at = exports.malloc(bytes.length);
    new Uint8Array(exports.memory.buffer).set(bytes, at);
    return at;
  };
  wasi.initialize({ exports });
  const places = words.map((word) => put(new TextEncoder().encode(`${word}\0`)));
  const list = put(new Uint8Array(new Uint32Array([...places, 0]).buffer));
  const code = exports.zeroperl_init_with_args(words.length, list);
  exports.zeroperl_free_interpreter(); // which writes what is still to be written
  return code;
}

for (const script of scripts) {
  console.log(`@@ begin ${script}`);
  const output = new OutputBuffer();
  let how;
  try {
    how = await ran(["perl", ...switchesOf(script), script], output);
  } catch (error) {
    how = String(error).split("\n", 1)[0];
  }
  console.log(output.text());
  console.log(`@@ end ${script} ${how}`);
}
