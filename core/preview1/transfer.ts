/**
 * Moving bytes between files and the buffers of an iovec array.
 *
 * @module
 */
import { Errno, Iovec } from "./abi.ts";
import type { File } from "../host.ts";
import type { GuestMemory } from "./memory.ts";
import type { Preview1System } from "./system.ts";

/** Most bytes moved in one call: what Linux moves at most. */
const TRANSFER_MAX = 0x7ffff000;
/** Several buffers are moved as one if they fit in here. */
const GATHER_MAX = 65536;

/** Most bytes that a file of the embedder's is asked for at once. */
const ASIDE_MAX = 0x1000000;

/** Moves bytes between guest memory and a file, in either direction. */
interface Transfer {
  (system: Preview1System, file: File, pointer: number, length: number, position: number): number;
}

const reading: Transfer = (system, file, pointer, length, position) => {
  if (file.direct !== true) return readAside(system, file, pointer, length, position);
  return file.read(system.memory.bytes, pointer, length, position);
};
const writing: Transfer = ({ memory }, file, pointer, length, position) =>
  file.write(memory.bytes, pointer, length, position);

/**
 * Reads into an array of ours, and from there into guest memory as it is then: a file that is the
 * embedder's own may call the guest, and a view of memory that has grown is empty.
 */
function readAside(
  system: Preview1System,
  file: File,
  pointer: number,
  length: number,
  position: number,
): number {
  const { memory } = system;
  const most = Math.min(length, ASIDE_MAX);
  const array = most > GATHER_MAX ? new Uint8Array(most) : system.take();
  try {
    const count = file.read(array, 0, most, position);
    if (count > most) return -Errno.IO;
    if (count > 0) memory.set(pointer, array.subarray(0, count));
    return count;
  } finally {
    if (most <= GATHER_MAX) system.giveBack(array);
  }
}

/** Fills or empties several buffers. What fits in the scratch goes in one operation. */
function transferAll(
  system: Preview1System,
  transfer: Transfer,
  file: File,
  buffers: number[],
  position: number,
): number {
  const { memory } = system;
  let total = 0;
  for (let i = 1; i < buffers.length; i += 2) total += buffers[i]!;
  if (total <= GATHER_MAX || position < 0) {
    return gathered(system, transfer, file, buffers, Math.min(total, GATHER_MAX), position);
  }
  let done = 0;
  for (let i = 0; i < buffers.length; i += 2) {
    const length = Math.min(buffers[i + 1]!, TRANSFER_MAX - done);
    memory.check(buffers[i]!, length);
    const count = transfer(system, file, buffers[i]!, length, position + done);
    if (count < 0) return done > 0 ? done : count;
    done += count;
    if (count < length) break;
  }
  return done;
}

function gathered(
  system: Preview1System,
  transfer: Transfer,
  file: File,
  buffers: number[],
  total: number,
  position: number,
): number {
  const { memory } = system;
  const scratch = system.take();
  try {
    if (transfer === writing) {
      total = atMost(system, file, total);
      gather(memory, buffers, scratch, total);
      return file.write(scratch, 0, total, position);
    }
    const count = file.read(scratch, 0, total, position);
    if (count > total) return -Errno.IO;
    if (count > 0) scatter(memory, buffers, scratch, count);
    return count;
  } finally {
    system.giveBack(scratch);
  }
}

/** Copies the first `total` bytes of the buffers to the scratch. */
function gather(memory: GuestMemory, buffers: number[], scratch: Uint8Array, total: number): void {
  for (let i = 0, at = 0; at < total; i += 2) {
    const pointer = buffers[i]!;
    const length = Math.min(buffers[i + 1]!, total - at);
    memory.check(pointer, length);
    scratch.set(memory.bytes.subarray(pointer, pointer + length), at);
    at += length;
  }
}

/**
 * Copies the first `total` bytes of an array into buffers, which are pairs of pointer and length.
 *
 * @param skip bytes of the buffers that are filled already
 */
export function scatter(
  memory: GuestMemory,
  buffers: readonly number[],
  from: Uint8Array,
  total: number,
  skip: number = 0,
): void {
  for (let i = 0, at = 0; at < total; i += 2) {
    const length = Math.min(buffers[i + 1]! - skip, total - at);
    if (length > 0) {
      memory.set(buffers[i]! + skip, from.subarray(at, at + length));
      at += length;
    }
    skip = Math.max(0, skip - buffers[i + 1]!);
  }
}

/** Reads or writes several buffers, or an empty one; -errno when it fails. */
function transferBuffers(
  system: Preview1System,
  transfer: Transfer,
  file: File,
  iovs: number,
  iovs_len: number,
  position: number,
): number {
  const { memory } = system;
  const buffers = memory.buffers(iovs, iovs_len);
  if (buffers.length === 0) return 0;
  if (buffers.length > 2) return transferAll(system, transfer, file, buffers, position);
  const length = Math.min(buffers[1]!, TRANSFER_MAX);
  return transfer(
    system,
    file,
    buffers[0]!,
    transfer === writing ? atMost(system, file, length) : length,
    position,
  );
}

/** Reads at a position; -errno when it fails. One buffer, the usual case, takes the short way. */
export function read(
  system: Preview1System,
  file: File,
  iovs: number,
  iovs_len: number,
  position: number,
): number {
  const { memory } = system;
  if (iovs_len === 1) {
    memory.check(iovs, Iovec.size);
    const pointer = memory.view.getUint32(iovs + Iovec.buf, true);
    const length = memory.view.getUint32(iovs + Iovec.buf_len, true);
    if (length !== 0 && length <= TRANSFER_MAX) {
      memory.check(pointer, length);
      if (file.direct === true) return file.read(memory.bytes, pointer, length, position);
      return readAside(system, file, pointer, length, position);
    }
  }
  return transferBuffers(system, reading, file, iovs, iovs_len, position);
}

/** What is certain not to hold the thread when a pipe is ready: PIPE_BUF. */
const PIPE_BUF = 4096;

/** How much may be written at once to a file: all of it, unless nobody may be kept waiting. */
function atMost(system: Preview1System, file: File, length: number): number {
  if (!system.suspends || file.seekable) return length;
  while (file.inner !== undefined) file = file.inner;
  return file.neverHolds === true ? length : Math.min(length, PIPE_BUF);
}

/** Writes at a position, like {@linkcode read}. */
export function write(
  system: Preview1System,
  file: File,
  iovs: number,
  iovs_len: number,
  position: number,
): number {
  const { memory } = system;
  if (iovs_len === 1) {
    memory.check(iovs, Iovec.size);
    const pointer = memory.view.getUint32(iovs + Iovec.buf, true);
    const length = memory.view.getUint32(iovs + Iovec.buf_len, true);
    if (length !== 0 && length <= TRANSFER_MAX) {
      memory.check(pointer, length);
      return file.write(memory.bytes, pointer, atMost(system, file, length), position);
    }
  }
  return transferBuffers(system, writing, file, iovs, iovs_len, position);
}
