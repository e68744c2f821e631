/**
 * Functions of components: lifted out of core functions, and lowered to them.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#canonical-definitions
 *
 * @module
 */
import { ProcExit } from "../exit.ts";
import { Wait } from "../system/waiting.ts";
import { calls, take } from "./calls.ts";
import { allocate } from "./codecs/lists.ts";
import {
  type Codec,
  type CodecContext,
  type Flat,
  FLAT_MAX,
  type FlatType,
  type ResourceSide,
} from "./codecs/codec.ts";
import { codecOf, single, toSingle } from "./codecs/mod.ts";
import { ResultCodec } from "./codecs/cases.ts";
import { Err, ThrownErr } from "./err.ts";
import { componentError, linkError } from "./errors.ts";
import type { Handle, HandleTable, Scope } from "./handles.ts";
import type { Allocator, LinearMemory } from "./memory.ts";
import type { Store } from "./store.ts";
import { Trap } from "./trap.ts";
import { type ImportedFunction, requireType, typed } from "./typed.ts";
import type { FunctionType, ValueType } from "./types.ts";

/** An instance of a component, as far as calls go. */
export interface Entered {
  readonly handles: HandleTable;
  /** Whether one of its functions is running. */
  entered: boolean;
  /** Whether it may call others: not while it makes room for values. */
  mayLeave: boolean;
}

/** Where values travel by hand: the guest's handles, its memory, and room in it. */
export interface Door extends Allocator {
  readonly handles: HandleTable;
}

/**
 * Makes the core function of a function of WASI's.
 *
 * @param settle puts a result into memory at `pointer` as for other functions, after waiting
 * @param call the function itself
 */
export type Direct = (
  door: Door,
  settle: (value: unknown, pointer: number) => unknown,
  call: (...values: unknown[]) => unknown,
) => ImportedFunction;

/** A function that can be called with values. */
export interface ComponentFunction {
  readonly sort: "func";
  /** undefined for the embedder's, which take what they are imported as */
  readonly type: FunctionType | undefined;
  /** Whose it is: WASI's, the embedder's, or a component's. */
  readonly origin: "wasi" | "embedder" | "component";
  /** Whether it may wait. */
  readonly waits: boolean;
  /**
   * Calls it. What WASI gives may be a {@linkcode Wait}, and an {@linkcode Err} for the error of a
   * result; what a component gives may be a promise if it waits and guests are suspended.
   */
  call(...values: unknown[]): unknown;
  /** The same for values that travel by hand, which is quicker. */
  readonly direct?: Direct;
  /** The same for another side of its resources; only a component's have it. */
  sided?(side: ResourceSide): ComponentFunction;
}

/** The parameters or results of a function as they travel. */
interface Travel {
  readonly codecs: readonly Codec[];
  readonly flat: readonly FlatType[];
}

function travelOf(cx: CodecContext, types: readonly ValueType[]): Travel {
  const codecs = types.map((type) => codecOf(cx, type));
  return { codecs, flat: codecs.flatMap(({ flat }) => flat) };
}

function tupleOf(cx: CodecContext, { parameters }: FunctionType): Codec {
  return codecOf(cx, { kind: "tuple", types: parameters.map(({ type }) => type) });
}

/** What a lowered function needs: whose it is, and how its values are laid out. */
export interface Lowering {
  readonly store: Store;
  readonly instance: Entered;
  readonly cx: CodecContext;
}

/**
 * A component's function as a core function, for another component's or the same one's modules.
 */
