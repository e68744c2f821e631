/**
 * How a guest ends before its time: `proc_exit` unwinds it, and so does what the embedder throws.
 *
 * @module
 */

/** (module (func (export "u") unreachable)) */
// deno-fmt-ignore
export const TRAP: Uint8Array<ArrayBuffer> = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 117, 0, 0, 10, 5, 1, 3,
  0, 0, 11,
]);

let trap: (() => void) | undefined;

/**
 * What unwinds a guest that called `proc_exit`. `start()` catches it and returns the code; whoever
 * calls an export of a reactor directly sees it.
 *
 * It is a trap of WebAssembly underneath: an exception of JavaScript could be caught by a guest's
 * own `catch (...)`, which would then live on after its exit.
 *
 * @example
 * ```ts ignore
 * try {
 *   instance.exports.work();
 * } catch (error) {
 *   if (error instanceof ProcExit) console.log("the guest ended with", error.code);
 * }
 * ```
 */
export class ProcExit extends Error {
  /** The code that the guest gave to `proc_exit`. */
  declare readonly code: number;
}
ProcExit.prototype.name = "ProcExit";

/**
 * What unwinds a guest because something that the embedder gave (a function as a standard stream,
 * a clock) has thrown: that is its `cause`. `start()` throws the cause itself; whoever calls an
 * export of a reactor directly sees this. A trap underneath, as {@linkcode ProcExit} is.
 *
 * @example
 * ```ts ignore
 * try {
 *   instance.exports.work();
 * } catch (error) {
 *   if (error instanceof GuestAborted) console.log("ended because of", error.cause);
 * }
 * ```
 */
export class GuestAborted extends Error {
  /** What was thrown. */
  declare readonly cause: unknown;
}
GuestAborted.prototype.name = "GuestAborted";

/** What a guest throws; Deno's types do not know it. */
const { Exception } = WebAssembly as unknown as { Exception?: new () => object };

/** Whether something is an exception of WebAssembly, which has no message of its own. */
export function isException(thrown: unknown): boolean {
  return Exception !== undefined && thrown instanceof Exception;
}

/** What is said of a guest's exception. */
export const UNCAUGHT = "uncaught exception in the program";

/**
 * The error for a guest's exception that nothing has caught.
 *
 * @param exception the exception, if it is of this thread: none can be posted to another
 */
export function uncaught(exception?: unknown): WebAssembly.RuntimeError {
  const error = new WebAssembly.RuntimeError(UNCAUGHT);
  if (exception !== undefined) {
    const value = exception;
    Object.defineProperty(error, "cause", { value, configurable: true, writable: true });
  }
  return error;
}

/** Carries what an embedder's function threw through a system call. */
export class Thrown {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** Raises a trap. */
export function trapNow(): never {
  trap ??= new WebAssembly.Instance(new WebAssembly.Module(TRAP)).exports.u as () => void;
  trap();
  throw new Error("unreachable");
}

/** Raises a trap with another class, message and properties. */
function unwind(prototype: Error, message: string, properties: object): never {
  try {
    trapNow();
  } catch (error) {
    // The error itself is what no guest can catch, so it is dressed, not replaced.
    Object.setPrototypeOf(error, prototype);
    (error as Error).message = message;
    throw Object.assign(error as Error, properties);
  }
}

/** Ends the guest that is running. Throws {@linkcode ProcExit}. */
export function throwExit(code: number): never {
  unwind(ProcExit.prototype, `the guest called proc_exit(${code})`, { code });
}

/** Ends the guest that is running. Throws {@linkcode GuestAborted}. */
export function throwAborted(cause: unknown): never {
  unwind(GuestAborted.prototype, "the guest was stopped by its host", { cause });
}
