/**
 * What is wrong with a component.
 *
 * @module
 */

/** An invalid component, or one that needs what is not there. */
export function componentError(reason: string): Error {
  const error = new WebAssembly.CompileError(`The component is not valid: ${reason}`);
  return Object.assign(error, { code: "ERR_WASI_COMPONENT" });
}

/** A component that cannot be linked. */
export function linkError(reason: string): Error {
  const error = new WebAssembly.LinkError(`The component cannot be linked: ${reason}`);
  return Object.assign(error, { code: "ERR_WASI_COMPONENT" });
}
