/**
 * `directory-entry-stream` of wasi:filesystem: the entries of a directory.
 *
 * @module
 */
import { idOf, typeOf, TYPES } from "./attributes.ts";
import { Err } from "../component/err.ts";
import { Errno } from "../errno.ts";
import { type Directory, type DirentSink, Filetype } from "../host.ts";
import { decode, isEscaped } from "../text.ts";
import { attempt, failed } from "./errors.ts";
import { type FileId, OpenFile, type World } from "./world.ts";

/** Entries of a directory that are asked for at once. */
const BATCH = 256;

/** An entry of a directory. */
interface Entry {
  readonly filetype: number;
  readonly name: string;
  /** where the directory goes on after it */
  readonly next: bigint;
  /** the lower and the upper half of its number */
  readonly ino: number;
  readonly inoHigh: number;
}

/** `directory-entry-stream`: what a directory holds, without "." and "..". */
export class DirectoryEntryStream {
  readonly world: World;
  readonly #open: OpenFile;
  readonly #directory: Directory;
  #entries: Entry[] = [];
  #next = 0;
  /** where the entries that are kept begin, and where they end */
  #start = 0n;
  #cookie = 0n;
  #ended = false;
  /** What the directory is, once that is known. */
  #id: FileId | undefined;

  constructor(open: OpenFile, directory: Directory) {
    this.world = open.world;
    this.#open = open;
    this.#directory = directory;
  }

  /** The next entry and the number of its `descriptor-type`; undefined at the end. */
  next(): { number: number; name: string } | undefined | Err {
    return attempt(() => {
      while (this.#next === this.#entries.length && !this.#ended) {
        const error = this.#fill();
        if (error < 0) return failed(-error);
      }
      const entry = this.#entries[this.#next];
      if (entry === undefined) return undefined;
      this.#next++;
      const { filetype, name } = entry;
      if (isEscaped(name)) return failed(Errno.ILSEQ);
      this.#remember(entry);
      return { number: typeOf(filetype), name };
    });
  }

  readDirectoryEntry(): { type: string; name: string } | undefined | Err {
    const entry = this.next();
    if (entry === undefined || entry instanceof Err) return entry;
    return { type: TYPES[entry.number]!, name: entry.name };
  }

  /**
   * Keeps the number of a file for a call that asks for it next. Directories are looked at anew:
   * where another volume is mounted the entry has the number of what is beneath.
   */
  #remember({ filetype, name, ino, inoHigh }: Entry): void {
    const { world } = this;
    const { stat, calls } = world.system;
    if (filetype === Filetype.DIRECTORY || (ino | inoHigh) === 0) return;
    if (this.#id === undefined) {
      if (this.#directory.stat(stat) < 0) return;
      this.#id = idOf(stat);
    }
    const [dev, devHigh] = this.#id;
    const id: FileId = [dev, devHigh, ino, inoHigh];
    world.seen = { call: calls, handle: this.#directory, path: name, follow: false, id };
  }

  /** Takes the next entries. */
  #fill(): number {
    this.world.keep(this);
    this.#start = this.#cookie;
    const entries: Entry[] = [];
    let count = 0;
    const add = (next: bigint, entry: Entry): boolean => {
      if (count >= BATCH) return false;
      count++;
      this.#cookie = next;
      if (entry.name !== "." && entry.name !== "..") entries.push(entry);
      return true;
    };
    const sink: DirentSink = {
      add(next, number, filetype, name) {
        const ino = Number(number & 0xffffffffn);
        return add(next, { filetype, name, next, ino, inoHigh: Number(number >> 32n) });
      },
      addBytes: (bytes, view, next, number, filetype, start, end) => {
        const ino = view.getUint32(number, true);
        const inoHigh = view.getUint32(number + 4, true);
        const name = decode(bytes, start, end);
        const cookie = view.getBigUint64(next, true);
        return add(cookie, { filetype, name, next: cookie, ino, inoHigh });
      },
    };
    const error = this.#directory.list(this.#cookie, sink);
    this.#entries = entries;
    this.#next = 0;
    if (count < BATCH) this.#ended = true;
    return error;
  }

  /** Forgets the entries that it has, to ask for them again. */
  forget(): void {
    if (this.#next === this.#entries.length) return;
    this.#cookie = this.#next === 0 ? this.#start : this.#entries[this.#next - 1]!.next;
    this.#entries = [];
    this.#next = 0;
    this.#ended = false;
  }

  [Symbol.dispose](): void {
    this.world.unkeep(this);
    this.#open.release();
  }
}
