/**
 * What Node supplies: libc through its foreign functions, and its ways with node:fs.
 *
 * @module
 */
import { Errno, errnoOf } from "../../core/errno.ts";
import type { HostMaker } from "../../core/guest/wasi.ts";
import type { ClockSources } from "../clock.ts";
import { hostMaker, nodeProcess, type Runtime } from "../host.ts";
import type { NodeContext, NodeFs } from "../../core/directories/node_fs/context.ts";
import type { Transfers } from "../../core/directories/posix/directory.ts";
import {
  type CFunction,
  type CSignature,
  type Foreign,
  kept,
  type Library,
  openLibrary,
  openSymbols,
} from "../../core/foreign.ts";

/** The parts of `node:ffi` that are used. */
interface NodeFfi {
  dlopen(path: string, definitions: Record<string, { arguments: string[]; return: string }>): {
    functions: Record<string, CFunction>;
  };
  getRawPointer(source: Uint8Array): bigint;
  toArrayBuffer(pointer: bigint, length: number, copy: boolean): ArrayBuffer;
}

const TYPES = { i32: "int32", u32: "uint32", i64: "int64", ptr: "pointer" } as const;

/** Loads node:ffi without the warning that it is experimental, which is no user's concern. */
function loadFfi(): NodeFfi | undefined {
  const process = nodeProcess();
  const emitWarning = process.emitWarning;
  process.emitWarning = (...parameters) => {
    if (!String(parameters[0]).includes("FFI")) emitWarning.apply(process, parameters);
  };
  try {
    return process.getBuiltinModule("node:ffi") as NodeFfi | undefined;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Signatures in this runtime's words. */
function definitionsOf(
  table: Readonly<Record<string, CSignature>>,
): Record<string, { arguments: string[]; return: string }> {
  return Object.fromEntries(
    Object.entries(table).map(([name, [parameters, result]]) => [
      name,
      { arguments: parameters.map((type) => TYPES[type]), return: TYPES[result] },
    ]),
  );
}

function openForeign(library: Library): Foreign | undefined {
  const ffi = loadFfi();
  if (ffi === undefined) return undefined;
  return openLibrary(library, (name, tables) => {
    const open = (table: Readonly<Record<string, CSignature>>): Record<string, CFunction> =>
      kept(ffi.dlopen(name, definitionsOf(table))).functions;
    return {
      symbols: openSymbols(open, tables),
      pointer: (bytes, offset) => ffi.getRawPointer(bytes) + BigInt(offset),
      address: (bytes) => ffi.getRawPointer(bytes),
      long: (value) => BigInt(value),
      errnoView: (pointer) => new Int32Array(ffi.toArrayBuffer(pointer as bigint, 4, false)),
    };
  });
}

/** node:fs moves bytes faster than foreign functions, on every descriptor. */
export function nodeTransfers(fs: NodeFs): Transfers {
  return {
    read(fd, into, offset, length, position) {
      try {
        return fs.readSync(fd, into, offset, length, position < 0 ? null : position);
      } catch (error) {
        return fd < 0 ? -Errno.BADF : -errnoOf(error);
      }
    },
    write(fd, from, offset, length, position) {
      try {
        return fs.writeSync(fd, from, offset, length, position < 0 ? null : position);
      } catch (error) {
        return fd < 0 ? -Errno.BADF : -errnoOf(error);
      }
    },
  };
}

/** Times that node:process knows. */
export function processClocks(): ClockSources {
  const process = nodeProcess();
  const micros = ({ user, system }: { user: number; system: number }): number => user + system;
  return {
    monotonic: () => process.hrtime.bigint(),
    cpu: () => micros(process.cpuUsage()),
    threadCpu: () => micros(process.threadCpuUsage?.() ?? process.cpuUsage()),
  };
}

/** Directories over node:fs, with a runtime's peculiarities. */
export function nodeContext(
  quirks: Pick<NodeContext, "byteNames" | "deno">,
): Omit<NodeContext, "proc" | "windows"> {
  const process = nodeProcess();
  return {
    ...quirks,
    fs: process.getBuiltinModule("node:fs") as NodeFs,
    isatty: (fd) =>
      (process.getBuiltinModule("node:tty") as { isatty(fd: number): boolean }).isatty(fd),
  };
}

/**
 * Whether Node's permission model, if it is on, lets a folder be used: itself and what is in it,
 * for a file's name can be allowed alone. It has no way to leave something out.
 */
function mayUse(access: "read" | "write", path?: string): boolean {
  const { permission } = nodeProcess();
  if (permission === undefined) return true;
  const scope = `fs.${access}`;
  if (path === undefined) return permission.has(scope);
  return permission.has(scope, path) && permission.has(scope, `${path}/.any`);
}

/** Whether Node's permission model, if it is on and knows the network, lets that be used. */
function mayReach(): boolean {
  const { permission, allowedNodeEnvironmentFlags } = nodeProcess();
  if (permission === undefined || !allowedNodeEnvironmentFlags.has("--allow-net")) return true;
  return permission.has("net");
}

/** What Node supplies. */
export function nodeRuntime(): Runtime {
  const process = nodeProcess();
  return {
    name: `Node ${process.versions.node}`,
    platform: process.platform,
    arch: process.arch,
    foreign: openForeign,
    transfers: () => nodeTransfers(process.getBuiltinModule("node:fs") as NodeFs),
    libcClock: false,
    slowWebCrypto: true,
    node: () => nodeContext({ byteNames: true, deno: false }),
    mayUse,
    mayReach,
    // a path in /proc must not allow what the file's own path does not
    mayUseProc: () =>
      mayUse("read", "/proc/self/fd") && (mayUse("write") || !mayUse("write", "/proc/self/fd")),
    clockSources: () => ({ ...processClocks(), cheap: true }),
    exit: (code) => process.reallyExit!(code),
  };
}

/** Makes the hosts of Node. */
export function makeNodeMaker(): HostMaker {
  return hostMaker(nodeRuntime());
}
