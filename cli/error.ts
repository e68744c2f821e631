/**
 * The errors of the command.
 *
 * @module
 */

/** An error of the command: one line, exit code 1. */
export class CommandError extends Error {}

/** A wrong command line or settings file: exit code 2. */
export class UsageError extends CommandError {}

/** What Node calls its permissions in errors, and which option gives them. */
const NODE_OPTIONS: Readonly<Record<string, string>> = {
  ChildProcess: "--allow-child-process",
  FFI: "--allow-ffi",
  FileSystemRead: "--allow-fs-read",
  FileSystemWrite: "--allow-fs-write",
  Net: "--allow-net",
  WorkerThreads: "--allow-worker",
};

/** That the runtime may not do this, with the option that lets it; undefined for other errors. */
export function forbidden(error: unknown): string | undefined {
  const { name, code, message, permission } = (error ?? {}) as {
    [key in "name" | "code" | "message" | "permission"]?: unknown;
  };
  const named = /--allow-[a-z-]+/.exec(String(message))?.[0];
  if (name === "NotCapable") return notPermitted("Deno", named ?? "--allow-all");
  if (code !== "ERR_ACCESS_DENIED") return undefined;
  return notPermitted("Node", NODE_OPTIONS[String(permission)] ?? named ?? "more permissions");
}

/** That a runtime may not do something. */
export function notPermitted(runtime: string, option: string): string {
  return `${runtime} is not permitted to do this; start it with ${option}`;
}

/** What went wrong, in few words. */
export function plain(error: unknown): string {
  const denied = forbidden(error);
  if (denied !== undefined) return denied;
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
