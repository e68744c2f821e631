/**
 * A component that passes every function of WASI 0.2 on: what a hostile guest could call is called
 * from here, through the canonical ABI and a module with memory.
 */
import { type CodecContext, FLAT_MAX, type FlatType } from "../../core/component/codecs/codec.ts";
import { codecOf } from "../../core/component/codecs/mod.ts";
import { HandleCount, HandleTable } from "../../core/component/handles.ts";
import { LinearMemory } from "../../core/component/memory.ts";
import { type FunctionType, ResourceType, type ValueType } from "../../core/component/types.ts";
import { interfaces } from "../../core/preview2/mod.ts";
import type { WitInterface } from "../../core/preview2/wit.ts";
import { instantiate, type RunOptions } from "../../mod.ts";
import * as C from "./component.ts";
import { type Bytes, list, section, signed, textModule } from "./modules.ts";

const PRIMITIVE: Readonly<Record<string, number>> = {
  bool: 0x7f,
  s8: 0x7e,
  u8: 0x7d,
  s16: 0x7c,
  u16: 0x7b,
  s32: 0x7a,
  u32: 0x79,
  s64: 0x78,
  u64: 0x77,
  f32: 0x76,
  f64: 0x75,
  char: 0x74,
  string: 0x73,
};

/** Types in one space of numbers. */
class Types {
  readonly #add: (bytes: Bytes) => number;
  readonly #resources: Map<ResourceType, number>;
  readonly #known: Map<ValueType, Bytes> = new Map();

  constructor(add: (bytes: Bytes) => number, resources: Map<ResourceType, number>) {
    this.#add = add;
    this.#resources = resources;
  }

  /** A primitive type, or the number of what has been added. */
  of(type: ValueType): Bytes {
    let known = this.#known.get(type);
    if (known === undefined) this.#known.set(type, known = this.#of(type));
    return known;
  }

  function({ parameters, result }: FunctionType): number {
    const all = parameters.map(({ name, type }): [string, Bytes] => [name, this.of(type)]);
    return this.#add(C.func(all, result && this.of(result)));
  }

  #of(type: ValueType): Bytes {
    const primitive = PRIMITIVE[type.kind];
    return primitive ?? signed(this.#add(this.#definition(type)));
  }

