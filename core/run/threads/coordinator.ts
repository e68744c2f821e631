/**
 * A guest in workers: its main and its threads each in one, all system calls made here, in the
 * thread of the embedder, over one table of descriptors. Whatever a guest does, it can be stopped.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { Ending, finishStreams, settle } from "../../guest/async_wasi.ts";
import { GuestAborted, ProcExit, TRAP } from "../../exit.ts";
import { bindMemory, importsOf, type State, tableOf } from "../../guest/guest.ts";
import type { ImportedFunction } from "../../preview1/imports.ts";
import { EXPORTED, HOOKS, INTERVAL } from "../../module/instrument.ts";
import { outOfRange } from "../../errors.ts";
import { TimeLimit } from "../time_limit.ts";
import { type CallType, ENDED, typedModule } from "../../preview1/typed.ts";
import type { GuestWorkers, PooledWorker } from "../workers.ts";
import { interfaceOf } from "../diagnose.ts";
import { callsOf } from "./calls.ts";
import { Caller, Exchange } from "./exchange.ts";
import { revived } from "./failure.ts";
import { Call, type CallShape, Control, type Report, type Setup, Slot } from "./worker.ts";

/** What is run. */
export interface ThreadedProgram {
  readonly module: WebAssembly.Module;
  /** The shared memory that it imports, if it does. */
  readonly memory: Setup["memory"];
  /** How many threads it may have at once besides its main. */
  readonly threads: number;
  /** An export that each instance calls first; see State.first. */
  readonly first?: string | undefined;
}

/** How it can be stopped from outside. */
export interface Limit {
  readonly signal: AbortSignal | undefined;
  /** milliseconds, Infinity for none */
  readonly timeout: number;
}

/** Bytes of the window at the beginning. */
const WINDOW = 1 << 17;
/** Milliseconds that threads have to end by themselves, where they can be ended and where not. */
const GRACE_MIN = 10;
const GRACE = 80;
/** Milliseconds that ending a worker may take. */
const TERMINATE_MAX = 100;
/** Largest identifier of a thread: more would look like an error. */
const TID_MAX = 0x1fffffff;

let trap: WebAssembly.Module | undefined;

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Wakes who waits at a word of a memory. */
function notify(memory: WebAssembly.Memory, word: number): void {
  let words = new Int32Array(memory.buffer);
  if (word >= words.length) {
    memory.grow(0); // another thread may have grown it: see memory.ts
    words = new Int32Array(memory.buffer);
  }
  if (word < words.length) Atomics.notify(words, word);
}

function typeOfCall({ name, shape }: CallShape): CallType {
  return { shape, returns: name !== "proc_exit" };
}

/** The type of `wasi.thread-spawn`. */
const SPAWN: CallType = { shape: "i", returns: true };

/** A worker, and the thread in it. */
class Thread extends Caller {
  worker: PooledWorker | undefined = undefined;
  /**
   * How many threads its worker was given that it has not told the end of: it is free for the next
   * somewhat before that is heard.
   */
  untold = 0;

  /** Whether its worker has nothing more to say until it gets something to do. */
  get silent(): boolean {
    return this.untold === 0;
  }

  get free(): boolean {
    return Atomics.load(this.slot, Slot.FREE) === 1;
  }

  set free(free: boolean) {
    Atomics.store(this.slot, Slot.FREE, free ? 1 : 0);
  }
}

