/**
 * What every test needs: the repository's folder, a scratch folder, a guest run over files.
 * Runs unchanged under Node, Deno and Bun, as TypeScript or compiled into build/.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BaseWASI, WASIOptions } from "../../core/guest/wasi.ts";
import { WASI } from "./wasi.ts";

/** The repository's folder: tests run from tests/ or from build/tests/. */
export const root: string = findRoot(path.dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  if (fs.existsSync(path.join(from, "jsr.json"))) return from;
  const up = path.dirname(from);
  if (up === from) throw new Error("no jsr.json above the tests");
  return findRoot(up);
}

/** Which runtime runs this test: "deno", "bun" or "node20" and so on, by its major version. */
export const runtime: string = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : `node${process.versions.node.split(".")[0]}`;

/** Whether the system is Windows, or answers as it does. */
export const windows: boolean = process.platform === "win32";

/** Whether this is what TypeScript compiled, which runs on Node before 26. */
export const compiled: boolean = import.meta.url.endsWith(".js");

/** The class's module, for scripts that tests write: an import takes no path of Windows. */
export const mod: string =
  pathToFileURL(path.join(root, compiled ? "build/mod.js" : "mod.ts")).href;

/** Whether this runtime has foreign functions. */
export const foreign: boolean = !/^node2[0-5]$/.test(runtime);

/** Whether there are sockets that listen. */
export const sockets: boolean = foreign && process.platform === "linux";

const folders: string[] = [];

/** A fresh folder of its own, removed when the process ends. */
export function scratch(name = "wasi"): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`)));
  if (folders.length === 0) {
    // `deno test` ends without Node's event
    if (runtime === "deno") globalThis.addEventListener("unload", removeAll);
    else process.on("exit", removeAll);
  }
  folders.push(folder);
  return folder;
}

function removeAll(): void {
  for (const folder of folders) {
    try {
      fs.rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // what a process still has open stays on Windows
      if (!windows) throw error;
    }
  }
}

/** What a guest left behind. */
export interface Outcome {
  code: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** stdout as text */
  out: string;
  /** stderr as text */
  err: string;
}

/** Options of a run: those of the class, with standard input as bytes or text. */
export interface RunOptions {
  args?: string[];
  env?: Record<string, string>;
  preopens?: Record<string, string>;
  input?: Uint8Array | string;
  version?: "preview1" | "unstable";
  imports?: WebAssembly.Imports;
  clock?: WASIOptions["clock"];
}

const modules = new Map<string, WebAssembly.Module>();

/** Compiles a module once per process; `file` is relative to the repository's folder. */
export function compile(file: string): WebAssembly.Module {
  let module = modules.get(file);
  if (module === undefined) {
    module = new WebAssembly.Module(fs.readFileSync(path.resolve(root, file)));
    modules.set(file, module);
  }
  return module;
}

/** Runs a command with real files as its standard streams and reads them back. */
export function run(
  module: WebAssembly.Module,
  options: RunOptions = {},
  Class: new (options: WASIOptions) => BaseWASI = WASI,
): Outcome {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-run-"));
  const names = ["stdin", "stdout", "stderr"].map((name) => path.join(folder, name));
  fs.writeFileSync(names[0]!, options.input ?? "");
  const fds = [
    fs.openSync(names[0]!, "r"),
    fs.openSync(names[1]!, "w"),
    fs.openSync(names[2]!, "w"),
  ];
  try {
    const wasi = new Class({
      version: options.version ?? "preview1",
      args: options.args ?? ["guest"],
      env: options.env ?? {},
      preopens: options.preopens ?? {},
      stdin: fds[0],
      stdout: fds[1],
      stderr: fds[2],
      clock: options.clock,
    });
    const imports = Object.assign(wasi.getImportObject(), options.imports);
    const code = wasi.start(new WebAssembly.Instance(module, imports));
    const stdout = new Uint8Array(fs.readFileSync(names[1]!));
    const stderr = new Uint8Array(fs.readFileSync(names[2]!));
    const text = new TextDecoder();
    return { code, stdout, stderr, out: text.decode(stdout), err: text.decode(stderr) };
  } finally {
    for (const fd of fds) fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** How a process ended. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** What Bun says of itself on Windows when a folder has another name than it was asked for. */
const OF_BUN = /^Internal error: directory mismatch .*\n/gm;

/** Standard error, without what Bun says of itself. */
export function withoutBun(text: string): string {
  return runtime === "bun" && windows ? text.replace(OF_BUN, "") : text;
}

interface DenoCommand {
  Command: new (program: string, options: object) => {
    outputSync(): { code: number; stdout: Uint8Array; stderr: Uint8Array };
  };
}

/** Runs the runtime that runs this test, with these arguments. */
export function runRuntime(parameters: string[], cwd: string): Ended {
  if (runtime !== "deno") {
    const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
      encoding: "utf8",
      cwd,
    });
    return { status, stdout, stderr: withoutBun(stderr) };
  }
  // Deno's node:child_process would add permissions of its own to Deno's arguments
  const { Command } = (globalThis as unknown as { Deno: DenoCommand }).Deno;
  const ended = new Command(process.execPath, { args: parameters, cwd, stdin: "null" })
    .outputSync();
  const text = new TextDecoder();
  return {
    status: ended.code,
    stdout: text.decode(ended.stdout),
    stderr: text.decode(ended.stderr),
  };
}