export function lower(
  { store, instance, cx }: Lowering,
  type: FunctionType,
  target: ComponentFunction,
): ImportedFunction {
  if (type.async) throw componentError("asynchronous functions belong to WASI 0.3");
  const parameters = travelOf(cx, type.parameters.map((one) => one.type));
  const spilled = parameters.flat.length > FLAT_MAX;
  const tuple = spilled ? { codec: tupleOf(cx, type), memory: cx.memory! } : undefined;
  const result = type.result === undefined ? undefined : codecOf(cx, type.result);
  const byPointer = result !== undefined && result.flat.length > 1;
  if ((spilled || byPointer) && cx.memory === undefined) {
    throw componentError("a function is lowered without the memory that its values need");
  }
  const waits = target.waits && store.suspends;
  if (target.origin === "embedder" && target.waits && !waits) {
    throw linkError(
      "a function of options.imports is async, which needs JSPI (Node 24.20, Deno, Bun, Chromium)",
    );
  }
  // the result of a function of the host's is the value itself, or an Err
  const bare = target.origin !== "component" && result instanceof ResultCodec ? result : undefined;
  const out: Flat[] = [];
  const scalar = result && toSingle(result);
  const finish = (value: unknown, pointer: number): Flat | undefined => {
    if (bare === undefined && value instanceof Err) throw value.val; // there is no result to say it
    if (result === undefined) return undefined;
    if (byPointer) {
      pointer >>>= 0;
      cx.memory!.check(pointer, result.size, result.align);
      if (bare !== undefined) storeResult(bare, value, pointer);
      else result.store(value, pointer);
      return undefined;
    }
    if (scalar !== undefined) return scalar(value);
    out.length = 0;
    if (bare === undefined) result.lower(value, out);
    else if (value instanceof Err) bare.lowerCase(1, value.val, out);
    else bare.lowerCase(0, value, out);
    return out[0];
  };
  const later = async (waited: Wait<unknown> | Promise<unknown>, pointer: number) => {
    try {
      const value = waited instanceof Wait ? await store.wait!(waited) : await waited;
      if (store.over) return dummy;
      return finish(embedded ? embeddedValue(value, type.result) : value, pointer);
    } catch (error) {
      // thrown here it could be caught by the guest: it traps, because the store is stopped
      store.stop(error);
      return dummy;
    }
  };
  const dummy = result !== undefined && !byPointer && result.flat[0] === "I" ? 0n : 0;
  const embedded = target.origin === "embedder";
  const mayWait = target.waits || target.origin !== "wasi";
  const settle = !mayWait ? finish : (value: unknown, pointer: number): unknown => {
    // a function of the embedder's may have called what was stopped then
    if (store.over) store.enter();
    if (value instanceof Wait) {
      return waits ? later(value, pointer) : finish(store.hold(value), pointer);
    }
    if (value instanceof Promise) return later(value, pointer);
    return finish(embedded ? embeddedValue(value, type.result) : value, pointer);
  };
  const counts = parameters.codecs.some((codec) => single(codec) === undefined);
  const enter = (): void => {
    if (!instance.mayLeave) throw new Trap("a call while the instance makes room for values");
    store.enter();
    if (counts) calls.budget = store.budget;
  };
  const lent = target.origin === "component";
  const { memory } = cx;
  const byHand = cx.encoding === "utf8" && memory !== undefined ? target.direct : undefined;
  const call = byHand !== undefined
    ? guarded(
      { store, enter },
      byHand(
        {
          handles: cx.handles,
          memory: memory!,
          allocate: (align, size) => allocate(cx, align, size),
        },
        settle,
        target.call,
      ),
    )
    : byArity(parameters, tuple, byPointer, lent, { target, enter, settle, store });
  const flat: FlatType[] = spilled ? ["i"] : [...parameters.flat];
  if (byPointer) flat.push("i");
  const core = { parameters: flat, results: byPointer ? [] : result?.flat ?? [] };
  return waits
    ? typed(store.suspending(call), core, () => store.over)
    : typed(call, core, undefined);
}

/**
 * What a function of the embedder's gave: the value itself, or an Err. For a `result` it can be
 * `{ tag: "ok" | "err", val }` too, as jco takes it and does not document, unless that can be the
 * value itself.
 */
function embeddedValue(value: unknown, type: ValueType | undefined): unknown {
  if (type?.kind !== "result") {
    if (value instanceof ThrownErr) throw value.thrown; // there is no error that it could be
    return value;
  }
  if (typeof value !== "object" || value === null || value instanceof Err) return value;
  const { tag, val } = value as { tag?: unknown; val?: unknown };
  if ((tag !== "ok" && tag !== "err") || hasTag(type.ok)) return value;
  return tag === "ok" ? val : new Err(val);
}

