// Calls what it imports. In JSON bytes are { "bytes": [1] }, and a resource is { "resource": 3 }, a number of
// this guest's list. (QuickJS has 64 bits as numbers.)
import * as monotonicClock from "wasi:clocks/monotonic-clock@0.2.12";
import * as wallClock from "wasi:clocks/wall-clock@0.2.12";
import * as environment from "wasi:cli/environment@0.2.12";
import * as exit from "wasi:cli/exit@0.2.12";
import * as stderr from "wasi:cli/stderr@0.2.12";
import * as stdin from "wasi:cli/stdin@0.2.12";
import * as stdout from "wasi:cli/stdout@0.2.12";
import * as terminalStderr from "wasi:cli/terminal-stderr@0.2.12";
import * as terminalStdin from "wasi:cli/terminal-stdin@0.2.12";
import * as terminalStdout from "wasi:cli/terminal-stdout@0.2.12";
import * as preopens from "wasi:filesystem/preopens@0.2.12";
import * as types from "wasi:filesystem/types@0.2.12";
import * as poll from "wasi:io/poll@0.2.12";
import * as insecure from "wasi:random/insecure@0.2.12";
import * as insecureSeed from "wasi:random/insecure-seed@0.2.12";
import * as random from "wasi:random/random@0.2.12";

const functions = {
  ...monotonicClock,
  ...environment,
  ...exit,
  ...stderr,
  ...stdin,
  ...stdout,
  ...terminalStderr,
  ...terminalStdin,
  ...terminalStdout,
  ...preopens,
  ...types,
  ...poll,
  ...insecure,
  ...insecureSeed,
  ...random,
  wallNow: wallClock.now,
  wallResolution: wallClock.resolution,
};
const resources = [];

const plain = (value) => Object.getPrototypeOf(value) === Object.prototype;

function show(_, value) {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (ArrayBuffer.isView(value)) return [...value];
  if (typeof value === "object" && value !== null && !Array.isArray(value) && !plain(value)) {
    return { resource: resources.push(value) - 1 };
  }
  return value === undefined ? null : value;
}

function read(_, value) {
  if (typeof value !== "object" || value === null) return value;
  if ("bytes" in value) return Uint8Array.from(value.bytes);
  if ("resource" in value) return resources[value.resource];
  return value;
}

export function call(name, parameters) {
  const values = JSON.parse(parameters, read);
  try {
    const [self, ...rest] = values;
    if (name === "drop") return JSON.stringify(self[Symbol.dispose]() ?? null);
    const result = name in functions ? functions[name](...values) : self[name](...rest);
    return JSON.stringify(result === undefined ? null : result, show);
  } catch (error) {
    if (error && typeof error === "object" && "payload" in error) {
      throw JSON.stringify(error.payload, show);
    }
    throw String(error && error.stack || error);
  }
}
