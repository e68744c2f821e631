/**
 * Where system calls of other threads are asked for and answered: each thread has a slot in shared
 * memory, and a doorbell for when nobody looks.
 *
 * @module
 */
import { turn } from "../../next_task.ts";
import { Control, Slot } from "./worker.ts";

/** Of a slot's state: the call is being made. */
const TAKEN = 2;
/** Looks at the slots before the thread goes on with other work: from 10 to some 200 microseconds. */
const SPINS_MIN = 3000;
const SPINS_MAX = 60_000;
/** Milliseconds: who is woken sooner than this after it fell asleep should have looked on. */
const SOON = 0.4;
/** Milliseconds that the slots are served in a row before others are let through. */
const SERVE_MAX = 4;

/** One thread's slot, seen from where its calls are made. */
export class Caller {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(Slot.WORDS * 4);
  readonly slot: Int32Array = new Int32Array(this.buffer);
  readonly #wide: BigInt64Array = new BigInt64Array(this.buffer);

  /** Whether a call is asked for that is not yet taken. */
  get asks(): boolean {
    return Atomics.load(this.slot, Slot.STATE) === 1;
  }

  /** The call that is asked for. */
  get call(): number {
    return this.slot[Slot.CALL]!;
  }

  /** Takes the call; until it is answered it is not seen again. */
  take(): void {
    Atomics.store(this.slot, Slot.STATE, TAKEN);
  }

  answer(result: number): void {
    this.slot[Slot.RESULT] = result;
    this.wake();
  }

  wake(): void {
    Atomics.store(this.slot, Slot.STATE, 0);
    Atomics.notify(this.slot, Slot.STATE);
  }

  /** The parameters of a call: a letter for each, "I" for one of 64 bits. */
  values(shape: string): (number | bigint)[] {
    const values: (number | bigint)[] = [];
    for (let i = 0; i < shape.length; i++) {
      values.push(
        shape[i] === "I" ? this.#wide[Slot.VALUES / 2 + i]! : this.slot[Slot.VALUES + 2 * i]!,
      );
    }
    return values;
  }
}

/** The slots of all threads that share a table. */
export class Exchange {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(Control.WORDS * 4);
  readonly words: Int32Array = new Int32Array(this.buffer);
  readonly #callers: () => Iterable<Caller>;
  readonly #call: (caller: Caller) => void;
  #spins = SPINS_MIN;
  #slept = -Infinity;
  /** Nothing is answered any more. */
  closed: boolean = false;

  constructor(callers: () => Iterable<Caller>, call: (caller: Caller) => void) {
    this.#callers = callers;
    this.#call = call;
    this.words[Control.ASLEEP] = 1;
  }

  /** Answers what is asked for, as long as more comes, and for others' sake not for too long. */
  serve(): void {
    const { words } = this;
    const began = performance.now();
    const until = began + SERVE_MAX;
    // a thread that waits takes long to wake on some runtimes: it is not to find us asleep again
    this.#spins = began - this.#slept < SOON ? Math.min(this.#spins * 2, SPINS_MAX) : SPINS_MIN;
    const asked = (): number => Atomics.load(words, Control.ASKED);
    for (;;) {
      const seen = asked();
      for (const caller of this.#callers()) if (caller.asks) this.#call(caller);
      if (this.closed) return;
      if (performance.now() > until) {
        turn().then(() => this.serve());
        return;
      }
      for (let spins = 0; spins < this.#spins && asked() === seen; spins++);
      if (asked() !== seen) continue;
      this.#slept = performance.now();
      Atomics.store(words, Control.ASLEEP, 1);
      if (asked() === seen) return;
      // asked while it fell asleep: either a message is on its way, or it wakes itself
      if (Atomics.exchange(words, Control.ASLEEP, 0) === 0) return;
    }
  }
}
