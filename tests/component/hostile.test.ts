/** Components that break the rules: each gives an error in words or a trap, and soon. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate, run } from "../../mod.ts";
import * as C from "../support/component.ts";
import { type Bytes, leb, list, section, textModule } from "../support/modules.ts";

const { Core, Option, Sort, T } = C;
/** The option `imports` of a component, whose functions need not stand in namespaces. */
const given = (imports: object): WebAssembly.Imports => imports as WebAssembly.Imports;
const component = { code: "ERR_WASI_COMPONENT" };

/** What an export throws, unwrapped as the embedder does it. */
function causeOf(error: unknown): unknown {
  return (error as { cause?: unknown }).cause ?? error;
}

/** A component whose only module is `text`; what `more` makes of it comes behind. */
async function around(text: string, ...more: Bytes[]): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await textModule(text);
  return C.component(C.module(bytes), C.coreInstances(C.coreInstance(0)), ...more);
}

/** A module that has memory and gives room in it. */
const ROOM = `(memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $next)
    (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7))
      (i32.const -8))))`;

/** The command that `text` exports as `run`. */
async function command(text: string, type: Bytes, ...more: Bytes[]): Promise<Uint8Array> {
  return await around(
    text,
    ...more,
    C.aliases(C.coreAlias(Core.func, 0, "run")),
    C.types(C.result(), type),
    C.canons(C.lift(0, 1)),
    C.instances(C.bundle([["run", Sort.func, 0]])),
    C.exports(C.exported("wasi:cli/run@0.2.0", Sort.instance, 0)),
  );
}

test("numbers that name something of another sort are refused", async () => {
  const text = `(module (func (export "f")))`;
  const bad: [what: string, bytes: Uint8Array][] = [
    [
      "a core type as an export",
      C.component(section(3, list([[0x60, 0, 0]])), C.exports([0, "a", [0, 0x10], 0, 0])),
    ],
    ["a function as a core instance", await around(text, C.aliases([0, 0x12, 1, 0, "f"]))],
    ["a core function as a function", await around(text, C.aliases([1, 1, 0, "f"]))],
    ["a core function as a component", await around(text, C.aliases([4, 1, 0, "f"]))],
    ["a core function as a type", await around(text, C.aliases([3, 1, 0, "f"]))],
    [
      "a module in a bundle",
      await around(text, C.coreInstances(C.coreBundle([["m", Core.module, 0]]))),
    ],
    ["an alias far outside", C.component(C.aliases(C.outer(Sort.type, 0xffffffff, 0)))],
    [
      "a function of the component around",
      await around(
        text,
        C.aliases(C.coreAlias(Core.func, 0, "f")),
        C.nested(C.component(C.aliases(C.outer([0, Core.func], 1, 0)))),
        C.instances(C.instance(0)),
      ),
    ],
    [
      "a borrowed result",
      C.component(C.types(C.resource(), C.borrow(0), C.tuple(1), C.func([], 2))),
    ],
  ];
  for (const [what, bytes] of bad) await assert.rejects(instantiate(bytes), component, what);
});

test("what would take forever to link is refused soon", async () => {
  const deep = 2000;
  const chain: Bytes[] = [C.nested(C.component())];
  for (let i = 1; i < deep; i++) {
    const inner = [C.aliases(C.outer(Sort.component, 1, i - 1)), C.instances(C.instance(0))];
    chain.push(C.nested(C.component(...inner)));
  }
  /** Types of instances with `names.length` instances of the one before, and instances of them. */
  const tower = (height: number, names: string[]): [types: Bytes, instances: Bytes] => {
    const types: Bytes[] = [C.instanceType()];
    const instances: Bytes[] = [C.bundle([])];
    for (let i = 1; i <= height; i++) {
      const before = C.declareAlias(C.outer(Sort.type, 1, i - 1));
      types.push(C.instanceType(before, ...names.map((name) => C.declare(name, Sort.instance, 0))));
      instances.push(C.bundle(names.map((name) => [name, Sort.instance, i - 1])));
    }
    return [section(7, list(types)), section(5, list(instances))];
  };
  const importing = (height: number, names: string[]): Uint8Array => {
    const [types, instances] = tower(height, names);
    const inner = C.component(types, C.imports(C.imported("x", Sort.instance, height)));
    const last = C.instance(0, [["x", Sort.instance, height]]);
    return C.component(C.nested(inner), instances, C.instances(last));
  };
  const many = <A>(count: number, item: A): A[] => new Array<A>(count).fill(item);
  const wide = C.component(section(7, list(many(20_000, C.tuple(T.u8)))));
  const itself = C.component(C.aliases(C.outer(Sort.component, 1, 0)), C.instances(C.instance(0)));
  const bad: [what: string, bytes: Uint8Array][] = [
    ["a chain of components", C.component(...chain, C.instances(C.instance(deep - 1)))],
    ["a component in itself", C.component(C.nested(itself), C.instances(C.instance(0)))],
    ["deep types", importing(deep, ["a"])],
    ["types that double", importing(40, ["a", "b"])],
    [
      "deep exports",
      C.component(tower(deep, ["a"])[1], C.exports(C.exported("x", Sort.instance, deep))),
    ],
    ["the same again", C.component(C.nested(wide), section(5, list(many(3000, C.instance(0)))))],
    [
      "many functions",
      C.component(C.types(C.resource()), section(8, list(many(50_000, C.resourceDrop(0))))),
    ],
  ];
  for (const [what, bytes] of bad) {
    const began = performance.now();
    await assert.rejects(instantiate(bytes), component, what);
    assert.ok(performance.now() - began < 20_000, what);
  }
});

