/**
 * A directory on the way of a path, and the flags with which something in it is opened.
 *
 * @module
 */
import { Fdflags, Open } from "../../host.ts";
import { type NodeContext, O_CLOEXEC } from "./context.ts";

/** Which file it is, whatever it is called. */
export interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A directory on the way: a handle with /proc, a path and an identity without. */
export interface Step extends Identity {
  /** -1 without /proc */
  readonly fd: number;
  readonly path: string;
  /** where it was reached from */
  readonly parent: Step | undefined;
}

export function same(one: Identity, other: Identity): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** A handle, with what only `checked` needs left out. */
export function handleStep(fd: number): Step {
  return { fd, path: "", dev: 0n, ino: 0n, parent: undefined };
}

/** Whether a directory is another one or in it, as far as is known of the way to it. */
export function isBelow(directory: Step, other: Identity): boolean {
  for (let step: Step | undefined = directory; step; step = step.parent) {
    if (same(step, other)) return true;
  }
  return false;
}

export function hostFlags(context: NodeContext, flags: number, fdflags: number): number {
  // Windows has not all of them
  const constants: Record<string, number | undefined> = context.fs.constants as never;
  const flag = (name: string): number => constants[name] ?? 0;
  // What the guest may do is decided by its rights; here it is what the host needs for its flags.
  const needs = context.deno ? Open.WRITE | Open.TRUNC | Open.CREAT : Open.WRITE;
  const writes = (flags & needs) !== 0;
  const reads = (flags & Open.READ) !== 0 || (flags & Open.WRITE) === 0;
  let how = flag("O_NOFOLLOW") | flag("O_NOCTTY") | flag("O_NONBLOCK");
  if (context.proc) how |= O_CLOEXEC;
  how |= writes ? flag(reads ? "O_RDWR" : "O_WRONLY") : flag("O_RDONLY");
  if ((flags & Open.CREAT) !== 0) how |= flag("O_CREAT");
  if ((flags & Open.EXCL) !== 0) how |= flag("O_EXCL");
  if ((flags & Open.TRUNC) !== 0) how |= flag("O_TRUNC");
  if ((flags & Open.DIRECTORY) !== 0) how |= flag("O_DIRECTORY");
  if ((fdflags & Fdflags.APPEND) !== 0) how |= flag("O_APPEND");
  if ((fdflags & Fdflags.DSYNC) !== 0) how |= flag("O_DSYNC");
  if ((fdflags & (Fdflags.SYNC | Fdflags.RSYNC)) !== 0) how |= flag("O_SYNC");
  return how;
}
