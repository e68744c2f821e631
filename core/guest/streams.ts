/**
 * Standard streams given as values: bytes, functions, buffers.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import { Thrown } from "../exit.ts";
import { type File, Poll, type PollEntry, type StreamAccess } from "../host.ts";
import { invalidType, invalidValue } from "../errors.ts";
import { PipeFile } from "../system/pipe_file.ts";
import { validateDescriptor } from "./options.ts";

/**
 * What a guest's standard input can be: a descriptor of the process, bytes, a function that fills
 * an array and returns the number of bytes (0 at the end), or `null` for no input.
 */
export type StdinOption = number | Uint8Array | ((into: Uint8Array) => number) | File | null;

/**
 * What a guest's standard output can be: a descriptor of the process, a function that takes each
 * chunk (a copy that it may keep), an {@linkcode OutputBuffer}, or `null` to discard it.
 */
export type StdoutOption = number | ((chunk: Uint8Array) => void) | OutputBuffer | File | null;

/** Marks an {@linkcode OutputBuffer}, of whichever copy of this module. */
const BRAND: unique symbol = Symbol.for("@x/wasi.OutputBuffer");

/** The largest array that a function has to fill, however much the guest requests. */
const CHUNK_MAX = 65536;
/** The smallest that is allocated. */
const BUFFER_MIN = 1024;

/**
 * Keeps what a guest writes, byte for byte.
 *
 * @example
 * ```ts
 * import { OutputBuffer, WASI } from "@x/wasi";
 *
 * const out = new OutputBuffer();
 * const wasi = new WASI({ version: "preview1", stdout: out, stderr: out });
 * // ... wasi.start(instance), then
 * console.assert(out.text() === "" && out.bytes.length === 0);
 * ```
 */
export class OutputBuffer {
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** Everything written so far: a view that is valid until more is written. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The same as text: UTF-8, with U+FFFD for invalid bytes. */
  text(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.bytes);
  }

  /**
   * Adds bytes at the end.
   *
   * Errors: `ERR_INVALID_ARG_TYPE` for anything but a `Uint8Array`.
   */
  write(chunk: Uint8Array): void {
    if ((chunk as Uint8Array | null | undefined)?.[Symbol.toStringTag] !== "Uint8Array") {
      throw invalidType("chunk", "an instance of Uint8Array", chunk);
    }
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2, BUFFER_MIN));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** Removes everything. */
  clear(): void {
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
  }
}

/** What all such streams have in common: they are always ready. */
abstract class ValueStream extends PipeFile {
  ready(entry: PollEntry): void {
    entry.found = entry.events;
  }
}

/** Calls what the embedder gave: what it throws ends the guest and reaches the embedder. */
export function calling<R>(use: () => R): R {
  try {
    return use();
  } catch (error) {
    throw new Thrown(error);
  }
}

abstract class Input extends ValueStream {
  write(): number {
    return -Errno.BADF;
  }

  access(): StreamAccess {
    return { read: true, write: false, fdflags: 0 };
  }
}

/** Input that is all there. */
class BytesInput extends Input {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    super();
    this.#bytes = bytes;
  }

  read(into: Uint8Array, offset: number, length: number): number {
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    into.set(part, offset);
    this.#at += part.length;
    return part.length;
  }

  override ready(entry: PollEntry): void {
    entry.nbytes = this.#bytes.length - this.#at;
    entry.found = entry.nbytes > 0 ? Poll.READ : Poll.READ | Poll.HANGUP;
  }
}

/** Input that a function gives. */
class FunctionInput extends Input {
  readonly #give: (into: Uint8Array) => number;
  #ended = false;

  constructor(give: (into: Uint8Array) => number) {
    super();
    this.#give = give;
  }

