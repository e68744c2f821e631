/**
 * Directories and files over libc. The kernel resolves each path beneath its directory; changes of
 * a name are made with a handle of the directory it is in and the one name.
 *
 * @module
 */
import { behind } from "../wrapped.ts";
import { Errno, WasiError } from "../../errno.ts";
import { FileStat } from "../../filestat.ts";
import {
  type Confinement,
  type Directory,
  type DirentSink,
  Fdflags,
  type File,
  Filetype,
  Open,
  type StreamAccess,
} from "../../host.ts";
import { FOLLOW, looksMagic, walk, type Walker } from "../walk.ts";
import type { Lister, PosixLibc } from "./interface.ts";
import * as linux from "./linux.ts";

/** How bytes are moved: through libc, or where that is faster through the runtime. */
export interface Transfers {
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number): number;
  write(fd: number, from: Uint8Array, offset: number, length: number, position: number): number;
}

/** What the directories of one host share. */
export interface Context {
  readonly libc: PosixLibc;
  /** Makes what reads one open directory. */
  readonly lister: () => Lister;
  readonly transfers: Transfers;
  /** Where sockets can be had. */
  readonly sockets?: {
    listen(host: string, port: number): File;
    inherited(fd: number): File;
  };
  /** Whether the kernel resolves; false where a seccomp filter or its age refuses openat2. */
  readonly beneath: boolean;
}

function hostFlags(libc: PosixLibc, flags: number, fdflags: number): number {
  const writes = (flags & Open.WRITE) !== 0;
  const reads = (flags & Open.READ) !== 0;
  // Without NONBLOCK a FIFO would hold the whole process until somebody opens its other end.
  let how = linux.O_CLOEXEC | linux.O_NOCTTY | linux.O_NONBLOCK;
  how |= writes ? (reads ? linux.O_RDWR : linux.O_WRONLY) : linux.O_RDONLY;
  if ((flags & Open.CREAT) !== 0) how |= linux.O_CREAT;
  if ((flags & Open.EXCL) !== 0) how |= linux.O_EXCL;
  if ((flags & Open.TRUNC) !== 0) how |= linux.O_TRUNC;
  if ((flags & Open.DIRECTORY) !== 0) how |= libc.arch.O_DIRECTORY;
  if ((flags & Open.FOLLOW) === 0) how |= libc.arch.O_NOFOLLOW;
  if ((fdflags & Fdflags.APPEND) !== 0) how |= linux.O_APPEND;
  if ((fdflags & Fdflags.DSYNC) !== 0) how |= linux.O_DSYNC;
  if ((fdflags & (Fdflags.SYNC | Fdflags.RSYNC)) !== 0) how |= linux.O_SYNC;
  return how;
}

/** Whether a path is one name, of something that is in the directory itself. */
function isName(path: string): boolean {
  return path !== "" && path !== "." && path !== ".." && !path.includes("/");
}

/** A handle of a directory during a walk. */
interface Step {
  readonly fd: number;
}

/** A directory over libc. */
export class LibcDirectory implements Directory {
  readonly filetype: number = Filetype.DIRECTORY;
  readonly confinement: Confinement;
  readonly #context: Context;
  readonly #libc: PosixLibc;
  readonly #walker: Walker<Step>;
  /** A preopen: its ".." is not shown. */
  readonly #isRoot: boolean;
  /** The host's own "/", outside of which there is nothing: absolute links are followed. */
  readonly isHostRoot: boolean;
  #handle: number;
  /** How to find it again after parking. */
  #parked: { path: string; dev: bigint; ino: bigint } | undefined = undefined;
  #lister: Lister | undefined = undefined;

  constructor(context: Context, fd: number, isRoot: boolean, isHostRoot: boolean = false) {
    this.isHostRoot = isHostRoot;
    this.#context = context;
    this.#libc = context.libc;
    this.#handle = fd;
    this.#isRoot = isRoot;
    this.confinement = context.beneath ? "kernel" : "walk";
    this.#walker = walkerOf(context.libc);
  }

