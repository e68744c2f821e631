/**
 * Values whose parts stand one after another: records, tuples, and lists of a fixed length.
 *
 * @module
 */
import {
  alignTo,
  checkSize,
  type Codec,
  Cost,
  costOf,
  define,
  type Flat,
  FLAT_MAX,
  type FlatType,
  wrongValue,
} from "./codec.ts";
import { elements } from "./lists.ts";
import { componentError } from "../errors.ts";
import { camelCase } from "../names.ts";
import type { Field } from "../types.ts";

/** Most elements of a list of a fixed length. */
const FIXED_MAX = 1 << 16;

/** What has its parts one after another: records and tuples. */
abstract class PartsCodec implements Codec {
  readonly cost: number;
  readonly size: number;
  readonly align: number;
  readonly flat: readonly FlatType[];
  protected readonly parts: readonly Codec[];
  readonly #offsets: number[] = [];

  constructor(parts: readonly Codec[]) {
    this.parts = parts;
    this.cost = costOf(parts);
    let [size, align] = [0, 1];
    const flat: FlatType[] = [];
    for (const part of parts) {
      size = alignTo(size, part.align);
      this.#offsets.push(size);
      size += part.size;
      align = Math.max(align, part.align);
      checkSize(size);
      if (flat.length <= FLAT_MAX) flat.push(...part.flat);
    }
    this.size = alignTo(size, align);
    this.align = align;
    this.flat = flat;
  }

  abstract make(values: unknown[]): unknown;
  abstract part(value: unknown, index: number): unknown;

  load(pointer: number): unknown {
    return this.make(this.parts.map((part, i) => part.load(pointer + this.#offsets[i]!)));
  }

  store(value: unknown, pointer: number): void {
    for (let i = 0; i < this.parts.length; i++) {
      this.parts[i]!.store(this.part(value, i), pointer + this.#offsets[i]!);
    }
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    return this.make(this.parts.map((part) => {
      const value = part.lift(from, at);
      at += part.flat.length;
      return value;
    }));
  }

  lower(value: unknown, to: Flat[]): void {
    this.parts.forEach((part, i) => part.lower(this.part(value, i), to));
  }
}

export class RecordCodec extends PartsCodec {
  readonly #names: readonly string[];

  constructor(fields: readonly Field[], codecs: readonly Codec[]) {
    super(codecs);
    this.#names = fields.map(({ name }) => camelCase(name));
  }

  make(values: unknown[]): unknown {
    const record: Record<string, unknown> = {};
    this.#names.forEach((name, i) => define(record, name, values[i]));
    return record;
  }

  part(value: unknown, index: number): unknown {
    const name = this.#names[index]!;
    if (typeof value !== "object" || value === null) {
      throw wrongValue(value, "an object, for a record");
    }
    return (value as Record<string, unknown>)[name];
  }
}

export class TupleCodec extends PartsCodec {
  make(values: unknown[]): unknown[] {
    return values;
  }

  part(value: unknown, index: number): unknown {
    return elements(value)[index];
  }
}

/** A list of a fixed length, which stands where it is used. */
export class FixedListCodec implements Codec {
  readonly cost: number;
  readonly size: number;
  readonly align: number;
  readonly flat: readonly FlatType[];
  readonly #element: Codec;
  readonly #length: number;

  constructor(element: Codec, length: number) {
    if (length > FIXED_MAX) throw componentError(`a list of the fixed length ${length}`);
    this.#element = element;
    this.#length = length;
    this.size = element.size * length;
    this.align = element.align;
    this.cost = Cost.SLOT + Cost.ARRAY + element.cost * length;
    checkSize(this.size);
    const flat: FlatType[] = [];
    for (let i = 0; i < length && flat.length <= FLAT_MAX; i++) flat.push(...element.flat);
    this.flat = flat;
  }

  #elements(value: unknown): ArrayLike<unknown> {
    const list = elements(value);
    if (list.length !== this.#length) throw wrongValue(value, `an array of ${this.#length}`);
    return list;
  }

  load(pointer: number): unknown {
    const { size } = this.#element;
    const list: unknown[] = [];
    for (let i = 0; i < this.#length; i++) list.push(this.#element.load(pointer + i * size));
    return list;
  }

  store(value: unknown, pointer: number): void {
    const list = this.#elements(value);
    const { size } = this.#element;
    for (let i = 0; i < this.#length; i++) this.#element.store(list[i], pointer + i * size);
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    const { flat } = this.#element;
    const list: unknown[] = [];
    for (let i = 0; i < this.#length; i++) {
      list.push(this.#element.lift(from, at + i * flat.length));
    }
    return list;
  }

  lower(value: unknown, to: Flat[]): void {
    const list = this.#elements(value);
    for (let i = 0; i < this.#length; i++) this.#element.lower(list[i], to);
  }
}
