/**
 * Running a program for a limited time: in a process of its own, which can be ended whatever the
 * guest does.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { exit } from "./run.ts";

const TIMED_OUT = 124;
/** Set for the process that runs the program itself. */
const MARK = "WASI_COMMAND_TIMED";

/** Whether this is the process that was started for it. */
export function isTimed(): boolean {
  const timed = process.env[MARK] !== undefined;
  delete process.env[MARK];
  return timed;
}

function startAgain(words: string[]): ChildProcess {
  const cli = new URL(import.meta.url.replace(/cli\/timeout\.(ts|js)$/, "cli.$1"));
  const place = cli.protocol === "file:" ? fileURLToPath(cli) : cli.href;
  return spawn(process.execPath, [...process.execArgv, place, ...words], {
    stdio: "inherit",
    env: { ...process.env, [MARK]: "1" },
  });
}

/** Runs the same command in another process; gives its exit code, or 124 when its time is over. */
export function runTimed(words: string[], milliseconds: number): Promise<number> {
  const child = startAgain(words);
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    console.error(`wasi: ended after ${milliseconds / 1000} s`);
    exit(TIMED_OUT);
  }, milliseconds);
  // what would end this process must end that one
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) {
    process.on(signal, () => {
      child.kill("SIGKILL");
      exit(signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 129);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? (signal === "SIGINT" ? 130 : 137));
    });
  });
}
