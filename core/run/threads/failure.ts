/**
 * What a guest has failed with in a worker, and how it gets from there to the embedder.
 *
 * @module
 */
import { WasiError } from "../../errno.ts";
import { uncaught } from "../../exit.ts";

/** What a guest failed with, as it can be posted. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code: string | undefined;
  /** other properties, such as `errno` and `syscall` */
  readonly more: readonly (readonly [name: string, value: string | number | boolean])[];
  /** what it was caused by: an error, or the number of a `WasiError` */
  readonly cause: Failure | number | undefined;
  /** whether it is an exception of WebAssembly, which cannot be posted */
  readonly exception: boolean;
}

/**
 * What was thrown, in what can be posted. Its text is part of what a worker is started with: it uses
 * nothing from outside itself.
 */
export function describeFailure(thrown: unknown): Failure {
  const describe = (thrown: unknown, depth: number): Failure => {
    const text = (key: string, otherwise: () => string): string => {
      try {
        const value = (thrown as Record<string, unknown> | null | undefined)?.[key];
        return typeof value === "string" ? value : otherwise();
      } catch {
        return ""; // it has no text
      }
    };
    const { Exception } = WebAssembly as unknown as { Exception?: new () => object };
    const code = text("code", () => "");
    const isError = thrown instanceof Error;
    const more = isError ? Object.entries(thrown) : [];
    const inner = isError && depth > 0 ? thrown.cause : undefined;
    const errno = (inner as { errno?: unknown } | null | undefined)?.errno;
    const isErrno = typeof errno === "number" && !(inner instanceof Error);
    return {
      name: text("name", () => "Error"),
      message: text("message", () => String(thrown)),
      stack: text("stack", () => ""),
      code: code === "" ? undefined : code,
      more: more.filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)),
      cause: isErrno ? errno : inner === undefined ? undefined : describe(inner, depth - 1),
      exception: Exception !== undefined && thrown instanceof Exception,
    };
  };
  return describe(thrown, 4);
}

/** The classes of what a guest can fail with. */
const ERRORS: Readonly<Record<string, new (message: string) => Error>> = {
  RuntimeError: WebAssembly.RuntimeError,
  LinkError: WebAssembly.LinkError,
  CompileError: WebAssembly.CompileError,
  RangeError,
  TypeError,
  Error,
};

/** An error of a worker, as it was there. */
export function revived({ name, message, stack, code, more, cause, exception }: Failure): Error {
  if (exception) return uncaught();
  const known = Object.hasOwn(ERRORS, name);
  const error = new (known ? ERRORS[name]! : Error)(message);
  const set = (key: string, value: unknown): void => {
    Object.defineProperty(error, key, { value, configurable: true, writable: true });
  };
  Object.assign(error, Object.fromEntries(more));
  if (!known) set("name", name);
  if (code !== undefined) Object.assign(error, { code });
  if (typeof cause === "number") set("cause", new WasiError(cause));
  else if (cause !== undefined && !cause.exception) set("cause", revived(cause));
  set("stack", stack);
  return error;
}
