/**
 * Flags and enums: names that are numbers.
 *
 * @module
 */
import {
  type Codec,
  type CodecContext,
  Cost,
  costOf,
  define,
  discriminantSize,
  type Flat,
  type FlatType,
  getUnsigned,
  setUnsigned,
  wrongValue,
} from "./codec.ts";
import { camelCase } from "../names.ts";
import { Trap } from "../trap.ts";

export class FlagsCodec implements Codec {
  readonly cost: number;
  readonly size: number;
  readonly align: number;
  readonly flat: readonly FlatType[] = ["i"];
  readonly #names: readonly string[];
  /** all the bits that mean something */
  readonly #all: number;
  readonly #cx: CodecContext;

  constructor(cx: CodecContext, names: readonly string[]) {
    this.#cx = cx;
    this.cost = costOf(names.map(() => ({ cost: Cost.SLOT })));
    this.#names = names.map(camelCase);
    this.#all = names.length === 32 ? -1 : (1 << names.length) - 1;
    this.size = this.align = names.length <= 8 ? 1 : names.length <= 16 ? 2 : 4;
  }

  #make(bits: number): unknown {
    if (this.#cx.host) return bits & this.#all;
    const flags: Record<string, unknown> = {};
    this.#names.forEach((name, i) => define(flags, name, ((bits >>> i) & 1) !== 0));
    return flags;
  }

  #bits(value: unknown): number {
    if (this.#cx.host) return value as number;
    if (value === undefined || value === null) return 0;
    if (typeof value !== "object") throw wrongValue(value, "an object, for flags");
    let bits = 0;
    this.#names.forEach((name, i) => {
      if ((value as Record<string, unknown>)[name]) bits |= 1 << i;
    });
    return bits;
  }

  load(pointer: number): unknown {
    return this.#make(getUnsigned(this.#cx, pointer, this.size));
  }

  store(value: unknown, pointer: number): void {
    setUnsigned(this.#cx, pointer, this.size, this.#bits(value));
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    return this.#make(from[at] as number);
  }

  lower(value: unknown, to: Flat[]): void {
    to.push(this.#bits(value));
  }
}

export class EnumCodec implements Codec {
  readonly cost: number = Cost.SLOT;
  readonly size: number;
  readonly align: number;
  readonly flat: readonly FlatType[] = ["i"];
  readonly #names: readonly string[];
  readonly #numbers: ReadonlyMap<unknown, number>;
  readonly #cx: CodecContext;

  constructor(cx: CodecContext, names: readonly string[]) {
    this.#cx = cx;
    this.#names = names;
    this.#numbers = new Map(names.map((name, i) => [name, i]));
    this.size = this.align = discriminantSize(names.length);
  }

  #name(number: number): string {
    const name = this.#names[number];
    if (name === undefined) throw new Trap(`an enum has no case ${number}`);
    return name;
  }

  #number(value: unknown): number {
    const number = this.#numbers.get(value);
    if (number === undefined) throw wrongValue(value, `one of ${this.#names.join(", ")}`);
    return number;
  }

  load(pointer: number): unknown {
    return this.#name(getUnsigned(this.#cx, pointer, this.size));
  }

  store(value: unknown, pointer: number): void {
    setUnsigned(this.#cx, pointer, this.size, this.#number(value));
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    return this.#name((from[at] as number) >>> 0);
  }

  lower(value: unknown, to: Flat[]): void {
    to.push(this.#number(value));
  }
}