  #definition(type: ValueType): Bytes {
    switch (type.kind) {
      case "record":
        return C.record(type.fields.map(({ name, type }) => [name, this.of(type)]));
      case "variant": {
        const cases = type.cases.map(({ name, type }) => [name, type ? [1, this.of(type)] : 0, 0]);
        return [0x71, list(cases)];
      }
      case "list":
        return C.listOf(this.of(type.element));
      case "tuple":
        return C.tuple(...type.types.map((one) => this.of(one)));
      case "flags":
        return C.flags(...type.names);
      case "enum":
        return [0x6d, list([...type.names])];
      case "option":
        return C.option(this.of(type.type));
      case "result":
        return C.result(type.ok && this.of(type.ok), type.error && this.of(type.error));
      case "own":
        return C.own(this.#resources.get(type.resource)!);
      case "borrow":
        return C.borrow(this.#resources.get(type.resource)!);
      default:
        throw new TypeError(type.kind);
    }
  }
}

const CORE: Readonly<Record<FlatType, string>> = { i: "i32", I: "i64", f: "f32", F: "f64" };

/** What a core function takes and gives, and whether its result is written to a place. */
function coreOf({ parameters, result }: FunctionType) {
  const cx: CodecContext = {
    memory: new LinearMemory(new WebAssembly.Memory({ initial: 0 })),
    realloc: undefined,
    encoding: "utf8",
    handles: new HandleTable(new HandleCount()),
    owner: {},
    side: undefined,
    host: false,
    fixed: false,
  };
  let flat = parameters.flatMap(({ type }) => codecOf(cx, type).flat);
  if (flat.length > FLAT_MAX) flat = ["i"];
  const results = result === undefined ? [] : codecOf(cx, result).flat;
  return { flat, results, placed: results.length > 1 };
}

/** Gives back what was lent: handles, and lists of them. */
function givingBack({ parameters }: FunctionType, all: readonly ResourceType[]): string {
  let at = 0;
  let text = "";
  for (const { type } of parameters) {
    const element = type.kind === "list" ? type.element : type;
    if (element.kind === "borrow") {
      const drop = `call $drop${all.indexOf(element.resource)}`;
      text += type === element ? `(${drop} (local.get ${at}))` : `(block (loop
        (br_if 1 (i32.eqz (local.get ${at + 1})))
        (${drop} (i32.load (local.get ${at})))
        (local.set ${at} (i32.add (local.get ${at}) (i32.const 4)))
        (local.set ${at + 1} (i32.sub (local.get ${at + 1}) (i32.const 1)))
        (br 0)))`;
    }
    at += coreOf({ parameters: [{ name: "", type }], result: undefined, async: false }).flat.length;
  }
  return text;
}

/** The function that passes one on. */
function passing(
  type: FunctionType,
  i: number,
  all: readonly ResourceType[],
): [imported: string, made: string] {
  const { flat, results, placed } = coreOf(type);
  const parameters = flat.map((one) => `(param ${CORE[one]})`).join(" ");
  const gives = placed ? "" : results.map((one) => `(result ${CORE[one]})`).join("");
  const pass = flat.map((_, at) => `(local.get ${at})`).join(" ");
  const place = placed ? "(i32.const 64)" : "";
  return [
    `(import "" "f${i}" (func $f${i} ${parameters} ${placed ? "(param i32)" : ""} ${gives}))`,
    `(func (export "f${i}") ${parameters} ${placed ? "(result i32)" : gives}
      (call $f${i} ${pass} ${place}) ${givingBack(type, all)} ${place})`,
  ];
}

const ROOM = `(module (memory (export "memory") 40 400) (global $next (mut i32) (i32.const 4096))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (if (i32.gt_u (local.get 3) (i32.const 1000000))
      (then (if (i32.lt_u (memory.size) (i32.const 400))
          (then (drop (memory.grow (i32.const 360)))))
        (return (i32.const 4194304))))
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $next) (i32.const 1500000)) (then
      (global.set $next (i32.const 4096))))
    (local.get $at)))`;

let made: Promise<{ bytes: Uint8Array; names: string[] }> | undefined;

/** The type of an instance, and the resources that are new in it. */
function instanceTypeOf(wit: WitInterface, outside: ReadonlyMap<ResourceType, number>) {
  const declarations: Bytes[] = [];
  let count = 0;
  const inside = new Map<ResourceType, number>();
  const fresh: [ResourceType, string][] = [];
  for (const [name, type] of wit.types) {
    if (!(type instanceof ResourceType)) continue;
    const known = outside.get(type);
    if (known === undefined) {
      declarations.push(C.declareResource(name));
      fresh.push([type, name]);
    } else {
      declarations.push(C.declareAlias(C.outer(C.Sort.type, 1, known)));
      declarations.push(C.declareEqual(name, count++));
    }
    inside.set(type, count++);
  }
  const types = new Types((bytes) => {
    declarations.push(C.declareType(bytes));
    return count++;
  }, inside);
  for (const [name, type] of wit.functions) {
    const number = types.function(type);
    declarations.push(C.declare(name, C.Sort.func, number));
  }
  return { type: C.instanceType(...declarations), fresh };
}

async function make(): Promise<{ bytes: Uint8Array; names: string[] }> {
  const sections: Bytes[] = [];
  let typeCount = 0;
  const resources = new Map<ResourceType, number>();
  const functions: [name: string, type: FunctionType][] = [];
  let instances = 0;
  for (const { wit } of interfaces().values()) {
    // those of the network are there only if another test of the process has loaded them
    if (/^wasi:(?:http|sockets)\//.test(wit.name)) continue;
    const { type, fresh } = instanceTypeOf(wit, resources);
    sections.push(C.types(type));
    const given = C.imported(`${wit.name}@0.2.0`, C.Sort.instance, typeCount++);
    sections.push(C.imports(given));
    const from = instances++;
    for (const [resource, name] of fresh) {
      sections.push(C.aliases(C.alias(C.Sort.type, from, name)));
      resources.set(resource, typeCount++);
    }
    for (const [name, type] of wit.functions) {
      sections.push(C.aliases(C.alias(C.Sort.func, from, name)));
      functions.push([`${wit.name} ${name}`, type]);
    }
  }
  const all = [...resources.keys()];
  const passed = functions.map(([, type], i) => passing(type, i, all));
  const text = `(module ${passed.map(([one]) => one).join("\n")}
    ${all.map((_, i) => `(import "" "drop${i}" (func $drop${i} (param i32)))`).join("\n")}
    (import "" "memory" (memory 1))
    ${passed.map(([, one]) => one).join("\n")})`;
  const options = [C.Option.memory(0), C.Option.realloc(0)];
  const types = new Types((bytes) => {
    sections.push(C.types(bytes));
    return typeCount++;
  }, resources);
  sections.push(C.module(await textModule(ROOM)), C.module(await textModule(text)));
  sections.push(
    C.coreInstances(C.coreInstance(0)),
    C.aliases(C.coreAlias(C.Core.memory, 0, "memory"), C.coreAlias(C.Core.func, 0, "realloc")),
    section(8, list(functions.map((_, i) => C.lower(i, ...options)))),
    C.canons(...all.map((resource) => C.resourceDrop(resources.get(resource)!))),
    C.coreInstances(
      C.coreBundle([
        ...functions.map((_, i): [string, number, number] => [`f${i}`, C.Core.func, i + 1]),
        ...all.map((_, i): [string, number, number] => [
          `drop${i}`,
          C.Core.func,
          functions.length + 1 + i,
        ]),
        ["memory", C.Core.memory, 0],
      ]),
      C.coreInstance(1, { "": 1 }),
    ),
    section(6, list(functions.map((_, i) => C.coreAlias(C.Core.func, 2, `f${i}`)))),
  );
  const { length } = functions;
  functions.forEach(([, type], i) => {
    const number = types.function(type);
    sections.push(C.canons(C.lift(1 + length + all.length + i, number, ...options)));
  });
  sections.push(
    C.exports(...functions.map((_, i) => C.exported(`f${i}`, C.Sort.func, length + i))),
  );
  return { bytes: C.component(...sections), names: functions.map(([name]) => name) };
}

/** Calls a function of WASI's: `wasi:io/streams [method]input-stream.read`, and its parameters. */
// deno-lint-ignore no-explicit-any
export type Call = (name: string, ...parameters: unknown[]) => Promise<any>;

/** All functions, the types of their parameters, and how to call them. */
export interface Preview2 {
  readonly call: Call;
  readonly names: readonly string[];
  close(): void;
}

/** A guest that does what it is told. */
export async function preview2(options: RunOptions): Promise<Preview2> {
  const { bytes, names } = await (made ??= make());
  const { exports, close } = await instantiate(bytes, options);
  const call: Call = async (name, ...parameters) => {
    const i = names.indexOf(name);
    if (i < 0) throw new TypeError(`there is no ${name}`);
    return await exports[`f${i}`](...parameters);
  };
  return { call, names, close };
}

/** The bytes of that component. */
export async function preview2Bytes(): Promise<Uint8Array> {
  return (await (made ??= make())).bytes;
}

/** What a function of WASI's takes, for who makes values up. */
export function typeOf(name: string): FunctionType {
  const [interface_, short] = name.split(" ") as [string, string];
  return interfaces().get(interface_)!.wit.functions.get(short)!;
}
