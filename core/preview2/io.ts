/**
 * `wasi:io/error` and `wasi:io/streams`: streams of bytes, and why they fail.
 *
 * A stream over a file reads and writes from a position of its own; one over a pipe, a terminal or
 * a value of the embedder's waits as a call of preview1 does. Writing happens at once: there is
 * nothing to be flushed.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/io/wit
 *
 * @module
 */
import { Pollable, whenReady } from "./pollables.ts";
import { DirectRead } from "../component/codecs/lists.ts";
import { Err } from "../component/err.ts";
import { Trap } from "../component/trap.ts";
import { Errno } from "../errno.ts";
import { Fdflags, type File, Poll } from "../host.ts";
import { isReady, mustAsk } from "../system/files.ts";
import { pollEntry, Wait } from "../system/waiting.ts";
import { errnoThrown, errorCode } from "./errors.ts";
import type { Interface } from "./interface.ts";
import { type OpenFile, SCRATCH, type World } from "./world.ts";

/** What is read: the bytes, or how to read them into the guest's memory. */
type Bytes = Uint8Array | DirectRead;

/** Most bytes that one read gives. */
const READ_MAX = 1 << 24;

/** From how many bytes on a copy costs more than asking for a file's size. */
export const DIRECT_MIN: number = 16384;

/** How much may be written at once where nobody is kept waiting by it. */
const PERMIT = 1 << 20;

/** What is certain not to hold the thread when a pipe is ready: PIPE_BUF. */
const PIPE_BUF = 4096;

/** What the blocking forms of writing take at most, says the specification. */
const BLOCKING_MAX = 4096;

/** What files of the network know beside what all do. */
export interface RemoteFile extends File {
  /** Why nothing more can be written: an errno, PIPE if it has been shut; 0 if it can. */
  readonly broken: number;
  /** What has gone wrong, as the interfaces of the network say it: a text, or a tag and a value. */
  readonly failure: unknown;
}

/** `error`: why a stream has failed. */
export class IoError {
  readonly errno: number;
  /** What a file of the network says of it. */
  readonly failure: unknown;

  constructor(errno: number, failure?: unknown) {
    this.errno = errno;
    this.failure = failure;
  }

  toDebugString(): string {
    const { failure } = this;
    if (failure === undefined) return errorCode(this.errno);
    if (typeof failure === "string") return failure;
    const { tag, val } = failure as { tag: string; val?: unknown };
    return typeof val === "string" ? `${tag}: ${val}` : tag;
  }
}

const CLOSED: Err = new Err({ tag: "closed" });

function streamError(errno: number, file?: File): Err {
  const { failure } = (file ?? {}) as Partial<RemoteFile>;
  return new Err({ tag: "last-operation-failed", val: new IoError(errno, failure) });
}

function countOf(length: bigint): number {
  return length > BigInt(READ_MAX) ? READ_MAX : Number(length);
}

/** `input-stream`. */
export class InputStream {
  readonly world: World;
  readonly #open: OpenFile;
  readonly #file: File;
  /** Where in the file, or -1 where the file knows that itself. */
  #position: number;
  #closed = false;

  constructor(open: OpenFile, position: number) {
    this.world = open.world;
    this.#open = open;
    this.#file = open.file!;
    this.#position = position;
  }

  /**
   * A read into the guest's memory, if it is worth it and the file has that much: it is asked for its
   * size once in a while.
   */
  #direct(length: number): DirectRead | undefined {
    const file = this.#file;
    const position = this.#position;
    if (length < DIRECT_MIN || position < 0 || file.direct !== true) return undefined;
    if (!this.#open.reaches(position + length)) return undefined;
    return new DirectRead(length, (bytes, offset, length) => {
      let count: number;
      try {
        count = file.read(bytes, offset, length, position);
      } catch (error) {
        count = -errnoThrown(error);
      }
      if (count <= 0) throw count === 0 ? CLOSED : streamError(-count);
      this.#position = position + count;
      return count;
    });
  }

