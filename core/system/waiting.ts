/**
 * Calls that cannot go on yet.
 *
 * @module
 */
import type { File, PollEntry } from "../host.ts";

/** An entry of a wait. `events` are `Poll`'s. */
export function pollEntry(file: File, events: number): PollEntry {
  while (file.inner !== undefined) file = file.inner;
  return { file, events, found: 0, nbytes: 0, error: 0 };
}

/** A system call that cannot continue yet: what it waits for, and how it continues. */
export class Wait<T = number> {
  readonly entries: PollEntry[];
  /** In milliseconds of `System.now`; Infinity for none. */
  readonly deadline: number;
  /** Tries again; gives the result, such as an errno, or the next wait. */
  readonly resume: () => T | Wait<T>;

  constructor(entries: PollEntry[], deadline: number, resume: () => T | Wait<T>) {
    this.entries = entries;
    this.deadline = deadline;
    this.resume = resume;
  }
}
