/**
 * How values of JavaScript become values of WebAssembly and back: the canonical ABI.
 *
 * A value travels flat, as parameters and results of functions, or in memory. There is a codec for
 * each type; those of types with parts are made of others. Codecs are made once for each set of
 * canonical options, not for each call.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md
 *
 * @module
 */
import type { CanonicalOptions } from "./binary.ts";
import { received } from "../errors.ts";
import { componentError } from "./errors.ts";
import { calls, take } from "./calls.ts";
import type { HandleTable } from "./handles.ts";
import type { Allocator, LinearMemory, Realloc } from "./memory.ts";
import { camelCase } from "./names.ts";
import { type Encoding, encodings } from "./strings.ts";
import { Trap } from "./trap.ts";
import type { Field, ResourceType, ValueType } from "./types.ts";

/** A value of a core function. */
export type Flat = number | bigint;

/** The type of a flat value, as a letter: i32, i64, f32, f64. */
export type FlatType = "i" | "I" | "f" | "F";

/** Most bytes that a value of a type may take where it stands. */
const SIZE_MAX = 1 << 28;
/** Most bytes of a list. */
const LIST_MAX = 0x7fffffff;
/**
 * What values take here, in bytes, as measured in V8 and rounded up: a slot, text beside its
 * characters, an array, a typed array, an object, one of its fields, an object for a resource.
 */
