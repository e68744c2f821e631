/**
 * Files and streams over `node:fs`.
 *
 * @module
 */
import { Errno, errnoOf } from "../../errno.ts";
import type { FileStat } from "../../filestat.ts";
import {
  Fdflags,
  type File,
  Filetype,
  Poll,
  type PollEntry,
  type StreamAccess,
} from "../../host.ts";
import {
  attempt,
  type BigStats,
  done,
  filetypeOf,
  type NodeContext,
  type NodeFs,
} from "./context.ts";
import { fill, setTimesOfDescriptor } from "./times.ts";
import { describeDescriptor } from "./windows.ts";

/** Waits until what was written is on the disk. */
export function sync({ fs, windows }: NodeContext, fd: number, dataOnly: boolean): number {
  const error = done(() => dataOnly ? fs.fdatasyncSync(fd) : fs.fsyncSync(fd));
  // Windows waits only for who may write, and through this one nothing was written
  return windows && error === -Errno.PERM ? 0 : error;
}

/** fstat(2). Throws what node:fs throws. */
function describe({ fs, windows }: NodeContext, fd: number): BigStats {
  return windows ? describeDescriptor(fs, fd) : fs.fstatSync(fd, { bigint: true });
}

/** Whether what was thrown tells that the other end of a pipe is closed, as Windows has it. */
function isEnd(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "EOF";
}

/** Opens once more what a descriptor has open, with other flags. Throws what node:fs throws. */
export function reopen(fs: NodeFs, fd: number, how: number): number {
  const { O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW } = fs.constants;
  return fs.openSync(`/proc/self/fd/${fd}`, how & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW));
}

/** Position and flags of an open descriptor; undefined where /proc cannot tell. */
function infoOf(
  { fs, proc }: NodeContext,
  fd: number,
): { position: number; flags: number } | undefined {
  if (!proc) return undefined;
  try {
    const text = fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    const position = /^pos:\s*(\d+)/m.exec(text)![1]!;
    const flags = /^flags:\s*([0-7]+)/m.exec(text)![1]!;
    return { position: Number(position), flags: parseInt(flags, 8) };
  } catch {
    return undefined;
  }
}

/** A file over node:fs, opened by a guest. */
export class NodeFile implements File {
  readonly filetype: number;
  readonly seekable: boolean;
  readonly direct: boolean = true;
  readonly #context: NodeContext;
  readonly #fs: NodeFs;
  #fd: number;
  /** How it was opened. */
  #how: number;
  /** Where an append ended, as far as it can be known without /proc. */
  #appended = 0;

  constructor(context: NodeContext, fd: number, filetype: number, how: number) {
    this.#context = context;
    this.#fs = context.fs;
    this.#fd = fd;
    this.#how = how;
    this.filetype = filetype;
    this.seekable = filetype === Filetype.REGULAR_FILE || filetype === Filetype.BLOCK_DEVICE ||
      (filetype === Filetype.CHARACTER_DEVICE && !context.isatty(fd));
  }

