/**
 * Components and JavaScript: what the embedder gives to a component, and what it gets of one.
 *
 * Names are in camelCase, classes in PascalCase; a `result` is a value or an error that is thrown.
 *
 * Source: https://bytecodealliance.github.io/jco/wit-type-representations.html
 *
 * @module
 */
import { type AnyFunction, EmbeddedResource, SPECIAL } from "./embedded.ts";
import { GuestAborted, isException, uncaught } from "../exit.ts";
import { received } from "../errors.ts";
import type { ResourceSide } from "./codecs/codec.ts";
import { ComponentError } from "./err.ts";
import { componentError } from "./errors.ts";
import type { ComponentFunction, Entered } from "./function.ts";
import type { InstanceItem } from "./scope.ts";
import { camelCase, pascalCase, withoutVersion } from "./names.ts";
import type { Store } from "./store.ts";
import { ResourceType } from "./types.ts";

/** A resource of a component's in the hands of JavaScript. */
interface Held {
  readonly type: ResourceType;
  readonly representation: unknown;
  /** whether it is dropped when nobody has it any more */
  own: boolean;
}

/** Given to a constructor that is to make an empty object. */
const EMPTY: unique symbol = Symbol("empty");

function wrongResource(value: unknown, type: ResourceType): TypeError {
  const name = pascalCase(type.name ?? "resource");
  const error = new TypeError(
    `A value for the component must be an instance of ${name}. Received ${received(value)}`,
  );
  return Object.assign(error, { code: "ERR_INVALID_ARG_TYPE" });
}

function givenAway(type: ResourceType): TypeError {
  const name = pascalCase(type.name ?? "resource");
  const error = new TypeError(
    `A value for the component must be an instance of ${name} that is the caller's own. ` +
      "This one was only lent, or has been given away or dropped",
  );
  return Object.assign(error, { code: "ERR_INVALID_ARG_VALUE" });
}

