/**
 * Running a program as the command line says.
 *
 * @module
 */
import { openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { host, limitMemory, memory, overlay, WASI, type WASIOptions } from "../mod.ts";
import { type Command, CommandError, type Mount, plain } from "./arguments.ts";
import { type FunctionType, parseBinary } from "./binary.ts";
import { isComponent } from "./load.ts";

/** What a trapped guest ends with, as after SIGABRT. */
const TRAPPED = 134;
/** What is left to say when nobody reads any more, as after SIGPIPE. */
const OUTPUT_CLOSED = 141;
const PIPE = 64;
const FRAMES_MAX = 40;
const PAGE = 65536;

/** Ends the process at once: what a guest wrote is written. */
export function exit(code: number): never {
  const { reallyExit } = process as { reallyExit?: (code: number) => never };
  return reallyExit === undefined ? process.exit(code) : reallyExit.call(process, code);
}

/** Writes text to standard output, before the process ends. */
export function say(text: string): void {
  try {
    writeSync(1, text);
  } catch (error) {
    if ((error as { code?: string }).code === "EPIPE") exit(OUTPUT_CLOSED);
    throw new CommandError(`standard output: ${plain(error)}`);
  }
}

function directoryOf({ kind, host: path, readOnly }: Mount, confine: Command["confine"]) {
  if (kind === "memory") return memory();
  try {
    if (kind === "overlay") return overlay(host(path, { confinement: confine }));
    return host(path, { readOnly, confinement: confine });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code?.startsWith("ERR_")) throw new CommandError(message);
    throw new CommandError(`directory ${path}: ${plain(error)}`);
  }
}

function openInput(file: string): number {
  try {
    return openSync(file, "r");
  } catch (error) {
    throw new CommandError(`--stdin ${file}: ${plain(error)}`);
  }
}

/** The kinds of a trace: all calls but these, by what they begin with. */
const KINDS: Record<string, RegExp> = {
  args: /^==> (args|environ)_/,
  clock: /^==> clock_/,
  fs: /^==> (fd|path)_/,
  poll: /^==> poll_/,
  proc: /^==> (proc|random|sched)_/,
  sock: /^==> sock_/,
};

function tracer(kinds: string[]): (line: string) => void {
  if (kinds.includes("all")) return (line) => console.error(line);
  let shown = false;
  return (line) => {
    if (line.startsWith("==>")) shown = kinds.some((kind) => KINDS[kind]!.test(line));
    if (shown) console.error(line);
  };
}

function optionsOf(command: Command): WASIOptions {
  const { file, rest, argv0, mounts, env, maxDisk, maxFiles, maxMemory, clock, seed } = command;
  const name = argv0 ?? (file === "-" ? "-" : basename(file));
  return {
    version: "preview1",
    args: [name, ...(command.invoke === undefined ? rest : [])],
    env,
    preopens: Object.fromEntries(
      mounts.map((mount) => [mount.guest, directoryOf(mount, command.confine)]),
    ),
    // the program itself came through it
    stdin: command.stdin !== undefined ? openInput(command.stdin) : file === "-" ? null : 0,
    confinement: command.confine,
    clock,
    random: seed,
    limits: {
      diskBytes: maxDisk,
      files: maxFiles,
      memoryPages: maxMemory === undefined ? undefined : Math.floor(maxMemory / PAGE),
    },
    trace: command.trace === undefined ? false : tracer(command.trace),
  };
}

async function compile(file: string, bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    const reason = plain(error).replace(/^WebAssembly\.\w+\(\): /, "");
    throw new CommandError(`${file}: not a module that this engine takes: ${reason}`);
  }
}

/** Names what a module imports and WASI has not. */
function refuseMissing(
  file: string,
  module: WebAssembly.Module,
  imports: Record<string, Record<string, unknown>>,
): void {
  const missing = WebAssembly.Module.imports(module)
    .filter(({ module, name }) => imports[module]?.[name] === undefined)
    .map(({ module, name, kind }) => `${module}.${name} (${kind})`);
  if (missing.length === 0) return;
  const threads = missing.some((name) => name.startsWith("wasi.thread-spawn"));
  const why = threads ? "it has threads, and needs" : "it needs what is not WASI:";
  throw new CommandError(`${file}: ${why} ${missing.join(", ")}`);
}

/** A number for a parameter of a function. */
function argument(text: string, type: string, name: string): number | bigint {
  if (type === "i64" && /^-?(\d+|0x[0-9a-f]+)$/i.test(text)) {
    return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
  }
  const value = text.trim() === "" ? NaN : Number(text);
  if (type === "i32" && Number.isInteger(value) && Math.abs(value) < 2 ** 32) return value;
  if ((type === "f32" || type === "f64") && (!Number.isNaN(value) || text === "nan")) return value;
  throw new CommandError(`--invoke ${name}: "${text}" is no ${type}`);
}