  get fd(): number {
    return this.#fd;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    try {
      return this.#fs.readSync(this.#fd, into, offset, length, position < 0 ? null : position);
    } catch (error) {
      return isEnd(error) ? 0 : -errnoOf(error);
    }
  }

  write(from: Uint8Array, offset: number, length: number, position: number): number {
    try {
      // what a guest has opened without /proc appends by itself, as pwrite(2) on Linux does, too
      const { O_APPEND } = this.#fs.constants;
      const own = !this.#context.proc && this.seekable && this.#how !== 0;
      if (!own || (position >= 0 && (this.#how & O_APPEND) === 0)) {
        return this.#fs.writeSync(this.#fd, from, offset, length, position < 0 ? null : position);
      }
      const end = this.#fs.fstatSync(this.#fd).size;
      const count = this.#fs.writeSync(this.#fd, from, offset, length, end);
      this.#appended = end + count;
      return count;
    } catch (error) {
      return isEnd(error) ? -Errno.PIPE : -errnoOf(error);
    }
  }

  tell(): number {
    return infoOf(this.#context, this.#fd)?.position ?? this.#appended;
  }

  stat(into: FileStat): number {
    return done(() => fill(into, describe(this.#context, this.#fd)));
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return setTimesOfDescriptor(this.#fs, this.#fd, atim, mtim, flags);
  }

  sync(dataOnly: boolean): number {
    return sync(this.#context, this.#fd, dataOnly);
  }

  setSize(size: number): number {
    return done(() => this.#fs.ftruncateSync(this.#fd, size));
  }

  /** Grows the file if it is too short; room inside it cannot be reserved from here. */
  allocate(offset: number, length: number): number {
    return done(() => {
      const { size } = this.#fs.fstatSync(this.#fd);
      if (offset + length > size) this.#fs.ftruncateSync(this.#fd, offset + length);
    });
  }

  /** Advice may be ignored. */
  advise(_offset: number, _length: number, _advice: number): number {
    return 0;
  }

  /** The same file opened once more with the other flags: there is no fcntl. */
  setFlags(fdflags: number): number {
    const { O_APPEND } = this.#fs.constants;
    const append = (fdflags & Fdflags.APPEND) !== 0 ? O_APPEND : 0;
    const how = (this.#how & ~O_APPEND) | append;
    if (!this.#context.proc) {
      this.#how = how;
      return 0;
    }
    const fd = attempt(() => reopen(this.#fs, this.#fd, how));
    if (fd < 0) return fd;
    this.#fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#how = how;
    return 0;
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd >= 0) this.#fs.closeSync(fd);
  }
}

const NEWLINE = 10;

/** Milliseconds for which what was full is not tried again. */
const FULL_PAUSE = 2;

/** Whether what is neither a file nor a socket is a terminal: other devices can be sought. */
function isTerminal({ filetype, seekable }: NodeFile): boolean {
  return filetype === Filetype.CHARACTER_DEVICE && !seekable;
}

/** A FIFO or device opened by a guest. It never waits by itself: it was opened so. */
export class NodeDevice extends NodeFile {
  #ahead: ReadAhead | undefined = undefined;
  /** When it was last found to be full, or empty if it cannot be read ahead. */
  #refused = -Infinity;

  constructor(context: NodeContext, fd: number, filetype: number, how: number) {
    super(context, fd, filetype, how);
    const { O_WRONLY } = context.fs.constants;
    if (this.seekable || (how & 3) === O_WRONLY) return;
    this.#ahead = new ReadAhead(context.fs, fd, isTerminal(this), fd);
    // until somebody writes, a FIFO without writers is not at its end
    this.#ahead.began = filetype !== Filetype.UNKNOWN;
  }

  ready(entry: PollEntry): void {
    if (this.fd < 0) {
      // closed by another thread while this one waited
      entry.error = Errno.BADF;
      entry.found = entry.events;
    } else if ((entry.events & Poll.READ) !== 0 && this.#ahead !== undefined) {
      this.#ahead.ready(entry);
    } else if (performance.now() > this.#refused + FULL_PAUSE) entry.found = entry.events;
  }

  override read(into: Uint8Array, offset: number, length: number, position: number): number {
    const ahead = this.#ahead;
    if (ahead?.kept) return ahead.take(into, offset, length);
    const count = super.read(into, offset, length, position);
    if (ahead === undefined) this.#note(count);
    else if (count > 0 || count === -Errno.AGAIN) ahead.began = true;
    return count;
  }

  override write(from: Uint8Array, offset: number, length: number, position: number): number {
    const count = super.write(from, offset, length, position);
    this.#note(count);
    return count;
  }

  #note(count: number): void {
    if (count === -Errno.AGAIN) this.#refused = performance.now();
  }

  /** What is not seekable has no end to append to. */
  override setFlags(fdflags: number): number {
    return this.seekable ? super.setFlags(fdflags) : 0;
  }

  override close(): void {
    this.#ahead = undefined; // the system gives its number to whoever opens something next
    super.close();
  }
}

/** A stream that the process has open: it stays open. */
export class NodeStream extends NodeFile {
  readonly #context: NodeContext;
  /** Reads ahead without waiting, where that can be had. */
  #ahead: ReadAhead | undefined = undefined;
  /** When it was found to be full. */
  #full = -Infinity;
  /** Whether a read has come to the end of a socket. */
  #ended = false;
  /** Where reads and writes go once the guest has moved the position; -1: where the system has it. */
  #position = -1;

  constructor(context: NodeContext, fd: number, filetype: number) {
    // A directory as a standard stream would be a way around all preopens.
    super(context, fd, filetype === Filetype.DIRECTORY ? Filetype.UNKNOWN : filetype, 0);
    this.#context = context;
    // what cannot be read is not read ahead: another way into a pipe would be into its other end
    if (!context.proc || this.seekable || !this.access().read) return;
    // a socket cannot be opened a second time, but one that does not wait need not be
    const isSocket = filetype === Filetype.SOCKET_STREAM;
    if (!isSocket) this.#ahead = new ReadAhead(context.fs, fd, isTerminal(this));
    else if (this.#isNonblocking()) this.#ahead = new ReadAhead(context.fs, fd, false, fd);
  }

  #isNonblocking(): boolean {
    const flags = infoOf(this.#context, this.fd)?.flags ?? 0;
    return (flags & this.#context.fs.constants.O_NONBLOCK) !== 0;
  }

  /**
   * What is read is read ahead to know; a socket that waits by itself counts as ready, its end is
   * known once it has been read, and what is written to is ready but for a moment after it was full.
   */
  ready(entry: PollEntry): void {
    if ((entry.events & Poll.READ) !== 0) {
      if (this.#ahead !== undefined) this.#ahead.ready(entry);
      else entry.found |= this.#ended ? Poll.READ | Poll.HANGUP : Poll.READ;
    } else if (performance.now() > this.#full + FULL_PAUSE) entry.found = entry.events;
  }

  override read(into: Uint8Array, offset: number, length: number, position: number): number {
    if (this.#ahead?.kept) {
      return this.#ahead.take(into, offset, length);
    }
    if (position >= 0 || this.#position < 0) {
      const count = super.read(into, offset, length, position);
      if (count <= 0 && length > 0 && !this.seekable) this.#came(count);
      return count;
    }
    const count = super.read(into, offset, length, this.#position);
    if (count > 0) this.#position += count;
    return count;
  }

  /** Takes note of what a read that gave nothing has told. */
  #came(count: number): void {
    if (count === 0) this.#ended = this.filetype === Filetype.SOCKET_STREAM;
    else if (count === -Errno.AGAIN && this.#ahead === undefined) {
      // it does not wait, so that it can be asked as it is
      this.#ahead = new ReadAhead(this.#context.fs, this.fd, isTerminal(this), this.fd);
    }
  }

  override write(from: Uint8Array, offset: number, length: number, position: number): number {
    if (position >= 0 || this.#position < 0) {
      const count = super.write(from, offset, length, position);
      if (count === -Errno.AGAIN) this.#full = performance.now();
      return count;
    }
    const count = super.write(from, offset, length, this.#position);
    if (count > 0) this.#position += count;
    return count;
  }

  /** node:fs has no lseek: from the first move on the position is ours, not the system's. */
  seek(delta: number, whence: number): number {
    const here = this.tell();
    const base = whence === 0 ? 0 : whence === 1 ? here : this.#context.fs.fstatSync(this.fd).size;
    if (base + delta < 0) return -Errno.INVAL;
    if (whence !== 1 || delta !== 0) this.#position = base + delta;
    return base + delta;
  }

  override tell(): number {
    return this.#position >= 0 ? this.#position : super.tell();
  }

  access(): StreamAccess {
    const flags = infoOf(this.#context, this.fd)?.flags ?? 2;
    const mode = flags & 3;
    return {
      read: mode !== 1,
      write: mode !== 0,
      fdflags: (flags & this.#context.fs.constants.O_APPEND) !== 0 ? Fdflags.APPEND : 0,
    };
  }

  /** Flags of a stream are shared with whoever else has it open: they are not the guest's. */
  override setFlags(_fdflags: number): number {
    return -Errno.NOTSUP;
  }

  park(): void {
    this.#ahead?.close();
  }

  override close(): void {
    this.#ahead?.close();
  }
}

/**
 * A second way into a pipe or terminal, opened so that reading it never waits. Asking whether
 * something is there takes one byte, no more, because what is taken and not used is lost to the
 * process; the next read gives it, with what else is there. The end that somebody types on a
 * terminal is taken in the same way.
 */
class ReadAhead {
  readonly #fs: NodeFs;
  readonly #fd: number;
  readonly #terminal: boolean;
  readonly #byte: Uint8Array = new Uint8Array(1);
  #second: number;
  /** Whether the next read gets what was taken, */
  kept = false;
  /** and whether that is an end. */
  #end = false;
  /** Whether there has been a writer: without one what gives nothing is at its end only then. */
  began = true;

  /** `second` is a descriptor that does not wait, if there is one already. */
  constructor(fs: NodeFs, fd: number, terminal: boolean, second: number = -1) {
    this.#fs = fs;
    this.#fd = fd;
    this.#terminal = terminal;
    this.#second = second;
  }

  /** Reads without waiting; -AGAIN if nothing is there. */
  #read(into: Uint8Array, offset: number, length: number): number {
    return attempt(() => {
      if (this.#second < 0) {
        const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = this.#fs.constants;
        const path = `/proc/self/fd/${this.#fd}`;
        this.#second = this.#fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
      }
      return this.#fs.readSync(this.#second, into, offset, length, null);
    });
  }

  /** Hands out the byte that is kept and what else is there, or the end. */
  take(into: Uint8Array, offset: number, length: number): number {
    if (length === 0) return 0;
    if (this.#end) {
      this.kept = this.#end = false;
      return 0;
    }
    const byte = into[offset] = this.#byte[0]!;
    this.kept = false;
    // a terminal gives one line at a time, and what comes behind one may be an end
    if (length === 1 || (this.#terminal && byte === NEWLINE)) return 1;
    return 1 + Math.max(0, this.#read(into, offset + 1, length - 1));
  }

  ready(entry: PollEntry): void {
    const count = this.kept ? 1 : this.#read(this.#byte, 0, 1);
    if (count === -Errno.AGAIN) {
      this.began = true;
      return;
    }
    if (count === 0 && !this.began) return;
    this.#end ||= count === 0 && this.#terminal;
    this.kept = count === 1 || this.#end;
    this.began = true;
    // where it cannot be opened twice, reading it is the only way to know: count it as ready
    entry.found |= count === 0 && !this.#terminal ? Poll.READ | Poll.HANGUP : Poll.READ;
    entry.nbytes = this.kept && !this.#end ? 1 : 0;
  }

  close(): void {
    if (this.#second < 0 || this.#second === this.#fd) return;
    this.#fs.closeSync(this.#second);
    this.#second = -1;
  }
}

/** Wraps what a guest has opened. */
export function openedFile(
  context: NodeContext,
  fd: number,
  filetype: number,
  how: number,
): NodeFile {
  const isFile = filetype === Filetype.REGULAR_FILE || filetype === Filetype.BLOCK_DEVICE;
  return new (isFile ? NodeFile : NodeDevice)(context, fd, filetype, how);
}

/** Wraps a descriptor of the process. Throws an error of node:fs. */
export function openStream(context: NodeContext, fd: number): File {
  return new NodeStream(context, fd, filetypeOf(describe(context, fd)));
}
