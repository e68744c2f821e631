/**
 * Standard streams that can only be had asynchronously: for guests that suspend while they wait.
 *
 * @module
 */
import { Errno, Filetype } from "./abi.ts";
import { Thrown } from "./exit.ts";
import type { FileStat } from "./filestat.ts";
import { type File, Poll, type PollEntry, type StreamAccess } from "./host.ts";
import { invalidType } from "./options.ts";
import { inputOf, outputOf, type StdinOption, type StdoutOption } from "./streams.ts";
import { turn } from "./turn.ts";

/** What standard input can be where a guest suspends: all that it can be else, and streams. */
export type AsyncStdinOption =
  | StdinOption
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** What standard output can be where a guest suspends. */
export type AsyncStdoutOption = StdoutOption | WritableStream<Uint8Array>;

/** A file that can be waited for without holding the thread. */
export interface AsyncFile extends File {
  /** Resolves when it may have become ready; undefined if it is ready. */
  changed(): Promise<void> | undefined;
  /** Told when the guest has ended; resolves when all is where it belongs. */
  finish(): Promise<void>;
}

/** Whether a file is one. */
export function isAsyncFile(file: File): file is AsyncFile {
  return "changed" in file;
}

/** What both directions have in common: to a guest they are pipes. */
abstract class AsyncStream implements AsyncFile {
  readonly filetype: number = Filetype.UNKNOWN;
  readonly seekable: boolean = false;
  readonly neverHolds: boolean = true;
  /** What the embedder's stream failed with. */
  protected failed: Thrown | undefined = undefined;

  abstract read(into: Uint8Array, offset: number, length: number, position: number): number;
  abstract write(from: Uint8Array, offset: number, length: number, position: number): number;
  abstract access(): StreamAccess;
  abstract ready(entry: PollEntry): void;
  abstract changed(): Promise<void> | undefined;
  abstract finish(): Promise<void>;

  stat(into: FileStat): number {
    into.bytes.fill(0);
    into.filetype = this.filetype;
    into.nlink = 1n;
    return 0;
  }

  setTimes(): number {
    return 0;
  }

  sync(): number {
    return -Errno.INVAL;
  }

  setSize(): number {
    return -Errno.INVAL;
  }

  allocate(): number {
    return -Errno.SPIPE;
  }

  advise(): number {
    return -Errno.SPIPE;
  }

  setFlags(): number {
    return -Errno.NOTSUP;
  }

  close(): void {}
}

/** Gives chunks, one after another. */
interface Source {
  next(): Promise<{ done?: boolean; value?: unknown }>;
  /** Called once nothing more is wanted. */
  release(): Promise<void> | void;
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
    return { next: () => reader.read(), release };
  }
  const iterator = value[Symbol.asyncIterator]();
  return { next: () => iterator.next(), release: () => iterator.return?.().then(() => {}) };
}

/** Input from a stream. One chunk is fetched at a time, when the guest asks for it. */
class AsyncInput extends AsyncStream {
  readonly #source: Source;
  #chunk: Uint8Array = new Uint8Array(0);
  #ended = false;
  #pending: Promise<void> | undefined = undefined;

  constructor(source: Source) {
    super();
    this.#source = source;
  }

  /** Fetches a chunk unless there is one or one is on its way. */
  #fetch(): void {
    if (this.#chunk.length > 0 || this.#ended || this.failed || this.#pending) return;
    this.#pending = this.#source.next().then(async ({ done, value }) => {
      if (done) this.#ended = true;
      else if (value instanceof Uint8Array) {
        this.#chunk = value;
        // empty ones may come without end, and timers are to come all the same
        if (value.length === 0) await turn();
      } else throw invalidType("a chunk of options.stdin", "an instance of Uint8Array", value);
    }).catch((error) => {
      this.failed = new Thrown(error);
    }).finally(() => {
      this.#pending = undefined;
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

  changed(): Promise<void> | undefined {
    this.#fetch();
    return this.#pending;
  }

  async finish(): Promise<void> {
    try {
      await this.#source.release();
    } catch {
      // what is left of it is the embedder's
    }
  }
}

/** Output to a stream; one chunk is on its way at a time, so that its reader sets the pace. */
class AsyncOutput extends AsyncStream {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #pending: Promise<void> | undefined = undefined;
  /** How many standard streams of the guest it is. */
  uses = 1;

  constructor(stream: WritableStream<Uint8Array>) {
    super();
    this.#writer = stream.getWriter();
    this.#writer.closed.catch(() => {}); // a failure shows at the next write
  }

  read(): number {
    return -Errno.BADF;
  }

  write(from: Uint8Array, offset: number, length: number): number {
    if (this.failed) throw this.failed;
    if (this.#pending !== undefined) return -Errno.AGAIN;
    this.#pending = this.#writer.write(from.slice(offset, offset + length)).catch((error) => {
      this.failed = new Thrown(error);
    }).finally(() => {
      this.#pending = undefined;
    });
    return length;
  }

  access(): StreamAccess {
    return { read: false, write: true, fdflags: 0 };
  }

  ready(entry: PollEntry): void {
    if (this.#pending === undefined) entry.found = Poll.WRITE;
  }

  changed(): Promise<void> | undefined {
    return this.#pending;
  }

  async finish(): Promise<void> {
    if (--this.uses > 0) return;
    await this.#pending;
    if (this.failed) throw this.failed.cause;
    await this.#writer.close();
  }
}

function isWritable(value: unknown): value is WritableStream<Uint8Array> {
  return typeof value === "object" && value !== null && "getWriter" in value;
}

function isReadable(value: unknown): value is ReadableStream<Uint8Array> {
  return value instanceof Blob ||
    (typeof value === "object" && value !== null &&
      ("getReader" in value || Symbol.asyncIterator in value));
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
    const made = new AsyncOutput(value);
    outputs.set(value, made);
    return made;
  };
  return [
    isReadable(stdin) ? new AsyncInput(sourceOf(stdin)) : inputOf(stdin, "options.stdin"),
    output(stdout, "options.stdout"),
    output(stderr, "options.stderr"),
  ];
}
