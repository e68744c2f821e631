/**
 * Running components: programs of WASI 0.2.
 *
 * They run in the embedder's thread, suspended while they wait where that can be; a time limit is
 * built into their modules.
 *
 * @module
 */
import { asyncStreams } from "../guest/async_streams.ts";
import { Ending, finishStreams, settled, validateSignal } from "../guest/async_wasi.ts";
import { canSuspend } from "../suspension.ts";
import { componentError, linkError } from "../component/errors.ts";
import { causeOf, exportsOf, JavaScriptSide } from "../component/javascript.ts";
import { type ComponentImports, EmbeddedImports, hasAsync } from "../component/embedded.ts";
import type { Item } from "../component/scope.ts";
import { type Linked, Linker } from "../component/linker.ts";
import { type Compiled, RunningMachine } from "../component/machine.ts";
import { withoutVersion } from "../component/names.ts";
import { readComponent } from "../component/reader.ts";
import { Store } from "../component/store.ts";
import type { ComponentBinary, ExternType } from "../component/binary.ts";
import type { ComponentFunction } from "../component/function.ts";
import { PAGE } from "../constants.ts";
import { ProcExit, throwExit } from "../exit.ts";
import { closeGuest, openGuest, type WASIOptions, watch } from "../guest/open.ts";
import { invalidValue } from "../errors.ts";
import { type Binary, parseBinary } from "../module/binary.ts";
import { HOOKS } from "../module/instrument.ts";
import { exportSpaces } from "../module/spaces.ts";
import { validateNetwork } from "../preview2/grant.ts";
import { interfaces, loadInterfaces, wasiInstance } from "../preview2/mod.ts";
import { showFunction } from "../component/types.ts";
import { SENDING_MAX, World } from "../preview2/world.ts";
import { System } from "../system/system.ts";
import type { Wait } from "../system/waiting.ts";
import { ThreadLimit } from "./in_thread.ts";
import { canHold, type RunOptions, type RunSettings } from "./options.ts";
import type { Platform } from "./platform.ts";
import {
  binaryOf,
  checked,
  compile,
  compileCopy,
  limited,
  type LoadedProgram,
  unfit,
} from "./program.ts";

/** A component that is linked. */
interface Started {
  readonly linked: Linked;
  readonly side: JavaScriptSide;
  readonly store: Store;
  readonly ending: Ending;
  readonly limit: ThreadLimit | undefined;
  /** Lets output streams take what is left. */
  finish(): Promise<void>;
  close(): void;
}

/** Refuses a module that imports what only checks that are built in do. */
function refuseReserved(binary: Binary | undefined): void {
  if (binary?.imports.some(({ module }) => module === HOOKS) !== true) return;
  throw componentError(`a module imports from ${HOOKS}, a name that is reserved`);
}

/** Compiles the modules of a component, within its limits. */
function compiler(
  memoryPages: number,
  bounded: boolean,
): (bytes: Uint8Array) => Promise<Compiled> {
  if (memoryPages === Infinity && !bounded) {
    return async (bytes) => ({ module: await compile(bytes), exports: undefined });
  }
  return async (bytes) => {
    const binary = binaryOf(bytes);
    if (bounded) refuseReserved(binary);
    const names = (binary?.exports ?? []).map(({ name }) => name);
    const within = memoryPages === Infinity
      ? bytes
      : exportSpaces(await limited(bytes, memoryPages), names);
    const copy = bounded ? checked(within) : within;
    if (copy === bytes) return { module: await compile(bytes), exports: undefined };
    const module = await compileCopy(copy, bytes);
    if (binary === undefined) parseBinary(bytes); // says what is not known here
    return { module, exports: new Set(names) };
  };
}

/** A component that was read, and how its modules are compiled within which limits. */
interface Read {
  readonly binary: ComponentBinary;
  readonly compilers: Map<string, ReturnType<typeof compiler>>;
}

const components = new WeakMap<LoadedProgram, Read>();

/** Reads a component once. */
function readOnce(program: LoadedProgram): Read {
  let read = components.get(program);
  if (read === undefined) {
    read = { binary: readComponent(program.source as Uint8Array), compilers: new Map() };
    components.set(program, read);
  }
  return read;
}

/** What compiles each module of a component once. */
function compilerOf(
  { compilers }: Read,
  memoryPages: number,
  bounded: boolean,
): ReturnType<typeof compiler> {
  const key = `${memoryPages} ${bounded}`;
  let kept = compilers.get(key);
  if (kept === undefined) {
    const compile = compiler(memoryPages, bounded);
    const compiled = new Map<Uint8Array, Promise<Compiled>>();
    kept = (bytes) => {
      let module = compiled.get(bytes);
      if (module === undefined) compiled.set(bytes, module = compile(bytes));
      return module;
    };
    compilers.set(key, kept);
  }
  return kept;
}

