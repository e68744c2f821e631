/**
 * What the system calls of one guest share, and how they wait.
 *
 * @module
 */
import { Clockid } from "../preview1/abi.ts";
import type { DescriptorTable } from "./descriptors.ts";
import { Thrown } from "../exit.ts";
import { FileStat } from "../filestat.ts";
import type { File, Host, PollEntry } from "../host.ts";
import { GuestMemory } from "../preview1/memory.ts";

const SCRATCH = 65536;
/** Pauses, in milliseconds, between looks at files that cannot wake anyone. */
const PAUSE_MIN = 0.25;
const PAUSE_MAX = 8;

/** Arguments or environment: NUL-terminated strings, one after another. */
export class StringList {
  readonly bytes: Uint8Array;
  /** Where each string begins in `bytes`. */
  readonly offsets: readonly number[];

  constructor(strings: readonly string[]) {
    // A NUL would end the string for the guest, as it does for every program in C.
    const text = strings.map((string) => string.split("\0", 1)[0] + "\0");
    const encoder = new TextEncoder();
    const parts = text.map((string) => encoder.encode(string));
    this.bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    const offsets: number[] = [];
    let at = 0;
    for (const part of parts) {
      offsets.push(at);
      this.bytes.set(part, at);
      at += part.length;
    }
    this.offsets = offsets;
  }
}

/** An entry of a wait. `events` are `Poll`'s. */
export function pollEntry(file: File, events: number): PollEntry {
  while (file.inner !== undefined) file = file.inner;
  return { file, events, found: 0, nbytes: 0, error: 0 };
}

/** A system call that cannot go on yet: what it waits for, and how it goes on then. */
export class Wait {
  readonly entries: PollEntry[];
  /** In milliseconds of {@linkcode System.now}; Infinity for none. */
  readonly deadline: number;
  /** Tries again; gives an errno, or the next wait. */
  readonly resume: () => number | Wait;

  constructor(entries: PollEntry[], deadline: number, resume: () => number | Wait) {
    this.entries = entries;
    this.deadline = deadline;
    this.resume = resume;
  }
}

/** One guest's world. */
export class System {
  readonly host: Host;
  readonly table: DescriptorTable;
  readonly args: StringList;
  readonly env: StringList;
  readonly memory: GuestMemory = new GuestMemory();
  /**
   * Whether the guest is suspended while it waits: then no call may hold the thread, and streams
   * are asked before they are used.
   */
  suspends: boolean = false;
  /** Why the guest was ended from outside, if it was. */
  ended: Thrown | undefined = undefined;
  /** For one call at a time, never kept. */
  readonly stat: FileStat = new FileStat();
  #scratch: Uint8Array | undefined = undefined;
  readonly #time: DataView = new DataView(new ArrayBuffer(8));

  constructor(host: Host, table: DescriptorTable, args: StringList, env: StringList) {
    this.host = host;
    this.table = table;
    this.args = args;
    this.env = env;
  }

  /** 64 KiB to gather or scatter in; give it back with {@linkcode System.giveBack}. */
  take(): Uint8Array {
    const scratch = this.#scratch ?? new Uint8Array(SCRATCH);
    this.#scratch = undefined; // a stream's callback may call the guest, and the guest us
    return scratch;
  }

  giveBack(scratch: Uint8Array): void {
    this.#scratch = scratch;
  }

  /** A clock's time in milliseconds, by default the monotonic one's. */
  now(id: number = Clockid.MONOTONIC): number {
    this.host.clock.time(id, this.#time, 0);
    return (this.#time.getUint32(4, true) * 0x100000000 + this.#time.getUint32(0, true)) / 1e6;
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
    this.memory.unbind();
  }

  /**
   * Goes through with a call that waits, holding the thread until it is done; or, for a guest that
   * is suspended, whatever has been put in its place (see async.ts).
   */
  settle: (wait: Wait) => number = (wait) => {
    let result: number | Wait = wait;
    while (typeof result !== "number") {
      this.poll(result.entries, Math.max(0, result.deadline - this.now()));
      result = result.resume();
    }
    return result | 0;
  };
}
