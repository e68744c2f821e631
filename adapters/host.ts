/**
 * What the hosts of Node, Deno and Bun have in common: each adapter supplies how libc is opened
 * and how bytes are moved, this puts a host together from it.
 *
 * @module
 */
import { Errno, posixError } from "../core/errno.ts";
import { ReadOnlyDirectory } from "../core/directories/read_only.ts";
import { FileStat } from "../core/filestat.ts";
import {
  type Clock,
  Clockid,
  type Directory,
  type File,
  Filetype,
  type Host,
  type HostFileSystem,
  type PollEntry,
} from "../core/host.ts";
import { isEscaped } from "../core/text.ts";
import type { HostMaker } from "../core/guest/wasi.ts";
import { type ClockSources, runtimeClock } from "./clock.ts";
import type { NodeContext } from "../core/directories/node_fs/context.ts";
import { openDirectory } from "../core/directories/node_fs/directory.ts";
import { openStream } from "../core/directories/node_fs/file.ts";
import {
  type Context,
  LibcDirectory,
  LibcFile,
  LibcStream,
  type Transfers,
} from "../core/directories/posix/directory.ts";
import { archOf, type System, systemOf } from "./platform.ts";
import { DarwinLibc } from "../core/directories/posix/darwin_libc.ts";
import { DarwinSnapshot } from "../core/directories/posix/darwin_snapshot.ts";
import { DarwinSockets } from "../core/directories/posix/darwin_sockets.ts";
import { Dents } from "../core/directories/posix/dents.ts";
import { darwinLibrary, type Foreign, type Library, linuxLibrary } from "../core/foreign.ts";
import { NtDirectory, ntPathOf, realPathOf } from "../core/directories/nt/directory.ts";
import { kernelLibrary, ntLibrary } from "../core/directories/nt/nt.ts";
import { Ntdll } from "../core/directories/nt/ntdll.ts";
import { openNtStream, StandardHandles } from "../core/directories/nt/stream.ts";
import type { PosixLibc } from "../core/directories/posix/interface.ts";
import { Libc } from "../core/directories/posix/libc.ts";
import * as linux from "../core/directories/posix/linux.ts";
import { LinuxSockets } from "../core/directories/posix/linux_sockets.ts";

/** The parts of Node's `process` that the three runtimes share. */
export interface NodeProcess {
  readonly arch: string;
  readonly platform: string;
  readonly versions: Record<string, string | undefined>;
  getBuiltinModule(name: string): unknown;
  reallyExit?(code: number): never;
  emitWarning(...parameters: unknown[]): void;
  hrtime: { bigint(): bigint };
  cpuUsage(): { user: number; system: number };
  threadCpuUsage?(): { user: number; system: number };
  readonly allowedNodeEnvironmentFlags: ReadonlySet<string>;
  /** Node's permission model, when it is on. */
  permission?: { has(scope: string, reference?: string): boolean };
}

/** How often, and how much at most, is taken from getrandom(2) before WebCrypto is loaded. */
const RANDOM_TIMES = 16;
const RANDOM_FROM_LIBC = 4096;

/** What an adapter supplies. */
export interface Runtime {
  readonly name: string;
  /** What the runtime calls its system and processor: platform.ts knows the words. */
  readonly platform: string;
  readonly arch: string;
  /** Another file for the system's library, by its path. */
  readonly library?: string;
  /** Opens a system's library, or undefined where foreign functions are not available. */
  foreign(library: Library): Foreign | undefined;
  /** How bytes are moved over libc's descriptors. */
  transfers(libc: PosixLibc): Transfers;
  /** Whether asking libc for the time is cheaper than `performance.now()`. */
  libcClock: boolean;
  /** Whether WebCrypto takes milliseconds to load, though it is quick then. */
  slowWebCrypto: boolean;
  /** Directories over node:fs. */
  node(): Omit<NodeContext, "proc" | "windows">;
  /**
   * Whether the runtime's own permissions let a folder and all in it be read or written; without a
   * path, every folder. The kernel does not know these permissions. Asks nobody.
   */
  mayUse(access: "read" | "write", path?: string): boolean;
  /**
   * Whether the runtime's own permissions let an address be used, to listen on it or to send there:
   * some throw where nobody can catch it. Asks nobody. Left out where there are none.
   */
  mayReach?(address: string, port: number): boolean;
  /** Whether /proc/self/fd is allowed to be used. Asks nobody. */
  mayUseProc(): boolean;
  /** What clocks can be made of, beside libc's. */
  clockSources(): ClockSources;
  exit(code: number): never;
}

