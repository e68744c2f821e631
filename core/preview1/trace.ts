/**
 * Each system call as text: a line before it with its parameters, a line after it with its
 * results. Everything follows from the names in the table of parameters.
 *
 * @module
 */
import {
  Clockid,
  Errno,
  Eventtype,
  Fdflags,
  Fdstat,
  Filestat,
  FilestatUnstable,
  Filetype,
  Fstflags,
  Iovec,
  Lookupflags,
  Oflags,
  Prestat,
  Riflags,
  Rights,
  Sdflags,
  Subscription,
  SubscriptionUnstable,
  Whence,
  WhenceUnstable,
} from "./abi.ts";
import { errnoOf } from "../errno.ts";
import { GuestAborted, ProcExit, Thrown } from "../exit.ts";
import type { Signature, SystemCall } from "./table.ts";
import type { Preview1System } from "./system.ts";
import { Wait } from "../system/waiting.ts";
import { decode, quoted } from "../text.ts";

/** Takes one line of a trace, without a line break. */
export type TraceSink = (line: string) => unknown;

/** Longest text and most elements shown of one parameter. */
const TEXT_MAX = 256;
const LIST_MAX = 8;

const ADVICE: readonly string[] = [
  "NORMAL",
  "SEQUENTIAL",
  "RANDOM",
  "WILLNEED",
  "DONTNEED",
  "NOREUSE",
];

/** The name of a number, or the number. */
function nameOf(table: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(table).find((name) => table[name] === value) ?? String(value);
}

/** The names of the bits that are set. */
function flagsOf(table: Readonly<Record<string, number>>, value: number): string {
  const names = Object.keys(table).filter((name) => (value & table[name]!) !== 0);
  const unknown = Object.values(table).reduce((rest, bit) => rest & ~bit, value);
  if (unknown !== 0) names.push(`0x${(unknown >>> 0).toString(16)}`);
  return names.length === 0 ? "0" : names.join("|");
}

function rightsOf(value: bigint): string {
  const all = Object.values(Rights).reduce((sum, bit) => sum | bit, 0);
  const known = Number(value & BigInt(all));
  if (known === all) return "ALL";
  return flagsOf(Rights, known);
}

/** Text in quotes; bytes that are not UTF-8 as they are carried (see text.ts). */
function textAt(bytes: Uint8Array, start: number, length: number): string {
  const text = decode(bytes, start, start + Math.min(length, TEXT_MAX));
  return quoted(text) + (length > TEXT_MAX ? "..." : "");
}

/** What is called, to whom it belongs. */
interface Context {
  readonly system: Preview1System;
  readonly name: string;
  readonly unstable: boolean;
}

/** Lengths of the buffers of an iovec array. */
function buffers({ memory }: Preview1System, iovs: number, count: number): string {
  const lengths: string[] = [];
  for (let i = 0; i < Math.min(count, LIST_MAX); i++) {
    const at = iovs + i * Iovec.size;
    memory.check(at, Iovec.size);
    lengths.push(String(memory.view.getUint32(at + Iovec.buf_len, true)));
  }
  if (count > LIST_MAX) lengths.push("...");
  return `[${lengths.join(", ")}]`;
}

/** What is waited for. */
function subscriptions({ system, unstable }: Context, at: number, count: number): string {
  const layout = unstable ? SubscriptionUnstable : Subscription;
  const { memory } = system;
  const shown: string[] = [];
  for (let i = 0; i < Math.min(count, LIST_MAX); i++, at += layout.size) {
    memory.check(at, layout.size);
    const tag = memory.view.getUint8(at + layout.tag);
    if (tag !== Eventtype.CLOCK) {
      shown.push(`${nameOf(Eventtype, tag)}(${memory.view.getUint32(at + layout.fd, true)})`);
      continue;
    }
    const id = nameOf(Clockid, memory.view.getUint32(at + layout.clock_id, true));
    const timeout = memory.view.getBigUint64(at + layout.clock_timeout, true);
    const absolute = (memory.view.getUint16(at + layout.clock_flags, true) & 1) !== 0;
    shown.push(`CLOCK(${id}, ${absolute ? "at " : ""}${timeout}ns)`);
  }
  if (count > LIST_MAX) shown.push("...");
  return `[${shown.join(", ")}]`;
}

/** Parameters that have a table of names of their own, by name and call. */
function named({ name: call, unstable }: Context, name: string, value: number): string {
  switch (name) {
    case "oflags":
      return flagsOf(Oflags, value);
    case "fdflags":
      return flagsOf(Fdflags, value);
    case "dirflags":
    case "old_flags":
      return flagsOf(Lookupflags, value);
    case "fst_flags":
      return flagsOf(Fstflags, value);
    case "ri_flags":
      return flagsOf(Riflags, value);
    case "how":
      return flagsOf(Sdflags, value);
    case "whence":
      return nameOf(unstable ? WhenceUnstable : Whence, value);
    case "advice":
      return ADVICE[value] ?? String(value);
    case "id":
      return nameOf(Clockid, value);
    case "flags":
      return flagsOf(call.startsWith("path_") ? Lookupflags : Fdflags, value);
    default:
      return String(value);
  }
}

