/**
 * The table as functions that a guest can import, behind the one guard.
 *
 * WebAssembly hands over 32-bit numbers signed, so every one is made unsigned here, and whatever
 * is thrown below becomes an errno: nothing but the documented exit ever passes through a guest.
 * Each shape of parameters has its own wrapper of fixed arity, because rest parameters would cost
 * more than many a call.
 *
 * @module
 */
import { Errno } from "./abi.ts";
import { errnoOf } from "../errno.ts";
import { GuestAborted, ProcExit, throwAborted, Thrown } from "../exit.ts";
import { notStarted, stopped } from "../errors.ts";
import type { Signature, SystemCall } from "./table.ts";
import type { Preview1System } from "./system.ts";
import type { Wait } from "../system/waiting.ts";

/** A function as a guest imports it: 32-bit numbers and bigints in, an errno out. */
// deno-lint-ignore no-explicit-any
export type ImportedFunction = (...parameters: any[]) => any;

/**
 * What becomes of something thrown in a call: what ends the guest passes, what the embedder's own
 * functions threw ends it, the rest is an errno.
 */
function failure(thrown: unknown): number {
  if (thrown instanceof ProcExit || thrown instanceof GuestAborted) throw thrown;
  if (thrown instanceof Thrown) throwAborted(thrown.cause);
  return errnoOf(thrown);
}

/** A result as the guest gets it, after waiting if it has to. */
function settled(system: Preview1System, result: number | Wait): number {
  return typeof result === "number" ? result | 0 : system.settle(result);
}

/** A call before the guest was started, or after it was stopped from outside. */
function refuse({ ended, halt }: Preview1System): never {
  if (ended !== undefined) throwAborted(ended.cause);
  if (halt[0] !== 0) throwAborted(stopped());
  throw notStarted();
}

/**
 * One wrapper for each shape: "i" is a 32-bit parameter, "I" a 64-bit one. A missing last
 * parameter is INVAL, as it is in Node: only JavaScript can leave one out.
 */
