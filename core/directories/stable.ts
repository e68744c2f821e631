/**
 * Directories that show the same in every run: what a host decides (the order of a list, numbers
 * of devices and inodes, times) is replaced by what follows from the guest's own doing.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import { FileStat } from "../filestat.ts";
import {
  type Clock,
  Clockid,
  type Directory,
  type DirentSink,
  type File,
  Filetype,
  Fstflags,
  Open,
} from "../host.ts";
import { decode } from "../text.ts";
import { WrappedDirectory, WrappedFile } from "./wrapped.ts";

/** What a guest has been told of a file. */
interface Told {
  readonly key: string;
  readonly ino: bigint;
  /** undefined where the directory has the guest's clock itself */
  readonly times: { atim: bigint; mtim: bigint; ctim: bigint } | undefined;
  /** how many the guest has open */
  opened: number;
  /** whether its last name is gone */
  gone: boolean;
}

/** What one guest has been told, by the host's device and inode. */
export class StableNumbers {
  readonly #clock: Clock;
  readonly #began: bigint;
  readonly #devices: Map<bigint, bigint> = new Map();
  readonly #files: Map<string, Told> = new Map();
  readonly #view: DataView = new DataView(new ArrayBuffer(8));
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = this.now();
  }

  now(): bigint {
    this.#clock.time(Clockid.REALTIME, this.#view, 0);
    return this.#view.getBigUint64(0, true);
  }

  #device(dev: bigint): bigint {
    let told = this.#devices.get(dev);
    if (told === undefined) this.#devices.set(dev, told = BigInt(this.#devices.size + 1));
    return told;
  }

  told(dev: bigint, ino: bigint, ownTimes: boolean): Told {
    return this.#files.get(`${dev}:${ino}`) ?? this.#tell(dev, ino, ownTimes, this.#began);
  }

  #tell(dev: bigint, ino: bigint, ownTimes: boolean, time: bigint): Told {
    const key = `${dev}:${ino}`;
    const times = ownTimes ? undefined : { atim: time, mtim: time, ctim: time };
    const told = { key, ino: ++this.#last, times, opened: 0, gone: false };
    this.#files.set(key, told);
    return told;
  }

  /** Notes that the guest has made a file: it is another one, even if a disk's number is reused. */
  made({ dev, ino }: FileStat, ownTimes: boolean): void {
    this.#tell(dev, ino, ownTimes, ownTimes ? this.#began : this.now());
  }

  /** Puts what the guest is told in the place of what the host says. */
  tell(stat: FileStat, ownTimes: boolean): Told {
    const told = this.told(stat.dev, stat.ino, ownTimes);
    stat.dev = this.#device(stat.dev);
    stat.ino = told.ino;
    if (told.times !== undefined) {
      [stat.atim, stat.mtim, stat.ctim] = [told.times.atim, told.times.mtim, told.times.ctim];
    }
    if (stat.filetype === Filetype.DIRECTORY) {
      // both are the host's own affair
      stat.size = 4096n;
      stat.nlink = 1n;
    }
    return told;
  }

  /** Notes that the guest has set times. */
  set({ times }: Told, atim: bigint, mtim: bigint, flags: number): void {
    if (times === undefined) return;
    const now = this.now();
    if ((flags & Fstflags.ATIM) !== 0) times.atim = atim;
    if ((flags & Fstflags.ATIM_NOW) !== 0) times.atim = now;
    if ((flags & Fstflags.MTIM) !== 0) times.mtim = mtim;
    if ((flags & Fstflags.MTIM_NOW) !== 0) times.mtim = now;
    times.ctim = now;
  }

  /** Notes that the guest has changed what is in a file or a directory. */
  changed({ times }: Told): void {
    if (times !== undefined) times.mtim = times.ctim = this.now();
  }

  /** Notes that the guest has changed a file's names. */
  renamed({ times }: Told): void {
    if (times !== undefined) times.ctim = this.now();
  }

  /**
   * Notes that a name is gone. With its last name a file is forgotten, as soon as the guest has it
   * open no more.
   */
  dropped(stat: FileStat, ownTimes: boolean): void {
    const told = this.told(stat.dev, stat.ino, ownTimes);
    if (stat.filetype !== Filetype.DIRECTORY && stat.nlink > 1n) return this.renamed(told);
    told.gone = true;
    this.#forget(told);
  }

  closed(told: Told): void {
    told.opened--;
    this.#forget(told);
  }

  #forget(told: Told): void {
    const isLast = told.gone && told.opened === 0;
    if (isLast && this.#files.get(told.key) === told) this.#files.delete(told.key);
  }
}

