/**
 * The tables of system calls as workers need them: which parameters are wide, and what of the
 * guest's memory a call reads and writes. It follows from the names of the parameters.
 *
 * @module
 */
import { Filestat } from "../../filestat.ts";
import {
  Event,
  Fdstat,
  FilestatUnstable,
  Iovec,
  Prestat,
  Subscription,
  SubscriptionUnstable,
} from "../../preview1/abi.ts";
import { shapeOf } from "../../preview1/imports.ts";
import type { Signature } from "../../preview1/table.ts";
import type { Preview1System } from "../../preview1/system.ts";
import type { CallShape, Region } from "./worker.ts";

/** More of a path than any call takes. */
const PATH_MAX = 8192;
/** Most iovecs that are looked at in one call. */
const IOV_MAX = 1024;
/** Most subscriptions of one call; one more is INVAL. */
const SUBSCRIPTIONS_MAX = 65537;

/** Bytes of the results that have no 4. */
const SIZES: Readonly<Record<string, number>> = {
  resolution: 8,
  time: 8,
  newoffset: 8,
  offset: 8,
  stat: Fdstat.size,
  prestat: Prestat.size,
  ro_flags: 2,
};

/** What of a call's parameters are pointers, and to what. */
function regionsOf(
  name: string,
  parameters: readonly string[],
  { args, env }: Preview1System,
  unstable: boolean,
): Region[] {
  const regions: Region[] = [];
  const sizes: Record<string, number> = {
    ...SIZES,
    filestat: unstable ? FilestatUnstable.size : Filestat.size,
    argv: args.offsets.length * 4,
    argv_buf: args.bytes.length,
    environ: env.offsets.length * 4,
    environ_buf: env.bytes.length,
  };
  const plain = { count: -1, unit: 1, most: Infinity, out: true, vector: false, into: -1 };
  parameters.forEach((parameter, at) => {
    const field = parameter.replace("*", "");
    const out = parameter.endsWith("*");
    const counted = parameters[at + 1] === `${field}_len`;
    if (counted && (out || field.endsWith("path"))) {
      const most = out ? Infinity : PATH_MAX;
      regions.push({ ...plain, at, count: at + 1, most, out });
    } else if (counted) {
      const out = name.endsWith("read") || name.endsWith("recv");
      regions.push({
        at,
        count: at + 1,
        unit: Iovec.size,
        most: IOV_MAX,
        out,
        vector: true,
        into: -1,
      });
    } else if (name === "poll_oneoff" && at < 2) {
      const subscription = unstable ? SubscriptionUnstable.size : Subscription.size;
      const unit = out ? Event.size : subscription;
      regions.push({ ...plain, at, count: 2, unit, most: SUBSCRIPTIONS_MAX, out });
    } else if (out) {
      const into = field === "argv" || field === "environ" ? at + 1 : -1;
      regions.push({ ...plain, at, unit: sizes[field] ?? 4, into });
    }
  });
  return regions;
}

/** The functions of a snapshot, and `proc_exit`. */
export function callsOf(
  module: string,
  table: Readonly<Record<string, Signature>>,
  system: Preview1System,
): CallShape[] {
  const unstable = module === "wasi_unstable";
  const calls = Object.entries(table).map(([name, signature]) => ({
    module,
    name,
    shape: shapeOf(signature),
    regions: regionsOf(name, signature.parameters, system, unstable),
  }));
  return [...calls, { module, name: "proc_exit", shape: "i", regions: [] }];
}
