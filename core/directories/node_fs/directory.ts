/**
 * Directories over `node:fs`, for where foreign functions are not available: Node before 26, or
 * refused by permission or option. Paths are walked one component at a time (core/directories/walk.ts).
 *
 * With /proc a directory is a descriptor opened with O_PATH (`walk`): `/proc/self/fd/N/name` is a
 * name in it that no rename elsewhere can redirect, and nothing follows a link at its end.
 *
 * Without /proc a directory is its path and its identity (`checked`): every component is looked at
 * with lstat, what was opened is compared with what was looked at, and the directories on the way
 * are looked at again. Another process that swaps a directory for a link and back at the right two
 * moments wins; SECURITY.md says so.
 *
 * @module
 */
import { Errno, errnoOf, WasiError } from "../../errno.ts";
import { behind } from "../wrapped.ts";
import type { FileStat } from "../../filestat.ts";
import {
  type Confinement,
  type Directory,
  type DirentSink,
  type File,
  Filetype,
  Open,
} from "../../host.ts";
import { FOLLOW, looksMagic, walk, type Walker } from "../walk.ts";
import { decode, encode, isEscaped } from "../../text.ts";
import {
  attempt,
  type BigStats,
  done,
  filetypeOf,
  type NodeContext,
  type NodeFs,
  type NodePath,
  O_CLOEXEC,
  O_PATH,
} from "./context.ts";
import { checkName } from "../nt/names.ts";
import { openedFile, reopen, sync } from "./file.ts";
import { handleStep, hostFlags, type Identity, isBelow, same, type Step } from "./step.ts";
import { fill, setTimes, setTimesOfDescriptor } from "./times.ts";
import * as windows from "./windows.ts";

/** What `open` answers before a link at the end is dealt with. */
type Opened = File | Directory | number | typeof FOLLOW;

/** A directory over node:fs. */
export class NodeDirectory implements Directory {
  readonly filetype: number = Filetype.DIRECTORY;
  readonly confinement: Confinement;
  readonly #context: NodeContext;
  readonly #fs: NodeFs;
  readonly #walker: Walker<Step>;
  /** A preopen: its ".." is not shown. */
  readonly #isRoot: boolean;
  /** The host's own "/", outside of which there is nothing: absolute links are followed. */
  readonly isHostRoot: boolean;
  #self: Step | undefined;
  /** How to find a handle again after parking. */
  #parked: (Identity & { path: string }) | undefined = undefined;
  /** The names of the last listing that began anew; a cookie is an index and one. */
  #names: string[] = [];

