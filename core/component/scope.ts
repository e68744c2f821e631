/**
 * What the definitions of a component stand for, and the spaces of numbers that they are named by.
 * The interface of what runs them is here too: machine.ts runs, looking.ts only looks.
 *
 * @module
 */
import type { CanonicalOptions, ComponentBinary, Declaration, ExternType, Sort } from "./binary.ts";
import { componentError } from "./errors.ts";
import type { ComponentFunction, Entered } from "./function.ts";
import { HandleCount } from "./handles.ts";
import { type FunctionType, ResourceType, type ValueType } from "./types.ts";

/** How deep types and instances may be nested. */
export const DEPTH_MAX = 100;

/**
 * Most that is done to put a component together: definitions that are taken, however often their
 * component is instantiated, and parts of types that are made or compared.
 */
const WORK_MAX = 1_000_000;

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