/** Reads a component and compiles its modules, for later runs. */
export async function prepareComponent(
  program: LoadedProgram,
  memoryPages: number,
  interruptible: boolean,
): Promise<void> {
  const read = readOnce(program);
  await loadInterfaces(importsOf(read.binary));
  for (const bounded of interruptible ? [false, true] : [false]) {
    const compile = compilerOf(read, memoryPages, bounded);
    await Promise.all(modulesOf(read.binary).map(compile));
  }
}

/** The modules of a component and of those in it. */
function modulesOf({ definitions }: ComponentBinary): Uint8Array[] {
  return definitions.flatMap((one) =>
    one.kind === "core module"
      ? [one.bytes]
      : one.kind === "component"
      ? modulesOf(one.component)
      : []
  );
}

/** Begins to compile all modules at once. */
function compileAll(machine: RunningMachine, binary: ComponentBinary): void {
  for (const bytes of modulesOf(binary)) machine.compile({ sort: "core module", bytes });
}

/** The names that a component imports. */
function importsOf({ definitions }: ComponentBinary): string[] {
  return definitions.flatMap((one) => one.kind === "import" ? [one.name] : []);
}

/** Waits until what the guest has left to be sent is sent. */
async function sent({ sending }: World, ending: Ending): Promise<void> {
  if (sending.size === 0 || ending.over) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, SENDING_MAX));
  await Promise.race([Promise.allSettled(sending), late, ending.aborted]);
  clearTimeout(timer);
}

/** What a component imports, given. */
function given(world: World, imports: ComponentImports) {
  const embedded = new EmbeddedImports(imports);
  return (name: string, type: ExternType): Item | undefined => {
    const item = embedded.item(name, type) ?? wasiInstance(world, name);
    if (item === undefined && name.startsWith("wasi:")) throw missingOfWasi(name);
    return item;
  };
}

function missingOfWasi(wanted: string): Error {
  const { name, version = "" } = withoutVersion(wanted);
  if (version.startsWith("0.3")) {
    return linkError(`it imports ${wanted}: WASI 0.3 is not supported, build it for wasm32-wasip2`);
  }
  if (interfaces().has(name)) {
    return linkError(`it imports ${wanted}, but only the versions 0.2.x are supported`);
  }
  return linkError(
    `it imports ${wanted}, which is not available: provide it with options.imports["${name}"]`,
  );
}

/** Refuses what only a component that is suspended while it waits can have. */
function refuseWithoutJspi(options: RunOptions): void {
  const needs = "needs JSPI for a component (Node 24.20, Deno, Bun, Chromium)";
  if (options.signal !== undefined) {
    throw invalidValue("options.signal", `${needs}: use options.timeout`, options.signal);
  }
  for (const name of ["stdin", "stdout", "stderr"] as const) {
    if (canHold({ [name]: options[name] })) continue;
    throw invalidValue(`options.${name}`, `is a stream, which ${needs}`, options[name]);
  }
  for (const [name, value] of Object.entries(options.imports ?? {})) {
    if (!hasAsync({ [name]: value })) continue;
    throw invalidValue(`options.imports["${name}"]`, `has async functions: it ${needs}`, value);
  }
}

/** @param suspends whether it may be suspended while it waits */
async function start(
  platform: Pick<Platform, "maker" | "network">,
  program: LoadedProgram,
  options: RunOptions,
  { imports, timeout }: RunSettings,
  suspends: boolean,
): Promise<Started> {
  const { signal } = options;
  validateSignal(signal);
  if (!canSuspend()) refuseWithoutJspi(options);
  const grant = validateNetwork(options.network);
  const read = readOnce(program);
  const { binary } = read;
  const names = importsOf(binary);
  await loadInterfaces(names);
  const {
    imports: _,
    threads: __,
    timeout: ___,
    interruptible,
    signal: ____,
    network: _____,
    ...rest
  } = options;
  const all = { ...rest, version: "preview1" } as WASIOptions;
  const opened = openGuest(all, platform.maker(all), asyncStreams);
  const system = new System(opened.host, opened.table);
  watch(system, opened.table);
  const close = (): void => closeGuest({ system, streams: opened.streams });
  const bounded = timeout !== Infinity && interruptible !== false;
  const limit = timeout === Infinity ? undefined : new ThreadLimit(timeout, signal);
  const ending = new Ending(system, limit?.signal ?? signal);
  system.suspends = suspends;
  const wait = suspends
    ? (waited: Wait<unknown>): Promise<unknown> => settled(system, ending, waited)
    : undefined;
  const store = new Store(system, wait, opened.limits.memoryPages * PAGE, limit);
  const side = new JavaScriptSide(store);
  try {
    const network = names.some((name) => name.startsWith("wasi:sockets/"))
      ? await platform.network?.((address, port) => opened.host.mayReach?.(address, port) ?? true)
      : undefined;
    const world = new World(system, { ...opened, grant, network }, (code) => throwExit(code));
    const machine = new RunningMachine(
      store,
      compilerOf(read, opened.limits.memoryPages, bounded),
      bounded ? () => limit!.hooks() : undefined,
      side,
    );
    compileAll(machine, binary);
    limit?.start();
    const resolve = given(world, imports as ComponentImports);
    const linked = await new Linker(machine).link({ binary, scope: undefined }, resolve);
    const finish = async (): Promise<void> => {
      opened.table.closeOpened();
      await finishStreams(opened, ending);
      await sent(world, ending);
    };
    return { linked, side, store, ending, limit, finish, close };
  } catch (error) {
    limit?.stop();
    ending.release();
    close();
    throw causeOf(error);
  }
}

