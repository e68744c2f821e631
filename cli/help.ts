/**
 * What `wasi --help` says.
 *
 * @module
 */

/** The text. */
export const help: string = `Runs a program compiled to WebAssembly (WASI preview1) in a sandbox.

  wasi [run] [options] FILE [ARGS...]   run it
  wasi inspect FILE                     say what it is, needs and offers
  wasi completion bash|zsh|fish         print a script that completes these words in a shell

FILE is a path, a file:, http: or https: URL, or - for standard input: .wasm, or .wat if the package
wabt is installed. Options stand before FILE; what comes after it is the program's (one -- is left out).
Nothing is given by default: no directory, no variable.

Directories
  --dir HOST[::GUEST[::ro]]      a directory of the host; its name for the program; read-only
  --mount HOST[:GUEST][:ro]      the same as wazero spells it
  --overlay HOST[::GUEST]        the same, but changes stay in memory and are gone at the end
  --tmp[=GUEST]                  an empty directory in memory: /tmp
  --listen HOST:PORT             a socket that listens, after the directories; also --tcplisten
  --confine kernel|walk|checked  insist on how directories are confined

Variables, arguments, input
  --env NAME[=VALUE]             a variable; without a value the one that is set here, if it is
  --env-inherit                  all that are set here
  --env-file FILE                those of a file with lines NAME=VALUE
  --argv0 NAME                   the program's name for itself
  --invoke NAME                  call this export with ARGS as numbers and print what it returns
  --stdin FILE                   standard input from a file

Limits
  --threads[=N]                  it may start threads (wasi-threads), 128 or N at once
  --timeout TIME                 end it after 10s (or 10), 500ms, 1m30s (exit code 124)
  --max-memory SIZE              bytes that its memory may grow to: 1000, 64K, 1G
  --max-output SIZE              bytes that it may write to standard output and error together
  --max-open-files N             files and directories that it may have open
  --max-disk SIZE                bytes that it may add to its directories
  --max-files N                  files and directories that it may make

The same run twice
  --deterministic                a clock and randomness that are always the same
  --clock TIME                   the clock begins then (nanoseconds since 1970, or a date such as
                                 2026-01-31T12:00:00Z), and waiting takes no time
  --seed N                       all randomness follows from N

Seeing
  --trace[=KIND,...]             each system call: all, args, clock, fs, poll, proc, sock
  --version, -V                  --help, -h

As wasmtime has it
  -W, --wasm NAME[=VALUE],...    timeout=TIME, max-memory-size=SIZE; taken and without effect:
                                 max-wasm-stack=SIZE, features of WebAssembly (simd, gc=n)
  -S, --wasi NAME[=VALUE],...    inherit-env; threads; cli
  --config FILE                  a file of such settings
  -C, --codegen, -D, --debug, -O, --optimize, --cachedir DIR
                                 taken and without effect: they are for another engine

Exit code: the program's own; 134 if it trapped, 124 if its time was over, 141 if nobody read what it
wrote, 1 if it could not be run, 2 if the command line or a file of settings is wrong.
`;
