/**
 * One descriptor table for guests in several threads that the embedder starts itself: the calls of
 * all guests run in the thread of the WASI object.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { GuestAborted, ProcExit, throwAborted, throwExit } from "../../exit.ts";
import { importsOf, stateOf, tableOf, type WASIImport } from "../../guest/guest.ts";
import { hidden } from "../../preview1/imports.ts";
import { isMemory } from "../../preview1/memory.ts";
import { alreadyStarted, invalidMemory, invalidType, notStarted } from "../../errors.ts";
import { validateObject } from "../../validate.ts";
import { BaseWASI } from "../../guest/wasi.ts";
import { callsOf } from "./calls.ts";
import { Caller, Exchange } from "./exchange.ts";
import { Control, Slot } from "./worker.ts";

/** A port of a MessageChannel, as far as it is used. */
interface Port {
  postMessage(message: unknown): void;
  close(): void;
  unref?(): void;
  addEventListener(type: "close", listener: () => void): void;
  onmessage: ((event: never) => void) | null;
}

/**
 * What a worker needs to use the table: post it there, transfer its `port`, and pass it to
 * {@linkcode SharedWASI}. Each worker needs its own.
 */
export interface TableShare {
  /** Signals a call. */
  readonly port: MessagePort;
  /** Whether the owner is polling. */
  readonly control: SharedArrayBuffer;
  /** Holds a call and its result. */
  readonly slot: SharedArrayBuffer;
  /** The snapshot of the owner's guest. */
  readonly binding: string;
  /** The functions of that snapshot, and the widths of their parameters. */
  readonly calls: readonly { name: string; shape: string }[];
}

/** The owner no longer answers. */
function closed(): Error {
  return new Error("the port of the share is closed");
}

/** What a call ended with, in the slot beside its errno. */
const RETURNED = 0;
const EXITED = 1;
const FAILED = 2;
const NOT_STARTED = 3;
const OUTCOME: number = Slot.ADDRESS;

/**
 * Lets a worker's guest use the descriptors of this guest, on the shared memory that this one got from
 * `finalizeBindings()`, `start()` or `initialize()`. All guests share open files; if one closes a
 * descriptor, it is closed for all.
 *
 * The calls of the worker run in the thread that calls this function, from its event loop. A call
 * that waits blocks that thread. If a guest blocks that thread for long, or waits there for the
 * worker, run it in a worker too. If the owner's thread is terminated while a worker waits for a call,
 * the worker waits forever: stop the workers first. Once the port is closed, calls throw
 * `GuestAborted`.
 *
 * @param wasi a `WASI` object
 * @returns what to post to one worker, with its `port` transferred
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for anything else
 *
 * @example
 * ```ts ignore
 * const wasi = new WASI({ version: "preview1", preopens: { "/": "." } });
 * wasi.finalizeBindings(instance, { memory });
 * const share = shareTable(wasi);
 * worker.postMessage({ module, memory, share }, [share.port]);
 * ```
 */
export function shareTable(wasi: BaseWASI): TableShare {
  if (!(wasi instanceof BaseWASI)) throw invalidType("wasi", "an instance of WASI", wasi);
  const state = stateOf(wasi);
  const { binding, system } = state;
  const calls = callsOf(binding, tableOf(binding)!, system);
  const caller = new Caller();
  // a replaced proc_exit is honoured, as it is for the guest here
  const imports = importsOf(state, binding, (code: number) => wasi.wasiImport.proc_exit!(code));
  const { port1, port2 } = new MessageChannel();
  const port = port1 as unknown as Port;
  const answer = (outcome: number, result: number): void => {
    caller.slot[OUTCOME] = outcome;
    caller.answer(result);
  };
  const exchange = new Exchange(() => [caller], () => {
    const asked = calls[caller.call];
    if (asked === undefined) return answer(RETURNED, Errno.NOSYS); // not of SharedWASI
    const { name, shape } = asked;
    caller.take();
    if (!system.memory.bound && system.ended === undefined) return answer(NOT_STARTED, 0);
    try {
      answer(RETURNED, imports[name]!(...caller.values(shape)));
    } catch (error) {
      if (error instanceof ProcExit) return answer(EXITED, error.code);
      // what ends the one ends the other, whose next call throws it
      system.end(error instanceof GuestAborted ? error.cause : error);
      answer(FAILED, 0);
    }
  });
  port.onmessage = () => exchange.serve();
  port.addEventListener("close", () => {
    exchange.closed = true;
    Atomics.store(exchange.words, Control.ENDED, 1);
    caller.wake();
  });
  port.unref?.();
  return {
    port: port2,
    control: exchange.buffer,
    slot: caller.buffer,
    binding,
    calls: calls.map(({ name, shape }) => ({ name, shape })),
  };
}

