/**
 * The text of `wasi --help`.
 *
 * @module
 */

/** The text. */
export const help: string =
  `Runs a program compiled to WebAssembly in a sandbox: a module of WASI preview1, or a component of
WASI 0.2.

  wasi [run] [options] FILE [ARGS...]   run a program
  wasi inspect FILE                     show its kind, imports and exports; for a component its WIT
  wasi completion bash|zsh|fish         print a completion script for a shell

FILE is a path, a file:, http: or https: URL, or - for standard input: .wasm, or .wat if the package
wabt is installed. Options come before FILE; everything after it goes to the program (a first -- is
removed). By default the program gets no directory and no environment variable.

Directories
  --dir HOST[::GUEST[::ro]]      a host directory; its name for the program; ro makes it read-only
  --mount HOST[:GUEST][:ro]      the same in wazero's syntax
  --overlay HOST[::GUEST]        the same, but changes stay in memory and are discarded at the end
  --tmp[=GUEST]                  an empty directory in memory (default: /tmp)
  --listen HOST:PORT             a listening socket, after the directories; also --tcplisten. For a
                                 component an address that it may listen on, by TCP and UDP
  --network HOST[:PORT]          a host that a component may connect to; *.DOMAIN for all below it
  --confine kernel|walk|checked  require this kind of confinement for directories

Environment, arguments, input
  --env NAME[=VALUE]             a variable; without a value, its current value if it is set
  --env-inherit                  all current variables
  --env-file FILE                the variables of a file with lines NAME=VALUE
  --argv0 NAME                   the program's name in its arguments
  --invoke NAME                  call this export with ARGS and print its results: numbers, for a
                                 component values in WAVE ("text", [1, 2], some(true))
  --stdin FILE                   read standard input from a file

Limits
  --threads[=N]                  allow threads (wasi-threads), at most 128 or N at once (modules)
  --timeout TIME                 stop it after 10s (or 10), 500ms, 1m30s (exit code 124)
  --max-memory SIZE              bytes of memory: 1000, 64K, 1G
  --max-output SIZE              bytes written to standard output and error together
  --max-open-files N             open files and directories
  --max-disk SIZE                bytes added to its directories
  --max-files N                  files and directories created

Repeatable runs
  --deterministic                a fixed clock and fixed random numbers
  --clock TIME                   the clock starts at TIME (nanoseconds since 1970, or a date such as
                                 2026-01-31T12:00:00Z), and waiting takes no time
  --seed N                       the seed of all random numbers

Information
  --trace[=KIND,...]             print system calls: all, args, clock, fs, poll, proc, sock
  --version, -V                  --help, -h

Options of wasmtime
  -W, --wasm NAME[=VALUE],...    timeout=TIME, max-memory-size=SIZE; accepted without effect:
                                 max-wasm-stack=SIZE, features of WebAssembly (simd, gc=n)
  -S, --wasi NAME[=VALUE],...    inherit-env; threads; cli
  --config FILE                  a file of such settings
  -C, --codegen, -D, --debug, -O, --optimize, --cachedir DIR
                                 accepted without effect: they configure other engines

Exit code: the program's own; 134 after a trap, 124 after a timeout, 141 if the reader of its output
closed the pipe, 1 if it could not be run, 2 if the command line or a settings file is wrong.
`;
