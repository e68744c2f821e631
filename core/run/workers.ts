/**
 * Workers that guests run in, kept for later runs: a worker takes longer to start than many a program
 * to run.
 *
 * A worker is given back when its guest has ended and has said so. It keeps nothing of that guest:
 * a guest has no other way to a worker than the functions that it imports, which are made anew for
 * each. One that does not come to its end is ended, and replaced in advance.
 *
 * @module
 */
import { outOfRange } from "../errors.ts";
import { describeFailure } from "./threads/failure.ts";
import { guestThread, NUMBERS, type Port, type Receive } from "./threads/worker.ts";

/** A worker of the runtime. */
export interface HostWorker {
  post(message: unknown): void;
  /** Resolves when it is gone. */
  terminate(): Promise<unknown>;
  /** It keeps the process alive again, as it does at first. */
  ref(): void;
  /** It no longer keeps the process alive. */
  unref(): void;
}

/** What a worker tells. */
export interface WorkerEvents {
  // deno-lint-ignore no-explicit-any
  message(report: any): void;
  /** it could not be started, or ended by itself */
  failed(error: unknown): void;
}

/** Workers, as an adapter supplies them. */
export interface WorkerHost {
  /** Whether `terminate()` ends a loop of WebAssembly, and a wait. */
  readonly endsLoops: boolean;
  /**
   * Starts one. `source` is a function that takes its port; `heap` is how many bytes the objects in
   * it may take, where the runtime can bound that.
   */
  start(source: string, events: WorkerEvents, heap: number): HostWorker;
  /** How many processors there are. */
  processors(): number;
  /** Whether the bytes that a worker's objects may take are bounded. */
  readonly boundsHeap: boolean;
  /** Milliseconds of processor time that the process has used; NaN if that is not known. */
  used(): number;
  /** Calls a function later, unless the process has ended by then; gives what prevents it. */
  later(act: () => void, milliseconds: number): () => void;
}

/** A worker's end of its channel. */
interface WorkerPort {
  post(message: unknown): void;
  // deno-lint-ignore no-explicit-any
  listen(receive: (message: any) => void): void;
  /** Imports a module. */
  load(url: string): Promise<{ runTask(task: unknown, post: (report: unknown) => void): void }>;
}

/**
 * What a worker does with its messages: a task is for the module of that address; all others are for
 * the threads of one guest, and the first of them has its module.
 */
function workerMain(port: WorkerPort, thread: (port: Port) => void): void {
  let receive: Receive | undefined;
  let loaded: Awaited<ReturnType<WorkerPort["load"]>> | undefined;
  port.listen((message) => {
    if (message === 0) {
      receive = undefined; // and with it all that was the guest's
      return;
    }
    if (message.address === undefined) {
      if ("module" in message) {
        thread({ post: port.post, listen: (listener) => receive = listener });
      }
      return receive!(message);
    }
    const { address, task } = message;
    if (loaded !== undefined) {
      if (task === undefined) port.post({ ready: true });
      else loaded.runTask(task, port.post);
      return;
    }
    port.load(address).then((module) => {
      loaded = module;
      port.post({ ready: true });
      if (task !== undefined) loaded.runTask(task, port.post);
    }, (error) => port.post({ missing: String(error) }));
  });
}

/** The text that workers are started with. Tools that keep names call __name in it. */
const SOURCE = `(port) => {
  const __name = (f) => f;
  (${workerMain})(port, (port) => (${guestThread})(port, ${
  JSON.stringify(NUMBERS)
}, ${describeFailure}));
}`;

/** Most idle workers that are kept by default, and for how many milliseconds. */
const KEEP_MAX = 4;
const IDLE_TIME = 10_000;
/** Milliseconds that a run waits for a worker to come back before it starts another. */
const PATIENCE = 1000;
/** Milliseconds between looks at how busy the processors are, and the part that counts as busy. */
const LOOK = 20;
const BUSY = 0.75;
/** Longest time of a timer. */
const TIME_MAX = 2 ** 31 - 1;

/** A worker of a pool. */
export class PooledWorker {
  readonly heap: number;
  readonly #worker: HostWorker;
  #events: WorkerEvents;
  #gone: Promise<unknown> | undefined = undefined;
  /** Whether it has the module of {@linkcode GuestWorkers.address}. */
  ready = false;
  /** Prevents that it is ended for having been idle. */
  awake: () => void = () => {};

