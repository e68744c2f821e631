/**
 * Puts a component together: its modules, its own components, and what it imports.
 *
 * Definitions are taken in the order of the bytes; each adds to one of the spaces of numbers that
 * those after it name. What runs modules is separate (machine.ts), so that a component can also be
 * gone through to see what it imports and exports (world.ts).
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md
 *
 * @module
 */
import type {
  AliasDefinition,
  CanonicalOptions,
  ComponentBinary,
  Declaration,
  Definition,
  ExternType,
  Named,
  Sort,
  TypeDefinition,
  TypeReference,
} from "./binary.ts";
import { componentError, linkError } from "./errors.ts";
import type { ComponentFunction, Entered } from "./function.ts";
import { HandleCount, HandleTable } from "./handles.ts";
import {
  type FunctionType,
  ResourceType,
  sameFunction,
  sameType,
  showFunction,
  type ValueType,
} from "./types.ts";

/** Most instances that a component may make, of modules and of components. */
const INSTANCES_MAX = 10_000;
/** Most parts of a type, counted wherever they are named. */
const WEIGHT_MAX = 100_000;
/** How deep types, instances and components may be within each other. */
const DEPTH_MAX = 100;
/**
 * Most that is done to put a component together: definitions that are taken, however often their
 * component is instantiated, and parts of types that are made or compared.
 */
const WORK_MAX = 1_000_000;
/** What a function between modules takes of it: an instance of the engine's. */
const FUNCTION_WORK = 64;
/** What an instance takes that is looked at by its type. */
const INSTANCE_WORK = 16;

/** The sorts that components import and export. */
const ITEMS: ReadonlySet<Sort> = new Set(["core module", "func", "type", "component", "instance"]);
/** The sorts that core instances export. */
const CORE_ITEMS: ReadonlySet<Sort> = new Set(
  ["core func", "core table", "core memory", "core global", "core tag"],
);
/** The sorts of what is the same in all instances, which those within them see. */
const OUTER: ReadonlySet<Sort> = new Set(["core module", "core type", "type", "component"]);

/** What putting a component together takes. */
class Work {
  /** of all its instances */
  readonly handles: HandleCount = new HandleCount();
  #left = WORK_MAX;
  #depth = 0;

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw componentError(`linking it takes more than ${WORK_MAX} steps`);
  }

  /** Something within something else. What throws ends all of it. */
  enter(): void {
    if (++this.#depth > DEPTH_MAX) throw componentError(`instances more than ${DEPTH_MAX} deep`);
  }

  leave(): void {
    this.#depth--;
  }
}

/** A type, whatever it is of. */
export type TypeItem =
  | { readonly sort: "type"; readonly of: "value"; readonly type: ValueType }
  | { readonly sort: "type"; readonly of: "func"; readonly type: FunctionType }
  | { readonly sort: "type"; readonly of: "resource"; readonly type: ResourceType }
  | {
    readonly sort: "type";
    readonly of: "instance" | "component";
    readonly declarations: readonly Declaration[];
    readonly scope: Scope;
  };

/** An instance: what it exports, by name. */
export interface InstanceItem {
  readonly sort: "instance";
  /**
   * What it exports under a name; `type` is what is wanted, its numbers those of `scope`, for who
   * gives anything.
   */
  get(name: string, type?: ExternType, scope?: Scope): Item | undefined;
  /** Its exports in their order, where it has one. */
  readonly names?: readonly string[];
}

/** A component that can be instantiated, and where its outer names are. */
export interface ComponentItem {
  readonly sort: "component";
  readonly binary: ComponentBinary;
  readonly scope: Scope | undefined;
}

/** A module of core WebAssembly. */
export interface ModuleItem {
  readonly sort: "core module";
  readonly bytes: Uint8Array;
}

/** What a name of a component can stand for. */
export type Item = ComponentFunction | TypeItem | InstanceItem | ComponentItem | ModuleItem;

/** Something of core WebAssembly, whose sort is seen by what it is. */
export interface CoreItem {
  readonly sort: Sort;
  readonly value: unknown;
}

