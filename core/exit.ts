/**
 * How a guest ends: `proc_exit` unwinds it.
 *
 * @module
 */

/** (module (func (export "u") unreachable)) */
// deno-fmt-ignore
const TRAP = new Uint8Array([
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

/** Ends the guest that is running. Throws {@linkcode ProcExit}. */
export function throwExit(code: number): never {
  trap ??= new WebAssembly.Instance(new WebAssembly.Module(TRAP)).exports.u as () => void;
  try {
    trap();
  } catch (error) {
    // The error itself is what no guest can catch, so it is dressed, not replaced.
    Object.setPrototypeOf(error, ProcExit.prototype);
    const value = error as { code: number; message: string };
    value.code = code;
    value.message = `the guest called proc_exit(${code})`;
    throw error;
  }
  throw new Error("unreachable");
}
