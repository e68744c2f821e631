/**
 * Directories and files of a volume in memory, as the core sees them.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { behind } from "../wrapped.ts";
import type { FileStat } from "../../filestat.ts";
import {
  type Clock,
  type Confinement,
  type Directory,
  type DirentSink,
  Fdflags,
  type File,
  Filetype,
  Open,
} from "../../host.ts";
import { FOLLOW } from "../walk.ts";
import { DirectoryNode, FileNode, LinkNode, type Node, statNode } from "./nodes.ts";
import { isOpenable, type Volume } from "./volume.ts";

/** An open directory of a volume. */
export class VolumeDirectory implements Directory {
  readonly filetype: number = Filetype.DIRECTORY;
  readonly confinement: Confinement = "memory";
  readonly volume: Volume;
  readonly node: DirectoryNode;

  constructor(volume: Volume, node: DirectoryNode = volume.root) {
    this.volume = volume;
    this.node = node;
  }

  useClock(clock: Clock): void {
    this.volume.useClock(clock);
  }

  stat(into: FileStat): number {
    statNode(this.node, this.volume.dev, into);
    return 0;
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return this.volume.setTimes(this.node, atim, mtim, flags);
  }

  sync(_dataOnly: boolean): number {
    return 0;
  }

  close(): void {}

  /** The node that a path leads to, or -errno. */
  at(path: string, follow: boolean): Node | number {
    return this.volume.walk<Node | number>(this.node, path, (directory, name) => {
      const node = name === "." ? directory : this.volume.find(directory, name);
      return follow && node instanceof LinkNode ? FOLLOW : node;
    });
  }

  open(path: string, flags: number, fdflags: number): File | Directory | number {
    return this.volume.walk<File | Directory | number>(
      this.node,
      path,
      (directory, name) => this.#openAt(directory, name, flags, fdflags),
    );
  }

  #openAt(
    directory: DirectoryNode,
    name: string,
    flags: number,
    fdflags: number,
  ): File | Directory | number | typeof FOLLOW {
    const { volume } = this;
    let node = name === "." ? directory : volume.find(directory, name);
    if (typeof node === "number") {
      if (node !== -Errno.NOENT || (flags & Open.CREAT) === 0) return node;
      node = volume.create(directory, name);
      if (typeof node === "number") return node;
    } else if ((flags & Open.CREAT) !== 0) {
      if ((flags & Open.EXCL) !== 0) return -Errno.EXIST;
      if (node instanceof DirectoryNode) return -Errno.ISDIR;
    }
    if (node instanceof LinkNode) {
      if ((flags & Open.FOLLOW) !== 0) return FOLLOW;
      return (flags & Open.DIRECTORY) !== 0 ? -Errno.NOTDIR : -Errno.LOOP;
    }
    if (node instanceof DirectoryNode) {
      if ((flags & (Open.WRITE | Open.TRUNC)) !== 0) return -Errno.ISDIR;
      return new VolumeDirectory(volume, node);
    }
    if ((flags & Open.DIRECTORY) !== 0) return -Errno.NOTDIR;
    if (!isOpenable(node.filetype)) return -Errno.NOTSUP; // a device that an overlay shows
    const file = new VolumeFile(volume, node as FileNode, flags, fdflags);
    const error = (flags & Open.TRUNC) !== 0 ? file.truncate(0) : 0;
    if (error === 0) return file;
    file.close();
    return error;
  }

  statAt(path: string, follow: boolean, into: FileStat): number {
    const node = this.at(path, follow);
    if (typeof node === "number") return node;
    statNode(node, this.volume.dev, into);
    return 0;
  }

  setTimesAt(path: string, follow: boolean, atim: bigint, mtim: bigint, flags: number): number {
    const node = this.at(path, follow);
    return typeof node === "number" ? node : this.volume.setTimes(node, atim, mtim, flags);
  }

  list(cookie: bigint, sink: DirentSink): number {
    const { node, volume } = this;
    if (node.removed) return 0; // its list is at its end, as readdir(3) has it
    const error = volume.list(node);
    if (error < 0) return error;
    // the directory it lies in is not shown by one that a guest begins at
    const above = node.parent ?? node;
    if (cookie < 1n && !sink.add(1n, node.ino, Filetype.DIRECTORY, ".")) return 0;
    if (cookie < 2n && !sink.add(2n, above.ino, Filetype.DIRECTORY, "..")) return 0;
    if (cookie > BigInt(Number.MAX_SAFE_INTEGER)) return 0;
    for (const entry of node.from(Number(cookie) + 1)) {
      const { ino, filetype } = volume.shown(entry);
      if (!sink.add(BigInt(entry.order), ino, filetype, entry.name)) return 0;
    }
    return 0;
  }

  mkdir(path: string): number {
    return this.#change(path, (directory, name) => this.volume.mkdir(directory, name));
  }

  rmdir(path: string): number {
    return this.#change(path, (directory, name) => this.volume.rmdir(directory, name));
  }

  unlink(path: string): number {
    return this.#change(path, (directory, name) => this.volume.unlink(directory, name));
  }

  symlink(target: string, path: string): number {
    return this.#change(path, (directory, name) => this.volume.symlink(directory, name, target));
  }

  #change(path: string, use: (directory: DirectoryNode, name: string) => number): number {
    return this.volume.walk(this.node, path, use);
  }

  rename(path: string, to: Directory, toPath: string): number {
    const target = behind(to);
    if (!(target instanceof VolumeDirectory) || target.volume !== this.volume) return -Errno.XDEV;
    return this.#change(
      path,
      (from, name) =>
        target.#change(toPath, (into, toName) => this.volume.rename(from, name, into, toName)),
    );
  }

  link(path: string, to: Directory, toPath: string): number {
    const target = behind(to);
    if (!(target instanceof VolumeDirectory) || target.volume !== this.volume) return -Errno.XDEV;
    return this.#change(
      path,
      (from, name) =>
        target.#change(toPath, (into, toName) => this.volume.link(from, name, into, toName)),
    );
  }

  readlink(path: string): string | number {
    const node = this.at(path, false);
    if (typeof node === "number") return node;
    return node instanceof LinkNode ? node.target : -Errno.INVAL;
  }
}

