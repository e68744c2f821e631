/** Made up components and made up calls: every outcome is a value or an error that is documented. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { ComponentError } from "../../core/component/err.ts";
import type { ValueType } from "../../core/component/types.ts";
import { host, instantiate, memory, OutputBuffer, overlay } from "../../mod.ts";
import * as C from "../support/component.ts";
import { arena, generator, PATHS } from "../support/fuzz.ts";
import { type Bytes, textModule } from "../support/modules.ts";
import { type Preview2, preview2, preview2Bytes, typeOf } from "../support/preview2.ts";

/** How long each test makes things up, in milliseconds. */
const TIME = 3000;

type Random = (limit: number) => number;

/** Where the bytes of a component are that are none of a module's, which could run. */
function places(bytes: Uint8Array): number[] {
  const all: number[] = [];
  const walk = (from: number, end: number): void => {
    for (let at = from + 8; at < end;) {
      const begin = at;
      const id = bytes[at++];
      let length = 0;
      for (let shift = 0;; shift += 7) {
        const byte = bytes[at++]!;
        length += (byte & 127) * 2 ** shift;
        if (byte < 128) break;
      }
      if (id === 4) walk(at, at + length);
      if (id !== 1 && id !== 4) { for (let i = begin; i < at + length; i++) all.push(i); }
      at += length;
    }
  };
  walk(0, bytes.length);
  return all;
}

/** A component with what components can have. */
async function varied(): Promise<Uint8Array> {
  const module = await textModule(`(module (memory (export "m") 1) (table (export "t") 1 funcref)
    (global (export "g") i32 (i32.const 1)) (func (export "d") (param i32))
    (func (export "f") (param i32 i32) (result i32) (i32.const 8))
    (func (export "p") (param i32))
    (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))`);
  const other = await textModule(`(module (import "" "drop" (func (param i32)))
    (import "" "m" (memory 1)) (import "x" "t" (table 1 funcref)))`);
  const { Core, Option, Sort, T } = C;
  const inner = C.component(
    C.types(C.func([["a", T.string]], T.string), C.instanceType(C.declareResource("thing"))),
    C.imports(C.imported("f", Sort.func, 0), C.imported("i", Sort.instance, 1)),
    C.aliases(C.alias(Sort.type, 0, "thing"), C.outer(Sort.type, 1, 0)),
    C.types(C.own(2), C.func([["t", 4]])),
    C.exports(C.exported("f", Sort.func, 0), C.exported("thing", Sort.type, 2)),
  );
  return C.component(
    C.module(module),
    C.coreInstances(C.coreInstance(0)),
    C.aliases(
      ...["d", "f", "p", "r"].map((name) => C.coreAlias(Core.func, 0, name)),
      C.coreAlias(Core.memory, 0, "m"),
      C.coreAlias(Core.table, 0, "t"),
    ),
    C.types(
      C.resource(0),
      C.func([["a", T.string]], T.string),
      C.record([["a", T.u8], ["b", T.string]]),
      [0x71, [2, ["x", [1, 2], 0], ["y", 0, 0]] as Bytes],
      C.flags("a", "b", "c"),
      [0x6d, [2, "a", "b"]],
      C.option(3),
      C.result(4, 5),
      C.tuple(6, 7, T.u64),
      C.listOf(8),
      C.borrow(0),
    ),
    C.canons(
      C.lift(1, 1, Option.memory(0), Option.realloc(3), Option.postReturn(2)),
      C.resourceDrop(0),
      C.resourceNew(0),
      C.resourceRep(0),
    ),
    C.module(other),
    C.coreInstances(
      C.coreBundle([["drop", Core.func, 4], ["m", Core.memory, 0]]),
      C.coreBundle([["t", Core.table, 0]]),
      C.coreInstance(1, { "": 1, x: 2 }),
    ),
    C.nested(inner),
    C.instances(C.bundle([["thing", Sort.type, 0]])),
    C.instances(C.instance(0, [["f", Sort.func, 0], ["i", Sort.instance, 0]])),
    C.aliases(C.alias(Sort.func, 1, "f")),
    C.exports(C.exported("f", Sort.func, 1), C.exported("a:b/c@1.0.0", Sort.instance, 1)),
  );
}

const INTERESTING = [0, 1, 2, 3, 0x40, 0x41, 0x42, 0x68, 0x69, 0x70, 0x72, 0x7f, 0x80, 0xff];

/** Changes a few bytes. */
function mutated(bytes: Uint8Array, at: readonly number[], random: Random): Uint8Array {
  const copy = bytes.slice();
  for (let count = 1 + random(3); count > 0; count--) {
    const place = at[random(at.length)]!;
    const byte = copy[place]!;
    const other = copy[at[random(at.length)]!]!;
    const interesting = INTERESTING[random(INTERESTING.length)]!;
    const choices = [random(256), byte ^ (1 << random(8)), byte + 1, byte - 1, interesting, other];
    copy[place] = choices[random(choices.length)]!;
  }
  return copy;
}

test("a component of which some bytes are wrong is refused in words, or linked", async () => {
  const seeds = [await varied(), await preview2Bytes()];
  for (const bytes of seeds) (await instantiate(bytes)).close();
  const at = seeds.map(places);
  const random = generator(1);
  let [refused, linked] = [0, 0];
  for (const until = performance.now() + TIME; performance.now() < until;) {
    const which = random(8) === 0 ? 1 : 0;
    const bytes = mutated(seeds[which]!, at[which]!, random);
    const began = performance.now();
    try {
      (await instantiate(bytes)).close();
      linked++;
    } catch (error) {
      refused++;
      const { code } = error as { code?: string };
      // the engine says itself what it thinks of modules, and of imports of another type
      const engines = error instanceof WebAssembly.LinkError ||
        error instanceof WebAssembly.CompileError;
      assert.ok(
        code === "ERR_WASI_COMPONENT" || engines,
        `${error} of ${Buffer.from(bytes).toString("base64")}`,
      );
    }
    assert.ok(performance.now() - began < 5000);
  }
  assert.ok(refused > 0 && linked > 0, `${refused} refused, ${linked} linked`);
});

