/**
 * What is known of the call of the moment. Only one is prepared at a time: nothing waits in between.
 *
 * @module
 */
import type { Handle, Scope } from "./handles.ts";
import { Trap } from "./trap.ts";

/** Most bytes that the values of one call may take here: they may name the same memory many times. */
const CALL_MAX = 1 << 27;

/** What calls that are under way have lent. */
export interface Calls {
  /** of the caller: what it has lent to the call; undefined if nobody counts */
  lent: Handle[] | undefined;
  /** of the callee: what it has borrowed */
  scope: Scope | undefined;
  /** bytes that values may take yet */
  left: number;
}

/** The calls of the moment. Only one is prepared at a time: nothing waits in between. */
export const calls: Calls = { lent: undefined, scope: undefined, left: CALL_MAX };

/** A call begins. */
export function beginCall(): void {
  calls.left = CALL_MAX;
}

/** Counts what a value takes, beside what others of the call have. */
export function take(bytes: number): void {
  calls.left -= bytes;
  if (calls.left < 0) throw new Trap(`the values of one call take more than ${CALL_MAX} bytes`);
}
