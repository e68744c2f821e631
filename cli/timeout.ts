/**
 * Running a program for a limited time: in a process of its own, which can be killed whatever the
 * guest does.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { TIMER_MAX } from "../core/constants.ts";
import { CommandError, notPermitted, plain } from "./error.ts";
import { timedWords } from "./words.ts";

const TIMED_OUT = 124;

/** Calls a function after some time, however long it is. */
function after(milliseconds: number, then: () => void): void {
  setTimeout(() => {
    if (milliseconds > TIMER_MAX) after(milliseconds - TIMER_MAX, then);
    else then();
  }, Math.min(milliseconds, TIMER_MAX));
}

/** A signal that ends this process must end the other process first. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** The command in a process of its own. */
interface Child {
  kill(): void;
  /** its exit code, or the number of the signal that ended it and 128 */
  ended: Promise<number>;
}

/**
 * Runs the command in another process; returns its exit code, or 124 after the timeout.
 *
 * @param cli the command's main module
 */
export async function runTimed(
  cli: string,
  words: readonly string[],
  milliseconds: number,
): Promise<number> {
  const place = cli.startsWith("file:") ? fileURLToPath(cli) : cli;
  const all = [place, ...timedWords(words, process.pid)];
  const child = "Deno" in globalThis ? startDeno(all) : await start(all);
  let why: "time" | NodeJS.Signals | undefined;
  const end = (reason: "time" | NodeJS.Signals): void => {
    why ??= reason;
    child.kill();
  };
  after(milliseconds, () => end("time"));
  for (const signal of SIGNALS) process.on(signal, () => end(signal));
  const code = await child.ended;
  if (why === "time") {
    console.error(`wasi: the program timed out after ${milliseconds / 1000} s`);
    return TIMED_OUT;
  }
  if (why === undefined) return code;
  for (const other of SIGNALS) process.removeAllListeners(other);
  process.kill(process.pid, why);
  return await new Promise(() => {}); // the signal ends this process
}

function unstarted(error: unknown): CommandError {
  return new CommandError(`--timeout: cannot start a process: ${plain(error)}`);
}

/** What Node with `--permission` must be given: a process, and in that a thread that looks here. */
const NEEDED = { child: "--allow-child-process", worker: "--allow-worker" };

/** Starts Node or Bun, as it was started itself. */
function start(words: readonly string[]): Promise<Child> {
  const { permission } = process as { permission?: { has(name: string): boolean } };
  const missing = Object.entries(NEEDED).flatMap(([name, option]) =>
    permission === undefined || permission.has(name) ? [] : [option]
  );
  if (missing.length > 0) {
    throw new CommandError(`--timeout: ${notPermitted("Node", missing.join(" and "))}`);
  }
  // Bun never looks behind its script's name, and may have been given one itself
  const end = "Bun" in globalThis ? [] : ["--"];
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      const all = [...process.execArgv, ...end, ...words];
      child = spawn(process.execPath, all, { stdio: "inherit" });
    } catch (error) {
      return reject(unstarted(error)); // words that are too long, for one
    }
    const ended = new Promise<number>((resolve) => {
      child.on("exit", (code, signal) => {
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
    child.on("error", (error) => reject(unstarted(error)));
    child.on("spawn", () => resolve({ kill: () => void child.kill("SIGKILL"), ended }));
  });
}

type Permission = "env" | "ffi" | "net" | "read" | "run" | "sys" | "write";

/** Of Deno, what is used here. */
interface DenoNamespace {
  Command: new (program: string, options: object) => {
    spawn(): { kill(signal: string): void; status: Promise<{ code: number }> };
  };
  execPath(): string;
  permissions: {
    querySync(descriptor: { name: Permission }): { state: string; partial: boolean };
  };
}

const PERMISSIONS: readonly Permission[] = ["env", "ffi", "net", "read", "run", "sys", "write"];

/**
 * Starts Deno with the permissions that it has here, as far as they are whole: Deno does not tell of
 * others, and Node's module would give it all of them.
 */
function startDeno(words: readonly string[]): Child {
  const { Deno } = globalThis as unknown as { Deno: DenoNamespace };
  const has = (name: Permission): boolean => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return state === "granted" && !partial;
  };
  const missing = (["read", "run"] as const).filter((name) => !has(name));
  if (missing.length > 0) {
    const flags = missing.map((name) => `--allow-${name}`).join(" and ");
    throw new CommandError(
      `--timeout: it starts another Deno process, with the permissions granted without a list; ` +
        `add ${flags}, without a list`,
    );
  }
  const given = PERMISSIONS.every(has)
    ? ["--allow-all"]
    : PERMISSIONS.filter(has).map((name) => `--allow-${name}`);
  try {
    const args = ["run", "--no-prompt", ...given, ...words];
    const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" };
    const child = new Deno.Command(Deno.execPath(), { args, ...streams }).spawn();
    const kill = (): void => {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended by itself
      }
    };
    return { kill, ended: child.status.then(({ code }) => code) };
  } catch (error) {
    throw unstarted(error);
  }
}

/** How often it is looked whether the parent is still there, in milliseconds. */
const LOOK = 500;

/**
 * Ends this process when the one that limits its time is gone: nothing else would.
 *
 * @param parent its number: it may be gone before this one has begun
 */
export function endWithParent(parent: number): void {
  // a thread of its own, for the guest holds this one
  new Worker(
    `const process = require("node:process");
    setInterval(() => {
      if (process.ppid !== ${parent}) process.kill(process.pid, "SIGKILL");
    }, ${LOOK});`,
    { eval: true },
  );
}
