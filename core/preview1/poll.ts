/**
 * `poll_oneoff`.
 *
 * @module
 */
import {
  Clockid,
  Errno,
  Event,
  Eventrwflags,
  Eventtype,
  Filetype,
  Rights,
  Subclockflags,
  Subscription,
} from "./abi.ts";
import { type Descriptor, POSITION_OF_FILE } from "../system/descriptors.ts";
import { Poll, type PollEntry } from "../host.ts";
import type { Preview1System } from "./system.ts";
import { pollEntry, Wait } from "../system/waiting.ts";

/** More subscriptions than this in one call are INVAL: they cost the host memory. */
const SUBSCRIPTIONS_MAX = 65536;

/** Where the fields of a subscription are, in either snapshot. */
export type SubscriptionLayout = Readonly<
  Record<"size" | "userdata" | "tag" | "fd" | `clock_${"id" | "timeout" | "flags"}`, number>
>;

/** One subscription as it was when the call began. */
interface Subscribed {
  userdata: bigint;
  type: number;
  /** milliseconds of `Preview1System.now`; NaN for what is not a clock */
  deadline: number;
  /** the clock that has to say so as well, and when */
  until: { id: number; time: bigint } | undefined;
  /** what is asked of the host, unless the answer is known */
  entry: PollEntry | undefined;
  /** known from the start: an errno, or 0 for ready; -1 if not known */
  known: number;
  nbytes: bigint;
}

function clock(
  system: Preview1System,
  layout: SubscriptionLayout,
  at: number,
  now: number,
): Pick<Subscribed, "deadline" | "until" | "known"> {
  const { view } = system.memory;
  const id = view.getUint32(at + layout.clock_id, true);
  const flags = view.getUint16(at + layout.clock_flags, true);
  if (id > Clockid.THREAD_CPUTIME_ID || flags > Subclockflags.SUBSCRIPTION_CLOCK_ABSTIME) {
    return { deadline: NaN, until: undefined, known: Errno.INVAL };
  }
  const timeout = view.getBigUint64(at + layout.clock_timeout, true);
  if (flags === 0) return { deadline: now + Number(timeout) / 1e6, until: undefined, known: -1 };
  // An absolute time counts on its own clock: what is left of it is waited on the monotonic one.
  // Looked at before the other, so that what comes between makes it late, never early.
  const left = timeout - time(system, id);
  if (left <= 0n) return { deadline: now, until: undefined, known: -1 };
  const deadline = system.now() + Number(left) / 1e6;
  return { deadline, until: { id, time: timeout }, known: -1 };
}

/**
 * Whether an absolute time has not come yet on its own clock, which may go in steps: one more is
 * waited for then. Only one, for that clock may stand still.
 */
function isEarly(system: Preview1System, subscribed: Subscribed, now: number): boolean {
  const { until, deadline } = subscribed;
  if (until === undefined || deadline > now || time(system, until.id) >= until.time) return false;
  subscribed.until = undefined;
  subscribed.deadline = now + Number(system.host.clock.resolution(until.id)) / 1e6;
  return true;
}

const timeView: DataView = new DataView(new ArrayBuffer(8));

function time(system: Preview1System, id: number): bigint {
  system.host.clock.time(id, timeView, 0);
  return timeView.getBigUint64(0, true);
}

function descriptor(
  system: Preview1System,
  fd: number,
  type: number,
): Pick<Subscribed, "entry" | "known" | "nbytes"> {
  const found = system.table.get(fd);
  if (found === undefined) return { entry: undefined, known: Errno.BADF, nbytes: 0n };
  // who may not read must not ask either: some hosts have to read to know
  const rights = Rights.POLL_FD_READWRITE |
    (type === Eventtype.FD_READ ? Rights.FD_READ : Rights.FD_WRITE);
  if ((found.rightsBase & rights) !== rights) {
    return { entry: undefined, known: Errno.NOTCAPABLE, nbytes: 0n };
  }
  if (found.file === undefined) return { entry: undefined, known: Errno.BADF, nbytes: 0n };
  if (found.filetype === Filetype.REGULAR_FILE && found.file.ready === undefined) {
    const nbytes = type === Eventtype.FD_READ ? remaining(system, found) : 0n;
    return { entry: undefined, known: 0, nbytes };
  }
  const events = type === Eventtype.FD_READ ? Poll.READ : Poll.WRITE;
  return {
    entry: pollEntry(found.file, events),
    known: -1,
    nbytes: 0n,
  };
}

