/**
 * Where a program comes from.
 *
 * @module
 */
import { invalidType, invalidValue } from "../errors.ts";
import { pathOfURL } from "../guest/options.ts";

/**
 * What {@linkcode run} runs: a module, its bytes, where they are, or a response with them. Bun's files
 * are Blobs.
 */
export type Source =
  | WebAssembly.Module
  | BufferSource
  | Blob
  | URL
  | Response
  | PromiseLike<Response>;

/** Reads a file by its path, where there are files. */
export type ReadFile = (path: string) => Promise<BufferSource>;

async function fetched(url: URL): Promise<Response> {
  try {
    return await fetch(url);
  } catch (cause) {
    const { message } = cause as Error;
    const error = new Error(`${url.href} cannot be fetched: ${message}`, { cause });
    throw Object.assign(error, { code: "ERR_WASI_SOURCE" });
  }
}

async function bytesOfResponse(response: Response): Promise<BufferSource> {
  if (!response.ok) {
    const where = response.url || "source";
    throw Object.assign(new Error(`${where}: the server answered ${response.status}`), {
      code: "ERR_WASI_SOURCE",
    });
  }
  return await response.arrayBuffer();
}

export function isModule(value: unknown): value is WebAssembly.Module {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/** The bytes of a source, or the module that it is. */
export async function load(
  source: Source,
  readFile?: ReadFile,
): Promise<Uint8Array | WebAssembly.Module> {
  if (isModule(source)) return source;
  let bytes: BufferSource;
  const given: unknown = await source;
  if (given instanceof Response) bytes = await bytesOfResponse(given);
  else if (given instanceof URL) {
    // fetch() of Node does not know file: URLs
    bytes = given.protocol === "file:" && readFile !== undefined
      ? await readFile(pathOfURL(given, "source"))
      : await bytesOfResponse(await fetched(given));
  } else if (ArrayBuffer.isView(given) || given instanceof ArrayBuffer) {
    bytes = given as BufferSource;
  } else if (given instanceof Blob) bytes = await given.arrayBuffer();
  else if (isModule(given)) return given;
  else {
    const kinds =
      "an instance of WebAssembly.Module, URL, Response, Blob or ArrayBuffer, or a view of one";
    const advice = typeof given === "string"
      ? ", not a path: pass the file's bytes, a URL (node:url has pathToFileURL), or a Response"
      : "";
    throw invalidType("source", kinds + advice, given);
  }
  try {
    return ArrayBuffer.isView(bytes)
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes);
  } catch {
    throw invalidValue("source", "has been transferred, and has no bytes left", "");
  }
}
