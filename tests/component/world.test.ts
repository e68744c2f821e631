/** The world of a component in WIT. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { worldOf } from "../../core/component/world.ts";
import { root } from "../support/harness.ts";

const folder = path.join(root, "tests/components/wat");
const values = fs.readFileSync(path.join(folder, "values.wasm"));

/** The items of an interface in a text, without comments, white space and order. */
function itemsOf(text: string, name: string): string[] {
  const plain = text.replace(/\/\/.*$/gm, "").replace(/[\s%]+/g, "").replace(/,}/g, "}");
  const begin = plain.indexOf(`interface${name}{`) + `interface${name}{`.length;
  const items: string[] = [];
  let [depth, item] = [0, ""];
  for (const character of plain.slice(begin)) {
    if (character === "}" && depth === 0) return items.sort();
    item += character;
    if (character === "{") depth++;
    if (character === "}") depth--;
    if (depth > 0 || !/[;}]$/.test(item) || /^use[^;]*$/.test(item)) continue;
    items.push(item);
    item = "";
  }
  throw new Error(`there is no end of ${name}`);
}

test("interfaces are those that the component was made of", async () => {
  const source = fs.readFileSync(path.join(folder, "values.wit"), "utf8");
  const world = await worldOf(values);
  for (const name of ["types", "echo", "twice"]) {
    const items = itemsOf(source, name);
    assert.ok(items.length > 0);
    assert.deepEqual(itemsOf(world, name), items, name);
  }
});

test("the world says what is imported and exported", async () => {
  const world = await worldOf(values);
  assert.equal(
    world.slice(0, world.indexOf("\n}\n")),
    `package root:component;

world root {
  use test:values/types@1.2.3.{color};
  import test:values/types@1.2.3;
  export add-all: func(numbers: list<u16>) -> u32;
  export favorite: func() -> color;
  export test:values/echo@1.2.3;
  export test:values/twice@1.2.3;`,
  );
});

test("WASI's interfaces are written out where that is wanted", async () => {
  const bytes = fs.readFileSync(path.join(folder, "command.wasm"));
  const source = fs.readFileSync(path.join(folder, "command.wit"), "utf8");
  assert.doesNotMatch(await worldOf(bytes), /interface/);
  const world = await worldOf(bytes, () => true);
  for (const name of ["environment", "exit", "stdout", "run", "streams", "preopens", "error"]) {
    assert.deepEqual(itemsOf(world, name), itemsOf(source, name), name);
  }
});

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

function number(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...number(value >>> 7)];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...number(items.length), ...items.flat()];
}

function text(content: string): number[] {
  const bytes = [...new TextEncoder().encode(content)];
  return [...number(bytes.length), ...bytes];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = list(items);
  return [id, ...number(content.length), ...content];
}

function component(...sections: number[][]): Uint8Array {
  return new Uint8Array([...PREAMBLE, ...sections.flat()]);
}

/** An import of a function by the number of its type. */
function importOf(name: string, type: number): number[] {
  return [0x00, ...text(name), 0x01, ...number(type)];
}

test("functions and types of the world itself, and words of WIT as names", async () => {
  const bytes = component(
    section(7, [
      [0x72, ...list([[...text("u8"), 0x7d], [...text("x-y"), 0x73]])],
      [0x40, ...list([[...text("from"), ...number(0)]]), 0x01, 0x00],
    ]),
    section(10, [[0x00, ...text("pair"), 0x03, 0x00, ...number(0)]]),
    section(7, [[0x40, ...list([[...text("from"), ...number(2)]]), 0x00, 0x7f]]),
    section(10, [importOf("record", 3)]),
  );
  assert.equal(
    await worldOf(bytes),
    `package root:component;

world root {
  record pair {
    %u8: u8,
    x-y: string,
  }
  import %record: func(%from: pair) -> bool;
}
`,
  );
});

test("hostile components end with an error soon", async () => {
  const nested = [[0x42, 0x00]];
  for (let i = 1; i < 60; i++) {
    // two instances of the type before
    const alias = [0x02, 0x03, 0x02, 0x01, ...number(i - 1)];
    const one = (name: string): number[] => [0x04, 0x00, ...text(name), 0x05, 0x00];
    nested.push([0x42, ...list([alias, one("a"), one("b")])]);
  }
  const wide = [[0x6f, ...list([[0x7d], [0x7d]])]];
  for (let i = 1; i < 16; i++) wide.push([0x6f, ...list([number(i - 1), number(i - 1)])]);
  wide.push([0x40, ...list([[...text("a"), ...number(15)]]), 0x01, 0x00]);
  const many = Array.from({ length: 200 }, (_, i) => importOf(`f${i}`, 16));
  const none = [0x40, 0x00, 0x01, 0x00];
  const cases: [bytes: Uint8Array, message: RegExp][] = [
    [
      component(section(7, nested), section(10, [[0x00, ...text("a:b/c"), 0x05, ...number(59)]])),
      /more than \d+/,
    ],
    [component(section(7, wide), section(10, many)), /too large|more than \d+/],
    [component(section(7, [none]), section(10, [importOf("a\nb", 0)])), /"a\\x0ab" is not a name/],
    [component(section(10, [importOf("a", 0)])), /there is no type 0/],
    [component([7, 200, 1]), /section 7 is longer than what is left/],
  ];
  for (const [bytes, message] of cases) {
    const began = performance.now();
    await assert.rejects(worldOf(bytes), { code: "ERR_WASI_COMPONENT", message });
    assert.ok(performance.now() - began < 10_000);
  }
});

test("whatever the bytes: a world or an error of its own", async () => {
  let worlds = 0;
  for (let i = 0; i < 500; i++) {
    const broken = new Uint8Array(values);
    for (let j = 0; j < 2; j++) {
      broken[8 + (i * 7919 + j * 104729) % (values.length - 8)] = (i * 31 + j * 7) & 255;
    }
    try {
      await worldOf(broken);
      worlds++;
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, "ERR_WASI_COMPONENT", String(error));
    }
  }
  assert.ok(worlds > 0 && worlds < 500);
});
