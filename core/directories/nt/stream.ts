/**
 * Standard streams on Windows: bytes are moved by node:fs, readiness is asked of the system.
 *
 * @module
 */
import { type File, Poll, type PollEntry } from "../../host.ts";
import type { NodeContext } from "../node_fs/context.ts";
import { NodeStream, openStream } from "../node_fs/file.ts";
import type { Foreign } from "../../foreign.ts";
import type { Ntdll } from "./ntdll.ts";
import * as nt from "./nt.ts";

/** How many events of a console are looked at. */
const EVENTS = 128;

/** What Windows tells of the handles that a process was started with. */
export class StandardHandles {
  readonly #ntdll: Ntdll;
  readonly #kernel: Foreign;
  readonly #block: Uint8Array = new Uint8Array(new ArrayBuffer(8 + EVENTS * nt.InputRecord.size));
  readonly #view: DataView = new DataView(this.#block.buffer);

  constructor(ntdll: Ntdll, kernel: Foreign) {
    this.#ntdll = ntdll;
    this.#kernel = kernel;
  }

  /** The handle of a standard stream, or -1. */
  of(fd: number): number {
    const which = nt.STD_HANDLES[fd];
    if (which === undefined) return -1;
    const handle = Number(this.#kernel.symbols.GetStdHandle!(which));
    return handle > 0 ? handle : -1;
  }

  /** Finds out what a pipe is ready for; false if it is no pipe. */
  pipe(handle: number, entry: PollEntry): boolean {
    const pipe = this.#ntdll.pipe(handle);
    if (pipe === undefined) return false;
    if (!pipe.open) entry.found = entry.events | Poll.HANGUP;
    if ((entry.events & Poll.READ) === 0) {
      // a writer of more than there is room for waits, whatever was asked before
      if (pipe.writable > 0) entry.found |= Poll.WRITE;
    } else if (pipe.readable > 0) {
      entry.found |= Poll.READ;
      entry.nbytes = pipe.readable;
    }
    return true;
  }

  /**
   * Whether somebody types at a console. A line is not waited for: only a read shows what is typed,
   * and lets it be mended.
   */
  isTyped(handle: number): boolean {
    const { symbols, pointer, long } = this.#kernel;
    const { InputRecord } = nt;
    const [events, count] = [pointer(this.#block, 8), pointer(this.#block, 0)];
    if (symbols.PeekConsoleInputW!(long(handle), events, EVENTS, count) === 0) return true;
    const found = this.#view.getUint32(0, true);
    for (let i = 0; i < found; i++) {
      const at = 8 + i * InputRecord.size;
      const key = this.#view.getUint16(at + InputRecord.type, true) === nt.KEY_EVENT &&
        this.#view.getInt32(at + InputRecord.down, true) !== 0;
      if (key && this.#view.getUint16(at + InputRecord.character, true) !== 0) return true;
    }
    return found === EVENTS;
  }
}

/** A standard stream that the process has open: it stays open. */
class NtStream extends NodeStream {
  readonly #handles: StandardHandles;
  readonly #console: boolean;
  /** Whether the last read left some of a line behind, which no event tells. */
  #more = false;

  constructor(context: NodeContext, handles: StandardHandles, fd: number, filetype: number) {
    super(context, fd, filetype);
    this.#handles = handles;
    this.#console = context.isatty(fd);
  }

  override read(into: Uint8Array, offset: number, length: number, position: number): number {
    const count = super.read(into, offset, length, position);
    this.#more = count > 0 && count === length && into[offset + count - 1] !== 10;
    return count;
  }

  override ready(entry: PollEntry): void {
    const handle = this.#handles.of(this.fd);
    if (handle < 0) return super.ready(entry);
    if (!this.#console) {
      if (!this.#handles.pipe(handle, entry)) super.ready(entry);
    } else if ((entry.events & Poll.READ) === 0 || this.#more || this.#handles.isTyped(handle)) {
      entry.found = entry.events;
    }
  }
}

/** Wraps a descriptor of the process. Throws an error of node:fs. */
export function openNtStream(context: NodeContext, handles: StandardHandles, fd: number): File {
  const stream = openStream(context, fd);
  return fd in nt.STD_HANDLES ? new NtStream(context, handles, fd, stream.filetype) : stream;
}