/** What a core instance exports. */
export interface CoreInstance {
  get(name: string): unknown;
}

/** An instance of a component while it is put together. */
export interface Owner extends Entered {
  /** Whether anything that it imports may wait. */
  waits: boolean;
}

/** What the linker has made by others: the machine that runs modules, or what only looks. */
export interface Machine {
  /** A core instance of a module. */
  instantiate(
    module: ModuleItem,
    imports: ReadonlyMap<string, CoreInstance>,
  ): Promise<CoreInstance> | CoreInstance;
  /** Whether an export of a core instance is of a sort. */
  isOfSort(value: unknown, sort: Sort): boolean;
  lower(owner: Owner, target: ComponentFunction, canonical: Canonical): unknown;
  lift(
    owner: Owner,
    core: unknown,
    type: FunctionType,
    canonical: Canonical,
    postReturn: unknown,
  ): ComponentFunction;
  /** `resource.new`, `resource.drop` and `resource.rep`. */
  resource(owner: Owner, kind: string, type: ResourceType): unknown;
  /** A resource of the component's own. */
  resourceType(owner: Owner, destructor: unknown): ResourceType;
  /** For what only looks: an item under the name and with the type that it is declared with. */
  declared?(scope: Scope, name: string, type: ExternType | undefined, item: Item): Item;
}

/** Canonical options, their numbers resolved. */
export interface Canonical {
  readonly encoding: CanonicalOptions["encoding"];
  readonly memory: unknown;
  readonly realloc: unknown;
}

/** The spaces of numbers of a component, or of a type of one. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly work: Work;
  readonly coreFunctions: unknown[] = [];
  readonly coreTables: unknown[] = [];
  readonly coreMemories: unknown[] = [];
  readonly coreGlobals: unknown[] = [];
  readonly coreTags: unknown[] = [];
  readonly coreTypes: unknown[] = [];
  readonly modules: ModuleItem[] = [];
  readonly coreInstances: CoreInstance[] = [];
  readonly functions: ComponentFunction[] = [];
  readonly types: TypeItem[] = [];
  readonly components: ComponentItem[] = [];
  readonly instances: InstanceItem[] = [];

  constructor(parent: Scope | undefined) {
    this.parent = parent;
    this.work = parent?.work ?? new Work();
  }

  space(sort: Sort): unknown[] {
    switch (sort) {
      case "core func":
        return this.coreFunctions;
      case "core table":
        return this.coreTables;
      case "core memory":
        return this.coreMemories;
      case "core global":
        return this.coreGlobals;
      case "core tag":
        return this.coreTags;
      case "core type":
        return this.coreTypes;
      case "core module":
        return this.modules;
      case "core instance":
        return this.coreInstances;
      case "func":
        return this.functions;
      case "type":
        return this.types;
      case "component":
        return this.components;
      case "instance":
        return this.instances;
      default:
        throw componentError("values of components are not supported");
    }
  }

  at(sort: Sort, index: number): unknown {
    const space = this.space(sort);
    if (index >= space.length) throw componentError(`there is no ${sort} ${index}`);
    return space[index];
  }

  add(item: Item): void {
    this.space(item.sort).push(item);
  }
}

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

function weightOf(type: ValueType | undefined): Weight {
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

function resourceAt(scope: Scope, index: number): ResourceType {
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
function typeItem(
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

/** Takes an alias; outer ones count scopes. */
function outer(scope: Scope, { sort, count, index }: AliasDefinition & { kind: "alias outer" }) {
  if (!OUTER.has(sort)) throw componentError(`an outer alias of the sort ${sort}`);
  let from: Scope | undefined = scope;
  for (let i = 0; i < count && from !== undefined; i++) from = from.parent;
  if (from === undefined) throw componentError("an alias of what is outside of the component");
  return from.at(sort, index);
}

/** An instance without exports. */
const EMPTY: InstanceItem = { sort: "instance", get: () => undefined, names: [] };

/** An item whose type the place where it is used declares. */
function bound(item: ComponentFunction, type: FunctionType): ComponentFunction {
  return { ...item, type };
}

