/**
 * What the embedder gives to a component: functions, interfaces and classes.
 *
 * @module
 */
import { type Err, ThrownErr } from "./err.ts";
import { linkError } from "./errors.ts";
import type { ComponentFunction } from "./function.ts";
import type { InstanceItem, Item } from "./scope.ts";
import type { ExternType } from "./binary.ts";
import { camelCase, compatibility, pascalCase, withoutVersion } from "./names.ts";
import { dispose, ResourceType } from "./types.ts";

// deno-lint-ignore no-explicit-any
export type AnyFunction = (...values: any[]) => any;

/** What a component is given besides WASI, by the names that it imports. */
export type ComponentImports = Readonly<Record<string, unknown>>;

/** What a function of the embedder's has thrown, as the error of a `result`. */
function errOf(thrown: unknown): Err {
  if (typeof thrown === "object" && thrown !== null && Object.hasOwn(thrown, "payload")) {
    return new ThrownErr((thrown as { payload: unknown }).payload, thrown);
  }
  if (thrown instanceof Error) throw thrown;
  return new ThrownErr(thrown, thrown);
}

/** Whether a function says that it gives promises. */
function isAsync(call: AnyFunction): boolean {
  return Object.prototype.toString.call(call) === "[object AsyncFunction]";
}

function embedded(
  call: AnyFunction,
  self: unknown,
  name: string,
  waits: boolean = isAsync(call),
): ComponentFunction {
  const attempt = (act: () => unknown): unknown => {
    try {
      const value = act();
      if (!(value instanceof Promise)) return value;
      if (waits) return value.catch(errOf);
      value.catch(() => {});
      throw new TypeError(`${name} gives a promise: declare it as an async function`);
    } catch (error) {
      return errOf(error);
    }
  };
  return {
    sort: "func",
    type: undefined,
    origin: "embedder",
    waits,
    call: (...values) => attempt(() => Reflect.apply(call, self, values)),
  };
}

/** A class that the embedder gives. */
type GivenClass = Record<string, unknown> & { prototype: Record<string, unknown> };

/** A resource of the embedder's: instances of a class, if there is one, else any objects. */
export class EmbeddedResource extends ResourceType {
  readonly #class: unknown;

  constructor(name: string, Class: unknown) {
    super(name, undefined, dispose);
    this.#class = Class;
  }

  has(object: object): boolean {
    return typeof this.#class !== "function" || object instanceof this.#class;
  }
}

/** An interface that the embedder gives, or all that it gives by a name that is none. */
class EmbeddedInstance implements InstanceItem {
  readonly sort = "instance" as const;
  /** What it is called in messages. */
  readonly #what: string;
  readonly #functions: (name: string) => unknown;
  readonly #classes: (name: string) => unknown;
  /** What its functions are called on. */
  readonly #self: unknown;
  readonly #items: Map<string, Item> = new Map();

  constructor(
    what: string,
    functions: (name: string) => unknown,
    classes: (name: string) => unknown,
    self: unknown,
  ) {
    this.#what = what;
    this.#functions = functions;
    this.#classes = classes;
    this.#self = self;
  }

  get names(): string[] {
    return [...this.#items.keys()];
  }

  get(name: string, type?: ExternType): Item | undefined {
    let item = this.#items.get(name);
    if (item === undefined) {
      item = type?.sort === "type" ? this.#resource(name, type) : this.#function(name);
      if (item !== undefined) this.#items.set(name, item);
    }
    return item;
  }

  #resource(name: string, type: ExternType & { sort: "type" }): Item | undefined {
    if (type.equals !== undefined) return undefined;
    const resource = new EmbeddedResource(name, this.#classes(name));
    return { sort: "type", of: "resource", type: resource };
  }

  #class(name: string): GivenClass {
    const Class = this.#classes(name);
    // a function without a prototype is no class
    if (
      typeof Class !== "function" ||
      typeof (Class as { prototype?: unknown }).prototype !== "object"
    ) {
      throw linkError(`${this.#what} has no class ${pascalCase(name)}`);
    }
    return Class as unknown as GivenClass;
  }

