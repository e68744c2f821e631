/**
 * Functions of JavaScript as functions of WebAssembly, with types: see preview1/typed.ts. One that
 * may suspend its guest is followed by a question, whether the guest has been stopped meanwhile: if
 * so it traps, which no `catch` of the guest's prevents.
 *
 * @module
 */
import { Kind, Section } from "../module/reader.ts";
import { ByteWriter } from "../module/writer.ts";
import type { FlatType } from "./codecs/codec.ts";
import { componentError } from "./errors.ts";

// deno-lint-ignore no-explicit-any
export type ImportedFunction = (...parameters: any[]) => any;

const BYTES: Readonly<Record<FlatType, number>> = { i: 0x7f, I: 0x7e, f: 0x7d, F: 0x7c };

/** The type of a core function. */
export interface CoreType {
  readonly parameters: readonly FlatType[];
  readonly results: readonly FlatType[];
}

function section(out: ByteWriter, id: number, write: (to: ByteWriter) => void): void {
  const content = new ByteWriter(64);
  write(content);
  out.byte(id);
  out.block(content);
}

/** Makes `(module (import "" "f" (func $f …)) (export "f" (func $f)))`, or the one that asks. */
function build({ parameters, results }: CoreType, asks: boolean): WebAssembly.Module {
  const out = new ByteWriter(128);
  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
  section(out, Section.TYPE, (to) => {
    to.number(2);
    for (const [from, into] of [[parameters, results], [[], ["i"]]] as const) {
      to.byte(0x60);
      to.number(from.length);
      for (const type of from) to.byte(BYTES[type]);
      to.number(into.length);
      for (const type of into) to.byte(BYTES[type]);
    }
  });
  section(out, Section.IMPORT, (to) => {
    to.number(2);
    ["f", "over"].forEach((name, type) => {
      to.text("");
      to.text(name);
      to.byte(Kind.FUNCTION);
      to.number(type);
    });
  });
  if (asks) {
    section(out, Section.FUNCTION, (to) => {
      to.number(1);
      to.number(0);
    });
  }
  section(out, Section.EXPORT, (to) => {
    to.number(1);
    to.text("f");
    to.byte(Kind.FUNCTION);
    to.number(asks ? 2 : 0);
  });
  if (asks) {
    section(out, Section.CODE, (to) => {
      to.number(1);
      const body = new ByteWriter(64);
      body.byte(0); // no locals
      parameters.forEach((_, i) => {
        body.byte(0x20); // local.get
        body.number(i);
      });
      // call $f, call $over, if unreachable end; what $f gave stays below
      for (const byte of [0x10, 0, 0x10, 1, 0x04, 0x40, 0x00, 0x0b, 0x0b]) body.byte(byte);
      to.block(body);
    });
  }
  return new WebAssembly.Module(out.done());
}

/** Most modules that are kept for later. */
const MODULES_MAX = 500;

const modules = new Map<string, WebAssembly.Module>();

/** What a function is known to be. */
const known: WeakMap<ImportedFunction, string> = new WeakMap();

function keyOf({ parameters, results }: CoreType): string {
  return `${parameters.join("")}:${results.join("")}`;
}

/**
 * A function with its type.
 *
 * @param over if it may suspend the guest: whether the guest has been stopped
 */
export function typed(
  call: ImportedFunction,
  type: CoreType,
  over: (() => boolean) | undefined,
): ImportedFunction {
  const key = `${keyOf(type)}:${over !== undefined}`;
  let module = modules.get(key);
  if (module === undefined) {
    // components choose their types: what they choose is not kept forever
    if (modules.size >= MODULES_MAX) modules.clear();
    modules.set(key, module = build(type, over !== undefined));
  }
  const imports = { "": { f: call, over: over ?? (() => 0) } };
  return new WebAssembly.Instance(module, imports).exports.f as ImportedFunction;
}

/**
 * Refuses a function of a module whose type is another one: the engine looks when it is imported.
 *
 * @param what what it is, for the message
 */
export function requireType(core: ImportedFunction, type: CoreType, what: string): void {
  const key = keyOf(type);
  if (known.get(core) === key) return;
  try {
    typed(core, type, undefined);
  } catch (error) {
    if (!(error instanceof WebAssembly.LinkError)) throw error;
    throw componentError(`the core function for ${what} has a type that does not fit`);
  }
  known.set(core, key);
}
