/**
 * `wasi:io/poll`: what can be waited for.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/io/wit
 *
 * @module
 */
import { Trap } from "../component/trap.ts";
import type { File } from "../host.ts";
import { answerOf, type Awaited, awaitFirst, awaitTime, known } from "../system/polling.ts";
import { pollEntry, Wait } from "../system/waiting.ts";
import type { Interface } from "./interface.ts";
import type { OpenFile, World } from "./world.ts";

/** `pollable`: something that becomes ready. */
export class Pollable {
  readonly world: World;
  readonly #begin: () => Awaited;
  readonly #open: OpenFile | undefined;

  /**
   * @param begin what is waited for, from now on
   * @param open what has to stay open for it
   */
  constructor(world: World, begin: () => Awaited, open?: OpenFile) {
    this.world = world;
    this.#begin = begin;
    this.#open = open?.retain();
  }

  begin(): Awaited {
    return this.#begin();
  }

  ready(): boolean | Wait<boolean> {
    const { system } = this.world;
    const awaited = this.begin();
    if (awaited.entry !== undefined) system.poll([awaited.entry], 0);
    const isReady = (): boolean => answerOf(system, awaited, system.now()) !== undefined;
    if (isReady()) return true;
    // who only asks lets others through: they may be what is asked for
    return system.suspends ? new Wait([], 0, isReady) : false;
  }

  block(): undefined | Wait<undefined> {
    const { system } = this.world;
    const awaited = this.begin();
    const report = (): number => answerOf(system, awaited, system.now()) === undefined ? 0 : 1;
    return awaitFirst<undefined>(system, [awaited], system.now(), report, () => undefined);
  }

  [Symbol.dispose](): void {
    this.#open?.release();
  }
}

/** A time on the monotonic clock. */
export function timePollable(world: World, when: bigint, absolute: boolean): Pollable {
  const { system } = world;
  const awaited = awaitTime(system, 1, when, absolute, system.now());
  return new Pollable(world, () => ({ ...awaited }));
}

/** Waits for the first of several; gives the numbers of all that are ready. */
function poll(
  world: World,
  pollables: readonly Pollable[],
): Uint32Array | Wait<Uint32Array> {
  if (pollables.length === 0) throw new Trap("poll of an empty list");
  if (pollables.length > POLL_MAX) throw new Trap(`poll of more than ${POLL_MAX} pollables`);
  const { system } = world;
  const all = pollables.map((one) => one.begin());
  let ready: number[] = [];
  const report = (): number => {
    const now = system.now();
    ready = [];
    all.forEach((awaited, i) => {
      if (answerOf(system, awaited, now) !== undefined) ready.push(i);
    });
    return ready.length;
  };
  return awaitFirst(system, all, system.now(), report, () => Uint32Array.from(ready));
}

/** Most pollables that are waited for at once. */
const POLL_MAX = 1 << 16;

/** What a stream waits for: files have it always. */
export function whenReady(file: File, events: number): Awaited {
  if (file.seekable && file.ready === undefined) return known(0);
  return { deadline: NaN, until: undefined, entry: pollEntry(file, events), known: -1, nbytes: 0n };
}

export const pollInterface: Interface = {
  wit: `interface wasi:io/poll {
    resource pollable { ready: func() -> bool; block: func(); }
    poll: func(in: list<borrow<pollable>>) -> list<u32>;
  }`,
  classes: { pollable: Pollable },
  functions: (world) => ({ poll: (pollables) => poll(world, pollables as Pollable[]) }),
  waits: ["[method]pollable.ready", "[method]pollable.block", "poll"],
};
