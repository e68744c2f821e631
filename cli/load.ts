/**
 * Finding a program: from a path, a URL or standard input, binary or text.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CommandError, plain } from "./arguments.ts";

const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** The bytes of FILE. */
async function read(file: string): Promise<Uint8Array> {
  if (/^https?:\/\//.test(file)) return await download(file);
  let place: string | number = file;
  if (file === "-") place = 0;
  else if (file.startsWith("file:")) {
    try {
      place = fileURLToPath(file);
    } catch (error) {
      throw new CommandError(`${file}: ${plain(error)}`);
    }
  }
  try {
    return new Uint8Array(readFileSync(place));
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
    throw new CommandError(`${url}: ${plain(cause ?? error)}`);
  }
  if (!response.ok) throw new CommandError(`${url}: the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Whether a file's bytes are WebAssembly's text format. */
function isText(file: string, bytes: Uint8Array): boolean {
  if (file.endsWith(".wat")) return true;
  return bytes.length > 0 && /^\s*(?:;;|\(;|\(\s*module)/.test(decode(bytes.subarray(0, 200)));
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

async function assemble(file: string, text: string): Promise<Uint8Array> {
  let wabt: Wabt;
  try {
    const name = "wabt"; // a variable: it need not be installed
    const loaded = await import(name) as { default: () => Promise<Wabt> };
    wabt = await loaded.default();
  } catch {
    throw new CommandError(`${file}: text needs the package wabt: npm install wabt`);
  }
  try {
    const features = { bulk_memory: true, multi_value: true, reference_types: true, simd: true };
    const module = wabt.parseWat(file, text, { ...features, sign_extension: true, threads: true });
    const { buffer } = module.toBinary({ write_debug_names: true });
    module.destroy();
    return buffer;
  } catch (error) {
    throw new CommandError(plain(error));
  }
}

/** The bytes of a module, or an error that says what it is instead. */
export async function load(file: string): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = await read(file);
  if (isText(file, bytes)) bytes = await assemble(file, decode(bytes));
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    const what = bytes.length === 0 ? "is empty" : "is not a WebAssembly module";
    throw new CommandError(`${file}: ${what}`);
  }
  return bytes as Uint8Array<ArrayBuffer>;
}

/** Whether the bytes are a component: they have another version. */
export function isComponent(bytes: Uint8Array): boolean {
  return bytes[6] === 1;
}
