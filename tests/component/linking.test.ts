/** Components made of components: values that cross from one memory to another, and resources. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate } from "../../mod.ts";
import { component } from "../support/components.ts";

const ENCODINGS = ["utf8", "utf16", "latin1+utf16"];

/** A memory, and a realloc that never gives back. */
const LIBC = `
  (memory (export "memory") 1)
  (global $at (mut i32) (i32.const 1024))
  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32)
    (result i32)
    (local $start i32)
    (local.set $start (i32.and
      (i32.add (global.get $at) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $at (i32.add (local.get $start) (local.get $size)))
    (block $enough
      (br_if $enough (i32.le_u (global.get $at) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1)))))
    (memory.copy (local.get $start) (local.get $old) (local.get $had))
    (local.get $start))`;

const canonical = (instance: string, encoding: string): string =>
  `(memory (core memory ${instance} "memory")) (realloc (core func ${instance} "realloc"))
   string-encoding=${encoding}`;

/** A component whose text goes through another with another encoding, there and back, twice. */
function echoing(outer: string, inner: string): Promise<Uint8Array> {
  return component(`(component
    (component $inner
      (core module $m ${LIBC}
        (func (export "echo") (param i32 i32) (result i32)
          (i32.store (i32.const 16) (local.get 0))
          (i32.store (i32.const 20) (local.get 1))
          (i32.const 16)))
      (core instance $i (instantiate $m))
      (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $i "echo") ${canonical("$i", inner)})))
    (instance $echo (instantiate $inner))
    (component $outer
      (import "echo" (func $echo (param "text" string) (result string)))
      (core module $libc ${LIBC})
      (core instance $l (instantiate $libc))
      (core func $lowered (canon lower (func $echo) ${canonical("$l", outer)}))
      (core module $m
        (import "" "echo" (func $echo (param i32 i32 i32)))
        (import "libc" "memory" (memory 1))
        (func (export "twice") (param i32 i32) (result i32)
          (call $echo (local.get 0) (local.get 1) (i32.const 32))
          (call $echo (i32.load (i32.const 32)) (i32.load (i32.const 36)) (i32.const 40))
          (i32.const 40)))
      (core instance $i (instantiate $m
        (with "" (instance (export "echo" (func $lowered))))
        (with "libc" (instance $l))))
      (func (export "twice") (param "text" string) (result string)
        (canon lift (core func $i "twice") ${canonical("$l", outer)})))
    (instance $out (instantiate $outer (with "echo" (func $echo "echo"))))
    (export "twice" (func $out "twice")))`);
}

const TEXTS = [
  "",
  "plain",
  "Größe",
  "ﬁ Ω 漢字",
  "😀 astral",
  "\0 inside",
  "x".repeat(100_000),
  "ÿ".repeat(5_000) + "Ā",
];

for (const outer of ENCODINGS) {
  for (const inner of ENCODINGS) {
    test(`text goes from ${outer} to ${inner} and back`, async () => {
      const { exports, close } = await instantiate(await echoing(outer, inner));
      for (const text of TEXTS) assert.equal(await exports.twice(text), text);
      // what is no character has a sign that says so
      assert.equal(await exports.twice("lone \ud800!"), "lone \ufffd!");
      close();
    });
  }
}

