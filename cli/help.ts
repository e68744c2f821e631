/**
 * What `wasi --help` says.
 *
 * @module
 */

/** The text. */
export const help: string = `Runs a program compiled to WebAssembly (WASI preview1) in a sandbox.

  wasi [run] [options] FILE [ARGS...]   run it; FILE is a path, a file: or https: URL, or - (.wasm or .wat)
  wasi inspect FILE                     what it is, needs and offers

Nothing is given by default: no directory, no variable. Options stand before FILE.

Directories
  --dir HOST[::GUEST[::ro]]      a directory of the host, with another name, read-only (wasmtime's spelling)
  --mount HOST[:GUEST][:ro]      the same in wazero's spelling; GUEST is / if left out
  --overlay HOST[::GUEST]        its changes stay in memory and are gone at the end
  --tmp[=GUEST]                  an empty directory in memory, /tmp if left out
  --confine kernel|walk|checked  insist on how directories are confined

Variables and arguments
  --env NAME[=VALUE]             a variable; without a value the present one
  --env-inherit                  all of them
  --env-file FILE                NAME=VALUE lines
  --argv0 NAME                   the program's name for itself
  --invoke NAME                  call this export with ARGS as numbers, print what it returns
  --stdin FILE                   standard input from a file

Limits
  --timeout TIME                 end it after 10s, 500ms, 2m (exit code 124); also -W timeout=TIME
  --max-disk SIZE                bytes it may add to its directories: 1000, 64K, 1G
  --max-files N                  files and directories it may make
  -W max-memory-size=SIZE        bytes its memory may grow to
  -W max-wasm-stack=SIZE         accepted; the stack is the engine's own

The same run twice
  --deterministic                a clock and a seed that are always the same
  --clock TIME                   the clock begins at nanoseconds since 1970 or a date, and waiting takes no time
  --seed N                       all randomness follows from it

Seeing
  --trace[=KINDS]                each system call on standard error; KINDS: all, args, clock, fs, poll, proc, sock
  --version, -V   --help, -h

Exit code: the program's own; 134 if it trapped, 124 after a timeout, 141 if its output was closed,
1 if it could not be run.
`;
