/**
 * Files that can be waited for without holding the thread: they wake who waits.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import type { FileStat } from "../filestat.ts";
import { type File, Filetype, type PollEntry, type StreamAccess } from "../host.ts";

/** A file that can be waited for without holding the thread. */
export interface AsyncFile extends File {
  /** Called when it may have become ready. Who waits adds a function, and takes it away after that. */
  readonly wakes: Set<() => void>;
  /** Told when the guest has ended; resolves when all is where it belongs. */
  finish(): Promise<void>;
  /** Told instead when there is no guest after all: it lets go of the stream as it is. */
  abandon(): void;
}

/** Whether a file is one. */
export function isAsyncFile(file: File): file is AsyncFile {
  return "wakes" in file;
}

/** What they have in common: to a guest they are pipes. */
export abstract class AsyncStream implements AsyncFile {
  readonly filetype: number = Filetype.UNKNOWN;
  readonly seekable: boolean = false;
  readonly neverHolds: boolean = true;
  readonly wakes: Set<() => void> = new Set();

  abstract read(into: Uint8Array, offset: number, length: number, position: number): number;
  abstract write(from: Uint8Array, offset: number, length: number, position: number): number;
  abstract access(): StreamAccess;
  abstract ready(entry: PollEntry): void;
  abstract finish(): Promise<void>;
  abstract abandon(): void;

  protected wake(): void {
    for (const wake of [...this.wakes]) wake();
  }

  stat(into: FileStat): number {
    into.bytes.fill(0);
    into.filetype = this.filetype;
    into.nlink = 1n;
    return 0;
  }

  setTimes(): number {
    return 0;
  }

  sync(): number {
    return -Errno.INVAL;
  }

  setSize(): number {
    return -Errno.INVAL;
  }

  allocate(): number {
    return -Errno.SPIPE;
  }

  advise(): number {
    return -Errno.SPIPE;
  }

  setFlags(): number {
    return -Errno.NOTSUP;
  }

  close(): void {}
}
