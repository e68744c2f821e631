/**
 * What is told of a guest that trapped.
 *
 * @module
 */
import { type Binary, parseBinary } from "../core/module/binary.ts";
import { harmless } from "./error.ts";

/** What a trapped guest ends with, as after SIGABRT. */
const TRAPPED = 134;
const FRAMES_MAX = 40;

/** What a guest throws; Deno's types do not know it. */
const { Exception } = WebAssembly as unknown as { Exception: new () => Error };

/** Whether an engine throws this when the guest does what it must not. */
export function isTrap(error: unknown): boolean {
  if ((error as { code?: unknown } | null)?.code !== undefined) return false; // ours
  // too deep a recursion is a trap as well, whatever an engine calls it
  return error instanceof WebAssembly.RuntimeError || error instanceof Exception ||
    error instanceof RangeError || (error as { name?: string } | null)?.name === "InternalError";
}

/**
 * Tells of a trap; gives the exit code.
 *
 * @param stack its lines, on Bun the names of the functions alone
 * @param called the export that was called, if one was
 */
export function trapped(
  error: Error,
  stack: string[],
  bytes: Uint8Array,
  called: string | undefined,
): number {
  // Bun adds the code that called the guest
  const reason = String(error.message).replace(/\.? \(evaluating .*\)$/s, "");
  const message = (error as unknown) instanceof Exception ? "nothing caught its exception" : reason;
  const names = new Names(bytes);
  const frames = "Bun" in globalThis ? framesOfBun(stack, names, called) : framesOfV8(stack, names);
  const more = frames.length > FRAMES_MAX ? ["... and more"] : [];
  const lines = [...frames.slice(0, FRAMES_MAX), ...more].map((line) => `\n  ${harmless(line)}`);
  console.error(`wasi: the program trapped: ${message}${lines.join("")}`);
  return TRAPPED;
}

/** What a module calls its functions, by where their code is: engines do not tell all of it. */
class Names {
  readonly #binary: Pick<Binary, "codes" | "exports" | "imports" | "name">;

  constructor(bytes: Uint8Array) {
    try {
      this.#binary = parseBinary(bytes);
    } catch {
      // an engine may know more than is known here
      this.#binary = { codes: [], exports: [], imports: [], name: "" };
    }
  }

  /** The number of the function that holds a byte. */
  at(offset: number): number {
    const { codes, imports } = this.#binary;
    const after = codes.findIndex((start) => start > offset);
    const imported = imports.filter(({ kind }) => kind === "function").length;
    return imported + (after < 0 ? codes.length : after) - 1;
  }

  /** A name as an engine gives it, without the module's own; or that of the export. */
  name(given: string | undefined, index: number): string {
    const { exports, name } = this.#binary;
    if (given !== undefined && given !== "<anonymous>" && given !== name) {
      return name !== "" && given.startsWith(`${name}.`) ? given.slice(name.length + 1) : given;
    }
    const exported = exports.find((item) => item.kind === "function" && item.index === index);
    return exported?.name ?? "?";
  }
}

function framesOfV8(stack: string[], names: Names): string[] {
  return stack.flatMap((line) => {
    const frame = /^\s*at (?:(.+) \()?wasm:\/\/[^)]*:wasm-function\[\d+\]:(0x[0-9a-f]+)\)?$/.exec(
      line,
    );
    if (frame === null) return [];
    const [, given, offset] = frame;
    const index = names.at(Number(offset));
    const where = index < 0 ? "" : `function ${index}, `;
    return [`at ${names.name(given, index)} (${where}byte ${offset})`];
  });
}

function framesOfBun(stack: string[], names: Names, called: string | undefined): string[] {
  const frames = stack.flatMap((line) => {
    const frame = /\.wasm-function\[(.*)\]$/.exec(line);
    if (frame === null) return [];
    const [, name] = frame;
    if (!/^\d*$/.test(name!)) return [`at ${name}`];
    return [name === "" ? "at ?" : `at ${names.name(undefined, Number(name))} (function ${name})`];
  });
  if (frames.at(-1) === "at ?" && called !== undefined) frames[frames.length - 1] = `at ${called}`;
  return frames;
}
