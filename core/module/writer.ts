/**
 * Bytes that are written one after another.
 *
 * @module
 */

/** So many bytes are copied sooner one by one. */
const FEW = 48;

/** Grows as it is written. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** How much was written. */
  get length(): number {
    return this.#length;
  }

  /** Begins anew. */
  clear(): void {
    this.#length = 0;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  /** A part of other bytes. */
  bytes(from: Uint8Array, start: number, end: number = from.length): void {
    this.#reserve(end - start);
    if (end - start <= FEW) {
      const bytes = this.#bytes;
      let length = this.#length;
      for (let at = start; at < end; at++) bytes[length++] = from[at]!;
      this.#length = length;
      return;
    }
    this.#bytes.set(
      start === 0 && end === from.length ? from : from.subarray(start, end),
      this.#length,
    );
    this.#length += end - start;
  }

  /** An unsigned LEB128 below 2 ** 53. */
  number(value: number): void {
    while (value >= 128) {
      this.byte(value % 128 + 128);
      value = Math.floor(value / 128);
    }
    this.byte(value);
  }

  /** A signed LEB128 of 32 bits. */
  signed(value: number): void {
    for (;;) {
      const low = value & 127;
      value >>= 7;
      if ((value === 0 && low < 64) || (value === -1 && low >= 64)) return this.byte(low);
      this.byte(low + 128);
    }
  }

  /** A signed LEB128 of a whole number from 0 to 2 ** 53. */
  wideSigned(value: number): void {
    while (value >= 64) {
      this.byte(value % 128 + 128);
      value = Math.floor(value / 128);
    }
    this.byte(value);
  }

  /** A number of 64 bits with a fraction. */
  double(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.bytes(bytes, 0);
  }

  /** Text with its length before it. */
  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.number(bytes.length);
    this.bytes(bytes, 0);
  }

  /** What another wrote, with its length before it. */
  block(other: ByteWriter): void {
    this.number(other.length);
    this.bytes(other.#bytes, 0, other.length);
  }

  /** What was written. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
