/** Guests whose memory grows while a call runs code of the embedder's: its old views are empty. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Directory, type File, type FileStat, Filetype, memory } from "../../mod.ts";
import { ALL, DATA, Guest } from "../support/guest.ts";

const RESULT = 1024;

/** A guest, and a function that makes its memory grow. */
function growing(options: (grow: () => void) => ConstructorParameters<typeof Guest>[0]): Guest {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 1000 });
  return new Guest(options(() => void memory.grow(1)), memory);
}

/** The result that a call left. */
function result(guest: Guest): number {
  return guest.view.getUint32(RESULT, true);
}

function textAt(guest: Guest, at: number, length: number): string {
  return new TextDecoder().decode(guest.bytes.slice(at, at + length));
}

/** A stream of the embedder's that gives "input". */
function inputFile(grow: () => void): File {
  const bytes = new TextEncoder().encode("input");
  return {
    filetype: Filetype.UNKNOWN,
    seekable: false,
    read(into, offset) {
      grow();
      into.set(bytes, offset);
      return bytes.length;
    },
    write: () => -8,
    stat: () => 0,
    setTimes: () => 0,
    sync: () => 0,
    close() {},
    setSize: () => -28,
    allocate: () => -28,
    advise: () => 0,
    setFlags: () => -58,
  };
}

test("standard input that is a function", () => {
  const guest = growing((grow) => ({
    stdin: (into) => {
      grow();
      into.set(new TextEncoder().encode("input"));
      return 5;
    },
  }));
  assert.equal(guest.read(0, 100), "input");
  assert.equal(result(guest), 5);
});

test("standard input that is a file of the embedder's, in one buffer and in several", () => {
  const guest = growing((grow) => ({ stdin: inputFile(grow) }));
  assert.equal(guest.read(0, 100), "input");
  const { view } = guest;
  [DATA, 2, DATA + 10, 10].forEach((value, i) => view.setUint32(2048 + 4 * i, value, true));
  assert.equal(guest.call.fd_read!(0, 2048, 2, RESULT), 0);
  assert.equal(result(guest), 5);
  assert.equal(textAt(guest, DATA, 2), "in");
  assert.equal(textAt(guest, DATA + 10, 3), "put");
});

test("a file that says it gave more than it was asked for", () => {
  const lying = { ...inputFile(() => {}), read: () => 1_000_000 };
  const guest = new Guest({ stdin: lying });
  assert.equal(guest.read(0, 10), -29);
  assert.deepEqual([...guest.bytes.slice(DATA, DATA + 20)], Array(20).fill(63));
});

test("a function for randomness, for little and for much", () => {
  const guest = growing((grow) => ({
    random: (into) => {
      grow();
      into.fill(7);
    },
  }));
  for (const length of [3, 200_000]) {
    assert.equal(guest.call.random_get!(DATA, length), 0);
    assert.ok(guest.bytes.slice(DATA, DATA + length).every((byte) => byte === 7));
    assert.equal(guest.bytes[DATA + length], 63);
  }
});

test("a clock: its time, its resolution, and a wait until a time", () => {
  let now = 1_000_000n;
  const guest = growing((grow) => ({
    clock: {
      now: () => {
        grow();
        return now += 10n;
      },
      resolution: () => {
        grow();
        return 5n;
      },
    },
  }));
  assert.equal(guest.call.clock_time_get!(0, 0n, DATA), 0);
  assert.equal(guest.view.getBigUint64(DATA, true), now);
  assert.equal(guest.call.clock_res_get!(0, DATA), 0);
  assert.equal(guest.view.getBigUint64(DATA, true), 5n);
  // two clocks, both over
  const { view } = guest;
  for (const at of [DATA, DATA + 48]) {
    view.setBigUint64(at, BigInt(at), true);
    view.setUint32(at + 8, 0, true);
    view.setUint32(at + 16, 1, true);
    view.setBigUint64(at + 24, 5n, true);
    view.setUint16(at + 40, 1, true);
  }
  assert.equal(guest.call.poll_oneoff!(DATA, DATA + 1000, 2, RESULT), 0);
  assert.equal(result(guest), 2);
  assert.equal(guest.view.getBigUint64(DATA + 1000, true), BigInt(DATA));
  assert.equal(guest.view.getBigUint64(DATA + 1032, true), BigInt(DATA + 48));
});

test("a directory of the embedder's: its list, attributes, links and files", () => {
  const inner = memory({ "a.txt": "content" });
  inner.symlink("a.txt", "link");
  const guest = growing((grow) => ({
    preopens: {
      "/": new Proxy(inner as Directory, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== "function") return value;
          return (...parameters: unknown[]): unknown => {
            grow();
            const given = value.apply(target, parameters);
            grow();
            return given;
          };
        },
      }),
    },
  }));
  assert.deepEqual(guest.names(3), [".", "..", "a.txt", "link"]);
  assert.equal(guest.readlink("link"), "a.txt");
  const stat = guest.stat("a.txt");
  assert.ok(typeof stat !== "number" && stat.getBigUint64(32, true) === 7n);
  const fd = guest.open("a.txt", { rights: ALL });
  assert.equal(guest.read(fd, 100), "content");
});

test("a list that makes the memory grow between its entries", () => {
  const stat = (into: FileStat): number => {
    into.filetype = Filetype.DIRECTORY;
    return 0;
  };
  const guest = growing((grow) => ({
    preopens: {
      "/": {
        ...Object.create(null),
        filetype: Filetype.DIRECTORY,
        confinement: "memory",
        open: () => -44,
        statAt: () => -44,
        stat,
        close() {},
        list: (_: bigint, sink: { add(...entry: unknown[]): boolean }) => {
          for (const [i, name] of ["one", "two", "three"].entries()) {
            grow();
            sink.add(BigInt(i + 1), BigInt(i + 7), Filetype.REGULAR_FILE, name);
          }
          return 0;
        },
      } as Directory,
    },
  }));
  assert.equal(guest.call.fd_readdir!(3, DATA, 4096, 0n, RESULT), 0);
  assert.equal(result(guest), 3 * 24 + "onetwothree".length);
  assert.equal(textAt(guest, DATA + 24, 3), "one");
  assert.equal(textAt(guest, DATA + 27 + 24, 3), "two");
});
