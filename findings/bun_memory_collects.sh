#!/bin/sh
# Making a small memory of WebAssembly, again and again, each of them garbage at once.
#
# Bun 1.4.5 (JavaScriptCore) has room for a few memories that it does not have to check at each access
# (the option maxNumWasmFastMemories). While it is used up by memories that are garbage and not yet
# collected, each new one makes the engine collect garbage first, and get a slower memory if that frees
# none: most take 0.03 ms then, some a millisecond and more. With room for more memories (an environment
# variable of Bun's) all take 0.03 ms. The more objects a process has, the more a collection costs.
#
# Seen with bun 1.4.5 from npm, on Linux x64: 110 to 190 microseconds for one on average in a process
# with few objects, 400 in a larger one, 32 with room for 1,000.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @oven/bun-linux-x64@1.4.5
bun=node_modules/@oven/bun-linux-x64/bin/bun
chmod +x $bun
cat > main.mjs <<'JS'
const COUNT = 400;
for (let i = 0; i < 20; i++) new WebAssembly.Memory({ initial: 1 });
const began = performance.now();
for (let i = 0; i < COUNT; i++) new WebAssembly.Memory({ initial: 1 });
console.log(((performance.now() - began) / COUNT * 1000).toFixed(0));
JS
as_it_is=$($bun main.mjs)
with_room=$(BUN_JSC_maxNumWasmFastMemories=1000 $bun main.mjs)
echo "microseconds for one: $as_it_is, with room for more: $with_room"
test "$as_it_is" -gt $((with_room * 2))
echo "as described"
