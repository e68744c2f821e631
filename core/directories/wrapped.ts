/**
 * Directories and files that stand before others: they pass everything on, and whoever extends
 * them changes what is his.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import type { FileStat } from "../filestat.ts";
import {
  type Clock,
  type Confinement,
  type Directory,
  type DirentSink,
  type File,
  Filetype,
  type StreamAccess,
} from "../host.ts";

/** A directory before another. */
export class WrappedDirectory implements Directory {
  readonly filetype: number = Filetype.DIRECTORY;
  readonly confinement: Confinement;
  readonly readOnly: boolean;
  readonly isHostRoot: boolean;
  readonly inner: Directory;

  constructor(inner: Directory) {
    this.inner = inner;
    this.confinement = inner.confinement;
    this.readOnly = inner.readOnly ?? false;
    this.isHostRoot = inner.isHostRoot ?? false;
  }

  stat(into: FileStat): number {
    return this.inner.stat(into);
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return this.inner.setTimes(atim, mtim, flags);
  }

  sync(dataOnly: boolean): number {
    return this.inner.sync(dataOnly);
  }

  close(): void {
    this.inner.close();
  }

  park(): void {
    this.inner.park?.();
  }

  useClock(clock: Clock): void {
    this.inner.useClock?.(clock);
  }

  open(path: string, flags: number, fdflags: number): File | Directory | number {
    return this.inner.open(path, flags, fdflags);
  }

  statAt(path: string, follow: boolean, into: FileStat): number {
    return this.inner.statAt(path, follow, into);
  }

  setTimesAt(path: string, follow: boolean, atim: bigint, mtim: bigint, flags: number): number {
    return this.inner.setTimesAt(path, follow, atim, mtim, flags);
  }

  list(cookie: bigint, sink: DirentSink): number {
    return this.inner.list(cookie, sink);
  }

  mkdir(path: string): number {
    return this.inner.mkdir(path);
  }

  rmdir(path: string): number {
    return this.inner.rmdir(path);
  }

  unlink(path: string): number {
    return this.inner.unlink(path);
  }

  rename(path: string, to: Directory, toPath: string): number {
    if (to.readOnly) return -Errno.ROFS;
    return this.inner.rename(path, behind(to), toPath);
  }

  link(path: string, to: Directory, toPath: string): number {
    if (to.readOnly) return -Errno.ROFS;
    return this.inner.link(path, behind(to), toPath);
  }

  symlink(target: string, path: string): number {
    return this.inner.symlink(target, path);
  }

  readlink(path: string): string | number {
    return this.inner.readlink(path);
  }
}

/** The directory itself, behind all that stands before it and lets changes through. */
export function behind(directory: Directory): Directory {
  while (directory instanceof WrappedDirectory && !directory.readOnly) directory = directory.inner;
  return directory;
}

/** A file before another. */
export class WrappedFile implements File {
  readonly inner: File;
  readonly filetype: number;
  readonly seekable: boolean;
  readonly direct: boolean;
  /** Only streams have it; whether it is there says something. */
  readonly seek?: (delta: number, whence: number) => number;

  constructor(inner: File) {
    this.inner = inner;
    this.filetype = inner.filetype;
    this.seekable = inner.seekable;
    this.direct = inner.direct ?? false;
    if (inner.seek !== undefined) this.seek = (delta, whence) => inner.seek!(delta, whence);
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.inner.read(into, offset, length, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): number {
    return this.inner.write(from, offset, length, position);
  }

  tell(): number {
    return this.inner.tell?.() ?? 0;
  }

  stat(into: FileStat): number {
    return this.inner.stat(into);
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return this.inner.setTimes(atim, mtim, flags);
  }

  sync(dataOnly: boolean): number {
    return this.inner.sync(dataOnly);
  }

  setSize(size: number): number {
    return this.inner.setSize(size);
  }

  allocate(offset: number, length: number): number {
    return this.inner.allocate(offset, length);
  }

  advise(offset: number, length: number, advice: number): number {
    return this.inner.advise(offset, length, advice);
  }

  setFlags(fdflags: number): number {
    return this.inner.setFlags(fdflags);
  }

  access(): StreamAccess {
    return this.inner.access?.() ?? { read: true, write: true, fdflags: 0 };
  }

  close(): void {
    this.inner.close();
  }

  park(): void {
    this.inner.park?.();
  }
}
