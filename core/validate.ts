/**
 * Checks of what an embedder gives, in Node's words.
 *
 * Source: `lib/internal/validators.js` of Node, by its behaviour.
 *
 * @module
 */
import { invalidType, invalidValue } from "./errors.ts";

/** Throws unless the value is an object that is no array and no function. */
export function validateObject(value: unknown, name: string): asserts value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidType(name, "of type object", value);
  }
}

/** Whether an object's content is not among its own properties, which are all that is looked at. */
function isCollection(value: object): boolean {
  if (ArrayBuffer.isView(value)) return true;
  try {
    if (typeof (value as Iterable<unknown>)[Symbol.iterator] === "function") return true;
    if (Object.keys(value).length > 0) return false;
    // an empty environment, or an instance of somebody's class, is an "Object"
    const kind = Object.prototype.toString.call(value);
    return (kind !== "[object Object]" && kind !== "[object Module]") ||
      typeof (value as PromiseLike<unknown>).then === "function";
  } catch {
    return false; // a proxy that refuses what it does not know: Object.entries() decides
  }
}

/**
 * Throws unless the value is an object whose own properties are what it holds: Node would take
 * nothing from a Map, from a promise or from bytes, and say nothing.
 */
export function validateRecord(value: unknown, name: string): asserts value is object {
  validateObject(value, name);
  if (isCollection(value)) {
    throw invalidType(name, `a plain object${toRecord(value)}`, value);
  }
}

/** For an error text: what makes a plain object of a value, if anything does. */
export function toRecord(value: unknown): string {
  const given = value as Partial<PromiseLike<unknown> & Map<unknown, unknown>> | null | undefined;
  if (typeof given?.then === "function") return ": await the promise";
  const isMap = typeof given?.entries === "function" && !Array.isArray(given) &&
    !ArrayBuffer.isView(given) && typeof given[Symbol.iterator] === "function";
  return isMap ? ": Object.fromEntries(value)" : "";
}

/** Throws if an object has other properties, such as a mistyped limit, or is a collection. */
export function validateNames(value: object, names: readonly string[], name: string): void {
  if (Symbol.iterator in value) throw invalidType(name, "of type object", value);
  const unknown = Object.keys(value).find((key) => !names.includes(key));
  if (unknown !== undefined) throw invalidValue(name, `can have ${names.join(", ")}`, unknown);
}

export function validateFunction(value: unknown, name: string): void {
  if (typeof value !== "function") throw invalidType(name, "of type function", value);
}

export function validateUndefined(value: unknown, name: string): void {
  if (value !== undefined) throw invalidType(name, "undefined", value);
}

export function validateBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== "boolean") throw invalidType(name, "of type boolean", value);
}