/** The parameters that go in. */
function input(context: Context, parameters: readonly string[], values: unknown[]): string {
  const { system, name: call } = context;
  const shown: string[] = [];
  for (let i = 0; i < parameters.length; i++) {
    const [name, type] = parameters[i]!.split(":") as [string, string | undefined];
    if (name.endsWith("*")) continue;
    const value = values[i] as number;
    const next = parameters[i + 1];
    let text: string;
    if (type === "i64") text = wide(name, values[i] as bigint);
    else if (next === `${name}_len`) {
      const length = values[++i] as number;
      if (name.endsWith("path")) {
        system.memory.check(value, length);
        text = textAt(system.memory.bytes, value, length);
      } else text = buffers(system, value, length);
    } else if (name === "in") {
      text = subscriptions(context, value, values[2] as number);
    } else text = named(context, name, value);
    shown.push(`${name}=${text}`);
  }
  return `${call}(${shown.join(", ")})`;
}

function wide(name: string, value: bigint): string {
  if (name.startsWith("fs_rights")) return rightsOf(value);
  const signed = name === "offset";
  return String(signed ? value : BigInt.asUintN(64, value));
}

/** How results of one name are shown. */
function result(context: Context, name: string, at: number, values: unknown[]): string {
  const { system: { memory }, name: call, unstable } = context;
  const { view, bytes } = memory;
  switch (name) {
    case "filestat": {
      const layout = unstable ? FilestatUnstable : Filestat;
      const type = nameOf(Filetype, view.getUint8(at + layout.filetype));
      return `${type} size=${view.getBigUint64(at + layout.filesize, true)} ino=${
        view.getBigUint64(at + layout.ino, true)
      } nlink=${view.getUint32(at + layout.nlink, true)} mtim=${
        view.getBigUint64(at + layout.mtim, true)
      }`;
    }
    case "stat":
      return `${nameOf(Filetype, view.getUint8(at + Fdstat.fs_filetype))} flags=${
        flagsOf(Fdflags, view.getUint16(at + Fdstat.fs_flags, true))
      } rights=${rightsOf(view.getBigUint64(at + Fdstat.fs_rights_base, true))}`;
    case "prestat":
      return `dir name_len=${view.getUint32(at + Prestat.pr_name_len, true)}`;
    case "path":
      return textAt(bytes, at, values[2] as number);
    case "time":
    case "resolution":
    case "newoffset":
    case "offset":
      return String(view.getBigUint64(at, true));
    case "ro_flags":
      return String(view.getUint16(at, true));
    case "bufused": {
      const used = view.getUint32(at, true);
      if (call !== "path_readlink") return String(used);
      return `${used}, target=${textAt(bytes, values[3] as number, used)}`;
    }
    default:
      return String(view.getUint32(at, true));
  }
}

/** Results that are arrays of the guest's own, told by their length or not at all. */
const SILENT: readonly string[] = ["argv", "argv_buf", "environ", "environ_buf", "buf", "out"];

function output(context: Context, parameters: readonly string[], values: unknown[]): string {
  const shown: string[] = [];
  parameters.forEach((parameter, i) => {
    if (!parameter.endsWith("*")) return;
    const name = parameter.slice(0, -1);
    if (!SILENT.includes(name)) {
      shown.push(`${name}=${result(context, name, values[i] as number, values)}`);
    }
  });
  return [...shown, "SUCCESS"].join(", ");
}

/** Text made of guest memory, or a word for pointers that lead nowhere. */
function safely(make: () => string, other: string): string {
  try {
    return make();
  } catch (error) {
    return `${other} (${nameOf(Errno, errnoOf(error))} while it was read)`;
  }
}

/** A table whose functions say what they do. */
export function traced(
  table: Readonly<Record<string, Signature>>,
  unstable: boolean,
  sink: TraceSink,
): Record<string, Signature> {
  const say: TraceSink = (line) => {
    try {
      sink(line);
    } catch (error) {
      throw new Thrown(error);
    }
  };
  const all: Record<string, Signature> = {};
  for (const [name, { parameters, call }] of Object.entries(table)) {
    all[name] = { parameters, call: tracedCall(name, parameters, call, unstable, say) };
  }
  return all;
}

function tracedCall(
  name: string,
  parameters: readonly string[],
  call: SystemCall,
  unstable: boolean,
  say: TraceSink,
): SystemCall {
  return (system, ...values) => {
    const context: Context = { system, name, unstable };
    say(`==> ${safely(() => input(context, parameters, values), `${name}(...)`)}`);
    const done = (make: () => number | Wait): number | Wait => {
      let errno: number | Wait;
      try {
        errno = make();
      } catch (error) {
        const ends = error instanceof ProcExit || error instanceof GuestAborted ||
          error instanceof Thrown;
        say(`<== ${ends ? "ended" : nameOf(Errno, errnoOf(error))}`);
        throw error;
      }
      if (errno instanceof Wait) {
        const { entries, deadline, resume } = errno;
        return new Wait(entries, deadline, () => done(resume));
      }
      const results = errno === 0
        ? safely(() => output(context, parameters, values), "SUCCESS")
        : nameOf(Errno, errno);
      say(`<== ${results}`);
      return errno;
    };
    return done(() => call(system, ...values));
  };
}
