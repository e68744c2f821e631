/**
 * Standard streams that can only be had asynchronously: for guests that suspend while they wait.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import { Thrown } from "../exit.ts";
import { type File, Poll, type PollEntry, type StreamAccess } from "../host.ts";
import { invalidType, invalidValue } from "../errors.ts";
import {
  inputOf,
  isOutputBuffer,
  outputOf,
  type StdinOption,
  type StdoutOption,
} from "./streams.ts";
import { type AsyncFile, AsyncStream, isAsyncFile } from "../system/async_file.ts";
import { turn } from "../next_task.ts";

export { type AsyncFile, isAsyncFile };

/** What standard input can be if the guest is suspended: also asynchronous streams. */
export type AsyncStdinOption =
  | StdinOption
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** What standard output can be if the guest is suspended: also `WritableStream`. */
export type AsyncStdoutOption = StdoutOption | WritableStream<Uint8Array>;

/** One of the embedder's streams. */
abstract class EmbeddedStream extends AsyncStream {
  /** What the embedder's stream failed with. */
  protected failed: Thrown | undefined = undefined;
}

/** Gives chunks, one after another. What it throws, or gives instead of a promise, is a failure. */
interface Source {
  next(): Promise<{ done?: boolean; value?: unknown }>;
  /** Called once nothing more is wanted. */
  release(): Promise<unknown>;
  /** Called instead if nothing ever was. */
  abandon(): void;
}

function sourceOf(value: Blob | ReadableStream<unknown> | AsyncIterable<unknown>): Source {
  if (value instanceof Blob) return sourceOf(value.stream());
  if ("getReader" in value) {
    const reader = value.getReader();
    const release = async (): Promise<void> => {
      // from a stack of its own: Deno makes an error here and keeps it, with all that its stack
      // knows, which is the guest
      await turn();
      reader.releaseLock();
    };
    return { next: async () => await reader.read(), release, abandon: () => reader.releaseLock() };
  }
  const iterator = value[Symbol.asyncIterator]();
  return {
    next: async () => await iterator.next(),
    release: async () => await iterator.return?.(),
    abandon() {},
  };
}

/** Milliseconds that an input has to end once nothing more is wanted of it. */
const RELEASE_MAX = 500;

/** Input from a stream. One chunk is fetched at a time, when the guest asks for it. */
class AsyncInput extends EmbeddedStream {
  readonly #source: Source;
  #chunk: Uint8Array = new Uint8Array(0);
  #ended = false;
  #finished = false;
  #pending: Promise<void> | undefined = undefined;

  constructor(source: Source) {
    super();
    this.#source = source;
  }