/** One guest in its workers. Each runs once. */
class Coordinator {
  readonly #state: State;
  readonly #program: ThreadedProgram;
  readonly #pool: GuestWorkers;
  readonly #ending: Ending;
  readonly #time: TimeLimit;
  readonly #exchange: Exchange = new Exchange(
    () => this.#threads,
    (caller) => this.#call(caller as Thread),
  );
  readonly #calls: CallShape[] = [];
  readonly #functions: ImportedFunction[] = [];
  #types: WebAssembly.Module | undefined = undefined;
  readonly #threads: Thread[] = [];
  #tid = 0;
  #windowed = false;
  #halted = false;
  /** Workers that could not be stopped are abandoned. */
  #stopped = false;
  /** Settles when the program has ended by itself. */
  readonly #ended: Promise<void>;
  #resolve: () => void = () => {};
  /** Called when a worker has said something. */
  #heard: () => void = () => {};
  #reject: (reason: unknown) => void = () => {};

  constructor(
    state: State,
    wasiImport: Readonly<Record<string, ImportedFunction>>,
    program: ThreadedProgram,
    pool: GuestWorkers,
    { signal, timeout }: Limit,
  ) {
    this.#state = state;
    this.#program = program;
    this.#pool = pool;
    const { system } = state;
    const ending = new Ending(system, signal);
    this.#ending = ending;
    this.#time = new TimeLimit(timeout, (reason) => ending.end(reason));
    system.suspends = true;
    // a promise, which is waited for below
    system.settle = (wait) => settle(system, ending, wait) as unknown as number;
    const { imports } = interfaceOf(program.module);
    for (const module of new Set(imports.map(({ module }) => module))) {
      const table = tableOf(module);
      if (table === undefined) continue;
      const wanted = new Set(
        imports.flatMap((wanted) => wanted.module === module ? [wanted.name] : []),
      );
      const functions = module === state.binding
        ? wasiImport
        : importsOf(state, module, wasiImport.proc_exit!);
      for (const call of callsOf(module, table, system)) {
        // proc_exit in any case, for what is linked against a name that nobody has
        if (!wanted.has(call.name) && call.name !== "proc_exit") continue;
        this.#calls.push(call);
        this.#functions.push(
          call.name === "proc_exit" ? wasiImport.proc_exit! : functions[call.name]!,
        );
      }
    }
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#ended.catch(() => {});
  }

  /** Runs it to its end. */
  async run(): Promise<number> {
    try {
      if (this.#ending.over) await this.#ending.aborted;
      const { memory } = this.#program;
      if (memory !== undefined) bindMemory(this.#state, memory.memory);
      this.#begin(0, 0);
      await Promise.race([this.#ended, this.#ending.aborted]);
    } finally {
      this.#halt();
      try {
        await finishStreams(this.#state, this.#ending);
      } finally {
        await this.#stop();
      }
    }
    return this.#state.exitCode;
  }

  /** Starts a thread in a worker that is free, or in a new one. */
  #begin(tid: number, arg: number): void {
    let thread = this.#threads.find(({ free }) => free);
    if (thread === undefined) this.#threads.push(thread = this.#open());
    thread.free = false;
    thread.untold++;
    thread.worker!.post({ tid, arg });
  }

  #open(): Thread {
    const thread = new Thread();
    let window: SharedArrayBuffer | undefined;
    const { module, memory, first } = this.#program;
    const { system } = this.#state;
    if (memory === undefined) {
      window = new SharedArrayBuffer(WINDOW);
      system.memory.bindBytes(window);
    }
    const worker = this.#pool.takeAnother({
      message: (report) => this.#receive(thread, report),
      failed: (error) => this.#reject(error),
    }, system.memory.limit);
    thread.worker = worker;
    this.#send(worker, {
      module,
      trap: trap ??= new WebAssembly.Module(TRAP),
      types: this.#types ??= typedModule([...this.#calls.map(typeOfCall), SPAWN], false),
      control: this.#exchange.buffer,
      slot: thread.buffer,
      calls: this.#calls,
      memory,
      window,
      limit: system.memory.limit,
      first,
      hooks: HOOKS,
      memories: EXPORTED.source,
      interval: INTERVAL,
      yields: this.#state.trace === undefined,
    });
    return thread;
  }

  /** The first message. A worker that does not get it, because it cannot be posted, is free again. */
  #send(worker: PooledWorker, setup: Setup): void {
    try {
      worker.post(setup);
    } catch (error) {
      this.#pool.give(worker);
      throw error;
    }
  }

  #receive(thread: Thread, report: Report | 0): void {
    if (report !== 0 && (report.done || report.failed !== undefined)) thread.untold--;
    this.#heard();
    if (this.#halted) {
      // one that was given up has come back after all
      if (this.#stopped && thread.silent) this.#pool.keepIdle(thread.worker!);
      return;
    }
    if (report === 0) return this.#exchange.serve();
    if (report.started) this.#time.start();
    else if (report.window !== undefined) {
      this.#state.system.memory.bindBytes(report.window);
      this.#windowed = true;
      this.#answerWindow(thread);
    } else if (report.tooLarge !== undefined) {
      const most = this.#state.system.memory.limit;
      this.#reject(outOfRange(
        "instance.exports.memory",
        `<= ${most} bytes (limits.memoryPages)`,
        report.tooLarge,
      ));
    } else if (report.failed !== undefined) this.#reject(revived(report.failed));
    else if (report.done && thread === this.#threads[0]) this.#resolve(); // the first was its main
  }

  #call(thread: Thread): void {
    const { call } = thread;
    if (call === Call.WINDOW) return this.#answerWindow(thread);
    if (call === Call.SPAWN) return thread.answer(this.#spawn(thread.slot[Slot.VALUES]!));
    thread.take();
    try {
      const result: number | Promise<number> = this.#functions[call]!(
        ...thread.values(this.#calls[call]!.shape),
      );
      if (typeof result === "number") thread.answer(result);
      else {
        result.then(
          (errno) => errno === ENDED || thread.answer(errno),
          (error) => this.#reject(error),
        );
      }
    } catch (error) {
      if (error instanceof ProcExit) this.#resolve();
      else this.#reject(error instanceof GuestAborted ? error.cause : error);
      this.#halt();
    }
  }

  /** A larger window comes as a message, before or after it is asked whether it has come. */
  #answerWindow(thread: Thread): void {
    if (!this.#windowed || !thread.asks || thread.call !== Call.WINDOW) return;
    this.#windowed = false;
    thread.answer(0);
  }

  /** `wasi.thread-spawn`: the identifier of a new thread, or an errno below 0. */
  #spawn(arg: number): number {
    const { memory, threads } = this.#program;
    if (memory === undefined) return -Errno.NOTSUP;
    const running = this.#threads.filter(({ free }) => !free).length;
    if (running > threads) return -Errno.AGAIN;
    this.#tid = this.#tid % TID_MAX + 1;
    try {
      this.#begin(this.#tid, arg);
    } catch {
      return -Errno.AGAIN; // the host can start no more
    }
    return this.#tid;
  }

  /** From now on no thread comes back from a system call, a check or a wait. */
  #halt(): void {
    if (this.#halted) return;
    this.#halted = this.#exchange.closed = true;
    Atomics.store(this.#exchange.words, Control.ENDED, 1);
    Atomics.notify(this.#exchange.words, Control.ENDED);
    this.#state.system.memory.unbind();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const thread of this.#threads) {
      thread.wake();
      const address = Atomics.load(thread.slot, Slot.ADDRESS);
      if (address > 0) notify(this.#program.memory!.memory, address - 1);
    }
  }

  /** Gives back the workers that leave their guest, and ends the others where that is possible. */
  async #stop(): Promise<void> {
    this.#time.stop();
    this.#ending.release();
    this.#ending.end(undefined); // whoever waits is let go
    this.#state.system.table.closeOpened();
    const { endsLoops } = this.#pool;
    const until = performance.now() + (endsLoops ? GRACE_MIN : GRACE);
    while (!this.#threads.every(({ silent }) => silent) && performance.now() < until) {
      await Promise.race([sleep(1), new Promise<void>((resolve) => this.#heard = resolve)]);
      this.#wakeAll();
    }
    this.#stopped = true;
    const ending: Promise<unknown>[] = [];
    for (const { silent, worker } of this.#threads) {
      if (silent) this.#pool.give(worker!);
      else {
        // Bun's process would not end any more if a worker were told to that cannot
        if (endsLoops) ending.push(worker!.terminate());
        this.#pool.replace(worker!);
        worker!.unref();
      }
    }
    const gone = Promise.all(ending);
    gone.catch(() => {});
    if (ending.length > 0) await Promise.race([gone, sleep(TERMINATE_MAX)]);
    this.#threads.length = 0;
  }
}

/**
 * Runs a program in workers; resolves with its exit code when it has ended, its threads are gone
 * and its output is where it belongs.
 *
 * @throws what ended it: a trap of any thread, the signal's reason, a `DOMException` of the name
 * "TimeoutError", what an embedder's stream or function failed with
 */
export function runInWorkers(
  state: State,
  wasiImport: Readonly<Record<string, ImportedFunction>>,
  program: ThreadedProgram,
  pool: GuestWorkers,
  limit: Limit,
): Promise<number> {
  return new Coordinator(state, wasiImport, program, pool, limit).run();
}
