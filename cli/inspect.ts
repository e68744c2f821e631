/**
 * `wasi inspect`: what a program is, needs and offers.
 *
 * @module
 */
import type { Binary, FunctionType, Item, MemoryType } from "./binary.ts";
import { parseBinary } from "./binary.ts";
import { isComponent } from "./load.ts";

const SNAPSHOTS: Record<string, string> = {
  wasi_snapshot_preview1: "preview1",
  wasi_unstable: "unstable (snapshot 0)",
};

function signature(type: FunctionType | undefined): string {
  if (type === undefined) return "";
  return `(${type.parameters.join(", ")}) -> (${type.results.join(", ")})`;
}

function size({ minimum, maximum, shared, wide }: MemoryType): string {
  const mebibytes = (pages: number): string => `${pages} pages (${pages / 16} MiB)`;
  const most = maximum === undefined ? "no maximum" : `at most ${mebibytes(maximum)}`;
  return `${mebibytes(minimum)}, ${most}${shared ? ", shared" : ""}${wide ? ", 64-bit" : ""}`;
}

/** What kind of program it is, in one word or two. */
function kindOf({ imports, exports }: Binary): string {
  const has = (name: string): boolean =>
    exports.some((item) => item.name === name && item.kind === "function");
  const threaded = imports.some(({ module, name }) => module === "wasi" && name === "thread-spawn");
  const words = threaded ? ["threaded"] : [];
  if (has("_start")) words.push("command");
  else if (has("_initialize")) words.push("reactor");
  else words.push("library (neither _start nor _initialize)");
  return words.join(" ");
}

function lines(title: string, items: string[]): string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `  ${item}`)];
}

function describe({ name, kind, type, memory }: Item): string {
  if (kind === "memory" && memory !== undefined) return `memory ${name}: ${size(memory)}`;
  return `${kind} ${name}${signature(type)}`;
}

/** The report on a module's bytes. */
export function inspect(file: string, bytes: Uint8Array): string {
  if (isComponent(bytes)) {
    return `${file}: a component (of the component model)\n` +
      "Components need another tool: wasmtime runs them, jco turns them into modules for JavaScript.\n";
  }
  const binary = parseBinary(bytes);
  const modules = [...new Set(binary.imports.map(({ module }) => module))];
  const snapshots = modules.flatMap((module) => SNAPSHOTS[module] ?? []);
  const calls = binary.imports.filter(({ module }) => module in SNAPSHOTS);
  const others = binary.imports.filter(({ module }) => !(module in SNAPSHOTS));
  const report = [
    `${file}: a ${kindOf(binary)}, ${bytes.length} bytes`,
    `WASI: ${snapshots.join(" and ") || "none"}`,
    ...binary.memories.map((memory) => `memory: ${size(memory)}`),
    ...lines(`system calls (${calls.length})`, calls.map(({ name }) => name).sort()),
    ...lines("other imports", others.map((item) => `${item.module}.${describe(item)}`)),
    ...lines("exports", binary.exports.map(describe)),
    ...lines("made by", binary.producers),
    ...lines("custom sections", [...new Set(binary.customs)]),
  ];
  return report.join("\n") + "\n";
}
