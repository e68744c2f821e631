/**
 * Running a program as the command line says.
 *
 * @module
 */
import { currentSystem } from "../adapters/platform.ts";
import { runtimeMaker } from "../adapters/runtime.ts";
import { PAGE } from "../core/constants.ts";
import { ProcExit } from "../core/exit.ts";
import { tableOf } from "../core/guest/guest.ts";
import type { Directory } from "../core/host.ts";
import { BaseWASI, type WASIImport, type WASIOptions } from "../core/guest/wasi.ts";
import { bind, endingWithReader, refusedBy, unavailable } from "./bindings.ts";
import { CommandError, plain, UsageError } from "./error.ts";
import type { Command, Mount } from "./options.ts";
import { unreadable } from "./runtime.ts";
import { type Bytes, FRAMES_KEPT, stackOf } from "./stack.ts";

async function directoryOf(mount: Mount, confine: Command["confine"]): Promise<Directory> {
  if (mount.kind === "memory") return (await import("../core/directories/memory/mod.ts")).memory();
  const { host } = await import("../adapters/host_directory.ts");
  try {
    const { host: path, kind, readOnly } = mount;
    if (kind === "host") return host(path, { readOnly, confinement: confine });
    const { overlay } = await import("../adapters/overlay.ts");
    return overlay(host(path, { confinement: confine }));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === "ENOENT") {
      throw new CommandError(`${mount.option}: there is no such directory; create it first`);
    }
    if (code !== "ERR_INVALID_ARG_VALUE") {
      throw new CommandError(`${mount.option}: ${unreadable(mount.host) ?? plain(error)}`);
    }
    throw new CommandError(
      `--confine=${confine}: ${unavailable(message)}; leave it out for the strongest one`,
    );
  }
}

async function openInput(file: string): Promise<number> {
  if (file === "-") return 0;
  const { fstatSync, openSync } = await import("node:fs");
  const isDirectory = (fd: number): boolean => {
    try {
      return fstatSync(fd).isDirectory();
    } catch (error) {
      // on Windows Deno can describe files and directories alone
      if (currentSystem() === "windows" && (error as { code?: string }).code === "EINVAL") {
        return false;
      }
      throw error;
    }
  };
  try {
    // no runtime takes the null device by its short name
    const fd = openSync(
      currentSystem() === "windows" && /^nul$/i.test(file) ? "\\\\.\\NUL" : file,
      "r",
    );
    if (isDirectory(fd)) throw Object.assign(new Error(), { code: "EISDIR" });
    return fd;
  } catch (error) {
    throw new CommandError(`--stdin ${file}: ${plain(error)}`);
  }
}

/** The kinds of a trace: all calls but these, by what they begin with. */
const KINDS: Record<string, RegExp> = {
  args: /^==> (args_|environ_|wasi:cli\/environment)/,
  clock: /^==> (clock_|wasi:clocks\/)/,
  fs: /^==> (fd_|path_|wasi:filesystem\/|wasi:io\/streams|wasi:cli\/(std|terminal-))/,
  poll: /^==> (poll_|wasi:io\/poll)/,
  proc: /^==> (proc_|random_|sched_|wasi:cli\/exit|wasi:random\/)/,
  sock: /^==> (sock_|wasi:(sockets|http)\/)/,
};

function tracer(kinds: string[]): (line: string) => void {
  if (kinds.includes("all")) return (line) => console.error(line);
  let shown = false;
  return (line) => {
    if (line.startsWith("==>")) shown = kinds.some((kind) => KINDS[kind]!.test(line));
    if (shown) console.error(line);
  };
}

