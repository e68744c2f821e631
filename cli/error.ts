/**
 * What the command says when it cannot do what it is told.
 *
 * @module
 */

/** An error of ours: one line, exit code 1. */
export class CommandError extends Error {}

/** Text of others (names in a module, file names) with nothing in it that moves a terminal. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}|[\u2028-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** What went wrong, in few words. */
export function plain(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  switch (code) {
    case "ENOENT":
      return "there is no such file or directory";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EISDIR":
      return "it is a directory";
    case "ENOTDIR":
      return "it is not a directory";
    default:
      return String(message ?? error).split("\n")[0]!;
  }
}