  #function(name: string): Item | undefined {
    const special = SPECIAL.exec(name);
    if (special === null) {
      const call = this.#functions(name);
      return typeof call === "function"
        ? embedded(call as AnyFunction, this.#self, name)
        : undefined;
    }
    const [, kind, resource, short] = special;
    const Class = this.#class(resource!);
    if (kind === "constructor") {
      const construct = (...values: unknown[]): unknown =>
        Reflect.construct(Class as unknown as new () => object, values) as unknown;
      return embedded(construct, undefined, name);
    }
    if (kind === "static") {
      const call = member(Class, camelCase(short!));
      return typeof call === "function" ? embedded(call as AnyFunction, Class, name) : undefined;
    }
    const method = member(Class.prototype, camelCase(short!));
    if (typeof method !== "function") return undefined;
    const call = (self: unknown, ...values: unknown[]): unknown =>
      Reflect.apply(method, self, values);
    return embedded(call, undefined, name, isAsync(method as AnyFunction));
  }
}

/** Names of what belongs to a resource. */
export const SPECIAL: RegExp = /^\[(method|static|constructor)\]([^.]+)(?:\.(.+))?$/;

/** A member of the embedder's, but none that comes with being an object or a class. */
export function member(holder: object, name: string): unknown {
  for (
    let at: object | null = holder;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    if (at === Object.prototype || at === Function.prototype) return undefined;
    if (Object.hasOwn(at, name)) {
      return name === "constructor" ? undefined : (holder as Record<string, unknown>)[name];
    }
  }
  return undefined;
}

/** What the embedder gives under a name, or one of a compatible version. */
function givenAs(imports: ComponentImports, wanted: string): unknown {
  if (Object.hasOwn(imports, wanted)) return imports[wanted];
  const { name, version } = withoutVersion(wanted);
  if (version !== undefined && Object.hasOwn(imports, name)) return imports[name];
  const key = Object.keys(imports).find((key) => {
    const given = withoutVersion(key);
    return given.name === name && compatibility(given.version) === compatibility(version);
  });
  return key === undefined ? undefined : imports[key];
}

/** What the embedder gives to a component. */
export class EmbeddedImports {
  readonly #imports: ComponentImports;
  /** What is imported by itself: functions, and resources with what belongs to them. */
  readonly #single: EmbeddedInstance;

  constructor(imports: ComponentImports) {
    this.#imports = imports;
    const classes = (name: string): unknown => {
      const given = givenAs(imports, name);
      if (typeof given !== "object" || given === null) return given;
      return (given as { default?: unknown }).default ?? member(given, pascalCase(name));
    };
    const functions = (name: string): unknown => {
      const given = givenAs(imports, name);
      // jco wants functions as the default export of a module
      return typeof given === "object" && given !== null
        ? (given as { default?: unknown }).default
        : given;
    };
    this.#single = new EmbeddedInstance("options.imports", functions, classes, undefined);
  }

  /** What is given for an import, if anything. */
  item(name: string, type: ExternType): Item | undefined {
    const special = SPECIAL.exec(name);
    const given = givenAs(this.#imports, special === null ? name : special[2]!);
    if (given === undefined) return undefined;
    if (type.sort === "instance" && (typeof given === "object" || typeof given === "function")) {
      const namespace = given as Record<string, unknown>;
      return new EmbeddedInstance(
        `options.imports["${name}"]`,
        (name) => member(namespace, camelCase(name)) ?? member(namespace, name),
        (name) => member(namespace, pascalCase(name)),
        namespace,
      );
    }
    const item = type.sort === "func" || type.sort === "type"
      ? this.#single.get(name, type)
      : undefined;
    if (item !== undefined || type.sort === "type") return item;
    throw linkError(`options.imports["${name}"] must be ${type.sort}`);
  }
}

/** Whether an async function is among the imports, as itself, in an interface or in a class. */
export function hasAsync(imports: ComponentImports): boolean {
  return Object.values(imports).some((given) => anyAsync(given, 3));
}

function anyAsync(given: unknown, depth: number): boolean {
  if (typeof given === "function" && isAsync(given as AnyFunction)) return true;
  if ((typeof given !== "object" && typeof given !== "function") || given === null) return false;
  if (depth === 0) return false;
  for (
    let at: object | null = given;
    at !== null && at !== Object.prototype && at !== Function.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === "function" && value !== given && anyAsync(value, depth - 1)) return true;
      if (at === given && typeof value === "object" && anyAsync(value, depth - 1)) return true;
    }
  }
  return false;
}