/** A program's name for itself: the last part of its path. */
export function nameOf(file: string, windows: boolean = currentSystem() === "windows"): string {
  let path = windows ? file.replaceAll("\\", "/") : file;
  if (/^(https?|file):/i.test(file)) {
    const { pathname } = new URL(file);
    try {
      path = decodeURIComponent(pathname);
    } catch {
      path = pathname;
    }
  }
  return /([^/]*)\/*$/.exec(path)![1] || file;
}

/** The options of the class. */
export async function optionsOf(command: Command): Promise<WASIOptions> {
  const { file, rest, argv0, mounts, env, maxMemory, clock, seed } = command;
  const preopens: Record<string, Directory> = Object.create(null); // for any name there is
  for (const mount of mounts) preopens[mount.guest] = await directoryOf(mount, command.confine);
  // a program from standard input leaves nothing there
  const inherited = file === "-" ? null : 0;
  return {
    version: "preview1",
    args: [argv0 ?? nameOf(file), ...(command.invoke === undefined ? rest : [])],
    env,
    preopens,
    stdin: command.stdin === undefined ? inherited : await openInput(command.stdin),
    listen: command.listen,
    clock,
    random: seed,
    limits: {
      diskBytes: command.maxDisk,
      files: command.maxFiles,
      openFiles: command.maxOpenFiles,
      outputBytes: command.maxOutput,
      memoryPages: maxMemory === undefined ? undefined : Math.floor(maxMemory / PAGE),
    },
    trace: command.trace === undefined ? false : tracer(command.trace),
  };
}

/** What a module imports of WASI. */
function importsOf(module: WebAssembly.Module, wasi: BaseWASI): Record<string, WASIImport> {
  const offered = wasi.getImportObject();
  const imports: Record<string, WASIImport> = {};
  for (const { module: from } of WebAssembly.Module.imports(module)) {
    if (tableOf(from) !== undefined) imports[from] ??= endingWithReader(offered[from]!);
  }
  return imports;
}

/** Fails if a program cannot be run, and says why. */
async function refuseUnfit(
  { file, threads }: Command,
  module: WebAssembly.Module,
  bytes: Uint8Array,
): Promise<void> {
  const [{ faultOf, interfaceOf }, { parseBinary }] = await Promise.all([
    import("../core/run/diagnose.ts"),
    import("../core/module/binary.ts"),
  ]);
  let described: Parameters<typeof faultOf>[0];
  try {
    described = parseBinary(bytes);
  } catch {
    described = interfaceOf(module); // an engine may know more than is known here
  }
  const fault = faultOf(described, {
    table: tableOf,
    has: () => false,
    threads: threads !== undefined,
    allowThreads: "use --threads",
    provideImports: "a script can provide them, in options.imports of run() or instantiate()",
    needsMemory: false,
  });
  if (fault !== undefined) throw new CommandError(`${file}: ${fault}`);
}

/** Runs the program; gives the exit code. */
export async function run(
  command: Command,
  module: WebAssembly.Module,
  bytes: Uint8Array,
): Promise<number> {
  await refuseUnfit(command, module, bytes);
  if (command.network.length > 0) {
    throw new UsageError("--network: only for a component; a module of preview1 has --listen");
  }
  const options = await optionsOf(command);
  (Error as { stackTraceLimit?: number }).stackTraceLimit = FRAMES_KEPT;
  const both: Bytes = { given: bytes, run: bytes };
  const programs = (): Bytes[] => [both];
  if (command.threads !== undefined) {
    const { runWithThreads } = await import("./threads.ts");
    return await ending(
      command,
      programs,
      () => "_start",
      () => runWithThreads(command, options, module, both),
    );
  }
  let wasi: BaseWASI;
  try {
    wasi = new BaseWASI(options, runtimeMaker());
  } catch (error) {
    throw refusedBy(error);
  }
  const imports = importsOf(module, wasi);
  let instance: WebAssembly.Instance | undefined;
  const called = (): string | undefined => instance && (command.invoke ?? "_start");
  return await ending(command, programs, called, async () => {
    instance = await WebAssembly.instantiate(module, imports);
    return await start(command, wasi, instance, bytes);
  });
}

/** Gives a program's exit code, also if it is stopped by something else than its return. */
export async function ending(
  { file }: Pick<Command, "file">,
  programs: () => readonly Bytes[],
  called: () => string | undefined,
  program: () => Promise<number>,
): Promise<number> {
  try {
    return await program();
  } catch (error) {
    if (error instanceof ProcExit) return error.code;
    if (error instanceof CommandError) throw error;
    const stack = stackOf(error);
    const { isTrap, trapped } = await import("./trap.ts");
    if (isTrap(error)) return trapped(error as Error, stack, programs(), called());
    throw new CommandError(`${file}: ${plain(error)}`);
  }
}

async function start(
  command: Command,
  wasi: BaseWASI,
  instance: WebAssembly.Instance,
  bytes: Uint8Array,
): Promise<number> {
  const { _start, _initialize, memory } = instance.exports;
  if (command.invoke !== undefined) {
    const { invoke } = await import("./invoke.ts");
    return await invoke(command.file, command.invoke, command.rest, { wasi, instance, bytes });
  }
  if (typeof _start === "function") {
    if (memory !== undefined) return wasi.start(instance);
    bind(wasi, instance);
    _start();
    return 0;
  }
  if (typeof _initialize === "function") {
    if (memory !== undefined) wasi.initialize(instance);
    else {
      bind(wasi, instance);
      _initialize();
    }
    return 0;
  }
  throw new CommandError(
    `${command.file}: it has no _start to run; use --invoke NAME to call one of its functions`,
  );
}
