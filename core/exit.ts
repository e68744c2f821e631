/**
 * How a guest is stopped early: `proc_exit` unwinds it, and so do errors of the embedder's functions.
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
 * The error that unwinds a guest that called `proc_exit`. `start()` catches it and returns the code.
 * The caller of a reactor's export gets it.
 *
 * Internally it is a WebAssembly trap: a guest's own `catch (...)` could catch a JavaScript
 * exception, and the guest would continue after its exit.
 *
 * @example
 * ```ts ignore
 * try {
 *   instance.exports.work();
 * } catch (error) {
 *   if (error instanceof ProcExit) console.log("exit code", error.code);
 * }
 * ```
 */
export class ProcExit extends Error {
  /** The code that the guest gave to `proc_exit`. */
  declare readonly code: number;
}
ProcExit.prototype.name = "ProcExit";

/**
 * The error that unwinds a guest because something of the embedder's (a function as a standard
 * stream, a clock) threw; `cause` is what it threw. `start()` throws the cause itself. The caller of
 * a reactor's export gets this error. Internally it is a trap, like {@linkcode ProcExit}.
 *
 * @example
 * ```ts ignore
 * try {
 *   instance.exports.work();
 * } catch (error) {
 *   if (error instanceof GuestAborted) console.log("stopped by", error.cause);
 * }
 * ```
 */
export class GuestAborted extends Error {
  /** What was thrown. */
  declare readonly cause: unknown;
}
GuestAborted.prototype.name = "GuestAborted";

/** The class of a guest's exceptions; Deno's types lack it. */
const { Exception } = WebAssembly as unknown as { Exception?: new () => object };

/** Whether something is an exception of WebAssembly, which has no message of its own. */
export function isException(thrown: unknown): boolean {
  return Exception !== undefined && thrown instanceof Exception;
}

/** The message for a guest's exception. */
export const UNCAUGHT = "uncaught exception in the program";

/**
 * The error for an uncaught exception of the guest.
 *
 * @param exception the exception, if it is from this thread: it cannot be sent to another
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

/** Stops the running guest. Throws {@linkcode ProcExit}. */
export function throwExit(code: number): never {
  unwind(ProcExit.prototype, `the guest called proc_exit(${code})`, { code });
}

/** Stops the running guest. Throws {@linkcode GuestAborted}. */
export function throwAborted(cause: unknown): never {
  unwind(GuestAborted.prototype, "the guest was stopped by its host", { cause });
}
