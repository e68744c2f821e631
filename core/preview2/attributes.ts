/**
 * What wasi:filesystem says of files: their types, sizes, times and hashes.
 *
 * @module
 */
import { Words } from "../component/codecs/scalars.ts";
import { FileStat, Filestat } from "../filestat.ts";
import { Fstflags } from "../host.ts";
import { type Datetime, datetimeAt, nanosecondsOf } from "./clocks.ts";
import type { FileId } from "./world.ts";

/** `descriptor-type`, in its order. */
export const TYPES = [
  "unknown",
  "block-device",
  "character-device",
  "directory",
  "fifo",
  "symbolic-link",
  "regular-file",
  "socket",
] as const;

/** The number in {@linkcode TYPES} of each `Filetype`. */
const TYPE_NUMBERS: readonly number[] = [
  TYPES.indexOf("unknown"),
  TYPES.indexOf("block-device"),
  TYPES.indexOf("character-device"),
  TYPES.indexOf("directory"),
  TYPES.indexOf("regular-file"),
  TYPES.indexOf("socket"),
  TYPES.indexOf("socket"),
  TYPES.indexOf("symbolic-link"),
];

export function typeOf(filetype: number): number {
  return TYPE_NUMBERS[filetype] ?? 0;
}

export type NewTimestamp =
  | { readonly tag: "no-change" | "now" }
  | { readonly tag: "timestamp"; readonly val: Datetime };

/** Times and the flags that say which of them to set. */
export function timesOf(
  access: NewTimestamp,
  modification: NewTimestamp,
): [atim: bigint, mtim: bigint, flags: number] {
  let flags = 0;
  if (access.tag === "now") flags |= Fstflags.ATIM_NOW;
  if (access.tag === "timestamp") flags |= Fstflags.ATIM;
  if (modification.tag === "now") flags |= Fstflags.MTIM_NOW;
  if (modification.tag === "timestamp") flags |= Fstflags.MTIM;
  const time = (stamp: NewTimestamp): bigint =>
    stamp.tag === "timestamp" ? nanosecondsOf(stamp.val) : 0n;
  return [time(access), time(modification), flags];
}

/** Device and number of a file. */
export function idOf({ view }: FileStat): FileId {
  return [
    view.getUint32(Filestat.dev, true),
    view.getUint32(Filestat.dev + 4, true),
    view.getUint32(Filestat.ino, true),
    view.getUint32(Filestat.ino + 4, true),
  ];
}

function mixed(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/**
 * Two files have the same hash only if they are the same: each round can be undone. Source: the
 * finalizer of MurmurHash3, in a Feistel network.
 */
export function hashOf(id: FileId): { lower: Words; upper: Words } {
  let [a, b, c, d] = id as [number, number, number, number];
  for (let round = 1; round <= 4; round++) {
    a ^= mixed(b + round);
    b ^= mixed(c + a);
    c ^= mixed(d + b);
    d ^= mixed(a + c);
  }
  return { lower: new Words(a >>> 0, b >>> 0), upper: new Words(c >>> 0, d >>> 0) };
}

/** The 64 bits at a place of a `FileStat`. */
function words({ view }: FileStat, at: number): Words {
  return new Words(view.getUint32(at, true), view.getUint32(at + 4, true));
}

export function statOf(stat: FileStat, type: number): unknown {
  return {
    type: TYPES[type],
    linkCount: words(stat, Filestat.nlink),
    size: words(stat, Filestat.filesize),
    dataAccessTimestamp: datetimeAt(stat.view, Filestat.atim),
    dataModificationTimestamp: datetimeAt(stat.view, Filestat.mtim),
    statusChangeTimestamp: datetimeAt(stat.view, Filestat.ctim),
  };
}