  get #fd(): number {
    return this.#handle >= 0 ? this.#handle : this.#unpark();
  }

  stat(into: FileStat): number {
    return this.#libc.fstat(this.#fd, into);
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return this.#libc.futimens(this.#fd, atim, mtim, flags);
  }

  sync(dataOnly: boolean): number {
    return this.#libc.sync(this.#fd, dataOnly);
  }

  close(): void {
    if (this.#handle >= 0) this.#libc.close(this.#handle);
    this.#handle = -1;
    this.#parked = undefined;
  }

  park(): void {
    if (this.#handle < 0) return;
    const stat = new FileStat();
    const path = this.#libc.pathOf(this.#handle);
    const known = typeof path === "string" && this.stat(stat) === 0;
    this.close();
    if (known) this.#parked = { path, dev: stat.dev, ino: stat.ino };
    this.#lister = undefined;
  }

  #unpark(): number {
    const parked = this.#parked;
    if (parked === undefined) throw new WasiError(Errno.BADF);
    const flags = linux.O_CLOEXEC | this.#libc.arch.O_DIRECTORY | this.#libc.arch.O_NOFOLLOW;
    const fd = this.#libc.openat(linux.AT_FDCWD, parked.path, flags, 0);
    if (fd < 0) throw new WasiError(Errno.BADF);
    const stat = new FileStat();
    if (this.#libc.fstat(fd, stat) < 0 || stat.dev !== parked.dev || stat.ino !== parked.ino) {
      this.#libc.close(fd);
      throw new WasiError(Errno.BADF);
    }
    this.#parked = undefined;
    return this.#handle = fd;
  }

  /** Opens a path beneath, links followed unless O_NOFOLLOW is among the flags. */
  #open(path: string, flags: number, mode: number): number {
    const libc = this.#libc;
    if (this.#context.beneath) {
      return libc.openBeneath(this.#fd, path, flags, mode, this.isHostRoot);
    }
    if (isName(path)) {
      const fd = this.#openName(this.#fd, path, flags, mode);
      if (fd !== FOLLOW) return fd;
    }
    return walk(
      this.#walker,
      { fd: this.#fd },
      path,
      this.isHostRoot,
      (directory, name) => this.#openName(directory.fd, name, flags, mode),
    );
  }

  /** Opens one name in a directory; FOLLOW if it is a link that is to be followed. */
  #openName(directory: number, name: string, flags: number, mode: number): number | typeof FOLLOW {
    const libc = this.#libc;
    const nofollow = libc.arch.O_NOFOLLOW;
    const fd = libc.openat(directory, name, flags | nofollow, mode);
    if ((flags & nofollow) !== 0 || name === ".") return fd;
    const asPath = (flags & linux.O_PATH) !== 0;
    if (fd >= 0 && asPath && libc.filetype(fd) === Filetype.SYMBOLIC_LINK) {
      libc.close(fd);
      return FOLLOW;
    }
    if (fd === -Errno.LOOP) return FOLLOW;
    // with O_DIRECTORY a link is NOTDIR, and so is a file
    const link = fd === -Errno.NOTDIR && typeof libc.readlinkat(directory, name) === "string";
    return link ? FOLLOW : fd;
  }

  /** Calls `use` with a handle of the directory that holds the path's last name. */
  #inParent(path: string, use: (fd: number, name: string) => number): number {
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    if (name === "." || name === "..") return -Errno.INVAL; // no name: it could be one outside
    if (slash < 0) return use(this.#fd, name);
    const flags = linux.O_PATH | linux.O_CLOEXEC | this.#libc.arch.O_DIRECTORY;
    const parent = this.#open(path.slice(0, slash), flags, 0);
    if (parent < 0) return parent;
    try {
      return use(parent, name);
    } finally {
      this.#libc.close(parent);
    }
  }

  /**
   * Calls `use` with a handle, opened with O_PATH, of what a path leads to and "" for a name; or,
   * without such handles, with the directory that holds it and its name, which is not a link
   * that is to be followed.
   */
  #atPath(path: string, follow: boolean, use: (fd: number, name: string) => number): number {
    if (!this.#libc.pathHandles) return this.#atName(path, follow, use);
    const nofollow = follow ? 0 : this.#libc.arch.O_NOFOLLOW;
    const fd = this.#open(path, linux.O_PATH | linux.O_CLOEXEC | nofollow, 0);
    if (fd < 0) return fd;
    try {
      return use(fd, "");
    } finally {
      this.#libc.close(fd);
    }
  }

  #atName(path: string, follow: boolean, use: (fd: number, name: string) => number): number {
    const stat = new FileStat();
    return walk(this.#walker, { fd: this.#fd }, path, this.isHostRoot, ({ fd }, name) => {
      if (!follow) return use(fd, name);
      const error = this.#libc.stat(fd, name, stat);
      if (error < 0) return error;
      return stat.filetype === Filetype.SYMBOLIC_LINK ? FOLLOW : use(fd, name);
    });
  }

  open(path: string, flags: number, fdflags: number): File | Directory | number {
    const how = hostFlags(this.#libc, flags, fdflags);
    const fd = this.#open(path, how, (flags & Open.CREAT) === 0 ? 0 : 0o666);
    if (fd < 0) return fd;
    const filetype = (flags & Open.DIRECTORY) !== 0 ? Filetype.DIRECTORY : this.#libc.filetype(fd);
    if (filetype === Filetype.DIRECTORY) return new LibcDirectory(this.#context, fd, false);
    if (filetype < 0) {
      this.#libc.close(fd);
      return filetype;
    }
    return new LibcFile(this.#context, fd, filetype);
  }

  statAt(path: string, follow: boolean, into: FileStat): number {
    if (!path.includes("/") && path !== "..") {
      const error = this.#libc.stat(this.#fd, path, into);
      if (error < 0 || !follow || into.filetype !== Filetype.SYMBOLIC_LINK) return error;
    }
    return this.#atPath(
      path,
      follow,
      (fd, name) => name === "" ? this.#libc.fstat(fd, into) : this.#libc.stat(fd, name, into),
    );
  }

  setTimesAt(path: string, follow: boolean, atim: bigint, mtim: bigint, flags: number): number {
    return this.#atPath(
      path,
      follow,
      (fd, name) => this.#libc.utimensat(fd, name, atim, mtim, flags),
    );
  }

  list(cookie: bigint, sink: DirentSink): number {
    this.#lister ??= this.#context.lister();
    return this.#lister.list(this.#fd, this.#isRoot, cookie, sink);
  }

  mkdir(path: string): number {
    return this.#inParent(path, (fd, name) => this.#libc.mkdirat(fd, name));
  }

  rmdir(path: string): number {
    return this.#inParent(
      path,
      (fd, name) => this.#libc.unlinkat(fd, name, linux.AT_REMOVEDIR),
    );
  }

  unlink(path: string): number {
    return this.#inParent(path, (fd, name) => this.#libc.unlinkat(fd, name, 0));
  }

  rename(path: string, to: Directory, toPath: string): number {
    const target = behind(to);
    if (!(target instanceof LibcDirectory)) return -Errno.XDEV;
    return this.#inParent(
      path,
      (fd, name) =>
        target.#inParent(toPath, (toFd, toName) => this.#libc.renameat(fd, name, toFd, toName)),
    );
  }

  link(path: string, to: Directory, toPath: string): number {
    const target = behind(to);
    if (!(target instanceof LibcDirectory)) return -Errno.XDEV;
    return this.#inParent(
      path,
      (fd, name) =>
        target.#inParent(toPath, (toFd, toName) => this.#libc.linkat(fd, name, toFd, toName)),
    );
  }

  symlink(target: string, path: string): number {
    return this.#inParent(path, (fd, name) => this.#libc.symlinkat(target, fd, name));
  }

  readlink(path: string): string | number {
    let target: string | number = -Errno.INVAL;
    const error = this.#inParent(path, (fd, name) => {
      target = this.#libc.readlinkat(fd, name);
      return 0;
    });
    return error < 0 ? error : target;
  }
}

