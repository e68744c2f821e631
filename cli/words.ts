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

/** Before those of a process whose time another one takes. */
const TIMED = "--timed";

const MARK = ":";

/** The words for a process whose time this one takes. */
export function timedWords(words: readonly string[]): string[] {
  return [TIMED, ...words.map((word) => MARK + word)];
}

/** The words as they were meant, and whether another process takes the time of this one. */
export function meantWords(given: readonly string[]): { words: string[]; timed: boolean } {
  const timed = given[0] === TIMED;
  if (!timed && given[0] !== MARKED) return { words: [...given], timed };
  return { words: given.slice(1).map((word) => word.slice(MARK.length)), timed };
}
