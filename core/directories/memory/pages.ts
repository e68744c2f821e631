/**
 * The bytes of a file in memory: pages, so that holes cost nothing, appending copies nothing twice
 * and a copy shares what neither has changed.
 *
 * @module
 */
import { Errno } from "../../errno.ts";

const PAGE = 65536;
/** The first allocation of a page; it doubles up to PAGE. */
const PAGE_MIN = 256;
/** Larger than any file: 128 TiB. */
const SIZE_MAX = 2 ** 47;

/** What lies beneath, read until it is changed: a file that an overlay stands over. */
export interface Base {
  /** Reads at a position; the count, 0 at the end, or -errno. */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
}

/** Sparse bytes that grow. What can fail answers -errno. */
export class Pages {
  #size = 0;
  readonly #pages: Map<number, Uint8Array> = new Map();
  /** Pages that another copy may hold too: they are copied before they are written. */
  #shared: Set<number> | undefined = undefined;
  #base: Base | undefined = undefined;
  /** Up to here a missing page is the base's; from here on it is zeros. */
  #baseEnd = 0;
  #changed = false;

  /** Lies over `base`, whose size is `size`, or over nothing. */
  constructor(base?: Base, size: number = 0) {
    this.#base = base;
    this.#baseEnd = this.#size = size;
  }

  /** Size in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Whether anything lies beneath. */
  get hasBase(): boolean {
    return this.#base !== undefined;
  }

  /** Whether it has ever been written to or cut. */
  get changed(): boolean {
    return this.#changed;
  }

