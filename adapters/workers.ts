/**
 * Workers of the runtime, for guests that must not hold the embedder's thread.
 *
 * @module
 */
import type { HostWorker, WorkerEvents, WorkerHost } from "../core/run/threads/coordinator.ts";

/** What is used of node:worker_threads, which all three runtimes have. */
interface NodeWorker {
  on(event: string, listener: (value: unknown) => void): void;
  postMessage(message: unknown): void;
  terminate(): Promise<unknown>;
  unref(): void;
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

function start(source: string, events: WorkerEvents, heap: number): HostWorker {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): WorkerThreads };
  };
  const { Worker } = process.getBuiltinModule("node:worker_threads");
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
    unref: () => worker.unref(),
  };
}

/** The workers of Node, Deno and Bun. Only Node's V8 ends loops of WebAssembly in them. */
export const workers: WorkerHost = {
  endsLoops: !("Deno" in globalThis || "Bun" in globalThis),
  start,
};
