/**
 * What all instances of one run of a component share: how calls wait, and how it is stopped.
 *
 * @module
 */
import { posixError, WasiError } from "../errno.ts";
import { GuestAborted, ProcExit, throwAborted, Thrown } from "../exit.ts";
import { outOfRange } from "../errors.ts";
import { ELEMENT_SHIFT } from "../module/budget.ts";
import type { System } from "../system/system.ts";
import type { Wait } from "../system/waiting.ts";
import { suspension } from "../suspension.ts";
import { Budget } from "./calls.ts";
import { bufferOf } from "../preview1/memory.ts";
import type { ImportedFunction } from "./typed.ts";

/** What an element of a table counts as, as in the modules themselves. */
const ELEMENT = 2 ** ELEMENT_SHIFT;

/** A limit of time. */
export interface TimeLimited {
  /** Throws if the time is over; gives the milliseconds that are left. */
  look(): number;
}

/** The parts of a run of a component that all its instances have in common. */
export class Store {
  readonly system: System;
  /** Waits without holding the thread, if guests are suspended. */
  readonly wait: ((wait: Wait<unknown>) => Promise<unknown>) | undefined;
  /** Most bytes that all its memories may have. */
  readonly memoryLimit: number;
  /** What the values of its calls may take. */
  readonly budget: Budget = new Budget();
  /** Why it was stopped, if it was. */
  stopped: { readonly cause: unknown } | undefined;
  readonly #spaces: Set<WebAssembly.Memory | WebAssembly.Table> = new Set();
  readonly #limit: TimeLimited | undefined;

  constructor(
    system: System,
    wait: ((wait: Wait<unknown>) => Promise<unknown>) | undefined,
    memoryLimit: number,
    limit: TimeLimited | undefined,
  ) {
    this.system = system;
    this.wait = wait;
    this.memoryLimit = memoryLimit;
    this.#limit = limit;
  }

  /** Whether guests are suspended while they wait. */
  get suspends(): boolean {
    return this.wait !== undefined;
  }

  /** Takes a memory or table into account. */
  addSpace(space: WebAssembly.Memory | WebAssembly.Table): void {
    if (this.memoryLimit === Infinity || this.#spaces.has(space)) return;
    this.#spaces.add(space);
    this.enforce();
  }

  /** Throws if its memories and tables are larger than they may be. */
  enforce(): void {
    if (this.memoryLimit === Infinity) return;
    let bytes = 0;
    for (const space of this.#spaces) {
      bytes += space instanceof WebAssembly.Table
        ? Number(space.length) * ELEMENT
        : bufferOf(space).byteLength;
    }
    if (bytes > this.memoryLimit) {
      const range = `<= ${this.memoryLimit} bytes (limits.memoryPages) for all modules`;
      throw outOfRange("the component's memory", range, bytes);
    }
  }

  /** Throws if nothing may run any more. A call begins with it. */
  enter(): void {
    const { system } = this;
    system.calls++;
    if (this.stopped !== undefined) throwAborted(this.stopped.cause);
    if (system.ended !== undefined) throwAborted(system.ended.cause);
    if (this.memoryLimit !== Infinity) this.enforce();
  }

  /** Whether nothing may run any more. */
  get over(): boolean {
    return this.stopped !== undefined || this.system.ended !== undefined;
  }

  /** Remembers that it was stopped, and why. */
  stop(thrown: unknown): void {
    this.stopped ??= { cause: causeOf(thrown) };
  }

  /** Stops the guest that called: what it did wrong, or what a function of the embedder's threw. */
  fail(thrown: unknown): never {
    if (thrown instanceof ProcExit) {
      this.stopped ??= { cause: thrown };
      throw thrown;
    }
    this.stop(thrown);
    if (thrown instanceof GuestAborted) throw thrown;
    throwAborted(causeOf(thrown));
  }

  /** Goes through with a wait, holding the thread. */
  hold(wait: Wait<unknown>): unknown {
    return this.system.hold(wait, this.#limit);
  }

  /** A function that may suspend the guest. */
  suspending(call: ImportedFunction): ImportedFunction {
    return new suspension.Suspending!(call);
  }

  /** A function of a guest that may be suspended. */
  promising(call: ImportedFunction): (...parameters: unknown[]) => Promise<unknown> {
    return suspension.promising!(call);
  }
}

function causeOf(thrown: unknown): unknown {
  if (thrown instanceof GuestAborted || thrown instanceof Thrown) return thrown.cause;
  // a page's thread cannot be held
  if (thrown instanceof WasiError) {
    return posixError(thrown.errno, "the component cannot wait here");
  }
  return thrown;
}
