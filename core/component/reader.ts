/**
 * Reads the bytes of a component.
 *
 * Every item of a list takes a byte at least, so that no count can be larger than the component;
 * what is nested is bounded (cursor.ts), and how often a component instantiates another where that
 * is done (linker.ts).
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
 *
 * @module
 */
import type { CanonicalOptions, ComponentBinary, Definition, Named } from "./binary.ts";
import { Cursor, hex } from "./cursor.ts";
import { ASYNCHRONOUS, PREAMBLE } from "./opcodes.ts";
import {
  readAlias,
  readCoreSort,
  readCoreType,
  readExternName,
  readExternType,
  readResult,
  readSortIndex,
  readType,
} from "./type_reader.ts";

/**
 * Reads a component.
 *
 * @throws {Error} `ERR_WASI_COMPONENT` for bytes that are not one, or have what is not known here
 */
export function readComponent(bytes: Uint8Array): ComponentBinary {
  return readSections(new Cursor(bytes));
}

function readSections(cursor: Cursor): ComponentBinary {
  for (const byte of PREAMBLE) {
    cursor.expect(byte, "what a component of this version begins with");
  }
  const definitions: Definition[] = [];
  while (cursor.hasMore) {
    const id = cursor.byte();
    cursor.section(id, () => readSection(cursor, id, definitions));
  }
  return { definitions };
}

function readSection(cursor: Cursor, id: number, into: Definition[]): void {
  const each = (item: () => Definition): void => {
    for (let count = cursor.number(); count > 0; count--) into.push(item());
  };
  switch (id) {
    case 0:
      cursor.string();
      cursor.rest();
      return;
    case 1:
      into.push({ kind: "core module", bytes: cursor.rest() });
      return;
    case 2:
      return each(() => readCoreInstance(cursor));
    case 3:
      return each(() => readCoreType(cursor));
    case 4:
      into.push({ kind: "component", component: cursor.nested(() => readSections(cursor)) });
      return;
    case 5:
      return each(() => readInstance(cursor));
    case 6:
      return each(() => readAlias(cursor));
    case 7:
      return each(() => ({ kind: "type", type: cursor.nested(() => readType(cursor)) }));
    case 8:
      return each(() => readCanonical(cursor));
    case 9:
    case 12:
      return cursor.fail("values and start functions of components are not supported");
    case 10:
      return each(() => ({
        kind: "import",
        name: readExternName(cursor),
        type: readExternType(cursor),
      }));
    case 11:
      return each(() => ({
        kind: "export",
        name: readExternName(cursor),
        item: readSortIndex(cursor),
        type: cursor.optional(() => readExternType(cursor)),
      }));
    default:
      cursor.fail(`there is no section ${id}`);
  }
}

function readCoreInstance(cursor: Cursor): Definition {
  const kind = cursor.byte();
  if (kind === 0) {
    const module = cursor.number();
    const items = cursor.list((): Named => {
      const name = cursor.string();
      cursor.expect(0x12, "an instance, which modules are instantiated with");
      return { name, sort: "core instance", index: cursor.number() };
    });
    return { kind: "core instance", module, items };
  }
  if (kind !== 1) cursor.fail(`${hex(kind)} is not a way to make a core instance`);
  const items = cursor.list((): Named => {
    const name = cursor.string();
    return { name, sort: readCoreSort(cursor), index: cursor.number() };
  });
  return { kind: "core instance", module: undefined, items };
}

function readInstance(cursor: Cursor): Definition {
  const kind = cursor.byte();
  if (kind === 0) {
    const component = cursor.number();
    const items = cursor.list((): Named => ({ name: cursor.string(), ...readSortIndex(cursor) }));
    return { kind: "instance", component, items };
  }
  if (kind !== 1) cursor.fail(`${hex(kind)} is not a way to make an instance`);
  const items = cursor.list((): Named => ({
    name: readExternName(cursor),
    ...readSortIndex(cursor),
  }));
  return { kind: "instance", component: undefined, items };
}

function readOptions(cursor: Cursor): CanonicalOptions {
  const options = {
    encoding: "utf8" as CanonicalOptions["encoding"],
    memory: undefined as number | undefined,
    realloc: undefined as number | undefined,
    postReturn: undefined as number | undefined,
    async: false,
  };
  cursor.list(() => {
    const kind = cursor.byte();
    switch (kind) {
      case 0x00:
      case 0x01:
      case 0x02:
        options.encoding = (["utf8", "utf16", "latin1+utf16"] as const)[kind];
        return;
      case 0x03:
        options.memory = cursor.number();
        return;
      case 0x04:
        options.realloc = cursor.number();
        return;
      case 0x05:
        options.postReturn = cursor.number();
        return;
      case 0x06:
        options.async = true;
        return;
      case 0x07:
        cursor.number();
        options.async = true;
        return;
      default:
        cursor.failBefore(`${hex(kind)} is not a canonical option that is known here`);
    }
  });
  return options;
}

function readCanonical(cursor: Cursor): Definition {
  const kind = cursor.byte();
  switch (kind) {
    case 0x00: {
      cursor.expect(0, "the sort of functions");
      const index = cursor.number();
      const options = readOptions(cursor);
      return { kind: "lift", function: index, options, type: cursor.number() };
    }
    case 0x01:
      cursor.expect(0, "the sort of functions");
      return { kind: "lower", function: cursor.number(), options: readOptions(cursor) };
    case 0x02:
      return { kind: "resource.new", type: cursor.number() };
    case 0x03:
      return { kind: "resource.drop", type: cursor.number() };
    case 0x04:
      return { kind: "resource.rep", type: cursor.number() };
  }
  const known = ASYNCHRONOUS[kind];
  if (known === undefined) {
    return cursor.failBefore(`${hex(kind)} is not a canonical function that is known here`);
  }
  const [name, ...operands] = known;
  for (const operand of operands) {
    if (operand === "byte") cursor.byte();
    else if (operand === "number") cursor.number();
    else if (operand === "result") readResult(cursor);
    else readOptions(cursor);
  }
  return { kind: "canon", name };
}
