/**
 * An interface of WASI 0.2: what it is in WIT, and what does it.
 *
 * @module
 */
import type { ComponentFunction, Direct } from "../component/function.ts";
import { camelCase } from "../component/names.ts";
import type { InstanceItem, Item } from "../component/scope.ts";
import { ResourceType } from "../component/types.ts";
import { traced } from "./trace.ts";
import type { WitInterface } from "./wit.ts";
import type { World } from "./world.ts";

/** What a function of an interface is. */
export type WasiFunction = (...values: never[]) => unknown;

/** An interface. */
export interface Interface {
  readonly wit: string;
  /** Classes of its resources, whose methods have the names of WIT's in camelCase. */
  readonly classes?: Readonly<Record<string, { readonly prototype: object }>>;
  /** Its other functions, by their names in WIT, for one guest. */
  functions?(world: World): Readonly<Record<string, WasiFunction>>;
  /** The functions that can give a `Wait`. */
  readonly waits?: readonly string[];
}

/** Makes a function whose values travel by hand, for one guest, of the types of its interface. */
export type DirectMaker = (wit: WitInterface, world: World) => Direct;

/** A function of a guest's. Methods are called on what stands for their resource. */
export function functionOf(
  { classes, waits }: Interface,
  functions: Readonly<Record<string, WasiFunction>>,
  wit: WitInterface,
  name: string,
  direct: Direct | undefined,
): ComponentFunction | undefined {
  const type = wit.functions.get(name);
  if (type === undefined) return undefined;
  const method = /^\[method\]([^.]+)\.(.+)$/.exec(name);
  let call = functions[name] as ((...values: unknown[]) => unknown) | undefined;
  if (method !== null) {
    const [, resource, short] = method;
    const prototype = classes![resource!]!.prototype as Record<string, WasiFunction>;
    const of = prototype[camelCase(short!)] as (...values: unknown[]) => unknown;
    call = (self, ...values) => of.apply(self, values);
    // the usual ones without an array
    if (type.parameters.length === 1) call = (self) => of.call(self);
    if (type.parameters.length === 2) call = (self, a) => of.call(self, a);
    if (type.parameters.length === 3) call = (self, a, b) => of.call(self, a, b);
  }
  return {
    sort: "func",
    type,
    origin: "wasi",
    waits: waits?.includes(name) === true,
    call: call!,
    direct,
  };
}

/** An interface as a component imports it. */
export function instanceOf(
  interface_: Interface,
  wit: WitInterface,
  world: World,
  direct: Readonly<Record<string, DirectMaker>>,
): InstanceItem {
  const functions = interface_.functions?.(world) ?? {};
  const { trace } = world;
  const get = (name: string): Item | undefined => {
    const type = wit.types.get(name);
    if (type === undefined) {
      const byHand = direct[`${wit.name} ${name}`]?.(wit, world);
      const item = functionOf(interface_, functions, wit, name, byHand);
      return item === undefined || trace === undefined
        ? item
        : traced(item, `${wit.name} ${name}`, trace);
    }
    return type instanceof ResourceType
      ? { sort: "type", of: "resource", type }
      : { sort: "type", of: "value", type };
  };
  return { sort: "instance", get };
}
