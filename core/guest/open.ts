/**
 * Opens what the options of a guest name: its standard streams, directories and sockets. The same
 * for every interface that a guest may call through.
 *
 * @module
 */
import {
  DescriptorTable,
  listeningDescriptor,
  preopenDescriptor,
  streamDescriptor,
} from "../system/descriptors.ts";
import { Quota, QuotaDirectory } from "../directories/quota.ts";
import { StableDirectory, StableNumbers } from "../directories/stable.ts";
import { Errno, WasiError } from "../errno.ts";
import { type Confinement, type Directory, type File, type Host, isDirectory } from "../host.ts";
import { type EveryLimit, type Limits, OutputLimit, validateLimits } from "./limits.ts";
import { initFailure, invalidType, invalidValue } from "../errors.ts";
import {
  bindingOf,
  pathOfURL,
  validateArgs,
  validateConfinement,
  validateEnv,
  validateListen,
  validatePreopens,
} from "./options.ts";
import { validateBoolean, validateObject } from "../validate.ts";
import type { StdinOption, StdoutOption } from "./streams.ts";
import type { System } from "../system/system.ts";
import type { TraceSink } from "../preview1/trace.ts";
import {
  type GuestClock,
  validateClock,
  validateRandom,
  withClock,
  withRandom,
} from "./determinism.ts";

/**
 * Options of {@linkcode BaseWASI | WASI}. Those of `node:wasi` work as Node documents them.
 *
 * Source: https://nodejs.org/api/wasi.html#new-wasioptions
 */
export interface WASIOptions {
  /** The snapshot that the guest was built for. Required. */
  version: "preview1" | "unstable";
  /** Command-line arguments; the first is the name of the program. Default: none. */
  args?: readonly string[];
  /** Environment variables. Those that are undefined are left out. Default: none. */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * Directories for the guest. A key is the guest's path, the value a path of the host, a file: URL
   * or a {@linkcode Directory} as made by `memory()`, `host()` and `overlay()`. They get descriptors
   * from 3 in the order of the keys. Default: none.
   */
  preopens?: Readonly<Record<string, string | URL | Directory>>;
  /**
   * Whether `proc_exit` stops only the guest, so that `start()` returns the exit code. With `false`
   * it exits the process at once, without exit handlers. Default: true.
   */
  returnOnExit?: boolean;
  /**
   * The guest's standard input: a descriptor of the process, bytes, a function that fills an array
   * and returns the number of bytes (0 at the end), or `null` for no input. Default: 0.
   */
  stdin?: StdinOption;
  /**
   * The guest's standard output: a descriptor of the process, a function that takes each chunk, an
   * {@linkcode OutputBuffer}, or `null` to discard it. Default: 1.
   */
  stdout?: StdoutOption;
  /** The guest's standard error, like `stdout`. Default: 2. */
  stderr?: StdoutOption;
  /**
   * Sockets that listen, with descriptors after the directories, in this order: `host` is an
   * address in numbers or "localhost", port 0 any that is free (see {@linkcode BaseWASI.ports}).
   * They need foreign functions on Linux or macOS. Default: none.
   */
  listen?: readonly { host: string; port: number }[];
  /** Limits on the host's resources that the guest may use. Default: none. */
  limits?: Limits;
  /**
   * The guest's clock: a start in nanoseconds since 1970, or a clock of your own. From a start, time
   * advances by a microsecond whenever it is read and by as long as the guest waits, without real
   * waiting. Default: the host's clocks.
   *
   * With both `clock` and `random` a run can be repeated exactly: directory lists are sorted, inode
   * numbers start at 1, and host files have the start of the clock as their times until the guest
   * changes them.
   */
  clock?: bigint | GuestClock;
  /**
   * The guest's random numbers: a seed, which determines all bytes and is not suitable for secrets,
   * or a function that fills an array. Default: the host's.
   */
  random?: number | bigint | ((into: Uint8Array) => void);
  /**
   * Reports each system call as two lines of text, before and after it: to a function, or with
   * `true` to `console.error`. Default: false, which costs nothing.
   */
  trace?: boolean | TraceSink;
  /**
   * Whether libc may be called through the runtime's foreign functions, if it has any. With `false`,
   * directories are confined through the runtime's own file system API. Default: true.
   */
  ffi?: boolean;
  /**
   * The confinement that every directory given as a path must have: "kernel", "walk" or
   * "checked". If it is not available the constructor throws `ERR_INVALID_ARG_VALUE`. Default:
   * the strongest there is.
   */
  confinement?: Confinement;
}

