/**
 * Workers of the runtime, for guests that must not hold the embedder's thread.
 *
 * @module
 */
import {
  GuestWorkers,
  type HostWorker,
  type WorkerEvents,
  type WorkerHost,
} from "../core/run/workers.ts";
import { nodeProcess } from "./host.ts";

/** What is used of node:worker_threads, which all three runtimes have. */
interface NodeWorker {
  on(event: string, listener: (value: unknown) => void): void;
  postMessage(message: unknown): void;
  terminate(): Promise<unknown>;
  ref(): void;
  unref(): void;
}

/** What is used of node:timers. */
interface Timers {
  setTimeout(act: () => void, milliseconds: number): { unref(): void };
  clearTimeout(timer: unknown): void;
}

interface WorkerThreads {
  Worker: new (source: string, options: object) => NodeWorker;
}

/** The worker's side of the channel. */
const PORT = `(() => {
  const { parentPort } = require("node:worker_threads");
  return {
    post: (message) => parentPort.postMessage(message),
    listen: (receive) => parentPort.on("message", receive),
    load: (address) => import(address),
  };
})()`;

/** Less is not enough for what each worker has itself, in MiB. */
const HEAP_MIN = 32;
const MIB = 1 << 20;

/** The most that the objects of a worker may take: those that a guest makes are among them. */
function limitsOf(heap: number): object {
  if (heap === Infinity) return {};
  const maxOldGenerationSizeMb = Math.max(HEAP_MIN, Math.ceil(heap / MIB));
  // a young generation of its own size is no larger than this
  return { resourceLimits: { maxOldGenerationSizeMb, maxYoungGenerationSizeMb: HEAP_MIN } };
}

/** What a worker has failed with. */
function failure(error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code !== "ERR_WORKER_OUT_OF_MEMORY") return error;
  const text = "the program's objects take more memory than limits.memoryPages allows";
  return Object.assign(new RangeError(text, { cause: error }), { code: "ERR_OUT_OF_RANGE" });
}

/** A module of Node. */
function builtin(name: string): unknown {
  return nodeProcess().getBuiltinModule(name);
}

function start(source: string, events: WorkerEvents, heap: number): HostWorker {
  const { Worker } = builtin("node:worker_threads") as WorkerThreads;
  const worker = new Worker(`(${source})(${PORT});`, {
    eval: true,
    env: {},
    execArgv: [],
    name: "wasi",
    ...limitsOf(heap),
  });
  worker.on("message", (message) => events.message(message as never));
  worker.on("error", (error) => events.failed(failure(error)));
  worker.on("exit", (code) => {
    events.failed(new Error(`a worker of the program exited unexpectedly with code ${code}`));
  });
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  };
}

function used(): number {
  const { user, system } = nodeProcess().cpuUsage();
  return (user + system) / 1000;
}

function later(act: () => void, milliseconds: number): () => void {
  const { setTimeout, clearTimeout } = builtin("node:timers") as Timers;
  const timer = setTimeout(act, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
}

/** The workers of Node, Deno and Bun. Only Node's V8 ends loops of WebAssembly in them. */
export const workerHost: WorkerHost = {
  endsLoops: !("Deno" in globalThis || "Bun" in globalThis),
  boundsHeap: !("Bun" in globalThis),
  processors: () => (builtin("node:os") as typeof import("node:os")).availableParallelism(),
  start,
  used,
  later,
};

/** The place that the second line of a stack names. */
function placeIn(stack: unknown): string | undefined {
  const line = typeof stack === "string" ? stack.split("\n")[1] : undefined;
  return /^\s*at (?:[^(\s]+ \()?(.*?):\d+:\d+\)?$/.exec(line ?? "")?.[1];
}

/** Where this is. */
function placeHere(): string | undefined {
  try {
    const place = placeIn(new Error().stack);
    if (place !== undefined) return place;
  } catch {
    // what the application makes of stacks throws
  }
  return placeOnceMore();
}

/**
 * The same without what the application makes of stacks. That is only touched if it has to be: Bun
 * forgets the names of functions in later stacks when it has been.
 */
function placeOnceMore(): string | undefined {
  const names = ["prepareStackTrace", "stackTraceLimit"] as const;
  const before = names.map((name) => Object.getOwnPropertyDescriptor(Error, name));
  try {
    Object.assign(Error, { prepareStackTrace: undefined, stackTraceLimit: 4 });
    return placeIn(new Error().stack);
  } catch {
    return undefined; // it has frozen them
  } finally {
    names.forEach((name, i) => {
      if (before[i] !== undefined) Reflect.defineProperty(Error, name, before[i]);
      else Reflect.deleteProperty(Error, name);
    });
  }
}

/**
 * The address of the module that makes a guest's system calls in its worker (guest_worker.ts), or
 * undefined where it is not: an application that was bundled has no such file. It is found by where
 * this function is, as the stack of an error tells. `import.meta` would tell as well, but makes dnt
 * import modules of Node into every entry point, browsers' too.
 */
function guestModule(): string | undefined {
  const here = placeHere();
  // the sources, what TypeScript makes of them, and the chunks of the npm package
  const found = /^(.*)[/\\](?:adapters[/\\]workers|chunks[/\\]\w+)\.([jt]s)$/.exec(here ?? "");
  if (found === null) return undefined;
  const path = `${found[1]}/adapters/guest_worker.${found[2]}`;
  if (/^(file|https?):/.test(path)) return path;
  return (builtin("node:url") as typeof import("node:url")).pathToFileURL(path).href;
}

/** Those that are kept. */
export const workers: GuestWorkers = /* @__PURE__ */ new GuestWorkers(workerHost, guestModule());
