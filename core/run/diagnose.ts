/**
 * Why a program cannot be run, in words that say what to do: found in its imports and exports, and
 * where its bytes are at hand in its types, before it is linked.
 *
 * @module
 */
import { shapeOf } from "../preview1/imports.ts";
import type { Signature } from "../preview1/table.ts";
import type { Binary, FunctionType, Item } from "../module/binary.ts";

/** What a program is given. */
export interface Given {
  /** The functions of a snapshot, by the name that they are imported from. */
  table(module: string): Readonly<Record<string, Signature>> | undefined;
  /** Whether something else of that name is given. */
  has(module: string, name: string): boolean;
  /** Whether it may start threads, and what to do if it may not. */
  readonly threads: boolean;
  readonly allowThreads: string;
  /** What to do about imports that nothing is known of. */
  readonly provideImports: string;
  /** Whether it needs a memory, whatever it does. */
  readonly needsMemory: boolean;
}

/** A module's imports and exports, as the engine tells them or a reader found them. */
export interface Interface {
  readonly imports: readonly { module: string; name: string; kind: string }[];
  readonly exports: readonly { name: string; kind: string }[];
}

const interfaces: WeakMap<WebAssembly.Module, Interface> = new WeakMap();

/** What the engine tells of a module, which it is asked once. */
export function interfaceOf(module: WebAssembly.Module): Interface {
  let found = interfaces.get(module);
  if (found === undefined) {
    found = {
      imports: WebAssembly.Module.imports(module),
      exports: WebAssembly.Module.exports(module),
    };
    interfaces.set(module, found);
  }
  return found;
}

const NAMES_MAX = 10;

/** How a WebAssembly component begins where a module has its version. */
export function isComponent(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[6] === 1 && bytes[7] === 0;
}

/** Why a module cannot be run, if so; begins with "it". */
export function faultOf(module: Interface | Binary, given: Given): string | undefined {
  const binary = "memories" in module ? module : undefined;
  return missing(module, given) ?? wrongTypes(binary, given) ?? wrongMemory(binary, given) ??
    wrongEntry(binary) ?? threadless(module, given);
}

/** Types of parameters that can be left out in a call from JavaScript, and of results that it can get. */
const CALLABLE: readonly string[] = ["i32", "f32", "f64", "externref"];

/** Entry points take nothing and give nothing; an engine calls some others as well. */
function wrongEntry(binary: Binary | undefined): string | undefined {
  const entry = binary?.exports.find(({ name, type }) =>
    (name === "_start" || name === "_initialize") && type !== undefined &&
    !(type.parameters.every((one) => CALLABLE.includes(one)) && !type.results.includes("v128"))
  );
  return entry && `its ${entry.name} is ${shown(entry.type!)}, but must be () -> ()`;
}