test("a resource is made by one component, lent and given to another, and destroyed by the first", async () => {
  const program = await component(`(component
    (component $maker
      (core module $memory (memory (export "memory") 1))
      (core instance $memory (instantiate $memory))
      (core module $destructor
        (import "" "memory" (memory 1))
        (func (export "destroy") (param i32)
          (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 0)))))
      (core instance $destructor (instantiate $destructor (with "" (instance $memory))))
      (type $thing (resource (rep i32) (dtor (core func $destructor "destroy"))))
      (core func $new (canon resource.new $thing))
      (core module $m
        (import "" "new" (func $new (param i32) (result i32)))
        (import "" "memory" (memory 1))
        (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
        (func (export "value") (param i32) (result i32) (local.get 0))
        (func (export "destroyed") (result i32) (i32.load (i32.const 0))))
      (core instance $i (instantiate $m (with "" (instance
        (export "new" (func $new))
        (export "memory" (memory $memory "memory"))))))
      (export $t "thing" (type $thing))
      (func (export "[constructor]thing") (param "value" u32) (result (own $t))
        (canon lift (core func $i "make")))
      (func (export "[method]thing.value") (param "self" (borrow $t)) (result u32)
        (canon lift (core func $i "value")))
      (func (export "destroyed") (result u32) (canon lift (core func $i "destroyed"))))
    (instance $maker (instantiate $maker))
    (component $user
      (import "maker" (instance $maker
        (export "thing" (type $t (sub resource)))
        (export "[constructor]thing" (func (param "value" u32) (result (own $t))))
        (export "[method]thing.value" (func (param "self" (borrow $t)) (result u32)))))
      (alias export $maker "thing" (type $t))
      (core func $make (canon lower (func $maker "[constructor]thing")))
      (core func $value (canon lower (func $maker "[method]thing.value")))
      (core func $drop (canon resource.drop $t))
      (core module $m
        (import "" "make" (func $make (param i32) (result i32)))
        (import "" "value" (func $value (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "sum") (param i32 i32) (result i32)
          (local $a i32) (local $b i32) (local $sum i32)
          (local.set $a (call $make (local.get 0)))
          (local.set $b (call $make (local.get 1)))
          (local.set $sum (i32.add (call $value (local.get $a)) (call $value (local.get $b))))
          (call $drop (local.get $a))
          (call $drop (local.get $b))
          (local.get $sum))
        (func (export "twice") (result i32)
          (local $a i32)
          (local.set $a (call $make (i32.const 1)))
          (call $drop (local.get $a))
          (call $drop (local.get $a))
          (i32.const 0))
        (func (export "forged") (result i32) (call $value (i32.const 77)))
        (func (export "keeps") (result i32) (call $make (i32.const 1000))))
      (core instance $i (instantiate $m (with "" (instance
        (export "make" (func $make)) (export "value" (func $value)) (export "drop" (func $drop))))))
      (func (export "sum") (param "a" u32) (param "b" u32) (result u32)
        (canon lift (core func $i "sum")))
      (func (export "twice") (result u32) (canon lift (core func $i "twice")))
      (func (export "forged") (result u32) (canon lift (core func $i "forged")))
      (func (export "keeps") (result u32) (canon lift (core func $i "keeps"))))
    (instance $user (instantiate $user (with "maker" (instance $maker))))
    (export "sum" (func $user "sum"))
    (export "twice" (func $user "twice"))
    (export "forged" (func $user "forged"))
    (export "keeps" (func $user "keeps"))
    (export "destroyed" (func $maker "destroyed")))`);
  const { exports, close } = await instantiate(program);
  assert.equal(await exports.sum(40, 2), 42);
  assert.equal(await exports.destroyed(), 42);
  await exports.keeps();
  assert.equal(await exports.destroyed(), 42);
  close();
  const fails = async (name: string, message: RegExp): Promise<void> => {
    const { exports, close } = await instantiate(program);
    await assert.rejects(async () => await exports[name](), message);
    // nothing of it runs again
    await assert.rejects(async () => await exports.sum(1, 2), WebAssembly.RuntimeError);
    close();
  };
  await fails("twice", /handle 1 is not there/);
  await fails("forged", /handle 77 is not there/);
});

test("a component that makes components without end is refused", async () => {
  // each makes ten of the one before: 10 ** 7 instances
  let text = "(component $c0)";
  for (let level = 1; level <= 7; level++) {
    const instances = "(instance (instantiate $x))".repeat(10);
    text = `(component $c${level} ${text.replace(`$c${level - 1}`, "$x")} ${instances})`;
  }
  await assert.rejects(
    instantiate(await component(text.replace("$c7", ""))),
    /more than 10000 instances/,
  );
});

test("text that is not Unicode, pointers outside and wrong cases are traps", async () => {
  const giving = async (result: string, pointer: number, data: string): Promise<unknown> => {
    const program = await component(`(component
      (core module $m (memory (export "memory") 1)
        (data (i32.const 16) "${data}")
        (func (export "give") (result i32) (i32.const ${pointer})))
      (core instance $i (instantiate $m))
      (func (export "give") (result ${result})
        (canon lift (core func $i "give") (memory (core memory $i "memory")))))`);
    const { exports, close } = await instantiate(program);
    try {
      return await exports.give();
    } finally {
      close();
    }
  };
  // a pointer and a length of text
  assert.equal(await giving("string", 16, "\\18\\00\\00\\00\\02\\00\\00\\00ok"), "ok");
  await assert.rejects(
    giving("string", 16, "\\18\\00\\00\\00\\02\\00\\00\\00\\ff\\fe"),
    /not Unicode/,
  );
  await assert.rejects(
    giving("string", 16, "\\18\\00\\00\\00\\ff\\ff\\ff\\7f"),
    /outside of memory/,
  );
  await assert.rejects(giving("string", 18, ""), /not aligned/);
  await assert.rejects(giving("string", 65536, ""), /outside of memory/);
  await assert.rejects(
    giving("(list char)", 16, "\\18\\00\\00\\00\\01\\00\\00\\00\\00\\d8\\00\\00"),
    /scalar/,
  );
  await assert.rejects(giving("(option u64)", 16, "\\02"), /no case 2/);
});