/** The global `process`, which all three runtimes have. */
export function nodeProcess(): NodeProcess {
  return (globalThis as unknown as { process: NodeProcess }).process;
}

/** One cell that nobody ever wakes. */
let bed: Int32Array | undefined;

/** Sleeps so many milliseconds. */
export function sleep(milliseconds: number): void {
  bed ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(bed, 0, 0, milliseconds);
}

function webRandom(into: Uint8Array): void {
  crypto.getRandomValues(into as Uint8Array<ArrayBuffer>);
}

/** From the kernel for a guest that wants little, from WebCrypto for one that wants much. */
function randomFrom(libc: PosixLibc): (into: Uint8Array) => void {
  let times = RANDOM_TIMES;
  return (into) => {
    const little = into.length <= RANDOM_FROM_LIBC && times-- > 0;
    if (!little || libc.random(into) < 0) webRandom(into);
  };
}

/** Whether a folder may be used by the name that it was given with and by the one that it has. */
function mayUseWhole(
  runtime: Runtime,
  access: "read" | "write",
  path: string,
  real: string | number,
): boolean {
  if (runtime.mayUse(access)) return true;
  // a name that is no text cannot be asked for
  if (typeof real === "number" || isEscaped(real)) return false;
  return runtime.mayUse(access, path) && runtime.mayUse(access, real);
}

/**
 * An open directory, as far as the runtime lets it be used. Nothing that libc does is checked by
 * the runtime, so what it refuses somewhere inside is not reached this way at all.
 */
function permitted(
  runtime: Runtime,
  real: string | number,
  opened: Directory,
  path: string,
): Directory {
  if (!mayUseWhole(runtime, "read", path, real)) {
    opened.close();
    const text = `the permissions of ${runtime.name} do not allow all of ${path} to be read. ` +
      'Allow it (--allow-read on Deno, --allow-fs-read on Node), or confine by "checked", ' +
      "which leaves every file to these permissions";
    throw posixError(Errno.ACCES, text);
  }
  return mayUseWhole(runtime, "write", path, real) ? opened : new ReadOnlyDirectory(opened);
}

/** Why a directory that is to become a preopen cannot be opened. */
function notOpened(errno: number, path: string): Error {
  const reason = errno === Errno.NOENT
    ? "no such directory"
    : errno === Errno.NOTDIR
    ? "not a directory"
    : "cannot open";
  return posixError(errno, `${reason}: ${path}`);
}

function libcFileSystem(runtime: Runtime, context: Context): HostFileSystem {
  const { libc } = context;
  return {
    confinement: context.beneath ? "kernel" : "walk",
    directory(path) {
      const flags = linux.O_CLOEXEC | libc.arch.O_DIRECTORY;
      const fd = libc.openat(linux.AT_FDCWD, path, flags, 0);
      if (fd < 0) throw notOpened(-fd, path);
      const opened = new LibcDirectory(context, fd, true, isHostRoot(libc, fd));
      return permitted(runtime, libc.pathOf(fd), opened, path);
    },
    stream(fd) {
      const stat = new FileStat();
      const error = libc.fstat(fd, stat);
      if (error < 0) throw posixError(-error, "not an open descriptor");
      if (stat.filetype === Filetype.SOCKET_STREAM && context.sockets !== undefined) {
        return context.sockets.inherited(fd);
      }
      return new LibcStream(context, fd, stat.filetype);
    },
  };
}

