/**
 * The bytes that stand for sorts, types and functions in a component.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
 *
 * @module
 */
import type { Sort } from "./binary.ts";
import type { Primitive } from "./types.ts";

/** What a component begins with. */
export const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00] as const;

export const CORE_SORTS: Readonly<Record<number, Sort>> = {
  0x00: "core func",
  0x01: "core table",
  0x02: "core memory",
  0x03: "core global",
  0x04: "core tag",
  0x10: "core type",
  0x11: "core module",
  0x12: "core instance",
};

export const SORTS: Readonly<Record<number, Sort>> = {
  0x01: "func",
  0x02: "value",
  0x03: "type",
  0x04: "component",
  0x05: "instance",
};

export const PRIMITIVE_TYPES: Readonly<Record<number, Primitive | "error-context">> = {
  0x7f: "bool",
  0x7e: "s8",
  0x7d: "u8",
  0x7c: "s16",
  0x7b: "u16",
  0x7a: "s32",
  0x79: "u32",
  0x78: "s64",
  0x77: "u64",
  0x76: "f32",
  0x75: "f64",
  0x74: "char",
  0x73: "string",
  0x64: "error-context",
};

/** Canonical functions of asynchronous components: their names, and what follows their byte. */
export const ASYNCHRONOUS: Readonly<
  Record<number, readonly [name: string, ...operands: string[]]>
> = {
  0x05: ["task.cancel"],
  0x06: ["subtask.cancel", "byte"],
  0x07: ["resource.drop async", "number"],
  0x08: ["backpressure.set"],
  0x09: ["task.return", "result", "options"],
  0x0a: ["context.get", "byte", "number"],
  0x0b: ["context.set", "byte", "number"],
  0x0c: ["thread.yield", "byte"],
  0x0d: ["subtask.drop"],
  0x0e: ["stream.new", "number"],
  0x0f: ["stream.read", "number", "options"],
  0x10: ["stream.write", "number", "options"],
  0x11: ["stream.cancel-read", "number", "byte"],
  0x12: ["stream.cancel-write", "number", "byte"],
  0x13: ["stream.drop-readable", "number"],
  0x14: ["stream.drop-writable", "number"],
  0x15: ["future.new", "number"],
  0x16: ["future.read", "number", "options"],
  0x17: ["future.write", "number", "options"],
  0x18: ["future.cancel-read", "number", "byte"],
  0x19: ["future.cancel-write", "number", "byte"],
  0x1a: ["future.drop-readable", "number"],
  0x1b: ["future.drop-writable", "number"],
  0x1c: ["error-context.new", "options"],
  0x1d: ["error-context.debug-message", "options"],
  0x1e: ["error-context.drop"],
  0x1f: ["waitable-set.new"],
  0x20: ["waitable-set.wait", "byte", "number"],
  0x21: ["waitable-set.poll", "byte", "number"],
  0x22: ["waitable-set.drop"],
  0x23: ["waitable.join"],
  0x24: ["backpressure.inc"],
  0x25: ["backpressure.dec"],
  0x26: ["thread.index"],
  0x27: ["thread.new-indirect", "number", "number"],
  0x28: ["thread.resume-later"],
  0x29: ["thread.suspend", "byte"],
  0x2a: ["thread.suspend-then-resume", "byte"],
  0x2b: ["thread.yield-then-resume", "byte"],
  0x2c: ["thread.suspend-then-promote", "byte"],
  0x2d: ["thread.yield-then-promote", "byte"],
};
