/**
 * The descriptors a guest holds: numbers, what they stand for, and what they may be used for.
 *
 * @module
 */
import { Rights, RIGHTS_ALL } from "./rights.ts";
import { Errno } from "../errno.ts";
import { type Directory, Fdflags, type File, Filetype } from "../host.ts";

const FILE_RIGHTS = Rights.FD_DATASYNC | Rights.FD_READ | Rights.FD_SEEK |
  Rights.FD_FDSTAT_SET_FLAGS | Rights.FD_SYNC | Rights.FD_TELL | Rights.FD_WRITE |
  Rights.FD_ADVISE | Rights.FD_ALLOCATE | Rights.FD_FILESTAT_GET | Rights.FD_FILESTAT_SET_SIZE |
  Rights.FD_FILESTAT_SET_TIMES | Rights.POLL_FD_READWRITE;

const DIRECTORY_RIGHTS = Rights.FD_DATASYNC | Rights.FD_FDSTAT_SET_FLAGS | Rights.FD_SYNC |
  Rights.PATH_CREATE_DIRECTORY | Rights.PATH_CREATE_FILE | Rights.PATH_LINK_SOURCE |
  Rights.PATH_LINK_TARGET | Rights.PATH_OPEN | Rights.FD_READDIR | Rights.PATH_READLINK |
  Rights.PATH_RENAME_SOURCE | Rights.PATH_RENAME_TARGET | Rights.PATH_FILESTAT_GET |
  Rights.PATH_FILESTAT_SET_SIZE | Rights.PATH_FILESTAT_SET_TIMES | Rights.FD_FILESTAT_GET |
  Rights.FD_FILESTAT_SET_TIMES | Rights.PATH_SYMLINK | Rights.PATH_REMOVE_DIRECTORY |
  Rights.PATH_UNLINK_FILE | Rights.POLL_FD_READWRITE;

const SOCKET_RIGHTS = Rights.FD_READ | Rights.FD_WRITE | Rights.FD_FDSTAT_SET_FLAGS |
  Rights.FD_FILESTAT_GET | Rights.POLL_FD_READWRITE | Rights.SOCK_SHUTDOWN | Rights.SOCK_ACCEPT;

/** Without these a character device is a terminal: that is how a guest's isatty() decides. */
const TTY_RIGHTS = FILE_RIGHTS & ~(Rights.FD_SEEK | Rights.FD_TELL);

/** What a preopened directory hands on: all there is, cut to what fits when a file is opened. */
const PREOPEN_INHERITING = RIGHTS_ALL;

/** Rights that mean something for a kind of file. */
export function rightsOf(filetype: number, seekable: boolean): number {
  switch (filetype) {
    case Filetype.DIRECTORY:
      return DIRECTORY_RIGHTS;
    case Filetype.SOCKET_DGRAM:
    case Filetype.SOCKET_STREAM:
      return SOCKET_RIGHTS;
    case Filetype.CHARACTER_DEVICE:
      return seekable ? FILE_RIGHTS : TTY_RIGHTS;
    default:
      return FILE_RIGHTS;
  }
}

/** The position is the file's own, not the descriptor's: a stream shared with other processes. */
export const POSITION_OF_FILE = -1;
/** The position is where the last appending write ended; `File.tell` knows. */
export const POSITION_UNKNOWN = -2;

/** One open descriptor: a file or a directory, never both. */
export class Descriptor {
  readonly file: File | undefined;
  readonly directory: Directory | undefined;
  readonly filetype: number;
  /** The name a preopen goes by, as bytes. */
  readonly preopen: Uint8Array | undefined;
  /** Whether closing the descriptor closes what it stands for. */
  readonly owned: boolean;
  /** Whether it was there before the guest began: a preopen or a standard stream. */
  readonly given: boolean;
  rightsBase: number;
  rightsInheriting: number;
  flags: number;
  /** Where the next read or write begins, or one of POSITION_OF_FILE and POSITION_UNKNOWN. */
  position: number;

  constructor(
    handle: File | Directory,
    rightsBase: number,
    rightsInheriting: number,
    options: {
      flags?: number;
      position?: number;
      preopen?: Uint8Array;
      owned?: boolean;
      given?: boolean;
    } = {},
  ) {
    this.filetype = handle.filetype;
    const isDirectory = handle.filetype === Filetype.DIRECTORY;
    this.file = isDirectory ? undefined : handle as File;
    this.directory = isDirectory ? handle as Directory : undefined;
    this.rightsBase = rightsBase;
    this.rightsInheriting = rightsInheriting;
    this.flags = options.flags ?? 0;
    this.position = options.position ?? 0;
    this.preopen = options.preopen;
    this.owned = options.owned ?? true;
    this.given = options.given ?? options.preopen !== undefined;
  }

  /** Gives back what it stands for, if it is the guest's to give. */
  close(): void {
    if (this.owned) (this.file ?? this.directory!).close();
  }
}

/** A descriptor for a preopened directory. */
export function preopenDescriptor(
  directory: Directory,
  name: Uint8Array,
  owned: boolean,
): Descriptor {
  return new Descriptor(directory, DIRECTORY_RIGHTS, PREOPEN_INHERITING, { preopen: name, owned });
}