test("instances that are exported many times over are one object", async () => {
  const instances: Bytes[] = [C.bundle([])];
  for (let i = 1; i <= 50; i++) {
    instances.push(C.bundle([["a", Sort.instance, i - 1], ["b", Sort.instance, i - 1]]));
  }
  const bytes = C.component(
    C.instances(...instances),
    C.exports(C.exported("x", Sort.instance, 50)),
  );
  const { exports, close } = await instantiate(bytes);
  assert.equal(exports.x.a, exports.x.b);
  close();
});

test("core functions have the types that they are used with", async () => {
  const text = `(module (memory (export "memory") 1)
    (func (export "takes") (param i64)) (func (export "gives") (result i64) (i64.const 1))
    (func (export "none")))`;
  const lifted = (name: string, type: Bytes, ...options: Bytes[]): Promise<Uint8Array> =>
    around(
      text,
      C.aliases(
        C.coreAlias(Core.func, 0, name),
        C.coreAlias(Core.memory, 0, "memory"),
        C.coreAlias(Core.func, 0, "gives"),
      ),
      C.types(type),
      C.canons(C.lift(0, 0, ...options)),
    );
  const bad: Promise<Uint8Array>[] = [
    lifted("takes", C.func([["a", T.u32]])),
    lifted("gives", C.func([], T.u32)),
    lifted("gives", C.func([], T.string), Option.memory(0)),
    lifted("none", C.func([]), Option.postReturn(1)),
    lifted("takes", C.func([["a", T.u64]]), Option.memory(0), Option.realloc(1)),
    lifted("none", C.func([["a", T.string]])), // no memory
    around(
      text,
      C.aliases(C.coreAlias(Core.func, 0, "takes")),
      C.types(C.resource(0)),
    ),
  ];
  for (const bytes of bad) await assert.rejects(instantiate(await bytes), component);
});

test("a command whose run is no function of a command is refused", async () => {
  const bytes = await command(`(module (func (export "run")))`, C.func([]));
  await assert.rejects(run(bytes), component);
});

test("a component cannot put functions of its own in the place of built in checks", async () => {
  const fake = await textModule(`(module
    (func (export "check") (result i32) (i32.const 0x7fffffff)))`);
  const loop = await textModule(`(module
    (func (export "run") (result i32) (loop (br 0)) (unreachable)))`);
  const importing = await textModule(`(module (import "@x/wasi" "check" (func (result i32)))
    (func (export "run") (result i32) (loop (br 0)) (unreachable)))`);
  const of = (module: Uint8Array): Uint8Array =>
    C.component(
      C.module(fake),
      C.module(module),
      C.coreInstances(C.coreInstance(0), C.coreInstance(1, { "@x/wasi": 0 })),
      C.aliases(C.coreAlias(Core.func, 1, "run")),
      C.types(C.result(), C.func([], 0)),
      C.canons(C.lift(0, 1)),
      C.instances(C.bundle([["run", Sort.func, 0]])),
      C.exports(C.exported("wasi:cli/run@0.2.0", Sort.instance, 0)),
    );
  await assert.rejects(run(of(loop), { timeout: 300 }), { name: "TimeoutError" });
  await assert.rejects(run(of(importing), { timeout: 300 }), component);
});

