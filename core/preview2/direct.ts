/**
 * The calls that programs make most, whose values travel here by hand. The codecs of
 * component/codecs do the same for every type, in two or three times the time; what the calls do
 * stands where it stands for the others. Tests make each call both ways.
 *
 * Offsets are those of the canonical ABI.
 *
 * @module
 */
import type { Words } from "../component/codecs/scalars.ts";
import { Err } from "../component/err.ts";
import type { Door } from "../component/function.ts";
import { encodings } from "../component/strings.ts";
import type { ResourceType } from "../component/types.ts";
import { type FileStat, Filestat } from "../filestat.ts";
import { fillRandom } from "../system/random.ts";
import { datetimeAt } from "./clocks.ts";
import type { Descriptor } from "./descriptor.ts";
import type { DirectoryEntryStream } from "./entries.ts";
import type { InputStream, OutputStream } from "./io.ts";
import type { DirectMaker } from "./interface.ts";
import type { WitInterface } from "./wit.ts";
import type { World } from "./world.ts";

/** The numbers of an enum's names. */
function numbersOf({ types }: WitInterface, name: string): ReadonlyMap<unknown, number> {
  const { names } = types.get(name) as unknown as { names: readonly string[] };
  return new Map(names.map((name, i) => [name, i]));
}

function resource({ types }: WitInterface, name: string): ResourceType {
  return types.get(name) as ResourceType;
}

function setWords(view: DataView, at: number, { low, high }: Words): void {
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
}

/** `result<…, error-code>` with an error: which it is, and `payload` bytes on the code. */
function setError(
  view: DataView,
  at: number,
  payload: number,
  code: number,
): void {
  view.setUint8(at, 1);
  view.setUint8(at + payload, code);
}

/** `result<descriptor-flags, error-code>` and `result<descriptor-type, error-code>`: a byte each. */
function oneByte(read: (descriptor: Descriptor) => number): DirectMaker {
  return (wit) => ({ handles, memory }) => {
    const type = resource(wit, "descriptor");
    return (self: number, at: number) => {
      const descriptor = handles.get(self >>> 0, type).representation as Descriptor;
      at >>>= 0;
      memory.check(at, 2, 1);
      memory.view.setUint16(at, read(descriptor) << 8, true);
    };
  };
}

/** `descriptor-stat`, 104 bytes with what is before it. */
function storeStat({ view }: Door["memory"], at: number, stat: FileStat, type: number): void {
  view.setUint8(at, 0);
  view.setUint8(at + 8, type);
  for (const [to, from] of [[16, Filestat.nlink], [24, Filestat.filesize]] as const) {
    view.setUint32(at + to, stat.view.getUint32(from, true), true);
    view.setUint32(at + to + 4, stat.view.getUint32(from + 4, true), true);
  }
  for (const [to, from] of TIMES) {
    const { seconds, nanoseconds } = datetimeAt(stat.view, from);
    view.setUint8(at + to, 1);
    setWords(view, at + to + 8, seconds);
    view.setUint32(at + to + 16, nanoseconds, true);
  }
}

/** Where the times of a `descriptor-stat` are, and those of a `FileStat`. */
const TIMES = [[32, Filestat.atim], [56, Filestat.mtim], [80, Filestat.ctim]] as const;
const STAT_SIZE = 104;
const HASH_SIZE = 24;
const ENTRY_SIZE = 20;

/** Calls that look at a file and store what they found, or an error code. */
function looking(
  size: number,
  payload: number,
  look: (descriptor: Descriptor, flags: number, path: string) => unknown,
  store: (door: Door, at: number, found: unknown, world: World) => void,
  byPath: boolean,
): DirectMaker {
  return (wit, world) => (door) => {
    const { handles, memory } = door;
    const type = resource(wit, "descriptor");
    const codes = numbersOf(wit, "error-code");
    const finish = (found: unknown, at: number): void => {
      memory.check(at, size, 8);
      if (found instanceof Err) setError(memory.view, at, payload, codes.get(found.val)!);
      else store(door, at, found, world);
    };
    if (!byPath) {
      return (self: number, at: number) => {
        const descriptor = handles.get(self >>> 0, type).representation as Descriptor;
        finish(look(descriptor, 0, ""), at >>> 0);
      };
    }
    return (self: number, flags: number, path: number, length: number, at: number) => {
      const descriptor = handles.get(self >>> 0, type).representation as Descriptor;
      const text = encodings.utf8.load(door, path >>> 0, length >>> 0);
      finish(look(descriptor, flags, text), at >>> 0);
    };
  };
}

function storeHash({ memory: { view } }: Door, at: number, found: unknown): void {
  const { lower, upper } = found as { lower: Words; upper: Words };
  view.setUint8(at, 0);
  setWords(view, at + 8, lower);
  setWords(view, at + 16, upper);
}