  constructor(host: WorkerHost, heap: number, events: WorkerEvents) {
    this.heap = heap;
    this.#events = events;
    this.#worker = host.start(SOURCE, {
      message: (report) => this.#events.message(report),
      failed: (error) => {
        this.terminate().catch(() => {}); // it is not taken for one that can be used
        this.#events.failed(error);
      },
    }, heap);
  }

  /** Whoever uses it from now on. */
  use(events: WorkerEvents): void {
    this.#events = events;
  }

  post(message: unknown): void {
    this.#worker.post(message);
  }

  /** Ends it, once: what it has said before may still come, and asks for it again. */
  terminate(): Promise<unknown> {
    return this.#gone ??= this.#worker.terminate();
  }

  get gone(): boolean {
    return this.#gone !== undefined;
  }

  ref(): void {
    this.#worker.ref();
  }

  unref(): void {
    this.#worker.unref();
  }
}

function count(value: number, name: string, most: number, whole: boolean): number {
  if (typeof value !== "number" || !(value >= 0 && value <= most)) {
    throw outOfRange(name, `>= 0 && <= ${most}`, value);
  }
  if (whole && !Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  return value;
}

/** The most workers that can be kept: more would be a mistake. */
const WORKERS_MAX = 1024;

/**
 * The workers that `run()` keeps for later runs. It starts one when it needs one and none is idle;
 * one whose guest is stopped and does not come to its end is replaced. Idle workers do not keep the
 * process alive.
 */
export interface WorkerPool {
  /** How many idle workers are kept. 0 keeps none. Default: one for each processor, at most 4. */
  keep: number;
  /** Milliseconds after which an idle worker is ended. Default: 10,000. */
  idleTime: number;
  /** How many workers are idle now. */
  readonly idle: number;
  /**
   * Starts workers, so that runs find them. Resolves when they are ready, which takes 30 to 100 ms.
   *
   * Errors: what a worker cannot be started for.
   *
   * @param wanted how many are to be idle, at most `keep`. Default: `keep`
   */
  warm(wanted?: number): Promise<void>;
  /** Ends all idle workers. Later runs start others. */
  close(): Promise<void>;
}

/** The workers of a runtime. */
export class GuestWorkers implements WorkerPool {
  readonly #host: WorkerHost;
  /**
   * The address of the module with which a worker makes its guest's system calls; undefined where
   * that is not possible.
   */
  address: string | undefined;
  readonly #idle: PooledWorker[] = [];
  /** Those that will be idle once they are ready. */
  readonly #starting: Map<PooledWorker, Promise<void>> = new Map();
  /** Who waits for a worker, in their order. */
  readonly #queue: (() => void)[] = [];
  /** How many are in use. */
  #busy = 0;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;
  #keep: number | undefined = undefined;
  #idleTime = IDLE_TIME;

  constructor(host: WorkerHost, address: string | undefined) {
    this.#host = host;
    this.address = address;
  }

  /** Whether a worker can be ended whatever it does. */
  get endsLoops(): boolean {
    return this.#host.endsLoops;
  }

  get keep(): number {
    return this.#keep ??= Math.min(KEEP_MAX, this.#host.processors());
  }

  set keep(value: number) {
    this.#keep = count(value, "keep", WORKERS_MAX, true);
    while (this.#idle.length > this.keep) this.#drop(this.#idle[0]!);
  }

  get idleTime(): number {
    return this.#idleTime;
  }

  set idleTime(value: number) {
    this.#idleTime = value === Infinity ? value : count(value, "idleTime", TIME_MAX, false);
    for (const worker of this.#idle) this.#rest(worker);
  }

  get idle(): number {
    return this.#idle.length;
  }

  async warm(wanted: number = this.keep): Promise<void> {
    count(wanted, "wanted", WORKERS_MAX, true);
    this.#fill(Math.min(wanted, this.keep), Infinity);
    for (const worker of this.#starting.keys()) worker.ref();
    await Promise.all(this.#starting.values());
  }

  async close(): Promise<void> {
    await Promise.all([...this.#idle].map((worker) => this.#drop(worker)));
  }

  /**
   * Waits for a worker while those in use keep all processors busy: another would only take time from
   * them. Not for long without one coming back, for their guests may wait for this one. Whoever has
   * waited takes one then.
   *
   * @throws the signal's reason
   */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#queue.length === 0 && this.#busy < this.#host.processors()) {
      this.#busy++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal?.removeEventListener("abort", leave);
        this.#busy++;
        resolve();
      };
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(go), 1);
        reject(signal!.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      if (this.#queue.push(go) === 1) this.#wait(performance.now() + PATIENCE);
    });
  }

  /** Looks now and then whether processors are idle while runs wait, and lets one go then. */
  #wait(until: number): void {
    clearTimeout(this.#timer);
    if (this.#queue.length === 0) return;
    const [began, used] = [performance.now(), this.#host.used()];
    this.#timer = setTimeout(() => {
      const now = performance.now();
      const busy = (this.#host.used() - used) / (now - began);
      if (now < until && busy > BUSY * this.#host.processors()) this.#wait(until);
      else this.#next();
    }, LOOK);
  }

  #next(): void {
    this.#queue.shift()?.();
    this.#wait(performance.now() + PATIENCE);
  }

  /** Gives up a turn, without having taken a worker. */
  pass(): void {
    this.#freed();
  }

  /** A worker is no longer in use. */
  #freed(): void {
    this.#busy--;
    if (this.#queue.length > 0) this.#next();
  }

  /** Takes a worker at once, for a guest that has one already. */
  takeAnother(events: WorkerEvents, heap: number): PooledWorker {
    this.#busy++;
    return this.take(events, heap);
  }

  /** Takes a worker that is idle, or starts one; after {@linkcode GuestWorkers.turn}. */
  take(events: WorkerEvents, heap: number): PooledWorker {
    const bound = this.#host.boundsHeap ? heap : Infinity;
    const at = this.#idle.findLastIndex((worker) => worker.heap === bound);
    if (at < 0) return this.#start(events, bound);
    const [worker] = this.#idle.splice(at, 1);
    worker!.awake();
    worker!.use(events);
    worker!.ref();
    return worker!;
  }

  #start(events: WorkerEvents, heap: number): PooledWorker {
    try {
      return new PooledWorker(this.#host, heap, events);
    } catch (error) {
      this.#freed();
      throw error;
    }
  }

  /** Takes back a worker whose guest has ended, and which has nothing more to say. */
  give(worker: PooledWorker): void {
    this.#freed();
    this.keepIdle(worker);
  }

  /**
   * Keeps a worker that is not counted as in use: a new one, or one that was given up and replaced and
   * has come to its end after all.
   */
  keepIdle(worker: PooledWorker): void {
    if (worker.gone) return;
    worker.use({ message() {}, failed: () => void this.#drop(worker).catch(() => {}) });
    worker.post(0); // it keeps nothing of the guest
    worker.unref();
    this.#idle.push(worker);
    this.#rest(worker);
    while (this.#idle.length > this.keep) this.#drop(this.#idle[0]!).catch(() => {});
  }

  /**
   * Starts another in the place of one that has been ended, or given up. One that was given up may be
   * given back later.
   */
  replace({ heap }: PooledWorker): void {
    this.#freed();
    try {
      this.#fill(Math.min(this.keep, this.#idle.length + this.#starting.size + 1), heap);
    } catch {
      // the next run that needs one tells why
    }
  }

  /** Starts workers until so many are idle or starting. */
  #fill(wanted: number, heap: number): void {
    while (this.#idle.length + this.#starting.size < wanted) this.#begin(heap);
  }

  /** Starts one that is idle as soon as it is ready, which the process does not stay for. */
  #begin(heap: number): void {
    const { address } = this;
    const worker = new PooledWorker(this.#host, heap, { message() {}, failed() {} });
    if (address === undefined) return this.keepIdle(worker);
    worker.unref();
    const ready = new Promise<void>((resolve, reject) => {
      worker.use({
        message: ({ ready }) => {
          // one without that module can do the other half
          worker.ready = ready === true;
          this.keepIdle(worker);
          resolve();
        },
        failed: reject,
      });
    }).finally(() => this.#starting.delete(worker));
    ready.catch(() => {});
    this.#starting.set(worker, ready);
    worker.post({ address });
  }

  /** Begins to count how long it is idle. */
  #rest(worker: PooledWorker): void {
    worker.awake();
    worker.awake = this.#idleTime === Infinity ? () => {} : this.#host.later(
      () => void this.#drop(worker).catch(() => {}),
      this.#idleTime,
    );
  }

  async #drop(worker: PooledWorker): Promise<void> {
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    worker.awake();
    await worker.terminate();
  }
}