test("a time limit ends start functions, post-return, realloc and destructors", async () => {
  const forever = `(loop (br 0))`;
  const start = await command(
    `(module (func $s ${forever}) (start $s) (func (export "run") (result i32) (i32.const 0)))`,
    C.func([], 0),
  );
  const post = await around(
    `(module (func (export "run") (result i32) (i32.const 0))
      (func (export "post") (param i32) ${forever}))`,
    C.aliases(C.coreAlias(Core.func, 0, "run"), C.coreAlias(Core.func, 0, "post")),
    C.types(C.result(), C.func([], 0)),
    C.canons(C.lift(0, 1, Option.postReturn(1))),
    C.instances(C.bundle([["run", Sort.func, 0]])),
    C.exports(C.exported("wasi:cli/run@0.2.0", Sort.instance, 0)),
  );
  const drops = await textModule(`(module (import "" "drop" (func $drop (param i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "run") (result i32) (call $drop (call $new (i32.const 1))) (i32.const 0)))`);
  const destructor = await around(
    `(module (func (export "d") (param i32) ${forever}))`,
    C.module(drops),
    C.aliases(C.coreAlias(Core.func, 0, "d")),
    C.types(C.resource(0), C.result(), C.func([], 1)),
    C.canons(C.resourceDrop(0), C.resourceNew(0)),
    C.coreInstances(
      C.coreBundle([["drop", Core.func, 1], ["new", Core.func, 2]]),
      C.coreInstance(1, { "": 1 }),
    ),
    C.aliases(C.coreAlias(Core.func, 2, "run")),
    C.canons(C.lift(3, 2)),
    C.instances(C.bundle([["run", Sort.func, 0]])),
    C.exports(C.exported("wasi:cli/run@0.2.0", Sort.instance, 0)),
  );
  for (const bytes of [start, post, destructor]) {
    await assert.rejects(run(bytes, { timeout: 200 }), { name: "TimeoutError" });
  }
});

test("limits.memoryPages counts memories and tables that no module exports", async () => {
  for (const space of ["memory 100", "table 100000 funcref"]) {
    const module = C.module(await textModule(`(module (${space}))`));
    const bytes = C.component(module, C.coreInstances(C.coreInstance(0), C.coreInstance(0)));
    const limits = { memoryPages: 150 };
    await assert.rejects(instantiate(bytes, { limits }), { code: "ERR_OUT_OF_RANGE" }, space);
    (await instantiate(bytes, { limits: { memoryPages: 200 } })).close();
  }
});

test("after a trap in realloc nothing runs again", async () => {
  const bytes = await around(
    `(module (memory (export "memory") 1) (func (export "f") (param i32 i32))
      (func (export "g") (result i32) (i32.const 7))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (if (i32.eq (local.get 3) (i32.const 3)) (then (unreachable)))
        (i32.const -8)))`,
    C.aliases(
      C.coreAlias(Core.memory, 0, "memory"),
      C.coreAlias(Core.func, 0, "f"),
      C.coreAlias(Core.func, 0, "g"),
      C.coreAlias(Core.func, 0, "realloc"),
    ),
    C.types(C.func([["a", T.string]]), C.func([], T.u32)),
    C.canons(C.lift(0, 0, Option.memory(0), Option.realloc(2)), C.lift(1, 1)),
    C.exports(C.exported("f", Sort.func, 0), C.exported("g", Sort.func, 1)),
  );
  for (const text of ["abc", "abcd"]) { // traps, and gives what is no place
    const { exports, close } = await instantiate(bytes);
    assert.equal(exports.g(), 7);
    assert.throws(() => exports.f(text), WebAssembly.RuntimeError);
    assert.throws(() => exports.g(), WebAssembly.RuntimeError);
    close();
  }
});

test("a wrong value is a TypeError, and the component goes on", async () => {
  const bytes = await around(
    `(module ${ROOM} (func (export "f") (param i32 i32))
      (func (export "g") (result i32) (i32.const 7)))`,
    C.aliases(
      C.coreAlias(Core.memory, 0, "memory"),
      C.coreAlias(Core.func, 0, "f"),
      C.coreAlias(Core.func, 0, "g"),
      C.coreAlias(Core.func, 0, "realloc"),
    ),
    C.types(
      C.listOf(T.u8),
      C.listOf(T.string),
      C.record([["__proto__", T.u32], ["constructor", T.u32]]),
      C.func([["a", T.string]]),
      C.func([["a", 0]]),
      C.func([["a", 1]]),
      C.func([["a", 2]]),
      C.func([], T.u32),
    ),
    C.canons(
      ...[3, 4, 5, 6].map((type) => C.lift(0, type, Option.memory(0), Option.realloc(2))),
      C.lift(1, 7),
    ),
    C.exports(
      C.exported("text", Sort.func, 0),
      C.exported("bytes", Sort.func, 1),
      C.exported("texts", Sort.func, 2),
      C.exported("named", Sort.func, 3),
      C.exported("g", Sort.func, 4),
    ),
  );
  const { exports, close } = await instantiate(bytes);
  const wrong: unknown[] = [
    undefined,
    null,
    5,
    1n,
    Symbol("s"),
    {},
    Object.create(null),
    { toString: () => assert.fail() },
    { length: -1 },
    { length: 2 ** 31 },
    { length: NaN },
    [Object.create(null)],
    () => {},
  ];
  for (const value of wrong) {
    for (const name of ["text", "bytes", "texts", "named"]) {
      const what = `${name} ${typeof value}`;
      assert.throws(() => exports[name](value), { code: "ERR_INVALID_ARG_TYPE" }, what);
      assert.equal(exports.g(), 7);
    }
  }
  exports.named(JSON.parse('{"__proto__":1,"constructor":2}'));
  // what is called while values are taken out of an object cannot enter the component
  const evil = {
    get ["__proto__"]() {
      return exports.g();
    },
    constructor: 1,
  };
  assert.throws(() => exports.named(evil), WebAssembly.RuntimeError);
  close();
});

