/**
 * `sock_*`. What is no socket answers NOTSOCK, whatever rights it has.
 *
 * @module
 */
import { Errno, Fdflags, Riflags, Rights, Sdflags } from "../abi.ts";
import { Descriptor, POSITION_OF_FILE, rightsOf } from "../descriptors.ts";
import { Poll } from "../host.ts";
import { type System, Wait } from "../system.ts";

export function sock_accept(
  system: System,
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
    const entry = { file, events: Poll.READ, found: 0, nbytes: 0, error: 0 };
    return new Wait([entry], Infinity, () => sock_accept(system, fd, flags, connection));
  }
  const rights = rightsOf(accepted.filetype, false) & ~Rights.SOCK_ACCEPT;
  const number = table.insert(
    new Descriptor(accepted, rights, 0, { flags, position: POSITION_OF_FILE }),
  );
  memory.setUint32(connection, number);
  return 0;
}

export function sock_recv(
  system: System,
  fd: number,
  ri_data: number,
  ri_data_len: number,
  ri_flags: number,
  ro_datalen: number,
  ro_flags: number,
): number | Wait {
  const { memory } = system;
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  const file = descriptor.file;
  if (file?.receive === undefined) return Errno.NOTSOCK;
  if ((descriptor.rightsBase & Rights.FD_READ) === 0) return Errno.NOTCAPABLE;
  if (ri_flags > (Riflags.RECV_PEEK | Riflags.RECV_WAITALL)) return Errno.INVAL;
  memory.check(ro_datalen, 4);
  memory.check(ro_flags, 2);
  const buffers = memory.buffers(ri_data, ri_data_len);
  if (buffers.length === 0) buffers.push(0, 0);
  const count = file.receive(memory.bytes, buffers[0]!, buffers[1]!, ri_flags);
  if (count < 0) {
    if (count !== -Errno.AGAIN || (descriptor.flags & Fdflags.NONBLOCK) !== 0) return -count;
    const entry = { file, events: Poll.READ, found: 0, nbytes: 0, error: 0 };
    return new Wait(
      [entry],
      Infinity,
      () => sock_recv(system, fd, ri_data, ri_data_len, ri_flags, ro_datalen, ro_flags),
    );
  }
  memory.setUint32(ro_datalen, count);
  memory.check(ro_flags, 2);
  memory.view.setUint16(ro_flags, 0, true);
  return 0;
}

export function sock_send(
  system: System,
  fd: number,
  si_data: number,
  si_data_len: number,
  si_flags: number,
  so_datalen: number,
): number | Wait {
  const { memory } = system;
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  const file = descriptor.file;
  if (file?.receive === undefined) return Errno.NOTSOCK;
  if ((descriptor.rightsBase & Rights.FD_WRITE) === 0) return Errno.NOTCAPABLE;
  if (si_flags !== 0) return Errno.INVAL;
  memory.check(so_datalen, 4);
  const buffers = memory.buffers(si_data, si_data_len);
  if (buffers.length === 0) buffers.push(0, 0);
  const count = file.write(memory.bytes, buffers[0]!, buffers[1]!, -1);
  if (count < 0) {
    if (count !== -Errno.AGAIN || (descriptor.flags & Fdflags.NONBLOCK) !== 0) return -count;
    const entry = { file, events: Poll.WRITE, found: 0, nbytes: 0, error: 0 };
    return new Wait(
      [entry],
      Infinity,
      () => sock_send(system, fd, si_data, si_data_len, si_flags, so_datalen),
    );
  }
  memory.setUint32(so_datalen, count);
  return 0;
}

export function sock_shutdown(system: System, fd: number, how: number): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  const file = descriptor.file;
  if (file?.shutdown === undefined) return Errno.NOTSOCK;
  if ((descriptor.rightsBase & Rights.SOCK_SHUTDOWN) === 0) return Errno.NOTCAPABLE;
  if (how === 0 || how > (Sdflags.RD | Sdflags.WR)) return Errno.INVAL;
  return -file.shutdown(how);
}
