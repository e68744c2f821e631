/**
 * What runs in each worker that a guest is in. Its text is what a worker is started with, so that
 * no file has to be found by a worker, wherever this module is bundled or loaded from: it uses
 * nothing from outside itself but types and what it is given.
 *
 * A system call is asked for in the slot, a piece of shared memory, and made in the coordinator's
 * thread. A guest whose memory is shared is written to there; for others, what a call reads and
 * writes is carried in a second piece, the window.
 *
 * @module
 */

import type { Failure } from "./failure.ts";

/** Words of the slot, 32 bits each. */
export const Slot = {
  /** 1 while a call is asked for, 2 while it is made, then 0 */
  STATE: 0,
  CALL: 1,
  RESULT: 2,
  /** where in the guest's memory the thread waits, in units of 4 bytes from 1 on, or 0 */
  ADDRESS: 3,
  /** 1 when the worker has no thread to run */
  FREE: 4,
  /** the first parameter; each takes two words */
  VALUES: 6,
  /** all of it */
  WORDS: 32,
} as const;

/** Words of the memory that all workers of a guest share. */
export const Control = {
  /** 1 when the guest has ended */
  ENDED: 0,
  /** counts what is asked for */
  ASKED: 1,
  /** 1 when the coordinator does not look */
  ASLEEP: 2,
  WORDS: 4,
} as const;

/** Calls that are not in any table. */
export const Call = {
  SPAWN: -1,
  /** the window has been replaced by a larger one, which comes as a message */
  WINDOW: -2,
} as const;

/** The numbers above, for {@linkcode guestThread}, which sees nothing from outside. */
export const NUMBERS: {
  readonly Slot: typeof Slot;
  readonly Control: typeof Control;
  readonly Call: typeof Call;
} = { Slot, Control, Call };

/** What a call reads or writes through one of its parameters. */
export interface Region {
  /** which parameter the pointer is */
  readonly at: number;
  /** which parameter counts the elements; -1 if there is one */
  readonly count: number;
  /** bytes of an element */
  readonly unit: number;
  /** most elements that are looked at */
  readonly most: number;
  /** whether the call writes there */
  readonly out: boolean;
  /** whether the elements are iovecs, and what they point to is meant as well */
  readonly vector: boolean;
  /** the parameter whose bytes the elements point into, or -1 */
  readonly into: number;
}

/** A system call as a worker offers it. */
export interface CallShape {
  readonly module: string;
  readonly name: string;
  /** a letter for each parameter: "I" if it has 64 bits */
  readonly shape: string;
  readonly regions: readonly Region[];
}

/** The first message to a worker. */
export interface Setup {
  readonly module: WebAssembly.Module;
  /** a module that exports `u`, which traps */
  readonly trap: WebAssembly.Module;
  /** a module that gives the calls their types; the last is that of `wasi.thread-spawn` */
  readonly types: WebAssembly.Module;
  readonly control: SharedArrayBuffer;
  readonly slot: SharedArrayBuffer;
  readonly calls: readonly CallShape[];
  /** the memory that the guest imports, or what of its memory is carried */
  readonly memory: { module: string; name: string; memory: WebAssembly.Memory } | undefined;
  readonly window: SharedArrayBuffer | undefined;
  /** an export that each instance calls first */
  readonly first: string | undefined;
  /** bytes that a memory of the guest's own may have */
  readonly limit: number;
  /** where the hooks of an instrumented module are imported from, and their interval */
  readonly hooks: string;
  /** what its shared memories are exported as: a regular expression */
  readonly memories: string;
  readonly interval: number;
  /** whether `sched_yield` need not be asked for */
  readonly yields: boolean;
}

/** Every later message: a thread to run, 0 being the program's main. */
export interface Run {
  readonly tid: number;
  readonly arg: number;
}

/** What a worker says, besides 0 for "look at the slots". */
export interface Report {
  /** the program's main begins */
  readonly started?: true;
  /** the thread has returned */
  readonly done?: true;
  /** it failed with this */
  readonly failed?: Failure;
  /** its memory has so many bytes, which is too much */
  readonly tooLarge?: number;
  /** the new window */
  readonly window?: SharedArrayBuffer;
}

/** Takes a message. */
export type Receive = (message: Setup | Run) => void;

/** A worker's end of its channel. */
export interface Port {
  post(message: Report | 0): void;
  listen(receive: Receive): void;
}

