/** How values, errors and resources of components look in JavaScript: as jco has them. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { canSuspend, instantiate, type RunOptions } from "../../mod.ts";
import { root } from "../support/harness.ts";

const bytes = fs.readFileSync(path.join(root, "tests/components/javascript.wasm"));

// deno-lint-ignore no-explicit-any
type Any = any;

/** A resource of the host's. */
class Thing {
  static disposed: number[] = [];
  readonly v: number;
  #secret = 100;

  constructor(v: number) {
    this.v = v;
  }

  value(): number {
    return this.v + this.#secret;
  }

  static join(a: Thing, b: Thing): Thing {
    assert.ok(a instanceof Thing && b instanceof Thing);
    return new this(a.v + b.v);
  }

  [Symbol.dispose](): void {
    Thing.disposed.push(this.v);
  }
}

class Token {
  readonly value = 77;
}

/** Holds if it rejects as a component that cannot be linked. */
async function rejects(linking: Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(linking, { name: "LinkError", code: "ERR_WASI_COMPONENT", message });
}

/** Functions that give back what they get, and keep it. */
function host(got: unknown[] = []): Any {
  const echo = (value: unknown): unknown => {
    got.push(value);
    return value;
  };
  return {
    pointOf: echo,
    modeOf: echo,
    shapeOf: echo,
    colorOf: echo,
    bytesOf: echo,
    wordsOf: echo,
    nestedOf: echo,
    bigOf: echo,
    parse: (text: string) => ({ xAxis: Number(text), label: undefined }),
    plain: () => {},
    Thing,
  };
}

function imports(own: Any = host()): Any {
  return {
    "test:values/host@0.2.1": own,
    single: (v: number) => v + 1,
    token: Token,
    "use-token": (token: Token) => token.value,
  };
}

/** Instantiates the component with these functions of the host's. */
async function make(own: Any = host(), options: RunOptions = {}): Promise<Any> {
  return (await instantiate(bytes, { imports: imports(own), stdin: null, ...options })).exports;
}

