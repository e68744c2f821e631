/**
 * Directories over NT's functions: paths are walked one component at a time (core/directories/walk.ts),
 * each opened by its name in the handle of the one before. A reparse point is never followed by
 * the system: links that are relative are read and walked, everything else is refused.
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
} from "../../host.ts";
import { FOLLOW, walk, type Walker } from "../walk.ts";
import { NtFile, setTimesOf, type Volume } from "./file.ts";
import { Listing } from "./listing.ts";
import type { Details, Ntdll } from "./ntdll.ts";
import * as nt from "./nt.ts";

const { Access, Disposition, Options } = nt;

/** Rights to a directory: to list it, and to look at it. */
const DIRECTORY = Access.READ_DATA | Access.READ_ATTRIBUTES;

/** A handle of a directory during a walk. */
interface Step {
  readonly handle: number;
}

/** What `open` answers before a link at the end is dealt with. */
type Opened = File | Directory | number | typeof FOLLOW;

/** Where a preopen was, to be found again. */
interface Parked {
  readonly path: string;
  readonly index: bigint;
}

/** Details to be filled. */
function noDetails(): Details {
  return { directory: false, reparse: false, index: 0n };
}

/** A directory over ntdll. */
export class NtDirectory implements Directory {
  readonly filetype: number = Filetype.DIRECTORY;
  readonly confinement: Confinement = "walk";
  readonly #volume: Volume;
  readonly #ntdll: Ntdll;
  readonly #walker: Walker<Step>;
  /** The path that a preopen was opened by: its ".." is not shown. */
  readonly #rootPath: string | undefined;
  #handle: number;
  #parked: Parked | undefined = undefined;
  #listing: Listing | undefined = undefined;

  constructor(volume: Volume, handle: number, rootPath?: string) {
    this.#volume = volume;
    this.#ntdll = volume.ntdll;
    this.#handle = handle;
    this.#rootPath = rootPath;
    this.#walker = walkerOf(volume.ntdll);
  }

