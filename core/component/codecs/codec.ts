/**
 * What all codecs have in common: see mod.ts.
 *
 * @module
 */
import type { CanonicalOptions } from "../binary.ts";
import { received } from "../../errors.ts";
import { componentError } from "../errors.ts";
import type { HandleTable } from "../handles.ts";
import type { LinearMemory, Realloc } from "../memory.ts";
import type { ResourceType } from "../types.ts";

/** A value of a core function. */
export type Flat = number | bigint;

/** The type of a flat value, as a letter: i32, i64, f32, f64. */
export type FlatType = "i" | "I" | "f" | "F";

/** Most bytes that a value of a type may take where it stands. */
const SIZE_MAX = 1 << 28;

/**
 * What values take here, in bytes, as measured in V8 and rounded up: a slot, text beside its
 * characters, an array, a typed array, an object, one of its fields, an object for a resource.
 */
export const Cost = {
  SLOT: 8,
  NUMBER: 24,
  TEXT: 32,
  ARRAY: 48,
  VIEW: 240,
  OBJECT: 56,
  FIELD: 16,
  HELD: 400,
} as const;

/** An object with more fields than this is a table. */
const FIELDS = 64;

/** What a field of such a table takes. */
const TABLE_FIELD = 72;

/** What resources are on the outer side, if it is not another component. */
export interface ResourceSide {
  /** The value for what an instance gives away or lends. */
  out(type: ResourceType, representation: unknown, own: boolean): unknown;
  /** What stands for the resource that a value is. */
  in(type: ResourceType, value: unknown, own: boolean): unknown;
}

/** What the codecs of one set of canonical options share. */
export interface CodecContext {
  readonly memory: LinearMemory | undefined;
  readonly realloc: Realloc | undefined;
  readonly encoding: CanonicalOptions["encoding"];
  readonly handles: HandleTable;
  /** The instance whose values these are. */
  readonly owner: object;
  /** undefined between components, where what stands for a resource is handed over itself */
  readonly side: ResourceSide | undefined;
  /**
   * Whether the values are for WASI: lists of bytes are views of memory then, for they are not kept,
   * and flags are numbers.
   */
  readonly host: boolean;
  /** Whether `realloc` hands out a place that it was given, as the adapter of preview1 does. */
  readonly fixed: boolean;
}

/** Reads and writes values of one type. */
export interface Codec {
  readonly size: number;
  readonly align: number;
  readonly flat: readonly FlatType[];
  /** Bytes that a value takes here, without what it points to. */
  readonly cost: number;
  load(pointer: number): unknown;
  store(value: unknown, pointer: number): void;
  /** The value of what stands in `from` at `at`. */
  lift(from: ArrayLike<Flat>, at: number): unknown;
  /** Puts what the value is at the end of `to`. */
  lower(value: unknown, to: Flat[]): void;
}

export function alignTo(pointer: number, align: number): number {
  return (pointer + align - 1) & ~(align - 1);
}

/** A value that is not of its type: what an embedder gave. */
export function wrongValue(value: unknown, type: string): TypeError {
  const error = new TypeError(
    `A value for the component must be ${type}. Received ${received(value)}`,
  );
  return Object.assign(error, { code: "ERR_INVALID_ARG_TYPE" });
}

/** What an object with such fields takes. */
export function costOf(fields: readonly { readonly cost: number }[]): number {
  const each = fields.length > FIELDS ? TABLE_FIELD : Cost.FIELD;
  return fields.reduce((sum, { cost }) => sum + cost + each, Cost.SLOT + Cost.OBJECT);
}

/** More flat values than these are counted no further: they go through memory. */
export const FLAT_MAX = 16;

export function checkSize(size: number): void {
  if (size >= SIZE_MAX) throw componentError("a type of 256 MiB or more");
}

/** A field by a name that a component has chosen: also one such as `__proto__`. */
export function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") object[name] = value;
  else {
    Object.defineProperty(object, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
}

export function getUnsigned({ memory }: CodecContext, at: number, size: number): number {
  const { view } = memory!;
  if (size === 1) return view.getUint8(at);
  return size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

export function setUnsigned(
  { memory }: CodecContext,
  at: number,
  size: number,
  value: number,
): void {
  const { view } = memory!;
  if (size === 1) view.setUint8(at, value);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
}

/** Bytes that the number of a case takes. */
export function discriminantSize(cases: number): number {
  return cases <= 0x100 ? 1 : cases <= 0x10000 ? 2 : 4;
}