/**
 * Looks whether an item is what is declared, and gives it with the types that the declaration gives
 * it.
 *
 * @param what what it is called in messages
 */
function matched(scope: Scope, type: ExternType, item: Item | undefined, what: string): Item {
  if (type.sort === "value") throw componentError("values of components are not supported");
  // an interface that has only types need not be given
  if (item === undefined && type.sort === "instance") item = EMPTY;
  if (item === undefined) throw linkError(`it imports ${what}, which is not there`);
  if (item.sort !== type.sort) {
    throw linkError(`it imports ${what} as ${type.sort}, which is ${item.sort}`);
  }
  scope.work.spend(1);
  switch (item.sort) {
    case "func": {
      const wanted = functionType(scope, (type as { type: number }).type);
      if (item.type === undefined) return bound(item, wanted);
      spendOnFunction(scope, wanted);
      if (sameFunction(wanted, item.type)) return item;
      throw linkError(
        `it imports ${what} as ${shown(wanted)}, which is ${shown(item.type)}`,
      );
    }
    case "type": {
      const { equals } = type as { equals: number | undefined };
      if (equals === undefined) {
        if (item.of === "resource") return item;
        throw linkError(`it imports ${what} as a resource, which is another type`);
      }
      const wanted = scope.at("type", equals) as TypeItem;
      if (wanted.of === "value") scope.work.spend(weightOf(wanted.type).weight);
      else if (wanted.of === "func") spendOnFunction(scope, wanted.type);
      const same = wanted.of === item.of &&
        (wanted.of === "value"
          ? sameType(wanted.type, (item as typeof wanted).type)
          : wanted.of === "func"
          ? sameFunction(wanted.type, (item as typeof wanted).type)
          : wanted.of !== "resource" || wanted.type === (item as typeof wanted).type);
      if (same) return item;
      throw linkError(`it imports the type ${what} with another meaning`);
    }
    case "instance": {
      const wanted = scope.at("type", (type as { type: number }).type) as TypeItem;
      if (wanted.of !== "instance") throw componentError("an instance of what is no such type");
      return matchedInstance(wanted, item, what);
    }
    default:
      return item; // what components and modules import and export shows when they are instantiated
  }
}

/** Takes what comparing a function, or making what carries its values, costs. */
function spendOnFunction({ work }: Scope, { parameters, result }: FunctionType): void {
  for (const { type } of parameters) work.spend(weightOf(type).weight);
  work.spend(weightOf(result).weight);
}

/** The type of a function for a message. */
function shown(type: FunctionType): string {
  const text = showFunction(type);
  return text.length > 1000 ? `${text.slice(0, 1000)}…` : text;
}

/** An instance as its type declares it. */
function matchedInstance(
  { declarations, scope: outerScope }: TypeItem & { of: "instance" | "component" },
  instance: InstanceItem,
  what: string,
): InstanceItem {
  const scope = new Scope(outerScope);
  const { work } = scope;
  const found = new Map<string, Item>();
  work.enter();
  work.spend(INSTANCE_WORK + declarations.length);
  for (const declaration of declarations) {
    switch (declaration.kind) {
      case "core type":
        scope.coreTypes.push(undefined);
        break;
      case "type":
        if (declaration.type.kind === "resource") {
          throw componentError("a resource is defined within a type");
        }
        scope.types.push(typeItem(scope, declaration.type));
        break;
      case "alias outer":
        scope.space(declaration.sort).push(outer(scope, declaration));
        break;
      case "alias export":
        addAlias(scope, declaration);
        break;
      case "export": {
        const { name, type } = declaration;
        const given = instance.get(name, type, scope) ?? declaredOnly(scope, type);
        const item = matched(scope, type, given, `${what} ${name}`);
        found.set(name, item);
        scope.add(item);
        break;
      }
      default:
        throw componentError(`${declaration.kind} in the type of an instance`);
    }
  }
  work.leave();
  return { sort: "instance", get: (name) => found.get(name), names: [...found.keys()] };
}

