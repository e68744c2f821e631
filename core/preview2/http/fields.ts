/**
 * `fields`: headers and trailers.
 *
 * @module
 */
import { Err } from "../../component/err.ts";
import { Trap } from "../../component/trap.ts";

/** A name as it was given, and a value. */
export type Field = readonly [name: string, value: Uint8Array];

/** Names that belong to the connection, which is the runtime's. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Most bytes of names and values; what is beyond stops the guest. */
const SIZE_MAX = 1 << 17;
/** What an entry takes beside its bytes. */
const ENTRY = 32;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Whether a text can be the name of a field, or a method. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether a field belongs to the connection. */
export function isForbidden(name: string): boolean {
  return FORBIDDEN.has(name.toLowerCase());
}

/** Printable characters, tabs between them, and bytes above ASCII. */
function isValue(bytes: Uint8Array): boolean {
  for (const byte of bytes) if ((byte < 0x20 && byte !== 9) || byte === 0x7f) return false;
  const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 9;
  return !isSpace(bytes[0]) && !isSpace(bytes[bytes.length - 1]);
}

const SYNTAX: Err = new Err({ tag: "invalid-syntax" });
const DENIED: Err = new Err({ tag: "forbidden" });
const IMMUTABLE: Err = new Err({ tag: "immutable" });

/** The bytes of a value as the text that `fetch` takes: one character each. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The way back. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** `fields`. */
export class Fields {
  readonly #immutable: boolean;
  #entries: readonly Field[];
  #size: number;

  constructor(entries: readonly Field[] = [], immutable: boolean = false) {
    this.#entries = entries;
    this.#immutable = immutable;
    this.#size = 0;
    if (immutable) return;
    for (const [name, value] of entries) this.#grow(name, value);
  }

  static fromList(entries: readonly Field[]): Fields | Err {
    for (const [name, value] of entries) {
      if (!isToken(name) || !isValue(value)) return SYNTAX;
      if (isForbidden(name)) return DENIED;
    }
    return new Fields(entries.map(([name, value]) => [name, value.slice()]));
  }

  #grow(name: string, value: Uint8Array): void {
    this.#size += name.length + value.length + ENTRY;
    if (this.#size > SIZE_MAX) throw new Trap(`fields of more than ${SIZE_MAX} bytes`);
  }

  /** What is wrong with a change. */
  #refusal(name: string, values: readonly Uint8Array[]): Err | undefined {
    if (this.#immutable) return IMMUTABLE;
    if (!isToken(name) || !values.every(isValue)) return SYNTAX;
    return isForbidden(name) ? DENIED : undefined;
  }

  /** The same, which cannot be changed. */
  frozen(): Fields {
    return new Fields(this.#entries, true);
  }

  get(name: string): Uint8Array[] {
    const wanted = name.toLowerCase();
    return this.#entries.filter(([name]) => name.toLowerCase() === wanted)
      .map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.get(name).length > 0;
  }

  set(name: string, values: readonly Uint8Array[]): undefined | Err {
    const refusal = this.#refusal(name, values);
    if (refusal !== undefined) return refusal;
    this.#remove(name);
    for (const value of values) this.#add(name, value);
    return undefined;
  }

  delete(name: string): undefined | Err {
    const refusal = this.#refusal(name, []);
    if (refusal !== undefined) return refusal;
    this.#remove(name);
    return undefined;
  }

  append(name: string, value: Uint8Array): undefined | Err {
    const refusal = this.#refusal(name, [value]);
    if (refusal !== undefined) return refusal;
    this.#add(name, value);
    return undefined;
  }

  #add(name: string, value: Uint8Array): void {
    this.#grow(name, value);
    this.#entries = [...this.#entries, [name, value.slice()]];
  }

  #remove(name: string): void {
    const wanted = name.toLowerCase();
    this.#entries = this.#entries.filter(([name, value]) => {
      const stays = name.toLowerCase() !== wanted;
      if (!stays) this.#size -= name.length + value.length + ENTRY;
      return stays;
    });
  }

  entries(): readonly Field[] {
    return this.#entries;
  }

  clone(): Fields {
    return new Fields(this.#entries);
  }
}