/** The directory that holds a path's last name. */
function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || ".";
}

/** Whether a directory, behind all that stands before it, takes its times from a guest's clock. */
function hasOwnTimes(directory: Directory): boolean {
  while (directory instanceof WrappedDirectory) directory = directory.inner;
  return directory.useClock !== undefined;
}

/** An entry of a list, kept to be sorted; its number is the guest's, once it is. */
interface Listed {
  name: string;
  ino: bigint;
  filetype: number;
}

class Listing implements DirentSink {
  readonly entries: Listed[] = [];

  add(_next: bigint, ino: bigint, filetype: number, name: string): boolean {
    this.entries.push({ name, ino, filetype });
    return true;
  }

  addBytes(
    bytes: Uint8Array,
    view: DataView,
    _next: number,
    ino: number,
    filetype: number,
    start: number,
    end: number,
  ): boolean {
    return this.add(0n, view.getBigUint64(ino, true), filetype, decode(bytes, start, end));
  }
}

/** A directory for a run that can be repeated. */
export class StableDirectory extends WrappedDirectory {
  readonly #numbers: StableNumbers;
  /** Whether its times come from the guest's clock already. */
  readonly #ownTimes: boolean;
  readonly #stat: FileStat = new FileStat();
  /** What the guest is told of it, if the guest has opened it. */
  readonly #told: Told | undefined;
  #listed: Listed[] | undefined = undefined;

  constructor(
    inner: Directory,
    numbers: StableNumbers,
    ownTimes: boolean = hasOwnTimes(inner),
    told?: Told,
  ) {
    super(inner);
    this.#numbers = numbers;
    this.#ownTimes = ownTimes;
    this.#told = told;
    if (told !== undefined) told.opened++;
  }

