/**
 * What is known of the call of the moment. Only one is prepared at a time: nothing waits in between.
 *
 * @module
 */
import type { Handle, Scope } from "./handles.ts";
import { Trap } from "./trap.ts";

/**
 * Most bytes that the values of all calls under way may take here: they may name the same memory many
 * times, and components may call each other.
 */
const VALUES_MAX = 1 << 27;

/** What the values of all calls of one run may take yet. */
export class Budget {
  left: number = VALUES_MAX;
}

/** What calls that are under way have lent. */
export interface Calls {
  /** of the caller: what it has lent to the call; undefined if nobody counts */
  lent: Handle[] | undefined;
  /** of the callee: what it has borrowed */
  scope: Scope | undefined;
  /** what values may take */
  budget: Budget;
}

/** The calls of the moment. Only one is prepared at a time: nothing waits in between. */
export const calls: Calls = { lent: undefined, scope: undefined, budget: new Budget() };

/** Counts what a value takes, beside what others have. */
export function take(bytes: number): void {
  const { budget } = calls;
  budget.left -= bytes;
  if (budget.left < 0) throw new Trap(`the values of calls take more than ${VALUES_MAX} bytes`);
}