/** A component that imports f: func() -> u32 and g: func(), and exports both as a and b. */
async function importing(): Promise<Uint8Array> {
  const module = await textModule(`(module (import "" "f" (func $f (result i32)))
    (import "" "g" (func $g))
    (func (export "a") (result i32) (call $f))
    (func (export "b") (call $g)))`);
  return C.component(
    C.types(C.func([], T.u32), C.func([])),
    C.imports(C.imported("f", Sort.func, 0), C.imported("g", Sort.func, 1)),
    C.module(module),
    C.canons(C.lower(0), C.lower(1)),
    C.coreInstances(
      C.coreBundle([["f", Core.func, 0], ["g", Core.func, 1]]),
      C.coreInstance(0, { "": 0 }),
    ),
    C.aliases(C.coreAlias(Core.func, 1, "a"), C.coreAlias(Core.func, 1, "b")),
    C.canons(C.lift(2, 0), C.lift(3, 1)),
    C.exports(C.exported("a", Sort.func, 2), C.exported("b", Sort.func, 3)),
  );
}

test("what functions of options.imports do wrong is told", async () => {
  const bytes = await importing();
  const failing = async (f: () => unknown, g: () => unknown = () => {}): Promise<unknown> => {
    const { exports, close } = await instantiate(bytes, { imports: given({ f, g }) });
    try {
      await (g.name === "g" ? exports.a() : exports.b());
    } catch (error) {
      assert.throws(() => exports.a(), (again) => causeOf(again) === causeOf(error));
      return causeOf(error);
    } finally {
      close();
    }
    assert.fail("nothing was thrown");
  };
  for (const value of ["x", undefined, Object.create(null), Symbol("s"), 1n, Promise.resolve(1)]) {
    assert.ok(await failing(() => value) instanceof TypeError, typeof value);
  }
  const own = new Error("own");
  assert.equal(
    await failing(() => {
      throw own;
    }),
    own,
  );
  // not an Error: it is not taken for the value
  for (const thrown of ["text", { payload: 1 }]) {
    const { exports, close } = await instantiate(bytes, {
      imports: given({
        f: () => 1,
        g: () => {
          throw thrown;
        },
      }),
    });
    assert.throws(
      () => exports.b(),
      (error: unknown) => error === thrown || (error as { payload?: unknown }).payload === 1,
    );
    close();
  }
  await assert.rejects(
    instantiate(bytes, { imports: given({ f: null, g: () => {} }) }),
    { code: "ERR_INVALID_ARG_TYPE" },
  );
});

const suspends = "Suspending" in WebAssembly;

test("functions of options.imports that are async reject, or need JSPI", async () => {
  const own = new Error("own");
  const imports = given({
    f: async (): Promise<never> => {
      await Promise.resolve();
      throw own;
    },
    g: () => {},
  });
  const bytes = await importing();
  if (!suspends) {
    return await assert.rejects(instantiate(bytes, { imports }), { code: "ERR_INVALID_ARG_VALUE" });
  }
  const { exports, close } = await instantiate(bytes, { imports });
  await assert.rejects(exports.a(), (error) => causeOf(error) === own);
  close();
});

