/**
 * Limits on what a guest may add to its directories, whatever they are made of.
 *
 * Counted is what the guest itself adds: bytes by which files grow, holes included, and names.
 * What it takes away again it gets back, a removed file's bytes when nobody has it open any more.
 * A file that is there before may take memory without growing: an overlay copies the pages that are
 * written to, and so does a directory in memory of which there is a snapshot. They count as well.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import { FileStat } from "../filestat.ts";
import { type Directory, Fdflags, type File, Filetype, Open } from "../host.ts";
import { WrappedDirectory, WrappedFile } from "./wrapped.ts";

/** What is known of a file that the guest has made larger, or of a link that it has made. */
interface Charge {
  readonly key: string;
  size: number;
  /** bytes of it that the guest has added */
  charged: number;
  /** up to here it is as it was before the guest */
  before: number;
  /** bytes of that part that have come into memory */
  copied: number;
  opened: number;
  /** whether its last name is gone */
  gone: boolean;
  /** whether nothing is counted and nobody has it open: the next to ask begins anew */
  idle: boolean;
}

/** So many idle ones are kept at least. */
const IDLE_MAX = 1000;

/** What is left of a guest's limits, over all of its directories. */
export class Quota {
  #bytes: number;
  #names: number;
  /**
   * The idle are swept, not deleted one by one: engines keep a deleted key in the chain of its hash,
   * so that opening and closing a file again and again would take ever longer.
   */
  #charges: Map<string, Charge> = new Map();
  #idle = 0;

  constructor(bytes: number, names: number) {
    this.#bytes = bytes;
    this.#names = names;
  }

  get hasName(): boolean {
    return this.#names > 0;
  }

  /** Bytes that can still be added. */
  get room(): number {
    return this.#bytes;
  }

  addName(): void {
    this.#names--;
  }

  /** Gives a name back, with the bytes of what it stood for if that was its last. */
  dropName(stat: FileStat): void {
    this.#names++;
    if (stat.filetype === Filetype.DIRECTORY || stat.nlink > 1n) return;
    const charge = this.#charges.get(keyOf(stat));
    if (charge === undefined) return;
    charge.gone = true;
    this.#settle(charge);
  }

  /** Notes that a link was made; the caller has seen that there is room. */
  madeLink(stat: FileStat): void {
    const charge = this.#begin(keyOf(stat), 0);
    this.resized(charge, stat.length);
  }

  /** Notes that a file is open, for reading too: its bytes are not free before it is closed. */
  opened(stat: FileStat): Charge {
    const key = keyOf(stat);
    const known = this.#charges.get(key);
    const charge = known === undefined || known.idle ? this.#begin(key, stat.length) : known;
    charge.opened++;
    return charge;
  }

  #begin(key: string, size: number): Charge {
    if (this.#charges.get(key)?.idle) this.#idle--;
    const counts = { size, charged: 0, before: size, copied: 0, opened: 0 };
    const charge = { key, ...counts, gone: false, idle: false };
    this.#charges.set(key, charge);
    return charge;
  }

  closed(charge: Charge): void {
    charge.opened--;
    this.#settle(charge);
  }

  #settle(charge: Charge): void {
    const counted = charge.charged + charge.copied;
    if (charge.opened > 0 || (!charge.gone && counted > 0)) return;
    if (charge.idle) return;
    this.#bytes += counted;
    charge.charged = charge.copied = 0;
    charge.idle = true;
    // another one may have its number by now
    if (this.#charges.get(charge.key) !== charge) return;
    if (++this.#idle <= Math.max(IDLE_MAX, this.#charges.size / 2)) return;
    this.#charges = new Map([...this.#charges].filter(([, { idle }]) => !idle));
    this.#idle = 0;
  }

  /** Notes a new size; the caller has seen that there is room. */
  resized(charge: Charge, size: number): void {
    const growth = size - charge.size;
    const counted = growth > 0 ? growth : -Math.min(charge.charged, -growth);
    this.#bytes -= counted;
    charge.charged += counted;
    charge.size = size;
  }

  /** Notes that bytes of what was there before have come into memory. */
  copied(charge: Charge, bytes: number): void {
    this.#bytes -= bytes;
    charge.copied += bytes;
  }

  /** Notes that a file was cut to its present size: what is gone of what was copied is free. */
  cut(charge: Charge, file: File): void {
    if (charge.size >= charge.before) return;
    charge.before = charge.size;
    if (charge.copied === 0) return;
    const held = file.holds?.(charge.before) ?? 0;
    if (held < charge.copied) this.copied(charge, held - charge.copied);
  }
}

function keyOf(stat: FileStat): string {
  return `${stat.dev}:${stat.ino}`;
}

/** A directory in which a guest's limits hold: DQUOT when they are reached. */
export class QuotaDirectory extends WrappedDirectory {
  readonly #quota: Quota;
  readonly #stat: FileStat = new FileStat();

  constructor(inner: Directory, quota: Quota) {
    super(inner);
    this.#quota = quota;
  }

