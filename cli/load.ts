/**
 * Finding a program: from a path, a URL or standard input, binary or text.
 *
 * @module
 */
import { PAGE } from "../core/constants.ts";
import { CommandError, plain } from "./error.ts";
import { readBytes } from "./runtime.ts";

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [0x01, 0x00, 0x00, 0x00];

/** A program's bytes, and what a component is instead of a module. */
export interface Program {
  bytes: Uint8Array<ArrayBuffer>;
  component: boolean;
}

/** The bytes of FILE. */
async function read(file: string): Promise<Uint8Array> {
  if (/^https?:\/\//i.test(file)) return await download(file);
  try {
    if (file === "-") return (await import("node:fs")).readFileSync(0);
    if (!/^file:/i.test(file)) return await readBytes(file);
    const { fileURLToPath } = await import("node:url");
    return await readBytes(fileURLToPath(file));
  } catch (error) {
    throw new CommandError(`${file}: ${plain(error)}`);
  }
}

async function download(url: string): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    throw new CommandError(`${url}: ${plain(cause ?? error) || "it cannot be reached"}`);
  }
  if (!response.ok) throw new CommandError(`${url}: the server answered ${response.status}`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new CommandError(`${url}: ${plain(error)}`);
  }
}

/** Whether a file's bytes are WebAssembly's text format. */
function isText(bytes: Uint8Array): boolean {
  return bytes[0] !== 0 && /^\uFEFF?\s*(?:;;|\(;|\(\s*module)/.test(decode(bytes.subarray(0, 200)));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** What the package wabt offers, as far as it is used. */
interface Wabt {
  parseWat(name: string, text: string, features: Record<string, boolean>): {
    toBinary(options: object): { buffer: Uint8Array };
    destroy(): void;
  };
}

/** What of WebAssembly may be in a text: all that wabt knows and it can write. */
const FEATURES = [
  "bulk_memory",
  "exceptions",
  "extended_const",
  "memory64",
  "multi_memory",
  "multi_value",
  "mutable_globals",
  "reference_types",
  "relaxed_simd",
  "sat_float_to_int",
  "sign_extension",
  "simd",
  "tail_call",
  "threads",
];

async function loadWabt(): Promise<Wabt> {
  const names = "Deno" in globalThis ? ["wabt", "npm:wabt@1"] : ["wabt"];
  for (const name of names) {
    try {
      // by a variable: it need not be installed
      const { default: open } = await import(name) as { default: () => Promise<Wabt> };
      return await open();
    } catch {
      // the next name
    }
  }
  throw new CommandError(`it is text, which needs the package wabt: ${wabtFor(import.meta.url)}`);
}

/**
 * How wabt gets to where this module looks for it.
 *
 * @param place the URL of this module
 */
export function wabtFor(place: string): string {
  if ("Deno" in globalThis) return "deno cache npm:wabt@1";
  if (place.includes("/_npx/")) return "npx -p @x/wasi -p wabt wasi ...";
  if (/\/bunx-[^/]+\//.test(place)) return "bun add -g @x/wasi wabt, and then wasi ...";
  if (place.includes("/install/global/node_modules/")) return "bun add -g wabt";
  // where npm keeps what is global: the second on Windows
  if (/\/(?:lib|AppData\/Roaming\/npm)\/node_modules\//.test(place)) return "npm install -g wabt";
  return "Bun" in globalThis ? "bun add wabt" : "npm install wabt";
}

async function assemble(file: string, text: string): Promise<Uint8Array> {
  try {
    const wabt = await loadWabt();
    const features = Object.fromEntries(FEATURES.map((name) => [name, true]));
    const module = wabt.parseWat("text", text, features);
    const { buffer } = module.toBinary({ write_debug_names: true });
    module.destroy();
    return buffer;
  } catch (error) {
    // "parseWat failed:", then "text:LINE:COLUMN: error: WHAT", then the line itself
    const at = /^text:(\d+:\d+): error: (.*)/m.exec((error as Error).message ?? "");
    if (at !== null) throw new CommandError(`${file}:${at[1]}: ${at[2]}`);
    throw new CommandError(`${file}: ${plain(error)}`);
  }
}

/** The bytes of a module or component, or an error that says what FILE is instead. */
export async function load(file: string): Promise<Program> {
  let bytes = await read(file);
  if (isText(bytes) || (bytes[0] !== 0 && file.endsWith(".wat"))) {
    bytes = await assemble(file, decode(bytes));
  }
  if (bytes.length === 0) throw new CommandError(`${file}: it is empty`);
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new CommandError(`${file}: it is not a module of WebAssembly`);
  }
  if (bytes.length < 8) throw new CommandError(`${file}: the module ends too early`);
  const component = bytes[6] === 1 && bytes[7] === 0;
  if (!component && !VERSION.every((byte, i) => bytes[4 + i] === byte)) {
    const version = [...bytes.subarray(4, 8)].map((byte) => byte.toString(16).padStart(2, "0"));
    throw new CommandError(
      `${file}: it has an unknown version of WebAssembly (${version.join(" ")})`,
    );
  }
  return { bytes: bytes as Uint8Array<ArrayBuffer>, component };
}

/** The module with a memory that does not grow beyond so many bytes. */
async function limit(
  file: string,
  bytes: Uint8Array<ArrayBuffer>,
  maxMemory: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { initialPages, limitMemory } = await import("../core/module/memory.ts");
  const least = initialPages(bytes) * PAGE;
  if (least > maxMemory) {
    throw new CommandError(
      `${file}: it begins with ${least} bytes of memory, but the limit is ${maxMemory}; ` +
        `use at least --max-memory=${least}`,
    );
  }
  return limitMemory(bytes, Math.floor(maxMemory / PAGE)) as Uint8Array<ArrayBuffer>;
}

/** Compiles a module, its memory limited to so many bytes; of a component there are only bytes. */
export async function compile(
  file: string,
  program: Promise<Program>,
  maxMemory: number | undefined,
): Promise<{ module: WebAssembly.Module | undefined; bytes: Uint8Array<ArrayBuffer> }> {
  let { bytes, component } = await program;
  if (component) return { module: undefined, bytes };
  try {
    if (maxMemory !== undefined) bytes = await limit(file, bytes, maxMemory);
    return { module: await WebAssembly.compile(bytes), bytes };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const reason = plain(error).replace(/^WebAssembly\.\w+\(\): /, "");
    throw new CommandError(`${file}: the engine rejects this module: ${reason}`);
  }
}