const LONGS = [0n, 1n, 5n, 4096n, 65536n, 1n << 24n, 1n << 32n, (1n << 53n) + 1n, (1n << 63n) - 1n];

/** Resources by the names of their types. */
type Pool = Map<string, object[]>;

function collect(value: unknown, type: ValueType | undefined, pool: Pool): void {
  if (type === undefined || value === undefined || value === null) return;
  if (type.kind === "own") {
    const { name } = type.resource;
    if (!pool.has(name!)) pool.set(name!, []);
    pool.get(name!)!.push(value as object);
  } else if (type.kind === "option") collect(value, type.type, pool);
  else if (type.kind === "list" && Array.isArray(value)) {
    for (const one of value) collect(one, type.element, pool);
  } else if (type.kind === "tuple") {
    type.types.forEach((one, i) => collect((value as unknown[])[i], one, pool));
  } else if (type.kind === "result") collect(value, type.ok, pool);
}

/** Thrown where there is no resource of a type yet. */
const NONE = Symbol("none");

function madeUp(type: ValueType, random: Random, pool: Pool): unknown {
  switch (type.kind) {
    case "string":
      return PATHS[random(PATHS.length)]!;
    case "bool":
      return random(2) === 0;
    case "u64":
      return random(4) === 0 ? LONGS[random(LONGS.length)]! : BigInt(random(100));
    case "u8":
    case "u32":
      return random(8) === 0 ? 0xffffffff : random(1000);
    case "flags":
      return Object.fromEntries(
        type.names.map((
          name,
        ) => [name.replace(/-(.)/g, (_, next: string) => next.toUpperCase()), random(2) === 0]),
      );
    case "enum":
      return type.names[random(type.names.length)];
    case "variant": {
      const { name, type: of } = type.cases[random(type.cases.length)]!;
      return { tag: name, val: of && madeUp(of, random, pool) };
    }
    case "record":
      return Object.fromEntries(
        type.fields.map(({ name, type }) => [name, madeUp(type, random, pool)]),
      );
    case "result":
      return { tag: random(2) === 0 ? "ok" : "err" };
    case "list":
      if (type.element.kind === "u8") return new Uint8Array(random(10) === 0 ? 70_000 : random(50));
      return Array.from({ length: random(5) }, () => madeUp(type.element, random, pool));
    case "borrow": {
      const all = pool.get(type.resource.name!) ?? [];
      if (all.length === 0) throw NONE;
      return all[random(all.length)];
    }
    default:
      throw new TypeError(type.kind);
  }
}

/** Makes a call up; whether it may go on. */
async function one({ call, names }: Preview2, random: Random, pool: Pool): Promise<boolean> {
  const name = names[random(names.length)]!;
  const { parameters, result } = typeOf(name);
  let values: unknown[];
  try {
    values = parameters.map(({ type }) => madeUp(type, random, pool));
  } catch (error) {
    if (error === NONE) return true;
    throw error;
  }
  try {
    const value = await call(name, ...values);
    collect(value, result, pool);
    return true;
  } catch (error) {
    if (error instanceof ComponentError) return true;
    const { name: kind, cause } = error as Error;
    if (kind === "ProcExit") return false;
    const trap = kind === "GuestAborted" ? cause : error;
    assert.ok(trap instanceof WebAssembly.RuntimeError, `${name}: ${error} ${cause}`);
    return false;
  }
}

for (const ffi of [undefined, false]) {
  test(`made up calls of WASI 0.2 stay inside and fail in words, ffi: ${ffi}`, async () => {
    const random = generator(2);
    const place = arena("component");
    const way = ffi === undefined ? {} : { ffi };
    let calls = 0;
    for (const until = performance.now() + TIME; performance.now() < until;) {
      const output = new OutputBuffer();
      const guest = await preview2({
        preopens: {
          "/": place.inside,
          "/ro": host(place.inside, { readOnly: true, ...way }),
          "/over": overlay(host(place.inside, { readOnly: true, ...way })),
          "/memory": memory({ file: "file", dir: { inner: "inner" } }),
        },
        ...way,
        stdin: new TextEncoder().encode("input"),
        stdout: output,
        stderr: output,
        clock: 0n,
        limits: {
          openFiles: 30,
          outputBytes: 10_000,
          diskBytes: 300_000,
          files: 100,
          memoryPages: 500,
        },
      });
      const pool: Pool = new Map();
      collect(
        await guest.call("wasi:filesystem/preopens get-directories"),
        typeOf("wasi:filesystem/preopens get-directories").result,
        pool,
      );
      for (let i = 0; i < 500 && performance.now() < until; i++, calls++) {
        if (random(20) === 0) {
          // given back, and used nevertheless
          const all = [...pool.values()][random(pool.size)]!;
          (all[random(all.length)] as { [Symbol.dispose]?(): void })[Symbol.dispose]?.();
        }
        if (!await one(guest, random, pool)) break;
      }
      guest.close();
      assert.ok(output.bytes.length <= 10_000);
    }
    assert.ok(calls > 0);
    place.verify();
  });
}
