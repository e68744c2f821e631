/**
 * A guest that makes system calls that were made up beforehand, each with its parameters, and writes
 * to its standard output after each what it answered and a hash of its memory.
 */
import { preview1, type Signature } from "../../core/preview1/table.ts";
import { unstable } from "../../core/unstable/table.ts";
import { block, body, type Bytes, leb, list, module, section, signed } from "./modules.ts";

/** Tables by the name that they are imported from. */
export const TABLES: Readonly<Record<string, Readonly<Record<string, Signature>>>> = {
  wasi_snapshot_preview1: preview1,
  wasi_unstable: unstable,
};

/** One call. */
export interface PuppetCall {
  name: string;
  parameters: (number | bigint)[];
  /** words that are laid into memory before it: where, what */
  words?: [at: number, value: number][];
}

/** Bytes of its memory. */
export const MEMORY: number = 5 * 65536;
/** What the puppet uses itself: calls should leave it alone. */
export const OWN: number = 3 * 65536;
/** Bytes that it writes after each call: errno and hash, 32 bits each. */
export const ENTRY = 8;

const PAGE = 65536;
const [I32, I64] = [0x7f, 0x7e];
const i32 = (value: number): Bytes => [0x41, signed(value | 0)];

/** Hashes the memory but for one page: `(h ^ word) * 16777619` over all words. */
function note(fdWrite: number): Bytes {
  const [errno, at, hash] = [0, 1, 2];
  return body([[2, I32]], [
    [0x03, 0x40],
    [0x20, hash, 0x20, at, 0x28, 2, 0, 0x73, i32(16777619), 0x6c, 0x21, hash],
    [0x20, at, i32(4), 0x6a, 0x22, at, i32(OWN), 0x46, 0x04, 0x40],
    [i32(OWN + PAGE), 0x21, at, 0x0b],
    [0x20, at, i32(MEMORY), 0x49, 0x0d, 0, 0x0b],
    [i32(OWN), 0x20, errno, 0x36, 2, 0],
    [i32(OWN + 4), 0x20, hash, 0x36, 2, 0],
    [i32(OWN + 8), i32(OWN), 0x36, 2, 0],
    [i32(OWN + 12), i32(ENTRY), 0x36, 2, 0],
    [i32(1), i32(OWN + 8), i32(1), i32(OWN + 16), 0x10, leb(fdWrite), 0x1a],
  ]);
}

/** The module that makes these calls. `data` is laid into memory: where, what. */
export function puppet(
  binding: string,
  calls: readonly PuppetCall[],
  data: readonly (readonly [at: number, bytes: Uint8Array])[],
): Uint8Array<ArrayBuffer> {
  const table = Object.entries(TABLES[binding]!);
  const names = table.map(([name]) => name);
  const types = table.map(([, { parameters }]): Bytes => [
    0x60,
    list(parameters.map((each) => each.endsWith(":i64") ? I64 : I32)),
    list([I32]),
  ]);
  const count = table.length;
  const made = calls.map(({ name, parameters, words = [] }): Bytes => [
    words.map(([at, value]) => [i32(at), i32(value), 0x36, 0, 0]),
    parameters.map((value) =>
      typeof value === "bigint" ? [0x42, signed(BigInt.asIntN(64, value))] : i32(value)
    ),
    [0x10, leb(names.indexOf(name)), 0x10, leb(count)],
  ]);
  return module(
    section(1, list([...types, [0x60, list([I32]), list([])], [0x60, list([]), list([])]])),
    section(2, list(names.map((name, i): Bytes => [binding, name, 0, leb(i)]))),
    section(3, list([leb(count), leb(count + 1)])),
    section(5, list([[1, 5, 5]])),
    section(7, list([["memory", 2, 0], ["_start", 0, leb(count + 1)]])),
    section(10, list([note(names.indexOf("fd_write")), body([], made)])),
    section(11, list(data.map(([at, bytes]): Bytes => [0, i32(at), 0x0b, block([...bytes])]))),
  );
}
