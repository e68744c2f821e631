/**
 * Reading a directory of Windows: all of it at once, when a listing begins. A guest's cookie is the
 * number of entries before; a listing goes on in what was there when it began.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { FileStat } from "../../filestat.ts";
import { type DirentSink, Filetype } from "../../host.ts";
import { type Ntdll, utf16 } from "./ntdll.ts";
import * as nt from "./nt.ts";

/** Size of the block that is filled at a time. */
const BLOCK = 65536;

/** One block for all: it is filled and read within one call. */
let block: Uint8Array | undefined;

interface Entry {
  readonly name: string;
  readonly ino: bigint;
  readonly filetype: number;
}

/** One open directory's entries, as they were when the listing began. */
export class Listing {
  readonly #ntdll: Ntdll;
  #entries: Entry[] | undefined = undefined;

  constructor(ntdll: Ntdll) {
    this.#ntdll = ntdll;
  }

  /** `isRoot` hides what ".." is. */
  list(handle: number, isRoot: boolean, cookie: bigint, sink: DirentSink): number {
    if (cookie === 0n || this.#entries === undefined) {
      const entries = this.#read(handle, isRoot);
      if (typeof entries === "number") return entries;
      this.#entries = entries;
    }
    const entries = this.#entries;
    const start = cookie > BigInt(entries.length) ? entries.length : Number(cookie);
    for (let i = start; i < entries.length; i++) {
      const { name, ino, filetype } = entries[i]!;
      if (!sink.add(BigInt(i + 1), ino, filetype, name)) return 0;
    }
    return 0;
  }

  /** Reads through a handle of its own: Wine gives what was there when a handle was first read. */
  #read(handle: number, isRoot: boolean): Entry[] | number {
    const own = this.#ntdll.reopen(handle, nt.Access.READ_DATA, nt.Options.DIRECTORY_FILE);
    // removed while it was open: its list is at its end
    if (own === -Errno.NOENT) return [];
    if (own < 0) return own;
    const found: Entry[] = [];
    const error = this.#readAll(own, found);
    this.#ntdll.close(own);
    return error < 0 ? error : this.#withDots(handle, isRoot, found);
  }

  #readAll(handle: number, found: Entry[]): number {
    const buffer = block ??= new Uint8Array(new ArrayBuffer(BLOCK));
    for (;;) {
      const count = this.#ntdll.list(handle, buffer);
      if (count <= 0) return count;
      entriesIn(buffer, count, found);
    }
  }

  /**
   * "." and ".." first, as they are found, or as in "/" where a volume's root has none. A preopen's
   * parent is outside: its ".." shows the directory itself. One that is removed has none.
   */
  #withDots(handle: number, isRoot: boolean, found: Entry[]): Entry[] {
    const others = found.filter(({ name }) => name !== "." && name !== "..");
    const stat = new FileStat();
    if (this.#ntdll.stat(handle, stat) < 0 || (found.length === 0 && stat.nlink === 0n)) return [];
    const self = { name: ".", ino: stat.ino, filetype: Filetype.DIRECTORY };
    const parent = isRoot ? undefined : found.find(({ name }) => name === "..");
    return [self, parent ?? { ...self, name: ".." }, ...others];
  }
}

/** Adds the entries in a block to `found`. */
function entriesIn(bytes: Uint8Array, count: number, found: Entry[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, count);
  const { DirectoryEntry } = nt;
  for (let at = 0; at + DirectoryEntry.name <= count;) {
    const attributes = view.getUint32(at + DirectoryEntry.attributes, true);
    const length = view.getUint32(at + DirectoryEntry.length, true);
    const tag = view.getUint32(at + DirectoryEntry.eaSize, true);
    found.push({
      name: utf16(bytes, at + DirectoryEntry.name, length),
      ino: view.getBigUint64(at + DirectoryEntry.id, true),
      filetype: filetypeOf(attributes, tag),
    });
    const next = view.getUint32(at + DirectoryEntry.next, true);
    if (next === 0) return;
    at += next;
  }
}

function filetypeOf(attributes: number, tag: number): number {
  if ((attributes & nt.FILE_ATTRIBUTE_REPARSE_POINT) !== 0) {
    const isLink = tag === nt.REPARSE_TAG_SYMLINK || tag === nt.REPARSE_TAG_MOUNT_POINT;
    return isLink ? Filetype.SYMBOLIC_LINK : Filetype.UNKNOWN;
  }
  const directory = (attributes & nt.FILE_ATTRIBUTE_DIRECTORY) !== 0;
  return directory ? Filetype.DIRECTORY : Filetype.REGULAR_FILE;
}
