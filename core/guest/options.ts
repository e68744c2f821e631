/**
 * The documented options: checked in Node's order, with Node's classes, codes and texts.
 *
 * Source: `lib/internal/validators.js` and `lib/internal/errors.js` of Node, by their behaviour.
 *
 * @module
 */
import { Errno } from "../preview1/abi.ts";
import { errnoOf } from "../errno.ts";

/** An error with Node's `code`. */
function coded<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code });
}

/** A value in an error text: Node's words for what was received. */
function received(value: unknown): string {
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

/** ERR_INVALID_ARG_TYPE for a memory that is none; Node's text has no leading "The" here. */
export function invalidMemory(): TypeError {
  return coded(
    new TypeError('"instance.exports.memory" property must be a WebAssembly.Memory object'),
    "ERR_INVALID_ARG_TYPE",
  );
}

/** ERR_INVALID_ARG_VALUE. `reason` says what is wrong and may say the mend. */
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

/** Throws unless the value is an object that is no array and no function. */
export function validateObject(value: unknown, name: string): asserts value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidType(name, "of type object", value);
  }
}

/** Whether an object's content is not among its own properties, which are all that is looked at. */
function isCollection(value: object): boolean {
  if (ArrayBuffer.isView(value)) return true;
  try {
    if (typeof (value as Iterable<unknown>)[Symbol.iterator] === "function") return true;
    if (Object.keys(value).length > 0) return false;
    // an empty environment, or an instance of somebody's class, is an "Object"
    const kind = Object.prototype.toString.call(value);
    return (kind !== "[object Object]" && kind !== "[object Module]") ||
      typeof (value as PromiseLike<unknown>).then === "function";
  } catch {
    return false; // a proxy that refuses what it does not know: Object.entries() decides
  }
}

/**
 * Throws unless the value is an object whose own properties are what it holds: Node would take
 * nothing from a Map, from a promise or from bytes, and say nothing.
 */
export function validateRecord(value: unknown, name: string): asserts value is object {
  validateObject(value, name);
  if (isCollection(value)) {
    throw invalidType(name, `a plain object${toRecord(value)}`, value);
  }
}

/** For an error text: what makes a plain object of a value, if anything does. */
export function toRecord(value: unknown): string {
  const given = value as Partial<PromiseLike<unknown> & Map<unknown, unknown>> | null | undefined;
  if (typeof given?.then === "function") return ": await the promise";
  const isMap = typeof given?.entries === "function" && !Array.isArray(given) &&
    !ArrayBuffer.isView(given) && typeof given[Symbol.iterator] === "function";
  return isMap ? ": Object.fromEntries(value)" : "";
}

/** Throws if an object has other properties than these, or is a collection: a mistyped limit is none. */
export function validateNames(value: object, names: readonly string[], name: string): void {
  if (Symbol.iterator in value) throw invalidType(name, "of type object", value);
  const unknown = Object.keys(value).find((key) => !names.includes(key));
  if (unknown !== undefined) throw invalidValue(name, `can have ${names.join(", ")}`, unknown);
}

export function validateFunction(value: unknown, name: string): void {
  if (typeof value !== "function") throw invalidType(name, "of type function", value);
}

export function validateUndefined(value: unknown, name: string): void {
  if (value !== undefined) throw invalidType(name, "undefined", value);
}

export function validateBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== "boolean") throw invalidType(name, "of type boolean", value);
}

/** Throws unless the value is a whole number from 0 to 2 ** 31 - 1. */
export function validateDescriptor(value: unknown, name: string): asserts value is number {
  if (typeof value !== "number") throw invalidType(name, "of type number", value);
  if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  if (value < 0 || value > 2147483647) throw outOfRange(name, ">= 0 && <= 2147483647", value);
}

/** Throws unless the value is a confinement that host directories can have, or undefined. */
export function validateConfinement(value: unknown): void {
  if (value === undefined || value === "kernel" || value === "walk" || value === "checked") return;
  if (typeof value !== "string") throw invalidType("options.confinement", "of type string", value);
  throw invalidValue("options.confinement", 'must be "kernel", "walk" or "checked"', value);
}

/** The name of the module that a version is imported from. */
export function bindingOf(version: unknown): string {
  if (typeof version !== "string") throw invalidType("options.version", "of type string", version);
  if (version === "preview1") return "wasi_snapshot_preview1";
  if (version === "unstable") return "wasi_unstable";
  throw invalidValue("options.version", "unsupported WASI version", version);
}

/** The arguments as text. */
export function validateArgs(args: unknown): string[] {
  if (args === undefined) return [];
  if (!Array.isArray(args)) throw invalidType("options.args", "an instance of Array", args);
  return Array.from(args, String); // a hole is "undefined", as what stands there is
}

/** The environment as `name=value`, without what is undefined. */
export function validateEnv(env: unknown): string[] {
  if (env === undefined) return [];
  validateRecord(env, "options.env");
  const pairs = Object.entries(env).filter(([, value]) => value !== undefined);
  return pairs.map(([name, value]) => `${name}=${value}`);
}

/** The option `listen`. */
export function validateListen(listen: unknown): { host: string; port: number }[] {
  if (listen === undefined) return [];
  if (!Array.isArray(listen)) throw invalidType("options.listen", "an instance of Array", listen);
  return listen.map((value, i) => {
    const name = `options.listen[${i}]`;
    validateObject(value, name);
    const { host, port } = value as { host?: unknown; port?: unknown };
    if (typeof host !== "string") throw invalidType(`${name}.host`, "of type string", host);
    if (typeof port !== "number") throw invalidType(`${name}.port`, "of type number", port);
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw outOfRange(`${name}.port`, ">= 0 && <= 65535", port);
    }
    return { host, port };
  });
}

/** The path that a file: URL names. Source: `fileURLToPath` of node:url. */
export function pathOfURL(url: URL, name: string): string {
  if (url.protocol !== "file:") {
    throw invalidValue(name, "must be a file: URL, or a path", url.href);
  }
  if (/%2f/i.test(url.pathname)) {
    throw invalidValue(name, "must not have encoded slashes", url.href);
  }
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    throw invalidValue(name, "must be UTF-8 where it is encoded", url.href);
  }
  // "/C:/folder" is Windows'
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

/** The preopens as pairs of the guest's name and the value as it was given. */
export function validatePreopens(preopens: unknown): [string, unknown][] {
  if (preopens === undefined) return [];
  validateRecord(preopens, "options.preopens");
  return Object.entries(preopens);
}