/** A type that says itself what it is need not be there. */
function declaredOnly(scope: Scope, type: ExternType): Item | undefined {
  if (type.sort !== "type" || type.equals === undefined) return undefined;
  return scope.at("type", type.equals) as TypeItem;
}

function addAlias(
  scope: Scope,
  { sort, instance, name }: AliasDefinition & { kind: "alias export" | "alias core export" },
): void {
  const from = scope.at("instance", instance) as InstanceItem;
  const item = from.get(name);
  if (item === undefined) throw componentError(`instance ${instance} does not export ${name}`);
  if (item.sort !== sort) throw componentError(`${name} of instance ${instance} is no ${sort}`);
  scope.add(item);
}

/** An instance of a component, by what it exports. */
export interface Linked extends InstanceItem {
  readonly owner: Owner;
  readonly names: readonly string[];
  /** What it was given, as it declares it. */
  readonly imports: ReadonlyMap<string, Item>;
}

/** Puts components together. */
export class Linker {
  readonly #machine: Machine;
  #instances = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** What a component is instantiated with, by name. */
  async link(
    { binary, scope: parent }: Omit<ComponentItem, "sort">,
    given: (name: string, type: ExternType, scope: Scope) => Item | undefined,
  ): Promise<Linked> {
    this.#count();
    const scope = new Scope(parent);
    const { work } = scope;
    work.enter();
    const owner: Owner = {
      handles: new HandleTable(work.handles),
      entered: false,
      mayLeave: true,
      waits: false,
    };
    const exports = new Map<string, Item>();
    const imports = new Map<string, Item>();
    for (const definition of binary.definitions) {
      work.spend(1);
      if (definition.kind === "import") {
        const { name, type } = definition;
        // an embedder does not give types that say themselves what they are
        let item = matched(
          scope,
          type,
          given(name, type, scope) ??
            (parent === undefined ? declaredOnly(scope, type) : undefined),
          name,
        );
        item = this.#machine.declared?.(scope, name, type, item) ?? item;
        owner.waits ||= mayWait(item);
        imports.set(name, item);
        scope.add(item);
      } else if (definition.kind === "export") {
        const { name, type, item: { sort, index } } = definition;
        if (!ITEMS.has(sort)) throw componentError(`the export ${name} is of the sort ${sort}`);
        let item = scope.at(sort, index) as Item;
        item = this.#machine.declared?.(scope, name, type, item) ?? item;
        if (item.sort === "type" && item.of === "resource") item.type.name ??= name;
        exports.set(name, item);
        scope.add(item);
      } else await this.#define(scope, owner, definition);
    }
    work.leave();
    return {
      sort: "instance",
      owner,
      get: (name) => exports.get(name),
      names: [...exports.keys()],
      imports,
    };
  }