/**
 * The system calls of a worker's guest over the table of another thread's `WASI` object (see
 * {@linkcode shareTable}).
 *
 * @example
 * ```ts ignore
 * onmessage = async ({ data: { module, memory, share } }) => {
 *   const wasi = new SharedWASI(share);
 *   const instance = await WebAssembly.instantiate(module, {
 *     env: { memory },
 *     ...wasi.getImportObject(),
 *   });
 *   wasi.finalizeBindings(instance, { memory });
 *   instance.exports.work();
 * };
 * ```
 */
export class SharedWASI {
  /** The system calls, to be imported as `wasi_snapshot_preview1` (or `wasi_unstable`). */
  readonly wasiImport: WASIImport;
  readonly #share: TableShare;
  #bound = false;

  /**
   * Takes what {@linkcode shareTable} made for this worker.
   *
   * Errors: `ERR_INVALID_ARG_TYPE` if it is something else.
   */
  constructor(share: TableShare) {
    validateObject(share, "share");
    const { port, control, slot, calls } = share;
    const shared = [control, slot].every((buffer: unknown) =>
      Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]"
    );
    if (!shared || !Array.isArray(calls) || typeof port?.postMessage !== "function") {
      throw invalidType("share", "what shareTable() returned, with its port transferred", share);
    }
    this.#share = share;
    (port as unknown as Port).unref?.();
    this.wasiImport = hidden(Object.fromEntries(
      calls.map(({ name, shape }, index) => [name, this.#call(index, shape)]),
    ));
  }

  #call(index: number, shape: string): (...values: (number | bigint)[]) => number {
    const { port, control, slot } = this.#share;
    const [controls, words, wide] = [
      new Int32Array(control),
      new Int32Array(slot),
      new BigInt64Array(slot),
    ];
    return (...values) => {
      if (!this.#bound) throw notStarted();
      if (values.length < shape.length) return Errno.INVAL;
      for (let i = 0; i < shape.length; i++) {
        const value = values[i]!;
        if (shape[i] === "I") {
          if (typeof value !== "bigint") return Errno.INVAL;
          wide[Slot.VALUES / 2 + i] = value;
        } else {
          if (typeof value !== "number") return Errno.INVAL;
          words[Slot.VALUES + 2 * i] = value;
        }
      }
      if (Atomics.load(controls, Control.ENDED) !== 0) throwAborted(closed());
      words[Slot.CALL] = index;
      Atomics.store(words, Slot.STATE, 1);
      Atomics.add(controls, Control.ASKED, 1);
      if (Atomics.exchange(controls, Control.ASLEEP, 0) === 1) port.postMessage(0);
      for (let state = 1; state !== 0; state = Atomics.load(words, Slot.STATE)) {
        Atomics.wait(words, Slot.STATE, state);
      }
      if (Atomics.load(controls, Control.ENDED) !== 0) throwAborted(closed());
      const result = words[Slot.RESULT]!;
      if (words[OUTCOME] === EXITED) throwExit(result);
      if (words[OUTCOME] === NOT_STARTED) throw notStarted();
      if (words[OUTCOME] === FAILED) {
        throwAborted(new Error("the guest that owns the table was stopped"));
      }
      return result;
    };
  }

  /** The import object for a guest that needs nothing but WASI. */
  getImportObject(): Record<string, WASIImport> {
    return hidden({ [this.#share.binding]: this.wasiImport });
  }

  /**
   * Says that the guest may call from now on. Its memory must be the one that the owner of the
   * table has been given. Calls before the owner has been given it throw `ERR_WASI_NOT_STARTED`.
   *
   * Errors: `ERR_WASI_ALREADY_STARTED` the second time; `ERR_INVALID_ARG_TYPE` if the memory is not
   * a `WebAssembly.Memory` that is shared.
   */
  finalizeBindings(
    instance: WebAssembly.Instance,
    { memory = (instance?.exports as { memory?: WebAssembly.Memory } | undefined)?.memory }: {
      memory?: WebAssembly.Memory;
    } = {},
  ): void {
    if (this.#bound) throw alreadyStarted();
    validateObject(instance, "instance");
    if (!isMemory(memory)) throw invalidMemory();
    const buffer: unknown = memory.buffer;
    if (Object.prototype.toString.call(buffer) !== "[object SharedArrayBuffer]") {
      throw invalidMemory();
    }
    this.#bound = true;
  }
}
