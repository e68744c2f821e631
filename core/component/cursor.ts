/**
 * A place in the bytes of a component, and the items that all of its parts are made of.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
 *
 * @module
 */
import { componentError } from "./errors.ts";

/** How deep components and types may be nested. */
const DEPTH_MAX = 100;

const decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads items one after the other; whatever is not as it must be throws `ERR_WASI_COMPONENT`. */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at: number;
  #end: number;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** Whether there is something left of the section, or of the whole. */
  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  fail(what: string): never {
    throw componentError(`byte ${this.#at}: ${what}`);
  }

  /** The same at the byte that was read last. */
  failBefore(what: string): never {
    this.#at--;
    return this.fail(what);
  }

  byte(): number {
    if (this.#at >= this.#end) this.fail("it ends too early");
    return this.#bytes[this.#at++]!;
  }

  /** The next byte, which stays the next one; -1 where there is none. */
  peek(): number {
    return this.#at < this.#end ? this.#bytes[this.#at]! : -1;
  }

  /** An unsigned LEB128 of 32 bits. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    return this.fail("a number of more than 32 bits");
  }

  string(): string {
    const length = this.number();
    if (length > this.#end - this.#at) this.fail("a name that is longer than what is left");
    const start = this.#at;
    this.#at += length;
    try {
      return decoder.decode(this.#bytes.subarray(start, this.#at));
    } catch {
      this.#at = start;
      return this.fail("a name that is not UTF-8");
    }
  }

  list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let count = this.number(); count > 0; count--) items.push(item());
    return items;
  }

  /** A list that is not empty. */
  some<T>(item: () => T, what: string): T[] {
    const items = this.list(item);
    if (items.length === 0) this.fail(`an empty ${what}`);
    return items;
  }

  optional<T>(item: () => T): T | undefined {
    const has = this.byte();
    if (has > 1) this.fail(`${has} where 0 or 1 says whether something follows`);
    return has === 1 ? item() : undefined;
  }

  expect(byte: number, what: string): void {
    const found = this.byte();
    if (found !== byte) this.failBefore(`${hex(found)} is not ${what}`);
  }

  nested<T>(act: () => T): T {
    if (++this.#depth > DEPTH_MAX) this.fail(`nested more than ${DEPTH_MAX} deep`);
    const result = act();
    this.#depth--;
    return result;
  }

  /** All that is left of the section. */
  rest(): Uint8Array {
    const start = this.#at;
    this.#at = this.#end;
    return this.#bytes.subarray(start, this.#end);
  }

  /** Reads what a section has, which must be all of it. */
  section(id: number, content: () => void): void {
    const length = this.number();
    const [start, outer] = [this.#at, this.#end];
    if (length > outer - start) this.fail(`section ${id} is longer than what is left`);
    this.#end = start + length;
    content();
    if (this.#at !== this.#end) this.fail(`section ${id} has more bytes than its content`);
    this.#end = outer;
  }
}

/** A byte as it is named in messages. */
export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
