/**
 * Web workers, for guests that must not hold the embedder's thread.
 *
 * @module
 */
import { GuestWorkers, type WorkerHost } from "../../core/run/workers.ts";
import { isIsolated } from "./host.ts";

/** The worker's side of the channel. */
const PORT = `({
  post: (message) => postMessage(message),
  listen: (receive) => { onmessage = ({ data }) => receive(data); },
})`;

/** The workers of browsers, which can end loops of WebAssembly. */
const workerHost: WorkerHost = {
  endsLoops: true,
  boundsHeap: false,
  processors: () => navigator.hardwareConcurrency,
  start(source, events) {
    const text = new Blob([`(${source})(${PORT});`], { type: "text/javascript" });
    const url = URL.createObjectURL(text);
    const worker = new Worker(url, { name: "wasi" });
    worker.onmessage = ({ data }: MessageEvent) => {
      URL.revokeObjectURL(url);
      events.message(data);
    };
    worker.onmessageerror = () => events.failed(new Error("a worker's message was lost"));
    worker.onerror = (event) => {
      URL.revokeObjectURL(url);
      const { message } = event as ErrorEvent;
      events.failed(
        new Error(
          message || "a worker could not be started: a content security policy must allow " +
              "worker-src blob:",
        ),
      );
    };
    return {
      post: (message) => worker.postMessage(message),
      terminate(): Promise<void> {
        URL.revokeObjectURL(url);
        worker.terminate();
        return Promise.resolve();
      },
      ref() {},
      unref() {},
    };
  },
  used: () => NaN,
  later(act, milliseconds) {
    const timer = setTimeout(act, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Those that are kept. */
export const workers: GuestWorkers = /* @__PURE__ */ new GuestWorkers(workerHost, undefined);

/** Why there can be no workers here. */
export function noWorkers(): Error | undefined {
  if (isIsolated()) return undefined;
  const text = "options.threads needs workers, and so does options.timeout without JSPI or the " +
    "program's bytes: this page is not cross-origin isolated. Serve it with " +
    "the headers Cross-Origin-Opener-Policy: same-origin and " +
    "Cross-Origin-Embedder-Policy: require-corp";
  return Object.assign(new Error(text), { code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" });
}
