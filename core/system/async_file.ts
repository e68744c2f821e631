/**
 * Files that can be waited for without holding the thread: they wake who waits.
 *
 * @module
 */
import type { File } from "../host.ts";
import { PipeFile } from "./pipe_file.ts";

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

/** What they have in common. */
export abstract class AsyncStream extends PipeFile implements AsyncFile {
  readonly wakes: Set<() => void> = new Set();

  abstract finish(): Promise<void>;
  abstract abandon(): void;

  protected wake(): void {
    for (const wake of [...this.wakes]) wake();
  }
}