test("exports are there by the names that jco gives them", async () => {
  const exports = await make();
  assert.equal(typeof exports.echo.pointOf, "function");
  assert.equal(exports.echo, exports["test:values/echo@0.2.1"]);
  assert.equal(exports.echo, exports["test:values/echo"]);
  assert.equal(exports.echo.singleValue(1), 2);
  assert.equal(exports.counters.Counter.name, "Counter");
  assert.deepEqual(Object.keys(exports.echo).filter((name) => /[-[]/.test(name)), []);
});

test("records, flags, variants, enums and options in both directions", async () => {
  const got: Any[] = [];
  const { echo } = await make(host(got));
  const point = { xAxis: -5, label: "here" };
  assert.deepEqual(echo.pointOf(point), point);
  assert.deepEqual(got.pop(), point);
  assert.deepEqual(echo.pointOf({ xAxis: 1 }), { xAxis: 1, label: undefined });
  assert.deepEqual(echo.pointOf({ xAxis: 1, label: null }), { xAxis: 1, label: undefined });
  assert.deepEqual(echo.modeOf({ readOnly: true }), { readOnly: true, b: false });
  assert.deepEqual(echo.modeOf({ b: 1, other: true }), { readOnly: false, b: true });
  assert.deepEqual(echo.modeOf(undefined), { readOnly: false, b: false });
  assert.deepEqual(echo.shapeOf({ tag: "none" }), { tag: "none" });
  assert.deepEqual(echo.shapeOf({ tag: "circle", val: 1.5 }), { tag: "circle", val: 1.5 });
  assert.deepEqual(echo.shapeOf({ tag: "at", val: point }), { tag: "at", val: point });
  assert.equal(echo.colorOf("dark-red"), "dark-red");
  assert.deepEqual(echo.nestedOf({ tag: "none" }), { tag: "none" });
  assert.deepEqual(echo.nestedOf({ tag: "some" }), { tag: "some", val: undefined });
  assert.deepEqual(echo.nestedOf({ tag: "some", val: "x" }), { tag: "some", val: "x" });
  assert.deepEqual(echo.nestedOf(undefined), { tag: "none" });
});

test("lists of numbers are typed arrays; arrays and buffers are taken for them", async () => {
  const got: Any[] = [];
  const { echo } = await make(host(got));
  assert.deepEqual(echo.bytesOf([1, 2, 255]), new Uint8Array([1, 2, 255]));
  assert.deepEqual(got.pop(), new Uint8Array([1, 2, 255]));
  const { buffer } = new Uint8Array([0, 1, 2, 3]);
  assert.deepEqual(echo.bytesOf(buffer), new Uint8Array([0, 1, 2, 3]));
  assert.deepEqual(echo.bytesOf(new DataView(buffer, 1, 2)), new Uint8Array([1, 2]));
  assert.deepEqual(echo.bytesOf(new Uint8Array(buffer, 2)), new Uint8Array([2, 3]));
  assert.deepEqual(
    echo.wordsOf(new Uint32Array([1, 2 ** 32 - 1])),
    new Uint32Array([1, 2 ** 32 - 1]),
  );
  assert.deepEqual(echo.wordsOf([7, -1]), new Uint32Array([7, 2 ** 32 - 1]));
  assert.deepEqual(echo.wordsOf(new Uint16Array([7, 8])), new Uint32Array([7, 8]));
});

test("numbers of 64 bits are bigints; whole numbers are taken for them", async () => {
  const got: Any[] = [];
  const { echo } = await make(host(got));
  assert.equal(echo.bigOf(2n ** 64n - 1n), 2n ** 64n - 1n);
  assert.equal(echo.bigOf(7), 7n);
  assert.equal(got.pop(), 7n);
  assert.throws(() => echo.bigOf(1.5), { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => echo.bigOf("7"), { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
});

test("values of other types are refused, and the component goes on", async () => {
  const { echo } = await make();
  for (
    const call of [
      () => echo.colorOf("blue"),
      () => echo.shapeOf({ tag: "square" }),
      () => echo.nestedOf(5),
      () => echo.modeOf("x"),
      () => echo.bytesOf("text"),
      () => echo.pointOf({ xAxis: "1" }),
      () => echo.pass({}),
    ]
  ) assert.throws(call, { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
  assert.equal(echo.colorOf("green"), "green");
});

test("the value of a result is given itself", async () => {
  const { echo } = await make();
  assert.deepEqual(echo.parse("5"), { xAxis: 5, label: undefined });
});

for (
  const [how, parse] of [
    ["thrown itself", () => {
      // deno-lint-ignore no-throw-literal
      throw "wrong";
    }],
    ["thrown as the payload of an Error", () => {
      throw Object.assign(new Error("other"), { payload: "wrong" });
    }],
    ["returned with a tag", () => ({ tag: "err", val: "wrong" })],
  ] as [string, () => unknown][]
) {
  test(`an error ${how} by a function of the host's is the error of its result`, async () => {
    const { echo } = await make({ ...host(), parse });
    assert.throws(() => echo.parse("x"), (error: Any) => {
      assert.equal(error instanceof Error, true);
      assert.equal(error.name, "ComponentError");
      assert.equal(error.message, "wrong");
      assert.equal(error.payload, "wrong");
      return true;
    });
    assert.equal(echo.colorOf("green"), "green");
  });
}

test("a value returned with the tag ok is that of the result", async () => {
  const point = { xAxis: 3, label: "three" };
  const { echo } = await make({ ...host(), parse: () => ({ tag: "ok", val: point }) });
  assert.deepEqual(echo.parse("x"), point);
});

test("another Error that a function of the host's throws stops the component and arrives", async () => {
  const { echo } = await make({
    ...host(),
    parse: () => {
      throw new RangeError("mine");
    },
  });
  assert.throws(() => echo.parse("x"), { name: "RangeError", message: "mine" });
  assert.throws(() => echo.colorOf("green"), { name: "RangeError", message: "mine" });
});

test("what a function without a result throws arrives, whatever it is", async () => {
  for (const thrown of [new SyntaxError("odd"), "text", 5]) {
    const { echo } = await make({
      ...host(),
      plain: () => {
        throw thrown;
      },
    });
    assert.throws(() => echo.plain(), (error: unknown) => error === thrown);
  }
});

test("a trap is a RuntimeError, also at the next call", async () => {
  const { echo } = await make();
  assert.throws(() => echo.trap(), WebAssembly.RuntimeError);
  assert.throws(() => echo.colorOf("green"), WebAssembly.RuntimeError);
});

test("resources of the host's are instances of its class: constructor, static, method, drop", async () => {
  Thing.disposed = [];
  const { echo } = await make();
  assert.equal(echo.join(2, 3), 105);
  assert.deepEqual(Thing.disposed, [5]);
  const thing = new Thing(9);
  assert.equal(echo.pass(thing), thing);
  assert.throws(() => echo.pass(new Token()), { code: "ERR_INVALID_ARG_TYPE" });
});

test("resources and functions that are imported by themselves, also as default exports", async () => {
  assert.equal((await make()).echo.spend(), 77);
  const { exports } = await instantiate(bytes, {
    imports: {
      ...imports(),
      single: { default: (v: number) => v * 2 },
      token: { default: Token },
      "use-token": { default: (token: Token) => token instanceof Token ? 5 : 0 },
    },
  });
  const { echo } = exports as Any;
  assert.equal(echo.spend(), 5);
  assert.equal(echo.singleValue(4), 8);
});

test("imports are found without their version and with a compatible one, not with others", async () => {
  const { "test:values/host@0.2.1": own, ...others } = imports();
  for (const name of ["test:values/host", "test:values/host@0.2.7"]) {
    const { exports } = await instantiate(bytes, { imports: { ...others, [name]: own } });
    assert.equal((exports as Any).echo.colorOf("green"), "green");
  }
  for (const name of ["test:values/host@0.3.0", "test:values/hosts"]) {
    await rejects(instantiate(bytes, { imports: { ...others, [name]: own } }));
  }
});

test("a function or class that is missing is named when the component is linked", async () => {
  await rejects(instantiate(bytes, { imports: imports({ ...host(), plain: undefined }) }), /plain/);
  await rejects(instantiate(bytes, { imports: imports({ ...host(), Thing: {} }) }), /Thing/);
  const { single: _, ...others } = imports();
  await rejects(instantiate(bytes, { imports: others }), /single/);
});

test("resources of a component's are classes, disposed of once", async () => {
  const { Counter, droppedSum } = (await make()).counters;
  const counter = new Counter(5);
  assert.ok(counter instanceof Counter);
  assert.equal(counter.value(), 5);
  const other = new Counter(7);
  other[Symbol.dispose]();
  other[Symbol.dispose]();
  assert.equal(droppedSum(), 7);
  assert.throws(() => other.value(), /given away or dropped/);
  assert.throws(() => Counter.prototype.value.call({}), { code: "ERR_INVALID_ARG_TYPE" });
  const more = Counter.plus(counter, 10); // takes it
  assert.equal(more.value(), 15);
  assert.equal(droppedSum(), 12);
  assert.throws(() => counter.value(), /given away or dropped/);
  assert.throws(() => Counter.plus(counter, 1), /given away or dropped/);
  counter[Symbol.dispose]();
  assert.equal(droppedSum(), 12);
});

test("async functions of the host's make exports give promises; they need JSPI", async () => {
  const own = {
    ...host(),
    parse: async (text: string) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      // deno-lint-ignore no-throw-literal
      if (text === "x") throw "wrong";
      return { xAxis: Number(text) };
    },
  };
  if (!canSuspend()) {
    await assert.rejects(make(own), { code: "ERR_INVALID_ARG_VALUE", message: /async functions/ });
    const options = { stdin: new Blob(["x"]) };
    await assert.rejects(make(host(), options), {
      code: "ERR_INVALID_ARG_VALUE",
      message: /stdin/,
    });
    return;
  }
  const { echo } = await make(own);
  const promise = echo.parse("8");
  assert.ok(promise instanceof Promise);
  assert.deepEqual(await promise, { xAxis: 8, label: undefined });
  await assert.rejects(echo.parse("x"), { name: "ComponentError", payload: "wrong" });
});

test("a promise of a function that is not async is an error", async () => {
  const { echo } = await make({ ...host(), plain: () => Promise.resolve() });
  assert.throws(() => echo.plain(), { name: "TypeError", message: /async function/ });
});