  /** Reads; gives an Err, undefined where it would have to wait, or what was read. */
  #take(length: number): Bytes | Err | undefined {
    const file = this.#file;
    const direct = this.#direct(length);
    if (direct !== undefined) return direct;
    const into = length > SCRATCH ? new Uint8Array(length) : this.world.scratch;
    let count: number;
    try {
      count = file.read(into, 0, length, this.#position);
    } catch (error) {
      count = -errnoThrown(error);
    }
    if (count === -Errno.AGAIN) return undefined;
    if (count < 0) return streamError(-count, file);
    if (count > length) return streamError(Errno.IO);
    if (count === 0) {
      this.#closed = !file.seekable;
      return CLOSED;
    }
    if (this.#position >= 0) this.#position += count;
    return into.subarray(0, count);
  }

  /** Whether reading must not be tried, because it could hold the thread. */
  #mustWait(blocking: boolean): boolean {
    const { system } = this.world;
    if (this.#position >= 0) return false;
    const asks = !blocking || mustAsk(system, this.#open.descriptor);
    return asks && !isReady(system, this.#file, Poll.READ);
  }

  /** Reads without waiting: perhaps nothing. */
  read(length: bigint): Bytes | Err | Wait<Bytes | Err> {
    const now = this.#readNow(countOf(length));
    if (now !== undefined) return now;
    const { system } = this.world;
    const later = (): Bytes | Err => this.#readNow(countOf(length)) ?? new Uint8Array(0);
    return system.suspends ? new Wait([], 0, later) : new Uint8Array(0);
  }

  #readNow(length: number): Bytes | Err | undefined {
    if (this.#closed) return CLOSED;
    if (length === 0) return new Uint8Array(0);
    return this.#mustWait(false) ? undefined : this.#take(length);
  }

  /** Reads a byte at least, unless there is none left. */
  blockingRead(length: bigint): Bytes | Err | Wait<Bytes | Err> {
    if (this.#closed) return CLOSED;
    const count = countOf(length);
    if (count === 0) return new Uint8Array(0);
    const taken = this.#mustWait(true) ? undefined : this.#take(count);
    if (taken !== undefined) return taken;
    const resume = (): Bytes | Err | Wait<Bytes | Err> => {
      const bytes = this.blockingRead(length);
      return bytes instanceof Uint8Array ? bytes.slice() : bytes;
    };
    return new Wait([pollEntry(this.#file, Poll.READ)], Infinity, resume);
  }

  skip(length: bigint): bigint | Err | Wait<bigint | Err> {
    return counted(this.read(length));
  }

  blockingSkip(length: bigint): bigint | Err | Wait<bigint | Err> {
    return counted(this.blockingRead(length));
  }

  subscribe(): Pollable {
    return new Pollable(this.world, () => whenReady(this.#file, Poll.READ), this.#open);
  }

  [Symbol.dispose](): void {
    this.#open.release();
  }
}

/** How many bytes there are, instead of them. */
function counted(read: Bytes | Err | Wait<Bytes | Err>): bigint | Err | Wait<bigint | Err> {
  if (read instanceof Wait) {
    return new Wait(read.entries, read.deadline, () => counted(read.resume()));
  }
  const bytes = here(read);
  return bytes instanceof Err ? bytes : BigInt(bytes.length);
}

/** What is read, for who wants it here and not in the guest's memory. */
export function here(read: Bytes | Err): Uint8Array | Err {
  if (!(read instanceof DirectRead)) return read;
  const bytes = new Uint8Array(read.length);
  try {
    return bytes.subarray(0, read.into(bytes, 0, read.length));
  } catch (error) {
    if (error instanceof Err) return error;
    throw error;
  }
}

/** `output-stream`. */
export class OutputStream {
  readonly world: World;
  readonly #open: OpenFile;
  readonly #file: File;
  /** Where in the file, or -1 for its end or where it stands itself. */
  #position: number;
  /** What the last check allowed. */
  #permit = 0;

  /** Whether each write goes to the end of a file that has a position. */
  readonly #appends: boolean;

  constructor(open: OpenFile, position: number, appends: boolean = false) {
    this.world = open.world;
    this.#open = open;
    this.#file = open.file!;
    this.#position = position;
    this.#appends = appends;
  }

  /** Whether writing could hold the thread. */
  get #asks(): boolean {
    return !this.#file.seekable && mustAsk(this.world.system, this.#open.descriptor);
  }

  /** How much may be written at once. */
  get #atMost(): number {
    let file = this.#file;
    if (file.seekable || !this.world.system.suspends) return PERMIT;
    while (file.inner !== undefined) file = file.inner;
    return file.neverHolds === true ? PERMIT : PIPE_BUF;
  }

  #isReady(): boolean {
    return this.#file.seekable || isReady(this.world.system, this.#file, Poll.WRITE);
  }

  /** Why nothing more can be written, for a file of the network. */
  get #broken(): Err | undefined {
    const { broken = 0 } = this.#file as Partial<RemoteFile>;
    if (broken === 0) return undefined;
    return broken === Errno.PIPE ? CLOSED : streamError(broken, this.#file);
  }

  checkWrite(): bigint | Err | Wait<bigint | Err> {
    const check = (): bigint | Err =>
      this.#broken ?? BigInt(this.#permit = this.#isReady() ? this.#atMost : 0);
    const permit = check();
    return permit === 0n && this.world.system.suspends ? new Wait([], 0, check) : permit;
  }

  write(contents: Uint8Array): undefined | Err | Wait<undefined | Err> {
    if (contents.length > this.#permit) throw new Trap("more is written than check-write allowed");
    this.#permit -= contents.length;
    return this.#writeAll(contents, 0);
  }

  blockingWriteAndFlush(contents: Uint8Array): undefined | Err | Wait<undefined | Err> {
    return this.blockingWriteFrom(contents, 0, contents.length);
  }

  /** The same of bytes among others, such as a guest's memory. */
  blockingWriteFrom(
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): undefined | Err | Wait<undefined | Err> {
    if (length > BLOCKING_MAX) {
      throw new Trap(`blocking-write-and-flush of more than ${BLOCKING_MAX} bytes`);
    }
    return this.#writeAll(bytes, offset, offset + length);
  }

  /** Writes all from `at` on, waiting as often as it has to. */
  #writeAll(
    bytes: Uint8Array,
    at: number,
    end: number = bytes.length,
  ): undefined | Err | Wait<undefined | Err> {
    const file = this.#file;
    while (at < end) {
      const asks = this.#asks;
      if (asks && !isReady(this.world.system, file, Poll.WRITE)) return this.#later(bytes, at, end);
      const length = Math.min(end - at, asks ? this.#atMost : Infinity);
      let count: number;
      try {
        count = this.#appends
          ? this.#append(bytes, at, length)
          : file.write(bytes, at, length, this.#position);
      } catch (error) {
        count = -errnoThrown(error);
      }
      if (count === -Errno.AGAIN) return this.#later(bytes, at, end);
      if (count <= 0) return this.#broken ?? streamError(count === 0 ? Errno.IO : -count);
      at += count;
      if (this.#position >= 0) this.#position += count;
    }
    return undefined;
  }

  /** Writes at the end, wherever that is by now, as only a file that appends can. */
  #append(bytes: Uint8Array, at: number, length: number): number {
    const file = this.#file;
    const { flags } = this.#open.descriptor;
    const error = file.setFlags(flags | Fdflags.APPEND);
    if (error < 0) return error;
    try {
      return file.write(bytes, at, length, -1);
    } finally {
      file.setFlags(flags);
    }
  }

  #later(bytes: Uint8Array, at: number, end: number): Wait<undefined | Err> {
    const entries = [pollEntry(this.#file, Poll.WRITE)];
    return new Wait(entries, Infinity, () => this.#writeAll(bytes, at, end));
  }

  flush(): undefined | Err {
    return this.#broken;
  }

  /** Files have taken all there is; one of the network says when it has. */
  blockingFlush(): undefined | Err | Wait<undefined | Err> {
    const { broken } = this.#file as Partial<RemoteFile>;
    if (broken === undefined || this.#isReady()) return this.#broken;
    return new Wait([pollEntry(this.#file, Poll.WRITE)], Infinity, () => this.blockingFlush());
  }

  subscribe(): Pollable {
    return new Pollable(this.world, () => whenReady(this.#file, Poll.WRITE), this.#open);
  }

  writeZeroes(length: bigint): undefined | Err | Wait<undefined | Err> {
    if (length > BigInt(this.#permit)) {
      throw new Trap("more is written than check-write allowed");
    }
    return this.write(new Uint8Array(Number(length)));
  }

  blockingWriteZeroesAndFlush(length: bigint): undefined | Err | Wait<undefined | Err> {
    if (length > BigInt(BLOCKING_MAX)) {
      throw new Trap(`blocking-write-zeroes-and-flush of more than ${BLOCKING_MAX} bytes`);
    }
    return this.#writeAll(new Uint8Array(Number(length)), 0);
  }

  splice(source: InputStream, length: bigint): bigint | Err | Wait<bigint | Err> {
    const permit = this.#isReady() ? this.#atMost : 0;
    if (permit === 0) return 0n;
    const most = length < BigInt(permit) ? length : BigInt(permit);
    return this.#pass(source.read(most));
  }

  blockingSplice(source: InputStream, length: bigint): bigint | Err | Wait<bigint | Err> {
    if (!this.#isReady()) {
      const entries = [pollEntry(this.#file, Poll.WRITE)];
      return new Wait(entries, Infinity, () => this.blockingSplice(source, length));
    }
    const most = length < BigInt(this.#atMost) ? length : BigInt(this.#atMost);
    return this.#pass(source.blockingRead(most));
  }

  /** Writes what was read. */
  #pass(read: Bytes | Err | Wait<Bytes | Err>): bigint | Err | Wait<bigint | Err> {
    if (read instanceof Wait) {
      return new Wait(read.entries, read.deadline, () => this.#pass(read.resume()));
    }
    const bytes = here(read);
    if (bytes instanceof Err) return bytes;
    const count = BigInt(bytes.length);
    const done = (
      written: undefined | Err | Wait<undefined | Err>,
    ): bigint | Err | Wait<bigint | Err> => {
      if (written instanceof Wait) {
        return new Wait(written.entries, written.deadline, () => done(written.resume()));
      }
      return written ?? count;
    };
    return done(this.#writeAll(bytes.slice(), 0));
  }

  [Symbol.dispose](): void {
    this.#open.release();
  }
}

export const error: Interface = {
  wit: `interface wasi:io/error {
    resource error { to-debug-string: func() -> string; }
  }`,
  classes: { error: IoError },
};

export const streams: Interface = {
  wit: `interface wasi:io/streams {
    use wasi:io/error.{error};
    use wasi:io/poll.{pollable};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream {
      read: func(len: u64) -> result<list<u8>, stream-error>;
      blocking-read: func(len: u64) -> result<list<u8>, stream-error>;
      skip: func(len: u64) -> result<u64, stream-error>;
      blocking-skip: func(len: u64) -> result<u64, stream-error>;
      subscribe: func() -> pollable;
    }
    resource output-stream {
      check-write: func() -> result<u64, stream-error>;
      write: func(contents: list<u8>) -> result<_, stream-error>;
      blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
      flush: func() -> result<_, stream-error>;
      blocking-flush: func() -> result<_, stream-error>;
      subscribe: func() -> pollable;
      write-zeroes: func(len: u64) -> result<_, stream-error>;
      blocking-write-zeroes-and-flush: func(len: u64) -> result<_, stream-error>;
      splice: func(src: borrow<input-stream>, len: u64) -> result<u64, stream-error>;
      blocking-splice: func(src: borrow<input-stream>, len: u64) -> result<u64, stream-error>;
    }
  }`,
  classes: { "input-stream": InputStream, "output-stream": OutputStream },
  waits: [
    "[method]input-stream.read",
    "[method]input-stream.blocking-read",
    "[method]input-stream.skip",
    "[method]input-stream.blocking-skip",
    "[method]output-stream.check-write",
    "[method]output-stream.write",
    "[method]output-stream.blocking-write-and-flush",
    "[method]output-stream.blocking-flush",
    "[method]output-stream.write-zeroes",
    "[method]output-stream.blocking-write-zeroes-and-flush",
    "[method]output-stream.splice",
    "[method]output-stream.blocking-splice",
  ],
};
