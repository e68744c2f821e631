/**
 * A module that exports all memories and tables of its own, so that who instantiates it can count
 * them.
 *
 * @module
 */
import { imported, memoriesIn, tableLimits } from "./contents.ts";
import { Instructions } from "./instructions.ts";
import { HEADER, Kind, Section, sections } from "./reader.ts";
import { ByteWriter } from "./writer.ts";

/** What stands behind the section of exports. */
const AFTER: readonly number[] = [
  Section.START,
  Section.ELEMENT,
  Section.DATA_COUNT,
  Section.CODE,
  Section.DATA,
];

/** What the added exports begin with; behind it as many `_` as make them new, and a number. */
const NAME = "@x/wasi.space";

/**
 * A copy of a module that exports its memories and tables, whatever else it exports.
 *
 * @param bytes a valid module; others come back as they are
 * @param names those of its exports
 */
export function exportSpaces(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  if (!WebAssembly.validate(bytes as BufferSource)) return bytes;
  const reader = new Instructions(bytes, HEADER);
  const places = [...sections(reader)];
  const own = { memories: [0, 0], tables: [0, 0] };
  for (const { id, start } of places) {
    reader.at = start;
    if (id === Section.IMPORT) {
      const { memories, tables } = imported(reader);
      own.memories[0] = memories.length;
      own.tables[0] = tables.length;
    } else if (id === Section.MEMORY) own.memories[1] = memoriesIn(reader).length;
    else if (id === Section.TABLE) own.tables[1] = tableLimits(reader).length;
  }
  const entries = new ByteWriter(64);
  let name = NAME;
  while (names.some((other) => other.startsWith(name))) name += "_";
  let count = 0;
  for (
    const [kind, [first, more]] of [[Kind.MEMORY, own.memories], [Kind.TABLE, own.tables]] as const
  ) {
    for (let i = 0; i < more!; i++) {
      entries.text(`${name}${count++}`);
      entries.byte(kind);
      entries.number(first! + i);
    }
  }
  if (count === 0) return bytes;
  const exported = places.find(({ id }) => id === Section.EXPORT);
  const section = new ByteWriter(1024);
  if (exported === undefined) section.number(count);
  else {
    reader.at = exported.start;
    section.number(reader.number() + count);
    section.bytes(bytes, reader.at, exported.end);
  }
  section.bytes(entries.done(), 0);
  const place = exported ?? places.find(({ id }) => AFTER.includes(id));
  const at = place?.at ?? bytes.length;
  const whole = new ByteWriter(bytes.length + 256);
  whole.bytes(bytes, 0, at);
  whole.byte(Section.EXPORT);
  whole.block(section);
  whole.bytes(bytes, exported?.end ?? at);
  return whole.done();
}