/**
 * Runs the threads that it is told to, one after another.
 *
 * @param describe what becomes of something thrown, to be posted
 */
export function guestThread(
  port: Port,
  numbers: typeof NUMBERS,
  describe: (thrown: unknown) => Failure,
): void {
  const { STATE, CALL, RESULT, ADDRESS, FREE, VALUES } = numbers.Slot;
  const { ENDED, ASKED, ASLEEP } = numbers.Control;
  const { SPAWN, WINDOW } = numbers.Call;
  /** a pointer that is outside of every window */
  const OUTSIDE = -65536;
  const NAMETOOLONG = 37;
  /** a larger window is not made larger than needed */
  const DOUBLED_MAX = 1 << 26;
  /** most bytes that one call carries for iovecs */
  const CARRIED_MAX = 1 << 20;
  /** milliseconds after which one that waits looks whether it has ended */
  const PAUSE = 50;

  let setup: Setup;
  let control: Int32Array;
  let slot: Int32Array;
  let wide: BigInt64Array;
  let trap: () => void;
  let imports: Record<string, Record<string, unknown>>;
  /** the guest's own memory, if it is carried */
  let own: WebAssembly.Memory | undefined;
  let window: Uint8Array;
  /** the shared memories of the instance, by their numbers */
  let memories: WebAssembly.Memory[] = [];

  /** Never returns to a guest that has ended. */
  const check = (): void => {
    if (Atomics.load(control, ENDED) !== 0) trap();
  };

  /** Asks for what is in the slot and returns its result. */
  const ask = (call: number): number => {
    slot[CALL] = call;
    Atomics.store(slot, STATE, 1);
    Atomics.add(control, ASKED, 1);
    if (Atomics.exchange(control, ASLEEP, 0) === 1) port.post(0);
    for (let state = 1; state !== 0; state = Atomics.load(slot, STATE)) {
      Atomics.wait(slot, STATE, state);
    }
    check();
    return slot[RESULT]!;
  };

  const put = (shape: string, values: (number | bigint)[]): void => {
    for (let i = 0; i < shape.length; i++) {
      if (shape[i] === "I") wide[VALUES / 2 + i] = values[i] as bigint;
      else slot[VALUES + 2 * i] = values[i] as number;
    }
  };

  /** A call of a guest whose memory is shared. */
  const direct = (index: number, { shape }: CallShape) => (...values: (number | bigint)[]) => {
    check();
    put(shape, values);
    return ask(index);
  };

  /** Makes the window at least so large. */
  const reserve = (size: number): void => {
    if (size <= window.length) return;
    const buffer = new SharedArrayBuffer(size < DOUBLED_MAX ? size * 2 : size);
    window = new Uint8Array(buffer);
    port.post({ window: buffer });
    ask(WINDOW);
  };

  /** Pieces of the guest's memory in the window: where there, where here, how long, both ways. */
  interface Piece {
    from: number;
    to: number;
    length: number;
    out: boolean;
    vector: boolean;
  }

  /** Ends a guest whose memory is too large. */
  const limit = ({ byteLength }: ArrayBufferLike): void => {
    if (byteLength <= setup.limit) return;
    port.post({ tooLarge: byteLength });
    for (;;) {
      Atomics.wait(control, ENDED, 0);
      check();
    }
  };

  /** A call of a guest whose memory is its own: what it reads is carried there, what it writes back. */
  const carried = (index: number, call: CallShape): (...values: (number | bigint)[]) => number => {
    const { shape, regions } = call;
    return (...values) => {
      check();
      if (own === undefined) {
        const error = new Error("wasi.start() has not been called");
        throw Object.assign(error, { code: "ERR_WASI_NOT_STARTED" });
      }
      const { buffer } = own;
      limit(buffer);
      const bytes = new Uint8Array(buffer);
      const given = values.slice();
      const pieces: Piece[] = [];
      let top = 0;
      const place = (from: number, length: number, out: boolean, vector: boolean): number => {
        if (from + length > bytes.length) return OUTSIDE;
        const to = top;
        top = Math.ceil((top + length) / 8) * 8; // it may be more than 31 bits
        pieces.push({ from, to, length, out, vector });
        return to;
      };
      /** what is written into iovecs of the window: at, value */
      const words: number[] = [];
      let counter = -1;
      for (const { at, count, unit, most, out, vector } of regions) {
        const pointer = (values[at] as number) >>> 0;
        let elements = count < 0 ? 1 : (values[count] as number) >>> 0;
        if (elements * unit + pointer > bytes.length) {
          values[at] = OUTSIDE;
          continue;
        }
        if (elements > most) values[count] = elements = most;
        const to = place(pointer, elements * unit, out && !vector, false);
        values[at] = to;
        if (!vector) {
          if (counter === -2) counter = to; // what follows the iovecs says how much was moved
          continue;
        }
        if (out) counter = -2;
        const view = new DataView(buffer);
        let left = CARRIED_MAX;
        for (let i = 0; i < elements; i++) {
          const buf = view.getUint32(pointer + 8 * i, true);
          const asked = view.getUint32(pointer + 8 * i + 4, true);
          const length = Math.min(asked, left);
          const inside = buf + asked <= bytes.length;
          words.push(to + 8 * i, inside ? place(buf, length, out, true) : OUTSIDE);
          words.push(to + 8 * i + 4, inside ? length : asked);
          if (inside) left -= length;
        }
      }
      reserve(top);
      for (const { from, to, length, out, vector } of pieces) {
        if (!(out && vector)) window.set(bytes.subarray(from, from + length), to);
      }
      const view = new DataView(window.buffer);
      for (let i = 0; i < words.length; i += 2) view.setInt32(words[i]!, words[i + 1]!, true);
      put(shape, values);
      const errno = ask(index);
      for (const { at, unit, into } of regions) {
        if (into < 0 || errno !== 0) continue;
        const moved = (given[into] as number) - (values[into] as number);
        const first = values[at] as number;
        for (let word = first; word < first + unit; word += 4) {
          view.setInt32(word, view.getInt32(word, true) + moved, true);
        }
      }
      let moved = errno === 0 && counter >= 0 ? view.getUint32(counter, true) : 0;
      for (const { from, to, length, out, vector } of pieces) {
        if (!out) continue;
        const taken = vector ? Math.min(length, moved) : length;
        if (vector) moved -= taken;
        bytes.set(window.subarray(to, to + taken), from);
      }
      return errno;
    };
  };

  /** `random_get` of any size, piece by piece. */
  const inPieces = (call: (...values: number[]) => number) => (pointer: number, length: number) => {
    let at = pointer >>> 0;
    let left = length >>> 0;
    while (own !== undefined && left > CARRIED_MAX && at + left <= own.buffer.byteLength) {
      const errno = call(at, CARRIED_MAX);
      if (errno !== 0) return errno;
      at += CARRIED_MAX;
      left -= CARRIED_MAX;
    }
    return call(at, left);
  };

  /** `fd_prestat_dir_name`, which may be told of more room than there is if the name needs less. */
  const fitting =
    (call: (...values: number[]) => number) => (fd: number, pointer: number, length: number) => {
      const room = own === undefined ? 0 : own.buffer.byteLength - (pointer >>> 0);
      if (room > 0 && room < length >>> 0) {
        const errno = call(fd, pointer, Math.min(room, CARRIED_MAX));
        if (errno !== NAMETOOLONG) return errno;
      }
      return call(fd, pointer, length);
    };

  /** Waits on a memory of the guest's own, which nobody else has: nothing but its time ends that. */
  const pause = (words: Int32Array | BigInt64Array, at: number, milliseconds: number): string => {
    const until = performance.now() + milliseconds;
    for (let left = milliseconds;; left = until - performance.now()) {
      const woken = Atomics.wait(
        words as Int32Array,
        at,
        words[at] as number,
        Math.min(left, PAUSE),
      );
      check();
      if (woken !== "timed-out" || left <= PAUSE) return woken;
    }
  };

  /** `memory.atomic.wait32` or `64` that can be stopped. */
  const waiter = (size: 4 | 8) =>
  (
    address: number | bigint,
    expected: number | bigint,
    timeout: bigint,
    offset: number,
    index: number,
  ): number => {
    const shared = index === 0 && setup.memory !== undefined;
    const memory = shared ? setup.memory!.memory : memories[index]!;
    let { buffer } = memory;
    const start = typeof address === "bigint" ? Number(BigInt.asUintN(64, address)) : address >>> 0;
    const at = start + offset;
    if (at + size > buffer.byteLength) {
      if (shared) memory.grow(0); // another thread may have grown it: see memory.ts
      buffer = memory.buffer;
    }
    if (at % size !== 0 || at + size > buffer.byteLength) trap();
    const words = size === 4 ? new Int32Array(buffer) : new BigInt64Array(buffer);
    const milliseconds = timeout < 0n ? Infinity : Number(timeout) / 1e6;
    const word = at / size;
    if (!shared) {
      check();
      if (words[word] !== expected) return 1;
      return pause(words, word, milliseconds) === "ok" ? 0 : 2;
    }
    Atomics.store(slot, ADDRESS, 1 + at / 4);
    check();
    const woken = Atomics.wait(words as Int32Array, word, expected as number, milliseconds);
    Atomics.store(slot, ADDRESS, 0);
    check();
    return woken === "ok" ? 0 : woken === "not-equal" ? 1 : 2;
  };

  /** What can be imported, by module and name. */
  const offered = (): Record<string, Record<string, unknown>> => {
    // without prototypes: the guest chooses what its memory is called
    const all: Record<string, Record<string, unknown>> = Object.create(null);
    const offer = (module: string, name: string, value: unknown): void => {
      (all[module] ??= Object.create(null))[name] = value;
    };
    const calls: Record<string, unknown> = {};
    setup.calls.forEach((call, index) => {
      const make = setup.memory === undefined ? carried : direct;
      let made: unknown = make(index, call);
      if (call.name === "random_get" && setup.memory === undefined) {
        made = inPieces(made as (...values: number[]) => number);
      }
      if (call.name === "fd_prestat_dir_name" && setup.memory === undefined) {
        made = fitting(made as (...values: number[]) => number);
      }
      if (call.name === "sched_yield" && setup.yields) {
        made = () => {
          check();
          return 0;
        };
      }
      calls[index] = made;
    });
    const spawn = setup.calls.length;
    calls[spawn] = (arg: number): number => {
      check();
      slot[VALUES] = arg;
      return ask(SPAWN);
    };
    const typed =
      new WebAssembly.Instance(setup.types, { "": calls } as WebAssembly.Imports).exports;
    setup.calls.forEach(({ module, name }, index) => offer(module, name, typed[index]));
    offer("wasi", "thread-spawn", typed[spawn]);
    offer(setup.hooks, "check", (): number => {
      check();
      return setup.interval;
    });
    offer(setup.hooks, "wait32", waiter(4));
    offer(setup.hooks, "wait64", waiter(8));
    if (setup.memory !== undefined) {
      const { module, name, memory } = setup.memory;
      offer(module, name, memory);
    }
    return all;
  };

  const prepare = (given: Setup): void => {
    setup = given;
    control = new Int32Array(given.control);
    slot = new Int32Array(given.slot);
    wide = new BigInt64Array(given.slot);
    if (given.window !== undefined) window = new Uint8Array(given.window);
    trap = new WebAssembly.Instance(given.trap).exports.u as () => void;
    imports = offered();
  };

  const run = ({ tid, arg }: Run): void => {
    let report: Report = { done: true };
    try {
      check();
      if (tid === 0) port.post({ started: true });
      const { exports } = new WebAssembly.Instance(
        setup.module,
        imports as WebAssembly.Imports,
      );
      memories = [];
      const exported = new RegExp(setup.memories);
      for (const [name, value] of Object.entries(exports)) {
        const number = exported.exec(name)?.[1];
        if (number !== undefined) memories[Number(number)] = value as WebAssembly.Memory;
      }
      if (setup.memory === undefined) {
        if (!(exports.memory instanceof WebAssembly.Memory)) {
          const error = new TypeError(
            '"instance.exports.memory" property must be a WebAssembly.Memory object',
          );
          throw Object.assign(error, { code: "ERR_INVALID_ARG_TYPE" });
        }
        own = exports.memory;
        limit(own.buffer);
      }
      if (setup.first !== undefined) (exports[setup.first] as () => void)();
      if (tid === 0) (exports._start as () => void)();
      else (exports.wasi_thread_start as (tid: number, arg: number) => void)(tid, arg);
    } catch (error) {
      if (Atomics.load(control, ENDED) === 0) {
        report = { failed: describe(error) };
      }
    }
    Atomics.store(slot, FREE, 1);
    port.post(report);
  };

  port.listen((message) => {
    if ("module" in message) prepare(message);
    else run(message);
  });
}
