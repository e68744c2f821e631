/**
 * Values of options: times, sizes, numbers.
 *
 * @module
 */
import { validateNetwork } from "../core/preview2/grant.ts";
import { UsageError } from "./error.ts";

const UNITS: Record<string, number> = {
  h: 3600000,
  m: 60000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
};

/** Milliseconds of a time such as "1.5s", "1m30s" or, without a unit, seconds. */
export function duration(text: string, option: string): number {
  let milliseconds = 0;
  if (/^\d+(\.\d+)?$/.test(text)) milliseconds = Number(text) * UNITS.s!;
  else if (/^(\d+(\.\d+)?(h|ms|m|s|us|µs|μs|ns))+$/.test(text)) {
    for (const [, number, unit] of text.matchAll(/([\d.]+)(\D+)/g)) {
      milliseconds += Number(number) * UNITS[unit!]!;
    }
  }
  if (milliseconds > 0) return milliseconds;
  throw new UsageError(`${option}=${text}: it must be a time such as 10s, 500ms or 1m30s`);
}

const SIZES: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** A number of bytes such as "1000", "64K", "1GiB", "0x100000" or "1_000_000". */
export function size(text: string, option: string): number {
  const plain = text.replace(/(?<=\d)_(?=\d)/g, "");
  const match = /^(\d+)([kmg]?)(?:i?b)?$/i.exec(plain);
  const value = match !== null
    ? Number(match[1]) * SIZES[match[2]!.toLowerCase()]!
    : /^0x[0-9a-f]+$/i.test(plain)
    ? Number(plain)
    : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new UsageError(`${option}=${text}: it must be a number such as 1000, 64K or 1G`);
}

const WIDE = 2n ** 64n;

/** A whole number below 2 ** 64. */
export function whole(text: string, option: string): bigint {
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? BigInt(text) : -1n;
  if (value >= 0n && value < WIDE) return value;
  throw new UsageError(`${option}=${text}: it must be a whole number such as 42, below 2^64`);
}

/** A date, with a time and a zone if need be. */
const DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** Nanoseconds since 1970, given so or as a date; without a zone that of Greenwich. */
export function time(text: string, option: string): bigint {
  if (/^\d+$/.test(text) && BigInt(text) < WIDE) return BigInt(text);
  const date = DATE.exec(text);
  const milliseconds = date === null ? NaN : Date.parse(date[1] && !date[4] ? `${text}Z` : text);
  if (milliseconds >= 0 && milliseconds < 2 ** 64 / 1e6) return BigInt(milliseconds) * 1000000n;
  throw new UsageError(
    `${option}=${text}: it must be nanoseconds since 1970, or a date from then on such as ` +
      `2026-01-31T12:00:00Z`,
  );
}

/** What wasmtime takes for yes and no; undefined for anything else. */
export function yes(text: string | undefined): boolean | undefined {
  if (text === undefined || text === "y" || text === "yes" || text === "true") return true;
  return text === "n" || text === "no" || text === "false" ? false : undefined;
}

/** A place that a component may connect to, which the option `network` of `run()` judges. */
export function reachable(text: string, option: string): string {
  try {
    validateNetwork({ connect: [text] });
    return text;
  } catch {
    throw new UsageError(
      `${option} ${text}: it must be HOST or HOST:PORT, such as example.com:443 or *.example.com`,
    );
  }
}

/** HOST:PORT; an address with colons stands in brackets. */
export function address(text: string, option: string): { host: string; port: number } {
  const [, brackets, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65535) {
    throw new UsageError(
      `${option} ${text}: it must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080`,
    );
  }
  return { host: brackets ?? plain!, port };
}
