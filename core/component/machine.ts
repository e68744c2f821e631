/**
 * Runs what a component is made of: compiles its modules, instantiates them, and makes the functions
 * between them.
 *
 * @module
 */
import { isMemory } from "../preview1/memory.ts";
import type { Sort } from "./binary.ts";
import type { CodecContext, ResourceSide } from "./codecs/codec.ts";
import { componentError, linkError } from "./errors.ts";
import { type ComponentFunction, lift, lower } from "./function.ts";
import type { Canonical, CoreInstance, Machine, ModuleItem, Owner } from "./scope.ts";
import { LinearMemory, type Realloc } from "./memory.ts";
import type { Store } from "./store.ts";
import { type CoreType, type ImportedFunction, requireType, typed } from "./typed.ts";
import { Trap } from "./trap.ts";
import { type FunctionType, ResourceType } from "./types.ts";

/** What a module gets beside what the component gives it. */
export interface Extra {
  readonly imports: WebAssembly.Imports;
  /** Called with each instance. */
  bind(instance: WebAssembly.Instance): void;
}

/** A compiled module. */
export interface Compiled {
  readonly module: WebAssembly.Module;
  /** What it exports without what was built in; undefined if nothing was. */
  readonly exports: ReadonlySet<string> | undefined;
}

/**
 * Compiles the modules of a component, with whatever is built into them. A module that imports from
 * where that comes from is refused.
 */
export type Compile = (bytes: Uint8Array) => Promise<Compiled>;

const REALLOC: CoreType = { parameters: ["i", "i", "i", "i"], results: ["i"] };
const DESTRUCTOR: CoreType = { parameters: ["i"], results: [] };

/** A machine that runs. */
export class RunningMachine implements Machine {
  readonly #store: Store;
  readonly #compile: Compile;
  readonly #extra: (() => Extra) | undefined;
  /** How the embedder's functions see resources. */
  readonly #side: ResourceSide;
  readonly #modules: Map<Uint8Array, Promise<Compiled>> = new Map();
  readonly #memories: WeakMap<WebAssembly.Memory, LinearMemory> = new WeakMap();
  /** What makes room only where it was told to. */
  readonly #fixed: WeakSet<object> = new WeakSet();

  constructor(
    store: Store,
    compile: Compile,
    extra: (() => Extra) | undefined,
    side: ResourceSide,
  ) {
    this.#store = store;
    this.#compile = compile;
    this.#extra = extra;
    this.#side = side;
  }

  /** Begins to compile a module, so that several are compiled at once. */
  compile({ bytes }: ModuleItem): Promise<Compiled> {
    let module = this.#modules.get(bytes);
    if (module === undefined) {
      this.#modules.set(bytes, module = this.#compile(bytes));
      module.catch(() => {}); // who needs it is told
    }
    return module;
  }

