/**
 * What is told of a guest that trapped.
 *
 * @module
 */
import { isException, UNCAUGHT } from "../core/exit.ts";
import { type Binary, parseBinary } from "../core/module/binary.ts";
import { Instructions } from "../core/module/instructions.ts";
import { harmless } from "../core/text.ts";
import { type Bytes, FRAMES_KEPT } from "./stack.ts";

/** What a trapped guest ends with, as after SIGABRT. */
const TRAPPED = 134;
const FRAMES_MAX = 40;

/** Whether an engine throws this when the guest does what it must not. */
export function isTrap(error: unknown): boolean {
  if ((error as { code?: unknown } | null)?.code !== undefined) return false; // ours
  // too deep a recursion is a trap as well, whatever an engine calls it
  return error instanceof WebAssembly.RuntimeError || isException(error) ||
    error instanceof RangeError || (error as { name?: string } | null)?.name === "InternalError";
}

/**
 * Tells of a trap; gives the exit code.
 *
 * @param stack its lines, on Bun the names of the functions alone
 * @param programs the modules that ran: one, or those of a component
 * @param called the export that was called, if one was
 */
export function trapped(
  error: Error,
  stack: string[],
  programs: readonly Bytes[],
  called: string | undefined,
): number {
  // Bun adds the code that called the guest
  const reason = String(error.message).replace(/\.? \(evaluating .*\)$/s, "");
  const thrown = isException(error) || reason === UNCAUGHT;
  const message = thrown ? "uncaught exception" : reason;
  const names = programs.map((bytes) => new Names(bytes));
  const all = "Bun" in globalThis ? framesOfBun(stack, names, called) : framesOfV8(stack, names);
  const frames = folded(all, stack.filter((line) => line !== "").length >= FRAMES_KEPT);
  const more = frames.length > FRAMES_MAX ? ["... and more"] : [];
  const lines = [...frames.slice(0, FRAMES_MAX), ...more].map((line) => `\n  ${harmless(line)}`);
  console.error(`wasi: the program trapped: ${message}${lines.join("")}`);
  return TRAPPED;
}

type Known = Pick<Binary, "codes" | "exports" | "imports" | "name">;

function knownOf(bytes: Uint8Array): Known {
  try {
    return parseBinary(bytes);
  } catch {
    // an engine may know more than is known here
    return { codes: [], exports: [], imports: [], name: "" };
  }
}

function imported({ imports }: Known): number {
  return imports.filter(({ kind }) => kind === "function").length;
}

/**
 * Which byte a byte of the copy was, by passing over both from the beginning of a function: the
 * copy has more before some instructions, and two instead of a wait.
 */
function placeOf(
  { given, run }: Bytes,
  from: number,
  copied: number,
  offset: number,
): number | undefined {
  const [ours, copy] = [new Instructions(given, from), new Instructions(run, copied)];
  try {
    for (const reader of [ours, copy]) {
      reader.number();
      for (let groups = reader.number(); groups > 0; groups--) {
        reader.number();
        reader.passType();
      }
    }
    for (;;) {
      const { at } = ours;
      const opcode = ours.next();
      let found = copy.next();
      if (ours.wait !== 0 && found !== opcode) copy.next();
      else while (found !== opcode) found = copy.next();
      if (copy.at > offset) return at;
    }
  } catch {
    return undefined; // it has ended: they are not alike
  }
}

/** How many functions that call each other in turn are seen as such. */
const CYCLE_MAX = 10;
/** How often they must, to be shown once. */
const TURNS_MIN = 4;

/** Frames that come again and again, as in a recursion, once. */
function folded(frames: readonly string[], cut: boolean): string[] {
  const shown: string[] = [];
  for (let i = 0; i < frames.length;) {
    const cycle = cycleAt(frames, i);
    if (cycle === 0) {
      shown.push(frames[i++]!);
      continue;
    }
    const begin = i;
    while (i < frames.length && frames[i] === frames[begin + (i - begin) % cycle]) i++;
    const more = Math.floor((i - begin) / cycle) - 1;
    const atEnd = cut && i === frames.length;
    if (!atEnd) i = begin + (more + 1) * cycle;
    const which = cycle === 1 ? "the same" : `these ${cycle}`;
    shown.push(
      ...frames.slice(begin, begin + cycle),
      `... ${which} again, ${more} times${atEnd ? " or more" : ""}`,
    );
  }
  return shown;
}

