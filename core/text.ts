/**
 * Names between bytes and text, losing nothing.
 *
 * A guest's paths and a disk's names are bytes; JavaScript wants text. Valid UTF-8 becomes the
 * text it is. A byte that is not part of valid UTF-8 becomes the lone surrogate U+DC00 + byte,
 * which valid UTF-8 never gives, so that the way back is exact (Python's "surrogateescape").
 *
 * @module
 */

const strict: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder: TextEncoder = new TextEncoder();

/** Matches what {@linkcode decode} made of bytes that were not UTF-8: with "u", only lone ones. */
const ESCAPED = /[\udc80-\udcff]/u;

/** Whether `bytes` from `start` to `end` are all below 128. */
function ascii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 127) return false;
  return true;
}

/** The text of the bytes from `start` to `end`. */
export function decode(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 64 && ascii(bytes, start, end)) {
    let text = "";
    for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
    return text;
  }
  const copy = bytes.slice(start, end); // also lets a decoder read memory that is shared
  try {
    return strict.decode(copy);
  } catch {
    return decodeLossless(copy);
  }
}

/** Length of the valid UTF-8 sequence at `i`, or 0. */
function sequence(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!;
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first < 0xe0
    ? 2
    : first >= 0xe0 && first < 0xf0
    ? 3
    : first >= 0xf0 && first < 0xf5
    ? 4
    : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(i, i + length));
    return length;
  } catch {
    return 0;
  }
}

function decodeLossless(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const length = sequence(bytes, i);
    text += length === 0
      ? String.fromCharCode(0xdc00 + bytes[i]!)
      : strict.decode(bytes.subarray(i, i + length));
    i += length || 1;
  }
  return text;
}

/**
 * What moves a terminal or the text around it: control characters (C0, DEL, C1), separators of lines
 * and paragraphs, marks of the direction of writing, surrogates that are no pair.
 */
const HARMFUL = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Text of others with nothing in it that moves a terminal: `\x1b` or `\u202e` stand for that. */
export function harmless(text: string): string {
  return text.replace(HARMFUL, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** The same in double quotes, as JSON has it: what was in the text can be told apart. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(HARMFUL, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Whether the text holds bytes that are not UTF-8. */
export function isEscaped(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return ESCAPED.test(text);
  }
  return false;
}

/** The bytes of the text: the way back from {@linkcode decode}. */
export function encode(text: string): Uint8Array {
  if (!isEscaped(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/**
 * Writes the bytes of the text and a NUL into `into` at `offset`. Returns the end, after the NUL,
 * or -1 if there is no room.
 */
export function encodeInto(text: string, into: Uint8Array, offset: number): number {
  const { length } = text;
  if (offset + length >= into.length) return -1;
  let at = offset;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return encodeSlowly(text, into, offset);
    into[at++] = code;
  }
  into[at] = 0;
  return at + 1;
}

function encodeSlowly(text: string, into: Uint8Array, offset: number): number {
  const bytes = encode(text);
  if (offset + bytes.length >= into.length) return -1;
  into.set(bytes, offset);
  into[offset + bytes.length] = 0;
  return offset + bytes.length + 1;
}
