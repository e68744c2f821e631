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
import { hidden, type ImportedFunction, shapeOf } from "./imports.ts";
import type { Signature } from "./preview1.ts";

/** What a call that suspends answers a guest that has been ended: no errno. */
export const ENDED = -0x80000000;

const [I32, I64] = [0x7f, 0x7e];

/** A section, or anything else below 128 bytes that has its length before it. */
function block(...bytes: number[]): number[] {
  return [bytes.length, ...bytes];
}

/** `(module (import "" "" (func (type 0))) (export "" (func N)))` */
function moduleOf(shape: string, returns: boolean, guarded: boolean): Uint8Array<ArrayBuffer> {
  const parameters = [...shape].map((letter) => letter === "I" ? I64 : I32);
  const type = [0x60, ...block(...parameters), ...(returns ? block(I32) : block())];
  const sections = [1, ...block(1, ...type), 2, ...block(1, 0, 0, 0, 0)];
  if (!guarded) return whole(...sections, 7, ...block(1, 0, 0, 0));
  // (local i32) the parameters, the call, (local.tee $answer), whether it is ENDED
  const answer = shape.length;
  const body = [
    ...[1, 1, I32],
    ...[...shape].flatMap((_, i) => [0x20, i]),
    ...[0x10, 0, 0x22, answer],
    ...[0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x46],
    ...[0x04, 0x40, 0x00, 0x0b],
    ...[0x20, answer, 0x0b],
  ];
  const code = [3, ...block(1, 0), 7, ...block(1, 0, 0, 1), 10, ...block(1, ...block(...body))];
  return whole(...sections, ...code);
}

function whole(...sections: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);
}

const modules = new Map<string, WebAssembly.Module>();

/**
 * A call with the types of its shape ("i" and "I", see imports.ts).
 *
 * @param call a function, or a `WebAssembly.Suspending`
 * @param returns whether it has a result, which is an errno
 * @param guarded whether it traps at {@linkcode ENDED}
 */
export function typed(
  call: unknown,
  shape: string,
  returns: boolean,
  guarded: boolean = false,
): ImportedFunction {
  const kind = `${shape} ${returns} ${guarded}`;
  let module = modules.get(kind);
  if (module === undefined) {
    modules.set(kind, module = new WebAssembly.Module(moduleOf(shape, returns, guarded)));
  }
  const imports = { "": { "": call as ImportedFunction } };
  return new WebAssembly.Instance(module, imports).exports[""] as ImportedFunction;
}

/**
 * An import object whose calls have their types. Each is made when it is first looked at, for most
 * guests import few. What the embedder puts in the place of one is handed out as it is.
 *
 * @param calls the functions of the table and `proc_exit`
 * @param suspending makes what suspends the guest of a call that can, for guests that are suspended
 */
export function typedImports(
  calls: Record<string, ImportedFunction>,
  table: Readonly<Record<string, Signature>>,
  suspending?: (name: string, call: ImportedFunction) => unknown,
): Record<string, ImportedFunction> {
  const made = new Map<unknown, ImportedFunction>();
  const own = new Map(Object.entries(calls));
  const get = (name: string | symbol): unknown => {
    const call = Reflect.get(calls, name) as unknown;
    if (typeof name === "symbol" || call === undefined || own.get(name) !== call) return call;
    let function_ = made.get(call);
    if (function_ === undefined) {
      const suspends = suspending?.(name, call as ImportedFunction);
      const shape = name === "proc_exit" ? "i" : shapeOf(table[name]!);
      function_ = typed(suspends ?? call, shape, name !== "proc_exit", suspends !== undefined);
      made.set(call, function_);
    }
    return function_;
  };
  return new Proxy(hidden(calls), {
    get: (_, name) => get(name),
    getOwnPropertyDescriptor(target, name) {
      const descriptor = Reflect.getOwnPropertyDescriptor(target, name);
      return descriptor && { ...descriptor, value: get(name) };
    },
  });
}
