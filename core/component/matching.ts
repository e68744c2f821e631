/**
 * Whether what is given for an import is what the component declares.
 *
 * @module
 */
import { type InstanceItem, type Item, Scope, type TypeItem } from "./scope.ts";
import { functionType, typeItem, weightOf } from "./resolve.ts";
import type { AliasDefinition, ExternType, Sort } from "./binary.ts";
import { componentError, linkError } from "./errors.ts";
import type { ComponentFunction } from "./function.ts";
import { type FunctionType, sameFunction, sameType, showFunction } from "./types.ts";

/** What an instance takes that is looked at by its type. */
const INSTANCE_WORK = 16;

/** What a function between modules takes of it: an instance of the engine's. */
export const FUNCTION_WORK = 64;

/** The sorts of what is the same in all instances, which those within them see. */
const OUTER: ReadonlySet<Sort> = new Set(["core module", "core type", "type", "component"]);

/** Takes an alias; outer ones count scopes. */
export function outer(
  scope: Scope,
  { sort, count, index }: AliasDefinition & { kind: "alias outer" },
): unknown {
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
export function matched(
  scope: Scope,
  type: ExternType,
  item: Item | undefined,
  what: string,
): Item {
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
export function spendOnFunction({ work }: Scope, { parameters, result }: FunctionType): void {
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
export function declaredOnly(scope: Scope, type: ExternType): Item | undefined {
  if (type.sort !== "type" || type.equals === undefined) return undefined;
  return scope.at("type", type.equals) as TypeItem;
}

export function addAlias(
  scope: Scope,
  { sort, instance, name }: AliasDefinition & { kind: "alias export" | "alias core export" },
): void {
  const from = scope.at("instance", instance) as InstanceItem;
  const item = from.get(name);
  if (item === undefined) throw componentError(`instance ${instance} does not export ${name}`);
  if (item.sort !== sort) throw componentError(`${name} of instance ${instance} is no ${sort}`);
  scope.add(item);
}
