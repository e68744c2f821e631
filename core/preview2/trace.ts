/**
 * Calls of WASI 0.2 as text: a line before each with its values, a line after it with what it gave.
 *
 * @module
 */
import { DirectRead } from "../component/codecs/lists.ts";
import { Words } from "../component/codecs/scalars.ts";
import { Err } from "../component/err.ts";
import type { ComponentFunction } from "../component/function.ts";
import { ProcExit, throwAborted } from "../exit.ts";
import { Wait } from "../system/waiting.ts";
import { quoted } from "../text.ts";

/** Takes one line of a trace, without a line break. */
type Sink = (line: string) => unknown;

/** Longest text and most parts shown of one value. */
const TEXT_MAX = 256;
const PARTS_MAX = 8;

function plain(value: object): boolean {
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/** A value as WIT writes it, or nearly. */
function show(value: unknown, depth = 0): string {
  if (typeof value === "string") {
    return quoted(value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value);
  }
  if (value instanceof Words) return String((BigInt(value.high) << 32n) | BigInt(value.low));
  if (value instanceof Uint8Array || value instanceof DirectRead) return `${value.length} bytes`;
  if (typeof value !== "object" || value === null) {
    return value === undefined ? "none" : String(value);
  }
  if (!plain(value) && !ArrayBuffer.isView(value)) return `<${value.constructor.name}>`;
  if (depth > 3) return "…";
  const isList = Array.isArray(value) || ArrayBuffer.isView(value);
  const entries = Object.entries(value);
  const parts = entries.slice(0, PARTS_MAX)
    .map(([name, part]) => isList ? show(part, depth + 1) : `${name}: ${show(part, depth + 1)}`);
  if (entries.length > PARTS_MAX) parts.push("…");
  return isList ? `[${parts.join(", ")}]` : `{${parts.join(", ")}}`;
}

/** What the embedder's sink throws ends the guest. */
function tell(sink: Sink, line: string): void {
  try {
    sink(line);
  } catch (error) {
    throwAborted(error);
  }
}

/** A function that tells of its calls. */
export function traced(item: ComponentFunction, name: string, sink: Sink): ComponentFunction {
  const names = item.type!.parameters.map((parameter) => parameter.name);
  const done = (value: unknown): unknown => {
    if (value instanceof Wait) {
      return new Wait(value.entries, value.deadline, () => done(value.resume()));
    }
    tell(sink, value instanceof Err ? `<== error ${show(value.val)}` : `<== ${show(value)}`);
    return value;
  };
  return {
    ...item,
    direct: undefined,
    call(...values) {
      const shown = values.map((value, i) => `${names[i]}=${show(value)}`);
      tell(sink, `==> ${name}(${shown.join(", ")})`);
      try {
        return done(item.call(...values));
      } catch (error) {
        if (error instanceof ProcExit) tell(sink, "<== ended");
        throw error;
      }
    },
  };
}
