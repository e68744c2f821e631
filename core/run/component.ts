/**
 * Running components: programs of WASI 0.2.
 *
 * They run in the embedder's thread, suspended while they wait where that can be; a time limit is
 * built into their modules.
 *
 * @module
 */
import { asyncStreams } from "../guest/async_streams.ts";
import { canSuspend, Ending, finishStreams, validateSignal, waitFor } from "../guest/async_wasi.ts";
import { linkError } from "../component/errors.ts";
import {
  type ComponentImports,
  embeddedItem,
  exportsOf,
  JavaScriptSide,
} from "../component/javascript.ts";
import { type Item, type Linked, Linker } from "../component/linker.ts";
import { type Compiled, RunningMachine } from "../component/machine.ts";
import { withoutVersion } from "../component/names.ts";
import { readComponent } from "../component/reader.ts";
import { Store } from "../component/store.ts";
import type { ComponentBinary, ExternType } from "../component/binary.ts";
import type { ComponentFunction } from "../component/function.ts";
import { PAGE } from "../constants.ts";
import { GuestAborted, isException, ProcExit, throwExit, uncaught } from "../exit.ts";
import { closeGuest, openGuest, type WASIOptions, watch } from "../guest/guest.ts";
import { invalidValue } from "../errors.ts";
import { parseBinary } from "../module/binary.ts";
import { validateNetwork } from "../preview2/grant.ts";
import { interfaces, loadInterfaces, wasiInstance } from "../preview2/mod.ts";
import { World } from "../preview2/world.ts";
import { System } from "../system/system.ts";
import type { Wait } from "../system/waiting.ts";
import { ThreadLimit } from "./in_thread.ts";
import type { RunOptions, RunSettings } from "./options.ts";
import type { Platform } from "./platform.ts";
import { checked, compile, compileCopy, limited, unfit } from "./program.ts";

/** Milliseconds that connections have at the end to send what is left. */
const SENDING_MAX = 5000;

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

/** Compiles the modules of a component, within its limits. */
function compiler(
  memoryPages: number,
  bounded: boolean,
): (bytes: Uint8Array) => Promise<Compiled> {
  return async (bytes) => {
    const within = memoryPages === Infinity ? bytes : await limited(bytes, memoryPages);
    const copy = bounded ? checked(within, "loops") : within;
    if (copy === bytes) return { module: await compile(bytes), exports: undefined };
    const module = await compileCopy(copy, bytes);
    return { module, exports: new Set(parseBinary(bytes).exports.map(({ name }) => name)) };
  };
}

/** Begins to compile all modules at once. */
function compileAll(machine: RunningMachine, { definitions }: ComponentBinary): void {
  for (const definition of definitions) {
    if (definition.kind === "core module") {
      machine.compile({ sort: "core module", bytes: definition.bytes });
    } else if (definition.kind === "component") compileAll(machine, definition.component);
  }
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
  return (name: string, type: ExternType): Item | undefined => {
    const item = embeddedItem(imports, name, type) ?? wasiInstance(world, name);
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

async function start(
  platform: Platform,
  bytes: Uint8Array,
  options: RunOptions,
  { imports, timeout }: RunSettings,
): Promise<Started> {
  const { signal } = options;
  validateSignal(signal);
  const suspends = canSuspend();
  if (signal !== undefined && !suspends) {
    throw invalidValue(
      "options.signal",
      "needs JSPI for a component (Node 24.20, Deno, Bun, Chromium): use options.timeout",
      signal,
    );
  }
  const grant = validateNetwork(options.network);
  const binary = readComponent(bytes);
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
      ? await opened.host.network?.()
      : undefined;
    const world = new World(system, { ...opened, grant, network }, (code) => throwExit(code));
    const machine = new RunningMachine(
      store,
      compiler(opened.limits.memoryPages, bounded),
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

/** Waits with the thread free. */
async function settled(system: System, ending: Ending, wait: Wait<unknown>): Promise<unknown> {
  let result: unknown = wait;
  while (isWait(result)) {
    await waitFor(system, result, ending);
    if (ending.over) return undefined;
    result = result.resume();
  }
  return result;
}

function isWait(value: unknown): value is Wait<unknown> {
  return typeof value === "object" && value !== null && "resume" in value && "entries" in value;
}

function causeOf(error: unknown): unknown {
  if (error instanceof GuestAborted) return error.cause;
  return isException(error) ? uncaught(error) : error;
}

/** The function that runs a command, or undefined for what is none. */
function entryOf(linked: Linked): ComponentFunction | undefined {
  const name = linked.names.find((name) => /^wasi:cli\/run@0\.2\.\d+$/.test(name));
  const instance = name === undefined ? undefined : linked.get(name);
  const run = instance?.sort === "instance" ? instance.get("run") : undefined;
  return run?.sort === "func" ? run : undefined;
}

/** Runs a component that is a command; gives the exit code. */
export async function runComponent(
  platform: Platform,
  bytes: Uint8Array,
  options: RunOptions,
  settings: RunSettings,
): Promise<number> {
  if (settings.threads !== undefined) {
    throw invalidValue("options.threads", "is not available for components", true);
  }
  const started = await start(platform, bytes, options, settings);
  const { ending } = started;
  try {
    const run = entryOf(started.linked);
    if (run === undefined) {
      throw unfit("it is a component that exports no wasi:cli/run: use instantiate()");
    }
    return await codeOf(run, ending);
  } finally {
    started.limit?.stop();
    await started.finish().finally(() => {
      ending.release();
      started.close();
    });
  }
}

async function codeOf(run: ComponentFunction, ending: Ending): Promise<number> {
  try {
    if (ending.over) await ending.aborted;
    const result = await Promise.race([run.call(), ending.aborted]);
    return (result as { tag: string }).tag === "ok" ? 0 : 1;
  } catch (error) {
    if (error instanceof ProcExit) return error.code;
    throw causeOf(error);
  }
}

/** Instantiates a component; gives its exports and a way to close it. */
export async function instantiateComponent(
  platform: Platform,
  bytes: Uint8Array,
  options: RunOptions,
  settings: RunSettings,
): Promise<{ exports: Record<string, unknown>; close(): void }> {
  const { linked, side, ending, close } = await start(platform, bytes, options, settings);
  return {
    exports: exportsOf(linked, side),
    close: () => {
      ending.release();
      close();
    },
  };
}
