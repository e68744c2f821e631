/** The self-checking guests of tests/guests, over files and streams in memory. */
import {
  type Directory,
  type File,
  memory,
  type MemoryDirectory,
  MemoryLink,
  Open,
  type Tree,
  WASI,
  type WASIOptions,
} from "../../adapters/browser/mod.ts";
import { equal } from "./check.ts";

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** A program of the server, compiled once. */
export function compile(address: string): Promise<WebAssembly.Module> {
  let module = modules.get(address);
  if (module === undefined) {
    modules.set(address, module = WebAssembly.compileStreaming(fetch(address)));
  }
  return module;
}

/** A guest of the folder tests/guests. */
export function guest(name: string): Promise<WebAssembly.Module> {
  return compile(`/guests/${name}.wasm`);
}

/** A guest that checks itself, and how many checks it makes. */
interface Checked {
  name: string;
  checks: number;
  input?: string;
  tree?: Tree;
  options?: Partial<WASIOptions>;
  after?: (files: MemoryDirectory) => void;
}

const paths = (files: MemoryDirectory): string[] => [...files.paths()].sort();

/** Four directories of one tree, so that files can be moved between them. */
function fourOfOne(): Record<string, Directory> {
  const files = memory({ a: {}, b: {}, c: {}, d: {} });
  const at = (name: string): Directory => files.open(name, Open.DIRECTORY, 0) as Directory;
  return { "/": at("a"), "/data": at("b"), relative: at("c"), "/ünï/./x": at("d") };
}

export const GUESTS: readonly Checked[] = [
  {
    name: "args",
    checks: 16,
    options: { args: ["guest", "one", "", "naïve €🐟"], env: { PLAIN: "value", "ключ": "é" } },
  },
  // a clock of its own, as a browser has none for processor time
  { name: "clocks", checks: 23, options: { clock: 1_700_000_000_000_000_000n } },
  { name: "unknown", checks: 35, after: (files) => equal(paths(files), ["file"]) },
  { name: "rights", checks: 156 },
  { name: "renumber", checks: 32, input: "standard input" },
  { name: "closed", checks: 186 },
  { name: "sock", checks: 21, after: (files) => equal(paths(files), ["file"]) },
  {
    name: "scatter",
    checks: 30,
    input: "from outside",
    after: (files) => equal(files.text("gathered"), "The quick brown fox jumps over the lazy dog"),
  },
  { name: "seek", checks: 34 },
  {
    name: "append",
    checks: 18,
    after: (files) => equal([files.text("log"), files.text("fresh")], ["plain!xyz", "again"]),
  },
  {
    name: "fdflags",
    checks: 30,
    after: (files) => equal(files.text("flags"), "still56789end"),
  },
  { name: "size", checks: 42, after: (files) => equal(files.text("file"), "0123456789") },
  { name: "random", checks: 46 },
  { name: "pointers", checks: 126, after: (files) => equal(files.text("file"), "content") },
  {
    name: "libc",
    checks: 47,
    input: "first line\n12 -7\n",
    after: (files) => equal(files.text("raw"), "abc"),
  },
  { name: "tree", checks: 14, after: (files) => equal(files.text("left"), "by Zig") },
  { name: "open", checks: 78 },
  { name: "filestat", checks: 90 },
  { name: "times", checks: 70 },
  { name: "symlinks", checks: 91, tree: { absolute: new MemoryLink("/file") } },
  { name: "hardlinks", checks: 31 },
  { name: "rename", checks: 55 },
  { name: "remove", checks: 53 },
  { name: "readdir", checks: 38 },
  { name: "changing", checks: 10 },
  { name: "raise", checks: 33 },
  { name: "preopens", checks: 52, options: { preopens: fourOfOne() } },
];

/** Files in memory as the three standard streams. */
export function streams(input: string): { files: MemoryDirectory; options: Partial<WASIOptions> } {
  const files = memory({ stdin: input });
  const opened = (name: string, flags: number): File => files.open(name, flags, 0) as File;
  const flags = Open.WRITE | Open.CREAT;
  return {
    files,
    options: {
      stdin: opened("stdin", Open.READ),
      stdout: opened("stdout", flags),
      stderr: opened("stderr", flags),
    },
  };
}

/** Judges what a guest said of itself. */
export function judge(code: number, out: string, err: string, checks: number): void {
  const lines = out.split("\n");
  equal(lines.filter((line) => line.startsWith("not ok ")), [], "failed checks");
  equal(code, 0, `exit code (standard error: ${err})`);
  equal(lines.filter((line) => line.startsWith("ok ")).length, checks, "number of checks");
}

/** Runs a guest over files in memory. */
export async function passes(
  { name, checks, input, tree, options, after }: Checked,
): Promise<void> {
  const files = memory(tree);
  const { files: ends, options: standard } = streams(input ?? "");
  const wasi = new WASI({
    version: "preview1",
    args: ["guest"],
    env: {},
    preopens: { "/": files },
    ...standard,
    ...options,
  });
  const instance = await WebAssembly.instantiate(await guest(name), wasi.getImportObject());
  const code = wasi.start(instance);
  judge(code, ends.text("stdout"), ends.text("stderr"), checks);
  after?.(files);
}
