/**
 * The words that the command is started with, out of reach of the runtime.
 *
 * Node looks for `--env-file` among all words of its command line, and for
 * `--experimental-config-file` even among those behind `--`. Both name files that change how Node
 * itself runs. So who starts the command with words of others puts a mark before each of them.
 *
 * @module
 */

/** Before words that have a mark each, as scripts/package/wasi gives them. */
const MARKED = "--marked";

/** Before those of a process whose time another one takes; the other's number follows. */
const TIMED = "--timed=";

const MARK = ":";

/** The words for a process whose time the one of this number takes. */
export function timedWords(words: readonly string[], parent: number): string[] {
  return [TIMED + parent, ...words.map((word) => MARK + word)];
}

/** The words as they were meant, and the process that takes the time of this one, if one does. */
export function meantWords(
  given: readonly string[],
): { words: string[]; parent: number | undefined } {
  const parent = given[0]?.startsWith(TIMED) ? Number(given[0].slice(TIMED.length)) : undefined;
  if (parent === undefined && given[0] !== MARKED) return { words: [...given], parent };
  return { words: given.slice(1).map((word) => word.slice(MARK.length)), parent };
}