/** Bytes between a file's position and its end. */
function remaining(system: Preview1System, found: Descriptor): bigint {
  const file = found.file!;
  if (file.stat(system.stat) < 0) return 0n;
  const position = found.position >= 0
    ? found.position
    : found.position === POSITION_OF_FILE && file.seek !== undefined
    ? file.seek(0, 1)
    : file.tell?.() ?? 0;
  return BigInt(Math.max(0, system.stat.length - Math.max(0, position)));
}

function parse(
  system: Preview1System,
  layout: SubscriptionLayout,
  at: number,
  now: number,
): Subscribed | number {
  system.memory.check(at, layout.size); // an embedder's clock may have made the memory grow
  const { view } = system.memory;
  const userdata = view.getBigUint64(at + layout.userdata, true);
  const type = view.getUint8(at + layout.tag);
  const subscribed = {
    userdata,
    type,
    deadline: NaN,
    until: undefined,
    entry: undefined,
    known: -1,
    nbytes: 0n,
  };
  if (type === Eventtype.CLOCK) return { ...subscribed, ...clock(system, layout, at, now) };
  if (type > Eventtype.FD_WRITE) return Errno.INVAL;
  return { ...subscribed, ...descriptor(system, view.getUint32(at + layout.fd, true), type) };
}

/** What a subscription has to say at time `now`: an event's fields, or undefined. */
function answer(
  subscribed: Subscribed,
  now: number,
): { error: number; nbytes: bigint; flags: number } | undefined {
  const { entry, known, deadline, nbytes } = subscribed;
  if (known >= 0) return { error: known, nbytes, flags: 0 };
  if (entry === undefined) return deadline <= now ? { error: 0, nbytes, flags: 0 } : undefined;
  if (entry.error !== 0) return { error: entry.error, nbytes, flags: 0 };
  if (entry.found === 0) return undefined;
  const flags = (entry.found & Poll.HANGUP) === 0 ? 0 : Eventrwflags.FD_READWRITE_HANGUP;
  return { error: 0, nbytes: BigInt(entry.nbytes), flags };
}

/** Writes the events that are there and returns how many. */
function report(system: Preview1System, all: Subscribed[], out: number): number {
  const now = system.now();
  const { memory } = system;
  let count = 0;
  for (const subscribed of all) {
    if (isEarly(system, subscribed, now)) continue;
    const event = answer(subscribed, now);
    if (event === undefined) continue;
    const at = out + count++ * Event.size;
    memory.check(at, Event.size);
    memory.bytes.fill(0, at, at + Event.size);
    memory.view.setBigUint64(at + Event.userdata, subscribed.userdata, true);
    memory.view.setUint16(at + Event.error, event.error, true);
    memory.view.setUint8(at + Event.type, subscribed.type);
    memory.view.setBigUint64(at + Event.nbytes, event.nbytes, true);
    memory.view.setUint16(at + Event.flags, event.flags, true);
  }
  return count;
}

/** `poll_oneoff` of either snapshot. */
export function poll(
  system: Preview1System,
  layout: SubscriptionLayout,
  input: number,
  out: number,
  nsubscriptions: number,
  nevents: number,
): number | Wait {
  const { memory } = system;
  if (nsubscriptions === 0 || nsubscriptions > SUBSCRIPTIONS_MAX) return Errno.INVAL;
  memory.check(input, nsubscriptions * layout.size);
  memory.check(out, nsubscriptions * Event.size);
  memory.check(nevents, 4);
  const now = system.now();
  const all: Subscribed[] = [];
  for (let i = 0; i < nsubscriptions; i++) {
    const subscribed = parse(system, layout, input + i * layout.size, now);
    if (typeof subscribed === "number") return subscribed;
    all.push(subscribed);
  }
  const entries = all.flatMap(({ entry }) => entry === undefined ? [] : [entry]);
  // what is known already is not waited for
  const known = all.some(({ known }) => known >= 0);
  const deadline = (): number =>
    all.reduce(
      (first, { deadline }) => deadline < first ? deadline : first,
      known ? now : Infinity,
    );
  const resume = (): number | Wait => {
    const count = report(system, all, out);
    if (count === 0) return new Wait(entries, deadline(), resume);
    memory.setUint32(nevents, count);
    return 0;
  };
  if (entries.length > 0) system.poll(entries, 0);
  // even one that would not wait lets others through: they may be what it asks for
  if (system.suspends) return new Wait(entries, deadline(), resume);
  return resume();
}

/** Waits for the first of several events and reports all that are there then. */
export function poll_oneoff(
  system: Preview1System,
  input: number,
  out: number,
  nsubscriptions: number,
  nevents: number,
): number | Wait {
  return poll(system, Subscription, input, out, nsubscriptions, nevents);
}
