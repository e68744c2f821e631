/**
 * The types of a component, with what they name by number put in its place.
 *
 * @module
 */
import { DEPTH_MAX, Scope, type TypeItem } from "./scope.ts";
import type { TypeDefinition, TypeReference } from "./binary.ts";
import { componentError } from "./errors.ts";
import { type FunctionType, ResourceType, type ValueType } from "./types.ts";

/** Most parts of a type, counted wherever they are named. */
const WEIGHT_MAX = 100_000;

/** What is known of a type. */
interface Weight {
  /** how many parts it has, wherever they are named; long names count as more */
  readonly weight: number;
  readonly depth: number;
  /** whether a `borrow` is in it */
  readonly borrows: boolean;
}

const LIGHT: Weight = { weight: 1, depth: 0, borrows: false };

const weights: WeakMap<ValueType, Weight> = new WeakMap();

export function weightOf(type: ValueType | undefined): Weight {
  return (type && weights.get(type)) ?? LIGHT;
}

/** What names add to a type: they are copied with it. */
function weightOfNames(names: readonly { readonly name: string }[]): number {
  let length = 0;
  for (const { name } of names) length += name.length;
  return length >>> 4;
}

/** Looks how large a type is. `own` is what it has beside its parts. */
function weighed(
  { work }: Scope,
  type: ValueType,
  parts: readonly (ValueType | undefined)[],
  own: number,
): ValueType {
  let [weight, depth, borrows] = [1 + own, 0, type.kind === "borrow"];
  for (const part of parts) {
    if (part === undefined) continue;
    const of = weightOf(part);
    weight += of.weight;
    depth = Math.max(depth, of.depth);
    borrows ||= of.borrows;
  }
  work.spend(1 + own + parts.length);
  if (weight > WEIGHT_MAX) throw componentError(`a type of more than ${WEIGHT_MAX} parts`);
  if (depth >= DEPTH_MAX) throw componentError(`a type more than ${DEPTH_MAX} deep`);
  weights.set(type, { weight, depth: depth + 1, borrows });
  return type;
}

/** The same type as another one, which a name of its own can be told by. */
export function copied(type: ValueType): ValueType {
  const copy = { ...type };
  const weight = weights.get(type);
  if (weight !== undefined) weights.set(copy, weight);
  return copy;
}

const primitives: Map<string, ValueType> = new Map();

function primitive(kind: string): ValueType {
  let type = primitives.get(kind);
  if (type === undefined) primitives.set(kind, type = { kind } as ValueType);
  return type;
}

/** The type of values that a reference names. */
export function valueType(scope: Scope, reference: TypeReference): ValueType {
  if (typeof reference === "string") return primitive(reference);
  const item = scope.at("type", reference) as TypeItem;
  if (item.of !== "value") throw componentError(`type ${reference} is not one of values`);
  return item.type;
}

function maybeType(scope: Scope, reference: TypeReference | undefined): ValueType | undefined {
  return reference === undefined ? undefined : valueType(scope, reference);
}

export function resourceAt(scope: Scope, index: number): ResourceType {
  const item = scope.at("type", index) as TypeItem;
  if (item.of !== "resource") throw componentError(`type ${index} is not a resource`);
  return item.type;
}

/** The type of functions that has a number. */
export function functionType(scope: Scope, index: number): FunctionType {
  const item = scope.at("type", index) as TypeItem;
  if (item.of !== "func") throw componentError(`type ${index} is not one of functions`);
  return item.type;
}

/** A type as it is defined, its references resolved. Resources are made elsewhere. */
export function typeItem(
  scope: Scope,
  type: Exclude<TypeDefinition, { kind: "resource" }>,
): TypeItem {
  const value = (
    of: ValueType,
    parts: readonly (ValueType | undefined)[],
    names: readonly { readonly name: string }[] = [],
  ): TypeItem => ({
    sort: "type",
    of: "value",
    type: weighed(scope, of, parts, weightOfNames(names)),
  });
  switch (type.kind) {
    case "reference":
      return { sort: "type", of: "value", type: valueType(scope, type.type) };
    case "record": {
      const fields = type.fields.map(({ name, type }) => ({ name, type: valueType(scope, type) }));
      return value({ kind: "record", fields }, fields.map(({ type }) => type), fields);
    }
    case "variant": {
      const cases = type.cases.map(({ name, type }) => ({ name, type: maybeType(scope, type) }));
      return value({ kind: "variant", cases }, cases.map(({ type }) => type), cases);
    }
    case "list": {
      const element = valueType(scope, type.element);
      return value({ kind: "list", element, length: type.length }, [element]);
    }
    case "tuple": {
      const types = type.types.map((one) => valueType(scope, one));
      return value({ kind: "tuple", types }, types);
    }
    case "flags":
    case "enum":
      return value(
        { kind: type.kind, names: type.names },
        type.names.map(() => undefined),
        type.names.map((name) => ({ name })),
      );
    case "option": {
      const inner = valueType(scope, type.type);
      return value({ kind: "option", type: inner }, [inner]);
    }
    case "result": {
      const [ok, error] = [maybeType(scope, type.ok), maybeType(scope, type.error)];
      return value({ kind: "result", ok, error }, [ok, error]);
    }
    case "own":
    case "borrow":
      return value({ kind: type.kind, resource: resourceAt(scope, type.type) }, []);
    case "stream":
    case "future":
      return value({ kind: type.kind }, [maybeType(scope, type.type)]);
    case "func": {
      const parameters = type.parameters.map(({ name, type }) => ({
        name,
        type: valueType(scope, type),
      }));
      const result = maybeType(scope, type.result);
      if (weightOf(result).borrows) throw componentError("a function whose result is borrowed");
      scope.work.spend(1 + parameters.length + weightOfNames(parameters));
      return { sort: "type", of: "func", type: { parameters, result, async: type.async } };
    }
    default:
      return { sort: "type", of: type.kind, declarations: type.declarations, scope };
  }
}
