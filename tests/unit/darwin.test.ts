/**
 * What can be tested of macOS without a Mac: numbers, layouts and signatures, as the headers have
 * them, against a libc that records how it is called. Bytes are laid out by hand, not with the
 * offsets of the code under test.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostMaker, type Runtime } from "../../adapters/host.ts";
import * as darwin from "../../core/directories/posix/darwin.ts";
import { DarwinLibc } from "../../core/directories/posix/darwin_libc.ts";
import { DarwinSnapshot } from "../../core/directories/posix/darwin_snapshot.ts";
import { LibcDirectory, LibcFile } from "../../core/directories/posix/directory.ts";
import {
  type CFunction,
  type CSignature,
  darwinTables,
  type Foreign,
  openSymbols,
  type Pointer,
} from "../../core/foreign.ts";
import * as linux from "../../core/directories/posix/linux.ts";
import { Errno, Filetype, Fstflags } from "../../core/preview1/abi.ts";
import { errnoOfDarwin } from "../../core/errno.ts";
import { FileStat } from "../../core/filestat.ts";
import { type DirentSink, Open, Poll, type PollEntry } from "../../core/host.ts";

const ERRNO = { ENOENT: 2, EPERM: 1, ENOTSUP: 45, ENOSPC: 28, ELOOP: 62 };

/** A libc that records its calls; its functions are what a test says. */
class Fake {
  readonly calls: [name: string, ...parameters: unknown[]][] = [];
  readonly errno: Int32Array = new Int32Array(1);
  readonly foreign: Foreign;

  constructor(functions: Record<string, CFunction>) {
    const symbols = new Proxy({}, {
      get: (_, name: string) => (...parameters: unknown[]) => {
        this.calls.push([name, ...parameters]);
        return functions[name]?.(...parameters) ?? 0;
      },
    });
    this.foreign = {
      symbols,
      pointer: (bytes, offset) => bytes.subarray(offset),
      address: () => 0n,
      long: (value) => BigInt(value),
      errnoView: () => this.errno,
    };
  }

  fail(errno: number): number {
    this.errno[0] = errno;
    return -1;
  }

  /** The calls made meanwhile. */
  during(act: () => void): [name: string, ...parameters: unknown[]][] {
    this.calls.length = 0;
    act();
    return [...this.calls];
  }
}

function text(pointer: Pointer): string {
  const bytes = pointer as Uint8Array;
  return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
}

interface Entry {
  ino: bigint;
  type: number;
  name: string;
}

