/**
 * `fd_*`.
 *
 * The checks of a call come in this order: the descriptor (BADF), what it stands for (ISDIR,
 * NOTDIR, SPIPE), its rights (NOTCAPABLE), the numbers (INVAL), the pointers (FAULT). Nothing
 * happens before all of them are through.
 *
 * @module
 */
import { ADVICE_MAX, Errno, Fdflags, Fdstat, Preopentype, Prestat, Rights, Whence } from "./abi.ts";
import { WasiError } from "../errno.ts";
import { Poll } from "../host.ts";
import { knownRights, POSITION_OF_FILE, POSITION_UNKNOWN } from "../system/descriptors.ts";
import {
  again,
  type FileDescriptor,
  isReady,
  mustAsk,
  positionOf,
  seek,
  toOffset,
} from "../system/files.ts";
import { badTimeFlags } from "../system/times.ts";
import type { Wait } from "../system/waiting.ts";
import { DirentWriter } from "./dirent.ts";
import type { Preview1System } from "./system.ts";
import { read, write } from "./transfer.ts";

/** The file of a descriptor, or throws why there is none. */
function fileOf(
  system: Preview1System,
  fd: number,
  rights: number,
): FileDescriptor {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) throw new WasiError(Errno.BADF);
  if (descriptor.file === undefined) throw new WasiError(Errno.ISDIR);
  if ((descriptor.rightsBase & rights) !== rights) throw new WasiError(Errno.NOTCAPABLE);
  return descriptor as FileDescriptor;
}

export function fd_read(
  system: Preview1System,
  fd: number,
  iovs: number,
  iovs_len: number,
  nread: number,
): number | Wait {
  const descriptor = fileOf(system, fd, Rights.FD_READ);
  const { file } = descriptor;
  system.memory.check(nread, 4);
  const position = positionOf(descriptor);
  if (position < 0 && mustAsk(system, descriptor) && !isReady(system, file, Poll.READ)) {
    return again(system, descriptor, Poll.READ, () => fd_read(system, fd, iovs, iovs_len, nread));
  }
  const count = read(system, file, iovs, iovs_len, position);
  if (count < 0) {
    if (count !== -Errno.AGAIN) return -count;
    return again(system, descriptor, Poll.READ, () => fd_read(system, fd, iovs, iovs_len, nread));
  }
  if (position >= 0) descriptor.position = position + count;
  system.memory.setUint32(nread, count);
  return 0;
}

export function fd_write(
  system: Preview1System,
  fd: number,
  iovs: number,
  iovs_len: number,
  nwritten: number,
): number | Wait {
  const descriptor = fileOf(system, fd, Rights.FD_WRITE);
  const { file, flags } = descriptor;
  system.memory.check(nwritten, 4);
  const appending = (flags & Fdflags.APPEND) !== 0;
  const position = appending ? -1 : positionOf(descriptor);
  if (position < 0 && !file.seekable && mustAsk(system, descriptor)) {
    if (!isReady(system, file, Poll.WRITE)) {
      return again(
        system,
        descriptor,
        Poll.WRITE,
        () => fd_write(system, fd, iovs, iovs_len, nwritten),
      );
    }
  }
  const count = write(system, file, iovs, iovs_len, position);
  if (count < 0) {
    if (count !== -Errno.AGAIN) return -count;
    return again(
      system,
      descriptor,
      Poll.WRITE,
      () => fd_write(system, fd, iovs, iovs_len, nwritten),
    );
  }
  if (position >= 0) descriptor.position = position + count;
  else if (descriptor.position !== POSITION_OF_FILE && count > 0) {
    descriptor.position = POSITION_UNKNOWN;
  }
  system.memory.setUint32(nwritten, count);
  return 0;
}

export function fd_pread(
  system: Preview1System,
  fd: number,
  iovs: number,
  iovs_len: number,
  offset: bigint,
  nread: number,
): number {
  const { file } = fileOf(system, fd, 0);
  if (!file.seekable) return Errno.SPIPE;
  fileOf(system, fd, Rights.FD_READ | Rights.FD_SEEK);
  const position = toOffset(offset);
  if (position < 0) return Errno.INVAL;
  system.memory.check(nread, 4);
  // Beyond what any file can hold there is nothing to read, and nothing can be written.
  const count = position === Infinity ? 0 : read(system, file, iovs, iovs_len, position);
  if (count < 0) return -count;
  system.memory.setUint32(nread, count);
  return 0;
}

export function fd_pwrite(
  system: Preview1System,
  fd: number,
  iovs: number,
  iovs_len: number,
  offset: bigint,
  nwritten: number,
): number {
  const { file } = fileOf(system, fd, 0);
  if (!file.seekable) return Errno.SPIPE;
  fileOf(system, fd, Rights.FD_WRITE | Rights.FD_SEEK);
  const position = toOffset(offset);
  if (position < 0) return Errno.INVAL;
  system.memory.check(nwritten, 4);
  const count = position === Infinity ? -Errno.FBIG : write(system, file, iovs, iovs_len, position);
  if (count < 0) return -count;
  system.memory.setUint32(nwritten, count);
  return 0;
}