/** How resources look in JavaScript: instances of classes. */
export class JavaScriptSide implements ResourceSide {
  readonly #store: Store;
  readonly #held: WeakMap<object, Held> = new WeakMap();
  readonly #classes: Map<ResourceType, new (...values: unknown[]) => object> = new Map();
  /** What is dropped with the next call: one may be under way now. */
  readonly #dropped: Held[] = [];
  readonly #abandoned: FinalizationRegistry<Held> = new FinalizationRegistry((held) => {
    this.#dropped.push(held);
  });
  /** Resources of WASI's that a component has given away to the embedder. */
  readonly #given: WeakSet<object> = new WeakSet();

  /** Rejects calls that wait when their component is stopped. */
  guard: (value: Promise<unknown>) => Promise<unknown> = (value) => value;

  constructor(store: Store) {
    this.#store = store;
  }

  out(type: ResourceType, representation: unknown, own: boolean): unknown {
    if (type.owner === undefined) {
      if (own && type.Class !== undefined) this.#given.add(representation as object);
      return representation;
    }
    const object = new (this.classOf(type))(EMPTY);
    const held = { type, representation, own };
    this.#held.set(object, held);
    if (own) this.#abandoned.register(object, held, held);
    return object;
  }

  in(type: ResourceType, value: unknown, own: boolean): unknown {
    if (typeof value !== "object" || value === null) throw wrongResource(value, type);
    if (type.owner === undefined) {
      if (type instanceof EmbeddedResource && !type.has(value)) throw wrongResource(value, type);
      const { Class } = type;
      if (Class === undefined) return value;
      if (!Object.prototype.isPrototypeOf.call(Class.prototype, value)) {
        throw wrongResource(value, type);
      }
      // who takes it closes it: nobody may give it twice
      if (own && !this.#given.delete(value)) throw givenAway(type);
      return value;
    }
    const held = this.#held.get(value);
    if (held === undefined && value instanceof this.classOf(type)) throw givenAway(type);
    if (held === undefined || held.type !== type) throw wrongResource(value, type);
    if (own) {
      if (!held.own) throw givenAway(type);
      held.own = false;
      this.#held.delete(value);
      this.#abandoned.unregister(held);
    }
    return held.representation;
  }

  /** Drops what nobody has any more. */
  tidy(): void {
    if (this.#dropped.length === 0) return;
    for (const held of this.#dropped.splice(0)) {
      try {
        this.#drop(held);
      } catch {
        // a trap: the store is stopped, as the caller is told
      }
    }
  }

  #drop(held: Held): void {
    if (!held.own || this.#store.over) return;
    if ((held.type.owner as Entered).entered) {
      this.#dropped.push(held); // its destructor runs when the call that is under way has returned
      return;
    }
    held.own = false;
    held.type.destroy?.(held.representation);
  }

  /** The class of a resource. Its methods are added by who exports it. */
  classOf(type: ResourceType): new (...values: unknown[]) => object {
    let Class = this.#classes.get(type);
    if (Class !== undefined) return Class;
    const name = pascalCase(type.name ?? "resource");
    // deno-lint-ignore no-this-alias
    const side = this;
    let make: AnyFunction | undefined;
    Class = {
      [name]: class {
        constructor(...values: unknown[]) {
          if (values[0] === EMPTY) return;
          if (make === undefined) throw new TypeError(`${name} has no constructor`);
          return make(...values) as never;
        }

        [Symbol.dispose](): void {
          const held = side.#held.get(this);
          if (held === undefined) return;
          side.#held.delete(this);
          side.#abandoned.unregister(held);
          side.#drop(held);
        }

        static [MAKE](by: AnyFunction): void {
          make = by;
        }
      },
    }[name]! as unknown as new (...values: unknown[]) => object;
    this.#classes.set(type, Class);
    return Class;
  }
}

/** Gives a class its constructor. */
const MAKE: unique symbol = Symbol("make");

/** The value of a function, or what a `result` says is wrong, thrown. */
function unwrapped(value: unknown): unknown {
  const { tag, val } = value as { tag: string; val: unknown };
  if (tag === "err") throw new ComponentError(val);
  return val;
}

/** What the embedder is to see of what stopped a component. */
export function causeOf(error: unknown): unknown {
  if (error instanceof GuestAborted) return error.cause;
  return isException(error) ? uncaught(error) : error;
}

/** Throws what stopped the component, not that it was stopped. */
function fail(error: unknown): never {
  throw causeOf(error);
}

/** A component's function as one of JavaScript; gives a promise if it may wait and is suspended. */
function functionFor(item: ComponentFunction, side: JavaScriptSide): AnyFunction {
  const { call } = item.sided!(side);
  const isResult = item.type!.result?.kind === "result";
  const finish = isResult ? unwrapped : (value: unknown): unknown => value;
  return (...values) => {
    side.tidy();
    try {
      const value = call(...values);
      if (!(value instanceof Promise)) return finish(value);
      return side.guard(value.then(finish, fail));
    } catch (error) {
      return fail(error);
    }
  };
}

/** Puts something under a name that a component has chosen. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

/** How deep instances may be within each other. */
const DEPTH_MAX = 100;

/** What the exports of a component are made with. */
interface Making {
  readonly side: JavaScriptSide;
  /** An instance that is exported under several names is the same object. */
  readonly made: Map<InstanceItem, Record<string, unknown>>;
  depth: number;
}

/** What an instance exports, as an object of functions and classes. */
function objectOf(instance: InstanceItem, making: Making): Record<string, unknown> {
  let object = making.made.get(instance);
  if (object !== undefined) return object;
  if (++making.depth > DEPTH_MAX) throw componentError(`exports more than ${DEPTH_MAX} deep`);
  making.made.set(instance, object = {});
  for (const name of instance.names ?? []) addExport(object, name, instance, making);
  making.depth--;
  return object;
}

function addExport(
  object: Record<string, unknown>,
  name: string,
  instance: InstanceItem,
  making: Making,
): void {
  const { side } = making;
  const item = instance.get(name)!;
  if (item.sort === "type") {
    if (item.of === "resource" && item.type.owner !== undefined) {
      define(object, pascalCase(name), side.classOf(item.type));
    }
    return;
  }
  if (item.sort === "instance") {
    const inner = objectOf(item, making);
    define(object, name, inner);
    const { name: plain } = withoutVersion(name);
    // the usual short name, and the one without a version, unless others have them
    const short = camelCase(plain.slice(plain.lastIndexOf("/") + 1));
    for (const other of [plain, short]) {
      if (!Object.hasOwn(object, other)) define(object, other, inner);
    }
    return;
  }
  if (item.sort !== "func" || item.sided === undefined) return;
  const of = functionFor(item, side);
  const special = SPECIAL.exec(name);
  if (special === null) return define(object, camelCase(name), of);
  const [, kind, resource, member] = special;
  const type = instance.get(resource!);
  if (type?.sort !== "type" || type.of !== "resource") return;
  const Class = side.classOf(type.type);
  if (kind === "constructor") (Class as unknown as Record<symbol, AnyFunction>)[MAKE]!(of);
  else if (kind === "static") {
    // a class has its prototype for itself
    if (camelCase(member!) !== "prototype") define(Class, camelCase(member!), of);
  } else {
    define(
      Class.prototype as object,
      camelCase(member!),
      function (this: unknown, ...values: unknown[]) {
        return of(this, ...values);
      },
    );
  }
}

/** The exports of a component for JavaScript. */
export function exportsOf(instance: InstanceItem, side: JavaScriptSide): Record<string, unknown> {
  return objectOf(instance, { side, made: new Map(), depth: 0 });
}