  override open(path: string, flags: number, fdflags: number): File | Directory | number {
    const quota = this.#quota;
    const stat = this.#stat;
    let isNew = false;
    let cut = 0;
    if ((flags & (Open.CREAT | Open.TRUNC)) !== 0) {
      const error = this.inner.statAt(path, (flags & Open.FOLLOW) !== 0, stat);
      isNew = error === -Errno.NOENT && (flags & Open.CREAT) !== 0;
      if (isNew && !quota.hasName) return -Errno.DQUOT;
      if (error === 0 && (flags & Open.TRUNC) !== 0) cut = stat.length;
    }
    const opened = this.inner.open(path, flags, fdflags);
    if (typeof opened === "number") return opened;
    if (isNew) quota.addName();
    if (opened.filetype === Filetype.DIRECTORY) {
      return new QuotaDirectory(opened as Directory, quota);
    }
    const file = opened as File;
    if (file.filetype !== Filetype.REGULAR_FILE || file.stat(stat) < 0) return file;
    const charge = quota.opened(stat);
    if (cut > 0) {
      charge.size = Math.max(charge.size, cut);
      quota.resized(charge, stat.length);
      quota.cut(charge, file);
    }
    return new QuotaFile(file, quota, charge, (fdflags & Fdflags.APPEND) !== 0);
  }

  #make(make: () => number): number {
    if (!this.#quota.hasName) return -Errno.DQUOT;
    const error = make();
    if (error === 0) this.#quota.addName();
    return error;
  }

  override mkdir(path: string): number {
    return this.#make(() => super.mkdir(path));
  }

  override link(path: string, to: Directory, toPath: string): number {
    return this.#make(() => super.link(path, to, toPath));
  }

  override symlink(target: string, path: string): number {
    const stat = this.#stat;
    return this.#make(() => {
      // a unit of UTF-16 is at most three bytes
      if (target.length * 3 > this.#quota.room) return -Errno.DQUOT;
      const error = super.symlink(target, path);
      if (error === 0 && this.inner.statAt(path, false, stat) === 0) this.#quota.madeLink(stat);
      return error;
    });
  }

  /** Removes, and gives back what the name stood for. */
  #drop(path: string, remove: () => number): number {
    const known = this.inner.statAt(path, false, this.#stat) === 0;
    const error = remove();
    if (error === 0 && known) this.#quota.dropName(this.#stat);
    return error;
  }

  override rmdir(path: string): number {
    return this.#drop(path, () => super.rmdir(path));
  }

  override unlink(path: string): number {
    return this.#drop(path, () => super.unlink(path));
  }

  override rename(path: string, to: Directory, toPath: string): number {
    const stat = this.#stat;
    if (this.inner.statAt(path, false, stat) < 0) return super.rename(path, to, toPath);
    const [dev, ino] = [stat.dev, stat.ino];
    const replaced = to.statAt(toPath, false, stat) === 0 && (stat.dev !== dev || stat.ino !== ino);
    const error = super.rename(path, to, toPath);
    if (error === 0 && replaced) this.#quota.dropName(stat);
    return error;
  }
}

/** A file that counts by how much it grows. */
class QuotaFile extends WrappedFile {
  readonly #quota: Quota;
  readonly #charge: Charge;
  #appends: boolean;

  constructor(inner: File, quota: Quota, charge: Charge, appends: boolean) {
    super(inner);
    this.#quota = quota;
    this.#charge = charge;
    this.#appends = appends;
  }

  override write(from: Uint8Array, offset: number, length: number, position: number): number {
    const charge = this.#charge;
    const at = position < 0 || this.#appends ? charge.size : position;
    const taken = charge.before > 0 ? this.inner.takes?.(at, length, charge.before) ?? 0 : 0;
    const room = charge.size + this.#quota.room - taken - at;
    if (length > room || taken > this.#quota.room) {
      if (room <= 0 || taken > this.#quota.room) return -Errno.DQUOT;
      length = room;
    }
    const count = this.inner.write(from, offset, length, position);
    if (count > 0 && taken > 0) this.#quota.copied(charge, taken);
    if (count > 0 && at + count > charge.size) this.#quota.resized(charge, at + count);
    return count;
  }

  override setSize(size: number): number {
    const charge = this.#charge;
    if (size - charge.size > this.#quota.room) return -Errno.DQUOT;
    const error = this.inner.setSize(size);
    if (error === 0) {
      this.#quota.resized(charge, size);
      this.#quota.cut(charge, this.inner);
    }
    return error;
  }

  override allocate(offset: number, length: number): number {
    const charge = this.#charge;
    const end = offset + length;
    if (end - charge.size > this.#quota.room) return -Errno.DQUOT;
    const error = this.inner.allocate(offset, length);
    if (error === 0 && end > charge.size) this.#quota.resized(charge, end);
    return error;
  }

  override setFlags(fdflags: number): number {
    const error = this.inner.setFlags(fdflags);
    if (error === 0) this.#appends = (fdflags & Fdflags.APPEND) !== 0;
    return error;
  }

  override close(): void {
    this.inner.close();
    this.#quota.closed(this.#charge);
  }
}
