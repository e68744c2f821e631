/**
 * `poll_oneoff`: subscriptions and events in guest memory. How it waits stands in
 * system/polling.ts.
 *
 * @module
 */
import { Poll } from "../host.ts";
import {
  answerOf,
  type Awaited,
  awaitFirst,
  awaitReady,
  awaitTime,
  known,
} from "../system/polling.ts";
import type { Wait } from "../system/waiting.ts";
import { Errno, Event, Eventrwflags, Eventtype, Subclockflags, Subscription } from "./abi.ts";
import type { Preview1System } from "./system.ts";

/** More subscriptions than this in one call are INVAL: they cost the host memory. */
const SUBSCRIPTIONS_MAX = 65536;

/** Where the fields of a subscription are, in either snapshot. */
export type SubscriptionLayout = Readonly<
  Record<"size" | "userdata" | "tag" | "fd" | `clock_${"id" | "timeout" | "flags"}`, number>
>;

/** One subscription as it was when the call began. */
interface Subscribed {
  readonly userdata: bigint;
  readonly type: number;
  readonly awaited: Awaited;
}

function clock(
  system: Preview1System,
  layout: SubscriptionLayout,
  at: number,
  now: number,
): Awaited {
  const { view } = system.memory;
  const id = view.getUint32(at + layout.clock_id, true);
  const flags = view.getUint16(at + layout.clock_flags, true);
  if (flags > Subclockflags.SUBSCRIPTION_CLOCK_ABSTIME) return known(Errno.INVAL);
  const timeout = view.getBigUint64(at + layout.clock_timeout, true);
  return awaitTime(system, id, timeout, flags !== 0, now);
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
  if (type === Eventtype.CLOCK) return { userdata, type, awaited: clock(system, layout, at, now) };
  if (type > Eventtype.FD_WRITE) return Errno.INVAL;
  const events = type === Eventtype.FD_READ ? Poll.READ : Poll.WRITE;
  const fd = view.getUint32(at + layout.fd, true);
  return { userdata, type, awaited: awaitReady(system, fd, events) };
}

/** Writes the events that are there and returns how many. */
function report(system: Preview1System, all: readonly Subscribed[], out: number): number {
  const now = system.now();
  const { memory } = system;
  let count = 0;
  for (const { userdata, type, awaited } of all) {
    const answer = answerOf(system, awaited, now);
    if (answer === undefined) continue;
    const at = out + count++ * Event.size;
    memory.check(at, Event.size);
    memory.bytes.fill(0, at, at + Event.size);
    memory.view.setBigUint64(at + Event.userdata, userdata, true);
    memory.view.setUint16(at + Event.error, answer.error, true);
    memory.view.setUint8(at + Event.type, type);
    memory.view.setBigUint64(at + Event.nbytes, answer.nbytes, true);
    const flags = answer.hangup ? Eventrwflags.FD_READWRITE_HANGUP : 0;
    memory.view.setUint16(at + Event.flags, flags, true);
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
  return awaitFirst(
    system,
    all.map(({ awaited }) => awaited),
    now,
    () => report(system, all, out),
    (count) => {
      memory.setUint32(nevents, count);
      return 0;
    },
  );
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
