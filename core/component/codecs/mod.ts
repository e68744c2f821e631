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
import type { Codec, CodecContext, Flat } from "./codec.ts";
import { ScalarCodec, scalars } from "./scalars.ts";
import { ArrayCodec, ARRAYS, ListCodec, StringCodec } from "./lists.ts";
import { FixedListCodec, RecordCodec, TupleCodec } from "./parts.ts";
import { EnumCodec, FlagsCodec } from "./names.ts";
import { OptionCodec, ResultCodec, VariantCodec } from "./cases.ts";
import { BorrowCodec, OwnCodec } from "./resources.ts";
import { componentError } from "../errors.ts";
import type { ValueType } from "../types.ts";

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
      return new RecordCodec(type.fields, type.fields.map(({ type }) => codecOf(cx, type)));
    case "tuple":
      return new TupleCodec(type.types.map((one) => codecOf(cx, one)));
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
