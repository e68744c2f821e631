/**
 * Values that are one of several cases: variants, options and results.
 *
 * @module
 */
import {
  alignTo,
  checkSize,
  type Codec,
  type CodecContext,
  Cost,
  discriminantSize,
  type Flat,
  type FlatType,
  getUnsigned,
  setUnsigned,
  wrongValue,
} from "./codec.ts";
import { Trap } from "../trap.ts";

/** One flat type for values of two. */
function join(one: FlatType, other: FlatType): FlatType {
  if (one === other) return one;
  return (one === "i" && other === "f") || (one === "f" && other === "i") ? "i" : "I";
}

const convert: DataView = new DataView(new ArrayBuffer(8));

/** A flat value of type `from` in a place for `to`. */
function widen(value: Flat, from: FlatType, to: FlatType): Flat {
  if (from === to) return value;
  if (from === "f") {
    convert.setFloat32(0, value as number, true);
    value = convert.getInt32(0, true);
  } else if (from === "F") {
    convert.setFloat64(0, value as number, true);
    return convert.getBigInt64(0, true);
  }
  return to === "I" ? BigInt((value as number) >>> 0) : value;
}

/** The way back. */
function narrow(value: Flat, from: FlatType, to: FlatType): Flat {
  if (from === to) return value;
  if (to === "F") {
    convert.setBigInt64(0, value as bigint, true);
    return convert.getFloat64(0, true);
  }
  const bits = from === "I" ? Number(BigInt.asIntN(32, value as bigint)) : value as number;
  if (to === "i") return bits;
  convert.setInt32(0, bits, true);
  return convert.getFloat32(0, true);
}

/** What is one of several cases: a number, and the value of the case. */
abstract class CasesCodec implements Codec {
  readonly cost: number;
  readonly size: number;
  readonly align: number;
  readonly flat: readonly FlatType[];
  protected readonly cases: readonly (Codec | undefined)[];
  readonly #number: number;
  readonly #payload: number;
  readonly #cx: CodecContext;

  constructor(cx: CodecContext, cases: readonly (Codec | undefined)[]) {
    this.#cx = cx;
    this.cases = cases;
    this.cost = cases.reduce((most, codec) => Math.max(most, codec?.cost ?? 0), 0) +
      Cost.SLOT + Cost.OBJECT;
    this.#number = discriminantSize(cases.length);
    const align = cases.reduce((most, codec) => Math.max(most, codec?.align ?? 1), 1);
    const size = cases.reduce((most, codec) => Math.max(most, codec?.size ?? 0), 0);
    this.#payload = alignTo(this.#number, align);
    this.align = Math.max(align, this.#number);
    this.size = alignTo(this.#payload + size, this.align);
    checkSize(this.size);
    const flat: FlatType[] = [];
    for (const codec of cases) {
      codec?.flat.forEach((type, i) =>
        flat[i] = flat[i] === undefined ? type : join(flat[i], type)
      );
    }
    this.flat = ["i", ...flat];
  }

  abstract make(number: number, payload: unknown): unknown;
  abstract numberOf(value: unknown): number;
  abstract payloadOf(value: unknown): unknown;

  #case(number: number): Codec | undefined {
    if (number >= this.cases.length) throw new Trap(`a variant has no case ${number}`);
    return this.cases[number];
  }

  load(pointer: number): unknown {
    const number = getUnsigned(this.#cx, pointer, this.#number);
    return this.make(number, this.#case(number)?.load(pointer + this.#payload));
  }

  store(value: unknown, pointer: number): void {
    this.storeCase(this.numberOf(value), this.payloadOf(value), pointer);
  }

  storeCase(number: number, payload: unknown, pointer: number): void {
    // what the value has to be read for comes first: it may turn out to be an error
    this.cases[number]?.store(payload, pointer + this.#payload);
    setUnsigned(this.#cx, pointer, this.#number, number);
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    const number = (from[at] as number) >>> 0;
    const codec = this.#case(number);
    if (codec === undefined) return this.make(number, undefined);
    if (codec.flat.every((type, i) => type === this.flat[i + 1])) {
      return this.make(number, codec.lift(from, at + 1));
    }
    const own = codec.flat.map((type, i) => narrow(from[at + 1 + i]!, this.flat[i + 1]!, type));
    return this.make(number, codec.lift(own, 0));
  }

  lower(value: unknown, to: Flat[]): void {
    this.lowerCase(this.numberOf(value), this.payloadOf(value), to);
  }

  lowerCase(number: number, payload: unknown, to: Flat[]): void {
    const start = to.push(number);
    const codec = this.cases[number];
    codec?.lower(payload, to);
    codec?.flat.forEach((type, i) =>
      to[start + i] = widen(to[start + i]!, type, this.flat[i + 1]!)
    );
    for (let i = to.length - start + 1; i < this.flat.length; i++) {
      to.push(this.flat[i] === "I" ? 0n : 0);
    }
  }
}

export class VariantCodec extends CasesCodec {
  readonly #names: readonly string[];
  readonly #numbers: ReadonlyMap<unknown, number>;

  constructor(cx: CodecContext, names: readonly string[], cases: readonly (Codec | undefined)[]) {
    super(cx, cases);
    this.#names = names;
    this.#numbers = new Map(names.map((name, i) => [name, i]));
  }

  make(number: number, payload: unknown): unknown {
    const tag = this.#names[number];
    return this.cases[number] === undefined ? { tag } : { tag, val: payload };
  }

  numberOf(value: unknown): number {
    const number = this.#numbers.get((value as { tag?: unknown } | undefined)?.tag);
    if (number === undefined) {
      throw wrongValue(value, `an object whose tag is one of ${this.#names.join(", ")}`);
    }
    return number;
  }

  payloadOf(value: unknown): unknown {
    return (value as { val?: unknown }).val;
  }
}

/** `undefined` or the value; with a tag if the value itself is optional. */
export class OptionCodec extends CasesCodec {
  readonly #tagged: boolean;

  constructor(cx: CodecContext, some: Codec, tagged: boolean) {
    super(cx, [undefined, some]);
    this.#tagged = tagged;
  }

  make(number: number, payload: unknown): unknown {
    if (!this.#tagged) return number === 0 ? undefined : payload;
    return number === 0 ? { tag: "none" } : { tag: "some", val: payload };
  }

  numberOf(value: unknown): number {
    if (value === undefined || value === null) return 0;
    if (!this.#tagged) return 1;
    const { tag } = value as { tag?: unknown };
    if (tag !== "none" && tag !== "some") {
      throw wrongValue(value, 'an object whose tag is "none" or "some"');
    }
    return tag === "none" ? 0 : 1;
  }

  payloadOf(value: unknown): unknown {
    return this.#tagged ? (value as { val?: unknown } | undefined)?.val : value;
  }
}

/** `{ tag: "ok" | "err", val }`. */
export class ResultCodec extends CasesCodec {
  constructor(cx: CodecContext, ok: Codec | undefined, error: Codec | undefined) {
    super(cx, [ok, error]);
  }

  make(number: number, payload: unknown): unknown {
    return { tag: number === 0 ? "ok" : "err", val: payload };
  }

  numberOf(value: unknown): number {
    const tag = (value as { tag?: unknown } | undefined)?.tag;
    if (tag !== "ok" && tag !== "err") {
      throw wrongValue(value, 'an object whose tag is "ok" or "err"');
    }
    return tag === "ok" ? 0 : 1;
  }

  payloadOf(value: unknown): unknown {
    return (value as { val?: unknown }).val;
  }
}
