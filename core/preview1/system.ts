/**
 * What the system calls of a preview1 guest share: a guest's world, and its memory.
 *
 * @module
 */
import type { Host } from "../host.ts";
import type { DescriptorTable } from "../system/descriptors.ts";
import { System } from "../system/system.ts";
import { GuestMemory } from "./memory.ts";

const SCRATCH = 65536;

const NEVER: Int32Array = new Int32Array(1);

const encoder: TextEncoder = new TextEncoder();

/** Arguments or environment: NUL-terminated strings, one after another. */
export class StringList {
  readonly bytes: Uint8Array;
  /** Where each string begins in `bytes`. */
  readonly offsets: readonly number[];

  constructor(strings: readonly string[]) {
    // A NUL would end the string for the guest, as it does for every program in C.
    const text = strings.map((string) => string.split("\0", 1)[0] + "\0");
    const parts = text.map((string) => encoder.encode(string));
    this.bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    const offsets: number[] = [];
    let at = 0;
    for (const part of parts) {
      offsets.push(at);
      this.bytes.set(part, at);
      at += part.length;
    }
    this.offsets = offsets;
  }
}

/** The world of a guest whose calls hand over pointers into its memory. */
export class Preview1System extends System {
  readonly args: StringList;
  readonly env: StringList;
  readonly memory: GuestMemory = new GuestMemory();
  /** One word, not 0 once the guest must make no more calls: another thread may say so. */
  halt: Int32Array = NEVER;
  #scratch: Uint8Array | undefined = undefined;

  constructor(host: Host, table: DescriptorTable, args: StringList, env: StringList) {
    super(host, table);
    this.args = args;
    this.env = env;
  }

  /** 64 KiB to gather or scatter in; give it back with {@linkcode Preview1System.giveBack}. */
  take(): Uint8Array {
    const scratch = this.#scratch ?? new Uint8Array(SCRATCH);
    this.#scratch = undefined; // a stream's callback may call the guest, and the guest us
    return scratch;
  }

  giveBack(scratch: Uint8Array): void {
    this.#scratch = scratch;
  }

  override end(cause: unknown): void {
    super.end(cause);
    this.memory.unbind();
  }
}
