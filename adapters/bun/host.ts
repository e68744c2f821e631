/**
 * What Bun supplies: libc through its foreign functions, and its ways with node:fs.
 *
 * @module
 */
import type { HostMaker } from "../../core/guest/wasi.ts";
import { hostMaker, nodeProcess, type Runtime } from "../host.ts";
import { nodeContext, processClocks } from "../node/host.ts";
import {
  type CFunction,
  type CSignature,
  type Foreign,
  kept,
  type Library,
  openLibrary,
  openSymbols,
} from "../../core/foreign.ts";

/** The parts of `bun:ffi` that are used. */
interface BunFfi {
  dlopen(name: string, definitions: Record<string, { args: string[]; returns: string }>): {
    symbols: Record<string, CFunction>;
  };
  ptr(bytes: Uint8Array): number;
  toArrayBuffer(pointer: number, offset: number, length: number): ArrayBuffer;
}

const TYPES = { i32: "i32", u32: "u32", i64: "i64_fast", ptr: "ptr" } as const;

/** Signatures in this runtime's words. */
function definitionsOf(
  table: Readonly<Record<string, CSignature>>,
): Record<string, { args: string[]; returns: string }> {
  return Object.fromEntries(
    Object.entries(table).map(([name, [parameters, result]]) => [
      name,
      { args: parameters.map((type) => TYPES[type]), returns: TYPES[result] },
    ]),
  );
}

function openForeign(library: Library): Foreign | undefined {
  const ffi = nodeProcess().getBuiltinModule("bun:ffi") as BunFfi | undefined;
  if (ffi === undefined) return undefined;
  return openLibrary(library, (name, tables) => {
    const open = (table: Readonly<Record<string, CSignature>>): Record<string, CFunction> =>
      kept(ffi.dlopen(name, definitionsOf(table))).symbols;
    return {
      ...addressing(ffi),
      symbols: openSymbols(open, tables),
      errnoView: (pointer) => new Int32Array(ffi.toArrayBuffer(pointer as number, 0, 4)),
    };
  });
}

/** Addresses as numbers; those of the two arrays used last are remembered. */
function addressing(ffi: BunFfi): Pick<Foreign, "pointer" | "address" | "long"> {
  let first: Uint8Array | undefined;
  let firstAddress = 0;
  let second: Uint8Array | undefined;
  let secondAddress = 0;
  return {
    pointer(bytes, offset) {
      if (bytes === first) return firstAddress + offset;
      if (bytes === second) return secondAddress + offset;
      second = first;
      secondAddress = firstAddress;
      first = bytes;
      firstAddress = bytes.length === 0 ? 0 : ffi.ptr(bytes);
      return firstAddress + offset;
    },
    address: (bytes) => BigInt(ffi.ptr(bytes)),
    long: (value) => value,
  };
}

/** What Bun supplies. */
export function bunRuntime(): Runtime {
  const process = nodeProcess();
  return {
    name: `Bun ${process.versions.bun}`,
    platform: process.platform,
    arch: process.arch,
    foreign: openForeign,
    transfers: (libc) => libc,
    libcClock: true,
    slowWebCrypto: false,
    node: () => nodeContext({ byteNames: true, deno: false }),
    mayUse: () => true,
    mayUseProc: () => true,
    clockSources: processClocks,
    exit: (code) => process.reallyExit!(code),
  };
}

/** Makes the hosts of Bun. */
export function makeBunMaker(): HostMaker {
  return hostMaker(bunRuntime());
}