/** Whether values of a type are objects with a tag. */
function hasTag(type: ValueType | undefined): boolean {
  switch (type?.kind) {
    case "result":
    case "variant":
      return true;
    case "option":
      return hasTag(type.type);
    case "record":
      return type.fields.some(({ name }) => name === "tag");
    default:
      return false;
  }
}

/** The result of a function of the host's: the value itself, or an Err. */
function storeResult(codec: ResultCodec, value: unknown, pointer: number): void {
  if (value instanceof Err) return codec.storeCase(1, value.val, pointer);
  try {
    codec.storeCase(0, value, pointer);
  } catch (error) {
    if (!(error instanceof Err)) throw error;
    codec.storeCase(1, error.val, pointer); // what was to be read could not be
  }
}

/** A function that was made by hand, after what every call begins with. */
function guarded(
  { store, enter }: Pick<Called, "store" | "enter">,
  call: ImportedFunction,
): ImportedFunction {
  return (a, b, c, d, e) => {
    try {
      enter();
      return call(a, b, c, d, e);
    } catch (error) {
      return store.fail(error);
    }
  };
}

interface Called {
  readonly target: ComponentFunction;
  readonly store: Store;
  enter(): void;
  settle(value: unknown, pointer: number): unknown;
}

/** The function itself: without arrays for what takes a few values that are flat. */
function byArity(
  { codecs }: Travel,
  tuple: { codec: Codec; memory: LinearMemory } | undefined,
  byPointer: boolean,
  lent: boolean,
  { target, store, enter, settle }: Called,
): ImportedFunction {
  const singles = codecs.map(single);
  const plain = !lent && tuple === undefined && singles.every((one) => one !== undefined);
  const [one, two, three] = singles as ((value: Flat) => unknown)[];
  if (plain && codecs.length === 0) {
    return (pointer) => {
      try {
        enter();
        return settle(target.call(), pointer);
      } catch (error) {
        return store.fail(error);
      }
    };
  }
  if (plain && codecs.length === 1) {
    return (a, pointer) => {
      try {
        enter();
        return settle(target.call(one!(a)), pointer);
      } catch (error) {
        return store.fail(error);
      }
    };
  }
  if (plain && codecs.length === 2) {
    return (a, b, pointer) => {
      try {
        enter();
        return settle(target.call(one!(a), two!(b)), pointer);
      } catch (error) {
        return store.fail(error);
      }
    };
  }
  if (plain && codecs.length === 3) {
    return (a, b, c, pointer) => {
      try {
        enter();
        return settle(target.call(one!(a), two!(b), three!(c)), pointer);
      } catch (error) {
        return store.fail(error);
      }
    };
  }
  return (...flat: Flat[]) => {
    const lendings: Handle[] = [];
    const { budget } = store;
    try {
      enter();
      const { left } = budget;
      calls.lent = lent ? lendings : undefined;
      const values = liftAll(codecs, tuple, flat);
      calls.lent = undefined;
      const taken = left - budget.left;
      const pointer = byPointer ? flat[flat.length - 1] as number : 0;
      const value = target.call(...values);
      if (value instanceof Promise) {
        const after = (): void => {
          giveBack(lendings);
          budget.left += taken;
        };
        return settle(value.finally(after), pointer);
      }
      if (lent) giveBack(lendings);
      budget.left += taken;
      return settle(value, pointer);
    } catch (error) {
      calls.lent = undefined;
      return store.fail(error);
    }
  };
}

function liftAll(
  codecs: readonly Codec[],
  tuple: { codec: Codec; memory: LinearMemory } | undefined,
  flat: readonly Flat[],
): unknown[] {
  if (tuple !== undefined) {
    const { codec, memory } = tuple;
    const pointer = (flat[0] as number) >>> 0;
    memory.check(pointer, codec.size, codec.align);
    take(codec.cost);
    return codec.load(pointer) as unknown[];
  }
  const values: unknown[] = [];
  let at = 0;
  for (let i = 0; i < codecs.length; i++) {
    const codec = codecs[i]!;
    values.push(codec.lift(flat, at));
    at += codec.flat.length;
  }
  return values;
}

function giveBack(lent: readonly { lends: number }[]): void {
  for (const handle of lent) handle.lends--;
}