/** Whether a directory is the host's own "/": then nothing lies outside of it. */
function isHostRoot(libc: PosixLibc, fd: number): boolean {
  const [one, other] = [new FileStat(), new FileStat()];
  if (libc.fstat(fd, one) < 0 || libc.stat(linux.AT_FDCWD, "/", other) < 0) return false;
  return one.dev === other.dev && one.ino === other.ino;
}

/** Whether the kernel resolves beneath: not before Linux 5.6, not under every seccomp filter. */
function resolvesBeneath(libc: Libc): boolean {
  const flags = linux.O_PATH | linux.O_CLOEXEC;
  const root = libc.openat(linux.AT_FDCWD, "/", flags, 0);
  if (root < 0) return false;
  const fd = libc.openBeneath(root, ".", flags, 0);
  libc.close(root);
  if (fd < 0) return false;
  libc.close(fd);
  return true;
}

/** What is told of every clock, a microsecond: the cheaper sources are not finer everywhere. */
const RESOLUTION = 1000n;

/** The clocks of processor time are exact only in libc; the others where it is the cheaper way. */
class LibcClock implements Clock {
  readonly foreign: boolean = false;
  /** Undefined if libc is asked for all of them. */
  readonly #web: Clock | undefined;
  readonly #libc: PosixLibc;

  constructor(libc: PosixLibc, runtime: Runtime) {
    this.#libc = libc;
    this.#web = runtime.libcClock ? undefined : runtimeClock(runtime.clockSources());
  }

  time(id: number, into: DataView, offset: number): number {
    if (this.#web !== undefined && id <= Clockid.MONOTONIC) {
      return this.#web.time(id, into, offset);
    }
    return id <= Clockid.THREAD_CPUTIME_ID ? this.#libc.clock(id, into, offset) : -Errno.INVAL;
  }

  resolution(id: number): bigint {
    return id <= Clockid.THREAD_CPUTIME_ID ? RESOLUTION : 0n;
  }
}

function pollWithLibc(libc: PosixLibc, entries: PollEntry[], timeout: number): void {
  if (entries.length === 0) return sleep(timeout);
  const known = entries.filter(({ file }) => file instanceof LibcFile);
  // an embedder's own file that does not tell is always ready
  for (const entry of entries) if (!(entry.file instanceof LibcFile)) entry.found = entry.events;
  if (known.length < entries.length) timeout = 0;
  for (const entry of known) {
    if ((entry.file as LibcFile).fd >= 0) continue;
    // closed by another thread while this one waited
    entry.error = Errno.BADF;
    entry.found = entry.events;
    timeout = 0;
  }
  if (known.length > 0) libc.poll(known, known.map(({ file }) => (file as LibcFile).fd), timeout);
}

/** Without poll(2) what cannot tell itself is taken for ready: using it then waits by itself. */
function pollWithoutLibc(entries: PollEntry[], timeout: number): void {
  if (entries.length === 0) return sleep(timeout);
  for (const entry of entries) entry.found = entry.events;
}

/** Makes the hosts of a runtime, each kind once. */
export function hostMaker(runtime: Runtime): HostMaker {
  const system = systemOf(runtime.platform);
  const made = new Map<string, Host | undefined>();
  const once = (kind: string, make: () => Host | undefined): Host | undefined => {
    if (!made.has(kind)) made.set(kind, make());
    return made.get(kind);
  };
  return ({ ffi, confinement }) => {
    if (ffi && confinement !== "checked") {
      const beneath = confinement !== "walk";
      const host = system === "windows"
        ? once("nt", () => makeNtHost(runtime))
        : once(`libc ${beneath}`, () => makeLibcHost(runtime, system, beneath));
      if (host !== undefined) return host;
    }
    const proc = confinement !== "checked" && system === "linux" && runtime.mayUseProc();
    const windows = system === "windows";
    return once(
      `node ${proc}`,
      () => makeNodeHost(runtime, { ...runtime.node(), proc, windows }),
    )!;
  };
}

