/**
 * Text in a component's memory.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#loading
 *
 * @module
 */
import type { CanonicalOptions } from "./binary.ts";
import { take } from "./calls.ts";
import type { Allocator } from "./memory.ts";
import { Trap } from "./trap.ts";

/** Set in the length of a latin1+utf16 string that is UTF-16. */
const UTF16_TAG = 0x80000000;
/** Most bytes that a string may have. */
const BYTES_MAX = 0x7fffffff;
/** The text is made a character at a time up to this length, if it is ASCII. */
const SHORT = 32;
/** Characters made at once. */
const CHUNK = 8192;

const utf8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16: TextDecoder = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });
const encoder: TextEncoder = new TextEncoder();

/** How text is written and read in one encoding. `length` is what stands beside the pointer. */
export interface Encoding {
  load(memory: Allocator, pointer: number, length: number): string;
  /** Gives pointer and length. */
  store(memory: Allocator, text: string): [pointer: number, length: number];
}

function checkLength(bytes: number): void {
  if (bytes > BYTES_MAX) throw new Trap("a string of 2 GiB or more");
}

/** Decoders do not take shared memory, and some not the memory of a module. */
function decoded(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes.slice());
  } catch {
    throw new Trap("text that is not Unicode");
  }
}

function loadUtf8({ memory }: Allocator, pointer: number, length: number): string {
  checkLength(length);
  memory.check(pointer, length, 1);
  take(length);
  const { bytes } = memory;
  const end = pointer + length;
  if (length > SHORT) return decoded(utf8, bytes.subarray(pointer, end));
  let text = "";
  for (let i = pointer; i < end; i++) {
    const byte = bytes[i]!;
    if (byte > 127) return decoded(utf8, bytes.subarray(pointer, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Whether a text is ASCII. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

function storeUtf8(to: Allocator, text: string): [number, number] {
  if (text.length <= SHORT && isAscii(text)) {
    const { length } = text;
    const pointer = to.allocate(1, length);
    const { bytes } = to.memory;
    for (let i = 0; i < length; i++) bytes[pointer + i] = text.charCodeAt(i);
    return [pointer, length];
  }
  const bytes = encoder.encode(text);
  const pointer = to.allocate(1, bytes.length);
  to.memory.bytes.set(bytes, pointer);
  return [pointer, bytes.length];
}

function loadUtf16({ memory }: Allocator, pointer: number, length: number): string {
  checkLength(length * 2);
  memory.check(pointer, length * 2, 2);
  take(length * 2);
  return decoded(utf16, memory.bytes.subarray(pointer, pointer + length * 2));
}

function storeUtf16(to: Allocator, text: string): [number, number] {
  const { length } = text;
  checkLength(length * 2);
  const wellFormed = toWellFormed(text);
  const pointer = to.allocate(2, length * 2);
  const { view } = to.memory;
  for (let i = 0; i < length; i++) view.setUint16(pointer + 2 * i, wellFormed.charCodeAt(i), true);
  return [pointer, length];
}

/** Lone surrogates are no characters: U+FFFD stands for them, as everywhere on the web. */
function toWellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, "\ufffd");
}

function loadLatin1({ memory }: Allocator, pointer: number, length: number): string {
  checkLength(length);
  memory.check(pointer, length, 2);
  take(length);
  let text = "";
  for (let at = pointer, end = pointer + length; at < end; at += CHUNK) {
    const part = memory.bytes.subarray(at, Math.min(at + CHUNK, end));
    text += String.fromCharCode(...part);
  }
  return text;
}

function storeLatin1(to: Allocator, text: string): [number, number] {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) <= 0xff) continue;
    const [pointer, units] = storeUtf16(to, text);
    return [pointer, (units | UTF16_TAG) >>> 0];
  }
  const pointer = to.allocate(2, length);
  const { bytes } = to.memory;
  for (let i = 0; i < length; i++) bytes[pointer + i] = text.charCodeAt(i);
  return [pointer, length];
}

/** The encodings by their names. */
export const encodings: Readonly<Record<CanonicalOptions["encoding"], Encoding>> = {
  utf8: { load: loadUtf8, store: storeUtf8 },
  utf16: { load: loadUtf16, store: storeUtf16 },
  "latin1+utf16": {
    load: (memory, pointer, length) =>
      (length & UTF16_TAG) !== 0
        ? loadUtf16(memory, pointer, length & ~UTF16_TAG)
        : loadLatin1(memory, pointer, length),
    store: storeLatin1,
  },
};