/** How a component lifts a function. */
export interface Lifting extends Lowering {
  readonly core: ImportedFunction;
  readonly postReturn: ImportedFunction | undefined;
  /** Whether it may come to wait, because its component imports what may. */
  readonly waits: boolean;
}

/**
 * A core function as a function of its component. Its values are those of the context: where that
 * has a side for resources, JavaScript's.
 */
export function lift(lifting: Lifting, type: FunctionType): ComponentFunction {
  const { store, instance, cx, core, postReturn } = lifting;
  if (type.async) throw componentError("asynchronous functions belong to WASI 0.3");
  const parameters = travelOf(cx, type.parameters.map((one) => one.type));
  const spilled = parameters.flat.length > FLAT_MAX;
  const tuple = spilled ? tupleOf(cx, type) : undefined;
  const result = type.result === undefined ? undefined : codecOf(cx, type.result);
  const byPointer = result !== undefined && result.flat.length > 1;
  if ((spilled && cx.realloc === undefined) || (byPointer && cx.memory === undefined)) {
    throw componentError("a function is lifted without the memory or realloc that it needs");
  }
  const results: readonly FlatType[] = byPointer ? ["i"] : result?.flat ?? [];
  requireType(
    core,
    { parameters: spilled ? ["i"] : parameters.flat, results },
    "a lifted function",
  );
  if (postReturn !== undefined) {
    requireType(postReturn, { parameters: results, results: [] }, "post-return");
  }
  const waits = lifting.waits && store.suspends;
  const entry = waits ? store.promising(core) : core;

  const flatten = (values: unknown[]): Flat[] => {
    if (tuple !== undefined) {
      const pointer = cx.realloc!(0, 0, tuple.align, tuple.size) >>> 0;
      cx.memory!.check(pointer, tuple.size, tuple.align);
      tuple.store(values, pointer);
      return [pointer | 0];
    }
    const flat: Flat[] = [];
    parameters.codecs.forEach((codec, i) => codec.lower(values[i], flat));
    return flat;
  };
  const finish = (returned: unknown, scope: Scope): unknown => {
    let value: unknown;
    const { left } = calls.budget = store.budget;
    if (byPointer) {
      const pointer = (returned as number) >>> 0;
      cx.memory!.check(pointer, result.size, result.align);
      take(result.cost);
      value = result.load(pointer);
    } else if (result !== undefined) value = result.lift([returned as Flat], 0);
    store.budget.left = left; // it is on its way to who called
    if (scope.borrows > 0) throw new Trap("borrowed handles were not dropped");
    if (postReturn !== undefined) {
      instance.mayLeave = false;
      if (result === undefined) postReturn();
      else postReturn(returned);
      instance.mayLeave = true;
    }
    instance.entered = false;
    return value;
  };
  /** The parameters for the core function. What is no value of its type leaves all as it was. */
  const prepare = (values: unknown[], scope: Scope): Flat[] => {
    const outer = calls.scope;
    calls.scope = scope;
    instance.entered = true; // also for what getters of the values call
    try {
      return flatten(values);
    } catch (error) {
      if (error instanceof Trap) store.stop(error); // not who gave a wrong value is to blame
      instance.entered = false;
      throw error;
    } finally {
      calls.scope = outer;
    }
  };
  const call = (...values: unknown[]): unknown => {
    store.enter();
    if (instance.entered) throw new Trap("the instance is entered while one of its calls runs");
    const scope: Scope = { borrows: 0 };
    const flat = prepare(values, scope);
    try {
      const returned = entry(...flat);
      if (!waits) return finish(returned, scope);
      return (returned as Promise<unknown>).then((value) => {
        if (store.over) store.enter();
        return finish(value, scope);
      }).catch((error) => {
        // one that was stopped while it waited was unwound by a trap, which is not the cause
        const { ended } = store.system;
        if (ended === undefined && store.stopped !== undefined && !(error instanceof ProcExit)) {
          store.enter();
        }
        store.stop(error);
        throw ended === undefined ? error : ended.cause;
      });
    } catch (error) {
      store.stop(error); // nothing of it can be called again
      throw error;
    }
  };
  return {
    sort: "func",
    type,
    origin: "component",
    waits: lifting.waits,
    call,
    sided: (side) => lift({ ...lifting, cx: { ...cx, side } }, type),
  };
}
