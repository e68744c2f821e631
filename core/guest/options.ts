/**
 * The documented options, checked in Node's order.
 *
 * Source: `lib/internal/validators.js` of Node, by its behaviour.
 *
 * @module
 */
import { invalidType, invalidValue, outOfRange } from "../errors.ts";
import { validateObject, validateRecord } from "../validate.ts";

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
  const texts: string[] = [];
  // a hole is "undefined", as what stands there is
  for (let i = 0; i < args.length; i++) texts.push(String(args[i]));
  return texts;
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
  if (url.host !== "") {
    throw invalidValue(name, "must not name a host: give the path itself", url.href);
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
