/**
 * Walking a path beneath a directory, component by component, on handles: for hosts whose system
 * cannot do it in one call.
 *
 * ".." goes back along the handles that were walked, not in the text and not to the parent that
 * the disk has by then, so that moving a directory meanwhile leads nowhere else.
 *
 * @module
 */
import { Errno } from "../errno.ts";

/** The steps that a host supplies. `H` is a handle of a directory. */
export interface Walker<H> {
  /** Opens the directory `name` in `directory`, never following a link; -errno if it fails. */
  child(directory: H, name: string): H | number;
  /** The target of the link `name`; -INVAL if it is no link. */
  readlink(directory: H, name: string): string | number;
  /** Gives back what `child` opened. */
  close(directory: H): void;
}

/** What a step answers when the name is a link that is to be followed. */
export const FOLLOW: unique symbol = Symbol("follow");

/**
 * Whether a link's text may be that of a magic link of /proc, which leads to what a process has open:
 * "/usr/bin/node", "pipe:[1234]", "anon_inode:inotify". The other links there are relative.
 */
export function looksMagic(target: string): boolean {
  return target.startsWith("/") || /^\w+:/.test(target);
}

/** As many as Linux follows. */
const LINKS_MAX = 40;

/**
 * Resolves `path` beneath `root` up to its last component and hands that, with the directory it
 * is in, to `step`, which must not follow links itself. If it answers FOLLOW, the link is read
 * and the walk goes on. A path that ends in the directory walked to gives the name ".".
 *
 * If `root` is the host's own "/" there is nothing outside: absolute links begin there, and ".."
 * stops there.
 *
 * Errors: -PERM for what would leave `root`; -LOOP after 40 links; those of the steps.
 */
export function walk<H, R>(
  walker: Walker<H>,
  root: H,
  path: string,
  isHostRoot: boolean,
  step: (directory: H, name: string) => R | typeof FOLLOW,
): R | number {
  const stack: H[] = [root];
  const todo = path.split("/").reverse();
  let links = 0;
  try {
    for (;;) {
      const name = todo.pop();
      const directory = stack[stack.length - 1]!;
      if (name === undefined) {
        const result = step(directory, ".");
        return result === FOLLOW ? -Errno.LOOP : result;
      }
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (stack.length > 1) walker.close(stack.pop()!);
        else if (!isHostRoot) return -Errno.PERM;
        continue;
      }
      if (todo.length === 0) {
        const result = step(directory, name);
        if (result !== FOLLOW) return result;
      } else {
        const child = walker.child(directory, name);
        if (typeof child !== "number") {
          stack.push(child);
          continue;
        }
        if (child !== -Errno.NOTDIR && child !== -Errno.LOOP) return child;
      }
      // a link, or something that is no directory
      if (++links > LINKS_MAX) return -Errno.LOOP;
      const target = walker.readlink(directory, name);
      if (typeof target === "string") {
        if (target.startsWith("/")) {
          if (!isHostRoot) return -Errno.PERM;
          while (stack.length > 1) walker.close(stack.pop()!);
        }
        todo.push(...target.split("/").reverse());
      } else if (target === -Errno.INVAL && todo.length === 0) {
        todo.push(name); // it was a link a moment ago: look again
      } else return target === -Errno.INVAL ? -Errno.NOTDIR : target;
    }
  } finally {
    while (stack.length > 1) walker.close(stack.pop()!);
  }
}
