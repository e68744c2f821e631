/**
 * A module whose start function is exported instead of run when it is instantiated: then it can make
 * system calls, which need the memory of an instance that is there.
 *
 * @module
 */
import { Kind, Reader, Section, sections } from "./reader.ts";
import { ByteWriter } from "./writer.ts";

/** A module, and the name that its start function is exported by. */
export interface Started {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly name: string;
}

/**
 * A copy of a module that exports its start function.
 *
 * @param bytes a valid module; others come back as they are
 * @param names those of its exports
 * @returns undefined for a module that has no start function
 */
export function exportStart(bytes: Uint8Array, names: readonly string[]): Started | undefined {
  if (!WebAssembly.validate(bytes as BufferSource)) return undefined;
  const reader = new Reader(bytes);
  const places = [...sections(reader)];
  const start = places.find(({ id }) => id === Section.START);
  if (start === undefined) return undefined;
  let name = "@x/wasi.start";
  while (names.includes(name)) name += "_";
  reader.at = start.start;
  const entry = new ByteWriter(64);
  entry.text(name);
  entry.byte(Kind.FUNCTION);
  entry.number(reader.number());
  const exported = places.find(({ id }) => id === Section.EXPORT);
  const section = new ByteWriter(1024);
  if (exported === undefined) section.number(1);
  else {
    reader.at = exported.start;
    section.number(reader.number() + 1);
    section.bytes(bytes, reader.at, exported.end);
  }
  section.bytes(entry.done(), 0);
  const whole = new ByteWriter(bytes.length + 128);
  // without exports they take the place of the start section, which comes next to theirs
  const place = exported ?? start;
  whole.bytes(bytes, 0, place.at);
  whole.byte(Section.EXPORT);
  whole.block(section);
  if (exported !== undefined) whole.bytes(bytes, exported.end, start.at);
  whole.bytes(bytes, start.end);
  return { bytes: whole.done(), name };
}
