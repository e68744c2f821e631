/**
 * What the checks in a guest's copy call, and what its waits for memory become.
 *
 * @module
 */
import { trapNow } from "../exit.ts";
import { HOOKS, INTERVAL, waitedMemories } from "../module/instrument.ts";
import { suspension } from "../suspension.ts";

/** What `memory.atomic.wait32` or `64` is called with, and the number of the memory. */
type Waited = [
  address: number | bigint,
  expected: number | bigint,
  timeout: bigint,
  offset: number,
  index: number,
];

/** For one guest, whose memories no other thread has. */
export class GuestChecks {
  readonly imports: WebAssembly.Imports;
  readonly #look: () => number;
  readonly #pause: ((milliseconds: number) => Promise<void>) | undefined;
  readonly #memories: WebAssembly.Memory[] = [];

  /**
   * @param look ends a guest that is to be stopped; gives the milliseconds after which to look again
   * @param pause for a guest that is suspended while it waits: waits so long, or until it is stopped
   */
  constructor(look: () => number, pause?: (milliseconds: number) => Promise<void>) {
    this.#look = look;
    this.#pause = pause;
    const check = (): number => {
      look();
      return INTERVAL;
    };
    this.imports = { [HOOKS]: { check, wait32: this.#waiter(4), wait64: this.#waiter(8) } };
  }

  /** Takes the memories of an instance. */
  bind({ exports }: WebAssembly.Instance): void {
    this.#memories.push(...waitedMemories(exports));
  }

  /** `memory.atomic.wait32` or `64` on a memory that no other thread has: none wakes it. */
  #waiter(size: 4 | 8): () => number {
    const { Suspending } = suspension;
    const pause = this.#pause;
    if (pause === undefined || Suspending === undefined) {
      return ((...waited: Waited) => this.#hold(size, waited)) as () => number;
    }
    return new Suspending(async (...waited: Waited): Promise<number> => {
      const milliseconds = this.#begin(size, waited);
      if (milliseconds < 0) return 1;
      await pause(milliseconds);
      this.#look();
      return 2;
    });
  }

  /** The same, the thread held. */
  #hold(size: 4 | 8, waited: Waited): number {
    const milliseconds = this.#begin(size, waited);
    if (milliseconds < 0) return 1;
    const until = performance.now() + milliseconds;
    const bed = new Int32Array(new SharedArrayBuffer(4));
    for (let left = milliseconds; left > 0; left = until - performance.now()) {
      Atomics.wait(bed, 0, 0, Math.min(left, this.#look()));
    }
    this.#look();
    return 2;
  }

  /** How many milliseconds to wait, or -1 if the memory holds something else. */
  #begin(size: 4 | 8, [address, expected, timeout, offset, index]: Waited): number {
    const memory = this.#memories[index];
    if (memory === undefined) trapNow(); // a program may import this itself, with any number
    const { buffer } = memory;
    const start = typeof address === "bigint" ? Number(BigInt.asUintN(64, address)) : address >>> 0;
    const at = start + offset;
    if (at % size !== 0 || at + size > buffer.byteLength) trapNow();
    const words = size === 4 ? new Int32Array(buffer) : new BigInt64Array(buffer);
    this.#look();
    if (words[at / size] !== expected) return -1;
    return timeout < 0n ? Infinity : Number(timeout) / 1e6;
  }
}
