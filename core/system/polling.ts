/**
 * Waiting for the first of several events: times on a clock, and files that become ready.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import { Clockid, Filetype, Poll, type PollEntry } from "../host.ts";
import { type Descriptor, POSITION_OF_FILE } from "./descriptors.ts";
import { Rights } from "./rights.ts";
import type { System } from "./system.ts";
import { pollEntry, Wait } from "./waiting.ts";

/** What is waited for, as it was when the wait began. */
export interface Awaited {
  /** milliseconds of `System.now`; NaN for what is not a clock */
  deadline: number;
  /** the clock that has to say so as well, and when */
  until: { id: number; time: bigint } | undefined;
  /** what is asked of the host, unless the answer is known */
  entry: PollEntry | undefined;
  /** known from the start: an errno, or 0 for ready; -1 if not known */
  known: number;
  /** bytes that can be read, if they are known from the start */
  nbytes: bigint;
}

/** What has come of it. */
export interface Answer {
  /** an errno, or 0 */
  error: number;
  /** bytes that can be read */
  nbytes: bigint;
  /** whether the other end is gone */
  hangup: boolean;
}

/** What is not waited for: 0 if it is there already, else an errno. */
export function known(errno: number, nbytes: bigint = 0n): Awaited {
  return { deadline: NaN, until: undefined, entry: undefined, known: errno, nbytes };
}

function at(deadline: number, until?: Awaited["until"]): Awaited {
  return { deadline, until, entry: undefined, known: -1, nbytes: 0n };
}

/** A time on a clock, in nanoseconds: from `now` on, or on the clock itself. */
export function awaitTime(
  system: System,
  id: number,
  timeout: bigint,
  absolute: boolean,
  now: number,
): Awaited {
  if (id > Clockid.THREAD_CPUTIME_ID) return known(Errno.INVAL);
  if (!absolute) return at(now + Number(timeout) / 1e6);
  // An absolute time counts on its own clock: what is left of it is waited on the monotonic one.
  // Looked at before the other, so that what comes between makes it late, never early.
  const left = timeout - time(system, id);
  if (left <= 0n) return at(now);
  return at(system.now() + Number(left) / 1e6, { id, time: timeout });
}

/** A descriptor that can be read or written; `events` is one of `Poll`'s. */
export function awaitReady(system: System, fd: number, events: number): Awaited {
  const found = system.table.get(fd);
  if (found === undefined) return known(Errno.BADF);
  const reads = events === Poll.READ;
  // who may not read must not ask either: some hosts have to read to know
  const rights = Rights.POLL_FD_READWRITE | (reads ? Rights.FD_READ : Rights.FD_WRITE);
  if ((found.rightsBase & rights) !== rights) return known(Errno.NOTCAPABLE);
  if (found.file === undefined) return known(Errno.BADF);
  if (found.filetype === Filetype.REGULAR_FILE && found.file.ready === undefined) {
    return known(0, reads ? remaining(system, found) : 0n);
  }
  return {
    deadline: NaN,
    until: undefined,
    entry: pollEntry(found.file, events),
    known: -1,
    nbytes: 0n,
  };
}

/** Bytes between a file's position and its end. */
function remaining(system: System, found: Descriptor): bigint {
  const file = found.file!;
  if (file.stat(system.stat) < 0) return 0n;
  const position = found.position >= 0
    ? found.position
    : found.position === POSITION_OF_FILE && file.seek !== undefined
    ? file.seek(0, 1)
    : file.tell?.() ?? 0;
  return BigInt(Math.max(0, system.stat.length - Math.max(0, position)));
}

const timeView: DataView = new DataView(new ArrayBuffer(8));

function time(system: System, id: number): bigint {
  system.host.clock.time(id, timeView, 0);
  return timeView.getBigUint64(0, true);
}

/**
 * Whether an absolute time has not come yet on its own clock, which may go in steps: one more is
 * waited for then. Only one, for that clock may stand still.
 */
function isEarly(system: System, awaited: Awaited, now: number): boolean {
  const { until, deadline } = awaited;
  if (until === undefined || deadline > now || time(system, until.id) >= until.time) return false;
  awaited.until = undefined;
  awaited.deadline = now + Number(system.host.clock.resolution(until.id)) / 1e6;
  return true;
}

/** What has come of a wait by the time `now`, or undefined if nothing has. */
export function answerOf(system: System, awaited: Awaited, now: number): Answer | undefined {
  if (isEarly(system, awaited, now)) return undefined;
  const { entry, known, deadline, nbytes } = awaited;
  if (known >= 0) return { error: known, nbytes, hangup: false };
  if (entry === undefined) {
    return deadline <= now ? { error: 0, nbytes, hangup: false } : undefined;
  }
  if (entry.error !== 0) return { error: entry.error, nbytes, hangup: false };
  if (entry.found === 0) return undefined;
  const hangup = (entry.found & Poll.HANGUP) !== 0;
  return { error: 0, nbytes: BigInt(entry.nbytes), hangup };
}

/**
 * Waits until `report` says how many answers there are, which is asked once at least; then calls
 * `done`, whose result is the call's.
 */
export function awaitFirst<T = number>(
  system: System,
  all: readonly Awaited[],
  now: number,
  report: () => number,
  done: (count: number) => T,
): T | Wait<T> {
  const entries = all.flatMap(({ entry }) => entry === undefined ? [] : [entry]);
  // what is known already is not waited for
  const isKnown = all.some(({ known }) => known >= 0);
  const deadline = (): number =>
    all.reduce(
      (first, { deadline }) => deadline < first ? deadline : first,
      isKnown ? now : Infinity,
    );
  const resume = (): T | Wait<T> => {
    const count = report();
    return count === 0 ? new Wait(entries, deadline(), resume) : done(count);
  };
  if (entries.length > 0) system.poll(entries, 0);
  // even one that would not wait lets others through: they may be what it asks for
  if (system.suspends) return new Wait(entries, deadline(), resume);
  return resume();
}