test("close() and a signal end a call that waits forever", async () => {
  const bytes = await importing();
  const imports = given({ f: async () => await new Promise(() => {}), g: () => {} });
  if (!suspends) {
    return await assert.rejects(instantiate(bytes, { imports }), { code: "ERR_INVALID_ARG_VALUE" });
  }
  const one = await instantiate(bytes, { imports });
  const waiting = one.exports.a();
  assert.throws(() => one.exports.b(), WebAssembly.RuntimeError);
  one.close();
  await assert.rejects(waiting, /closed/);
  assert.throws(() => one.exports.b(), /closed/);
  one.close();
  const controller = new AbortController();
  const two = await instantiate(bytes, { imports, signal: controller.signal });
  const reason = new Error("enough");
  setTimeout(() => controller.abort(reason), 10);
  await assert.rejects(two.exports.a(), (error) => error === reason);
  assert.throws(() => two.exports.b(), (error) => causeOf(error) === reason);
  two.close();
});

test("lists that name the same memory over and over end in a trap", async () => {
  const names = Array.from({ length: 32 }, (_, i) => `f${i}`);
  const bad: [types: Bytes[], count: number, elements: string][] = [
    [[C.flags(...names), C.listOf(0)], 1_500_000, ""],
    [[C.listOf(T.u8), C.listOf(0)], 700_000, ""],
    [[C.record(names.map((name) => [name, T.u8])), C.listOf(0)], 190_000, ""],
    [
      [C.listOf(T.string)],
      10_000,
      `(local $i i32) (loop
        (i32.store (i32.add (local.get $i) (i32.const 8)) (i32.const 200000))
        (i32.store (i32.add (local.get $i) (i32.const 12)) (i32.const 100000))
        (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8)))
          (i32.const 80000))))`,
    ],
  ];
  for (const [types, count, elements] of bad) {
    const bytes = await around(
      `(module (memory (export "memory") 100)
        (func (export "f") (result i32) ${elements}
          (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const ${count}))
          (i32.const 0)))`,
      C.aliases(C.coreAlias(Core.memory, 0, "memory"), C.coreAlias(Core.func, 0, "f")),
      C.types(...types, C.func([], leb(types.length - 1))),
      C.canons(C.lift(0, types.length, Option.memory(0))),
      C.exports(C.exported("f", Sort.func, 0)),
    );
    const { exports, close } = await instantiate(bytes);
    assert.throws(() => exports.f(), /take more than \d+ bytes/);
    close();
  }
});

/** A component with a resource of its own; the destructor and `f` are of the module's. */
async function resourceful(destructor: string, f: string): Promise<Uint8Array> {
  const main = await textModule(`(module (import "" "drop" (func $drop (param i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "rep" (func $rep (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "make") (result i32) (call $new (i32.const 42)))
    (func (export "get") (param i32) (result i32) (local.get 0))
    (func (export "eat") (param i32) (call $drop (local.get 0)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (call $drop (i32.const 1)) (i32.const 1024))
    (func (export "text") (param i32 i32))
    (func (export "f") ${f}))`);
  return await around(
    `(module (func (export "d") (param i32) ${destructor}))`,
    C.module(main),
    C.aliases(C.coreAlias(Core.func, 0, "d")),
    C.types(C.resource(0)),
    C.exports(C.exported("thing", Sort.type, 0)),
    C.types(
      C.own(1),
      C.borrow(1),
      C.func([], 2),
      C.func([["self", 3]], T.u32),
      C.func([["a", 2]]),
      C.func([]),
      C.func([["a", T.string]]),
    ),
    C.canons(C.resourceDrop(0), C.resourceNew(0), C.resourceRep(0)),
    C.coreInstances(
      C.coreBundle([["drop", Core.func, 1], ["new", Core.func, 2], ["rep", Core.func, 3]]),
      C.coreInstance(1, { "": 1 }),
    ),
    C.aliases(
      ...["make", "get", "eat", "f", "text", "realloc"].map((name) =>
        C.coreAlias(Core.func, 2, name)
      ),
      C.coreAlias(Core.memory, 2, "memory"),
    ),
    C.canons(
      C.lift(4, 4),
      C.lift(5, 5),
      C.lift(6, 6),
      C.lift(7, 7),
      C.lift(8, 8, Option.memory(0), Option.realloc(9)),
    ),
    C.exports(
      C.exported("[constructor]thing", Sort.func, 0),
      C.exported("[method]thing.get", Sort.func, 1),
      C.exported("[static]thing.prototype", Sort.func, 3),
      C.exported("eat", Sort.func, 2),
      C.exported("f", Sort.func, 3),
      C.exported("text", Sort.func, 4),
    ),
  );
}

