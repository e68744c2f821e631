/**
 * Directories that show the same in every run: what a host decides (the order of a list, numbers
 * of devices and inodes, times) is replaced by what follows from the guest's own doing.
 *
 * @module
 */
import { Clockid, Errno, Filetype, Fstflags } from "../abi.ts";
import { FileStat } from "../filestat.ts";
import { type Clock, type Directory, type DirentSink, type File, Open } from "../host.ts";
import { decode } from "../text.ts";
import { WrappedDirectory, WrappedFile } from "./wrapped.ts";

/** What a guest has been told of a file. */
interface Told {
  readonly ino: bigint;
  /** undefined where the directory has the guest's clock itself */
  times: { atim: bigint; mtim: bigint; ctim: bigint } | undefined;
}

/** What one guest has been told, by the host's device and inode. */
export class StableNumbers {
  readonly #clock: Clock;
  readonly #began: bigint;
  readonly #devices: Map<bigint, bigint> = new Map();
  readonly #files: Map<string, Told> = new Map();
  #last = 0n;
  readonly #view: DataView = new DataView(new ArrayBuffer(8));

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
    const times = ownTimes ? undefined : { atim: time, mtim: time, ctim: time };
    const told = { ino: ++this.#last, times };
    this.#files.set(`${dev}:${ino}`, told);
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
  set(told: Told, atim: bigint, mtim: bigint, flags: number): void {
    const { times } = told;
    if (times === undefined) return;
    const now = this.now();
    if ((flags & Fstflags.ATIM) !== 0) times.atim = atim;
    if ((flags & Fstflags.ATIM_NOW) !== 0) times.atim = now;
    if ((flags & Fstflags.MTIM) !== 0) times.mtim = mtim;
    if ((flags & Fstflags.MTIM_NOW) !== 0) times.mtim = now;
    times.ctim = now;
  }

  /** Notes that the guest has changed what is in a file. */
  changed({ times }: Told): void {
    if (times !== undefined) times.mtim = times.ctim = this.now();
  }
}

/** An entry of a list, kept to be sorted. */
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
  #listed: Listed[] | undefined = undefined;

  constructor(
    inner: Directory,
    numbers: StableNumbers,
    ownTimes: boolean = inner.useClock !== undefined,
  ) {
    super(inner);
    this.#numbers = numbers;
    this.#ownTimes = ownTimes;
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
    const isNew = (flags & Open.CREAT) !== 0 &&
      this.inner.statAt(path, (flags & Open.FOLLOW) !== 0, this.#stat) === -Errno.NOENT;
    const opened = this.inner.open(path, flags, fdflags);
    if (typeof opened === "number") return opened;
    if (isNew && opened.stat(this.#stat) === 0) this.#numbers.made(this.#stat, this.#ownTimes);
    if (opened.filetype === Filetype.DIRECTORY) {
      return new StableDirectory(opened as Directory, this.#numbers, this.#ownTimes);
    }
    return new StableFile(opened as File, this.#numbers, this.#ownTimes);
  }

  #made(error: number, path: string): number {
    if (error === 0 && this.inner.statAt(path, false, this.#stat) === 0) {
      this.#numbers.made(this.#stat, this.#ownTimes);
    }
    return error;
  }

  override mkdir(path: string): number {
    return this.#made(super.mkdir(path), path);
  }

  override symlink(target: string, path: string): number {
    return this.#made(super.symlink(target, path), path);
  }

  /** By name; cookies count the entries of the list as it was when it began. */
  override list(cookie: bigint, sink: DirentSink): number {
    if (cookie === 0n || this.#listed === undefined) {
      const listing = new Listing();
      const error = this.inner.list(0n, listing);
      if (error < 0) return error;
      // by code units: the same on every machine, whatever its language
      this.#listed = listing.entries.sort((one, other) => one.name < other.name ? -1 : 1);
      if (this.inner.stat(this.#stat) < 0) this.#stat.dev = 0n;
    }
    const { dev } = this.#stat;
    for (let i = Number(cookie); i < this.#listed.length; i++) {
      const { name, ino, filetype } = this.#listed[i]!;
      const told = this.#numbers.told(dev, ino, this.#ownTimes);
      if (!sink.add(BigInt(i + 1), told.ino, filetype, name)) break;
    }
    return 0;
  }
}

/** A file for a run that can be repeated. */
class StableFile extends WrappedFile {
  readonly #numbers: StableNumbers;
  readonly #ownTimes: boolean;
  readonly #stat: FileStat = new FileStat();
  #told: Told | undefined = undefined;

  constructor(inner: File, numbers: StableNumbers, ownTimes: boolean) {
    super(inner);
    this.#numbers = numbers;
    this.#ownTimes = ownTimes;
  }

  override stat(into: FileStat): number {
    const error = this.inner.stat(into);
    if (error === 0) this.#told = this.#numbers.tell(into, this.#ownTimes);
    return error;
  }

  #changed(result: number): number {
    if (
      result >= 0 && !this.#ownTimes && (this.#told !== undefined || this.stat(this.#stat) === 0)
    ) {
      this.#numbers.changed(this.#told!);
    }
    return result;
  }

  override write(from: Uint8Array, offset: number, length: number, position: number): number {
    return this.#changed(this.inner.write(from, offset, length, position));
  }

  override setSize(size: number): number {
    return this.#changed(this.inner.setSize(size));
  }

  override setTimes(atim: bigint, mtim: bigint, flags: number): number {
    const error = this.inner.setTimes(atim, mtim, flags);
    if (error === 0 && this.stat(this.#stat) === 0) {
      this.#numbers.set(this.#told!, atim, mtim, flags);
    }
    return error;
  }
}
