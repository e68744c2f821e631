/** Runs one program, holding this worker's thread: the page ends it by ending the worker. */
import { memory, MemoryFile, overlay, WASI } from "../../adapters/browser/mod.ts";
import type { Job, Report } from "./messages.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Job>) => void;
  postMessage(report: Report): void;
};

/** Most system calls that are shown. */
const CALLS_MAX = 20_000;
/** So many are told at once. */
const BATCH = 500;

/** Collects the two lines of each call as one, and tells them in batches. */
class Calls {
  #lines: string[] = [];
  #total = 0;
  #open = "";
  #told = performance.now();

  take(line: string): void {
    if (line.startsWith("==> ")) {
      this.#open = line.slice(4);
      return;
    }
    this.#total++;
    if (this.#total <= CALLS_MAX) this.#lines.push(`${this.#open} → ${line.slice(4)}`);
    if (this.#lines.length >= BATCH || performance.now() - this.#told > 250) this.tell();
  }

  tell(): void {
    scope.postMessage({ kind: "calls", lines: this.#lines, total: this.#total });
    this.#lines = [];
    this.#told = performance.now();
  }
}

function start({ module, args, env, stdin, files, trace }: Job): void {
  const before = memory();
  for (const [path, content] of files) before.write(path, new MemoryFile(content));
  const work = overlay(before);
  const calls = new Calls();
  const wasi = new WASI({
    version: "preview1",
    args,
    env,
    preopens: { "/work": work },
    stdin: new TextEncoder().encode(stdin),
    stdout: (chunk) => scope.postMessage({ kind: "output", stream: 1, chunk }),
    stderr: (chunk) => scope.postMessage({ kind: "output", stream: 2, chunk }),
    trace: trace && ((line) => calls.take(line)),
  });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  let code = 0;
  let trap: string | undefined;
  try {
    code = wasi.start(instance);
  } catch (error) {
    // an endless recursion is a RangeError
    if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
    trap = error.message;
  } finally {
    calls.tell();
  }
  const after = new Map(
    [...work.entries()].filter(({ kind }) => kind === "file")
      .map(({ path, content }) => [path, content]),
  );
  const paths = new Set(work.paths());
  const changes = work.changes().filter(({ path }) => path !== ".")
    .map(({ kind, path, from }) => {
      const shown = paths.has(`${path}/`) ? `${path}/` : path;
      return { kind, path: shown, from, content: after.get(path) };
    });
  scope.postMessage({ kind: "ended", code, trap, changes, files: after });
}

scope.onmessage = ({ data }) => {
  try {
    start(data);
  } catch (error) {
    scope.postMessage({ kind: "failed", text: String(error) });
  }
};