/** How many frames from here on come again at once, several times; 0 for none. */
function cycleAt(frames: readonly string[], at: number): number {
  for (let cycle = 1; cycle <= CYCLE_MAX; cycle++) {
    const end = at + cycle * TURNS_MIN;
    if (end > frames.length) return 0;
    let i = at + cycle;
    while (i < end && frames[i] === frames[i - cycle]) i++;
    if (i === end) return cycle;
  }
  return 0;
}

/** What a module calls its functions, by where their code is: engines do not tell all of it. */
class Names {
  readonly #bytes: Bytes;
  readonly #binary: Known;
  readonly #copy: Known;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#binary = knownOf(bytes.given);
    this.#copy = bytes.run === bytes.given ? this.#binary : knownOf(bytes.run);
  }

  /** Which of the module's own functions holds a byte of what runs, and where that is in it. */
  at(offset: number): { index: number; byte: number | undefined } {
    const after = this.#copy.codes.findIndex((start) => start > offset);
    const own = (after < 0 ? this.#copy.codes.length : after) - 1;
    const index = imported(this.#binary) + own;
    if (this.#copy === this.#binary || own < 0) return { index, byte: offset };
    const [from, copied] = [this.#binary.codes[own]!, this.#copy.codes[own]!];
    return { index, byte: placeOf(this.#bytes, from, copied, offset) };
  }

  /** Whether a byte of what runs is in one of its functions. */
  holds(offset: number): boolean {
    const [first = Infinity] = this.#copy.codes;
    return offset >= first && offset < this.#bytes.run.length;
  }

  /** The number that a function of what runs has in the module. */
  number(index: number): number {
    return index - imported(this.#copy) + imported(this.#binary);
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

const FRAME_OF_V8 = /^\s*at (?:(.+) \()?(wasm:\/\/[^)]*):wasm-function\[(\d+)\]:(0x[0-9a-f]+)\)?$/;

/**
 * Finds the modules of a component by the places that V8 tells of them: an URL is that of a module,
 * without its name. Deno tells no numbers of functions.
 */
class Places {
  readonly #all: readonly Names[];
  readonly #found: Map<string, Names> = new Map();

  constructor(all: readonly Names[], frames: readonly RegExpExecArray[]) {
    this.#all = all;
    for (const [, given, url, number, offset] of frames) {
      if (this.#found.has(url!)) continue;
      const found = this.#moduleWith(given, Number(number), Number(offset));
      if (found !== undefined) this.#found.set(url!, found);
    }
  }

  #moduleWith(given: string | undefined, number: number, offset: number): Names | undefined {
    if (this.#all.length === 1) return this.#all[0];
    const there = this.#all.filter((one) => one.holds(offset));
    const exact = there.filter((one) => {
      const { index } = one.at(offset);
      return "Deno" in globalThis ? one.name(undefined, index) === given : index === number;
    });
    return exact.length > 0 ? exact[0] : there.length === 1 ? there[0] : undefined;
  }

  of(url: string): Names | undefined {
    return this.#found.get(url);
  }
}

function framesOfV8(stack: string[], all: readonly Names[]): string[] {
  const frames = stack.map((line) => FRAME_OF_V8.exec(line)).filter((frame) => frame !== null);
  const places = new Places(all, frames);
  return frames.flatMap(([, given, url, , offset]) => {
    const names = places.of(url!);
    // what is not the program's is what calls it or is called by it
    if (names === undefined) return given === undefined ? [] : [`at ${given}`];
    const { index, byte } = names.at(Number(offset));
    const where = [
      ...(index < 0 ? [] : [`function ${index}`]),
      ...(byte === undefined ? [] : [`byte 0x${byte.toString(16)}`]),
    ];
    return [`at ${names.name(given, index)} (${where.join(", ")})`];
  });
}

function framesOfBun(
  stack: string[],
  all: readonly Names[],
  called: string | undefined,
): string[] {
  const names = all.length === 1 ? all[0] : undefined;
  const frames = stack.flatMap((line) => {
    const frame = /\.wasm-function\[(.*)\]$/.exec(line);
    if (frame === null) return [];
    const [, name] = frame;
    if (!/^\d*$/.test(name!)) return [`at ${name}`];
    if (name === "") return ["at ?"];
    if (names === undefined) return [`at ? (function ${name})`];
    const number = names.number(Number(name));
    return [`at ${names.name(undefined, number)} (function ${number})`];
  });
  if (frames.at(-1) === "at ?" && called !== undefined) frames[frames.length - 1] = `at ${called}`;
  return frames;
}
