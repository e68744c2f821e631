/**
 * What the command needs of its runtime, in the runtime's own words: loading node:process and
 * node:fs costs Bun milliseconds, and Deno more.
 *
 * @module
 */
import { currentSystem } from "../adapters/platform.ts";
import { CommandError, notPermitted, plain } from "./error.ts";

interface DenoNamespace {
  args: string[];
  env: { get(name: string): string | undefined; toObject(): Record<string, string> };
  exit(code: number): never;
  readFileSync(path: string): Uint8Array;
  permissions: { querySync(descriptor: { name: string; path?: string }): { state: string } };
}

interface BunNamespace {
  file(path: string): { bytes(): Promise<Uint8Array> };
}

interface NodeProcess {
  argv: string[];
  platform: string;
  /** with `--permission` */
  permission?: { has(name: string, path?: string): boolean };
  env: Record<string, string>;
  exit(code: number): never;
  reallyExit?(code: number): never;
  emitWarning(...parameters: unknown[]): void;
  getBuiltinModule(name: "node:fs"): typeof import("node:fs");
  getBuiltinModule(name: "node:module"): { flushCompileCache?(): void };
  getBuiltinModule(name: "node:ffi"): NodeFfi | undefined;
}

interface NodeFfi {
  dlopen(name: string, definitions: Record<string, { arguments: string[]; return: string }>): {
    functions: Record<string, (value: number) => void>;
  };
}

const runtime = globalThis as unknown as {
  Deno?: DenoNamespace;
  Bun?: BunNamespace;
  /** on Deno it loads when it is touched */
  process: NodeProcess;
};

/** The words behind the command's name. */
export function commandWords(): string[] {
  return runtime.Deno?.args ?? runtime.process.argv.slice(2);
}

/** A variable of the environment. */
export function variable(name: string): string | undefined {
  if (runtime.Deno !== undefined) return runtime.Deno.env.get(name);
  const { env } = runtime.process;
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

/** All variables of the environment. */
export function variables(): Record<string, string> {
  if (runtime.Deno === undefined) return { ...runtime.process.env };
  const all = { ...runtime.Deno.env.toObject() };
  // the object that Deno makes of them has no place for this one
  const lost = runtime.Deno.env.get("__proto__");
  return lost === undefined ? all : { ...all, ["__proto__"]: lost };
}

/** Ends the process at once: what a guest wrote is written. */
export function exit(code: number): never {
  const status = code & 255;
  if (runtime.Deno !== undefined) return runtime.Deno.exit(status);
  const { process } = runtime;
  if (runtime.Bun === undefined) endNode(process, status);
  return process.reallyExit === undefined ? process.exit(status) : process.reallyExit(status);
}

const LIBC: Readonly<Record<string, string>> = {
  linux: "libc.so.6",
  darwin: "/usr/lib/libSystem.B.dylib",
};

/**
 * Ends Node by the system, where it has foreign functions. Its own end waits for the threads that
 * compile, and once in some hundred runs on a busy machine one of them waits for a collection of
 * garbage that comes no more: https://github.com/nodejs/node/issues/54918
 */
function endNode(process: NodeProcess, status: number): void {
  // Windows would look for a library in the current directory, where a guest may have put one
  const library = LIBC[currentSystem() ?? ""];
  if (library === undefined) return;
  process.emitWarning = () => {}; // node:ffi is experimental
  try {
    const ffi = process.getBuiltinModule("node:ffi");
    if (ffi === undefined) return;
    const { functions } = ffi.dlopen(library, {
      _exit: { arguments: ["int32"], return: "void" },
    });
    process.getBuiltinModule("node:module").flushCompileCache?.();
    functions._exit!(status);
  } catch {
    // it is not allowed, or the library has another name
  }
}

/** The bytes of a file. */
export async function readBytes(path: string): Promise<Uint8Array> {
  if (runtime.Bun !== undefined) return await runtime.Bun.file(path).bytes();
  if (runtime.Deno !== undefined) return runtime.Deno.readFileSync(path);
  return runtime.process.getBuiltinModule("node:fs").readFileSync(path);
}

/** That the runtime may not read a file or folder, if so: what the system refuses looks the same. */
export function unreadable(path: string): string | undefined {
  return refusal("read", "fs.read", path);
}

/** That the runtime may not call foreign functions, if so. */
export function uncallable(): string | undefined {
  return refusal("ffi", "ffi");
}

function refusal(ofDeno: string, ofNode: string, path?: string): string | undefined {
  if (runtime.Deno !== undefined) {
    const { state } = runtime.Deno.permissions.querySync({ name: ofDeno, path });
    return state === "granted" ? undefined : notPermitted("Deno", `--allow-${ofDeno}`);
  }
  if (runtime.process.permission?.has(ofNode, path) !== false) return undefined;
  return notPermitted("Node", `--allow-${ofNode.replace(".", "-")}`);
}

/** The exit code if the reader of the output is gone, as after SIGPIPE. */
export const OUTPUT_CLOSED = 141;

/** Writes text to standard output, whole, before the process ends. */
export async function say(text: string): Promise<void> {
  const { writeSync } = await import("node:fs");
  let left = new TextEncoder().encode(text);
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(1, left));
    } catch (error) {
      const { code } = error as { code?: string };
      // Windows says that the end of the pipe is reached
      if (code === "EPIPE" || code === "EOF") exit(OUTPUT_CLOSED);
      if (code !== "EAGAIN") throw new CommandError(`standard output: ${plain(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
