/**
 * Attributes and times over `node:fs`.
 *
 * node:fs sets times through a number of seconds: on the disk they are exact to a microsecond on
 * Node and Bun, to a millisecond on Deno. The guest reads what it set all the same.
 *
 * @module
 */
import { Fstflags } from "../../host.ts";
import type { FileStat } from "../../filestat.ts";
import { type BigStats, done, filetypeOf, type NodeFs } from "./context.ts";

/** A time as it was asked for, and as the disk has it since. */
interface SetTime {
  asked: bigint;
  kept: bigint;
}

/** Whether the disk has what node:fs made of a time, not what its own range or steps made of it. */
function isRounded({ asked, kept }: SetTime): boolean {
  return asked - kept < 1000000n && kept - asked < 1000000n;
}

/**
 * Times that guests set more finely than node:fs can. As long as the disk has what came of it, a
 * guest reads what it asked for. The oldest are forgotten.
 */
class SetTimes {
  readonly #times: Map<string, { atim: SetTime; mtim: SetTime }> = new Map();

  /** Remembers what was asked for a file that is now as `stats` say. */
  remember(stats: BigStats, atim: bigint, mtim: bigint): void {
    const key = `${stats.dev}:${stats.ino}`;
    this.#times.delete(key);
    this.#times.set(key, {
      atim: { asked: atim, kept: stats.atimeNs },
      mtim: { asked: mtim, kept: stats.mtimeNs },
    });
    if (this.#times.size > 4096) this.#times.delete(this.#times.keys().next().value!);
  }

  /** What a guest is to read: [atim, mtim]. */
  read(stats: BigStats): [bigint, bigint] {
    const found = this.#times.size > 0 ? this.#times.get(`${stats.dev}:${stats.ino}`) : undefined;
    const pick = (time: SetTime | undefined, disk: bigint): bigint =>
      time?.kept === disk && isRounded(time) ? time.asked : disk;
    return [pick(found?.atim, stats.atimeNs), pick(found?.mtim, stats.mtimeNs)];
  }
}

const setTimesOf: SetTimes = new SetTimes();

/** Lays what node:fs says into the guest's layout. */
export function fill(into: FileStat, stats: BigStats): void {
  const [atim, mtim] = setTimesOf.read(stats);
  into.dev = stats.dev;
  into.ino = stats.ino;
  into.filetype = filetypeOf(stats);
  into.nlink = stats.nlink;
  into.size = stats.size;
  into.atim = atim;
  into.mtim = mtim;
  into.ctim = stats.ctimeNs;
}

/** A time for node:fs: a Date where a number would be taken for the present. */
function seconds(nanoseconds: bigint): number | Date {
  if (nanoseconds <= 0n) return new Date(0);
  const time = Number(nanoseconds / 1000000000n) + Number(nanoseconds % 1000000000n) / 1e9;
  const cut = Number(nanoseconds / 1000n % 1000000n) * 1000;
  // Node before 24 cuts to microseconds, Deno to milliseconds: a number just below would lose one
  return (time % 1) * 1e9 < cut ? time * (1 + Number.EPSILON) : time;
}

/**
 * Sets times of what `stat` and `set` are bound to. What is to stay is set to what it is: there is
 * no UTIME_OMIT.
 */
export function setTimes(
  stat: () => BigStats,
  set: (atim: number | Date, mtim: number | Date) => void,
  atim: bigint,
  mtim: bigint,
  flags: number,
): number {
  return done(() => {
    const now = BigInt(Date.now()) * 1000000n;
    const [oldAtim, oldMtim] = setTimesOf.read(stat());
    const choose = (explicit: number, present: number, value: bigint, old: bigint): bigint =>
      (flags & present) !== 0 ? now : (flags & explicit) !== 0 ? value : old;
    const newAtim = choose(Fstflags.ATIM, Fstflags.ATIM_NOW, atim, oldAtim);
    const newMtim = choose(Fstflags.MTIM, Fstflags.MTIM_NOW, mtim, oldMtim);
    set(seconds(newAtim), seconds(newMtim));
    setTimesOf.remember(stat(), newAtim, newMtim);
  });
}

/** Sets times of an open descriptor. */
export function setTimesOfDescriptor(
  fs: NodeFs,
  fd: number,
  atim: bigint,
  mtim: bigint,
  flags: number,
): number {
  return setTimes(
    () => fs.fstatSync(fd, { bigint: true }),
    (newAtim, newMtim) => fs.futimesSync(fd, newAtim, newMtim),
    atim,
    mtim,
    flags,
  );
}
