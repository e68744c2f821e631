/**
 * System calls as functions of WebAssembly, with types.
 *
 * A function of JavaScript can be imported with any type: a guest that declares `proc_exit` with an
 * f64 would make 1.5 an exit code, and one that declares a result of 64 bits makes the engine throw a
 * TypeError. A function that a module exports has one type, and whoever imports it as another cannot
 * be linked. So each call goes through a module that imports it with its type and exports it; engines
 * see through that, and it costs nothing once it is linked.
 *
 * For a call that suspends the guest a function stands in between, which traps when the answer is
 * {@linkcode ENDED}: the guest is unwound, which no `catch` of its own can prevent, and its stack is
 * free.
 *
 * @module
 */
import { type ImportedFunction, lazily, shapeOf } from "./imports.ts";
import { Kind, Section } from "../module/reader.ts";
import { ByteWriter } from "../module/writer.ts";
import type { Signature } from "./table.ts";

/** What a call that suspends answers a guest that has been ended: no errno. */
export const ENDED = -0x80000000;

const [I32, I64] = [0x7f, 0x7e];

/** A call's types. */
export interface CallType {
  /** "i" and "I" for its parameters, see imports.ts */
  readonly shape: string;
  /** whether it has a result, which is an errno */
  readonly returns: boolean;
}

/** The type of `proc_exit`. */
const EXIT: CallType = { shape: "i", returns: false };

/** The type of a call of a table, or of `proc_exit`. */
export function typeOf(name: string, table: Readonly<Record<string, Signature>>): CallType {
  return name === "proc_exit" ? EXIT : { shape: shapeOf(table[name]!), returns: true };
}

/** A section of so many items. */
function section(
  out: ByteWriter,
  id: number,
  count: number,
  write: (to: ByteWriter) => void,
): void {
  const content = new ByteWriter(1024);
  content.number(count);
  write(content);
  out.byte(id);
  out.block(content);
}

/**
 * `(module (import "" "0" (func (type 0))) … (export "0" (func 0)) …)`
 *
 * @param guarded exports what stands before each function, which traps at {@linkcode ENDED}
 */
export function typedModule(types: readonly CallType[], guarded: boolean): WebAssembly.Module {
  const { length } = types;
  const out = new ByteWriter(4096);
  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
  section(out, Section.TYPE, length, (to) => {
    for (const { shape, returns } of types) {
      to.byte(0x60);
      to.number(shape.length);
      for (const letter of shape) to.byte(letter === "I" ? I64 : I32);
      to.number(returns ? 1 : 0);
      if (returns) to.byte(I32);
    }
  });
  section(out, Section.IMPORT, length, (to) => {
    types.forEach((_, i) => {
      to.text("");
      to.text(String(i));
      to.byte(Kind.FUNCTION);
      to.number(i);
    });
  });
  if (guarded) {
    section(out, Section.FUNCTION, length, (to) => types.forEach((_, i) => to.number(i)));
  }
  section(out, Section.EXPORT, length, (to) => {
    types.forEach((_, i) => {
      to.text(String(i));
      to.byte(Kind.FUNCTION);
      to.number(guarded ? length + i : i);
    });
  });
  if (guarded) {
    section(out, Section.CODE, length, (to) => types.forEach((type, i) => guard(to, type, i)));
  }
  return new WebAssembly.Module(out.done());
}

/** The parameters, the call, `(local.tee $answer)`; whether that is ENDED; the answer. */
function guard(to: ByteWriter, { shape }: CallType, index: number): void {
  const answer = shape.length;
  const body = new ByteWriter(64);
  for (const byte of [1, 1, I32]) body.byte(byte);
  for (let i = 0; i < answer; i++) for (const byte of [0x20, i]) body.byte(byte);
  body.byte(0x10);
  body.number(index);
  for (const byte of [0x22, answer, 0x41]) body.byte(byte);
  body.signed(ENDED);
  for (const byte of [0x46, 0x04, 0x40, 0x00, 0x0b, 0x20, answer, 0x0b]) body.byte(byte);
  to.block(body);
}

const modules = new Map<string, WebAssembly.Module>();

/**
 * A call with its types.
 *
 * @param call a function, or a `WebAssembly.Suspending`
 * @param guarded whether it traps at {@linkcode ENDED}
 */
function typed(call: unknown, type: CallType, guarded: boolean): ImportedFunction {
  const kind = `${type.shape} ${type.returns} ${guarded}`;
  let module = modules.get(kind);
  if (module === undefined) modules.set(kind, module = typedModule([type], guarded));
  const imports = { "": { "0": call as ImportedFunction } };
  return new WebAssembly.Instance(module, imports).exports["0"] as ImportedFunction;
}

/**
 * An import object whose calls have their types.
 *
 * @param calls the functions of the table and `proc_exit`
 * @param suspending makes what suspends the guest of a call that can, for guests that are suspended
 */
export function typedImports(
  calls: Record<string, ImportedFunction>,
  table: Readonly<Record<string, Signature>>,
  suspending?: (name: string, call: ImportedFunction) => unknown,
): Record<string, ImportedFunction> {
  return lazily(table, undefined, (name) => {
    const call = calls[name]!;
    const suspends = suspending?.(name, call);
    return typed(suspends ?? call, typeOf(name, table), suspends !== undefined);
  });
}
