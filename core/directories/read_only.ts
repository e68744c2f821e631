/**
 * A directory that cannot be changed through this handle, whatever it is made of.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import { FileStat } from "../filestat.ts";
import { type Directory, type File, Filetype, Open } from "../host.ts";
import { WrappedDirectory, WrappedFile } from "./wrapped.ts";

const CHANGES = Open.WRITE | Open.TRUNC;

/** The directory that holds a path's last name. */
function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || ".";
}

/** Shows another directory; every change is ROFS, as on a disk that is mounted read-only. */
export class ReadOnlyDirectory extends WrappedDirectory {
  override readonly readOnly: boolean = true;
  readonly #stat: FileStat = new FileStat();

  override setTimes(): number {
    return -Errno.ROFS;
  }

  /** There is nothing that could wait to be written. */
  override sync(): number {
    return 0;
  }

  override open(path: string, flags: number, fdflags: number): File | Directory | number {
    if ((flags & (CHANGES | Open.CREAT)) !== 0) {
      // what is wrong with the path itself comes first, as open(2) has it
      const follow = (flags & Open.FOLLOW) !== 0 && (flags & Open.EXCL) === 0;
      const error = this.inner.statAt(path, follow, this.#stat);
      if (error === -Errno.NOENT && (flags & Open.CREAT) !== 0) return this.#missing(path);
      if (error < 0) return error;
      if ((flags & Open.CREAT) !== 0 && (flags & Open.EXCL) !== 0) return -Errno.EXIST;
      if (this.#stat.filetype === Filetype.DIRECTORY) return -Errno.ISDIR;
      if ((flags & Open.DIRECTORY) !== 0) return -Errno.NOTDIR;
      if (this.#stat.filetype === Filetype.SYMBOLIC_LINK) return -Errno.LOOP;
      if ((flags & CHANGES) !== 0) return -Errno.ROFS;
    }
    const opened = this.inner.open(path, flags & ~Open.CREAT, fdflags);
    if (typeof opened === "number") return opened;
    return opened.filetype === Filetype.DIRECTORY
      ? new ReadOnlyDirectory(opened as Directory)
      : new ReadOnlyFile(opened as File);
  }

  /** What becomes of making a name: what is wrong with the path it lies in, or ROFS. */
  #missing(path: string): number {
    const error = this.inner.statAt(parentOf(path), true, this.#stat);
    if (error < 0) return error;
    return this.#stat.filetype === Filetype.DIRECTORY ? -Errno.ROFS : -Errno.NOTDIR;
  }

  /** ROFS if the path is there. */
  #change(path: string, follow: boolean = false): number {
    const error = this.inner.statAt(path, follow, this.#stat);
    return error < 0 ? error : -Errno.ROFS;
  }

  /** EXIST if the path is there, else why it cannot be made. */
  #make(path: string): number {
    const error = this.inner.statAt(path, false, this.#stat);
    if (error === 0) return -Errno.EXIST;
    return error === -Errno.NOENT ? this.#missing(path) : error;
  }

  override setTimesAt(path: string, follow: boolean): number {
    return this.#change(path, follow);
  }

  override mkdir(path: string): number {
    return this.#make(path);
  }

  override rmdir(path: string): number {
    return this.#change(path);
  }

  override unlink(path: string): number {
    return this.#change(path);
  }

  override rename(path: string): number {
    return this.#change(path);
  }

  override link(path: string): number {
    return this.#change(path);
  }

  override symlink(_target: string, path: string): number {
    return this.#make(path);
  }
}

/** A file of such a directory: it can be read, and that is all. */
class ReadOnlyFile extends WrappedFile {
  override write(): number {
    return -Errno.BADF;
  }

  override setTimes(): number {
    return -Errno.ROFS;
  }

  override setSize(): number {
    return -Errno.ROFS;
  }

  override allocate(): number {
    return -Errno.ROFS;
  }

  override sync(): number {
    return 0;
  }
}
