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
/** So much may be on its way: a guest that writes faster than it is taken waits. */
const SENT_MAX = 1 << 20;

/** Words of the memory that a task shares with the embedder's thread, 32 bits each. */
export const Shared = {
  /** not 0 when the guest is to be stopped */
  STOP: 0,
  /** how many bytes have been taken, modulo 2 ** 32 */
  TAKEN: 1,
  WORDS: 2,
} as const;

/** Says that bytes have been taken. */
export function taken(words: Int32Array, written: readonly Written[]): void {
  for (const [, bytes] of written) Atomics.add(words, Shared.TAKEN, bytes.length);
  Atomics.notify(words, Shared.TAKEN);
}

/** Keeps back what is written until it is worth a message. */
export class TaskOutput {
  readonly #post: (written: readonly Written[]) => void;
  readonly #words: Int32Array;
  #kept: Written[] = [];
  #length = 0;
  #sent = 0;

  constructor(words: Int32Array, post: (written: readonly Written[]) => void) {
    this.#words = words;
    this.#post = post;
  }

  /**
   * The stream for a buffer.
   *
   * @param look ends a guest that is to be stopped; gives the milliseconds after which to look again
   */
  stream(buffer: number, look: () => number): Output {
    return new Output((chunk) => {
      this.#kept.push([buffer, chunk]);
      this.#length += chunk.length;
      if (this.#length >= KEPT_MAX) this.flush();
      this.#wait(look);
    });
  }

  /** Waits until little enough is on its way. */
  #wait(look: () => number): void {
    for (;;) {
      const taken = Atomics.load(this.#words, Shared.TAKEN);
      if ((this.#sent - taken | 0) <= SENT_MAX) return;
      Atomics.wait(this.#words, Shared.TAKEN, taken, look());
    }
  }

  /** Sends all of it. */
  flush(): void {
    if (this.#kept.length === 0) return;
    this.#post(this.#kept);
    this.#sent = this.#sent + this.#length | 0;
    this.#kept = [];
    this.#length = 0;
  }
}
