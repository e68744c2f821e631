/**
 * `clock_*`.
 *
 * @module
 */
import { Errno } from "./abi.ts";
import type { Preview1System } from "./system.ts";

export function clock_res_get(system: Preview1System, id: number, resolution: number): number {
  system.memory.check(resolution, 8);
  const found = system.host.clock.resolution(id);
  if (found === 0n) return Errno.INVAL;
  system.memory.check(resolution, 8); // once more: an embedder's clock may make the memory grow
  system.memory.view.setBigUint64(resolution, found, true);
  return 0;
}

/** `precision` is a wish; every clock here is as precise as it can be. */
export function clock_time_get(
  system: Preview1System,
  id: number,
  _precision: bigint,
  time: number,
): number {
  const { memory } = system;
  const { clock } = system.host;
  memory.check(time, 8);
  if (clock.foreign !== true) return -clock.time(id, memory.view, time);
  return timeAside(system, id, time);
}

/** The time of an embedder's clock, which may make the guest's memory grow. */
function timeAside({ memory, host: { clock } }: Preview1System, id: number, time: number): number {
  const error = clock.time(id, aside, 0);
  if (error < 0) return -error;
  memory.check(time, 8);
  memory.view.setBigUint64(time, aside.getBigUint64(0, true), true);
  return 0;
}

const aside: DataView = new DataView(new ArrayBuffer(8));