/** Records as getdirentries64 gives them, padded to 8 bytes. */
function direntsOf(entries: readonly Entry[]): Uint8Array {
  const parts = entries.map(({ ino, type, name }) => {
    const bytes = new TextEncoder().encode(name);
    const record = new Uint8Array((21 + bytes.length + 1 + 7) & ~7);
    const view = new DataView(record.buffer);
    view.setBigUint64(0, ino, true);
    view.setBigUint64(8, 0xdeadn, true);
    view.setUint16(16, record.length, true);
    view.setUint16(18, bytes.length, true);
    view.setUint8(20, type);
    record.set(bytes, 21);
    return record;
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** `struct stat` as the header lays it out. */
function putStat(
  pointer: Pointer,
  { mode = 0o100644, nlink = 1, ino = 7n, size = 0n, dev = 0x1000004 },
): void {
  const bytes = pointer as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setInt32(0, dev, true);
  view.setUint16(4, mode, true);
  view.setUint16(6, nlink, true);
  view.setBigUint64(8, ino, true);
  view.setBigInt64(32, 1700000001n, true);
  view.setBigInt64(40, 11n, true);
  view.setBigInt64(48, 1700000002n, true);
  view.setBigInt64(56, 22n, true);
  view.setBigInt64(64, 1700000003n, true);
  view.setBigInt64(72, 33n, true);
  view.setBigInt64(80, 99n, true); // birth
  view.setBigInt64(96, size, true);
}

test("flags of open become macOS'", () => {
  const { O_DIRECTORY, O_NOFOLLOW } = darwin.BOUNDARY;
  const pairs: [linux: number, darwin: number][] = [
    [linux.O_RDONLY, 0],
    [linux.O_WRONLY, 1],
    [linux.O_RDWR, 2],
    [linux.O_NONBLOCK, 4],
    [linux.O_APPEND, 8],
    [linux.O_SYNC, 0x80],
    [O_NOFOLLOW, 0x100],
    [linux.O_CREAT, 0x200],
    [linux.O_TRUNC, 0x400],
    [linux.O_EXCL, 0x800],
    [linux.O_NOCTTY, 0x20000],
    [O_DIRECTORY, 0x100000],
    [linux.O_DSYNC, 0x400000],
    [linux.O_CLOEXEC, 0x1000000],
    [linux.O_PATH | O_DIRECTORY, 0x40100000],
  ];
  for (const [from, to] of pairs) assert.equal(darwin.openFlags(from), to, from.toString(8));
  assert.equal(
    darwin.openFlags(linux.O_RDWR | linux.O_CREAT | linux.O_CLOEXEC | O_NOFOLLOW),
    0x1000302,
  );
  assert.equal(darwin.atFlags(linux.AT_REMOVEDIR), 0x80);
  assert.equal(darwin.atFlags(linux.AT_SYMLINK_NOFOLLOW), 0x20);
  assert.equal(darwin.atFlags(0), 0);
});

test("flags of an open file come back, and can be set again", () => {
  for (const flags of [0, 1, 2, 8, 4 | 8, 0x80 | 1, 0x400000 | 2]) {
    assert.equal(darwin.openFlags(darwin.statusFlags(flags)), flags);
  }
});

test("error numbers are Darwin's", () => {
  const pairs: [number, number][] = [
    [0, 0],
    [1, Errno.PERM],
    [2, Errno.NOENT],
    [11, Errno.DEADLK],
    [20, Errno.NOTDIR],
    [21, Errno.ISDIR],
    [34, Errno.RANGE],
    [35, Errno.AGAIN],
    [36, Errno.INPROGRESS],
    [40, Errno.MSGSIZE],
    [45, Errno.NOTSUP],
    [57, Errno.NOTCONN],
    [62, Errno.LOOP],
    [63, Errno.NAMETOOLONG],
    [66, Errno.NOTEMPTY],
    [69, Errno.DQUOT],
    [70, Errno.STALE],
    [78, Errno.NOSYS],
    [84, Errno.OVERFLOW],
    [92, Errno.ILSEQ],
    [102, Errno.NOTSUP],
    [999, Errno.IO],
  ];
  for (const [number, errno] of pairs) assert.equal(errnoOfDarwin(number), errno, `${number}`);
});

test("variadic arguments are behind eight registers on arm64, and are the next on x64", () => {
  const opened: Record<string, CSignature> = {};
  const symbols = openSymbols((table) => {
    Object.assign(opened, table);
    return Object.fromEntries(Object.keys(table).map((name) => [name, () => 0]));
  }, darwinTables);
  assert.deepEqual(Object.keys(opened), ["__error"], "the rest waits until it is called");
  const signatureOf = (name: string): CSignature => {
    symbols[name]!();
    return opened[darwinTables.variants[name]?.[0] ?? name]!;
  };
  assert.deepEqual(signatureOf("openat"), [["i32", "ptr", "i32", "u32"], "i32"]);
  assert.deepEqual(signatureOf("fcntl"), [["i32", "i32", "i64"], "i32"]);
  for (const [name, last] of [["openat", "u32"], ["fcntl", "i64"], ["ioctl", "ptr"]] as const) {
    const [parameters] = signatureOf(`${name}_stack`);
    assert.equal(parameters.length, 9, name);
    assert.equal(parameters[8], last, name);
  }
  assert.equal(signatureOf("fcntl_pointer_stack")[0][8], "ptr");
  signatureOf("fstat_inode64");
  assert.ok("fstat$INODE64" in opened);
  for (const name of ["__errno_location", "statx", "ppoll", "syscall", "posix_fallocate"]) {
    assert.ok(!(name in symbols), name);
  }
});

test("calls of both processors", () => {
  const fake = new Fake({ openat: () => 5, openat_stack: () => 5 });
  const x64 = new DarwinLibc(fake.foreign, "x64");
  const arm64 = new DarwinLibc(fake.foreign, "arm64");
  const flags = linux.O_WRONLY | linux.O_CREAT;

  let [call] = fake.during(() => assert.equal(x64.openat(3, "a", flags, 0o666), 5));
  assert.deepEqual([call![0], call![1], call![3], call![4]], ["openat", 3, 0x201, 0o666]);
  assert.equal(text(call![2] as Pointer), "a");

  [call] = fake.during(() => arm64.openat(linux.AT_FDCWD, "a", flags, 0o666));
  assert.deepEqual([call![0], call![1]], ["openat_stack", -2]);
  assert.deepEqual(call!.slice(3), [0x201, 0, 0, 0, 0, 0, 0o666]);

  [call] = fake.during(() => x64.fcntl(3, linux.F_SETFL, linux.O_APPEND));
  assert.deepEqual(call, ["fcntl", 3, 4, 8n]);
  [call] = fake.during(() => arm64.fcntl(3, linux.F_SETFL, linux.O_APPEND));
  assert.deepEqual(call, ["fcntl_stack", 3, 4, 0, 0, 0, 0, 0, 0, 8n]);

  const stat = new FileStat();
  const names = (act: () => void): string[] => fake.during(act).map(([name]) => name);
  assert.deepEqual(names(() => x64.fstat(3, stat)), ["fstat_inode64"]);
  assert.deepEqual(names(() => x64.stat(3, "a", stat)), ["fstatat_inode64"]);
  assert.deepEqual(names(() => arm64.fstat(3, stat)), ["fstat"]);
  assert.deepEqual(names(() => arm64.stat(3, "a", stat)), ["fstatat"]);
});

test("struct stat is decoded", () => {
  const fake = new Fake({
    fstat(_fd, pointer) {
      const ino = 0x1234567890abcdefn;
      putStat(pointer, { mode: 0o120755, nlink: 65535, ino, size: 0x123456789n });
      return 0;
    },
  });
  const libc = new DarwinLibc(fake.foreign, "arm64");
  const stat = new FileStat();
  assert.equal(libc.fstat(3, stat), 0);
  assert.equal(stat.dev, 0x1000004n);
  assert.equal(stat.ino, 0x1234567890abcdefn);
  assert.equal(stat.filetype, Filetype.SYMBOLIC_LINK);
  assert.equal(stat.nlink, 65535n);
  assert.equal(stat.size, 0x123456789n);
  assert.equal(stat.atim, 1700000001000000011n);
  assert.equal(stat.mtim, 1700000002000000022n);
  assert.equal(stat.ctim, 1700000003000000033n);
  assert.equal(libc.filetype(3), Filetype.SYMBOLIC_LINK);
});

test("what is called otherwise on macOS", () => {
  let mode = 0o040755;
  let preallocated: DataView | undefined;
  const fake: Fake = new Fake({
    unlinkat: () => fake.fail(ERRNO.EPERM),
    fstatat: (_fd, _path, pointer) => (putStat(pointer, { mode }), 0),
    fstat: (_fd, pointer) => (putStat(pointer, { size: 10n }), 0),
    fcntl_stack: (_fd, command) => command === 51 ? fake.fail(ERRNO.ENOTSUP) : 0,
    fcntl_pointer_stack(_fd, command, ...parameters) {
      const pointer = parameters.pop() as Uint8Array;
      if (command === 50) pointer.set(new TextEncoder().encode("/private/tmp\0"));
      if (command === 42) preallocated = new DataView(pointer.slice(0, 32).buffer);
      return 0;
    },
  });
  const libc = new DarwinLibc(fake.foreign, "arm64");
  assert.equal(libc.unlinkat(3, "d", 0), -Errno.ISDIR);
  mode = 0o100644;
  assert.equal(libc.unlinkat(3, "f", 0), -Errno.PERM);
  assert.equal(libc.pathOf(3), "/private/tmp");

  const grown = fake.during(() => assert.equal(libc.allocate(3, 100, 50), 0));
  assert.deepEqual(grown.map(([name]) => name), ["fstat", "fcntl_pointer_stack", "ftruncate"]);
  assert.deepEqual(grown[2]!.slice(1), [3, 150n]);
  assert.equal(preallocated!.getUint32(0, true), 4);
  assert.equal(preallocated!.getInt32(4, true), 3);
  assert.equal(preallocated!.getBigInt64(16, true), 140n);
  assert.deepEqual(fake.during(() => libc.allocate(3, 0, 10)).map(([name]) => name), ["fstat"]);

  const synced = fake.during(() => assert.equal(libc.sync(3), 0));
  assert.deepEqual(synced.map(([name]) => name), ["fcntl_stack", "fsync"]);
  assert.equal(libc.advise(), 0);
  assert.equal(libc.openBeneath(), -Errno.NOSYS);
});

test("times: now and as they are have macOS' numbers", () => {
  const fake = new Fake({});
  const libc = new DarwinLibc(fake.foreign, "x64");
  const [call] = fake.during(() => libc.utimensat(3, "f", 0n, 0n, Fstflags.ATIM_NOW));
  assert.equal(call![0], "utimensat");
  assert.equal(call![4], 0x20);
  const bytes = call![3] as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assert.equal(view.getBigInt64(8, true), -1n);
  assert.equal(view.getBigInt64(24, true), -2n);
  assert.equal(fake.during(() => libc.utimensat(3, "", 0n, 0n, 0))[0]![0], "futimens");
});

test("clocks have macOS' numbers", () => {
  const asked: number[] = [];
  const fake = new Fake({
    clock_gettime(id, pointer) {
      asked.push(id);
      const view = new DataView(pointer.buffer, pointer.byteOffset);
      view.setBigInt64(0, 3n, true);
      view.setBigInt64(8, 4n, true);
      return 0;
    },
  });
  const libc = new DarwinLibc(fake.foreign, "arm64");
  const into = new DataView(new ArrayBuffer(8));
  for (const id of [0, 1, 2, 3]) {
    assert.equal(libc.clock(id, into, 0), 0);
    assert.equal(into.getBigUint64(0, true), 3000000004n);
  }
  assert.deepEqual(asked, [0, 6, 12, 16]);
  assert.equal(libc.clock(4, into, 0), -Errno.INVAL);
});

test("poll rounds up, and takes what cannot be waited for as ready", () => {
  const timeouts: number[] = [];
  let revents = 1;
  const fake: Fake = new Fake({
    poll(pointer: Uint8Array, count, timeout) {
      timeouts.push(timeout);
      const view = new DataView(pointer.buffer, pointer.byteOffset);
      assert.equal(view.getInt32(0, true), 9);
      assert.equal(view.getUint16(4, true), 1);
      view.setUint16(6, revents, true);
      return count;
    },
    ioctl(_fd, request, pointer: Uint8Array) {
      assert.equal(request, 0x4004667fn);
      new DataView(pointer.buffer, pointer.byteOffset).setInt32(0, 12, true);
      return 0;
    },
    fstat_inode64: (fd, pointer) => fd === 9 ? (putStat(pointer, {}), 0) : fake.fail(9),
  });
  const libc = new DarwinLibc(fake.foreign, "x64");
  const poll = (timeout: number): PollEntry => {
    const entry = { events: Poll.READ, found: 0, nbytes: 0, error: 0 } as PollEntry;
    libc.poll([entry], [9], timeout);
    return entry;
  };
  const entry = poll(0.25);
  assert.deepEqual([entry.found, entry.nbytes], [Poll.READ, 12]);
  revents = 0x11;
  assert.equal(poll(Infinity).found, Poll.READ | Poll.HANGUP);
  revents = 0x20;
  const device = poll(0);
  assert.deepEqual([device.found, device.error], [Poll.READ, 0]);
  assert.deepEqual(timeouts, [1, -1, 0]);
});

/** Takes so many entries at most. */
class Sink implements DirentSink {
  readonly entries: { next: bigint; ino: bigint; filetype: number; name: string }[] = [];
  #room: number;
  constructor(room: number = Infinity) {
    this.#room = room;
  }
  add(): boolean {
    throw new Error("entries come as bytes");
  }
  addBytes(
    bytes: Uint8Array,
    view: DataView,
    next: number,
    ino: number,
    filetype: number,
    start: number,
    end: number,
  ): boolean {
    if (this.#room-- <= 0) return false;
    this.entries.push({
      next: view.getBigUint64(next, true),
      ino: view.getBigUint64(ino, true),
      filetype,
      name: new TextDecoder().decode(bytes.slice(start, end)),
    });
    return true;
  }
  get names(): string[] {
    return this.entries.map(({ name }) => name);
  }
}

test("a directory is read at cookie 0, and gone on with from what was read", () => {
  let blocks: Uint8Array[] = [];
  const directory = [
    [{ ino: 20n, type: 4, name: "." }, { ino: 2n, type: 4, name: ".." }],
    [
      { ino: 0n, type: 8, name: "gone" },
      { ino: 21n, type: 8, name: "file" },
      { ino: 0xfffffffffffffff0n, type: 10, name: "schön" },
    ],
  ];
  const fake = new Fake({
    lseek: () => (blocks = directory.map(direntsOf), 0n),
    fstat: (_fd, pointer) => (putStat(pointer, { mode: 0o040755, ino: 20n }), 0),
    __getdirentries64(_fd, into: Uint8Array) {
      const part = blocks.shift();
      if (part === undefined) return 0;
      into.set(part);
      return part.length;
    },
  });
  const libc = new DarwinLibc(fake.foreign, "arm64");
  const lister = new DarwinSnapshot(libc);

  const all = new Sink();
  assert.equal(lister.list(3, false, 0n, all), 0);
  assert.deepEqual(all.entries, [
    { next: 1n, ino: 20n, filetype: Filetype.DIRECTORY, name: "." },
    { next: 2n, ino: 2n, filetype: Filetype.DIRECTORY, name: ".." },
    { next: 3n, ino: 21n, filetype: Filetype.REGULAR_FILE, name: "file" },
    { next: 4n, ino: 0xfffffffffffffff0n, filetype: Filetype.SYMBOLIC_LINK, name: "schön" },
  ]);

  directory[1]!.splice(1, 1);
  const rest = new Sink(1);
  lister.list(3, false, 2n, rest);
  assert.deepEqual(rest.names, ["file"], "as it was when the listing began");
  const end = new Sink();
  assert.equal(lister.list(3, false, 4n, end), 0);
  assert.deepEqual(end.names, []);
  const anew = new Sink();
  lister.list(3, true, 0n, anew);
  assert.deepEqual(anew.names, [".", "..", "schön"]);
  assert.equal(anew.entries[1]!.ino, 20n, "a preopen's parent is not shown");
  assert.equal(lister.list(3, false, 1n << 40n, anew), -Errno.INVAL);
});

/** A tree of names in which every directory's descriptor is known: 3 is the root, 4 "dir". */
function treeLibc(): { fake: Fake; libc: DarwinLibc } {
  const links: Record<string, string> = { "3/inside": "dir/file", "3/outside": "../x" };
  const keyOf = (fd: number, path: Pointer): string => `${fd}/${text(path)}`;
  const fake: Fake = new Fake({
    openat_stack(fd, path, flags) {
      const key = keyOf(fd, path);
      assert.ok((flags & 0x100) !== 0, `${key} is opened without O_NOFOLLOW`);
      assert.ok(!text(path).includes("/"), "one component at a time");
      if (key in links) return fake.fail(ERRNO.ELOOP);
      if (key === "3/dir") return 4;
      return key === "4/file" ? 5 : fake.fail(ERRNO.ENOENT);
    },
    fstatat(fd, path, pointer, flags) {
      assert.equal(flags, 0x20);
      const key = keyOf(fd, path);
      if (key in links) return putStat(pointer, { mode: 0o120755 }), 0;
      if (key !== "4/file") return fake.fail(ERRNO.ENOENT);
      return putStat(pointer, { ino: 55n }), 0;
    },
    fstat: (fd, pointer) => (putStat(pointer, { mode: fd === 5 ? 0o100644 : 0o040755 }), 0),
    readlinkat(fd, path, into: Uint8Array) {
      const target = links[keyOf(fd, path)];
      if (target === undefined) return fake.fail(22);
      return into.set(new TextEncoder().encode(target)), target.length;
    },
  });
  return { fake, libc: new DarwinLibc(fake.foreign, "arm64") };
}

test("paths are walked: links are followed inside, and never out", () => {
  const { fake, libc } = treeLibc();
  const lister = (): DarwinSnapshot => new DarwinSnapshot(libc);
  const root = new LibcDirectory({ libc, lister, transfers: libc, beneath: false }, 3, true);
  assert.equal(root.confinement, "walk");
  const stat = new FileStat();
  for (const path of ["dir/file", "inside", "dir/../inside"]) {
    assert.equal(root.statAt(path, true, stat), 0, path);
    assert.equal(stat.ino, 55n, path);
    assert.equal(root.setTimesAt(path, true, 0n, 0n, 0), 0, path);
    const file = root.open(path, Open.READ | Open.FOLLOW, 0);
    assert.ok(file instanceof LibcFile, path);
    assert.equal(file.fd, 5);
  }
  assert.equal(root.statAt("inside", false, stat), 0);
  assert.equal(stat.filetype, Filetype.SYMBOLIC_LINK);
  for (const path of ["outside", "../x", "dir/../../x"]) {
    assert.equal(root.statAt(path, true, stat), -Errno.PERM, path);
    assert.equal(root.setTimesAt(path, true, 0n, 0n, 0), -Errno.PERM, path);
    assert.equal(root.open(path, Open.READ | Open.FOLLOW, 0), -Errno.PERM, path);
  }
  assert.equal(root.open("outside", Open.READ, 0), -Errno.LOOP);
  // what a step opened is closed again
  const opened = fake.during(() => root.statAt("dir/../dir/file", true, stat));
  assert.equal(opened.filter(([name]) => name === "openat_stack").length, 2);
  assert.equal(opened.filter(([name]) => name === "close").length, 2);
});

test("a host on macOS says how it confines", () => {
  const runtime = (arch: string, foreign: Foreign | undefined): Runtime => ({
    name: "test",
    platform: "darwin",
    arch,
    foreign: () => foreign,
    transfers: (libc) => libc,
    libcClock: false,
    slowWebCrypto: true,
    node: () => ({ byteNames: true, deno: false, fs: {} as never, isatty: () => false }),
    mayUse: () => true,
    mayUseProc: () => true,
    clockSources: () => ({}),
    exit: () => {
      throw new Error("exit");
    },
  });
  const { foreign } = new Fake({});
  const confinementOf = (made: Runtime, ffi: boolean, confinement?: "kernel" | "checked") =>
    hostMaker(made)({ ffi, confinement }).fs.confinement;
  for (const arch of ["x64", "arm64"]) {
    assert.equal(confinementOf(runtime(arch, foreign), true), "walk");
    assert.equal(confinementOf(runtime(arch, foreign), true, "kernel"), "walk");
    assert.equal(confinementOf(runtime(arch, foreign), true, "checked"), "checked");
    assert.equal(confinementOf(runtime(arch, foreign), false), "checked");
    assert.equal(confinementOf(runtime(arch, undefined), true), "checked");
  }
  assert.equal(confinementOf(runtime("ppc64", foreign), true), "checked");
});
