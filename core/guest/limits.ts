/**
 * The option `limits`: how much of the host's resources a guest may use.
 *
 * @module
 */
import { Errno } from "../errno.ts";
import { WrappedFile } from "../directories/wrapped.ts";
import type { File } from "../host.ts";
import { invalidType, outOfRange } from "../errors.ts";
import { validateNames, validateObject } from "../validate.ts";

/** How much a guest may use. What is left out is not limited. */
export interface Limits {
  /** Descriptors that it has opened itself and not closed. Beyond: MFILE. */
  openFiles?: number;
  /**
   * Bytes by which files may grow in all preopens together, including holes, and bytes that a
   * directory in memory copies: an overlay copies the pages of 64 KiB that are written to, and so
   * does `memory()` after `snapshot()`. Beyond: DQUOT.
   */
  diskBytes?: number;
  /**
   * Files, directories and links that it may add, less those that it removes. Beyond: DQUOT.
   * Default: with `diskBytes` one for each KiB of it, at least 1,000.
   */
  files?: number;
  /** Bytes that it may write to standard output and error together. Beyond: FBIG. */
  outputBytes?: number;
  /**
   * Pages of 64 KiB that its memory may have. A memory that is larger at the start is refused with
   * `ERR_OUT_OF_RANGE`; a guest whose memory has grown beyond is stopped at its next system call,
   * with an error of that code. `limitMemory()` makes `memory.grow` itself fail, which `run()` does
   * with the bytes of a program: then it is what all memories and tables may have together, an
   * element of a table counting as 64 bytes. Objects of the garbage collector are not counted.
   */
  memoryPages?: number;
}

/** The limits as numbers, Infinity for none. */
export type EveryLimit = Required<Limits>;

const NAMES: readonly (keyof Limits)[] = [
  "openFiles",
  "diskBytes",
  "files",
  "outputBytes",
  "memoryPages",
];
const FILES_MIN = 1000;

/** The option `limits`, checked and complete. */
export function validateLimits(value: unknown): EveryLimit {
  if (value === undefined) value = {};
  validateObject(value, "options.limits");
  const limits = {} as EveryLimit;
  for (const name of NAMES) {
    const limit = (value as Limits)[name];
    if (limit === undefined) {
      limits[name] = Infinity;
      continue;
    }
    const full = `options.limits.${name}`;
    if (typeof limit !== "number") throw invalidType(full, "of type number", limit);
    if (limit !== Infinity && !Number.isInteger(limit)) throw outOfRange(full, "an integer", limit);
    if (limit < 0) throw outOfRange(full, ">= 0", limit);
    limits[name] = limit;
  }
  validateNames(value, NAMES, "options.limits");
  if ((value as Limits).files === undefined) {
    limits.files = Math.max(FILES_MIN, Math.floor(limits.diskBytes / 1024));
  }
  return limits;
}

/** Counts what is written to several streams together. */
export class OutputLimit {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** The stream with the limit before it. */
  before(file: File): File {
    return new LimitedOutput(file, this);
  }

  get left(): number {
    return this.#left;
  }

  written(bytes: number): void {
    this.#left -= bytes;
  }
}

class LimitedOutput extends WrappedFile {
  readonly #limit: OutputLimit;

  constructor(inner: File, limit: OutputLimit) {
    super(inner);
    this.#limit = limit;
  }

  override write(from: Uint8Array, offset: number, length: number, position: number): number {
    const { left } = this.#limit;
    if (left <= 0 && length > 0) return -Errno.FBIG;
    const count = this.inner.write(from, offset, Math.min(length, left), position);
    if (count > 0) this.#limit.written(count);
    return count;
  }
}
