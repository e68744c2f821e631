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
import {
  addAlias,
  declaredOnly,
  FUNCTION_WORK,
  matched,
  outer,
  spendOnFunction,
} from "./matching.ts";
import {
  type Canonical,
  type ComponentItem,
  type CoreInstance,
  type InstanceItem,
  type Item,
  type Machine,
  type ModuleItem,
  type Owner,
  Scope,
} from "./scope.ts";
import { functionType, resourceAt, typeItem } from "./resolve.ts";
import type { CanonicalOptions, Definition, ExternType, Named, Sort } from "./binary.ts";
import { componentError } from "./errors.ts";
import type { ComponentFunction } from "./function.ts";
import { HandleTable } from "./handles.ts";
import type { FunctionType } from "./types.ts";

/** Most instances that a component may make, of modules and of components. */
const INSTANCES_MAX = 10_000;

/** The sorts that components import and export. */
const ITEMS: ReadonlySet<Sort> = new Set(["core module", "func", "type", "component", "instance"]);

/** The sorts that core instances export. */
const CORE_ITEMS: ReadonlySet<Sort> = new Set(
  ["core func", "core table", "core memory", "core global", "core tag"],
);

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
