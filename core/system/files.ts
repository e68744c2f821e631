/**
 * What descriptors of files do: where they stand, and whether they would wait.
 *
 * @module
 */
import { Errno, WasiError } from "../errno.ts";
import { Fdflags, type File, Whence } from "../host.ts";
import { type Descriptor, POSITION_OF_FILE, POSITION_UNKNOWN } from "./descriptors.ts";
import type { System } from "./system.ts";
import { pollEntry, Wait } from "./waiting.ts";

/** The descriptor of a file, not of a directory. */
export type FileDescriptor = Descriptor & { readonly file: File };

/** Where a descriptor stands, asked of the file if an append left it open. */
export function positionOf(descriptor: FileDescriptor): number {
  if (descriptor.position !== POSITION_UNKNOWN) return descriptor.position;
  const position = descriptor.file.tell!();
  if (position < 0) throw new WasiError(-position);
  descriptor.position = position;
  return position;
}

/** A 64-bit offset as a number: -1 for 2 ** 63 and more, Infinity for what no file can hold. */
export function toOffset(value: bigint): number {
  if (value < 0n) return -1;
  if (value <= 0x1fffffffffffffn) return Number(value);
  return value < 0x8000000000000000n ? Infinity : -1;
}

/** Whether a stream is ready this moment. */
export function isReady(system: System, file: File, events: number): boolean {
  const entry = pollEntry(file, events);
  system.poll([entry], 0);
  return entry.found !== 0;
}

/** Whether a stream may be used only when it is ready. */
export function mustAsk(system: System, descriptor: Descriptor): boolean {
  return system.suspends || (descriptor.flags & Fdflags.NONBLOCK) !== 0;
}

/**
 * AGAIN for a guest that asked for it, a wait for the others. A guest that could be suspended lets
 * others through first: they may be what it asks for. A socket that listens has nothing to be read,
 * however long one waits.
 */
export function again(
  system: System,
  { file, flags }: FileDescriptor,
  events: number,
  resume: () => number | Wait,
): number | Wait {
  if (file.listening) return Errno.NOTCONN;
  const entry = pollEntry(file, events);
  if ((flags & Fdflags.NONBLOCK) === 0) return new Wait([entry], Infinity, resume);
  if (!system.suspends) return Errno.AGAIN;
  return new Wait([entry], 0, () => entry.found === 0 ? Errno.AGAIN : resume());
}

/** Moves a position; returns where it is then, or -errno. */
export function seek(
  system: System,
  descriptor: FileDescriptor,
  delta: number,
  whence: number,
): number {
  const { file } = descriptor;
  if (descriptor.position === POSITION_OF_FILE && file.seek !== undefined) {
    return file.seek(delta, whence);
  }
  let base = 0;
  if (whence === Whence.CUR) base = positionOf(descriptor);
  else if (whence === Whence.END) {
    const error = file.stat(system.stat);
    if (error < 0) return error;
    base = system.stat.length;
  }
  const position = base + delta;
  if (position < 0 || position > Number.MAX_SAFE_INTEGER) return -Errno.INVAL;
  descriptor.position = position;
  return position;
}
