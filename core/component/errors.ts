/**
 * What is wrong with a component.
 *
 * @module
 */

/** Longest reason that is told: names in it are the component's. */
const REASON_MAX = 500;

function told(reason: string): string {
  return reason.length > REASON_MAX ? `${reason.slice(0, REASON_MAX)}…` : reason;
}

/** An invalid component, or one that needs what is not there. */
export function componentError(reason: string): Error {
  const error = new WebAssembly.CompileError(`The component is not valid: ${told(reason)}`);
  return Object.assign(error, { code: "ERR_WASI_COMPONENT" });
}

/** A component that cannot be linked. */
export function linkError(reason: string): Error {
  const error = new WebAssembly.LinkError(`The component cannot be linked: ${told(reason)}`);
  return Object.assign(error, { code: "ERR_WASI_COMPONENT" });
}
