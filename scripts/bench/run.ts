/**
 * Measures on the runtime that runs it and writes JSON. Parameters: the file to write, the module
 * that exports WASI, what to measure ("calls,programs,startup,scale,components,runs"), rounds, JSON of
 * further options.
 */
import fs from "node:fs";
import process from "node:process";
import { measureCalls } from "./calls.ts";
import { measureComponents } from "./components.ts";
import { measurePrograms } from "./programs.ts";
import { measureRuns } from "./runs.ts";
import { measureScale } from "./scale.ts";
import { measureStartup } from "./startup.ts";

process.removeAllListeners("warning"); // node:wasi announces itself

const [
  output,
  module,
  what = "calls,programs,startup,scale,components,runs",
  rounds = "9",
  extra = "{}",
] = process
  .argv
  .slice(2);
const library = await import(module!);
const { WASI, run } = library;
const { WASI: Builtin } = await import("node:wasi");
const wanted = what.split(",");
const result: Record<string, unknown> = {};
if (wanted.includes("calls")) {
  result.calls = await measureCalls(WASI, Builtin, {
    rounds: Number(rounds),
    extra: JSON.parse(extra),
  });
}
if (wanted.includes("programs")) {
  result.programs = await measurePrograms(WASI, Builtin, Math.ceil(Number(rounds) / 3));
}
if (wanted.includes("startup")) result.startup = measureStartup(module!, Number(rounds));
if (wanted.includes("scale")) {
  result.scale = await measureScale(WASI, Builtin, module!, {
    rounds: Number(rounds),
    extra: JSON.parse(extra),
  });
}
if (wanted.includes("components")) {
  result.components = await measureComponents(run, Math.ceil(Number(rounds) / 2));
}
if (wanted.includes("runs")) result.runs = await measureRuns(library, Builtin, Number(rounds));
fs.writeFileSync(output!, JSON.stringify(result, undefined, 2));
process.exit(0);
