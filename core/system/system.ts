/**
 * What the system calls of one guest share, and how they wait.
 *
 * @module
 */
import { Thrown } from "../exit.ts";
import { FileStat } from "../filestat.ts";
import { Clockid, type Host, type PollEntry } from "../host.ts";
import type { DescriptorTable } from "./descriptors.ts";
import { Wait } from "./waiting.ts";

/** Pauses, in milliseconds, between looks at files that cannot wake anyone. */
const PAUSE_MIN = 0.25;
const PAUSE_MAX = 8;

const scratchTime: DataView = new DataView(new ArrayBuffer(8));

/** One guest's world, whatever interface it calls through. */
export class System {
  readonly host: Host;
  readonly table: DescriptorTable;
  /**
   * Whether the guest is suspended while it waits: then no call may hold the thread, and streams
   * are asked before they are used.
   */
  suspends: boolean = false;
  /** Why the guest was stopped from outside, if it was. */
  ended: Thrown | undefined = undefined;
  /** How many calls a component has made. */
  calls: number = 0;
  #stat: FileStat | undefined = undefined;

  constructor(host: Host, table: DescriptorTable) {
    this.host = host;
    this.table = table;
  }

  /** For one call at a time, never kept. */
  get stat(): FileStat {
    return this.#stat ??= new FileStat();
  }

  /** A clock's time in milliseconds, by default the monotonic one's. */
  now(id: number = Clockid.MONOTONIC): number {
    this.host.clock.time(id, scratchTime, 0);
    return (scratchTime.getUint32(4, true) * 0x100000000 + scratchTime.getUint32(0, true)) / 1e6;
  }

  /**
   * Finds out which entries are ready, waiting up to `timeout` milliseconds for the first. Files
   * that know it themselves are asked, the host is asked about the others; where both are there,
   * or only the first kind, by turns and with pauses.
   */
  poll(entries: PollEntry[], timeout: number): void {
    const asked = entries.filter(({ file }) => file.ready !== undefined);
    if (asked.length === 0) return this.host.poll(entries, timeout);
    const others = entries.filter(({ file }) => file.ready === undefined);
    const end = this.now() + timeout;
    for (let pause = PAUSE_MIN;; pause = Math.min(pause * 2, PAUSE_MAX)) {
      for (const entry of asked) entry.file.ready!(entry);
      const left = asked.some(({ found }) => found !== 0) ? 0 : Math.max(0, end - this.now());
      if (left > 0 || others.length > 0) this.host.poll(others, Math.min(pause, left));
      if (left === 0 || others.some(({ found }) => found !== 0)) return;
    }
  }

  /** Ends the guest at its next system call, whatever it is. */
  end(cause: unknown): void {
    this.ended = new Thrown(cause);
  }

  /**
   * Goes through with a call that waits, holding the thread until it is done; or, for a guest that
   * is suspended, whatever has been put in its place (see async.ts).
   */
  settle: (wait: Wait) => number = (wait) => this.hold(wait) | 0;

  /**
   * Goes through with a wait, holding the thread.
   *
   * @param limit throws if the guest's time is over; gives the milliseconds that are left
   */
  hold<T>(wait: Wait<T>, limit?: { look(): number }): T {
    let result: T | Wait<T> = wait;
    while (result instanceof Wait) {
      const time = Math.max(0, result.deadline - this.now());
      const left = limit?.look() ?? Infinity;
      // virtual time passes at once, however long it is
      const virtual = this.host.virtual === true && time !== Infinity;
      this.poll(result.entries, virtual ? time : Math.min(time, left));
      limit?.look();
      result = result.resume();
    }
    return result;
  }
}