  read(into: Uint8Array, offset: number, length: number): number {
    if (this.#ended) return 0;
    const count = calling(() => {
      // an array of its own: the guest's memory may be shared, and is nobody's to keep
      const chunk = new Uint8Array(Math.min(length, CHUNK_MAX));
      const given = this.#give(chunk);
      if (!Number.isInteger(given) || given < 0 || given > chunk.length) {
        throw invalidValue(
          "options.stdin",
          `must return how many bytes it gave, from 0 to ${chunk.length}`,
          given,
        );
      }
      into.set(chunk.subarray(0, given), offset);
      return given;
    });
    if (count === 0 && length > 0) this.#ended = true;
    return count;
  }

  override ready(entry: PollEntry): void {
    entry.found = this.#ended ? Poll.READ | Poll.HANGUP : Poll.READ;
  }
}

/** Output that somebody takes. */
export class Output extends ValueStream {
  readonly #take: (chunk: Uint8Array) => void;

  constructor(take: (chunk: Uint8Array) => void) {
    super();
    this.#take = take;
  }

  read(): number {
    return -Errno.BADF;
  }

  write(from: Uint8Array, offset: number, length: number): number {
    calling(() => this.#take(from.slice(offset, offset + length)));
    return length;
  }

  access(): StreamAccess {
    return { read: false, write: true, fdflags: 0 };
  }
}

// the package's other copy (`import` or `require`) knows it by that
Object.defineProperty(OutputBuffer.prototype, BRAND, { value: true });

/** Whether a value is an {@linkcode OutputBuffer}, of whichever copy of this module. */
export function isOutputBuffer(value: unknown): value is OutputBuffer {
  return typeof value === "object" && value !== null && BRAND in value;
}

/** Whether a value is a file as {@linkcode File} says. */
function isFile(value: unknown): value is File {
  return typeof value === "object" && value !== null &&
    typeof (value as File).filetype === "number" && typeof (value as File).read === "function" &&
    typeof (value as File).write === "function";
}

/** Names what can only be read or written asynchronously, if the value is that. */
function asynchronous(value: unknown, input: boolean): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const has = (name: PropertyKey): boolean =>
    typeof (value as Record<PropertyKey, unknown>)[name] === "function";
  if (!input) return has("getWriter") ? "a WritableStream" : undefined;
  if (has("getReader")) return "a ReadableStream";
  if (has("arrayBuffer") && has("stream")) return "a Blob";
  return has(Symbol.asyncIterator) ? "an async iterable" : undefined;
}

/** Rejects streams that are asynchronous: the guest blocks the thread. */
function refuseAsynchronous(value: unknown, name: string, input: boolean): void {
  const what = asynchronous(value, input);
  if (what === undefined) return;
  const verb = input ? "read" : "written to";
  const instead = input
    ? "give its bytes (a Uint8Array)"
    : "give a function that takes chunks, or an OutputBuffer";
  throw invalidValue(
    name,
    `is ${what}, which cannot be ${verb} while start() blocks the thread: ${instead}`,
    value,
  );
}

/** The file that a value of `options.stdin` stands for, or the number it is. */
export function inputOf(value: unknown, name: string): File | number {
  if (value === null) return new BytesInput(new Uint8Array(0));
  if (value instanceof Uint8Array) return new BytesInput(value);
  if (typeof value === "function") return new FunctionInput(value as () => number);
  if (isFile(value)) return value;
  refuseAsynchronous(value, name, true);
  validateDescriptor(value, name);
  return value;
}

/** The file that a value of `options.stdout` or `options.stderr` stands for, or the number. */
export function outputOf(value: unknown, name: string): File | number {
  if (value === null) return new Output(() => {});
  if (isOutputBuffer(value)) return new Output((chunk) => value.write(chunk));
  if (typeof value === "function") return new Output(value as () => void);
  if (isFile(value)) return value;
  refuseAsynchronous(value, name, false);
  validateDescriptor(value, name);
  return value;
}

/** The standard streams of a guest that blocks the thread. */
export function syncStreams(
  stdin: unknown,
  stdout: unknown,
  stderr: unknown,
): (number | File)[] {
  return [
    inputOf(stdin, "options.stdin"),
    outputOf(stdout, "options.stdout"),
    outputOf(stderr, "options.stderr"),
  ];
}
