/**
 * The interfaces of WASI 0.2 as modules that jco has transpiled import them: objects of functions and
 * classes, whose values look as jco has them and whose errors are thrown.
 *
 * Source: https://bytecodealliance.github.io/jco/wit-type-representations.html
 *
 * @module
 */
import { DirectRead } from "../component/codecs/lists.ts";
import { Words } from "../component/codecs/scalars.ts";
import { Err } from "../component/err.ts";
import type { ComponentFunction } from "../component/function.ts";
import { camelCase, pascalCase } from "../component/names.ts";
import { ResourceType, type ValueType } from "../component/types.ts";
import { GuestAborted, ProcExit, throwAborted, Thrown } from "../exit.ts";
import { invalidType } from "../errors.ts";
import { Wait } from "../system/waiting.ts";
import { here } from "./io.ts";
import { interfaces, wasiInstance } from "./mod.ts";
import type { World } from "./world.ts";

/** An interface: its functions and the classes of its resources. */
export type Namespace = Record<string, unknown>;

/** How calls are made. */
export interface Caller {
  /**
   * Goes through with a wait: holding the thread, or with a promise if the function is one of those
   * that may give it.
   *
   * @param name such as `wasi:io/poll#poll`
   */
  settle(wait: Wait<unknown>, name: string): unknown;
}

type Convert = (value: unknown) => unknown;
type Class = (new (...values: unknown[]) => object) & Record<string, unknown>;
type AnyFunction = (...values: unknown[]) => unknown;

/** What stands for a resource here, and what for jco. */
class Resources {
  readonly #classes: Map<ResourceType, Class> = new Map();
  readonly #inner: WeakMap<object, unknown> = new WeakMap();