  async instantiate(
    item: ModuleItem,
    given: ReadonlyMap<string, CoreInstance>,
  ): Promise<CoreInstance> {
    const { module, exports: own } = await this.compile(item);
    const imports: Record<string, WebAssembly.ModuleImports> = Object.create(null);
    // what is built in comes from here alone: a component cannot replace it (see `Compile`)
    const extra = own === undefined ? undefined : this.#extra?.();
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      const namespace = imports[from] ??= Object.create(null) as WebAssembly.ModuleImports;
      const value = extra !== undefined && Object.hasOwn(extra.imports, from)
        ? extra.imports[from]![name]
        : given.get(from)?.get(name);
      if (value === undefined) {
        throw componentError(`a module imports ${from} ${name} (${kind}), which is not there`);
      }
      namespace[name] = value as WebAssembly.ImportValue;
    }
    const instance = await this.#instance(module, imports);
    extra?.bind(instance);
    const { exports } = instance;
    for (const value of Object.values(exports)) {
      if (isMemory(value) || value instanceof WebAssembly.Table) this.#store.addSpace(value);
    }
    const has = own ?? new Set(Object.keys(exports));
    // the adapter of preview1: it hands out the buffers of the module's calls, once for each
    const realloc = exports.cabi_import_realloc;
    if (typeof realloc === "function") this.#fixed.add(realloc);
    return { get: (name) => has.has(name) ? exports[name] : undefined };
  }

  async #instance(
    module: WebAssembly.Module,
    imports: WebAssembly.Imports,
  ): Promise<WebAssembly.Instance> {
    try {
      return await WebAssembly.instantiate(module, imports);
    } catch (error) {
      if ((error as Error)?.name !== "SuspendError") throw error;
      throw linkError("it waits while its modules are instantiated, where it cannot be suspended");
    }
  }

  isOfSort(value: unknown, sort: Sort): boolean {
    switch (sort) {
      case "core func":
        return typeof value === "function";
      case "core memory":
        return isMemory(value);
      case "core table":
        return value instanceof WebAssembly.Table;
      case "core global":
        return value instanceof WebAssembly.Global;
      default:
        return value !== undefined;
    }
  }

  #context(
    owner: Owner,
    { encoding, memory, realloc }: Canonical,
    side: ResourceSide | undefined,
    host: boolean,
  ): CodecContext {
    if (realloc !== undefined) requireType(realloc as ImportedFunction, REALLOC, "realloc");
    return {
      memory: memory === undefined ? undefined : this.#memory(memory as WebAssembly.Memory),
      realloc: realloc === undefined
        ? undefined
        : guarded(this.#store, owner, realloc as ImportedFunction),
      encoding,
      handles: owner.handles,
      owner,
      side,
      host,
      fixed: this.#fixed.has(realloc as object),
    };
  }

  #memory(memory: WebAssembly.Memory): LinearMemory {
    this.#store.addSpace(memory);
    let linear = this.#memories.get(memory);
    if (linear === undefined) this.#memories.set(memory, linear = new LinearMemory(memory));
    return linear;
  }

  lower(owner: Owner, target: ComponentFunction, canonical: Canonical): ImportedFunction {
    const side = target.origin === "embedder" ? this.#side : undefined;
    const cx = this.#context(owner, canonical, side, target.origin === "wasi");
    return lower({ store: this.#store, instance: owner, cx }, target.type!, target);
  }

  lift(
    owner: Owner,
    core: unknown,
    type: FunctionType,
    canonical: Canonical,
    postReturn: unknown,
  ): ComponentFunction {
    return lift({
      store: this.#store,
      instance: owner,
      cx: this.#context(owner, canonical, undefined, false),
      core: core as ImportedFunction,
      postReturn: postReturn as ImportedFunction | undefined,
      waits: owner.waits,
    }, type);
  }

  resource(owner: Owner, kind: string, type: ResourceType): ImportedFunction {
    const store = this.#store;
    const { handles } = owner;
    const calling = (call: (value: number) => number | undefined): ImportedFunction => (value) => {
      try {
        store.enter();
        if (!owner.mayLeave && kind !== "resource.rep") {
          throw new Trap(`${kind} while the instance makes room for values`);
        }
        return call(value >>> 0);
      } catch (error) {
        return store.fail(error);
      }
    };
    const results = kind === "resource.drop" ? [] : ["i" as const];
    const core = { parameters: ["i" as const], results };
    if (kind === "resource.drop") {
      return typed(
        calling((index) => {
          const { representation, scope } = handles.remove(index, type);
          if (scope !== undefined) scope.borrows--;
          else type.destroy?.(representation, owner);
          return undefined;
        }),
        core,
        undefined,
      );
    }
    if (type.owner !== owner) {
      throw componentError(`${kind} of a resource that is not the component's own`);
    }
    return typed(
      calling((value) =>
        kind === "resource.new"
          ? handles.add(type, value, undefined)
          : handles.get(value, type).representation as number
      ),
      core,
      undefined,
    );
  }

  resourceType(owner: Owner, destructor: unknown): ResourceType {
    if (destructor === undefined) return new ResourceType(undefined, owner);
    const core = destructor as ImportedFunction;
    requireType(core, DESTRUCTOR, "a destructor");
    const store = this.#store;
    return new ResourceType(undefined, owner, (representation, by) => {
      if (by === owner) return core(representation);
      if (owner.entered) throw new Trap("a destructor while one of the instance's calls runs");
      owner.entered = true;
      try {
        core(representation);
      } catch (error) {
        store.stop(error); // nothing of it can be called again
        throw error;
      }
      owner.entered = false;
    });
  }
}

/** What makes room for values: meanwhile the instance calls nobody. */
function guarded(store: Store, owner: Owner, realloc: ImportedFunction): Realloc {
  return (old, oldSize, align, size) => {
    owner.mayLeave = false;
    try {
      const pointer = realloc(old, oldSize, align, size) as number;
      owner.mayLeave = true;
      return pointer;
    } catch (error) {
      store.stop(error); // nothing of it can be called again
      throw error;
    }
  };
}