/** What needs an open file that can be written to. */
const WRITING = Rights.FD_WRITE | Rights.FD_ALLOCATE | Rights.FD_FILESTAT_SET_SIZE;

/** What changes more of a file than a stream's reader or writer does. */
const CHANGING = Rights.FD_ALLOCATE | Rights.FD_FILESTAT_SET_SIZE | Rights.FD_FILESTAT_SET_TIMES;

/** What a standard stream is. */
export interface StreamKind {
  /** Input is only read and output only written, also where the system's descriptor can do both. */
  readonly input: boolean;
  /** Whether it is a descriptor of the process, which others may have open as well. */
  readonly shared: boolean;
}

/** A descriptor for a standard stream. */
export function streamDescriptor(file: File, { input, shared }: StreamKind): Descriptor {
  const access = file.access?.() ?? { read: true, write: true, fdflags: 0 };
  let rights = rightsOf(file.filetype, file.seekable);
  if (!access.read || !input) rights &= ~Rights.FD_READ;
  if (!access.write || input) rights &= ~WRITING;
  if (shared) rights &= ~CHANGING;
  return new Descriptor(file, rights, 0, {
    // The host's descriptor may be non-blocking for reasons of its own; the guest asked for none.
    flags: access.fdflags & ~Fdflags.NONBLOCK,
    position: POSITION_OF_FILE,
    given: true,
  });
}

/** A descriptor for a socket that listens. */
export function listeningDescriptor(file: File): Descriptor {
  const rights = rightsOf(file.filetype, false);
  return new Descriptor(file, rights, 0, { position: POSITION_OF_FILE, given: true });
}

/** Most descriptors a guest can hold at once, if the host allows as many. */
const LIMIT = 1 << 20;

/** Whole numbers of which the lowest is taken first: a binary heap. */
class Lowest {
  readonly #heap: number[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(number: number): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (heap[parent]! <= number) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = number;
  }

  take(): number {
    const heap = this.#heap;
    const lowest = heap[0]!;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return lowest;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return lowest;
  }

  clear(): void {
    this.#heap.length = 0;
  }
}

/** Descriptors by number; a new one takes the lowest number that is free, as POSIX has it. */
export class DescriptorTable {
  readonly #slots: (Descriptor | undefined)[] = [];
  /** The free numbers below the highest that was ever taken. */
  readonly #free: Lowest = new Lowest();
  /** How many more the guest may open itself. */
  #left: number;

  constructor(openFiles: number = Infinity) {
    this.#left = openFiles;
  }

  /** One more than the highest number that was ever taken. */
  get size(): number {
    return this.#slots.length;
  }

  /** The descriptor of a number, if it is open. */
  get(fd: number): Descriptor | undefined {
    return this.#slots[fd];
  }

  /** Puts a descriptor at the lowest free number and returns that, or -MFILE. */
  insert(descriptor: Descriptor): number {
    const slots = this.#slots;
    if (this.#free.size === 0 && slots.length >= LIMIT) return -Errno.MFILE;
    const fd = this.#free.size > 0 ? this.#free.take() : slots.length;
    slots[fd] = descriptor;
    if (!descriptor.given) this.#left--;
    return fd;
  }

  /** Whether the guest can open no other. */
  get full(): boolean {
    return this.#left <= 0 || (this.#free.size === 0 && this.#slots.length >= LIMIT);
  }

  /** Takes a descriptor out, without closing it. */
  remove(fd: number): Descriptor | undefined {
    const descriptor = this.#slots[fd];
    if (descriptor === undefined) return undefined;
    this.#slots[fd] = undefined;
    this.#free.add(fd);
    if (!descriptor.given) this.#left++;
    return descriptor;
  }

  /** Puts a descriptor at a number that is open, and returns what was there. */
  replace(fd: number, descriptor: Descriptor): Descriptor | undefined {
    const old = this.#slots[fd];
    this.#slots[fd] = descriptor;
    if (!descriptor.given) this.#left--;
    if (old !== undefined && !old.given) this.#left++;
    return old;
  }

  /** Closes what the guest opened; preopens and inherited streams are parked. */
  closeOpened(): void {
    const slots = this.#slots;
    for (let fd = 0; fd < slots.length; fd++) {
      const descriptor = slots[fd];
      if (descriptor === undefined) continue;
      if (descriptor.given) {
        if (descriptor.owned) (descriptor.file ?? descriptor.directory!).park?.();
      } else {
        this.remove(fd);
        closeQuietly(descriptor);
      }
    }
  }

  /** Closes all of it. */
  close(): void {
    for (const descriptor of this.#slots.splice(0)) {
      if (descriptor !== undefined) closeQuietly(descriptor);
    }
    this.#free.clear();
  }
}

/** Closes one of many: the others are to be closed whatever the host says of this one. */
function closeQuietly(descriptor: Descriptor): void {
  try {
    descriptor.close();
  } catch {
    // nobody is left to be told
  }
}

/** Cuts rights to those there are. */
export function knownRights(rights: bigint): number {
  return Number(rights & BigInt(RIGHTS_ALL));
}
