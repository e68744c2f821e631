/**
 * Bodies as files: what the streams of a guest read and write.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { Poll, type PollEntry, type StreamAccess } from "../../host.ts";
import { AsyncStream } from "../../system/async_file.ts";
import { turn } from "../../next_task.ts";
import type { RemoteFile } from "../io.ts";
import { cannotSuspend, type ErrorCode, errorCodeOf, internalError } from "./errors.ts";

/** Most bytes of an outgoing body that wait here. */
const QUEUE_MAX = 1 << 20;

/** A file over the network that is closed with the guest. */
abstract class BodyFile extends AsyncStream implements RemoteFile {
  failure: ErrorCode | undefined = undefined;
  abstract readonly broken: number;

  finish(): Promise<void> {
    return Promise.resolve();
  }

  abandon(): void {
    this.close();
  }
}

/** The body of a response. One chunk is fetched at a time, when the guest asks for it. */
export class IncomingFile extends BodyFile {
  readonly broken: number = Errno.BADF;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Milliseconds that may lie between two chunks. */
  readonly #between: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #ended: boolean;
  #pending = false;

  constructor(body: ReadableStream<Uint8Array> | null, between: number) {
    super();
    this.#reader = body?.getReader();
    this.#between = between;
    this.#ended = body === null;
  }

  #fetch(): void {
    if (this.#pending || this.#ended || this.failure || this.#chunk.length > 0) return;
    this.#pending = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<never>((_, reject) => {
      if (this.#between === Infinity) return;
      timer = setTimeout(() => reject({ code: "UND_ERR_BODY_TIMEOUT" }), this.#between);
    });
    // begun from a stack of its own: Deno keeps errors with all that their stacks know
    turn().then(() => Promise.race([this.#reader!.read(), over])).then(async (result) => {
      const { done, value } = result;
      if (done) this.#ended = true;
      else if (value.length > 0) this.#chunk = value;
      else await turn(); // an endless series of empty chunks must not keep timers from running
    }).catch((error) => {
      if (this.#ended) return;
      this.failure = errorCodeOf(error);
      this.#reader!.cancel().catch(() => {});
    }).finally(() => {
      clearTimeout(timer);
      this.#pending = false;
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
    if (this.failure) return -Errno.IO;
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
    if (entry.nbytes > 0 || this.failure) entry.found = Poll.READ;
    else if (this.#ended) entry.found = Poll.READ | Poll.HANGUP;
  }

  /** What is left of it is not wanted. */
  override close(): void {
    const open = !this.#ended && this.failure === undefined;
    this.#ended = true;
    this.#chunk = new Uint8Array(0);
    if (open) turn().then(() => this.#reader!.cancel()).catch(() => {});
    this.wake();
  }
}

/** The body of a request. It waits here until the request is sent, up to a limit. */
export class OutgoingFile extends BodyFile {
  readonly #chunks: Uint8Array[] = [];
  /** Whether anything is ever sent, so that it can be waited for. */
  readonly #sends: boolean;
  #queued = 0;
  /** How many bytes have been written. */
  written = 0;
  #state: "open" | "finished" | "failed" = "open";
  /** Called when there is more to send, or no more. */
  #notify: () => void = () => {};
  /** Resolves when all has been written; rejects if it never will be. */
  readonly complete: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (reason: unknown) => void = () => {};

  constructor(sends: boolean) {
    super();
    this.#sends = sends;
    this.complete = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.complete.catch(() => {});
  }

  get broken(): number {
    return this.#state === "open" ? 0 : this.#state === "failed" ? Errno.IO : Errno.PIPE;
  }

  get isFinished(): boolean {
    return this.#state === "finished";
  }

  read(): number {
    return -Errno.BADF;
  }

  write(from: Uint8Array, offset: number, length: number): number {
    if (this.broken !== 0) return -this.broken;
    if (this.#queued >= QUEUE_MAX) return -Errno.AGAIN;
    this.#chunks.push(from.slice(offset, offset + length));
    this.#queued += length;
    this.written += length;
    this.#notify();
    return length;
  }

  access(): StreamAccess {
    return { read: false, write: true, fdflags: 0 };
  }

  ready(entry: PollEntry): void {
    if (this.#queued >= QUEUE_MAX && !this.#sends) this.fail(cannotSuspend());
    if (this.#queued < QUEUE_MAX || this.broken !== 0) entry.found = Poll.WRITE;
  }

  /** Everything has been written. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "finished";
    this.#resolve();
    this.#notify();
    this.wake();
  }

  /** It is not going to be sent whole. */
  fail(code: ErrorCode): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.failure = code;
    this.#reject(new Error("the body is not complete"));
    this.#notify();
    this.wake();
  }

  override close(): void {
    this.fail(internalError("the body was dropped before it was finished"));
  }

  /** All of a finished body. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#queued);
    let at = 0;
    for (const chunk of this.#chunks.splice(0)) {
      all.set(chunk, at);
      at += chunk.length;
    }
    this.#queued = 0;
    return all;
  }

  /** The body as `fetch` takes it. */
  stream(): ReadableStream<Uint8Array> {
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      while (this.#chunks.length === 0 && this.#state === "open") {
        await new Promise<void>((resolve) => this.#notify = resolve);
      }
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#queued -= chunk.length;
        controller.enqueue(chunk);
        this.wake();
      } else if (this.#state === "finished") controller.close();
      else controller.error(new Error("the body is not complete"));
    };
    const cancel = (): void => this.fail({ tag: "connection-terminated" });
    return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
  }
}
