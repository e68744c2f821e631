/**
 * Output of a guest in a worker, on its way to the embedder's buffers.
 *
 * @module
 */
import { Output } from "../../guest/streams.ts";

/** Some of it: which buffer it is for, and the bytes. */
export type Written = readonly [buffer: number, bytes: Uint8Array];

/** So much is kept back. */
const KEPT_MAX = 65536;

/** Keeps back what is written until it is worth a message. */
export class TaskOutput {
  readonly #post: (written: readonly Written[]) => void;
  #kept: Written[] = [];
  #length = 0;

  constructor(post: (written: readonly Written[]) => void) {
    this.#post = post;
  }

  /** The stream for a buffer. */
  stream(buffer: number): Output {
    return new Output((chunk) => this.#write(buffer, chunk));
  }

  #write(buffer: number, chunk: Uint8Array): void {
    this.#kept.push([buffer, chunk]);
    this.#length += chunk.length;
    if (this.#length >= KEPT_MAX) this.flush();
  }

  /** Sends all of it. */
  flush(): void {
    if (this.#kept.length === 0) return;
    this.#post(this.#kept);
    this.#kept = [];
    this.#length = 0;
  }
}
