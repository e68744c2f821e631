/**
 * `args_*` and `environ_*`.
 *
 * @module
 */
import type { Preview1System, StringList } from "./system.ts";

function get(system: Preview1System, list: StringList, pointers: number, buffer: number): number {
  const { memory } = system;
  memory.check(pointers, list.offsets.length * 4);
  memory.check(buffer, list.bytes.length);
  for (let i = 0; i < list.offsets.length; i++) {
    memory.view.setUint32(pointers + i * 4, buffer + list.offsets[i]!, true);
  }
  memory.bytes.set(list.bytes, buffer);
  return 0;
}

function sizes(system: Preview1System, list: StringList, count: number, size: number): number {
  system.memory.check(size, 4);
  system.memory.setUint32(count, list.offsets.length);
  system.memory.setUint32(size, list.bytes.length);
  return 0;
}

export function args_get(system: Preview1System, argv: number, argv_buf: number): number {
  return get(system, system.args, argv, argv_buf);
}

export function args_sizes_get(system: Preview1System, count: number, size: number): number {
  return sizes(system, system.args, count, size);
}

export function environ_get(system: Preview1System, environ: number, environ_buf: number): number {
  return get(system, system.env, environ, environ_buf);
}

export function environ_sizes_get(system: Preview1System, count: number, size: number): number {
  return sizes(system, system.env, count, size);
}