/** What an adapter knows how to make: the host for these options. */
export type HostMaker = (options: { ffi: boolean; confinement: Confinement | undefined }) => Host;

/** Makes the three standard streams of their options: files, or descriptors of the process. */
export type StreamMaker = (stdin: unknown, stdout: unknown, stderr: unknown) => (number | File)[];

/** What a guest has by its options, whatever interface it calls through. */
export interface Opened {
  readonly host: Host;
  readonly table: DescriptorTable;
  readonly args: readonly string[];
  /** as `name=value` */
  readonly env: readonly string[];
  readonly limits: EveryLimit;
  readonly trace: TraceSink | undefined;
  readonly streams: readonly (number | File)[];
  readonly listeners: readonly File[];
}

/**
 * Closes what a guest left open once it is unreachable. The system is watched, because the functions
 * of `wasiImport` keep it alive as long as an instance may call them.
 */
const abandoned: FinalizationRegistry<DescriptorTable> = new FinalizationRegistry((table) =>
  table.close()
);

/** Closes what a guest has open when its system is gone. */
export function watch(system: System, table: DescriptorTable): void {
  abandoned.register(system, table, system);
}

/** What the options say of a guest's descriptors. */
interface Given {
  readonly streams: readonly (number | File)[];
  readonly preopens: readonly [string, unknown][];
  readonly listen: readonly { host: string; port: number }[];
  readonly limits: EveryLimit;
  /** whether the guest has a clock of its own, and all it sees must be the same in every run */
  readonly ownClock: boolean;
  readonly stable: boolean;
}

const encoder: TextEncoder = new TextEncoder();

/** Opens the standard streams and the preopens, or leaves nothing open and throws. */
function openAll(
  host: Host,
  { streams, preopens, listen, limits, ownClock, stable }: Given,
  listeners: File[],
): DescriptorTable {
  const table = new DescriptorTable(limits.openFiles);
  const output = limits.outputBytes === Infinity ? undefined : new OutputLimit(limits.outputBytes);
  const quota = limits.diskBytes === Infinity && limits.files === Infinity
    ? undefined
    : new Quota(limits.diskBytes, limits.files);
  const numbers = stable ? new StableNumbers(host.clock) : undefined;
  try {
    streams.forEach((stream, fd) => {
      const file = typeof stream === "number" ? openStream(host, stream) : stream;
      const limited = fd > 0 && output !== undefined ? output.before(file) : file;
      const kind = { input: fd === 0, shared: typeof stream === "number" };
      table.insert(streamDescriptor(limited, kind));
    });
    for (const [name, value] of preopens) {
      const given = isDirectory(value);
      if (given && value.closed === true) {
        const reason = "has been closed: open it again with host()";
        throw invalidValue(`options.preopens["${name}"]`, reason, "a directory");
      }
      let directory = given ? value : openPreopen(host, name, value);
      if (ownClock) directory.useClock?.(host.clock);
      if (quota !== undefined) directory = new QuotaDirectory(directory, quota);
      if (numbers !== undefined) directory = new StableDirectory(directory, numbers);
      table.insert(preopenDescriptor(directory, encoder.encode(name), !given));
    }
    for (const { host: name, port } of listen) {
      const file = openListener(host, name, port);
      table.insert(listeningDescriptor(file));
      listeners.push(file);
    }
  } catch (error) {
    table.close();
    throw error;
  }
  return table;
}

function openStream(host: Host, fd: number): File {
  try {
    return host.fs.stream(fd);
  } catch (error) {
    throw initFailure(error, `cannot use descriptor ${fd} as a standard stream`);
  }
}