/** The function that runs a command, or undefined for what is none. */
export function entryOf(linked: Linked): ComponentFunction | undefined {
  const name = linked.names.find((name) => /^wasi:cli\/run@0\.2\.\d+$/.test(name));
  const instance = name === undefined ? undefined : linked.get(name);
  const run = instance?.sort === "instance" ? instance.get("run") : undefined;
  if (run?.sort !== "func") return undefined;
  const { parameters, result } = run.type!;
  const fits = parameters.length === 0 && result?.kind === "result" && result.ok === undefined &&
    result.error === undefined;
  if (!fits) throw linkError(`it exports ${name} run as ${showFunction(run.type!)}`);
  return run;
}

/** Runs a component that is a command; gives the exit code. */
export async function runComponent(
  platform: Platform,
  program: LoadedProgram,
  options: RunOptions,
  settings: RunSettings,
): Promise<number> {
  return await withComponent(platform, program, options, settings, async (linked, ending) => {
    const run = entryOf(linked);
    if (run === undefined) {
      throw unfit("it is a component that exports no wasi:cli/run: use instantiate()");
    }
    return await codeOf(run, ending);
  });
}

/** Links a component, uses it, and lets its output streams take what is left. */
export async function withComponent(
  platform: Pick<Platform, "maker" | "network">,
  program: LoadedProgram,
  options: RunOptions,
  settings: RunSettings,
  use: (linked: Linked, ending: Ending) => Promise<number>,
): Promise<number> {
  if (settings.threads !== undefined) {
    throw invalidValue("options.threads", "is not available for components", true);
  }
  const started = await start(platform, program, options, settings, canSuspend());
  const { ending } = started;
  try {
    return await use(started.linked, ending);
  } finally {
    started.limit?.stop();
    await started.finish().finally(() => {
      ending.release();
      started.close();
    });
  }
}

/** Calls the function that runs a command; gives the exit code. */
export async function codeOf(run: ComponentFunction, ending: Ending): Promise<number> {
  try {
    return (await valueOf(run, [], ending) as { tag: string }).tag === "ok" ? 0 : 1;
  } catch (error) {
    if (error instanceof ProcExit) return error.code;
    throw error;
  }
}

/** Calls a function of a component, which may be stopped meanwhile. */
export async function valueOf(
  { call }: ComponentFunction,
  values: readonly unknown[],
  ending: Ending,
): Promise<unknown> {
  try {
    if (ending.over) await ending.aborted;
    return await Promise.race([call(...values), ending.aborted]);
  } catch (error) {
    throw causeOf(error);
  }
}

/** What a call that waits gives, or why its component was stopped before. */
function untilEnded(value: Promise<unknown>, ending: Ending): Promise<unknown> {
  if (ending.over) return ending.aborted;
  return new Promise((resolve, reject) => {
    const wake = (): void => void ending.aborted.catch(reject);
    ending.wakes.add(wake);
    value.then(resolve, reject).finally(() => ending.wakes.delete(wake));
  });
}

/**
 * Instantiates a component; gives its exports and a way to close it. Its functions hold the thread
 * while they wait, as jco's do, and give what they give at once; with a stream, a signal or async
 * functions among the options they are suspended, and those that may wait give promises.
 */
export async function instantiateComponent(
  platform: Platform,
  program: LoadedProgram,
  options: RunOptions,
  settings: RunSettings,
): Promise<{ exports: Record<string, unknown>; close(): void }> {
  const imports = settings.imports as ComponentImports;
  const holds = canHold(options) && platform.mustNotHold !== true &&
    options.network === undefined && !hasAsync(imports);
  const started = await start(platform, program, options, settings, canSuspend() && !holds);
  const { linked, side, store, ending } = started;
  const close = (): void => {
    // also for calls that wait: nothing that is closed is used again
    const closed = new Error("the component has been closed");
    store.stop(closed);
    ending.end(closed);
    ending.release();
    started.close();
  };
  side.guard = (value) => untilEnded(value, ending);
  try {
    return { exports: exportsOf(linked, side), close };
  } catch (error) {
    close();
    throw error;
  }
}
