/**
 * `wasi:cli`: arguments, environment, the standard streams, and the end.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/cli/wit
 *
 * @module
 */
import { Filetype } from "../host.ts";
import type { Interface } from "./interface.ts";
import { InputStream, OutputStream } from "./io.ts";
import { OpenFile, type World } from "./world.ts";

/** `terminal-input`: standard input, if it is a terminal. There is nothing to be done with it. */
export class TerminalInput {}

/** `terminal-output`. */
export class TerminalOutput {}

function input(world: World): InputStream {
  return new InputStream(new OpenFile(world, 0), -1);
}

function output(world: World, fd: number): OutputStream {
  return new OutputStream(new OpenFile(world, fd), -1);
}

/** Whether a standard stream is a terminal: a character device without a position. */
function isTerminal({ system }: World, fd: number): boolean {
  const descriptor = system.table.get(fd);
  return descriptor?.filetype === Filetype.CHARACTER_DEVICE && descriptor.file?.seekable === false;
}

function terminal<T>(world: World, fd: number, Class: new () => T): T | undefined {
  return isTerminal(world, fd) ? new Class() : undefined;
}

export const environment: Interface = {
  wit: `interface wasi:cli/environment {
    get-environment: func() -> list<tuple<string, string>>;
    get-arguments: func() -> list<string>;
    initial-cwd: func() -> option<string>;
  }`,
  functions: ({ args, env }) => ({
    "get-environment": () =>
      env.map((pair) => {
        const at = pair.indexOf("=");
        return [pair.slice(0, at), pair.slice(at + 1)];
      }),
    "get-arguments": () => args,
    "initial-cwd": () => undefined,
  }),
};

export const exit: Interface = {
  wit: `interface wasi:cli/exit {
    exit: func(status: result);
    exit-with-code: func(status-code: u8);
  }`,
  functions: (world) => ({
    exit: ({ tag }: { tag: string }) => world.exit(tag === "ok" ? 0 : 1),
    "exit-with-code": (code: number) => world.exit(code),
  }),
};

export const stdin: Interface = {
  wit: `interface wasi:cli/stdin {
    use wasi:io/streams.{input-stream};
    get-stdin: func() -> input-stream;
  }`,
  functions: (world) => ({ "get-stdin": () => input(world) }),
};

export const stdout: Interface = {
  wit: `interface wasi:cli/stdout {
    use wasi:io/streams.{output-stream};
    get-stdout: func() -> output-stream;
  }`,
  functions: (world) => ({ "get-stdout": () => output(world, 1) }),
};

export const stderr: Interface = {
  wit: `interface wasi:cli/stderr {
    use wasi:io/streams.{output-stream};
    get-stderr: func() -> output-stream;
  }`,
  functions: (world) => ({ "get-stderr": () => output(world, 2) }),
};

export const terminalInput: Interface = {
  wit: `interface wasi:cli/terminal-input { resource terminal-input; }`,
  classes: { "terminal-input": TerminalInput },
};

export const terminalOutput: Interface = {
  wit: `interface wasi:cli/terminal-output { resource terminal-output; }`,
  classes: { "terminal-output": TerminalOutput },
};

export const terminalStdin: Interface = {
  wit: `interface wasi:cli/terminal-stdin {
    use wasi:cli/terminal-input.{terminal-input};
    get-terminal-stdin: func() -> option<terminal-input>;
  }`,
  functions: (world) => ({ "get-terminal-stdin": () => terminal(world, 0, TerminalInput) }),
};

export const terminalStdout: Interface = {
  wit: `interface wasi:cli/terminal-stdout {
    use wasi:cli/terminal-output.{terminal-output};
    get-terminal-stdout: func() -> option<terminal-output>;
  }`,
  functions: (world) => ({ "get-terminal-stdout": () => terminal(world, 1, TerminalOutput) }),
};

export const terminalStderr: Interface = {
  wit: `interface wasi:cli/terminal-stderr {
    use wasi:cli/terminal-output.{terminal-output};
    get-terminal-stderr: func() -> option<terminal-output>;
  }`,
  functions: (world) => ({ "get-terminal-stderr": () => terminal(world, 2, TerminalOutput) }),
};
