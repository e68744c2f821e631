/**
 * Numbers, booleans and characters: values that are one flat value.
 *
 * @module
 */
import {
  type Codec,
  type CodecContext,
  Cost,
  type Flat,
  type FlatType,
  wrongValue,
} from "./codec.ts";
import { Trap } from "../trap.ts";

/** A type that is one flat value. */
interface Scalar {
  readonly size: number;
  readonly flat: FlatType;
  fromFlat(value: Flat): unknown;
  toFlat(value: unknown): Flat;
  get(view: DataView, at: number): unknown;
  set(view: DataView, at: number, value: unknown): void;
}

/** A number of 64 bits of WASI's as two of 32: quicker than a BigInt. */
export class Words {
  readonly low: number;
  readonly high: number;

  constructor(low: number, high: number) {
    this.low = low;
    this.high = high;
  }
}

/** A whole number that JavaScript gives, wrapped as a typed array would; what is no number is an error. */
function whole(value: unknown, type: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  throw wrongValue(value, `a number, for ${type}`);
}

function big(value: unknown, type: string): bigint {
  if (typeof value === "bigint") return value;
  // jco takes numbers, too
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  throw wrongValue(value, `a bigint, for ${type}`);
}

function fromChar(code: number): string {
  if (code >= 0x110000 || (code >= 0xd800 && code < 0xe000)) {
    throw new Trap("a char that is not a Unicode scalar value");
  }
  return String.fromCodePoint(code);
}

function toChar(value: unknown): number {
  const code = typeof value === "string" ? value.codePointAt(0) : undefined;
  if (
    code === undefined || String.fromCodePoint(code) !== value || (code >= 0xd800 && code < 0xe000)
  ) throw wrongValue(value, "one character, for char");
  return code;
}

export const scalars: Readonly<Record<string, Scalar>> = {
  bool: {
    size: 1,
    flat: "i",
    fromFlat: (value) => value !== 0,
    toFlat: (value) => value ? 1 : 0,
    get: (view, at) => view.getUint8(at) !== 0,
    set: (view, at, value) => view.setUint8(at, value ? 1 : 0),
  },
  u8: {
    size: 1,
    flat: "i",
    fromFlat: (value) => (value as number) & 0xff,
    toFlat: (value) => whole(value, "u8") & 0xff,
    get: (view, at) => view.getUint8(at),
    set: (view, at, value) => view.setUint8(at, whole(value, "u8")),
  },
  s8: {
    size: 1,
    flat: "i",
    fromFlat: (value) => ((value as number) << 24) >> 24,
    toFlat: (value) => (whole(value, "s8") << 24) >> 24,
    get: (view, at) => view.getInt8(at),
    set: (view, at, value) => view.setInt8(at, whole(value, "s8")),
  },
  u16: {
    size: 2,
    flat: "i",
    fromFlat: (value) => (value as number) & 0xffff,
    toFlat: (value) => whole(value, "u16") & 0xffff,
    get: (view, at) => view.getUint16(at, true),
    set: (view, at, value) => view.setUint16(at, whole(value, "u16"), true),
  },
  s16: {
    size: 2,
    flat: "i",
    fromFlat: (value) => ((value as number) << 16) >> 16,
    toFlat: (value) => (whole(value, "s16") << 16) >> 16,
    get: (view, at) => view.getInt16(at, true),
    set: (view, at, value) => view.setInt16(at, whole(value, "s16"), true),
  },
  u32: {
    size: 4,
    flat: "i",
    fromFlat: (value) => (value as number) >>> 0,
    toFlat: (value) => whole(value, "u32") | 0,
    get: (view, at) => view.getUint32(at, true),
    set: (view, at, value) => view.setUint32(at, whole(value, "u32"), true),
  },
  s32: {
    size: 4,
    flat: "i",
    fromFlat: (value) => value,
    toFlat: (value) => whole(value, "s32") | 0,
    get: (view, at) => view.getInt32(at, true),
    set: (view, at, value) => view.setInt32(at, whole(value, "s32"), true),
  },
  u64: {
    size: 8,
    flat: "I",
    fromFlat: (value) => BigInt.asUintN(64, value as bigint),
    toFlat: (value) => BigInt.asIntN(64, big(value, "u64")),
    get: (view, at) => view.getBigUint64(at, true),
    set: (view, at, value) => {
      if (value instanceof Words) {
        view.setUint32(at, value.low, true);
        view.setUint32(at + 4, value.high, true);
      } else view.setBigUint64(at, big(value, "u64"), true);
    },
  },
  s64: {
    size: 8,
    flat: "I",
    fromFlat: (value) => value,
    toFlat: (value) => BigInt.asIntN(64, big(value, "s64")),
    get: (view, at) => view.getBigInt64(at, true),
    set: (view, at, value) => view.setBigInt64(at, big(value, "s64"), true),
  },
  f32: {
    size: 4,
    flat: "f",
    fromFlat: (value) => value,
    toFlat: (value) => whole(value, "f32"),
    get: (view, at) => view.getFloat32(at, true),
    set: (view, at, value) => view.setFloat32(at, whole(value, "f32"), true),
  },
  f64: {
    size: 8,
    flat: "F",
    fromFlat: (value) => value,
    toFlat: (value) => whole(value, "f64"),
    get: (view, at) => view.getFloat64(at, true),
    set: (view, at, value) => view.setFloat64(at, whole(value, "f64"), true),
  },
  char: {
    size: 4,
    flat: "i",
    fromFlat: (value) => fromChar((value as number) >>> 0),
    toFlat: toChar,
    get: (view, at) => fromChar(view.getUint32(at, true)),
    set: (view, at, value) => view.setUint32(at, toChar(value), true),
  },
};

export class ScalarCodec implements Codec {
  readonly cost: number;
  readonly #cx: CodecContext;
  readonly scalar: Scalar;
  readonly size: number;
  readonly align: number;
  readonly flat: readonly FlatType[];

  constructor(cx: CodecContext, scalar: Scalar) {
    this.#cx = cx;
    this.scalar = scalar;
    this.size = this.align = scalar.size;
    this.cost = scalar.size <= 2 ? Cost.SLOT : Cost.SLOT + Cost.NUMBER;
    this.flat = [scalar.flat];
  }

  load(pointer: number): unknown {
    return this.scalar.get(this.#cx.memory!.view, pointer);
  }

  store(value: unknown, pointer: number): void {
    this.scalar.set(this.#cx.memory!.view, pointer, value);
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    return this.scalar.fromFlat(from[at]!);
  }

  lower(value: unknown, to: Flat[]): void {
    to.push(this.scalar.toFlat(value));
  }
}