  constructor(context: NodeContext, self: Step, isRoot: boolean, isHostRoot: boolean = false) {
    this.isHostRoot = isHostRoot;
    this.#context = context;
    this.#fs = context.fs;
    this.#self = self;
    this.#isRoot = isRoot;
    this.confinement = context.proc ? "walk" : "checked";
    this.#walker = {
      child: (directory, name) => this.#child(directory, name),
      readlink: (directory, name) => {
        const target = this.#readlink(directory, name);
        const isMagic = typeof target === "string" && this.#isMagic(directory, target);
        return isMagic ? -Errno.LOOP : target;
      },
      close: (directory) => {
        if (directory.fd >= 0) this.#fs.closeSync(directory.fd);
      },
    };
  }

  /** The directory itself, found again if it was parked, and still the same one; or -errno. */
  get #here(): Step | number {
    const self = this.#self ?? attempt(() => this.#unpark());
    if (typeof self !== "number" && self.fd < 0 && !this.#isStill(self)) return -Errno.NOENT;
    return self;
  }

  /**
   * Whether a link is one of /proc's that lead to what a process has open, whatever their text says:
   * the kernel follows none of them for a guest (RESOLVE_NO_MAGICLINKS), and so nobody here does.
   */
  #isMagic(directory: Step, target: string): boolean {
    if (this.#context.windows || !looksMagic(target)) return false;
    const devices = attempt(() => {
      const here = directory.fd < 0
        ? directory.dev
        : this.#fs.fstatSync(directory.fd, { bigint: true }).dev;
      return [here, this.#fs.statSync("/proc", { bigint: true }).dev];
    });
    return typeof devices !== "number" && devices[0] === devices[1];
  }

  /** Whether a path still leads to the directory it led to. */
  #isStill(step: Step): boolean {
    const stats = attempt(() => this.#fs.lstatSync(step.path, { bigint: true }));
    return typeof stats !== "number" && same(stats, step);
  }

  /** A name in a directory, for node:fs. `makes` says that a file of that name is to be made. */
  #path(directory: Step, name: string, makes: boolean = false): NodePath {
    if (this.#context.windows && name !== "." && name !== "..") {
      const error = checkName(name, makes);
      if (error < 0) throw new WasiError(-error);
    }
    const path = directory.fd >= 0
      ? `/proc/self/fd/${directory.fd}/${name}`
      : name === "."
      ? directory.path
      : `${directory.path}/${name}`;
    if (!isEscaped(name)) return path;
    if (!this.#context.byteNames) throw new WasiError(Errno.ILSEQ);
    return encode(path);
  }

  #child(directory: Step, name: string): Step | number {
    if (directory.fd < 0) {
      const stats = this.#lstat(directory, name);
      if (typeof stats === "number") return stats;
      if (filetypeOf(stats) !== Filetype.DIRECTORY) return -Errno.NOTDIR;
      return this.#below(directory, name, stats);
    }
    const { O_DIRECTORY, O_NOFOLLOW } = this.#fs.constants;
    const flags = O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;
    return attempt(() => handleStep(this.#fs.openSync(this.#path(directory, name), flags)));
  }

  #below(directory: Step, name: string, { dev, ino }: Identity): Step {
    if (name === ".") return directory;
    return { fd: -1, path: `${directory.path}/${name}`, dev, ino, parent: directory };
  }

  #readlink(directory: Step, name: string): string | number {
    return attempt(() => {
      const path = this.#path(directory, name);
      if (this.#context.windows) return windows.linkText(String(this.#fs.readlinkSync(path)));
      if (!this.#context.byteNames) return String(this.#fs.readlinkSync(path));
      const bytes = this.#fs.readlinkSync(path, { encoding: "buffer" });
      return decode(bytes, 0, bytes.length);
    });
  }

  #lstat(directory: Step, name: string): BigStats | number {
    const options = { bigint: true, throwIfNoEntry: false } as const;
    return attempt(() => this.#fs.lstatSync(this.#path(directory, name), options)) ??
      -Errno.NOENT;
  }

  /** Calls `use` with the directory that holds the path's last name, not following that. */
  #inParent<R>(path: string, use: (directory: Step, name: string) => R): R | number {
    const here = this.#here;
    if (typeof here === "number") return here;
    return walk<Step, R>(this.#walker, here, path, this.isHostRoot, use);
  }

  /** Calls `use` with what a path leads to and its attributes. */
  #atPath(
    path: string,
    follow: boolean,
    use: (directory: Step, name: string, stats: BigStats) => number,
  ): number {
    return this.#inParent<number | typeof FOLLOW>(path, (directory, name) => {
      const stats = this.#lstat(directory, name);
      if (typeof stats === "number") return stats;
      if (follow && filetypeOf(stats) === Filetype.SYMBOLIC_LINK) return FOLLOW;
      return use(directory, name, stats);
    }) as number;
  }

  stat(into: FileStat): number {
    return this.statAt(".", false, into);
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    const here = this.#here;
    if (typeof here === "number") return here;
    const { fd } = here;
    if (fd < 0) return this.setTimesAt(".", false, atim, mtim, flags);
    return setTimesOfDescriptor(this.#fs, fd, atim, mtim, flags);
  }

  sync(dataOnly: boolean): number {
    const self = this.#here;
    if (typeof self === "number") return self;
    if (this.#context.windows) return 0; // a directory cannot be opened there
    const opened = attempt(() => this.#fs.openSync(this.#path(self, "."), "r"));
    if (opened < 0) return opened;
    try {
      return sync(this.#context, opened, dataOnly);
    } finally {
      this.#fs.closeSync(opened);
    }
  }

  close(): void {
    if (this.#self !== undefined) this.#walker.close(this.#self);
    this.#self = undefined;
    this.#parked = undefined;
  }

  park(): void {
    const self = this.#self;
    if (self === undefined || self.fd < 0) return;
    const parked = attempt(() => {
      const { dev, ino } = this.#fs.fstatSync(self.fd, { bigint: true });
      return { path: this.#fs.readlinkSync(`/proc/self/fd/${self.fd}`), dev, ino };
    });
    this.close();
    this.#names = [];
    if (typeof parked !== "number") this.#parked = parked;
  }

  #unpark(): Step {
    const parked = this.#parked;
    if (parked === undefined) throw new WasiError(Errno.BADF);
    const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = this.#fs.constants;
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const fd = attempt(() => this.#fs.openSync(parked.path, flags));
    if (fd < 0) throw new WasiError(Errno.BADF);
    if (!same(this.#fs.fstatSync(fd, { bigint: true }), parked)) {
      this.#fs.closeSync(fd);
      throw new WasiError(Errno.BADF);
    }
    this.#parked = undefined;
    return this.#self = handleStep(fd);
  }

  open(path: string, flags: number, fdflags: number): File | Directory | number {
    const how = hostFlags(this.#context, flags, fdflags);
    const use = this.#context.proc
      ? (directory: Step, name: string) => this.#openHandle(directory, name, flags, how)
      : (directory: Step, name: string) => this.#openChecked(directory, name, flags, how);
    return this.#inParent<Opened>(path, use) as File | Directory | number;
  }

  #openHandle(directory: Step, name: string, flags: number, how: number): Opened {
    const fd = this.#openName(directory, name, how);
    if (fd >= 0) return this.#wrap(fd, how);
    if ((flags & Open.FOLLOW) === 0) return fd;
    if (fd === -Errno.LOOP) return FOLLOW;
    // with O_DIRECTORY a link is NOTDIR, and so is a file
    const link = fd === -Errno.NOTDIR && typeof this.#readlink(directory, name) === "string";
    return link ? FOLLOW : fd;
  }

  /** Opens a name, without following a link. */
  #openName(directory: Step, name: string, how: number): number {
    const open = (flags: number): number =>
      attempt(() => this.#fs.openSync(this.#path(directory, name), flags, 0o666));
    const { O_APPEND, O_TRUNC } = this.#fs.constants;
    if (!this.#context.deno || (how & O_APPEND) === 0 || (how & O_TRUNC) === 0) return open(how);
    const cut = open(how & ~O_APPEND);
    if (cut < 0) return cut;
    try {
      return attempt(() => reopen(this.#fs, cut, how));
    } finally {
      this.#fs.closeSync(cut);
    }
  }

  #wrap(fd: number, how: number): File | Directory | number {
    try {
      const filetype = filetypeOf(this.#fs.fstatSync(fd, { bigint: true }));
      return filetype === Filetype.DIRECTORY
        ? new NodeDirectory(this.#context, handleStep(fd), false)
        : openedFile(this.#context, fd, filetype, how);
    } catch (error) {
      this.#fs.closeSync(fd);
      return -errnoOf(error);
    }
  }

  /** Looks, opens without making or cutting anything, compares; only then cuts. */
  #openChecked(directory: Step, name: string, flags: number, how: number): Opened {
    const { O_CREAT, O_EXCL, O_TRUNC } = this.#fs.constants;
    const stats = this.#lstat(directory, name);
    if (typeof stats === "number") {
      if (stats !== -Errno.NOENT || (flags & Open.CREAT) === 0) return stats;
      // EXCL makes it fail on whatever has appeared there, links among it
      return this.#openAs(directory, name, (how | O_EXCL) & ~O_TRUNC, undefined);
    }
    const filetype = filetypeOf(stats);
    if (filetype === Filetype.SYMBOLIC_LINK) {
      if ((flags & Open.EXCL) !== 0) return -Errno.EXIST;
      return (flags & Open.FOLLOW) !== 0 ? FOLLOW : -Errno.LOOP;
    }
    if ((flags & Open.EXCL) !== 0) return -Errno.EXIST;
    if (filetype === Filetype.DIRECTORY) {
      if ((flags & (Open.WRITE | Open.TRUNC | Open.CREAT)) !== 0) return -Errno.ISDIR;
      return new NodeDirectory(this.#context, this.#below(directory, name, stats), false);
    }
    if ((flags & Open.DIRECTORY) !== 0) return -Errno.NOTDIR;
    const plain = how & ~(O_CREAT | O_EXCL | O_TRUNC);
    if ((flags & Open.TRUNC) !== 0) {
      // by a handle of its own: what the guest gets may be for reading only
      const { O_WRONLY, O_RDWR } = this.#fs.constants;
      const writing = (plain & ~(O_WRONLY | O_RDWR)) | O_WRONLY;
      const file = this.#openAs(directory, name, writing, stats);
      if (typeof file === "number") return file;
      const error = (file as File).setSize(0);
      file.close();
      if (error < 0) return error;
    }
    return this.#openAs(directory, name, plain, stats);
  }

  /**
   * Opens, and closes again unless it is the file expected, reached the way that was walked. The file
   * appends by itself.
   */
  #openAs(
    directory: Step,
    name: string,
    how: number,
    expected: Identity | undefined,
  ): File | Directory | number {
    const flags = how & ~this.#fs.constants.O_APPEND;
    const makes = (how & this.#fs.constants.O_CREAT) !== 0;
    const path = attempt(() => this.#path(directory, name, makes));
    if (typeof path === "number") return path;
    const fd = attempt(() => this.#fs.openSync(path, flags, 0o666));
    if (fd < 0) return fd;
    const stats = attempt(() => this.#fs.fstatSync(fd, { bigint: true }));
    let honest = typeof stats !== "number" && (expected === undefined || same(stats, expected));
    for (let step: Step | undefined = directory; honest && step; step = step.parent) {
      honest = this.#isStill(step);
    }
    if (honest) {
      return openedFile(this.#context, fd, filetypeOf(stats as BigStats), how | O_PATH);
    }
    this.#fs.closeSync(fd);
    return -Errno.PERM;
  }

  statAt(path: string, follow: boolean, into: FileStat): number {
    return this.#atPath(path, follow, (_directory, _name, stats) => {
      fill(into, stats);
      return 0;
    });
  }

  setTimesAt(path: string, follow: boolean, atim: bigint, mtim: bigint, flags: number): number {
    return this.#atPath(path, follow, (directory, name) => {
      const target = this.#path(directory, name);
      return setTimes(
        () => this.#fs.lstatSync(target, { bigint: true }),
        (newAtim, newMtim) => this.#fs.lutimesSync(target, newAtim, newMtim),
        atim,
        mtim,
        flags,
      );
    });
  }

  list(cookie: bigint, sink: DirentSink): number {
    const self = this.#here;
    // a directory that has been removed: its list is at its end, as readdir(3) has it
    if (self === -Errno.NOENT) return 0;
    if (typeof self === "number") return self;
    if (cookie === 0n) {
      const names = attempt(() => this.#read(self));
      if (names === -Errno.NOENT) return 0;
      if (typeof names === "number") return names;
      if (names.length === 0 && this.#isRemoved(self)) return 0;
      this.#names = [".", "..", ...names];
    }
    const start = cookie > BigInt(this.#names.length) ? this.#names.length : Number(cookie);
    for (let i = start; i < this.#names.length; i++) {
      const name = this.#names[i]!;
      // a preopen's parent is outside: ".." shows the directory itself, as it does in "/"
      const stats = this.#lstat(self, name === ".." && this.#isRoot ? "." : name);
      if (stats === -Errno.NOENT) continue; // gone since
      // in a directory that may be read and not searched, names are all that can be told
      const [ino, filetype] = typeof stats === "number"
        ? [0n, Filetype.UNKNOWN]
        : [stats.ino, filetypeOf(stats)];
      if (!sink.add(BigInt(i + 1), ino, filetype, name)) return 0;
    }
    return 0;
  }

  /** Whether a directory has no name any more; some runtimes then read an empty one. */
  #isRemoved({ fd }: Step): boolean {
    return fd >= 0 && this.#fs.fstatSync(fd, { bigint: true }).nlink === 0n;
  }

  #read(directory: Step): string[] {
    const path = this.#path(directory, ".");
    if (!this.#context.byteNames) return this.#fs.readdirSync(path);
    return this.#fs.readdirSync(path, { encoding: "buffer" })
      .map((bytes) => decode(bytes, 0, bytes.length));
  }

  /**
   * Calls node:fs with the path of a name in its directory. A path that ends in dots gives "."
   * here, which is no name, and without /proc would be the directory's own path.
   */
  #change(
    path: string,
    makes: boolean,
    use: (path: NodePath, directory: Step) => void,
  ): number {
    return this.#inParent(
      path,
      (directory, name) =>
        name === "."
          ? -Errno.INVAL
          : done(() => use(this.#path(directory, name, makes), directory)),
    );
  }

  /** The same with a name in each of two directories. */
  #changeTwo(
    path: string,
    to: NodeDirectory,
    toPath: string,
    use: (from: NodePath, to: NodePath, target: Step) => void,
  ): number {
    return this.#inParent(
      path,
      (from, name) =>
        name === "." ? -Errno.INVAL : to.#change(toPath, true, (toName, target) => {
          use(this.#path(from, name), toName, target);
        }),
    );
  }

  mkdir(path: string): number {
    return this.#change(path, true, (target) => void this.#fs.mkdirSync(target));
  }

  rmdir(path: string): number {
    if (this.#context.windows) {
      return this.#change(path, false, (target) => windows.removeDirectory(this.#fs, target));
    }
    return this.#change(path, false, (target) => this.#fs.rmdirSync(target));
  }

  unlink(path: string): number {
    if (this.#context.windows) {
      return this.#change(path, false, (target) => windows.removeFile(this.#fs, target));
    }
    if (!this.#context.deno) {
      return this.#change(path, false, (target) => this.#fs.unlinkSync(target));
    }
    return this.#atPath(path, false, (directory, name, stats) => {
      if (name === ".") return -Errno.INVAL;
      if (filetypeOf(stats) === Filetype.DIRECTORY) return -Errno.ISDIR;
      return done(() => this.#fs.unlinkSync(this.#path(directory, name)));
    });
  }

  rename(path: string, to: Directory, toPath: string): number {
    const target = behind(to);
    if (!(target instanceof NodeDirectory)) return -Errno.XDEV;
    if (this.#context.windows) {
      return this.#changeTwo(path, target, toPath, (one, other, directory) => {
        windows.rename(this.#fs, one, other, (moved) => isBelow(directory, moved));
      });
    }
    return this.#changeTwo(path, target, toPath, (one, other) => this.#fs.renameSync(one, other));
  }

  link(path: string, to: Directory, toPath: string): number {
    const target = behind(to);
    if (!(target instanceof NodeDirectory)) return -Errno.XDEV;
    return this.#changeTwo(path, target, toPath, (one, other) => this.#fs.linkSync(one, other));
  }

  symlink(target: string, path: string): number {
    if (this.#context.windows) {
      return this.#change(path, true, (place) => windows.makeLink(this.#fs, target, place));
    }
    return this.#change(path, true, (place) => this.#fs.symlinkSync(target, place));
  }

  readlink(path: string): string | number {
    return this.#inParent<string | number>(
      path,
      (directory, name) => this.#readlink(directory, name),
    );
  }
}

/** Opens a preopen. Throws an error of node:fs, or one like it. */
export function openDirectory(context: NodeContext, path: string): Directory {
  const { fs } = context;
  if (context.proc) {
    const { O_RDONLY, O_DIRECTORY } = fs.constants;
    const fd = fs.openSync(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const isHostRoot = fs.readlinkSync(`/proc/self/fd/${fd}`) === "/";
    return new NodeDirectory(context, handleStep(fd), true, isHostRoot);
  }
  const real = fs.realpathSync(path);
  const stats = fs.lstatSync(real, { bigint: true });
  if (filetypeOf(stats) !== Filetype.DIRECTORY) {
    throw Object.assign(new Error(`not a directory: ${path}`), { code: "ENOTDIR" });
  }
  const { dev, ino } = stats;
  const self = { fd: -1, path: real, dev, ino, parent: undefined };
  return new NodeDirectory(context, self, true, real === "/");
}