test("resources cannot be given twice, forged or used after they are gone", async () => {
  const { exports, close } = await instantiate(await resourceful("", ""));
  const other = await instantiate(await resourceful("", ""));
  const thing = new exports.Thing();
  assert.equal(thing.get(), 42);
  const forged = [
    {},
    Object.create(exports.Thing.prototype),
    new other.exports.Thing(),
    1,
    null,
    undefined,
  ];
  for (const value of forged) {
    assert.throws(() => exports.eat(value), TypeError);
    assert.throws(() => exports.Thing.prototype.get.call(value), TypeError);
  }
  exports.eat(thing);
  assert.throws(() => exports.eat(thing), TypeError);
  assert.throws(() => thing.get(), TypeError);
  thing[Symbol.dispose]();
  exports.f();
  close();
  other.close();
});

test("a trap in a destructor or a wrong handle stops the component", async () => {
  const trapping = await instantiate(await resourceful("(unreachable)", ""));
  const thing = new trapping.exports.Thing();
  assert.throws(() => thing[Symbol.dispose](), WebAssembly.RuntimeError);
  assert.throws(() => trapping.exports.f(), WebAssembly.RuntimeError);
  trapping.close();
  const wrong = [
    "(call $drop (i32.const 1))",
    "(call $drop (i32.const 0))",
    "(call $drop (i32.const -1))",
    "(drop (call $rep (i32.const 0x7fffffff)))",
    "(local $h i32) (call $drop (local.tee $h (call $new (i32.const 1)))) (call $drop (local.get $h))",
  ];
  for (const code of wrong) {
    const { exports, close } = await instantiate(await resourceful("", code));
    assert.throws(
      () => exports.f(),
      (error) => causeOf(error) instanceof WebAssembly.RuntimeError,
      code,
    );
    assert.throws(() => exports.f(), WebAssembly.RuntimeError);
    close();
  }
});

test("while it makes room for values a component drops nothing", async () => {
  const { exports, close } = await instantiate(await resourceful("", ""));
  const thing = new exports.Thing();
  assert.equal(thing.get(), 42);
  assert.throws(() => exports.text("abc"), (error) => /makes room/.test(String(causeOf(error))));
  close();
});

/** A command that makes pollables and waits for them. */
async function waiting(body: string): Promise<Uint8Array> {
  const module = await textModule(
    `(module (import "" "after" (func $after (param i64) (result i32)))
    (import "" "ready" (func $ready (param i32) (result i32)))
    (import "" "block" (func $block (param i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (result i32) (local $p i32) ${body}))`,
  );
  return C.component(
    C.types(C.instanceType(
      C.declareResource("pollable"),
      C.declareType(C.borrow(0)),
      C.declareType(C.func([["self", 1]], T.bool)),
      C.declareType(C.func([["self", 1]])),
      C.declare("[method]pollable.ready", Sort.func, 2),
      C.declare("[method]pollable.block", Sort.func, 3),
    )),
    C.imports(C.imported("wasi:io/poll@0.2.0", Sort.instance, 0)),
    C.aliases(C.alias(Sort.type, 0, "pollable")),
    C.types(C.instanceType(
      C.declareAlias(C.outer(Sort.type, 1, 1)),
      C.declareEqual("pollable", 0),
      C.declareType(C.own(1)),
      C.declareType(C.func([["when", T.u64]], 2)),
      C.declare("subscribe-duration", Sort.func, 3),
    )),
    C.imports(C.imported("wasi:clocks/monotonic-clock@0.2.0", Sort.instance, 2)),
    C.aliases(
      C.alias(Sort.func, 1, "subscribe-duration"),
      C.alias(Sort.func, 0, "[method]pollable.ready"),
      C.alias(Sort.func, 0, "[method]pollable.block"),
    ),
    C.canons(C.lower(0), C.lower(1), C.lower(2), C.resourceDrop(1)),
    C.module(module),
    C.coreInstances(
      C.coreBundle(
        ["after", "ready", "block", "drop"].map((name, i) => [name, Core.func, i]),
      ),
      C.coreInstance(0, { "": 0 }),
    ),
    C.aliases(C.coreAlias(Core.func, 1, "run")),
    C.types(C.result(), C.func([], 3)),
    C.canons(C.lift(4, 4)),
    C.instances(C.bundle([["run", Sort.func, 3]])),
    C.exports(C.exported("wasi:cli/run@0.2.0", Sort.instance, 2)),
  );
}

test("a time limit ends waits, and calls without an end", async () => {
  const soon = await waiting("(call $block (call $after (i64.const 1000))) (i32.const 0)");
  assert.equal(await run(soon), 0);
  const never = "(call $after (i64.const 0x7fffffffffffffff))";
  const bad = [
    `(call $block ${never}) (i32.const 0)`,
    `(local.set $p ${never})
      (loop (br_if 0 (i32.eqz (call $ready (local.get $p))))) (i32.const 0)`,
    "(loop (call $drop (call $after (i64.const 1))) (br 0)) (unreachable)",
  ];
  for (const body of bad) {
    await assert.rejects(run(await waiting(body), { timeout: 200 }), { name: "TimeoutError" });
  }
});