/**
 * Whether a directory is one of /proc's, whose links to what a process has open nobody here follows:
 * the kernel does not either, where it resolves (RESOLVE_NO_MAGICLINKS).
 */
function isInProc(libc: PosixLibc, fd: number): boolean {
  const [here, proc] = [new FileStat(), new FileStat()];
  return libc.fstat(fd, here) === 0 && libc.stat(linux.AT_FDCWD, "/proc", proc) === 0 &&
    here.dev === proc.dev;
}

/** The steps of a walk with openat(2), for kernels that cannot resolve beneath. */
function walkerOf(libc: PosixLibc): Walker<Step> {
  const flags = linux.O_PATH | linux.O_CLOEXEC | libc.arch.O_DIRECTORY | libc.arch.O_NOFOLLOW;
  return {
    child(directory, name) {
      const fd = libc.openat(directory.fd, name, flags, 0);
      return fd < 0 ? fd : { fd };
    },
    readlink(directory, name) {
      const target = libc.readlinkat(directory.fd, name);
      const isMagic = typeof target === "string" && looksMagic(target) &&
        isInProc(libc, directory.fd);
      return isMagic ? -Errno.LOOP : target;
    },
    close: (directory) => libc.close(directory.fd),
  };
}

/** A file over libc: opened by a guest, or a stream that the process inherited. */
export class LibcFile implements File {
  readonly filetype: number;
  readonly seekable: boolean;
  readonly direct: boolean = true;
  /** -1 once it is closed: the system gives the number to whoever opens something next. */
  fd: number;
  readonly #libc: PosixLibc;
  readonly #transfers: Transfers;

