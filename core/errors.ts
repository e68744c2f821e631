/**
 * Errors for the embedder, with Node's classes, codes and texts.
 *
 * Source: `lib/internal/errors.js` of Node, by its behaviour.
 *
 * @module
 */
import { Errno, errnoOf } from "./errno.ts";

/** An error with Node's `code`. */
function coded<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code });
}

/** A value in an error text: Node's words for what was received. */
export function received(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  switch (typeof value) {
    case "function":
      return `function ${value.name}`;
    case "object":
      return describeObject(value);
    case "string":
      return `type string (${
        quote(value.length > 28 ? value.slice(0, 25) + "..." : value, false)
      })`;
    case "bigint":
      return `type bigint (${value}n)`;
    case "symbol":
      return `type symbol (${String(value)})`;
    default:
      return `type ${typeof value} (${Object.is(value, -0) ? "-0" : value})`;
  }
}

function describeObject(value: object): string {
  const constructor = (value as { constructor?: unknown }).constructor;
  const named = constructor as { name?: unknown } | null | undefined;
  if (named && (typeof named === "object" || typeof named === "function") && "name" in named) {
    return `an instance of ${textOf(named.name)}`;
  }
  return `[Object: null prototype]${Reflect.ownKeys(value).length === 0 ? " {}" : ""}`;
}

/** A value as text; an object without a prototype, or whose own toString() fails, has none. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** A string in quotes, as Node's inspect() writes it, or its JSON if `"'"` is in it. */
function quote(text: string, inspected: boolean): string {
  if (!inspected) return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
  const mark = !text.includes("'")
    ? "'"
    : !text.includes('"')
    ? '"'
    : !text.includes("`")
    ? "`"
    : "'";
  const named: Record<string, string> = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    "\\": "\\\\",
  };
  let quoted = mark;
  for (let i = 0; i < text.length; i++) {
    const unit = text[i]!;
    const code = text.charCodeAt(i);
    if (named[unit] !== undefined) quoted += named[unit];
    else if (unit === mark) quoted += "\\" + unit;
    else if (code < 32 || (code > 126 && code < 160)) {
      quoted += "\\x" + code.toString(16).toUpperCase().padStart(2, "0");
    } else quoted += unit;
  }
  return quoted + mark;
}

/** ERR_INVALID_ARG_TYPE. `expected` is what stands after "must be". */
export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const kind = name.includes(".") ? "property" : "argument";
  return coded(
    new TypeError(`The "${name}" ${kind} must be ${expected}. Received ${received(value)}`),
    "ERR_INVALID_ARG_TYPE",
  );
}

/** ERR_INVALID_ARG_TYPE for a wrong memory; Node's text has no leading "The" here. */
export function invalidMemory(): TypeError {
  return coded(
    new TypeError('"instance.exports.memory" property must be a WebAssembly.Memory object'),
    "ERR_INVALID_ARG_TYPE",
  );
}

/** ERR_INVALID_ARG_VALUE. `reason` says what is wrong, and may say what to do. */
export function invalidValue(name: string, reason: string, value: unknown): TypeError {
  const shown = typeof value === "string" ? quote(value, true) : textOf(value);
  const cut = shown.length > 128 ? shown.slice(0, 128) + "..." : shown;
  const kind = name.includes(".") ? "property" : "argument";
  return coded(
    new TypeError(`The ${kind} '${name}' ${reason}. Received ${cut}`),
    "ERR_INVALID_ARG_VALUE",
  );
}

/** ERR_OUT_OF_RANGE. `range` is what stands after "must be". */
export function outOfRange(name: string, range: string, value: number): RangeError {
  let text = Object.is(value, -0) ? "-0" : String(value);
  if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) {
    text = text.replace(/\B(?=(\d{3})+$)/g, "_");
  }
  return coded(
    new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${text}`),
    "ERR_OUT_OF_RANGE",
  );
}

/** What ends a guest that another thread has stopped. Nobody sees it. */
export function stopped(): Error {
  return new Error("the guest has been stopped");
}

/** ERR_WASI_NOT_STARTED. */
export function notStarted(): Error {
  return coded(new Error("wasi.start() has not been called"), "ERR_WASI_NOT_STARTED");
}

/** ERR_WASI_ALREADY_STARTED. */
export function alreadyStarted(): Error {
  return coded(new Error("WASI instance has already started"), "ERR_WASI_ALREADY_STARTED");
}

/**
 * A failure while the host's side is opened, as Node reports it: code "UVWASI_ENOENT" and the
 * like, the specification's number as `errno`, "uvwasi_init" as `syscall`. `detail` says which
 * one and what the host had to say.
 */
export function initFailure(thrown: unknown, detail: string): Error {
  const errno = errnoOf(thrown);
  const name = Object.entries(Errno).find(([, number]) => number === errno)![0];
  const code = `UVWASI_E${name}`;
  const reason = (thrown as { message?: unknown } | null)?.message;
  const text = typeof reason === "string" && reason !== "" ? `${detail}: ${reason}` : detail;
  const error = new Error(`${code}, uvwasi_init: ${text}`, { cause: thrown });
  return Object.assign(coded(error, code), { errno, syscall: "uvwasi_init" });
}
