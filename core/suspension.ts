/**
 * JSPI: what suspends a guest while it waits.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any
type ImportedFunction = (...parameters: any[]) => any;

/** What JSPI adds to WebAssembly, where it is available. */
interface Suspension {
  Suspending?: new (call: unknown) => ImportedFunction;
  promising?: (call: unknown) => (...parameters: unknown[]) => Promise<unknown>;
}

/** The types of WebAssembly do not know it everywhere. */
export const suspension: Suspension = WebAssembly as unknown as Suspension;

/** Whether this runtime can suspend guests: Node from 24.20 on, Deno, Bun and Chromium can. */
export function canSuspend(): boolean {
  return suspension.Suspending !== undefined && suspension.promising !== undefined;
}
