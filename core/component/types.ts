/**
 * The types of the component model, as they are once every name in them has been resolved.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#type-definitions
 *
 * @module
 */

/** The types without parts. */
export const PRIMITIVES = [
  "bool",
  "s8",
  "u8",
  "s16",
  "u16",
  "s32",
  "u32",
  "s64",
  "u64",
  "f32",
  "f64",
  "char",
  "string",
] as const;

/** The name of a type without parts. */
export type Primitive = typeof PRIMITIVES[number];

/** A name with a type: a field, a parameter. */
export interface Field {
  readonly name: string;
  readonly type: ValueType;
}

/** A case of a variant; some carry no value. */
export interface Case {
  readonly name: string;
  readonly type: ValueType | undefined;
}

/** The type of a value. */
export type ValueType =
  | { readonly kind: Primitive }
  | { readonly kind: "record"; readonly fields: readonly Field[] }
  | { readonly kind: "variant"; readonly cases: readonly Case[] }
  | {
    readonly kind: "list";
    readonly element: ValueType;
    /** of a list whose length is part of its type */
    readonly length: number | undefined;
  }
  | { readonly kind: "tuple"; readonly types: readonly ValueType[] }
  | { readonly kind: "flags"; readonly names: readonly string[] }
  | { readonly kind: "enum"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly type: ValueType }
  | {
    readonly kind: "result";
    readonly ok: ValueType | undefined;
    readonly error: ValueType | undefined;
  }
  | { readonly kind: "own" | "borrow"; readonly resource: ResourceType }
  /** What only asynchronous components have (WASI 0.3). */
  | { readonly kind: "stream" | "future" | "error-context" };

/** The type of a function. */
export interface FunctionType {
  readonly parameters: readonly Field[];
  readonly result: ValueType | undefined;
  readonly async: boolean;
}

/** What becomes of a resource of the host's whose last handle is dropped. */
export function dispose(representation: unknown): void {
  (representation as { [Symbol.dispose]?(): void })[Symbol.dispose]?.();
}

/** A kind of resource. Two are the same only if they are the same object. */
export class ResourceType {
  /** What it is called where it is first exported. */
  name: string | undefined;
  /** What has it: a component's instance, or undefined for the host's. */
  readonly owner: object | undefined;
  /**
   * Called with what stands for a resource when nobody has it any more, and by whom: an instance of a
   * component, or undefined for the embedder.
   */
  readonly destroy: ((representation: unknown, by?: object) => void) | undefined;
  /** The class of WASI's own resources. */
  Class: { readonly prototype: object } | undefined;

  constructor(
    name: string | undefined,
    owner?: object,
    destroy?: (representation: unknown, by?: object) => void,
  ) {
    this.name = name;
    this.owner = owner;
    this.destroy = destroy;
  }
}

/** Whether two types are the same. Recursion ends, because types are not recursive. */
export function sameType(one: ValueType | undefined, other: ValueType | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined || one.kind !== other.kind) return false;
  switch (one.kind) {
    case "record":
      return sameFields(one.fields, (other as typeof one).fields);
    case "variant":
      return sameAll(
        one.cases,
        (other as typeof one).cases,
        (a, b) => a.name === b.name && sameType(a.type, b.type),
      );
    case "list":
      return one.length === (other as typeof one).length &&
        sameType(one.element, (other as typeof one).element);
    case "tuple":
      return sameAll(one.types, (other as typeof one).types, sameType);
    case "flags":
    case "enum":
      return sameAll(one.names, (other as typeof one).names, (a, b) => a === b);
    case "option":
      return sameType(one.type, (other as typeof one).type);
    case "result":
      return sameType(one.ok, (other as typeof one).ok) &&
        sameType(one.error, (other as typeof one).error);
    case "own":
    case "borrow":
      return one.resource === (other as typeof one).resource;
    default:
      return true;
  }
}

function sameAll<T>(one: readonly T[], other: readonly T[], same: (a: T, b: T) => boolean) {
  return one.length === other.length && one.every((part, i) => same(part, other[i]!));
}

/** Names of parameters are only for who reads them. */
function sameParameters(one: readonly Field[], other: readonly Field[]): boolean {
  return sameAll(one, other, (a, b) => sameType(a.type, b.type));
}

function sameFields(one: readonly Field[], other: readonly Field[]): boolean {
  return sameAll(one, other, (a, b) => a.name === b.name && sameType(a.type, b.type));
}

/** Whether two types of functions are the same. */
export function sameFunction(one: FunctionType, other: FunctionType): boolean {
  return one.async === other.async && sameParameters(one.parameters, other.parameters) &&
    sameType(one.result, other.result);
}

/** A type as WIT writes it. Records, variants, flags and enums are written out. */
export function showType(type: ValueType | undefined): string {
  if (type === undefined) return "_";
  switch (type.kind) {
    case "record":
      return `record { ${type.fields.map(showField).join(", ")} }`;
    case "variant":
      return `variant { ${
        type.cases.map(({ name, type }) => type ? `${name}(${showType(type)})` : name).join(", ")
      } }`;
    case "list":
      return type.length === undefined
        ? `list<${showType(type.element)}>`
        : `list<${showType(type.element)}, ${type.length}>`;
    case "tuple":
      return `tuple<${type.types.map(showType).join(", ")}>`;
    case "flags":
    case "enum":
      return `${type.kind} { ${type.names.join(", ")} }`;
    case "option":
      return `option<${showType(type.type)}>`;
    case "result":
      if (type.ok === undefined && type.error === undefined) return "result";
      if (type.error === undefined) return `result<${showType(type.ok)}>`;
      return `result<${showType(type.ok)}, ${showType(type.error)}>`;
    case "own":
      return type.resource.name ?? "resource";
    case "borrow":
      return `borrow<${type.resource.name ?? "resource"}>`;
    default:
      return type.kind;
  }
}

function showField({ name, type }: Field): string {
  return `${name}: ${showType(type)}`;
}

/** The type of a function as WIT writes it. */
export function showFunction({ parameters, result, async }: FunctionType): string {
  const from = `${async ? "async " : ""}func(${parameters.map(showField).join(", ")})`;
  return result === undefined ? from : `${from} -> ${showType(result)}`;
}
