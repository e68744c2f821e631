/**
 * What ends a component that breaks the rules of the canonical ABI.
 *
 * @module
 */

/** A broken rule: a bad pointer, a handle that is not there, text that is not Unicode. */
export class Trap extends WebAssembly.RuntimeError {}
Trap.prototype.name = "RuntimeError";
