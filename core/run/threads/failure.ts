/**
 * What a guest has failed with in a worker, and how it gets from there to the embedder.
 *
 * @module
 */
import { uncaught } from "../../exit.ts";

/** What a guest failed with, as it can be posted. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code: string | undefined;
  /** whether it is an exception of WebAssembly, which cannot be posted */
  readonly exception: boolean;
}

/**
 * What was thrown, in what can be posted. Its text is part of what a worker is started with: it uses
 * nothing from outside itself.
 */
export function describeFailure(thrown: unknown): Failure {
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
  return {
    name: text("name", () => "Error"),
    message: text("message", () => String(thrown)),
    stack: text("stack", () => ""),
    code: code === "" ? undefined : code,
    exception: Exception !== undefined && thrown instanceof Exception,
  };
}

/** The classes of what a guest can fail with. */
const ERRORS: Readonly<Record<string, new (message: string) => Error>> = {
  RuntimeError: WebAssembly.RuntimeError,
  LinkError: WebAssembly.LinkError,
  CompileError: WebAssembly.CompileError,
  RangeError,
  TypeError,
};

/** An error of a worker, as it was there. */
export function revived({ name, message, stack, code, exception }: Failure): Error {
  if (exception) return uncaught();
  const known = Object.hasOwn(ERRORS, name);
  const error = new (known ? ERRORS[name]! : Error)(message);
  if (!known) error.name = name;
  if (code !== undefined) Object.assign(error, { code });
  return Object.defineProperty(error, "stack", {
    value: stack,
    configurable: true,
    writable: true,
  });
}