/** "This right implies fd_tell", says the specification of FD_SEEK. */
const MAY_TELL = Rights.FD_SEEK | Rights.FD_TELL;

export function fd_seek(
  system: Preview1System,
  fd: number,
  offset: bigint,
  whence: number,
  newoffset: number,
): number {
  const descriptor = fileOf(system, fd, 0);
  const { file } = descriptor;
  if (!file.seekable) return Errno.SPIPE;
  // What only asks where it stands needs no more than the right to tell.
  const enough = whence === Whence.CUR && offset === 0n ? MAY_TELL : Rights.FD_SEEK;
  if ((descriptor.rightsBase & enough) === 0) return Errno.NOTCAPABLE;
  if (whence > Whence.END) return Errno.INVAL;
  system.memory.check(newoffset, 8);
  if (offset > 0x1fffffffffffffn || offset < -0x1fffffffffffffn) return Errno.INVAL;
  const position = seek(system, descriptor, Number(offset), whence);
  if (position < 0) return -position;
  system.memory.setUint64(newoffset, position);
  return 0;
}

export function fd_tell(system: Preview1System, fd: number, offset: number): number {
  const descriptor = fileOf(system, fd, 0);
  const { file } = descriptor;
  if (!file.seekable) return Errno.SPIPE;
  if ((descriptor.rightsBase & MAY_TELL) === 0) return Errno.NOTCAPABLE;
  system.memory.check(offset, 8);
  const position = seek(system, descriptor, 0, Whence.CUR);
  if (position < 0) return -position;
  system.memory.setUint64(offset, position);
  return 0;
}

export function fd_close(system: Preview1System, fd: number): number {
  const descriptor = system.table.remove(fd);
  if (descriptor === undefined) return Errno.BADF;
  descriptor.close();
  return 0;
}

export function fd_renumber(system: Preview1System, fd: number, to: number): number {
  const { table } = system;
  if (table.get(fd) === undefined || table.get(to) === undefined) return Errno.BADF;
  if (fd === to) return 0;
  table.replace(to, table.remove(fd)!)!.close();
  return 0;
}

function sync(system: Preview1System, fd: number, right: number, dataOnly: boolean): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  if ((descriptor.rightsBase & right) === 0) return Errno.NOTCAPABLE;
  return -(descriptor.file ?? descriptor.directory!).sync(dataOnly);
}

export function fd_datasync(system: Preview1System, fd: number): number {
  return sync(system, fd, Rights.FD_DATASYNC, true);
}

export function fd_sync(system: Preview1System, fd: number): number {
  return sync(system, fd, Rights.FD_SYNC, false);
}

export function fd_advise(
  system: Preview1System,
  fd: number,
  offset: bigint,
  len: bigint,
  advice: number,
): number {
  const { file } = fileOf(system, fd, Rights.FD_ADVISE);
  if (!file.seekable) return Errno.SPIPE;
  if (advice > ADVICE_MAX || offset < 0n || len < 0n) return Errno.INVAL;
  const [at, length] = [toOffset(offset), toOffset(len)];
  if (at === Infinity || length === Infinity) return 0; // nothing is there to be advised on
  return -file.advise(at, length, advice);
}

export function fd_allocate(
  system: Preview1System,
  fd: number,
  offset: bigint,
  len: bigint,
): number {
  const { file } = fileOf(system, fd, 0);
  if (!file.seekable) return Errno.SPIPE;
  fileOf(system, fd, Rights.FD_ALLOCATE);
  if (offset < 0n || len <= 0n) return Errno.INVAL;
  const end = toOffset(offset + len);
  if (end === Infinity) return Errno.FBIG;
  return -file.allocate(toOffset(offset), toOffset(len));
}

export function fd_fdstat_get(system: Preview1System, fd: number, stat: number): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  const { memory } = system;
  memory.check(stat, Fdstat.size);
  const { view } = memory;
  view.setUint8(stat + Fdstat.fs_filetype, descriptor.filetype);
  view.setUint16(stat + Fdstat.fs_flags, descriptor.flags, true);
  view.setUint32(stat + Fdstat.fs_rights_base, descriptor.rightsBase, true);
  view.setUint32(stat + Fdstat.fs_rights_base + 4, 0, true);
  view.setUint32(stat + Fdstat.fs_rights_inheriting, descriptor.rightsInheriting, true);
  view.setUint32(stat + Fdstat.fs_rights_inheriting + 4, 0, true);
  return 0;
}