  constructor(context: Context, fd: number, filetype: number) {
    this.#libc = context.libc;
    this.#transfers = context.transfers;
    this.fd = fd;
    this.filetype = filetype;
    this.seekable = filetype === Filetype.REGULAR_FILE || filetype === Filetype.BLOCK_DEVICE ||
      (filetype === Filetype.CHARACTER_DEVICE && !context.libc.isatty(fd));
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#transfers.read(this.fd, into, offset, length, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): number {
    return this.#transfers.write(this.fd, from, offset, length, position);
  }

  tell(): number {
    return this.#libc.lseek(this.fd, 0, 1);
  }

  stat(into: FileStat): number {
    return this.#libc.fstat(this.fd, into);
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return this.#libc.futimens(this.fd, atim, mtim, flags);
  }

  sync(dataOnly: boolean): number {
    return this.#libc.sync(this.fd, dataOnly);
  }

  setSize(size: number): number {
    return this.#libc.ftruncate(this.fd, size);
  }

  allocate(offset: number, length: number): number {
    const before = new FileStat();
    const stat = this.#libc.fstat(this.fd, before);
    const error = stat < 0 ? stat : this.#libc.allocate(this.fd, offset, length);
    if (error === 0) return 0;
    // What fitted on a full disk stays there: a guest must not keep what it was refused.
    const after = new FileStat();
    if (this.#libc.fstat(this.fd, after) === 0 && after.length > before.length) {
      this.#libc.ftruncate(this.fd, before.length);
    }
    return error;
  }

  advise(offset: number, length: number, advice: number): number {
    return this.#libc.advise(this.fd, offset, length, advice);
  }

  setFlags(fdflags: number): number {
    const append = (fdflags & Fdflags.APPEND) !== 0 ? linux.O_APPEND : 0;
    const now = this.#libc.fcntl(this.fd, linux.F_GETFL, 0);
    if (now < 0) return now;
    return this.#libc.fcntl(this.fd, linux.F_SETFL, (now & ~linux.O_APPEND) | append);
  }

  close(): void {
    const { fd } = this;
    this.fd = -1;
    if (fd >= 0) this.#libc.close(fd);
  }
}

/** A stream that the process has open: it stays open, and its position is the system's own. */
export class LibcStream extends LibcFile {
  readonly #host: PosixLibc;

  constructor(context: Context, fd: number, filetype: number) {
    // A directory as a standard stream would be a way around all preopens.
    super(context, fd, filetype === Filetype.DIRECTORY ? Filetype.UNKNOWN : filetype);
    this.#host = context.libc;
  }

  seek(delta: number, whence: number): number {
    return this.#host.lseek(this.fd, delta, whence);
  }

  access(): StreamAccess {
    const flags = Math.max(0, this.#host.fcntl(this.fd, linux.F_GETFL, 0));
    const mode = flags & linux.O_ACCMODE;
    return {
      read: mode !== linux.O_WRONLY,
      write: mode !== linux.O_RDONLY,
      fdflags: (flags & linux.O_APPEND) !== 0 ? Fdflags.APPEND : 0,
    };
  }

  /** Flags of a stream are shared with whoever else has it open: they are not the guest's. */
  override setFlags(): number {
    return -Errno.NOTSUP;
  }

  /** So is how it is read ahead: advice may be ignored. */
  override advise(): number {
    return 0;
  }

  override close(): void {}
}