const wrappers: Record<string, (s: Preview1System, call: SystemCall) => ImportedFunction> = {
  "": (s, call) => () => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    try {
      return settled(s, call(s));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  i: (s, call) => (a: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (a === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  ii: (s, call) => (a: number, b: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (b === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iii: (s, call) => (a: number, b: number, c: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (c === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b >>> 0, c >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iiii: (s, call) => (a: number, b: number, c: number, d: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (d === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b >>> 0, c >>> 0, d >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iiiii: (s, call) => (a: number, b: number, c: number, d: number, e: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (e === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b >>> 0, c >>> 0, d >>> 0, e >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iiiiii: (s, call) => (a: number, b: number, c: number, d: number, e: number, f: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (f === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b >>> 0, c >>> 0, d >>> 0, e >>> 0, f >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iiiiiii:
    (s, call) => (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => {
      if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
      if (g === undefined) return Errno.INVAL;
      try {
        return settled(s, call(s, a >>> 0, b >>> 0, c >>> 0, d >>> 0, e >>> 0, f >>> 0, g >>> 0));
      } catch (thrown) {
        return failure(thrown);
      }
    },
  iI: (s, call) => (a: number, b: bigint) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (typeof b !== "bigint") return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iII: (s, call) => (a: number, b: bigint, c: bigint) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (typeof b !== "bigint" || typeof c !== "bigint") return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b, c));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iIi: (s, call) => (a: number, b: bigint, c: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (typeof b !== "bigint" || c === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b, c >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iIii: (s, call) => (a: number, b: bigint, c: number, d: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (typeof b !== "bigint" || d === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b, c >>> 0, d >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iIIi: (s, call) => (a: number, b: bigint, c: bigint, d: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (typeof b !== "bigint" || typeof c !== "bigint" || d === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b, c, d >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iiiIi: (s, call) => (a: number, b: number, c: number, d: bigint, e: number) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (typeof d !== "bigint" || e === undefined) return Errno.INVAL;
    try {
      return settled(s, call(s, a >>> 0, b >>> 0, c >>> 0, d, e >>> 0));
    } catch (thrown) {
      return failure(thrown);
    }
  },
  iiiiIIi:
    (s, call) => (a: number, b: number, c: number, d: number, e: bigint, f: bigint, g: number) => {
      if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
      if (typeof e !== "bigint" || typeof f !== "bigint" || g === undefined) return Errno.INVAL;
      try {
        return settled(s, call(s, a >>> 0, b >>> 0, c >>> 0, d >>> 0, e, f, g >>> 0));
      } catch (thrown) {
        return failure(thrown);
      }
    },
  iiiiiIIii: (s, call) =>
  (
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: bigint,
    g: bigint,
    h: number,
    i: number,
  ) => {
    if (!s.memory.bound || s.halt[0] !== 0) refuse(s);
    if (typeof f !== "bigint" || typeof g !== "bigint" || i === undefined) return Errno.INVAL;
    try {
      return settled(
        s,
        call(s, a >>> 0, b >>> 0, c >>> 0, d >>> 0, e >>> 0, f, g, h >>> 0, i >>> 0),
      );
    } catch (thrown) {
      return failure(thrown);
    }
  },
};

/** Shows only what an object has itself. */
const OWN: ProxyHandler<object> = {
  get: (target, name) => Object.hasOwn(target, name) ? Reflect.get(target, name) : undefined,
};

/**
 * Hides what an object inherits from a guest, which chooses what it imports: the function `freeze`
 * of the module `constructor` would be `Object.freeze`, the global `prototype` what to freeze.
 */
export function hidden<T extends object>(imports: T): T {
  return new Proxy(imports, OWN) as T;
}

/** Whether a value is what every object of its kind inherits from, of this realm or another. */
function isBase(value: object): boolean {
  return Object.hasOwn(value, "hasOwnProperty") || Object.hasOwn(value, "apply");
}

/**
 * Whether a namespace of the embedder's has a name to be imported: a property of its own or one of
 * its class's, and nothing that comes with being an object.
 */
export function offers(namespace: object, name: string): boolean {
  let holder: object | null = namespace;
  while (holder !== null && (holder === namespace || !isBase(holder))) {
    if (Object.hasOwn(holder, name)) {
      const inherited = holder !== namespace && name === "constructor";
      return !inherited && !(typeof namespace === "function" && name === "prototype");
    }
    holder = Object.getPrototypeOf(holder);
  }
  return false;
}

/** What a module imports of what the embedder gives, and nothing else that could be reached by a name. */
export function offeredOf(
  module: WebAssembly.Module,
  given: WebAssembly.Imports,
): WebAssembly.Imports {
  const all: Record<string, WebAssembly.ModuleImports> = Object.create(null);
  if (Object.keys(given).length === 0) return all;
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const namespace = Object.hasOwn(given, from) ? given[from] : undefined;
    if (namespace === undefined || !offers(namespace, name)) continue;
    (all[from] ??= Object.create(null) as WebAssembly.ModuleImports)[name] = namespace[name]!;
  }
  return all;
}

/** The shape of a signature: one letter for each parameter. */
export function shapeOf({ parameters }: Signature): string {
  let shape = "";
  for (const parameter of parameters) shape += parameter.endsWith(":i64") ? "I" : "i";
  return shape;
}

/** Stands for a function until it is made. */
const UNMADE: ImportedFunction = () => {
  throw new Error("unreachable");
};

/** For each table an object with all its names, to be copied. */
const templates: WeakMap<object, Record<string, ImportedFunction>> = new WeakMap();

function templateOf(table: object): Record<string, ImportedFunction> {
  let template = templates.get(table);
  if (template === undefined) {
    template = Object.fromEntries(Object.keys(table).map((name) => [name, UNMADE]));
    templates.set(table, template);
  }
  return template;
}

/**
 * An object with a function for each name of a table and `proc_exit`, each made when it is first
 * looked at: most guests import few. What is put in the place of one is handed out as it is, and what
 * every object inherits is hidden, as {@linkcode hidden} does.
 */
export function lazily(
  table: object,
  proc_exit: ImportedFunction | undefined,
  make: (name: string) => ImportedFunction,
): Record<string, ImportedFunction> {
  const functions = { ...templateOf(table) };
  functions.proc_exit = proc_exit ?? UNMADE;
  const get = (name: string | symbol): unknown => {
    const value = functions[name as string];
    if (value === UNMADE) return functions[name as string] = make(name as string);
    return Object.hasOwn(functions, name) ? value : undefined;
  };
  return new Proxy(functions, {
    get: (_, name) => get(name),
    getOwnPropertyDescriptor(target, name) {
      const descriptor = Reflect.getOwnPropertyDescriptor(target, name);
      if (descriptor?.value === UNMADE) descriptor.value = get(name);
      return descriptor;
    },
  });
}

/** The functions of a table and `proc_exit`, bound to a guest. */
export function makeImports(
  system: Preview1System,
  table: Readonly<Record<string, Signature>>,
  proc_exit: ImportedFunction,
): Record<string, ImportedFunction> {
  return lazily(table, proc_exit, (name) => {
    const signature = table[name]!;
    return wrappers[shapeOf(signature)]!(system, signature.call);
  });
}
