/**
 * The resources that an instance of a component holds: numbers, and what they stand for.
 *
 * @module
 */
import { Trap } from "./trap.ts";
import type { ResourceType } from "./types.ts";

/** Most handles that all instances of one run can hold at once. */
const LIMIT = 1 << 18;

/** How many more handles the instances of one run can hold. */
export class HandleCount {
  left: number = LIMIT;
}

/** A call that resources were lent to, which have to be given back before it returns. */
export interface Scope {
  borrows: number;
}

/** A resource in the hands of an instance. */
export interface Handle {
  readonly type: ResourceType;
  /** What stands for the resource: a number of its owner's, or an object of the host's. */
  readonly representation: unknown;
  /** The call that it is lent to; undefined for one that is its own. */
  readonly scope: Scope | undefined;
  /** How many calls it is lent to at this moment. */
  lends: number;
}

/** Handles by number, from 1 on. */
export class HandleTable {
  readonly #slots: (Handle | undefined)[] = [undefined];
  readonly #free: number[] = [];
  readonly #count: HandleCount;

  constructor(count: HandleCount) {
    this.#count = count;
  }

  /** Takes a resource in; gives its number. */
  add(type: ResourceType, representation: unknown, scope: Scope | undefined): number {
    if (this.#count.left <= 0) throw new Trap(`more than ${LIMIT} handles`);
    const index = this.#free.pop() ?? this.#slots.length;
    this.#slots[index] = { type, representation, scope, lends: 0 };
    this.#count.left--;
    if (scope !== undefined) scope.borrows++;
    return index;
  }

  /** The handle of a number. */
  get(index: number, type: ResourceType): Handle {
    const handle = this.#slots[index];
    if (handle === undefined) throw new Trap(`handle ${index} is not there`);
    if (handle.type !== type) {
      throw new Trap(`handle ${index} is a ${handle.type.name}, not a ${type.name}`);
    }
    return handle;
  }

  /** Takes a handle out: given away, or dropped. */
  remove(index: number, type: ResourceType): Handle {
    const handle = this.get(index, type);
    if (handle.lends > 0) throw new Trap(`handle ${index} is lent and cannot be given away`);
    this.#slots[index] = undefined;
    this.#free.push(index);
    this.#count.left++;
    return handle;
  }
}
