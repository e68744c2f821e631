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
import { CHECKS, type SelfChecking } from "../guests/checks.ts";
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

/** A guest that checks itself, and what it is given. */
interface Checked {
  name: SelfChecking;
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
    options: { args: ["guest", "one", "", "naïve €🐟"], env: { PLAIN: "value", "ключ": "é" } },
  },
  // a clock of its own, as a browser has none for processor time
  { name: "clocks", options: { clock: 1_700_000_000_000_000_000n } },
  { name: "unknown", after: (files) => equal(paths(files), ["file"]) },
  { name: "rights" },
  { name: "renumber", input: "standard input" },
  { name: "closed" },
  { name: "sock", after: (files) => equal(paths(files), ["file"]) },
  {
    name: "scatter",
    input: "from outside",
    after: (files) => equal(files.text("gathered"), "The quick brown fox jumps over the lazy dog"),
  },
  { name: "seek" },
  {
    name: "append",
    after: (files) => equal([files.text("log"), files.text("fresh")], ["plain!xyz", "again"]),
  },
  {
    name: "fdflags",
    after: (files) => equal(files.text("flags"), "still56789end"),
  },
  { name: "size", after: (files) => equal(files.text("file"), "0123456789") },
  { name: "random" },
  { name: "pointers", after: (files) => equal(files.text("file"), "content") },
  {
    name: "libc",
    input: "first line\n12 -7\n",
    after: (files) => equal(files.text("raw"), "abc"),
  },
  { name: "tree", after: (files) => equal(files.text("left"), "by Zig") },
  { name: "open" },
  { name: "filestat" },
  { name: "times" },
  { name: "symlinks", tree: { absolute: new MemoryLink("/file") } },
  { name: "hardlinks" },
  { name: "rename" },
  { name: "remove" },
  { name: "readdir" },
  { name: "changing" },
  { name: "raise" },
  { name: "preopens", options: { preopens: fourOfOne() } },
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
export function judge(name: SelfChecking, code: number, out: string, err: string): void {
  const lines = out.split("\n");
  equal(lines.filter((line) => line.startsWith("not ok ")), [], "failed checks");
  equal(code, 0, `exit code (standard error: ${err})`);
  equal(lines.filter((line) => line.startsWith("ok ")).length, CHECKS[name], "number of checks");
}

/** Runs a guest over files in memory. */
export async function passes(
  { name, input, tree, options, after }: Checked,
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
  judge(name, code, ends.text("stdout"), ends.text("stderr"));
  after?.(files);
}