const SYNC_FLAGS = Fdflags.DSYNC | Fdflags.RSYNC | Fdflags.SYNC;

/** The synchronous flags cannot change while a file is open (fcntl(2)): INVAL, as in wasmtime. */
export function fd_fdstat_set_flags(system: Preview1System, fd: number, flags: number): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  if ((descriptor.rightsBase & Rights.FD_FDSTAT_SET_FLAGS) === 0) return Errno.NOTCAPABLE;
  const changed = flags ^ descriptor.flags;
  const { file } = descriptor;
  if (flags > 31 || (changed & SYNC_FLAGS) !== 0) return Errno.INVAL;
  if ((changed & Fdflags.APPEND) !== 0) {
    if (file === undefined) return Errno.INVAL;
    if (descriptor.position === POSITION_UNKNOWN) positionOf(fileOf(system, fd, 0));
    const error = file.setFlags(flags);
    if (error < 0) return -error;
  }
  // NONBLOCK is ours alone: on the host it would reach whoever shares the open file.
  descriptor.flags = flags;
  return 0;
}

export function fd_fdstat_set_rights(
  system: Preview1System,
  fd: number,
  fs_rights_base: bigint,
  fs_rights_inheriting: bigint,
): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  const base = knownRights(fs_rights_base);
  const inheriting = knownRights(fs_rights_inheriting);
  if (
    (base & ~descriptor.rightsBase) !== 0 || (inheriting & ~descriptor.rightsInheriting) !== 0
  ) return Errno.NOTCAPABLE;
  descriptor.rightsBase = base;
  descriptor.rightsInheriting = inheriting;
  return 0;
}

/** Fills `system.stat` from a descriptor; an errno. */
export function statDescriptor(system: Preview1System, fd: number): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  if ((descriptor.rightsBase & Rights.FD_FILESTAT_GET) === 0) return Errno.NOTCAPABLE;
  const error = (descriptor.file ?? descriptor.directory!).stat(system.stat);
  if (error < 0) return -error;
  system.stat.filetype = descriptor.filetype;
  return 0;
}

export function fd_filestat_get(system: Preview1System, fd: number, filestat: number): number {
  const errno = statDescriptor(system, fd);
  if (errno === 0) system.memory.set(filestat, system.stat.bytes);
  return errno;
}

export function fd_filestat_set_size(system: Preview1System, fd: number, size: bigint): number {
  const { file } = fileOf(system, fd, Rights.FD_FILESTAT_SET_SIZE);
  const length = toOffset(size);
  if (length < 0) return Errno.INVAL;
  if (length === Infinity) return Errno.FBIG;
  return -file.setSize(length);
}

export function fd_filestat_set_times(
  system: Preview1System,
  fd: number,
  atim: bigint,
  mtim: bigint,
  fst_flags: number,
): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  if ((descriptor.rightsBase & Rights.FD_FILESTAT_SET_TIMES) === 0) return Errno.NOTCAPABLE;
  if (badTimeFlags(fst_flags)) return Errno.INVAL;
  const handle = descriptor.file ?? descriptor.directory!;
  return -handle.setTimes(BigInt.asUintN(64, atim), BigInt.asUintN(64, mtim), fst_flags);
}

export function fd_prestat_get(system: Preview1System, fd: number, prestat: number): number {
  const preopen = system.table.get(fd)?.preopen;
  if (preopen === undefined) return Errno.BADF;
  const { memory } = system;
  memory.check(prestat, Prestat.size);
  memory.view.setUint8(prestat + Prestat.tag, Preopentype.DIR);
  memory.view.setUint32(prestat + Prestat.pr_name_len, preopen.length, true);
  return 0;
}

export function fd_prestat_dir_name(
  system: Preview1System,
  fd: number,
  path: number,
  path_len: number,
): number {
  const preopen = system.table.get(fd)?.preopen;
  if (preopen === undefined) return Errno.BADF;
  if (path_len < preopen.length) return Errno.NAMETOOLONG;
  system.memory.set(path, preopen);
  return 0;
}

export function fd_readdir(
  system: Preview1System,
  fd: number,
  buf: number,
  buf_len: number,
  cookie: bigint,
  bufused: number,
): number {
  const descriptor = system.table.get(fd);
  if (descriptor === undefined) return Errno.BADF;
  if (descriptor.directory === undefined) return Errno.NOTDIR;
  if ((descriptor.rightsBase & Rights.FD_READDIR) === 0) return Errno.NOTCAPABLE;
  const { memory } = system;
  memory.check(buf, buf_len);
  memory.check(bufused, 4);
  const writer = new DirentWriter(memory, buf, buf_len);
  const error = descriptor.directory.list(BigInt.asUintN(64, cookie), writer);
  if (error < 0) return -error;
  memory.setUint32(bufused, writer.at - buf);
  return 0;
}
