/**
 * Text and lists: a pointer and a length.
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
import { scalars } from "./scalars.ts";
import { componentError } from "../errors.ts";
import { take } from "../calls.ts";
import type { Allocator } from "../memory.ts";
import { type Encoding, encodings } from "../strings.ts";
import { Trap } from "../trap.ts";

/** Most bytes of a list. */
const LIST_MAX = 0x7fffffff;

const TOO_LONG = "an array of less than 2 GiB";

/** Lists of these are typed arrays in JavaScript. */
export const ARRAYS: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayLike<Flat>>> = {
  u8: Uint8Array,
  s8: Int8Array,
  u16: Uint16Array,
  s16: Int16Array,
  u32: Uint32Array,
  s32: Int32Array,
  u64: BigUint64Array,
  s64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** What is a pointer and a length: text and lists. */
abstract class PointerCodec implements Codec {
  abstract readonly cost: number;
  readonly size: number = 8;
  readonly align: number = 4;
  readonly flat: readonly FlatType[] = ["i", "i"];
  protected readonly cx: CodecContext;
  readonly #to: Allocator;

  constructor(cx: CodecContext) {
    if (cx.memory === undefined) {
      throw componentError("a function takes text or lists without a memory for them");
    }
    this.cx = cx;
    this.#to = { memory: cx.memory, allocate: (align, size) => allocate(cx, align, size) };
  }

  abstract read(from: Allocator, pointer: number, length: number): unknown;
  abstract write(to: Allocator, value: unknown): [pointer: number, length: number];

  load(pointer: number): unknown {
    const { view } = this.cx.memory!;
    return this.read(this.#to, view.getUint32(pointer, true), view.getUint32(pointer + 4, true));
  }

  store(value: unknown, pointer: number): void {
    const [start, length] = this.write(this.#to, value);
    const { view } = this.cx.memory!;
    view.setUint32(pointer, start, true);
    view.setUint32(pointer + 4, length, true);
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    return this.read(this.#to, (from[at] as number) >>> 0, (from[at + 1] as number) >>> 0);
  }

  lower(value: unknown, to: Flat[]): void {
    const [start, length] = this.write(this.#to, value);
    to.push(start | 0, length | 0);
  }
}

/** Makes room in a guest's memory. Its views are those of the memory as it is then. */
export function allocate(
  { realloc, memory }: Pick<CodecContext, "realloc" | "memory">,
  align: number,
  size: number,
): number {
  if (realloc === undefined) throw new Trap("the component gives no realloc for a value");
  const pointer = realloc(0, 0, align, size) >>> 0;
  memory!.check(pointer, size, align);
  return pointer;
}

export class StringCodec extends PointerCodec {
  readonly cost: number = Cost.SLOT + Cost.TEXT;
  readonly #encoding: Encoding;

  constructor(cx: CodecContext) {
    super(cx);
    this.#encoding = encodings[cx.encoding];
  }

  read(from: Allocator, pointer: number, length: number): string {
    return this.#encoding.load(from, pointer, length);
  }

  write(to: Allocator, value: unknown): [number, number] {
    if (typeof value !== "string") throw wrongValue(value, "a string");
    return this.#encoding.store(to, value);
  }
}

/** Lists of numbers. */
export class ArrayCodec extends PointerCodec {
  readonly cost: number = Cost.SLOT + Cost.VIEW;
  readonly #kind: string;
  readonly #bytes: number;

  constructor(cx: CodecContext, kind: string) {
    super(cx);
    this.#kind = kind;
    this.#bytes = scalars[kind]!.size;
  }

  #fill(to: Allocator, { length, into }: DirectRead): [number, number] {
    const pointer = to.allocate(1, length);
    const count = into(to.memory.bytes, pointer, length);
    // fewer only if the file was cut meanwhile
    if (count === length || this.cx.fixed) return [pointer, count];
    const moved = this.cx.realloc!(pointer, length, 1, count) >>> 0;
    to.memory.check(moved, count, 1);
    return [moved, count];
  }

  /** The bytes of an array of the same kind; for bytes, as with jco, those of any buffer. */
  #bytesOf(value: object | null): Uint8Array | undefined {
    const isBytes = this.#kind === "u8";
    if (isBytes && value instanceof ArrayBuffer) return new Uint8Array(value);
    if (!ArrayBuffer.isView(value)) return undefined;
    if (!isBytes && !(value instanceof ARRAYS[this.#kind]!)) return undefined;
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }

  read({ memory }: Allocator, pointer: number, length: number): unknown {
    const size = length * this.#bytes;
    if (size > LIST_MAX) throw new Trap("a list of 2 GiB or more");
    memory.check(pointer, size, this.#bytes);
    const view = memory.bytes.subarray(pointer, pointer + size);
    if (this.#kind === "u8" && this.cx.host) return view;
    take(size);
    if (this.#kind === "u8") return view.slice();
    const copy = new Uint8Array(size);
    copy.set(view);
    return new ARRAYS[this.#kind]!(copy.buffer);
  }

  write(to: Allocator, value: unknown): [number, number] {
    if (value instanceof DirectRead) return this.#fill(to, value);
    if (typeof value === "object" && !(value instanceof Uint8Array)) {
      const bytes = this.#bytesOf(value);
      if (bytes !== undefined) {
        const pointer = to.allocate(this.#bytes, bytes.length);
        to.memory.bytes.set(bytes, pointer);
        return [pointer, bytes.length / this.#bytes];
      }
    }
    const length = lengthOf(value);
    if (length < 0) throw wrongValue(value, `an array, for list<${this.#kind}>`);
    const size = length * this.#bytes;
    if (size > LIST_MAX) throw wrongValue(value, TOO_LONG);
    const pointer = to.allocate(this.#bytes, size);
    if (this.#kind === "u8" && value instanceof Uint8Array) {
      to.memory.bytes.set(value, pointer);
      return [pointer, length];
    }
    const { set } = scalars[this.#kind]!;
    for (let i = 0; i < length; i++) {
      set(to.memory.view, pointer + i * this.#bytes, (value as ArrayLike<unknown>)[i]);
    }
    return [pointer, length];
  }
}

/** A list of bytes that is read into the guest's memory, where there is room for it. */
export class DirectRead {
  /** How many bytes there most likely are. */
  readonly length: number;
  /** Reads; gives how many there were, or throws an {@linkcode Err}. */
  readonly into: (bytes: Uint8Array, offset: number, length: number) => number;

  constructor(
    length: number,
    into: (bytes: Uint8Array, offset: number, length: number) => number,
  ) {
    this.length = length;
    this.into = into;
  }
}

/** How many elements an array has; -1 for what is none. */
function lengthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return -1;
  const { length } = value as { length?: unknown };
  return Number.isSafeInteger(length) ? length as number : -1;
}

export function elements(value: unknown): ArrayLike<unknown> {
  if (lengthOf(value) < 0) throw wrongValue(value, "an array");
  return value as ArrayLike<unknown>;
}

export class ListCodec extends PointerCodec {
  readonly cost: number = Cost.SLOT + Cost.ARRAY;
  readonly #element: Codec;

  constructor(cx: CodecContext, element: Codec) {
    super(cx);
    this.#element = element;
  }

  read({ memory }: Allocator, pointer: number, length: number): unknown[] {
    const { size, align, cost } = this.#element;
    if (length * size > LIST_MAX) throw new Trap("a list of 2 GiB or more");
    memory.check(pointer, length * size, align);
    take(length * cost);
    const list: unknown[] = [];
    for (let i = 0; i < length; i++) list.push(this.#element.load(pointer + i * size));
    return list;
  }

  write(to: Allocator, value: unknown): [number, number] {
    const list = elements(value);
    const { length } = list;
    const { size, align } = this.#element;
    if (length * size > LIST_MAX) throw wrongValue(value, TOO_LONG);
    const pointer = to.allocate(align, length * size);
    for (let i = 0; i < length; i++) this.#element.store(list[i], pointer + i * size);
    return [pointer, length];
  }
}