/** Calls one export with numbers and prints what it returns, a line for each. */
function invoke(
  { invoke: name, rest, file }: Command & { invoke: string },
  instance: WebAssembly.Instance,
  bytes: Uint8Array,
): void {
  const item = parseBinary(bytes).exports.find((item) => item.name === name);
  if (item?.kind !== "function") {
    throw new CommandError(`${file}: --invoke ${name}: there is no function of that name`);
  }
  const { parameters } = item.type ?? ({ parameters: [], results: [] } as FunctionType);
  if (parameters.length !== rest.length) {
    throw new CommandError(
      `--invoke ${name}: it takes ${parameters.length} arguments (${parameters.join(", ")}), ` +
        `${rest.length} were given`,
    );
  }
  const values = rest.map((text, i) => argument(text, parameters[i]!, name));
  const result = (instance.exports[name] as (...values: unknown[]) => unknown)(...values);
  for (const value of Array.isArray(result) ? result : result === undefined ? [] : [result]) {
    say(`${value}\n`);
  }
}

/** The guest's own frames of a trap's stack, with the names it has for its functions. */
function framesOf(error: Error): string[] {
  return "Bun" in globalThis ? framesOfBun(error) : framesOfV8(error.stack ?? "");
}

function framesOfV8(stack: string): string[] {
  return stack.split("\n").flatMap((line) => {
    const frame = /^\s*at (?:(.+?) \()?(wasm:\/\/[^)]*)\)?$/.exec(line);
    if (frame === null) return [];
    const [, name, place] = frame;
    const at = /wasm-function\[(\d+)\]:(0x[0-9a-f]+)/.exec(place!);
    const where = at === null ? "" : ` (function ${at[1]} at ${at[2]})`;
    return [`  at ${name?.replace(/^[\w.-]*\.wasm\./, "") ?? "?"}${where}`];
  });
}

/** Bun's text of a stack says "unknown" of what its frames know. */
function framesOfBun(error: Error): string[] {
  const errors = Error as unknown as {
    prepareStackTrace?: (error: Error, frames: { getFunctionName(): string | null }[]) => string;
  };
  errors.prepareStackTrace = (_, frames) =>
    frames.map((frame) => frame.getFunctionName() ?? "").join("\n");
  return (error.stack ?? "").split("\n").flatMap((name) => {
    const frame = /\.wasm-function\[(.*)\]$/.exec(name);
    return frame === null
      ? []
      : [`  at ${/^\d+$/.test(frame[1]!) ? `? (function ${frame[1]})` : frame[1]}`];
  });
}

/** Tells of a trap and ends with its exit code. */
function trapped(error: unknown): number {
  // Bun adds the code that called the guest
  const message = (error as Error).message.replace(/\.? \(evaluating .*\)$/, "");
  const frames = framesOf(error as Error);
  const more = frames.length > FRAMES_MAX ? [`  ... and ${frames.length - FRAMES_MAX} more`] : [];
  console.error(
    [`wasi: the program trapped: ${message}`, ...frames.slice(0, FRAMES_MAX), ...more].join("\n"),
  );
  return TRAPPED;
}

function isTrap(error: unknown): boolean {
  // too deep a recursion is a trap as well, whatever an engine calls it
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError ||
    (error as { name?: string } | null)?.name === "InternalError";
}

/** Ends quietly when nobody reads what the guest writes. */
function endWithReader(wasi: WASI): void {
  const { fd_write } = wasi.wasiImport as { fd_write: (...values: number[]) => number };
  wasi.wasiImport.fd_write = (fd: number, iovs: number, iovs_len: number, nwritten: number) => {
    const errno = fd_write(fd, iovs, iovs_len, nwritten);
    if (errno === PIPE && (fd === 1 || fd === 2)) exit(OUTPUT_CLOSED);
    return errno;
  };
}

/** Runs the program; gives the exit code. */
export async function run(command: Command, program: Uint8Array<ArrayBuffer>): Promise<number> {
  const { file, maxMemory } = command;
  if (isComponent(program)) {
    throw new CommandError(
      `${file}: a component; components need another tool (wasmtime, or jco), this runs modules`,
    );
  }
  const bytes = maxMemory === undefined
    ? program
    : limitMemory(program, Math.floor(maxMemory / PAGE)) as Uint8Array<ArrayBuffer>;
  const [module, wasi] = [await compile(file, bytes), makeWASI(command)];
  endWithReader(wasi);
  const imports = wasi.getImportObject();
  const others = { ...imports };
  for (const name of ["wasi_snapshot_preview1", "wasi_unstable"]) others[name] = imports[name]!;
  refuseMissing(file, module, others);
  try {
    const instance = await WebAssembly.instantiate(module, others);
    return start(command, wasi, instance, bytes);
  } catch (error) {
    if (isTrap(error) && (error as { code?: unknown }).code === undefined) return trapped(error);
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${file}: ${plain(error)}`);
  }
}

function makeWASI(command: Command): WASI {
  try {
    return new WASI(optionsOf(command));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(plain(error));
  }
}

function start(
  command: Command,
  wasi: WASI,
  instance: WebAssembly.Instance,
  bytes: Uint8Array,
): number {
  const { _start, _initialize } = instance.exports;
  if (command.invoke !== undefined) {
    wasi.finalizeBindings(instance);
    if (typeof _initialize === "function") _initialize();
    invoke(command as Command & { invoke: string }, instance, bytes);
    return 0;
  }
  if (typeof _start === "function") return wasi.start(instance);
  if (typeof _initialize === "function") {
    wasi.initialize(instance);
    return 0;
  }
  throw new CommandError(
    `${command.file}: there is no _start to run; say --invoke NAME to call one of its functions`,
  );
}
