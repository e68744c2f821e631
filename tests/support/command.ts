/**
 * The command `wasi` as a process: from its sources, on Node before 26 compiled.
 */
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import process from "node:process";
import { compiled, root, runtime, scratch, windows, withoutBun } from "./harness.ts";

const cli = compiled ? "build/cli.js" : "cli.ts";

/** Without it Node takes a third of a second to strip the types of the sources, each time. */
const cache = path.join(root, "node_modules/.cache/node");

/** The words that start it. */
export const command: readonly string[] = [
  process.execPath,
  ...(runtime === "deno" ? ["run", "-A"] : []),
  path.join(root, cli),
];

/** How it ended, and what it wrote. */
export interface Ran {
  /** its exit code, or the name of the signal that ended it */
  code: number | string;
  out: string;
  err: string;
  stdout: Uint8Array;
  /** how long it took */
  milliseconds: number;
}

/** How it is run. */
export interface CommandOptions {
  /** standard input; "idle" for a pipe that nothing comes through. Default: nothing */
  input?: string | Uint8Array | "idle";
  cwd?: string;
  /** variables beside PATH and HOME */
  env?: Record<string, string>;
  /** what the shell does with it: "$@" stands for the words. Default: exec "$@" */
  shell?: string;
  /** called when it has started */
  started?: (child: ChildProcess) => void;
}

/** A guest of the tests, by its name. */
export function guest(name: string): string {
  return path.join(root, "tests/guests", `${name}.wasm`);
}

/** The variables that it is given in any case: without the others no program starts on Windows. */
function inherited(): Record<string, string> {
  if (!windows) return { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/" };
  const names = ["PATH", "SystemRoot", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA"];
  return Object.fromEntries(
    names.flatMap((name) => process.env[name] === undefined ? [] : [[name, process.env[name]]]),
  );
}

/**
 * The command's words on Windows, where there is no shell to be had. Deno changes those of a
 * program with its own name, so that gets another one.
 */
function ofWindows(words: readonly string[], { shell }: CommandOptions): string[] {
  if (shell !== undefined) throw new Error(`there is no shell here for ${shell}`);
  if (runtime !== "deno") return [...command, ...words];
  return [starter(), ...command.slice(1), ...words];
}

/** A name of Deno's program that Deno does not know for its own. */
let other: string | undefined;

function starter(): string {
  if (other === undefined) {
    other = path.join(scratch("deno"), "other.exe");
    try {
      fs.linkSync(process.execPath, other);
    } catch {
      fs.copyFileSync(process.execPath, other); // it is on another drive
    }
  }
  return other;
}

/** Runs it with these words. */
export function wasi(words: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const { input = "", cwd = root, env = {}, shell = 'exec "$@"', started } = options;
  const began = performance.now();
  // through a shell, because Deno changes the words of a Deno that it starts
  const [program, ...all] = windows
    ? ofWindows(words, options)
    : ["/bin/sh", "-c", shell, "sh", ...command, ...words];
  const child = spawn(program!, all, {
    cwd,
    env: { ...inherited(), NO_COLOR: "1", NODE_COMPILE_CACHE: cache, ...env },
    stdio: "pipe",
  });
  const chunks: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };
  child.stdout.on("data", (chunk: Uint8Array) => chunks.stdout.push(chunk));
  child.stderr.on("data", (chunk: Uint8Array) => chunks.stderr.push(chunk));
  child.stdin.on("error", () => {}); // it need not read all
  if (input !== "idle") child.stdin.end(input);
  started?.(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      child.stdin.destroy();
      const [stdout, stderr] = [Buffer.concat(chunks.stdout), Buffer.concat(chunks.stderr)];
      resolve({
        code: code ?? String(signal),
        out: stdout.toString(),
        err: withoutBun(stderr.toString()),
        stdout: new Uint8Array(stdout),
        milliseconds: performance.now() - began,
      });
    });
  });
}

/** How many run at once. With several pipes at a time Deno panics under Wine. */
const AT_ONCE = windows && runtime === "deno" ? 1 : 4;

/** Calls a function for each of many, some at once. */
export async function each<T>(items: readonly T[], use: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const one = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await use(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** A port that nobody has, a moment ago at least. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