  get #self(): number {
    return this.#handle >= 0 ? this.#handle : this.#unpark();
  }

  /** Calls `step` with the directory that holds the path's last name, not following that. */
  #inParent<R>(path: string, step: (directory: number, name: string) => R): R | number {
    return walk<Step, R>(
      this.#walker,
      { handle: this.#self },
      path,
      false,
      ({ handle }, name) => step(handle, name),
    );
  }

  /** The same for what changes a name: a path that ends in dots has none. */
  #change(path: string, step: (directory: number, name: string) => number): number {
    return this.#inParent(
      path,
      (directory, name) => name === "." ? -Errno.INVAL : step(directory, name),
    );
  }

  /** Opens what a name is, a link itself too. */
  #openItself(directory: number, name: string, access: number): number {
    const options = Options.OPEN_REPARSE_POINT;
    if (name === ".") return this.#ntdll.reopen(directory, access, options);
    return this.#ntdll.openIn(directory, name, access, Disposition.OPEN, options);
  }

  /** Calls `use` with a handle, and closes it. */
  #using<R>(handle: number, use: (handle: number) => R): R | number {
    if (handle < 0) return handle;
    try {
      return use(handle);
    } finally {
      this.#ntdll.close(handle);
    }
  }

  /** Calls `use` with a handle of what a path leads to, opened for its attributes. */
  #atPath(path: string, follow: boolean, use: (handle: number) => number): number {
    const details = noDetails();
    const stat = new FileStat();
    const step = (directory: number, name: string): number | typeof FOLLOW => {
      const handle = this.#openItself(directory, name, Access.READ_ATTRIBUTES);
      return this.#using<number | typeof FOLLOW>(handle, (own) => {
        if (!follow) return use(own);
        const error = this.#ntdll.stat(own, stat, details);
        if (error < 0) return error;
        return details.reparse ? FOLLOW : use(own);
      });
    };
    return this.#inParent(path, step) as number;
  }

  stat(into: FileStat): number {
    return this.#stat(this.#self, into);
  }

  #stat(handle: number, into: FileStat, details?: Details): number {
    into.dev = this.#volume.serial;
    return this.#ntdll.stat(handle, into, details);
  }

  setTimes(atim: bigint, mtim: bigint, flags: number): number {
    return setTimesOf(this.#ntdll, this.#self, atim, mtim, flags);
  }

  /** A directory cannot be flushed by who may only read it, and its changes are logged anyway. */
  sync(_dataOnly: boolean): number {
    return this.#self >= 0 ? 0 : -Errno.BADF;
  }

  close(): void {
    if (this.#handle >= 0) this.#ntdll.close(this.#handle);
    this.#handle = -1;
    this.#parked = undefined;
  }

  park(): void {
    if (this.#handle < 0 || this.#rootPath === undefined) return;
    const stat = new FileStat();
    const path = this.#ntdll.pathOf(this.#handle);
    const known = typeof path === "string" && this.stat(stat) === 0;
    this.close();
    this.#listing = undefined;
    if (known) this.#parked = { path: placeOf(this.#rootPath, path), index: stat.ino };
  }

  #unpark(): number {
    const parked = this.#parked;
    if (parked === undefined) throw new WasiError(Errno.BADF);
    for (const path of [parked.path, this.#rootPath!]) {
      const handle = this.#ntdll.openPath(path);
      if (handle < 0) continue;
      const stat = new FileStat();
      const same = this.#ntdll.stat(handle, stat) === 0 && stat.ino === parked.index &&
        this.#ntdll.volume(handle) === this.#volume.serial;
      if (same) {
        this.#parked = undefined;
        return this.#handle = handle;
      }
      this.#ntdll.close(handle);
    }
    throw new WasiError(Errno.BADF);
  }

  open(path: string, flags: number, fdflags: number): File | Directory | number {
    return this.#inParent<Opened>(
      path,
      (directory, name) => this.#openName(directory, name, flags, fdflags),
    ) as File | Directory | number;
  }

  #openName(directory: number, name: string, flags: number, fdflags: number): Opened {
    const changes = (flags & (Open.WRITE | Open.TRUNC | Open.CREAT)) !== 0;
    const exclusive = (flags & Open.CREAT) !== 0 && (flags & Open.EXCL) !== 0;
    let opened: File | Directory | number;
    if (name === "." || (flags & Open.DIRECTORY) !== 0) {
      opened = this.#openDirectory(directory, name);
      if (changes && typeof opened !== "number") {
        opened.close();
        opened = exclusive ? -Errno.EXIST : -Errno.ISDIR;
      }
    } else {
      opened = this.#openFile(directory, name, flags, fdflags);
      if (opened === -Errno.ISDIR && !changes) opened = this.#openDirectory(directory, name);
    }
    if (opened !== -Errno.LOOP) return opened;
    if (exclusive) return -Errno.EXIST;
    if ((flags & Open.FOLLOW) !== 0) return FOLLOW;
    return (flags & Open.DIRECTORY) !== 0 ? -Errno.NOTDIR : opened;
  }

  /**
   * Opens what stays open with the right to set its times, if it may be had: once it is deleted it
   * cannot be opened again for that.
   */
  #openToKeep(access: number, open: (access: number) => number): number {
    const handle = open(access | Access.WRITE_ATTRIBUTES);
    return handle === -Errno.ACCES ? open(access) : handle;
  }

  #openDirectory(directory: number, name: string): Directory | number {
    const options = Options.DIRECTORY_FILE;
    const handle = this.#openToKeep(
      DIRECTORY,
      (access) =>
        name === "."
          ? this.#ntdll.reopen(directory, access, options)
          : this.#ntdll.openIn(directory, name, access, Disposition.OPEN, options),
    );
    // one that has been removed is still there for who has it open
    const kept = handle === -Errno.NOENT && name === "."
      ? this.#ntdll.duplicate(directory)
      : handle;
    return kept < 0 ? kept : new NtDirectory(this.#volume, kept);
  }

  #openFile(directory: number, name: string, flags: number, fdflags: number): File | number {
    const has = (flag: number): boolean => (flags & flag) !== 0;
    let access: number = Access.READ_ATTRIBUTES;
    if (has(Open.READ)) access |= Access.GENERIC_READ;
    if (has(Open.WRITE)) access |= Access.GENERIC_WRITE;
    // what the guest may do is decided by its rights; cutting needs this one here
    if (has(Open.TRUNC)) access |= Access.WRITE_DATA;
    const synced = (fdflags & (Fdflags.DSYNC | Fdflags.RSYNC | Fdflags.SYNC)) !== 0;
    const disposition = !has(Open.CREAT)
      ? Disposition.OPEN
      : has(Open.EXCL)
      ? Disposition.CREATE
      : Disposition.OPEN_IF;
    const options = Options.NON_DIRECTORY_FILE | (synced ? Options.WRITE_THROUGH : 0);
    const handle = this.#openToKeep(
      access,
      (access) => this.#ntdll.openIn(directory, name, access, disposition, options),
    );
    if (handle < 0) return handle;
    // not by a disposition that overwrites: that would change its attributes, too
    const error = has(Open.TRUNC) && this.#ntdll.wasThere ? this.#ntdll.setSize(handle, 0) : 0;
    if (error === 0) {
      return new NtFile(this.#volume, handle, (fdflags & Fdflags.APPEND) !== 0);
    }
    this.#ntdll.close(handle);
    return error;
  }

  statAt(path: string, follow: boolean, into: FileStat): number {
    const details = noDetails();
    const step = (directory: number, name: string): number | typeof FOLLOW => {
      const handle = this.#openItself(directory, name, Access.READ_ATTRIBUTES);
      const error = this.#using(handle, (own) => this.#stat(own, into, details));
      return error === 0 && follow && details.reparse ? FOLLOW : error;
    };
    return this.#inParent(path, step) as number;
  }

  setTimesAt(path: string, follow: boolean, atim: bigint, mtim: bigint, flags: number): number {
    return this.#atPath(
      path,
      follow,
      (handle) => setTimesOf(this.#ntdll, handle, atim, mtim, flags),
    );
  }

  list(cookie: bigint, sink: DirentSink): number {
    this.#listing ??= new Listing(this.#ntdll);
    return this.#listing.list(this.#self, this.#rootPath !== undefined, cookie, sink);
  }

  mkdir(path: string): number {
    const { CREATE } = Disposition;
    return this.#change(path, (directory, name) => {
      const made = this.#ntdll.openIn(directory, name, DIRECTORY, CREATE, Options.DIRECTORY_FILE);
      if (made === -Errno.LOOP) return -Errno.EXIST;
      return this.#using(made, () => 0);
    });
  }

  /** Deletes a name that is, or is not, a directory's. A link to a directory is none. */
  #remove(directory: number, name: string, wanted: boolean): number {
    const access = Access.DELETE | Access.READ_ATTRIBUTES;
    return this.#using(this.#openItself(directory, name, access), (handle) => {
      const details = noDetails();
      const error = this.#ntdll.stat(handle, new FileStat(), details);
      if (error < 0) return error;
      if (details.directory !== wanted) return wanted ? -Errno.NOTDIR : -Errno.ISDIR;
      return this.#ntdll.delete(handle);
    });
  }

  rmdir(path: string): number {
    return this.#change(path, (directory, name) => this.#remove(directory, name, true));
  }

  unlink(path: string): number {
    return this.#change(path, (directory, name) => this.#remove(directory, name, false));
  }

  rename(path: string, to: Directory, toPath: string): number {
    const target = behind(to);
    if (!(target instanceof NtDirectory)) return -Errno.XDEV;
    const access = Access.DELETE | Access.READ_ATTRIBUTES;
    return this.#change(
      path,
      (directory, name) =>
        target.#change(toPath, (toDirectory, toName) =>
          this.#using(
            this.#openItself(directory, name, access),
            (handle) => this.#rename(handle, directory, name, toDirectory, toName),
          )),
    );
  }

  #rename(
    handle: number,
    directory: number,
    name: string,
    toDirectory: number,
    toName: string,
  ): number {
    const source = noDetails();
    const there = noDetails();
    const stat = new FileStat();
    const error = this.#ntdll.stat(handle, stat, source);
    if (error < 0) return error;
    if (source.directory && this.#isBeneath(toDirectory, handle)) return -Errno.INVAL;
    const found = this.#using(
      this.#openItself(toDirectory, toName, Access.READ_ATTRIBUTES),
      (own) => {
        const error = this.#ntdll.stat(own, stat, there);
        // Linux looks at this before it compares what they are
        const holds = error === 0 && there.directory && there.index !== source.index &&
          this.#isBeneath(directory, own);
        return holds ? -Errno.NOTEMPTY : error;
      },
    );
    if (found < 0) {
      return found === -Errno.NOENT ? this.#ntdll.rename(handle, toDirectory, toName) : found;
    }
    if (there.index === source.index) {
      // two names of one file: nothing to do, unless it is the same name in another case
      const recased = name !== toName && name.toLowerCase() === toName.toLowerCase();
      return recased ? this.#ntdll.rename(handle, toDirectory, toName) : 0;
    }
    if (there.directory !== source.directory) return there.directory ? -Errno.ISDIR : -Errno.NOTDIR;
    const renamed = this.#ntdll.rename(handle, toDirectory, toName);
    const refused = renamed === -Errno.ACCES || renamed === -Errno.EXIST;
    // no directory is replaced, and no link to one
    const steps = refused && (source.directory || source.reparse || there.reparse);
    return steps ? this.#replace(handle, toDirectory, toName, source.directory) : renamed;
  }

  /** What the system does not replace is removed first; an empty directory is put back on failure. */
  #replace(handle: number, toDirectory: number, toName: string, directory: boolean): number {
    const removed = this.#remove(toDirectory, toName, directory);
    if (removed < 0) return removed;
    const renamed = this.#ntdll.rename(handle, toDirectory, toName);
    if (renamed < 0 && directory) {
      const { CREATE } = Disposition;
      const options = Options.DIRECTORY_FILE;
      const again = this.#ntdll.openIn(toDirectory, toName, DIRECTORY, CREATE, options);
      if (again >= 0) this.#ntdll.close(again);
    }
    return renamed;
  }

  /** Whether a directory is another one, or in it, as far as their paths tell. */
  #isBeneath(directory: number, other: number): boolean {
    const [inner, outer] = [this.#ntdll.pathOf(directory), this.#ntdll.pathOf(other)];
    if (typeof inner !== "string" || typeof outer !== "string") return false;
    return `${inner}\\`.toLowerCase().startsWith(`${outer}\\`.toLowerCase());
  }

  link(path: string, to: Directory, toPath: string): number {
    const target = behind(to);
    if (!(target instanceof NtDirectory)) return -Errno.XDEV;
    const access = Access.WRITE_ATTRIBUTES | Access.READ_ATTRIBUTES;
    return this.#change(
      path,
      (directory, name) =>
        target.#change(
          toPath,
          (toDirectory, toName) =>
            this.#using(this.#openItself(directory, name, access), (handle) => {
              const details = noDetails();
              const error = this.#ntdll.stat(handle, new FileStat(), details);
              if (error < 0) {
                return error;
              }
              if (!details.directory) return this.#ntdll.link(handle, toDirectory, toName);
              const there = this.#openItself(toDirectory, toName, Access.READ_ATTRIBUTES);
              return this.#using(there, () => 0) === 0 ? -Errno.EXIST : -Errno.PERM;
            }),
        ),
    );
  }

  symlink(target: string, path: string): number {
    const slash = path.lastIndexOf("/");
    const place = slash < 0 ? target : `${path.slice(0, slash)}/${target}`;
    const stat = new FileStat();
    // Windows has links to directories and links to files
    const directory = !target.startsWith("/") && this.statAt(place, true, stat) === 0 &&
      stat.filetype === Filetype.DIRECTORY;
    const options = Options.OPEN_REPARSE_POINT |
      (directory ? Options.DIRECTORY_FILE : Options.NON_DIRECTORY_FILE);
    const access = Access.WRITE_DATA | Access.WRITE_ATTRIBUTES | Access.DELETE;
    return this.#change(path, (parent, name) => {
      if (target === "") return -Errno.NOENT;
      const made = this.#ntdll.openIn(parent, name, access, Disposition.CREATE, options);
      return this.#using(made, (handle) => {
        const error = this.#ntdll.makeLink(handle, target);
        if (error < 0) this.#ntdll.delete(handle);
        return error;
      });
    });
  }

  readlink(path: string): string | number {
    return this.#inParent<string | number>(path, (directory, name) => {
      if (name === ".") return -Errno.INVAL;
      return this.#walker.readlink({ handle: directory }, name);
    });
  }
}

