/**
 * The one place from which tests take the class under test. With WASI_STATUS it also writes down
 * which system calls were answered with what, for scripts/status.mjs.
 */
import fs from "node:fs";
import process from "node:process";
import { WASI as Ours, type WASIOptions } from "../../mod.ts";

const status = process.env["WASI_STATUS"];
const seen = new Set<string>();

/** Takes the lines of a trace; writes each answer of each function down once. */
function recorder(): (line: string) => void {
  let name = "";
  return (line) => {
    const call = /^==> (\w+)\(/.exec(line)?.[1];
    if (call !== undefined) {
      name = call;
      if (name !== "proc_exit") return;
    }
    const result = call === "proc_exit" ? "SUCCESS" : /(\w+)$/.exec(line)?.[1];
    if (result === "ended") return; // the line behind an exit
    const answer = `${name} ${result}`;
    if (seen.has(answer)) return;
    seen.add(answer);
    fs.appendFileSync(status!, `${answer}\n`);
  };
}

class Recorded extends Ours {
  constructor(options: WASIOptions) {
    super(options?.trace === undefined ? { ...options, trace: recorder() } : options);
  }
}

/** The class under test. */
export const WASI: typeof Ours = status === undefined ? Ours : Recorded as typeof Ours;
/** One of its objects. */
export type WASI = Ours;