function storeLook({ memory }: Door, at: number, found: unknown, { system }: World): void {
  storeStat(memory, at, system.stat, found as number);
}

/** The calls, by the interface's name and theirs. */
export const direct: Readonly<Record<string, DirectMaker>> = {
  "wasi:filesystem/types [method]descriptor.get-flags": oneByte((of) => of.getFlags()),
  "wasi:filesystem/types [method]descriptor.get-type": oneByte((of) => of.typeNumber),
  "wasi:filesystem/types [method]descriptor.stat": looking(
    STAT_SIZE,
    8,
    (descriptor) => descriptor.look(),
    storeLook,
    false,
  ),
  "wasi:filesystem/types [method]descriptor.stat-at": looking(
    STAT_SIZE,
    8,
    (descriptor, flags, path) => descriptor.lookAt(flags, path),
    storeLook,
    true,
  ),
  "wasi:filesystem/types [method]descriptor.metadata-hash": looking(
    HASH_SIZE,
    8,
    (descriptor) => descriptor.metadataHash(),
    storeHash,
    false,
  ),
  "wasi:filesystem/types [method]descriptor.metadata-hash-at": looking(
    HASH_SIZE,
    8,
    (descriptor, flags, path) => descriptor.metadataHashAt(flags, path),
    storeHash,
    true,
  ),
  "wasi:filesystem/types [method]directory-entry-stream.read-directory-entry": (wit) => (door) => {
    const { handles, memory } = door;
    const type = resource(wit, "directory-entry-stream");
    const codes = numbersOf(wit, "error-code");
    return (self: number, at: number) => {
      const stream = handles.get(self >>> 0, type).representation as DirectoryEntryStream;
      const entry = stream.next();
      at >>>= 0;
      memory.check(at, ENTRY_SIZE, 4);
      if (entry instanceof Err) return setError(memory.view, at, 4, codes.get(entry.val)!);
      if (entry === undefined) {
        memory.view.setUint8(at, 0);
        memory.view.setUint8(at + 4, 0);
        return;
      }
      const [pointer, length] = encodings.utf8.store(door, entry.name);
      const { view } = memory;
      view.setUint8(at, 0);
      view.setUint8(at + 4, 1);
      view.setUint8(at + 8, entry.number);
      view.setUint32(at + 12, pointer, true);
      view.setUint32(at + 16, length, true);
    };
  },
  "wasi:io/streams [method]output-stream.blocking-write-and-flush": (wit) => (door, settle) => {
    const { handles, memory } = door;
    const type = resource(wit, "output-stream");
    return (self: number, pointer: number, length: number, at: number): unknown => {
      const stream = handles.get(self >>> 0, type).representation as OutputStream;
      pointer >>>= 0;
      length >>>= 0;
      memory.check(pointer, length, 1);
      const result = stream.blockingWriteFrom(memory.bytes, pointer, length);
      if (result !== undefined) return settle(result, at);
      at >>>= 0;
      memory.check(at, 12, 4);
      memory.view.setUint8(at, 0);
      return undefined;
    };
  },
  "wasi:io/streams [method]input-stream.blocking-read": (wit) => (door, settle) => {
    const { handles, memory } = door;
    const type = resource(wit, "input-stream");
    return (self: number, length: bigint, at: number): unknown => {
      const stream = handles.get(self >>> 0, type).representation as InputStream;
      const read = stream.blockingRead(BigInt.asUintN(64, length));
      if (!(read instanceof Uint8Array)) return settle(read, at);
      const pointer = door.allocate(1, read.length);
      memory.bytes.set(read, pointer);
      at >>>= 0;
      memory.check(at, 12, 4);
      memory.view.setUint8(at, 0);
      memory.view.setUint32(at + 4, pointer, true);
      memory.view.setUint32(at + 8, read.length, true);
      return undefined;
    };
  },
  "wasi:random/random get-random-bytes": (_, { host }) => (door, settle, call) => {
    const { memory } = door;
    return (length: bigint, at: number): unknown => {
      length = BigInt.asUintN(64, length);
      if (host.pooled === false || length > 65536n) return settle(call(length), at);
      const count = Number(length);
      const pointer = door.allocate(1, count);
      fillRandom(host, memory.bytes, memory.view, pointer, pointer + count);
      at >>>= 0;
      memory.check(at, 8, 4);
      memory.view.setUint32(at, pointer, true);
      memory.view.setUint32(at + 4, count, true);
      return undefined;
    };
  },
  "wasi:clocks/wall-clock now": (_, { host }) => ({ memory }) => {
    const time = new DataView(new ArrayBuffer(8));
    return (at: number) => {
      host.clock.time(0, time, 0);
      const { seconds, nanoseconds } = datetimeAt(time, 0);
      at >>>= 0;
      memory.check(at, 16, 8);
      setWords(memory.view, at, seconds);
      memory.view.setUint32(at + 8, nanoseconds, true);
    };
  },
};