test("the handles of a component have an end", async () => {
  const bytes = await waiting("(loop (drop (call $after (i64.const 1))) (br 0)) (unreachable)");
  await assert.rejects(run(bytes), /more than \d+ handles/);
});

test("an error does not repeat all that a component says", async () => {
  const name = "x".repeat(100_000);
  const bytes = C.component(C.types(C.func([])), C.imports(C.imported(name, Sort.func, 0)));
  await assert.rejects(
    instantiate(bytes),
    (error: Error & { code?: string }) =>
      error.code === "ERR_WASI_COMPONENT" && error.message.length < 1000,
  );
});

test("a function that is no class is refused as one", async () => {
  const bytes = C.component(
    C.types(C.instanceType(
      C.declareResource("thing"),
      C.declareType(C.borrow(0)),
      C.declareType(C.func([["self", 1]])),
      C.declare("[method]thing.go", Sort.func, 2),
    )),
    C.imports(C.imported("a:b/c", Sort.instance, 0)),
  );
  for (const Thing of [() => {}, null, 5, {}]) {
    await assert.rejects(instantiate(bytes, { imports: given({ "a:b/c": { Thing } }) }), component);
  }
});

test("names that objects have anyway are names like others", async () => {
  const names = ["__proto__", "constructor", "has-own-property", "to-string", "prototype", "then"];
  const bytes = await around(
    `(module (func (export "f") (result i32) (i32.const 7)))`,
    C.aliases(C.coreAlias(Core.func, 0, "f")),
    C.types(C.func([], T.u32)),
    C.canons(C.lift(0, 0)),
    C.instances(C.bundle(names.map((name) => [name, Sort.func, 0]))),
    C.exports(
      ...names.map((name) => C.exported(name, Sort.func, 0)),
      C.exported("a:b/__proto__", Sort.instance, 0),
    ),
  );
  const { exports, close } = await instantiate(bytes);
  const spelled = ["__proto__", "constructor", "hasOwnProperty", "toString", "prototype", "then"];
  assert.deepEqual(Object.keys(exports).sort(), [...spelled, "a:b/__proto__"].sort());
  for (const object of [exports, exports["a:b/__proto__"]]) {
    for (const name of spelled) {
      const { value } = Object.getOwnPropertyDescriptor(object, name)!;
      assert.equal(value(), 7, name);
    }
  }
  assert.equal(Object.getPrototypeOf(exports), Object.prototype);
  assert.equal(({} as { f?: unknown }).f, undefined);
  close();
  const importing = C.component(
    C.types(C.func([])),
    C.imports(C.imported("__proto__", Sort.func, 0)),
  );
  await assert.rejects(instantiate(importing), component);
  const wanted = C.component(
    C.types(C.instanceType(C.declareType(C.func([])), C.declare("constructor", Sort.func, 0))),
    C.imports(C.imported("a:b/c", Sort.instance, 0)),
  );
  await assert.rejects(instantiate(wanted, { imports: given({ "a:b/c": {} }) }), component);
});

test("what ends a component is caught by none of its handlers", async () => {
  const caught = (call: string): string => `(try (do ${call}) (catch_all))`;
  const dropping = await instantiate(await resourceful("", caught("(call $drop (i32.const 99))")));
  assert.throws(() => dropping.exports.f(), WebAssembly.RuntimeError);
  dropping.close();
  const trapping = await resourceful(
    "(unreachable)",
    caught("(call $drop (call $new (i32.const 1)))"),
  );
  const destroyed = await instantiate(trapping);
  assert.throws(() => destroyed.exports.f());
  assert.throws(() => destroyed.exports.f(), WebAssembly.RuntimeError);
  destroyed.close();
  const text = `(module (import "" "f" (func $f (param i32)))
    (func (export "run") (result i32)
      (try (do (call $f (i32.const 1))) (catch_all))
      (try (do (call $f (i32.const 0))) (catch_all))
      (i32.const 0)))`;
  const ending = async (name: string, type: Bytes[], alias: Bytes[]): Promise<Uint8Array> =>
    C.component(
      C.types(...type),
      C.imports(C.imported(name, alias.length === 0 ? Sort.func : Sort.instance, type.length - 1)),
      ...alias,
      C.canons(C.lower(0)),
      C.module(await textModule(text)),
      C.coreInstances(C.coreBundle([["f", Core.func, 0]]), C.coreInstance(0, { "": 0 })),
      C.aliases(C.coreAlias(Core.func, 1, "run")),
      C.types(C.result(), C.func([], type.length)),
      C.canons(C.lift(1, type.length + 1)),
      C.instances(C.bundle([["run", Sort.func, 1]])),
      C.exports(C.exported("wasi:cli/run@0.2.0", Sort.instance, alias.length === 0 ? 0 : 1)),
    );
  const exit = C.instanceType(
    C.declareType(C.result()),
    C.declareType(C.func([["status", 0]])),
    C.declare("exit", Sort.func, 1),
  );
  const alias = C.aliases(C.alias(Sort.func, 0, "exit"));
  assert.equal(await run(await ending("wasi:cli/exit@0.2.0", [exit], [alias])), 1);
  const own = new Error("own");
  let calls = 0;
  const bytes = await ending("f", [C.func([["a", T.s32]])], []);
  const sync = (): void => {
    calls++;
    throw own;
  };
  const failing = [sync];
  // deno-lint-ignore require-await
  if (suspends) failing.push(async () => sync());
  for (const f of failing) {
    calls = 0;
    await assert.rejects(run(bytes, { imports: given({ f }) }), (error) => error === own);
    assert.equal(calls, 1);
  }
});

