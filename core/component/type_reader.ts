/**
 * Reads the types in a component, and what names its items.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
 *
 * @module
 */
import type {
  AliasDefinition,
  Declaration,
  ExternType,
  LabeledReference,
  Sort,
  SortIndex,
  TypeDefinition,
  TypeReference,
} from "./binary.ts";
import { type Cursor, hex } from "./cursor.ts";
import { CORE_SORTS, PRIMITIVE_TYPES, SORTS } from "./opcodes.ts";

export function readCoreSort(cursor: Cursor): Sort {
  const byte = cursor.byte();
  return CORE_SORTS[byte] ?? cursor.fail(`${hex(byte)} is not a sort of core definitions`);
}

function readSort(cursor: Cursor): Sort {
  const byte = cursor.byte();
  if (byte === 0) return readCoreSort(cursor);
  return SORTS[byte] ?? cursor.fail(`${hex(byte)} is not a sort of definitions`);
}

export function readSortIndex(cursor: Cursor): SortIndex {
  return { sort: readSort(cursor), index: cursor.number() };
}

export function readAlias(cursor: Cursor): AliasDefinition {
  const sort = readSort(cursor);
  const kind = cursor.byte();
  if (kind === 2) {
    return { kind: "alias outer", sort, count: cursor.number(), index: cursor.number() };
  }
  if (kind > 2) cursor.fail(`${hex(kind)} is not a kind of alias`);
  const instance = cursor.number();
  const name = cursor.string();
  return { kind: kind === 0 ? "alias export" : "alias core export", sort, instance, name };
}

/** The name of an import or export; versions and the like beside it are passed over. */
export function readExternName(cursor: Cursor): string {
  const kind = cursor.byte();
  if (kind > 2) cursor.fail(`${hex(kind)} is not what a name begins with`);
  const name = cursor.string();
  if (kind === 2) {
    cursor.list(() => {
      cursor.byte();
      cursor.string();
    });
  }
  return name;
}

export function readExternType(cursor: Cursor): ExternType {
  const kind = cursor.byte();
  switch (kind) {
    case 0x00:
      cursor.expect(0x11, "the sort of core modules");
      return { sort: "core module", type: cursor.number() };
    case 0x01:
      return { sort: "func", type: cursor.number() };
    case 0x02: {
      const isType = cursor.byte() === 1;
      if (!isType) cursor.number();
      return { sort: "value", type: isType ? readReference(cursor) : undefined };
    }
    case 0x03:
      return { sort: "type", equals: readBound(cursor) };
    case 0x04:
      return { sort: "component", type: cursor.number() };
    case 0x05:
      return { sort: "instance", type: cursor.number() };
    default:
      return cursor.fail(`${hex(kind)} is not a sort of imports`);
  }
}

function readBound(cursor: Cursor): number | undefined {
  const kind = cursor.byte();
  if (kind > 1) cursor.fail(`${hex(kind)} is not a bound of a type`);
  return kind === 0 ? cursor.number() : undefined;
}

/** A primitive type, or the number of a type: a positive number of 33 bits with a sign. */
function readReference(cursor: Cursor): TypeReference {
  const first = cursor.peek();
  if (first >= 0x40 && first < 0x80) {
    const primitive = PRIMITIVE_TYPES[first];
    if (primitive === undefined) cursor.fail(`${hex(first)} is not a type of values`);
    cursor.byte();
    return primitive;
  }
  return cursor.number();
}

function readLabeled(cursor: Cursor): LabeledReference {
  return { name: cursor.string(), type: readReference(cursor) };
}

