/**
 * What a browser supplies: clocks, randomness and the console. It has no files and no processes.
 *
 * @module
 */
import { Errno, posixError, WasiError } from "../../core/errno.ts";
import {
  type Clock,
  Clockid,
  type File,
  type Host,
  isDirectory,
  type PollEntry,
} from "../../core/host.ts";
import { invalidValue } from "../../core/errors.ts";
import { inputOf, outputOf } from "../../core/guest/streams.ts";
import type { HostMaker } from "../../core/guest/wasi.ts";
import { WebClock } from "../clock.ts";

/** Whether this page or worker can share memory with workers. */
export function isIsolated(): boolean {
  return (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
}

/** What `performance.now()` steps by, in nanoseconds; browsers make it coarse on purpose. */
function step(): bigint {
  return isIsolated() ? 5000n : 100_000n;
}

/** The clocks; those of processor time are not available. */
function clockOf(): Clock {
  const clock = new WebClock();
  const resolution = step();
  return {
    time: (id, into, offset) => clock.time(id, into, offset),
    resolution: (id) => id <= Clockid.MONOTONIC ? resolution : 0n,
  };
}

/** Chromium does not fill memory that is shared. */
function random(into: Uint8Array): void {
  if (into.buffer instanceof ArrayBuffer) {
    crypto.getRandomValues(into as Uint8Array<ArrayBuffer>);
  } else {
    into.set(crypto.getRandomValues(new Uint8Array(into.length)));
  }
}

/**
 * One cell that nobody ever wakes, or undefined where the thread cannot sleep: on a page's main
 * thread. The memory is WebAssembly's, because `SharedArrayBuffer` is not there without isolation.
 */
function makeBed(): Int32Array | undefined {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const cell = new Int32Array(memory.buffer);
    Atomics.wait(cell, 0, 0, 0);
    return cell;
  } catch {
    return undefined;
  }
}

let bed: Int32Array | undefined | null = null;

function poll(entries: PollEntry[], timeout: number): void {
  // an embedder's file that does not tell is always ready
  for (const entry of entries) entry.found = entry.events;
  if (entries.length > 0 || timeout <= 0) return;
  if (bed === null) bed = makeBed();
  if (bed === undefined) throw new WasiError(Errno.NOTSUP);
  Atomics.wait(bed, 0, 0, timeout);
}

/** Shows what a guest writes in the console, line by line; what has no end of line at its end. */
function consoleOutput(show: (line: string) => void): File {
  const decoder = new TextDecoder();
  let rest = "";
  const take = (chunk: Uint8Array): void => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) show(line);
  };
  const finish = (): void => {
    rest += decoder.decode();
    if (rest !== "") show(rest);
    rest = "";
  };
  return Object.assign(outputOf(take, "") as File, { park: finish, close: finish });
}

function stream(fd: number): File {
  if (fd === 0) return inputOf(null, "") as File;
  if (fd === 1) return consoleOutput((line) => console.log(line));
  if (fd === 2) return consoleOutput((line) => console.error(line));
  throw posixError(
    Errno.BADF,
    "a browser has no descriptors but 0 (nothing), 1 and 2 (the console)",
  );
}

const INSTEAD = "use memory(), opfs(), overlay() or another Directory";

let host: Host | undefined;

function makeHost(): Host {
  return {
    name: "this browser",
    fs: {
      confinement: "memory",
      directory(path) {
        throw posixError(Errno.NOTSUP, `a browser cannot open ${path}: ${INSTEAD}`);
      },
      stream,
    },
    clock: clockOf(),
    random,
    poll,
    exit() {
      throw new Error("a guest cannot end a browser's page");
    },
  };
}

/** Refuses what only a host with files and processes can do. */
function refuse({ preopens, returnOnExit }: { preopens?: object; returnOnExit?: unknown }): void {
  for (const [name, value] of Object.entries(preopens ?? {})) {
    if (isDirectory(value)) continue;
    throw invalidValue(
      `options.preopens["${name}"]`,
      `is a path, and a browser has no files to open: ${INSTEAD}`,
      value instanceof URL ? value.href : value,
    );
  }
  if (returnOnExit === false) {
    throw invalidValue(
      "options.returnOnExit",
      "must be true in a browser: a guest cannot end its page",
      returnOnExit,
    );
  }
}

/** Makes the host of a guest with these options, once they have been checked. */
export function browserMaker(options: object): HostMaker {
  return () => {
    refuse(options);
    return host ??= makeHost();
  };
}