  override close(): void {
    this.inner.close();
    if (this.#told !== undefined) this.#numbers.closed(this.#told);
  }

  override stat(into: FileStat): number {
    const error = this.inner.stat(into);
    if (error === 0) this.#numbers.tell(into, this.#ownTimes);
    return error;
  }

  override setTimes(atim: bigint, mtim: bigint, flags: number): number {
    const error = this.inner.setTimes(atim, mtim, flags);
    if (error === 0 && this.inner.stat(this.#stat) === 0) this.#set(atim, mtim, flags);
    return error;
  }

  #set(atim: bigint, mtim: bigint, flags: number): void {
    const told = this.#numbers.tell(this.#stat, this.#ownTimes);
    this.#numbers.set(told, atim, mtim, flags);
  }

  override statAt(path: string, follow: boolean, into: FileStat): number {
    const error = this.inner.statAt(path, follow, into);
    if (error === 0) this.#numbers.tell(into, this.#ownTimes);
    return error;
  }

  override setTimesAt(
    path: string,
    follow: boolean,
    atim: bigint,
    mtim: bigint,
    flags: number,
  ): number {
    const error = this.inner.setTimesAt(path, follow, atim, mtim, flags);
    if (error === 0 && this.inner.statAt(path, follow, this.#stat) === 0) {
      this.#set(atim, mtim, flags);
    }
    return error;
  }

  override open(path: string, flags: number, fdflags: number): File | Directory | number {
    const numbers = this.#numbers;
    const stat = this.#stat;
    const isNew = (flags & Open.CREAT) !== 0 &&
      this.inner.statAt(path, (flags & Open.FOLLOW) !== 0, stat) === -Errno.NOENT;
    const opened = this.inner.open(path, flags, fdflags);
    if (typeof opened === "number") return opened;
    const known = opened.stat(stat) === 0;
    if (known && isNew) numbers.made(stat, this.#ownTimes);
    const told = known ? numbers.tell(stat, this.#ownTimes) : undefined;
    if (isNew) this.#changedAround(path);
    else if (told !== undefined && (flags & Open.TRUNC) !== 0) numbers.changed(told);
    return opened.filetype === Filetype.DIRECTORY
      ? new StableDirectory(opened as Directory, numbers, this.#ownTimes, told)
      : new StableFile(opened as File, numbers, this.#ownTimes, told);
  }

  /** Notes that the names in the directory of a path have changed. */
  #changedAround(path: string): void {
    if (this.#ownTimes || this.inner.statAt(parentOf(path), true, this.#stat) < 0) return;
    this.#numbers.changed(this.#numbers.tell(this.#stat, false));
  }

  /** Notes what was made at a path. */
  #made(path: string, error: number): number {
    if (error < 0) return error;
    if (this.inner.statAt(path, false, this.#stat) === 0) {
      this.#numbers.made(this.#stat, this.#ownTimes);
    }
    this.#changedAround(path);
    return error;
  }

  override mkdir(path: string): number {
    return this.#made(path, super.mkdir(path));
  }

  override symlink(target: string, path: string): number {
    return this.#made(path, super.symlink(target, path));
  }

  /** Removes, and notes what the name stood for. */
  #drop(path: string, remove: () => number): number {
    const known = this.inner.statAt(path, false, this.#stat) === 0;
    const error = remove();
    if (error < 0) return error;
    if (known) this.#numbers.dropped(this.#stat, this.#ownTimes);
    this.#changedAround(path);
    return error;
  }

  override rmdir(path: string): number {
    return this.#drop(path, () => super.rmdir(path));
  }

  override unlink(path: string): number {
    return this.#drop(path, () => super.unlink(path));
  }

  override link(path: string, to: Directory, toPath: string): number {
    const error = super.link(path, to, toPath);
    if (error === 0) this.#named(to, toPath);
    return error;
  }

  override rename(path: string, to: Directory, toPath: string): number {
    const numbers = this.#numbers;
    const target = to instanceof StableDirectory ? to : undefined;
    const stat = this.#stat;
    const known = this.inner.statAt(path, false, stat) === 0;
    const [dev, ino] = [stat.dev, stat.ino];
    const replaced = known && target?.inner.statAt(toPath, false, stat) === 0;
    const isSame = replaced && stat.dev === dev && stat.ino === ino;
    const error = super.rename(path, to, toPath);
    if (error < 0 || isSame) return error;
    if (replaced) numbers.dropped(stat, target!.#ownTimes);
    this.#named(to, toPath);
    this.#changedAround(path);
    return error;
  }

  /** Notes that something has got a name. */
  #named(to: Directory, path: string): void {
    if (this.#ownTimes || !(to instanceof StableDirectory)) return;
    if (to.inner.statAt(path, false, this.#stat) === 0) {
      this.#numbers.renamed(this.#numbers.tell(this.#stat, false));
    }
    to.#changedAround(path);
  }

  /** By name; cookies count the entries of the list as it was when it began. */
  override list(cookie: bigint, sink: DirentSink): number {
    if (cookie === 0n || this.#listed === undefined) {
      const listing = new Listing();
      const error = this.inner.list(0n, listing);
      if (error < 0) return error;
      // by code units: the same on every machine, whatever its language
      this.#listed = listing.entries.sort((one, other) => one.name < other.name ? -1 : 1);
      const dev = this.inner.stat(this.#stat) < 0 ? 0n : this.#stat.dev;
      // now: what is gone when its turn comes has no number any more, and must not get another
      for (const entry of this.#listed) {
        entry.ino = this.#numbers.told(dev, entry.ino, this.#ownTimes).ino;
      }
    }
    for (let i = Number(cookie); i < this.#listed.length; i++) {
      const { name, ino, filetype } = this.#listed[i]!;
      if (!sink.add(BigInt(i + 1), ino, filetype, name)) break;
    }
    return 0;
  }
}

/** A file for a run that can be repeated. */
class StableFile extends WrappedFile {
  readonly #numbers: StableNumbers;
  readonly #ownTimes: boolean;
  /** What the guest is told of it; undefined for what has no inode number. */
  readonly #told: Told | undefined;

  constructor(inner: File, numbers: StableNumbers, ownTimes: boolean, told: Told | undefined) {
    super(inner);
    this.#numbers = numbers;
    this.#ownTimes = ownTimes;
    this.#told = told;
    if (told !== undefined) told.opened++;
  }

  override close(): void {
    this.inner.close();
    if (this.#told !== undefined) this.#numbers.closed(this.#told);
  }

  override stat(into: FileStat): number {
    const error = this.inner.stat(into);
    if (error === 0) this.#numbers.tell(into, this.#ownTimes);
    return error;
  }

  #changed(result: number): number {
    if (result >= 0 && this.#told !== undefined) this.#numbers.changed(this.#told);
    return result;
  }

  override write(from: Uint8Array, offset: number, length: number, position: number): number {
    const count = this.inner.write(from, offset, length, position);
    return count > 0 ? this.#changed(count) : count;
  }

  override setSize(size: number): number {
    return this.#changed(this.inner.setSize(size));
  }

  override allocate(offset: number, length: number): number {
    return this.#changed(this.inner.allocate(offset, length));
  }

  override setTimes(atim: bigint, mtim: bigint, flags: number): number {
    const error = this.inner.setTimes(atim, mtim, flags);
    if (error === 0 && this.#told !== undefined) {
      this.#numbers.set(this.#told, atim, mtim, flags);
    }
    return error;
  }
}
