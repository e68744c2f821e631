/**
 * Components for tests, byte by byte: sections, and what stands in them. What a number names is
 * counted by who writes them.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
 */
import { block, type Bytes, flat, leb, list, section } from "./modules.ts";

/** Types without parts. */
export const T = { bool: 0x7f, u8: 0x7d, u32: 0x79, s32: 0x7a, u64: 0x77, string: 0x73 } as const;

/** Sorts: of components, and of core definitions (two bytes where both can stand). */
export const Sort = { func: 1, type: 3, component: 4, instance: 5 } as const;
export const Core = {
  func: 0,
  table: 1,
  memory: 2,
  global: 3,
  module: 0x11,
  instance: 0x12,
} as const;

/** A component of its sections. */
export function component(...sections: Bytes[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, ...flat(sections)]);
}

/** A module, as a section. */
export function module(bytes: Uint8Array): Bytes {
  return [1, leb(bytes.length), [...bytes]];
}

/** A component within another, as a section. */
export function nested(bytes: Uint8Array): Bytes {
  return [4, leb(bytes.length), [...bytes]];
}

export const coreInstances = (...items: Bytes[]): Bytes => section(2, list(items));
export const instances = (...items: Bytes[]): Bytes => section(5, list(items));
export const aliases = (...items: Bytes[]): Bytes => section(6, list(items));
export const types = (...items: Bytes[]): Bytes => section(7, list(items));
export const canons = (...items: Bytes[]): Bytes => section(8, list(items));
export const imports = (...items: Bytes[]): Bytes => section(10, list(items));
export const exports = (...items: Bytes[]): Bytes => section(11, list(items));

/** An instance of a module with others as what it imports. */
export function coreInstance(module: number, given: Record<string, number> = {}): Bytes {
  const items = Object.entries(given).map(([name, index]) => [name, Core.instance, leb(index)]);
  return [0, leb(module), list(items)];
}

/** An instance of things by name. */
export function coreBundle(items: [name: string, sort: number, index: number][]): Bytes {
  return [1, list(items.map(([name, sort, index]) => [name, sort, leb(index)]))];
}

/** An instance of a component. */
export function instance(
  component: number,
  items: [name: string, sort: number, index: number][] = [],
): Bytes {
  return [0, leb(component), list(items.map(([name, sort, index]) => [name, sort, leb(index)]))];
}

/** An instance of things by name. */
export function bundle(items: [name: string, sort: number, index: number][]): Bytes {
  return [1, list(items.map(([name, sort, index]) => [0, name, sort, leb(index)]))];
}

/** Something that a core instance exports. */
export function coreAlias(sort: number, instance: number, name: string): Bytes {
  return [0, sort, 1, leb(instance), name];
}

/** Something that an instance exports. */
export function alias(sort: number, instance: number, name: string): Bytes {
  return [sort, 0, leb(instance), name];
}

/** Something of a component around this one. */
export function outer(sort: Bytes, count: number, index: number): Bytes {
  return [sort, 2, leb(count), leb(index)];
}

/** The type of a function; a type is a number of its own or one of {@linkcode T}. */
export function func(parameters: [name: string, type: Bytes][], result?: Bytes): Bytes {
  return [0x40, list(parameters), result === undefined ? [1, 0] : [0, result]];
}

export const record = (fields: [name: string, type: Bytes][]): Bytes => [0x72, list(fields)];
export const tuple = (...types: Bytes[]): Bytes => [0x6f, list(types)];
export const listOf = (element: Bytes): Bytes => [0x70, element];
export const flags = (...names: string[]): Bytes => [0x6e, list(names)];
export const option = (type: Bytes): Bytes => [0x6b, type];
export const own = (resource: number): Bytes => [0x69, leb(resource)];
export const borrow = (resource: number): Bytes => [0x68, leb(resource)];
export const resource = (destructor?: number): Bytes => [
  0x3f,
  0x7f,
  destructor === undefined ? 0 : [1, leb(destructor)],
];
/** `result` with types for both, neither or one. */
export function result(ok?: Bytes, error?: Bytes): Bytes {
  return [0x6a, ok === undefined ? 0 : [1, ok], error === undefined ? 0 : [1, error]];
}

/** The type of an instance. */
export function instanceType(...declarations: Bytes[]): Bytes {
  return [0x42, list(declarations)];
}
export const declareType = (type: Bytes): Bytes => [1, type];
export const declareAlias = (alias: Bytes): Bytes => [2, alias];
/** An export of a function, or of an instance, of a type. */
export function declare(name: string, sort: number, type: number): Bytes {
  return [4, 0, name, sort, leb(type)];
}
export const declareEqual = (name: string, type: number): Bytes => [4, 0, name, 3, 0, leb(type)];
export const declareResource = (name: string): Bytes => [4, 0, name, 3, 1];

export const Option = {
  utf16: 1 as Bytes,
  memory: (index: number): Bytes => [3, leb(index)],
  realloc: (index: number): Bytes => [4, leb(index)],
  postReturn: (index: number): Bytes => [5, leb(index)],
};

export function lift(core: number, type: number, ...options: Bytes[]): Bytes {
  return [0, 0, leb(core), list(options), leb(type)];
}
export function lower(func: number, ...options: Bytes[]): Bytes {
  return [1, 0, leb(func), list(options)];
}
export const resourceNew = (type: number): Bytes => [2, leb(type)];
export const resourceDrop = (type: number): Bytes => [3, leb(type)];
export const resourceRep = (type: number): Bytes => [4, leb(type)];

/** An import or export of something by its sort. */
export function imported(name: string, sort: number, type: number): Bytes {
  return [0, name, sort, leb(type)];
}
export function exported(name: string, sort: number, index: number): Bytes {
  return [0, name, sort, leb(index), 0];
}

/** The bytes of a block, for who wants to break them. */
export { block };