  #count(): void {
    if (++this.#instances > INSTANCES_MAX) {
      throw componentError(`it makes more than ${INSTANCES_MAX} instances`);
    }
  }

  async #define(
    scope: Scope,
    owner: Owner,
    definition: Exclude<Definition, { kind: "import" | "export" }>,
  ): Promise<void> {
    const machine = this.#machine;
    switch (definition.kind) {
      case "core module":
        scope.modules.push({ sort: "core module", bytes: definition.bytes });
        return;
      case "core instance":
        scope.coreInstances.push(await this.#coreInstance(scope, definition));
        return;
      case "core type":
        scope.coreTypes.push(undefined);
        return;
      case "component":
        scope.components.push({ sort: "component", binary: definition.component, scope });
        return;
      case "instance":
        scope.instances.push(await this.#instance(scope, owner, definition));
        return;
      case "alias outer":
        scope.space(definition.sort).push(outer(scope, definition));
        return;
      case "alias export":
        return addAlias(scope, definition);
      case "alias core export": {
        const { instance, name, sort } = definition;
        if (!CORE_ITEMS.has(sort)) throw componentError(`a core alias of the sort ${sort}`);
        const value = (scope.at("core instance", instance) as CoreInstance).get(name);
        if (!machine.isOfSort(value, sort)) {
          throw componentError(`core instance ${instance} does not export ${name} as ${sort}`);
        }
        scope.space(sort).push(value);
        return;
      }
      case "type":
        if (definition.type.kind === "resource") {
          const { destructor } = definition.type;
          const core = destructor === undefined ? undefined : scope.at("core func", destructor);
          const type = machine.resourceType(owner, core);
          scope.types.push({ sort: "type", of: "resource", type });
        } else scope.types.push(typeItem(scope, definition.type));
        return;
      case "lift": {
        const core = scope.at("core func", definition.function);
        const type = functionType(scope, definition.type);
        const { options } = definition;
        refuseAsync(options, type);
        const after = options.postReturn;
        const postReturn = after === undefined ? undefined : scope.at("core func", after);
        const canonical = canonicalOf(scope, options);
        scope.work.spend(FUNCTION_WORK);
        spendOnFunction(scope, type);
        scope.functions.push(machine.lift(owner, core, type, canonical, postReturn));
        return;
      }
      case "lower": {
        const target = scope.at("func", definition.function) as ComponentFunction;
        refuseAsync(definition.options, target.type!);
        const canonical = canonicalOf(scope, definition.options);
        scope.work.spend(FUNCTION_WORK);
        spendOnFunction(scope, target.type!);
        scope.coreFunctions.push(machine.lower(owner, target, canonical));
        return;
      }
      case "canon":
        throw componentError(`it needs ${definition.name}, which is part of WASI 0.3`);
      default:
        scope.work.spend(FUNCTION_WORK);
        scope.coreFunctions.push(
          machine.resource(owner, definition.kind, resourceAt(scope, definition.type)),
        );
    }
  }

  async #coreInstance(
    scope: Scope,
    { module, items }: Definition & { kind: "core instance" },
  ): Promise<CoreInstance> {
    if (module === undefined) {
      const exports: Record<string, unknown> = Object.create(null);
      scope.work.spend(items.length);
      for (const { name, sort, index } of items) {
        if (!CORE_ITEMS.has(sort)) {
          throw componentError(`the core export ${name} of the sort ${sort}`);
        }
        exports[name] = scope.at(sort, index);
      }
      return { get: (name) => exports[name] };
    }
    this.#count();
    scope.work.spend(items.length);
    const imports = new Map<string, CoreInstance>();
    for (const { name, sort, index } of items) {
      imports.set(name, scope.at(sort, index) as CoreInstance);
    }
    return await this.#machine.instantiate(
      scope.at("core module", module) as ModuleItem,
      imports,
    );
  }

  async #instance(
    scope: Scope,
    owner: Owner,
    { component, items }: Definition & { kind: "instance" },
  ): Promise<InstanceItem> {
    const given = new Map<string, Item>();
    scope.work.spend(items.length);
    for (const { name, sort, index } of items as readonly Named[]) {
      if (!ITEMS.has(sort)) throw componentError(`${name} is of the sort ${sort}`);
      given.set(name, scope.at(sort, index) as Item);
    }
    if (component === undefined) {
      return { sort: "instance", get: (name) => given.get(name), names: [...given.keys()] };
    }
    const linked = await this.link(
      scope.at("component", component) as ComponentItem,
      (name) => given.get(name),
    );
    owner.waits ||= linked.owner.waits;
    return linked;
  }
}

function refuseAsync({ async }: CanonicalOptions, type: FunctionType): void {
  if (async || type.async) {
    throw componentError("it has asynchronous functions, which belong to WASI 0.3");
  }
}

function canonicalOf(scope: Scope, { encoding, memory, realloc }: CanonicalOptions): Canonical {
  return {
    encoding,
    memory: memory === undefined ? undefined : scope.at("core memory", memory),
    realloc: realloc === undefined ? undefined : scope.at("core func", realloc),
  };
}

/** Whether something that is imported may wait. */
function mayWait(item: Item): boolean {
  if (item.sort === "func") return item.waits;
  if (item.sort !== "instance") return false;
  for (const name of item.names ?? []) if (mayWait(item.get(name)!)) return true;
  return false;
}
