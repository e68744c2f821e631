/**
 * `clock_*`.
 *
 * @module
 */
import { Errno } from "../abi.ts";
import type { System } from "../system.ts";

export function clock_res_get(system: System, id: number, resolution: number): number {
  system.memory.check(resolution, 8);
  const found = system.host.clock.resolution(id);
  if (found === 0n) return Errno.INVAL;
  system.memory.view.setBigUint64(resolution, found, true);
  return 0;
}

/** `precision` is a wish; every clock here is as precise as it can be. */
export function clock_time_get(
  system: System,
  id: number,
  _precision: bigint,
  time: number,
): number {
  system.memory.check(time, 8);
  return -system.host.clock.time(id, system.memory.view, time);
}