function missing(module: Interface, given: Given): string | undefined {
  const { imports } = module;
  const missing = imports.filter((wanted) => !isThere(wanted, given));
  // of a memory alone more is said below, where the bytes tell what it is to be
  const isBinary = "memories" in module;
  if (isBinary && missing.every(({ kind }) => kind === "memory")) return undefined;
  if (missing.length === 0) return undefined;
  const names = missing.map(({ module, name, kind }) =>
    `${named(module)}.${named(name)} (${kind})`
  );
  const more = names.length - NAMES_MAX;
  const list = names.slice(0, NAMES_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
  const threaded = names.includes("wasi.thread-spawn (function)") &&
    missing.every(({ kind, name }) => kind === "memory" || name === "thread-spawn");
  if (threaded) return `it has threads; ${given.allowThreads} (it needs ${list})`;
  return `it has imports that are not in WASI preview1: ${list}; ` +
    (adviceFor(names) ?? given.provideImports);
}

/** A name as it is shown: one of no letters would not be seen. */
const named = (name: string): string => name === "" ? '""' : name;

function isThere(
  { module, name, kind }: Interface["imports"][number],
  given: Given,
): boolean {
  const table = given.table(module);
  if (table !== undefined && (name === "proc_exit" || Object.hasOwn(table, name))) return true;
  if (given.has(module, name)) return true;
  // a shared memory is made for a program with threads
  return given.threads && (kind === "memory" || (module === "wasi" && name === "thread-spawn"));
}

/** What is known by the names that its maker leaves. */
const MAKERS: readonly [pattern: RegExp, advice: string][] = [
  [/^go(js)?\./, "it was built for JavaScript: build it with GOOS=wasip1 GOARCH=wasm"],
  [
    /^env\.napi_/,
    "it is an addon by napi-rs: load its npm package, with the preload @x/wasi/register",
  ],
  [
    /^(__wbindgen|wbg|\.\/.*_bg\.js)|wbindgen/,
    "wasm-bindgen built it for its own JavaScript: load it with that, or build it for wasm32-wasip1",
  ],
  [/^rb-js-abi-host\./, "it is Ruby for JavaScript: load it with the npm package @ruby/wasm-wasi"],
  [/^env\.__(set_transform_result|\w+_proxy)\b/, "it is a plugin of SWC, which runs it"],
  [
    /^wasi_snapshot_preview1\.sock_(open|bind|listen|connect|getaddrinfo)\b/,
    "these are WasmEdge's: for sockets build a component of WASI 0.2 (wasm32-wasip2)",
  ],
  [
    /^env\.(invoke_|__cxa_|_emscripten_throw_longjmp)/,
    "Emscripten built it with exceptions or longjmp of JavaScript: build it with " +
    "-sSTANDALONE_WASM, and -fwasm-exceptions or -sSUPPORT_LONGJMP=wasm",
  ],
  [/^wasi:/, "it is made for WASI 0.2: build it for wasm32-wasip1"],
  [
    /^(env\.(_?emscripten_|__syscall|_?mmap_js)|a\.\w{1,2} |wasi_snapshot_preview1\.\w{1,2} )/,
    "Emscripten built it for its own JavaScript: build it with -sSTANDALONE_WASM",
  ],
  [
    /^env\.(abort|seed|trace)\b/,
    "provide AssemblyScript's functions besides WASI, or build it with AssemblyScript's WASI shim",
  ],
];

function adviceFor(names: readonly string[]): string | undefined {
  return MAKERS.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
}

const shown = ({ parameters, results }: FunctionType): string =>
  `(${parameters.join(", ")}) -> (${results.join(", ")})`;

function wrongTypes(binary: Binary | undefined, { table, has }: Given): string | undefined {
  for (const { module, name, kind, type } of binary?.imports ?? []) {
    const signatures = table(module);
    const signature = signatures && Object.hasOwn(signatures, name) ? signatures[name] : undefined;
    if (signatures === undefined || has(module, name)) continue;
    if (signature === undefined && name !== "proc_exit") continue;
    const wanted = signature === undefined ? { parameters: ["i32"], results: [] } : {
      parameters: [...shapeOf(signature)].map((letter) => letter === "I" ? "i64" : "i32"),
      results: ["i32"],
    };
    const is = kind === "function" && type !== undefined ? shown(type) : `a ${kind}`;
    if (is !== shown(wanted)) {
      return `it imports ${module}.${name} as ${is}, which is ${shown(wanted)} in WASI: ` +
        "either the tool that built it is broken, or the program is hostile";
    }
  }
  return undefined;
}

function wrongMemory(
  binary: Binary | undefined,
  { has, needsMemory, threads, allowThreads }: Given,
): string | undefined {
  if (binary === undefined) return undefined;
  const { imports, exports, memories } = binary;
  const calls = imports.some(({ module }) => /^wasi_(snapshot_preview1|unstable)$/.test(module));
  if (!calls) return undefined;
  const isMemory = ({ kind }: Item): boolean => kind === "memory";
  const named = exports.find((item) => isMemory(item) && item.name === "memory");
  const imported = imports.find(isMemory);
  if (named === undefined && imported === undefined) {
    const other = exports.find(isMemory);
    if (!needsMemory && other === undefined) return undefined;
    return other === undefined
      ? 'it exports no memory: link it with its memory exported as "memory"'
      : `its memory is exported as "${other.name}": it must be exported as "memory"`;
  }
  const memory = named?.memory ?? imported?.memory ?? memories[0];
  if (memory?.wide) {
    return "its memory is 64-bit, but WASI preview1 is 32-bit: build it for wasm32";
  }
  if (imported !== undefined && !has(imported.module, imported.name)) {
    if (imported.memory?.shared) {
      return threads
        ? undefined
        : `it imports a shared memory, as a program with threads does; ${allowThreads}`;
    }
    return `it imports its memory, ${imported.module}.${imported.name}, which is missing: ` +
      "provide it, or link the program with its own memory";
  }
  return undefined;
}

function threadless({ imports, exports }: Interface, { threads }: Given): string | undefined {
  const has = (all: readonly { name: string; kind: string }[], name: string): boolean =>
    all.some((item) => item.name === name && item.kind === "function");
  if (threads && has(imports, "thread-spawn") && !has(exports, "wasi_thread_start")) {
    return "it starts threads but does not export wasi_thread_start: " +
      "link it with -pthread";
  }
  return undefined;
}