/** Opens the library of a system, or another file in its place. */
function openForeign(runtime: Runtime, library: Library): Foreign | undefined {
  const { library: name } = runtime;
  return runtime.foreign(name === undefined ? library : { ...library, names: [name] });
}

/** What the directories of a system need, or undefined for a system that has none here. */
function libcContext(runtime: Runtime, system: System, beneath: boolean): Context | undefined {
  const processor = archOf(runtime.arch);
  const arch = linux.archOf(processor);
  if (arch === undefined) return undefined;
  if (system === "linux") {
    const foreign = openForeign(runtime, linuxLibrary);
    if (foreign === undefined) return undefined;
    const libc = new Libc(foreign, arch);
    const context: Context = {
      libc,
      lister: () => new Dents(libc),
      transfers: runtime.transfers(libc),
      beneath: beneath && resolvesBeneath(libc),
      sockets: new LinuxSockets(libc, () => context),
    };
    return context;
  }
  if (system === "darwin") {
    const foreign = openForeign(runtime, darwinLibrary);
    if (foreign === undefined) return undefined;
    const libc = new DarwinLibc(foreign, processor);
    const context: Context = {
      libc,
      lister: () => new DarwinSnapshot(libc),
      transfers: runtime.transfers(libc),
      beneath: false,
      sockets: new DarwinSockets(libc, () => context),
    };
    return context;
  }
  return undefined;
}

function makeLibcHost(runtime: Runtime, system: System, beneath: boolean): Host | undefined {
  const context = libcContext(runtime, system, beneath);
  if (context === undefined) return undefined;
  const { libc } = context;
  return {
    name: runtime.name,
    fs: libcFileSystem(runtime, context),
    clock: new LibcClock(libc, runtime),
    random: runtime.slowWebCrypto ? randomFrom(libc) : webRandom,
    exit: runtime.exit,
    poll: (entries, timeout) => pollWithLibc(libc, entries, timeout),
    listen: context.sockets && ((host, port) => context.sockets!.listen(host, port)),
    mayReach: runtime.mayReach,
  };
}

/** Directories over ntdll on 64-bit Windows; streams move their bytes by node:fs. */
function makeNtHost(runtime: Runtime): Host | undefined {
  const known = ["x64", "arm64"].includes(archOf(runtime.arch));
  const foreign = known ? openForeign(runtime, ntLibrary) : undefined;
  const kernel = known ? openForeign(runtime, kernelLibrary) : undefined;
  if (foreign === undefined || kernel === undefined) return undefined;
  const ntdll = new Ntdll(foreign);
  const handles = new StandardHandles(ntdll, kernel);
  const context: NodeContext = { ...runtime.node(), proc: false, windows: true };
  const host = makeNodeHost(runtime, context);
  const { win32 } = nodeProcess().getBuiltinModule("node:path") as typeof import("node:path");
  const directory = (path: string): Directory => {
    const whole = win32.resolve(path);
    const place = ntPathOf(whole);
    const handle = place === undefined ? -Errno.NOENT : ntdll.openPath(place);
    if (handle < 0) throw notOpened(-handle, path);
    const opened = new NtDirectory({ ntdll, serial: ntdll.volume(handle) }, handle, place);
    return permitted(runtime, realPathOf(ntdll, handle, place!), opened, path);
  };
  const stream = (fd: number): File => openNtStream(context, handles, fd);
  return { ...host, fs: { confinement: "walk", directory, stream } };
}

function makeNodeHost(runtime: Runtime, context: NodeContext): Host {
  return {
    name: runtime.name,
    fs: {
      confinement: context.proc ? "walk" : "checked",
      directory: (path) => openDirectory(context, path),
      stream: (fd) => openStream(context, fd),
    },
    clock: runtimeClock(runtime.clockSources()),
    random: webRandom,
    exit: runtime.exit,
    poll: pollWithoutLibc,
    mayReach: runtime.mayReach,
  };
}