  /** A copy; pages are shared until one of the two is written to. */
  clone(): Pages {
    const copy = new Pages(this.#base);
    copy.#size = this.#size;
    copy.#baseEnd = this.#baseEnd;
    copy.#changed = this.#changed;
    for (const [index, page] of this.#pages) copy.#pages.set(index, page);
    this.#shared = new Set(this.#pages.keys());
    copy.#shared = new Set(this.#pages.keys());
    return copy;
  }

  /** Reads at a position. */
  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const end = Math.min(position + length, this.#size);
    for (let at = position; at < end;) {
      const index = Math.floor(at / PAGE);
      const from = at - index * PAGE;
      const count = Math.min(PAGE - from, end - at);
      const to = offset + at - position;
      const page = this.#pages.get(index);
      if (page !== undefined) copyPage(page, from, count, into, to);
      else {
        const error = this.#readBase(into, to, count, at);
        if (error < 0) return at > position ? at - position : error;
      }
      at += count;
    }
    return Math.max(0, end - position);
  }

  /** Fills from the base, as far as it reaches, and with zeros. */
  #readBase(into: Uint8Array, offset: number, length: number, position: number): number {
    const there = Math.max(0, Math.min(length, this.#baseEnd - position));
    let done = 0;
    while (done < there) {
      const count = this.#base!.read(into, offset + done, there - done, position + done);
      if (count < 0) return count;
      if (count === 0) break; // somebody has cut what lies beneath
      done += count;
    }
    into.fill(0, offset + done, offset + length);
    return 0;
  }

  /** Writes at a position; the count, or -errno. */
  write(from: Uint8Array, offset: number, length: number, position: number): number {
    const end = position + length;
    if (end > SIZE_MAX) return -Errno.FBIG;
    if (length > 0) this.#changed = true;
    for (let at = position; at < end;) {
      const index = Math.floor(at / PAGE);
      const start = at - index * PAGE;
      const count = Math.min(PAGE - start, end - at);
      const page = this.#writable(index, start, count);
      if (typeof page === "number") return at > position ? at - position : page;
      const begin = offset + at - position;
      page.set(from.subarray(begin, begin + count), start);
      at += count;
      if (at > this.#size) this.#size = at;
    }
    return length;
  }

  /** The page of an index, this copy's own and long enough. */
  #writable(index: number, start: number, count: number): Uint8Array | number {
    const page = this.#pages.get(index);
    const needed = start + count;
    if (page !== undefined && page.length >= needed && !this.#shared?.has(index)) return page;
    let length = page?.length ?? PAGE_MIN;
    while (length < needed) length *= 2;
    let own: Uint8Array;
    if (page !== undefined) {
      own = new Uint8Array(length);
      own.set(page);
    } else {
      const based = Math.max(0, Math.min(PAGE, this.#baseEnd - index * PAGE));
      while (length < based) length *= 2;
      own = new Uint8Array(length);
      if (based > 0 && (start > 0 || count < based)) {
        const error = this.#readBase(own, 0, based, index * PAGE);
        if (error < 0) return error;
      }
    }
    this.#pages.set(index, own);
    this.#shared?.delete(index);
    return own;
  }

  /** Cuts, or grows by a hole; -errno. */
  setSize(size: number): number {
    if (size > SIZE_MAX) return -Errno.FBIG;
    this.#changed = true; // even if it has that size: its time of change is another
    if (size < this.#size) this.#cut(size);
    this.#size = size;
    return 0;
  }

  #cut(size: number): void {
    const last = Math.floor(size / PAGE);
    const rest = size - last * PAGE;
    const first = rest === 0 ? last : last + 1;
    const end = Math.ceil(this.#size / PAGE);
    // whatever is less: the pages there may be, or those there are
    if (end - first < this.#pages.size) {
      for (let index = first; index < end; index++) this.#drop(index);
    } else {
      for (const index of this.#pages.keys()) if (index >= first) this.#drop(index);
    }
    const page = this.#pages.get(last);
    if (page !== undefined) this.#cutPage(last, page, rest);
    this.#baseEnd = Math.min(this.#baseEnd, size);
    if (this.#baseEnd === 0) this.#base = undefined;
  }

  #drop(index: number): void {
    this.#pages.delete(index);
    this.#shared?.delete(index);
  }

  /** Leaves the first bytes of a page, in no more memory than writing them takes. */
  #cutPage(index: number, page: Uint8Array, rest: number): void {
    let length = PAGE_MIN;
    while (length < rest) length *= 2;
    if (length < page.length || (length === page.length && this.#shared?.has(index))) {
      page = page.slice(0, length);
      this.#pages.set(index, page);
      this.#shared?.delete(index);
    }
    // what is beyond the end must read as zeros when the file grows again
    page.fill(0, rest);
  }

  /** Up to here what was not written is still the base's. */
  get kept(): number {
    return this.#baseEnd;
  }

  /** How many bytes before `end` lie in pages that a write would make: new, or no longer shared. */
  takes(position: number, length: number, end: number): number {
    let bytes = 0;
    // appending to a page that the old end lies in copies it as well
    const stop = Math.min(position + length, Math.ceil(end / PAGE) * PAGE);
    for (let index = Math.floor(position / PAGE); index * PAGE < stop; index++) {
      if (!this.#isOwn(index)) bytes += Math.min(PAGE, end - index * PAGE);
    }
    return bytes;
  }

  /** How many bytes before `end` lie in pages that no copy shares. */
  holds(end: number): number {
    let bytes = 0;
    for (const index of this.#pages.keys()) {
      if (this.#isOwn(index)) bytes += Math.max(0, Math.min(PAGE, end - index * PAGE));
    }
    return bytes;
  }

  #isOwn(index: number): boolean {
    return this.#pages.has(index) && !this.#shared?.has(index);
  }

  /** What was written, with the position of each part; between them are the base and zeros. */
  *written(): Generator<[position: number, bytes: Uint8Array]> {
    for (const [index, page] of this.#pages) {
      const position = index * PAGE;
      yield [position, page.subarray(0, Math.max(0, Math.min(page.length, this.#size - position)))];
    }
  }

  /**
   * All of it, as one array; -errno if the base cannot be read, a RangeError if there is no such
   * array. Holes are not written, so that the system need not find memory for them.
   */
  bytes(): Uint8Array<ArrayBuffer> | number {
    const bytes = new Uint8Array(this.#size);
    for (let at = 0; at < this.#baseEnd;) {
      const error = this.#pages.has(at / PAGE)
        ? 0
        : this.#readBase(bytes, at, Math.min(PAGE, this.#baseEnd - at), at);
      if (error < 0) return error;
      at += PAGE;
    }
    for (const [position, part] of this.written()) bytes.set(part, position);
    return bytes;
  }
}

function copyPage(
  page: Uint8Array,
  from: number,
  count: number,
  into: Uint8Array,
  offset: number,
): void {
  const there = Math.max(0, Math.min(count, page.length - from));
  into.set(page.subarray(from, from + there), offset);
  if (there < count) into.fill(0, offset + there, offset + count);
}