  /** Fetches a chunk unless there is one or one is on its way. */
  #fetch(): void {
    if (this.#chunk.length > 0 || this.#ended || this.failed || this.#pending) return;
    this.#pending = this.#source.next().then(async (result) => {
      if (typeof result !== "object" || result === null) {
        throw invalidType("what next() of options.stdin gives", "of type object", result);
      }
      const { done, value } = result;
      if (done) this.#ended = true;
      else if (value instanceof Uint8Array) {
        this.#chunk = value;
        // an endless series of empty chunks must not keep timers from running
        if (value.length === 0) await turn();
      } else throw invalidType("a chunk of options.stdin", "an instance of Uint8Array", value);
    }).catch((error) => {
      this.failed = new Thrown(error);
    }).finally(() => {
      this.#pending = undefined;
      this.wake();
    });
  }

  read(into: Uint8Array, offset: number, length: number): number {
    if (this.#chunk.length > 0) {
      const part = this.#chunk.subarray(0, length);
      into.set(part, offset);
      this.#chunk = this.#chunk.subarray(part.length);
      return part.length;
    }
    if (this.failed) throw this.failed;
    if (this.#ended) return 0;
    this.#fetch();
    return -Errno.AGAIN;
  }

  write(): number {
    return -Errno.BADF;
  }

  access(): StreamAccess {
    return { read: true, write: false, fdflags: 0 };
  }

  ready(entry: PollEntry): void {
    this.#fetch();
    entry.nbytes = this.#chunk.length;
    if (entry.nbytes > 0 || this.failed) entry.found = Poll.READ;
    else if (this.#ended) entry.found = Poll.READ | Poll.HANGUP;
  }

  /**
   * What is left of it is the embedder's. A generator that is asked for a chunk and does not yield
   * cannot end either: nobody waits for that.
   */
  async finish(): Promise<void> {
    if (this.#finished) return;
    this.#finished = this.#ended = true;
    const isAsked = this.#pending !== undefined;
    const released = this.#source.release().catch(() => {});
    if (isAsked) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      released,
      new Promise<void>((resolve) => timer = setTimeout(resolve, RELEASE_MAX)),
    ]);
    clearTimeout(timer);
  }

  abandon(): void {
    if (!this.#finished) this.#source.abandon();
    this.#finished = true;
  }
}

/** Output to a stream; one chunk is on its way at a time, so that its reader sets the pace. */
class AsyncOutput extends EmbeddedStream {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #pending: Promise<void> | undefined = undefined;
  /** How many standard streams of the guest it is. */
  uses = 1;

  constructor(stream: WritableStream<Uint8Array>) {
    super();
    this.#writer = stream.getWriter();
    Promise.resolve(this.#writer.closed).catch(() => {}); // a failure shows at the next write
  }

  async #write(chunk: Uint8Array): Promise<void> {
    await this.#writer.write(chunk);
  }

  read(): number {
    return -Errno.BADF;
  }

  write(from: Uint8Array, offset: number, length: number): number {
    if (this.failed) throw this.failed;
    if (this.#pending !== undefined) return -Errno.AGAIN;
    this.#pending = this.#write(from.slice(offset, offset + length)).catch((error) => {
      this.failed = new Thrown(error);
    }).finally(() => {
      this.#pending = undefined;
      this.wake();
    });
    return length;
  }

  access(): StreamAccess {
    return { read: false, write: true, fdflags: 0 };
  }

  ready(entry: PollEntry): void {
    if (this.#pending === undefined) entry.found = Poll.WRITE;
  }

  async finish(): Promise<void> {
    if (--this.uses !== 0) return;
    await this.#pending;
    if (this.failed) throw this.failed.cause;
    await this.#writer.close();
  }

  /** Lets go of the stream, which stays as it is. */
  abandon(): void {
    if (--this.uses === 0) this.#writer.releaseLock();
  }
}

/** Whether an object has a method. */
function has(value: object, name: PropertyKey): boolean {
  return typeof (value as Record<PropertyKey, unknown>)[name] === "function";
}

function isWritable(value: unknown): value is WritableStream<Uint8Array> {
  return typeof value === "object" && value !== null && has(value, "getWriter");
}

function isReadable(value: unknown): value is ReadableStream<Uint8Array> {
  return value instanceof Blob ||
    (typeof value === "object" && value !== null &&
      (has(value, "getReader") || has(value, Symbol.asyncIterator)));
}

/** Refuses a stream that somebody else reads or writes already. */
function refuseLocked(value: unknown, name: string): void {
  if ((value as { locked?: unknown } | null)?.locked !== true) return;
  const reason = "is locked: release the reader or writer that it has, or give another stream";
  throw invalidValue(name, reason, value);
}

/** Refuses what may be meant for a stream, with what to give instead. */
function refuseOthers(value: unknown, name: string, input: boolean): void {
  const kinds = input
    ? "a descriptor, bytes, a function, null or a ReadableStream"
    : "a descriptor, a function, an OutputBuffer, null or a WritableStream";
  if (typeof value === "string") {
    const instead = input ? "give text as new TextEncoder().encode(text)" : "a path is not opened";
    throw invalidType(name, `${kinds}: ${instead}`, value);
  }
  const { pipe, write, fd } = (value ?? {}) as { pipe?: unknown; write?: unknown; fd?: unknown };
  const isNodes = typeof (input ? pipe : write) === "function" &&
    !("filetype" in (value as object));
  if (typeof value !== "object" || !isNodes || isOutputBuffer(value)) return;
  const own = typeof fd === "number" ? `its descriptor, ${fd}, or ` : "";
  throw invalidType(
    name,
    `${kinds}: of a stream of Node's give ${own}what ${
      input ? "Readable" : "Writable"
    }.toWeb() makes`,
    value,
  );
}

/** Refuses streams given as what they cannot be. */
export function refuseOtherStreams(
  { stdin, stdout, stderr }: { stdin?: unknown; stdout?: unknown; stderr?: unknown },
): void {
  if (!isReadable(stdin)) refuseOthers(stdin, "options.stdin", true);
  if (!isWritable(stdout)) refuseOthers(stdout, "options.stdout", false);
  if (!isWritable(stderr)) refuseOthers(stderr, "options.stderr", false);
}

/** The files that the three options stand for, asynchronous ones included. */
export function asyncStreams(
  stdin: unknown,
  stdout: unknown,
  stderr: unknown,
): (number | File)[] {
  const outputs = new Map<unknown, AsyncOutput>();
  const output = (value: unknown, name: string): number | File => {
    if (!isWritable(value)) return outputOf(value, name);
    const known = outputs.get(value);
    if (known !== undefined) {
      known.uses++;
      return known;
    }
    refuseLocked(value, name);
    const made = new AsyncOutput(value);
    outputs.set(value, made);
    return made;
  };
  try {
    const input = isReadable(stdin) ? undefined : inputOf(stdin, "options.stdin");
    if (input === undefined) refuseLocked(stdin, "options.stdin");
    const out = output(stdout, "options.stdout");
    const error = output(stderr, "options.stderr");
    return [input ?? new AsyncInput(sourceOf(stdin as ReadableStream)), out, error];
  } catch (error) {
    for (const file of outputs.values()) {
      file.uses = 1;
      file.abandon();
    }
    throw error;
  }
}