test("components that pass values on to each other have one budget for all", async () => {
  const room = `(memory (export "memory") 40)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (select (i32.const 8) (i32.const 65536) (i32.lt_u (local.get 3) (i32.const 2000))))`;
  const passing = (before: string): string =>
    `(module (import "" "memory" (memory 1))
    (import "" "f" (func $f (param i32 i32)))
    (func (export "f") (param i32 i32) (local $i i32) ${before}
      (call $f (local.get 0) (local.get 1))))`;
  // a list of 50 times the same million bytes
  const first = passing(`(loop
      (i32.store (i32.add (local.get $i) (i32.const 8)) (i32.const 65536))
      (i32.store (i32.add (local.get $i) (i32.const 12)) (i32.const 1000000))
      (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 400))))
    (local.set 0 (i32.const 8)) (local.set 1 (i32.const 50))`);
  const types = C.types(C.listOf(T.u8), C.listOf(0), C.func([["a", 1]]));
  const spaces = [C.coreAlias(Core.memory, 0, "memory"), C.coreAlias(Core.func, 0, "realloc")];
  const options = [Option.memory(0), Option.realloc(0)];
  const last = C.component(
    types,
    C.module(await textModule(`(module ${room} (func (export "f") (param i32 i32)))`)),
    C.coreInstances(C.coreInstance(0)),
    C.aliases(...spaces, C.coreAlias(Core.func, 0, "f")),
    C.canons(C.lift(1, 2, ...options)),
    C.exports(C.exported("f", Sort.func, 0)),
  );
  const roomy = await textModule(`(module ${room})`);
  const middle = async (text: string): Promise<Uint8Array> =>
    C.component(
      types,
      C.imports(C.imported("f", Sort.func, 2)),
      C.module(roomy),
      C.module(await textModule(text)),
      C.coreInstances(C.coreInstance(0)),
      C.aliases(...spaces),
      C.canons(C.lower(0, Option.memory(0))),
      C.coreInstances(
        C.coreBundle([["memory", Core.memory, 0], ["f", Core.func, 1]]),
        C.coreInstance(1, { "": 1 }),
      ),
      C.aliases(C.coreAlias(Core.func, 2, "f")),
      C.canons(C.lift(2, 2, ...options)),
      C.exports(C.exported("f", Sort.func, 1)),
    );
  const chain = async (length: number): Promise<Uint8Array> => {
    const sections: Bytes[] = [C.instances(C.instance(0)), C.aliases(C.alias(Sort.func, 0, "f"))];
    for (let i = 1; i <= length; i++) {
      const of = C.instance(i === length ? 2 : 1, [["f", Sort.func, i - 1]]);
      sections.push(C.instances(of), C.aliases(C.alias(Sort.func, i, "f")));
    }
    return C.component(
      C.nested(last),
      C.nested(await middle(passing(""))),
      C.nested(await middle(first)),
      ...sections,
      C.exports(C.exported("f", Sort.func, length)),
    );
  };
  const short = await instantiate(await chain(2));
  for (let i = 0; i < 3; i++) short.exports.f([]); // what a call has taken is there for the next
  short.close();
  const long = await instantiate(await chain(10));
  assert.throws(() => long.exports.f([]), /take more than|stopped/);
  assert.throws(() => long.exports.f([]), WebAssembly.RuntimeError);
  long.close();
});
