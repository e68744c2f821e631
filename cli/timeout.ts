/**
 * Running a program for a limited time: in a process of its own, which can be ended whatever the
 * guest does.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { TIMER_MAX } from "../core/constants.ts";
import { CommandError, plain } from "./error.ts";

const TIMED_OUT = 124;

/** Calls a function when a time is over, however long it is. */
function after(milliseconds: number, then: () => void): void {
  setTimeout(() => {
    if (milliseconds > TIMER_MAX) after(milliseconds - TIMER_MAX, then);
    else then();
  }, Math.min(milliseconds, TIMER_MAX));
}

/** What would end this process must end that one, before this one ends by it. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * Runs the command in another process; gives its exit code, or 124 when its time is over.
 *
 * @param cli the command's main module
 */
export function runTimed(cli: string, words: string[], milliseconds: number): Promise<number> {
  const place = cli.startsWith("file:") ? fileURLToPath(cli) : cli;
  const child = spawn(process.execPath, [...process.execArgv, place, ...words], {
    stdio: "inherit",
  });
  let why: "time" | NodeJS.Signals | undefined;
  const end = (reason: "time" | NodeJS.Signals): void => {
    why ??= reason;
    child.kill("SIGKILL");
  };
  after(milliseconds, () => end("time"));
  for (const signal of SIGNALS) process.on(signal, () => end(signal));
  return new Promise((resolve, reject) => {
    child.on("error", (error) => {
      reject(new CommandError(`--timeout: no process can be started: ${plain(error)}`));
    });
    child.on("exit", (code, signal) => {
      if (why === "time") {
        console.error(`wasi: the program's time is over (${milliseconds / 1000} s): it was ended`);
        return resolve(TIMED_OUT);
      }
      if (why !== undefined) {
        for (const other of SIGNALS) process.removeAllListeners(other);
        process.kill(process.pid, why);
        return; // the signal ends this process
      }
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** How often it is looked whether the parent is still there, in milliseconds. */
const LOOK = 500;

/** Ends this process when the one that takes its time is gone: nobody else would. */
export function endWithParent(): void {
  // a thread of its own, for the guest holds this one
  new Worker(
    `const process = require("node:process");
    setInterval(() => {
      if (process.ppid !== ${process.ppid}) process.kill(process.pid, "SIGKILL");
    }, ${LOOK});`,
    { eval: true },
  );
}