/** The steps of a walk. */
function walkerOf(ntdll: Ntdll): Walker<Step> {
  return {
    child({ handle }, name) {
      const options = Options.DIRECTORY_FILE;
      const child = ntdll.openIn(handle, name, DIRECTORY, Disposition.OPEN, options);
      return child < 0 ? child : { handle: child };
    },
    readlink({ handle }, name) {
      const options = Options.OPEN_REPARSE_POINT;
      const { OPEN } = Disposition;
      const link = ntdll.openIn(handle, name, Access.READ_ATTRIBUTES, OPEN, options);
      if (link < 0) return link;
      const target = ntdll.readlink(link);
      ntdll.close(link);
      return target;
    },
    close: ({ handle }) => ntdll.close(handle),
  };
}

/** A path from a volume's root, on the drive or share of another path; both in NT's form. */
function placeOf(rootPath: string, path: string): string {
  const share = /^\\\?\?\\UNC(?=\\)/i.exec(rootPath);
  const prefix = share?.[0] ?? /^\\\?\?\\[^\\]+/.exec(rootPath)?.[0] ?? "";
  return prefix + path;
}

/** The path that a directory has now, as Windows' users write it, or -errno. */
export function realPathOf(ntdll: Ntdll, handle: number, rootPath: string): string | number {
  const path = ntdll.pathOf(handle);
  if (typeof path === "number") return path;
  return placeOf(rootPath, path).replace(/^\\\?\?\\(UNC(?=\\))?/i, (_, share) => share ? "\\" : "");
}

/** An absolute path of Windows in NT's form, or undefined if it is none. */
export function ntPathOf(path: string): string | undefined {
  const given = path.replaceAll("/", "\\");
  if (/^\\\\[?.]\\/.test(given)) return `\\??\\${given.slice(4)}`;
  if (given.startsWith("\\\\")) return `\\??\\UNC\\${given.slice(2)}`;
  return /^[a-z]:\\/i.test(given) ? `\\??\\${given}` : undefined;
}
