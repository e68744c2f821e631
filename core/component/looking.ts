/**
 * Goes through a component to see what it imports and exports. Nothing of it is compiled or run.
 *
 * Each declaration of a type gives a type of its own here, so that the names are known under which
 * types are used.
 *
 * @module
 */
import type { ExternType } from "./binary.ts";
import { componentError } from "./errors.ts";
import type { ComponentFunction } from "./function.ts";
import { copied, functionType } from "./resolve.ts";
import type { InstanceItem, Item, Machine, Owner, Scope, TypeItem } from "./scope.ts";
import { type Linked, Linker } from "./linker.ts";
import { readComponent } from "./reader.ts";
import { type FunctionType, ResourceType, type ValueType } from "./types.ts";

/** Most things that are looked at in what is imported. */
const LOOKED_MAX = 200_000;

/** What stands for all that only running gives. */
const SOMETHING: object = Object.freeze({});

/** What a component imports and exports. */
export interface Looked {
  readonly linked: Linked;
  /** The type that another one was declared to be. */
  readonly origins: ReadonlyMap<ValueType, ValueType>;
}

class LookingMachine implements Machine {
  readonly origins: Map<ValueType, ValueType> = new Map();
  #looked = 0;

  instantiate(): { get(): unknown } {
    return { get: () => SOMETHING };
  }

  isOfSort(): boolean {
    return true;
  }

  lower(): unknown {
    return SOMETHING;
  }

  lift(_: Owner, __: unknown, type: FunctionType): ComponentFunction {
    return uncallable(type, "component");
  }

  resource(): unknown {
    return SOMETHING;
  }

  resourceType(owner: Owner): ResourceType {
    return new ResourceType(undefined, owner);
  }

  declared(scope: Scope, _: string, type: ExternType | undefined, item: Item): Item {
    if (item.sort === "type") return this.named(item);
    return item.sort === "func" && type?.sort === "func"
      ? { ...item, type: functionType(scope, type.type) }
      : item;
  }

  /** A type that has a name of its own from here on. */
  named(item: TypeItem): TypeItem {
    if (item.of !== "value") return item;
    const type = copied(item.type);
    this.origins.set(type, item.type);
    return { ...item, type };
  }

  look(): void {
    if (++this.#looked > LOOKED_MAX) {
      throw componentError(`its imports have more than ${LOOKED_MAX} parts`);
    }
  }
}

function uncallable(
  type: FunctionType | undefined,
  origin: ComponentFunction["origin"],
): ComponentFunction {
  const call = (): never => {
    throw new TypeError("a function that is only looked at");
  };
  return { sort: "func", type, origin, waits: false, call };
}

/** An instance that has whatever is imported of it. */
class LookingInstance implements InstanceItem {
  readonly sort = "instance" as const;
  readonly #machine: LookingMachine;

  constructor(machine: LookingMachine) {
    this.#machine = machine;
  }

  get(name: string, type?: ExternType, scope?: Scope): Item | undefined {
    this.#machine.look();
    switch (type?.sort) {
      case "func":
        return uncallable(undefined, "embedder");
      case "type": {
        const { equals } = type;
        if (equals === undefined) {
          return { sort: "type", of: "resource", type: new ResourceType(name) };
        }
        return this.#machine.named(scope!.at("type", equals) as TypeItem);
      }
      case "instance":
        return new LookingInstance(this.#machine);
      case "core module":
        return { sort: "core module", bytes: new Uint8Array() };
      case "component":
        throw componentError(`it imports the component ${name}, of which nothing is known`);
      default:
        return undefined;
    }
  }
}

/**
 * Looks at a component.
 *
 * @throws {Error} `ERR_WASI_COMPONENT` for bytes that are not a valid one, or that would take too
 * long
 */
export async function look(bytes: Uint8Array): Promise<Looked> {
  const machine = new LookingMachine();
  const root = new LookingInstance(machine);
  const linked = await new Linker(machine).link(
    { binary: readComponent(bytes), scope: undefined },
    (name, type, scope) => root.get(name, type, scope),
  );
  return { linked, origins: machine.origins };
}