const Cost = {
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
const TOO_LONG = "an array of less than 2 GiB";
/** Most elements of a list of a fixed length. */
const FIXED_MAX = 1 << 16;

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

function alignTo(pointer: number, align: number): number {
  return (pointer + align - 1) & ~(align - 1);
}

/** A value that is not of its type: what an embedder gave. */
function wrongValue(value: unknown, type: string): TypeError {
  const error = new TypeError(
    `A value for the component must be ${type}. Received ${received(value)}`,
  );
  return Object.assign(error, { code: "ERR_INVALID_ARG_TYPE" });
}

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

const scalars: Readonly<Record<string, Scalar>> = {
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

/** Lists of these are typed arrays in JavaScript. */
const ARRAYS: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayLike<Flat>>> = {
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

class ScalarCodec implements Codec {
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

class StringCodec extends PointerCodec {
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
class ArrayCodec extends PointerCodec {
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

function elements(value: unknown): ArrayLike<unknown> {
  if (lengthOf(value) < 0) throw wrongValue(value, "an array");
  return value as ArrayLike<unknown>;
}

class ListCodec extends PointerCodec {
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

/** What an object with such fields takes. */
function costOf(fields: readonly { readonly cost: number }[]): number {
  const each = fields.length > FIELDS ? TABLE_FIELD : Cost.FIELD;
  return fields.reduce((sum, { cost }) => sum + cost + each, Cost.SLOT + Cost.OBJECT);
}

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

/** More flat values than these are counted no further: they go through memory. */
export const FLAT_MAX = 16;

function checkSize(size: number): void {
  if (size >= SIZE_MAX) throw componentError("a type of 256 MiB or more");
}

class RecordCodec extends PartsCodec {
  readonly #names: readonly string[];

  constructor(cx: CodecContext, fields: readonly Field[]) {
    super(fields.map(({ type }) => codecOf(cx, type)));
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

/** A field by a name that a component has chosen: also one such as `__proto__`. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
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

class TupleCodec extends PartsCodec {
  constructor(cx: CodecContext, types: readonly ValueType[]) {
    super(types.map((type) => codecOf(cx, type)));
  }

  make(values: unknown[]): unknown[] {
    return values;
  }

  part(value: unknown, index: number): unknown {
    return elements(value)[index];
  }
}

/** A list of a fixed length, which stands where it is used. */
class FixedListCodec implements Codec {
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

class FlagsCodec implements Codec {
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

function getUnsigned({ memory }: CodecContext, at: number, size: number): number {
  const { view } = memory!;
  if (size === 1) return view.getUint8(at);
  return size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

function setUnsigned({ memory }: CodecContext, at: number, size: number, value: number): void {
  const { view } = memory!;
  if (size === 1) view.setUint8(at, value);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
}

/** Bytes that the number of a case takes. */
function discriminantSize(cases: number): number {
  return cases <= 0x100 ? 1 : cases <= 0x10000 ? 2 : 4;
}

class EnumCodec implements Codec {
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

class VariantCodec extends CasesCodec {
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
class OptionCodec extends CasesCodec {
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

class OwnCodec implements Codec {
  readonly cost: number;
  readonly size: number = 4;
  readonly align: number = 4;
  readonly flat: readonly FlatType[] = ["i"];
  readonly #cx: CodecContext;
  readonly #type: ResourceType;

  constructor(cx: CodecContext, type: ResourceType) {
    this.cost = Cost.SLOT + (cx.side === undefined ? 0 : Cost.HELD);
    this.#cx = cx;
    this.#type = type;
  }

  fromFlat(index: Flat): unknown {
    const { handles, side } = this.#cx;
    const { representation, scope } = handles.remove((index as number) >>> 0, this.#type);
    if (scope !== undefined) throw new Trap("a borrowed handle is given away");
    return side === undefined ? representation : side.out(this.#type, representation, true);
  }

  toFlat(value: unknown): number {
    const { handles, side } = this.#cx;
    const representation = side === undefined ? value : side.in(this.#type, value, true);
    return handles.add(this.#type, representation, undefined);
  }

  load(pointer: number): unknown {
    return this.fromFlat(this.#cx.memory!.view.getUint32(pointer, true));
  }

  store(value: unknown, pointer: number): void {
    this.#cx.memory!.view.setUint32(pointer, this.toFlat(value), true);
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    return this.fromFlat(from[at]!);
  }

  lower(value: unknown, to: Flat[]): void {
    to.push(this.toFlat(value));
  }
}

class BorrowCodec implements Codec {
  readonly cost: number;
  readonly size: number = 4;
  readonly align: number = 4;
  readonly flat: readonly FlatType[] = ["i"];
  readonly #cx: CodecContext;
  readonly #type: ResourceType;

  constructor(cx: CodecContext, type: ResourceType) {
    this.cost = Cost.SLOT + (cx.side === undefined ? 0 : Cost.HELD);
    this.#cx = cx;
    this.#type = type;
  }

  fromFlat(index: Flat): unknown {
    const { handles, side } = this.#cx;
    const handle = handles.get((index as number) >>> 0, this.#type);
    if (calls.lent !== undefined && handle.scope === undefined) {
      handle.lends++;
      calls.lent.push(handle);
    }
    const { representation } = handle;
    return side === undefined ? representation : side.out(this.#type, representation, false);
  }

  /** What reads one for a call that nobody counts what is lent to. */
  reader(): (index: Flat) => unknown {
    const { handles, side } = this.#cx;
    const type = this.#type;
    return side === undefined
      ? (index) => handles.get((index as number) >>> 0, type).representation
      : (index) => side.out(type, handles.get((index as number) >>> 0, type).representation, false);
  }

  /** Who has made a resource gets what stands for it; others a handle, for as long as the call. */
  toFlat(value: unknown): number {
    const { handles, side, owner } = this.#cx;
    const representation = side === undefined ? value : side.in(this.#type, value, false);
    if (this.#type.owner === owner) return representation as number;
    return handles.add(this.#type, representation, calls.scope);
  }

  load(pointer: number): unknown {
    return this.fromFlat(this.#cx.memory!.view.getUint32(pointer, true));
  }

  store(value: unknown, pointer: number): void {
    this.#cx.memory!.view.setUint32(pointer, this.toFlat(value), true);
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    return this.fromFlat(from[at]!);
  }

  lower(value: unknown, to: Flat[]): void {
    to.push(this.toFlat(value));
  }
}

/** What of a codec takes one flat value, if it does: calls go without an array then. */
export function single(codec: Codec): ((value: Flat) => unknown) | undefined {
  if (codec instanceof ScalarCodec) return codec.scalar.fromFlat;
  if (codec instanceof BorrowCodec) return codec.reader();
  if (codec instanceof OwnCodec) return (value) => codec.fromFlat(value);
  if (codec instanceof FlagsCodec || codec instanceof EnumCodec) {
    return (value) => codec.lift([value], 0);
  }
  return undefined;
}

/** The same of one that gives one flat value. */
export function toSingle(codec: Codec): ((value: unknown) => Flat) | undefined {
  if (codec instanceof ScalarCodec) return codec.scalar.toFlat;
  if (codec instanceof OwnCodec) return (value) => codec.toFlat(value);
  return undefined;
}

const made: WeakMap<CodecContext, Map<ValueType, Codec>> = new WeakMap();

/** The codec of a type. */
export function codecOf(cx: CodecContext, type: ValueType): Codec {
  let all = made.get(cx);
  if (all === undefined) made.set(cx, all = new Map());
  let codec = all.get(type);
  if (codec === undefined) all.set(type, codec = make(cx, type));
  return codec;
}

function maybe(cx: CodecContext, type: ValueType | undefined): Codec | undefined {
  return type === undefined ? undefined : codecOf(cx, type);
}

function make(cx: CodecContext, type: ValueType): Codec {
  switch (type.kind) {
    case "string":
      return new StringCodec(cx);
    case "list": {
      const { element, length } = type;
      if (length !== undefined) return new FixedListCodec(codecOf(cx, element), length);
      return element.kind in ARRAYS
        ? new ArrayCodec(cx, element.kind)
        : new ListCodec(cx, codecOf(cx, element));
    }
    case "record":
      return new RecordCodec(cx, type.fields);
    case "tuple":
      return new TupleCodec(cx, type.types);
    case "flags":
      return new FlagsCodec(cx, type.names);
    case "enum":
      return new EnumCodec(cx, type.names);
    case "variant":
      return new VariantCodec(
        cx,
        type.cases.map(({ name }) => name),
        type.cases.map(({ type }) => maybe(cx, type)),
      );
    case "option":
      return new OptionCodec(cx, codecOf(cx, type.type), type.type.kind === "option");
    case "result":
      return new ResultCodec(cx, maybe(cx, type.ok), maybe(cx, type.error));
    case "own":
      return new OwnCodec(cx, type.resource);
    case "borrow":
      return new BorrowCodec(cx, type.resource);
    case "stream":
    case "future":
    case "error-context":
      throw componentError(`it uses ${type.kind}, which belongs to WASI 0.3 and is not supported`);
    default:
      return new ScalarCodec(cx, scalars[type.kind]!);
  }
}