  /** The class of a resource. What belongs to it is added by {@linkcode namespaceOf}. */
  add(name: string, type: ResourceType, construct: AnyFunction | undefined): Class {
    // deno-lint-ignore no-this-alias
    const resources = this;
    const short = pascalCase(name);
    const Class = {
      [short]: class {
        constructor(...values: unknown[]) {
          if (construct === undefined) throw new TypeError(`${short} has no constructor`);
          return construct(...values) as never;
        }

        [Symbol.dispose](): void {
          const inner = resources.#inner.get(this);
          if (!resources.#inner.delete(this)) return;
          type.destroy?.(inner);
        }
      },
    }[short] as unknown as Class;
    this.#classes.set(type, Class);
    return Class;
  }

  has(type: ResourceType): boolean {
    return this.#classes.has(type);
  }

  out(type: ResourceType, inner: unknown): object {
    const object = Object.create(this.#classes.get(type)!.prototype as object) as object;
    this.#inner.set(object, inner);
    return object;
  }

  in(type: ResourceType, object: unknown, own: boolean): unknown {
    const Class = this.#classes.get(type)!;
    const found = object instanceof Class && this.#inner.has(object);
    if (!found) throw invalidType("resource", `an open instance of ${Class.name}`, object);
    const inner = this.#inner.get(object);
    if (own) this.#inner.delete(object);
    return inner;
  }
}

const same: Convert = (value) => value;

/** What makes a value of WASI's one of jco's, or undefined for values that are the same. */
function outward(type: ValueType | undefined, resources: Resources): Convert | undefined {
  switch (type?.kind) {
    case "u64":
    case "s64":
      return (value) =>
        value instanceof Words ? (BigInt(value.high) << 32n) | BigInt(value.low) : value;
    case "flags":
      return (value) => {
        const flags: Record<string, boolean> = {};
        type.names.forEach((name, i) => {
          flags[camelCase(name)] = (((value as number) >>> i) & 1) !== 0;
        });
        return flags;
      };
    case "list":
      return type.element.kind === "u8" ? bytesOf : parts(type, resources, outward);
    case "own":
    case "borrow":
      return (value) => resources.out(type.resource, value);
    default:
      return parts(type, resources, outward);
  }
}

/** The way back. */
function inward(type: ValueType | undefined, resources: Resources): Convert | undefined {
  switch (type?.kind) {
    case "flags":
      return (value) => {
        const flags = (value ?? {}) as Record<string, unknown>;
        return type.names.reduce(
          (bits, name, i) => flags[camelCase(name)] ? bits | 1 << i : bits,
          0,
        );
      };
    case "own":
    case "borrow":
      return (value) => resources.in(type.resource, value, type.kind === "own");
    default:
      return parts(type, resources, inward);
  }
}

/** The bytes that are read, for keeps. */
function bytesOf(value: unknown): unknown {
  if (!(value instanceof DirectRead)) return value instanceof Uint8Array ? value.slice() : value;
  const bytes = here(value);
  if (bytes instanceof Err) throw bytes;
  return bytes;
}

/** Does it for all parts of a value. */
function parts(
  type: ValueType | undefined,
  resources: Resources,
  direction: typeof outward,
): Convert | undefined {
  const of = (part: ValueType | undefined): Convert | undefined => direction(part, resources);
  switch (type?.kind) {
    case "list": {
      const element = of(type.element);
      if (element === undefined) return undefined;
      return (value) => Array.from(value as ArrayLike<unknown>, (one) => element(one));
    }
    case "tuple": {
      const all = type.types.map((one) => of(one));
      if (all.every((one) => one === undefined)) return undefined;
      return (value) => all.map((one = same, i) => one((value as unknown[])[i]));
    }
    case "record": {
      const all = type.fields.map(({ name, type }) => [camelCase(name), of(type) ?? same] as const);
      if (all.every(([, one]) => one === same)) return undefined;
      return (value) =>
        Object.fromEntries(
          all.map(([name, one]) => [name, one((value as Record<string, unknown>)[name])]),
        );
    }
    case "option": {
      const some = of(type.type);
      return some && ((value) => value === undefined || value === null ? undefined : some(value));
    }
    case "variant":
      return tagged(new Map(type.cases.map(({ name, type }) => [name, of(type)])));
    case "result":
      return tagged(new Map([["ok", of(type.ok)], ["err", of(type.error)]]));
    default:
      return undefined;
  }
}

function tagged(cases: ReadonlyMap<string, Convert | undefined>): Convert | undefined {
  if ([...cases.values()].every((one) => one === undefined)) return undefined;
  return (value) => {
    const { tag, val } = value as { tag: string; val?: unknown };
    const one = cases.get(tag);
    return one === undefined ? value : { tag, val: one(val) };
  };
}

/** Stops the guest that called, which cannot catch it. */
function stop(error: unknown): never {
  if (error instanceof ProcExit || error instanceof GuestAborted) throw error;
  throwAborted(error instanceof Thrown ? error.cause : error);
}

/** What has to be known of a function to call it. */
interface Called {
  readonly world: World;
  readonly caller: Caller;
  readonly resources: Resources;
  readonly interface: string;
}

/** A function of WASI's as jco calls it. Methods get their resource as the first value. */
function adapted(
  { world: { system }, caller, resources, interface: of }: Called,
  name: string,
  { call, type }: ComponentFunction,
): AnyFunction {
  const full = `${of}#${name}`;
  const { parameters, result } = type!;
  const into = parameters.map(({ type }) => inward(type, resources));
  const out = outward(result?.kind === "result" ? result.ok : result, resources) ?? same;
  const thrown = outward(result?.kind === "result" ? result.error : undefined, resources) ?? same;
  const finish = (value: unknown): unknown => {
    try {
      if (value instanceof Err) throw value;
      return out(value);
    } catch (error) {
      if (!(error instanceof Err)) return stop(error);
      throw thrown(error.val);
    }
  };
  return (...given) => {
    const values = into.map((one, i) => one === undefined ? given[i] : one(given[i]));
    let value: unknown;
    try {
      system.calls++;
      value = call(...values);
      if (value instanceof Wait) value = caller.settle(value, full);
    } catch (error) {
      stop(error);
    }
    return value instanceof Promise ? value.then(finish, stop) : finish(value);
  };
}

function namespaceOf(called: Called): Namespace {
  const { wit } = interfaces().get(called.interface)!;
  const instance = wasiInstance(called.world, `${called.interface}@0.2.0`)!;
  const make = (name: string): AnyFunction | undefined => {
    const found = wit.functions.has(name) ? instance.get(name) : undefined;
    return found?.sort === "func" && found.call !== undefined
      ? adapted(called, name, found)
      : undefined;
  };
  const namespace: Namespace = {};
  const classes = new Map<string, Class>();
  for (const [name, type] of wit.types) {
    if (!(type instanceof ResourceType) || called.resources.has(type)) continue; // another's
    const Class = called.resources.add(name, type, make(`[constructor]${name}`));
    classes.set(name, Class);
    namespace[pascalCase(name)] = Class;
  }
  for (const name of wit.functions.keys()) {
    const special = /^\[(method|static|constructor)\]([^.]+)(?:\.(.+))?$/.exec(name);
    const call = make(name);
    if (call === undefined || special?.[1] === "constructor") continue;
    if (special === null) namespace[camelCase(name)] = call;
    else {
      const [, kind, resource, short] = special;
      const Class = classes.get(resource!)!;
      const value = kind === "static" ? call : function (this: unknown, ...values: unknown[]) {
        return call(this, ...values);
      };
      const holder = kind === "static" ? Class : Class.prototype as object;
      Object.defineProperty(holder, camelCase(short!), {
        value,
        configurable: true,
        writable: true,
      });
    }
  }
  return namespace;
}

/** All interfaces by their names without a version, for one guest. */
export function namespaces(world: World, caller: Caller): ReadonlyMap<string, Namespace> {
  const resources = new Resources();
  const all = new Map<string, Namespace>();
  for (const name of interfaces().keys()) {
    all.set(name, namespaceOf({ world, caller, resources, interface: name }));
  }
  return all;
}