/** Whether something is an object that has no text of its own, and so is not meant as a path. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return value.toString === undefined || value.toString === Object.prototype.toString;
}

function openPreopen(host: Host, name: string, value: unknown): Directory {
  if (isPlain(value)) {
    throw invalidType(
      `options.preopens["${name}"]`,
      "a path, a file: URL or a Directory such as memory() makes",
      value,
    );
  }
  const path = value instanceof URL
    ? pathOfURL(value, `options.preopens["${name}"]`)
    : String(value);
  try {
    if (path.includes("\0")) throw new WasiError(Errno.INVAL); // libc would open what stands before
    return host.fs.directory(path);
  } catch (error) {
    throw initFailure(error, `cannot open preopen "${name}"`);
  }
}

function openListener(host: Host, name: string, port: number): File {
  if (host.listen === undefined) {
    throw invalidValue(
      "options.listen",
      `is not available on ${host.name}: it needs foreign functions on Linux or macOS`,
      name,
    );
  }
  try {
    return host.listen(name, port);
  } catch (error) {
    throw initFailure(error, "cannot open a socket");
  }
}

/** The option `trace` as a function, if it is on. */
function validateTrace(value: unknown): TraceSink | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return (line) => console.error(line);
  if (typeof value === "function") return value as TraceSink;
  throw invalidType("options.trace", "of type boolean or function", value);
}

/** Why a confinement is not available, and what can be done. */
function unavailable({ name, fs }: Host, ffi: boolean): string {
  const why = ffi ? "" : ", because options.ffi is false";
  return `is not available on ${name}${why}: directories are confined by "${fs.confinement}" here`;
}

/** Options of `run()` that would be taken for set if they were ignored. */
const RUNS = ["timeout", "threads", "interruptible", "imports"] as const;

/** Checks the options in Node's order and opens what they name. */
export function openGuest(
  options: WASIOptions,
  makeHost: HostMaker,
  makeStreams: StreamMaker,
): Opened {
  validateObject(options, "options");
  const other = RUNS.find((name) =>
    (options as unknown as Record<string, unknown>)[name] !== undefined
  );
  if (other !== undefined) {
    throw invalidValue(`options.${other}`, "is an option of run(), not of a class", other);
  }
  bindingOf(options.version);
  const args = validateArgs(options.args);
  const env = validateEnv(options.env);
  const preopens = validatePreopens(options.preopens);
  const listen = validateListen(options.listen);
  const { stdin = 0, stdout = 1, stderr = 2, ffi = true } = options;
  const streams = makeStreams(stdin, stdout, stderr);
  try {
    return openWith(options, { args, env, preopens, listen, ffi, streams }, makeHost);
  } catch (error) {
    // nobody uses them: they are not kept locked
    for (const file of streams) if (typeof file !== "number") (file as Finishing).abandon?.();
    throw error;
  }
}

/** Options that have been checked so far. */
interface Checked extends Pick<Given, "streams" | "preopens" | "listen"> {
  readonly args: string[];
  readonly env: string[];
  readonly ffi: boolean;
}

/** Checks the other options, and opens what they all name. */
function openWith(
  options: WASIOptions,
  { args, env, preopens, listen, ffi, streams }: Checked,
  makeHost: HostMaker,
): Opened {
  const { confinement } = options;
  validateBoolean(ffi, "options.ffi");
  validateConfinement(confinement);
  const limits = validateLimits(options.limits);
  const clock = validateClock(options.clock);
  const random = validateRandom(options.random);
  const trace = validateTrace(options.trace);
  let host = makeHost({ ffi, confinement });
  if (confinement !== undefined && host.fs.confinement !== confinement) {
    throw invalidValue("options.confinement", unavailable(host, ffi), confinement);
  }
  if (clock !== undefined) host = withClock(host, clock);
  if (random !== undefined) host = withRandom(host, random);
  const ownClock = clock !== undefined;
  const stable = ownClock && random !== undefined;
  const listeners: File[] = [];
  const given = { streams, preopens, listen, limits, ownClock, stable };
  const table = openAll(host, given, listeners);
  try {
    if (options.returnOnExit !== undefined) {
      validateBoolean(options.returnOnExit, "options.returnOnExit");
    }
  } catch (error) {
    table.close();
    throw error;
  }
  return { host, table, args, env, limits, trace, streams, listeners };
}

/** What streams that are only had asynchronously do at a guest's end; see async_streams.ts. */
type Finishing = File & { finish?(): Promise<void>; abandon?(): void };

/** Closes all that a guest has open. Its streams are finished, if they are not yet. */
export function closeGuest(
  { system, streams }: { system: System; streams: Opened["streams"] },
): void {
  abandoned.unregister(system);
  system.table.close();
  for (const file of streams) {
    if (typeof file !== "number") (file as Finishing).finish?.().catch(() => {});
  }
}
