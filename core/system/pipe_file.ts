/**
 * Files that are pipes to a guest: without a position, a size or times that could be set.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import type { FileStat } from "../filestat.ts";
import { type File, Filetype, type PollEntry, type StreamAccess } from "../host.ts";

/** What they have in common. */
export abstract class PipeFile implements File {
  readonly filetype: number = Filetype.UNKNOWN;
  readonly neverHolds: boolean = true;
  readonly seekable: boolean = false;

  abstract read(into: Uint8Array, offset: number, length: number, position: number): number;
  abstract write(from: Uint8Array, offset: number, length: number, position: number): number;
  abstract access(): StreamAccess;
  abstract ready(entry: PollEntry): void;

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
