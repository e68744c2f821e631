/**
 * `sock_*`. What is no socket answers NOTSOCK, whatever rights it has.
 *
 * @module
 */
import { Errno, Fdflags, Riflags, Rights, Roflags, Sdflags } from "./abi.ts";
import { Descriptor, POSITION_OF_FILE, rightsOf } from "../system/descriptors.ts";
import { WasiError } from "../errno.ts";
import { type File, Poll } from "../host.ts";
import type { Preview1System } from "./system.ts";
import { pollEntry, Wait } from "../system/waiting.ts";
import { scatter, write } from "./transfer.ts";

export function sock_accept(
  system: Preview1System,
  fd: number,
  flags: number,
  connection: number,
): number | Wait {
  const { memory, table } = system;
  const descriptor = table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  const file = descriptor.file;
  if (file?.accept === undefined) return Errno.NOTSOCK;
  if ((descriptor.rightsBase & Rights.SOCK_ACCEPT) === 0) return Errno.NOTCAPABLE;
  if ((flags & ~Fdflags.NONBLOCK) !== 0) return Errno.INVAL;
  memory.check(connection, 4);
  if (table.full) return Errno.MFILE;
  const accepted = file.accept(flags);
  if (typeof accepted === "number") {
    if (accepted !== -Errno.AGAIN || (descriptor.flags & Fdflags.NONBLOCK) !== 0) return -accepted;
    const entry = pollEntry(file, Poll.READ);
    return new Wait([entry], Infinity, () => sock_accept(system, fd, flags, connection));
  }
  const rights = rightsOf(accepted.filetype, false) & ~Rights.SOCK_ACCEPT;
  const number = table.insert(
    new Descriptor(accepted, rights, 0, { flags, position: POSITION_OF_FILE }),
  );
  memory.setUint32(connection, number);
  return 0;
}

/** A connection's descriptor, or throws why there is none. */
function connectionOf(
  system: Preview1System,
  fd: number,
  right: number,
): Descriptor & { file: File } {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) throw new WasiError(Errno.BADF);
  if (descriptor.file?.receive === undefined) throw new WasiError(Errno.NOTSOCK);
  if ((descriptor.rightsBase & right) === 0) throw new WasiError(Errno.NOTCAPABLE);
  return descriptor as Descriptor & { file: File };
}

export function sock_recv(
  system: Preview1System,
  fd: number,
  ri_data: number,
  ri_data_len: number,
  ri_flags: number,
  ro_datalen: number,
  ro_flags: number,
): number | Wait {
  const { memory } = system;
  const descriptor = connectionOf(system, fd, Rights.FD_READ);
  if (ri_flags > (Riflags.RECV_PEEK | Riflags.RECV_WAITALL)) return Errno.INVAL;
  memory.check(ro_datalen, 4);
  memory.check(ro_flags, 2);
  const peeks = (ri_flags & Riflags.RECV_PEEK) !== 0;
  const whole = (ri_flags & Riflags.RECV_WAITALL) !== 0 && !peeks;
  const buffers = memory.buffers(ri_data, ri_data_len);
  const size = sizeOf(buffers);
  let done = 0;
  let cut = false;
  const go = (): number | Wait => {
    // while this thread waited another may have closed the descriptor
    const isOpen = system.table.get(fd) === descriptor;
    while (isOpen) {
      const count = receive(system, descriptor.file, buffers, done, size, ri_flags);
      if (count < 0) {
        const waits = count === -Errno.AGAIN && (descriptor.flags & Fdflags.NONBLOCK) === 0;
        if (waits) return new Wait([pollEntry(descriptor.file, Poll.READ)], Infinity, go);
        if (done === 0) return -count;
        break;
      }
      cut = count > size - done;
      done += Math.min(count, size - done);
      if (!whole || count === 0 || done >= size) break;
    }
    if (!isOpen && done === 0) return Errno.BADF;
    memory.setUint32(ro_datalen, done);
    memory.check(ro_flags, 2);
    memory.view.setUint16(ro_flags, cut ? Roflags.RECV_DATA_TRUNCATED : 0, true);
    return 0;
  };
  return go();
}

/** Bytes that the buffers hold, as pairs of pointer and length. */
function sizeOf(buffers: readonly number[]): number {
  let size = 0;
  for (let i = 1; i < buffers.length; i += 2) size += buffers[i]!;
  return size;
}

/** Largest message that several buffers get whole; one buffer gets any. */
const MESSAGE_MAX = 0x100000;

/** Receives once, into the buffers of `size` bytes from `done` bytes on. */
function receive(
  system: Preview1System,
  file: File,
  buffers: readonly number[],
  done: number,
  size: number,
  flags: number,
): number {
  const { memory } = system;
  if (buffers.length === 2 && file.direct === true) {
    const [pointer, length] = [buffers[0]! + done, buffers[1]! - done];
    memory.check(pointer, length);
    return file.receive!(memory.bytes, pointer, length, flags);
  }
  const length = Math.min(size - done, MESSAGE_MAX);
  const array = new Uint8Array(length);
  const count = file.receive!(array, 0, length, flags);
  if (count > 0) scatter(memory, buffers, array, Math.min(count, length), done);
  return count;
}

export function sock_send(
  system: Preview1System,
  fd: number,
  si_data: number,
  si_data_len: number,
  si_flags: number,
  so_datalen: number,
): number | Wait {
  const { memory } = system;
  const { file, flags } = connectionOf(system, fd, Rights.FD_WRITE);
  if (si_flags !== 0) return Errno.INVAL;
  memory.check(so_datalen, 4);
  const count = write(system, file, si_data, si_data_len, -1);
  if (count < 0) {
    if (count !== -Errno.AGAIN || (flags & Fdflags.NONBLOCK) !== 0) return -count;
    return new Wait(
      [pollEntry(file, Poll.WRITE)],
      Infinity,
      () => sock_send(system, fd, si_data, si_data_len, si_flags, so_datalen),
    );
  }
  memory.setUint32(so_datalen, count);
  return 0;
}

export function sock_shutdown(system: Preview1System, fd: number, how: number): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  const file = descriptor.file;
  if (file?.shutdown === undefined) return Errno.NOTSOCK;
  if ((descriptor.rightsBase & Rights.SOCK_SHUTDOWN) === 0) return Errno.NOTCAPABLE;
  if (how === 0 || how > (Sdflags.RD | Sdflags.WR)) return Errno.INVAL;
  return -file.shutdown(how);
}