export function readType(cursor: Cursor): TypeDefinition {
  const first = cursor.byte();
  const primitive = PRIMITIVE_TYPES[first];
  if (primitive !== undefined) return { kind: "reference", type: primitive };
  switch (first) {
    case 0x72:
      return { kind: "record", fields: cursor.some(() => readLabeled(cursor), "record") };
    case 0x71: {
      const cases = cursor.some(() => {
        const name = cursor.string();
        const type = cursor.optional(() => readReference(cursor));
        cursor.expect(0, "the end of a case");
        return { name, type };
      }, "variant");
      return { kind: "variant", cases };
    }
    case 0x70:
      return { kind: "list", element: readReference(cursor), length: undefined };
    case 0x67: {
      const element = readReference(cursor);
      const length = cursor.number();
      if (length === 0) cursor.fail("a list of length 0");
      return { kind: "list", element, length };
    }
    case 0x6f:
      return { kind: "tuple", types: cursor.some(() => readReference(cursor), "tuple") };
    case 0x6e: {
      const names = cursor.some(() => cursor.string(), "flags type");
      if (names.length > 32) cursor.fail(`${names.length} flags; 32 are allowed`);
      return { kind: "flags", names };
    }
    case 0x6d:
      return { kind: "enum", names: cursor.some(() => cursor.string(), "enum") };
    case 0x6b:
      return { kind: "option", type: readReference(cursor) };
    case 0x6a: {
      const ok = cursor.optional(() => readReference(cursor));
      return { kind: "result", ok, error: cursor.optional(() => readReference(cursor)) };
    }
    case 0x69:
      return { kind: "own", type: cursor.number() };
    case 0x68:
      return { kind: "borrow", type: cursor.number() };
    case 0x66:
      return { kind: "stream", type: cursor.optional(() => readReference(cursor)) };
    case 0x65:
      return { kind: "future", type: cursor.optional(() => readReference(cursor)) };
    case 0x40:
      return readFunction(cursor, false);
    case 0x43:
      return readFunction(cursor, true);
    case 0x41:
      return { kind: "component", declarations: cursor.list(() => readDeclaration(cursor, true)) };
    case 0x42:
      return { kind: "instance", declarations: cursor.list(() => readDeclaration(cursor, false)) };
    case 0x3f:
      cursor.expect(0x7f, "i32, which stands for a resource");
      return { kind: "resource", destructor: cursor.optional(() => cursor.number()) };
    default:
      return cursor.failBefore(`${hex(first)} is not a type that is known here`);
  }
}

function readFunction(cursor: Cursor, async: boolean): TypeDefinition {
  const parameters = cursor.list(() => readLabeled(cursor));
  return { kind: "func", parameters, result: readResult(cursor), async };
}

export function readResult(cursor: Cursor): TypeReference | undefined {
  const named = cursor.byte();
  if (named === 0) return readReference(cursor);
  if (named !== 1) cursor.fail(`${hex(named)} is not how results begin`);
  cursor.expect(0, "the count of named results, which there are not any more");
  return undefined;
}

function readDeclaration(cursor: Cursor, isComponent: boolean): Declaration {
  const kind = cursor.byte();
  switch (kind) {
    case 0x00:
      return readCoreType(cursor);
    case 0x01:
      return { kind: "type", type: cursor.nested(() => readType(cursor)) };
    case 0x02:
      return readAlias(cursor);
    case 0x03:
      if (!isComponent) break;
      return { kind: "import", name: readExternName(cursor), type: readExternType(cursor) };
    case 0x04:
      return { kind: "export", name: readExternName(cursor), type: readExternType(cursor) };
  }
  return cursor.fail(`${hex(kind)} is not a declaration`);
}

/** Only how it ends matters: what modules import is checked by the engine. */
export function readCoreType(cursor: Cursor): { kind: "core type" } {
  const first = cursor.byte();
  if (first === 0x60) {
    cursor.list(() => cursor.byte());
    cursor.list(() => cursor.byte());
  } else if (first === 0x50) cursor.list(() => readModuleDeclaration(cursor));
  else cursor.fail(`${hex(first)} is not a core type that is known here`);
  return { kind: "core type" };
}

function readModuleDeclaration(cursor: Cursor): void {
  const kind = cursor.byte();
  switch (kind) {
    case 0x00:
      cursor.string();
      cursor.string();
      return readCoreExternType(cursor);
    case 0x01:
      cursor.nested(() => readCoreType(cursor));
      return;
    case 0x02:
      cursor.expect(0x10, "the sort of core types");
      cursor.expect(0x01, "an outer alias");
      cursor.number();
      cursor.number();
      return;
    case 0x03:
      cursor.string();
      return readCoreExternType(cursor);
    default:
      cursor.fail(`${hex(kind)} is not a declaration of a module`);
  }
}

function readCoreExternType(cursor: Cursor): void {
  const limits = (): void => {
    const flags = cursor.byte();
    cursor.number();
    if ((flags & 1) !== 0) cursor.number();
  };
  const kind = cursor.byte();
  switch (kind) {
    case 0x00:
      cursor.number();
      return;
    case 0x01:
      cursor.byte();
      return limits();
    case 0x02:
      return limits();
    case 0x03:
      cursor.byte();
      cursor.byte();
      return;
    case 0x04:
      cursor.byte();
      cursor.number();
      return;
    default:
      cursor.fail(`${hex(kind)} is not a kind of core imports`);
  }
}