/** An open file of a volume. */
export class VolumeFile implements File {
  readonly filetype: number = Filetype.REGULAR_FILE;
  readonly seekable: boolean = true;
  readonly #volume: Volume;
  readonly #node: FileNode;
  readonly #reads: boolean;
  readonly #writes: boolean;
  #appends: boolean;
  /** Where it stands itself: what has no position goes on from here. */
  #end = 0;

  constructor(volume: Volume, node: FileNode, flags: number, fdflags: number) {
    this.#volume = volume;
    this.#node = node;
    this.#reads = (flags & Open.READ) !== 0;
    this.#writes = (flags & Open.WRITE) !== 0;
    this.#appends = (fdflags & Fdflags.APPEND) !== 0;
    node.opened++;
  }

  /** What lies beneath may be the embedder's own. */
  get direct(): boolean {
    return !this.#node.pages.hasBase;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    if (!this.#reads) return -Errno.BADF;
    const node = this.#node;
    const at = position < 0 ? this.#end : position;
    const count = node.pages.read(into, offset, length, at);
    if (position < 0 && count > 0) this.#end = at + count;
    if (!node.read) {
      node.read = true;
      node.atim = this.#volume.now();
    }
    return count;
  }

  write(from: Uint8Array, offset: number, length: number, position: number): number {
    if (!this.#writes) return -Errno.BADF;
    const { pages } = this.#node;
    const at = this.#appends ? pages.size : position < 0 ? this.#end : position;
    const count = pages.write(from, offset, length, at);
    if (count < 0) return count;
    if (position < 0) this.#end = at + count;
    if (count > 0) this.#volume.modified(this.#node);
    return count;
  }

  tell(): number {
    return this.#end;
  }

  stat(into: FileStat): number {
    statNode(this.#node, this.#volume.dev, into);
    return 0;
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return this.#volume.setTimes(this.#node, atim, mtim, flags);
  }

  sync(_dataOnly: boolean): number {
    return 0;
  }

  setSize(size: number): number {
    return this.#writes ? this.truncate(size) : -Errno.INVAL;
  }

  /** Cuts or grows it, whatever it was opened for. */
  truncate(size: number): number {
    const error = this.#node.pages.setSize(size);
    if (error === 0) this.#volume.modified(this.#node);
    return error;
  }

  takes(position: number, length: number, end: number): number {
    return this.#node.pages.takes(position, length, end);
  }

  holds(end: number): number {
    return this.#node.pages.holds(end);
  }

  allocate(offset: number, length: number): number {
    if (!this.#writes) return -Errno.BADF;
    if (offset + length <= this.#node.size) return 0;
    return this.truncate(offset + length);
  }

  advise(_offset: number, _length: number, _advice: number): number {
    return 0;
  }

  setFlags(fdflags: number): number {
    this.#appends = (fdflags & Fdflags.APPEND) !== 0;
    return 0;
  }

  close(): void {
    if (--this.#node.opened > 0) return;
    this.#node.release?.();
    this.#node.dropIfGone();
  }
}
