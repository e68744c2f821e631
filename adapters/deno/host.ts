/**
 * What Deno supplies: libc through its foreign functions, and its ways with node:fs.
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

/** The parts of `Deno` that are used. */
interface DenoNamespace {
  version: { deno: string };
  build: { os: string; arch: string };
  exit(code: number): never;
  dlopen?(
    name: string,
    definitions: Record<string, { parameters: string[]; result: string }>,
  ): { symbols: Record<string, CFunction> };
  permissions: {
    querySync(
      descriptor: { name: string; path?: string; host?: string },
    ): { state: string; partial?: boolean };
  };
  UnsafePointer: { of(bytes: Uint8Array): object | null; value(pointer: object | null): bigint };
  UnsafePointerView: { getArrayBuffer(pointer: object, length: number): ArrayBuffer };
}

function deno(): DenoNamespace {
  return (globalThis as unknown as { Deno: DenoNamespace }).Deno;
}

/**
 * Whether a permission is there, with nothing left out of it (`partial`). Asked, not tried: trying
 * would prompt for it.
 */
function granted(name: string, path?: string): boolean {
  const descriptor = path === undefined ? { name } : { name, path };
  const { state, partial } = deno().permissions.querySync(descriptor);
  return state === "granted" && partial !== true;
}

/** Whether Deno lets an address be used. */
function mayReach(address: string, port: number): boolean {
  if (granted("net")) return true;
  const host = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  return deno().permissions.querySync({ name: "net", host }).state === "granted";
}

/** Arrays are passed as they are: addresses as whole numbers cost twice as much. */
const TYPES = { i32: "i32", u32: "u32", i64: "i64", ptr: "buffer" } as const;
const RESULTS = { i32: "i32", i64: "i64", ptr: "pointer" } as const;

/** Signatures in this runtime's words. */
function definitionsOf(
  table: Readonly<Record<string, CSignature>>,
): Record<string, { parameters: string[]; result: string }> {
  return Object.fromEntries(
    Object.entries(table).map(([name, [parameters, result]]) => [
      name,
      { parameters: parameters.map((type) => TYPES[type]), result: RESULTS[result] },
    ]),
  );
}

function openForeign(library: Library): Foreign | undefined {
  const { dlopen, UnsafePointer, UnsafePointerView } = deno();
  if (dlopen === undefined || !granted("ffi")) return undefined;
  return openLibrary(library, (name, tables) => {
    const open = (table: Readonly<Record<string, CSignature>>): Record<string, CFunction> =>
      kept(dlopen(name, definitionsOf(table))).symbols;
    return {
      symbols: openSymbols(open, tables),
      pointer: (bytes, offset) => offset === 0 ? bytes : bytes.subarray(offset),
      address: (bytes) => BigInt(UnsafePointer.value(UnsafePointer.of(bytes))),
      long: (value) => value,
      errnoView: (pointer) =>
        new Int32Array(UnsafePointerView.getArrayBuffer(pointer as object, 4)),
    };
  });
}

/** What Deno supplies. */
export function denoRuntime(): Runtime {
  const { build, version } = deno();
  return {
    name: `Deno ${version.deno}`,
    // not Deno's global `process`: touching it loads most of its Node layer, 20 ms
    platform: build.os,
    arch: build.arch,
    foreign: openForeign,
    transfers: (libc) => libc,
    libcClock: true,
    slowWebCrypto: false,
    node: () => nodeContext({ byteNames: false, deno: true }),
    // /proc needs more than leave to read it: Deno opens it with --allow-all alone
    mayUse: granted,
    mayReach,
    mayUseProc: () =>
      ["read", "write", "env", "run", "net", "sys", "ffi"].every((name) => granted(name)),
    clockSources: processClocks,
    exit: (code) =>
      nodeProcess().reallyExit === undefined ? deno().exit(code) : nodeProcess().reallyExit!(code),
  };
}

/** Makes the hosts of Deno. */
export function makeDenoMaker(): HostMaker {
  return hostMaker(denoRuntime());
}
