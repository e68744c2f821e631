/**
 * A guest of preview1 or its predecessor: its state, and its system calls bound to what is open. The
 * classes are thin wrappers around it.
 *
 * @module
 */
import {
  type HostMaker,
  type Opened,
  openGuest,
  type StreamMaker,
  type WASIOptions,
  watch,
} from "./open.ts";
import { PAGE } from "../constants.ts";
import { throwAborted, throwExit, Thrown } from "../exit.ts";
import { type ImportedFunction, makeImports } from "../preview1/imports.ts";
import { isMemory } from "../preview1/memory.ts";
import { alreadyStarted, invalidMemory, notStarted } from "../errors.ts";
import { bindingOf } from "./options.ts";
import { validateObject } from "../validate.ts";
import { preview1, type Signature } from "../preview1/table.ts";
import { Preview1System, StringList } from "../preview1/system.ts";
import { traced } from "../preview1/trace.ts";
import { unstable } from "../unstable/table.ts";

/** The system calls as a guest imports them. Functions in it can be replaced. */
export type WASIImport = Record<string, ImportedFunction>;

/** The functions by the name that they are imported from. */
const TABLES: Readonly<Record<string, Readonly<Record<string, Signature>>>> = {
  wasi_snapshot_preview1: preview1,
  wasi_unstable: unstable,
};

/** What a WASI object keeps to itself. */
export interface State extends Pick<Opened, "trace" | "streams" | "listeners"> {
  readonly binding: string;
  readonly system: Preview1System;
  instance: { exports: Record<string, unknown> } | undefined;
  /** An export that is called before the entry point: what was the start function (module/start.ts). */
  first: string | undefined;
  exitCode: number;
}

/**
 * Where the state is kept: a symbol and not a private field, so that a Proxy around a WASI object
 * works as it does with Node's.
 */
export const STATE: unique symbol = Symbol("state");

/** The state of a WASI object. */
export function stateOf(wasi: object): State {
  return (wasi as { [STATE]: State })[STATE];
}

/** The functions of a snapshot, bound to a guest. */
export function importsOf(
  { system, trace }: State,
  binding: string,
  proc_exit: ImportedFunction,
): WASIImport {
  let table = TABLES[binding]!;
  if (system.memory.limit !== Infinity) table = ENFORCED[binding]!;
  if (trace === undefined) return makeImports(system, table, proc_exit);
  return makeImports(system, traced(table, binding === "wasi_unstable", trace), proc_exit);
}

/** A table whose functions look at the size of the memory first, for guests that have a limit. */
function enforced(table: Readonly<Record<string, Signature>>): Record<string, Signature> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { parameters, call }]) => [name, {
      parameters,
      call: (system, ...values) => {
        system.memory.enforce();
        return call(system, ...values);
      },
    }]),
  );
}

/** The same tables for guests that have a limit. */
const ENFORCED: typeof TABLES = Object.fromEntries(
  Object.entries(TABLES).map(([binding, table]) => [binding, enforced(table)]),
);

function traceExit({ trace }: State, code: number): void {
  try {
    trace?.(`==> proc_exit(rval=${code >>> 0})`);
    trace?.("<== ended");
  } catch (error) {
    throwAborted(error);
  }
}

/** Throws for a guest whose memory exceeds its limit, even though it returned by itself. */
function enforceLimit({ system: { memory } }: State): void {
  if (memory.limit === Infinity) return;
  try {
    memory.enforce();
  } catch (error) {
    throwAborted((error as Thrown).cause);
  }
}

/** `proc_exit`: unwinds the guest, or ends the process. */
function makeExit(state: State, returnOnExit: boolean): ImportedFunction {
  return (code: number) => {
    if (!state.system.memory.bound) throw notStarted();
    code |= 0; // Bun calls an import that is exported again with what it was given: nothing
    enforceLimit(state);
    traceExit(state, code);
    if (!returnOnExit) state.system.host.exit(code);
    state.exitCode = code;
    throwExit(code);
  };
}

/** A guest of preview1 or its predecessor: its state, and the functions that it imports. */
export function makeGuest(
  options: WASIOptions,
  makeHost: HostMaker,
  makeStreams: StreamMaker,
): { state: State; wasiImport: WASIImport } {
  const opened = openGuest(options, makeHost, makeStreams);
  const { host, table, args, env, limits, trace, streams, listeners } = opened;
  const { version, returnOnExit = true } = options;
  const binding = bindingOf(version);
  const system = new Preview1System(host, table, new StringList(args), new StringList(env));
  system.memory.limit = limits.memoryPages * PAGE;
  const state: State = {
    binding,
    system,
    trace,
    streams,
    listeners,
    instance: undefined,
    first: undefined,
    exitCode: 0,
  };
  watch(system, table);
  return { state, wasiImport: importsOf(state, binding, makeExit(state, returnOnExit)) };
}

/**
 * Gives the system calls a memory.
 *
 * @throws {RangeError} `ERR_OUT_OF_RANGE` if it is larger than `limits.memoryPages` says
 */
export function bindMemory({ system }: State, memory: WebAssembly.Memory): void {
  try {
    system.memory.bind(memory);
  } catch (error) {
    throw error instanceof Thrown ? error.cause : error;
  }
}

/**
 * Gives the system calls an instance and its memory, once; checked in Node's order.
 *
 * @param memory if it is not the one that the instance exports
 */
export function bindInstance(
  state: State,
  instance: WebAssembly.Instance,
  memory: unknown = (instance?.exports as { memory?: unknown } | undefined)?.memory,
): Record<string, unknown> {
  if (state.instance !== undefined) throw alreadyStarted();
  validateObject(instance, "instance");
  validateObject(instance.exports, "instance.exports");
  if (!isMemory(memory)) throw invalidMemory();
  bindMemory(state, memory);
  const { exports } = state.instance = instance as unknown as NonNullable<State["instance"]>;
  return exports;
}

/** The name of the snapshot that is not a guest's own. */
export function otherBinding(binding: string): string {
  return Object.keys(TABLES).find((name) => name !== binding)!;
}

/** The functions of the snapshot of that name, if there is one. */
export function tableOf(binding: string): Readonly<Record<string, Signature>> | undefined {
  return Object.hasOwn(TABLES, binding) ? TABLES[binding] : undefined;
}

/** The ports of the sockets that listen for a guest, in the order of their descriptors. */
export function portsOf({ listeners }: State): number[] {
  return listeners.map(({ port }) => port ?? 0);
}
