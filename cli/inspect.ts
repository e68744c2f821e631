/**
 * `wasi inspect`: what a program is, needs and offers.
 *
 * @module
 */
import type { Limits } from "../core/module/reader.ts";
import { tableOf } from "../core/guest/guest.ts";
import type { Binary, FunctionType, Item } from "../core/module/binary.ts";
import { parseBinary } from "../core/module/binary.ts";
import { harmless } from "../core/text.ts";
import { CommandError } from "./error.ts";
import type { Program } from "./load.ts";

const SNAPSHOTS = new Map([
  ["wasi_snapshot_preview1", "preview1"],
  ["wasi_unstable", "unstable (snapshot 0)"],
]);

function signature(type: FunctionType | undefined): string {
  if (type === undefined) return "";
  return `(${type.parameters.join(", ")}) -> (${type.results.join(", ")})`;
}

function size({ minimum, maximum, shared, wide, page }: Limits): string {
  const shown = (pages: number): string => {
    const bytes = pages * page;
    const [unit, name] = bytes < 2 ** 20 ? [2 ** 10, "KiB"] : [2 ** 20, "MiB"];
    return `${pages} pages (${Number((bytes / unit).toFixed(2))} ${name})`;
  };
  const most = maximum === Infinity ? "no maximum" : `at most ${shown(maximum)}`;
  return `${shown(minimum)}, ${most}${shared ? ", shared" : ""}${wide ? ", 64-bit" : ""}`;
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

function describe({ module, name: short, kind, type, memory }: Item): string {
  const name = module === "" ? short : `${module}.${short}`;
  if (kind === "memory" && memory !== undefined) return `memory ${name}: ${size(memory)}`;
  return `${kind} ${name}${signature(type)}`;
}

/** The type of a system call; undefined if there is none of that name. */
function typeOf({ module, name }: Item): FunctionType | undefined {
  if (name === "proc_exit") return { parameters: ["i32"], results: [] };
  const table = tableOf(module);
  if (table === undefined || !Object.hasOwn(table, name)) return undefined;
  const parameters = table[name]!.parameters.map((one) => one.endsWith(":i64") ? "i64" : "i32");
  return { parameters, results: ["i32"] };
}

/** What is wrong with an import that claims to be a system call; undefined if nothing is. */
function fault(item: Item): string | undefined {
  const type = typeOf(item);
  if (type === undefined) return "there is no such system call";
  if (item.kind === "function" && signature(item.type) === signature(type)) return undefined;
  return `the system call is a function${signature(type)}`;
}

/** The report on a module. */
export function inspect(file: string, { bytes }: Pick<Program, "bytes">): string {
  let binary: Binary;
  try {
    binary = parseBinary(bytes);
  } catch (error) {
    throw new CommandError(`${file}: it is broken: ${(error as Error).message}`);
  }
  const modules = [...new Set(binary.imports.map(({ module }) => module))];
  const snapshots = modules.flatMap((module) => SNAPSHOTS.get(module) ?? []);
  const calls = binary.imports.filter(({ module }) => SNAPSHOTS.has(module));
  const right = calls.filter((item) => fault(item) === undefined);
  const wrong = calls.filter((item) => fault(item) !== undefined)
    .map((item) => `${describe(item)}: ${fault(item)}`);
  const others = binary.imports.filter(({ module }) => !SNAPSHOTS.has(module));
  const report = [
    `${file}: a ${kindOf(binary)}, ${bytes.length} bytes`,
    `WASI: ${snapshots.join(" and ") || "none"}`,
    ...binary.memories.map((memory) => `memory: ${size(memory)}`),
    ...lines(`system calls (${right.length})`, right.map(({ name }) => name).sort()),
    ...lines("not system calls", wrong),
    ...lines("other imports", others.map(describe)),
    ...lines("exports", binary.exports.map(describe)),
    ...lines("made by", binary.producers),
    ...lines("custom sections", [...new Set(binary.customs)]),
  ];
  return report.map(harmless).join("\n") + "\n";
}
