/**
 * Single system calls: from a loop in WebAssembly, on ours, on the runtime's own `node:wasi`, and
 * the raw host call beside them, by turns in several rounds.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import wabt from "wabt";

/** One row: nanoseconds a call, the best of the rounds. */
export interface Row {
  name: string;
  ours: number;
  builtin: number | undefined;
  raw: number | undefined;
}

// deno-lint-ignore no-explicit-any
type Loose = any;

/** A call to be measured. */
export interface Subject {
  name: string;
  /** the functions it imports, with their parameters as WAT types */
  imports: Record<string, string>;
  /** WAT that makes one call (or a pair of them) and drops the result; $fd is a parameter */
  body: string;
  /** calls a round */
  count: number;
  /** a file to be opened first, relative to the folder; its descriptor is $fd */
  file?: { name: string; oflags: number; rights: bigint };
  raw?: (folder: string) => () => void;
}

const DATA = 65536;
const deep = "a/b/c/file";

/** Makes a folder with what the calls need. */
export function setUp(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-bench-"));
  fs.mkdirSync(path.join(folder, "a/b/c"), { recursive: true });
  fs.writeFileSync(path.join(folder, deep), "x");
  fs.writeFileSync(path.join(folder, "large"), new Uint8Array(16 << 20));
  fs.mkdirSync(path.join(folder, "thousand"));
  for (let i = 0; i < 1000; i++) fs.writeFileSync(path.join(folder, "thousand", `file-${i}`), "");
  return folder;
}

const READ = (1n << 1n) | (1n << 2n) | (1n << 5n);
const WRITE = READ | (1n << 6n);

function reading(length: number, positional: boolean): (folder: string) => () => void {
  return (folder) => {
    const fd = fs.openSync(path.join(folder, "large"), "r");
    const bytes = new Uint8Array(length);
    return positional
      ? () => void fs.readSync(fd, bytes, 0, length, 0)
      : () => void fs.readSync(fd, bytes, 0, length, null);
  };
}

function writing(length: number): (folder: string) => () => void {
  return (folder) => {
    const fd = fs.openSync(path.join(folder, "raw"), "w");
    const bytes = new Uint8Array(length);
    let at = 0;
    return () => {
      fs.writeSync(fd, bytes, 0, length, at);
      at = (at + length) % (8 << 20);
    };
  };
}

const iov = (length: number): string =>
  `(i32.store (i32.const 0) (i32.const ${DATA})) (i32.store (i32.const 4) (i32.const ${length}))`;

const rewind = `(drop (call $fd_seek (local.get $fd) (i64.const 0) (i32.const 0) (i32.const 16)))`;
const SEEK = "i32 i64 i32 i32";

/** The calls. */
export const subjects: Subject[] = [
  {
    name: "sched_yield",
    imports: { sched_yield: "" },
    body: "(drop (call $sched_yield))",
    count: 100000,
  },
  {
    name: "fd_fdstat_get",
    imports: { fd_fdstat_get: "i32 i32" },
    count: 100000,
    body: "(drop (call $fd_fdstat_get (local.get $fd) (i32.const 64)))",
    file: { name: "large", oflags: 0, rights: READ },
  },
  {
    name: "clock_time_get",
    imports: { clock_time_get: "i32 i64 i32" },
    count: 100000,
    body: "(drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 64)))",
    raw: () => () => void (performance.timeOrigin + performance.now()),
  },
  {
    name: "clock_time_get monotonic",
    imports: { clock_time_get: "i32 i64 i32" },
    count: 100000,
    body: "(drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 64)))",
    raw: () => () => void performance.now(),
  },
  {
    name: "random_get 16 B",
    imports: { random_get: "i32 i32" },
    count: 50000,
    body: `(drop (call $random_get (i32.const ${DATA}) (i32.const 16)))`,
  },
  {
    name: "random_get 64 KiB",
    imports: { random_get: "i32 i32" },
    count: 200,
    body: `(drop (call $random_get (i32.const ${DATA}) (i32.const 65536)))`,
    raw: () => {
      const bytes = new Uint8Array(65536);
      return () => void crypto.getRandomValues(bytes);
    },
  },
  {
    name: "fd_seek",
    imports: { fd_seek: SEEK },
    count: 100000,
    body: rewind,
    file: { name: "large", oflags: 0, rights: READ },
  },
  ...[64, 65536].map((length): Subject => ({
    name: `fd_pread ${length === 64 ? "64 B" : "64 KiB"}`,
    imports: { fd_pread: "i32 i32 i32 i64 i32" },
    body: `${
      iov(length)
    } (drop (call $fd_pread (local.get $fd) (i32.const 0) (i32.const 1) (i64.const 0) (i32.const 16)))`,
    count: length === 64 ? 30000 : 5000,
    file: { name: "large", oflags: 0, rights: READ },
    raw: reading(length, true),
  })),
  {
    name: "fd_read 16 B",
    imports: { fd_read: "i32 i32 i32 i32", fd_seek: SEEK },
    count: 30000,
    body: `${
      iov(16)
    } (drop (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)))`,
    file: { name: "large", oflags: 0, rights: READ },
    raw: reading(16, false),
  },
  ...[16, 65536].map((length): Subject => ({
    name: `fd_write ${length === 16 ? "16 B" : "64 KiB"}`,
    imports: { fd_write: "i32 i32 i32 i32", fd_seek: SEEK },
    body: `${
      iov(length)
    } (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)))`,
    count: length === 16 ? 30000 : 100,
    file: { name: "written", oflags: 1, rights: WRITE },
    raw: writing(length),
  })),
  {
    name: "path_filestat_get, 4 deep",
    imports: { path_filestat_get: "i32 i32 i32 i32 i32" },
    count: 10000,
    body:
      `(drop (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 1024) (i32.const ${deep.length}) (i32.const 64)))`,
    raw: (folder) => () => void fs.statSync(path.join(folder, deep)),
  },
  {
    name: "path_open + fd_close, 4 deep",
    imports: { path_open: "i32 i32 i32 i32 i32 i64 i64 i32 i32", fd_close: "i32" },
    count: 10000,
    body:
      `(drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 1024) (i32.const ${deep.length})
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
      (drop (call $fd_close (i32.load (i32.const 16))))`,
    raw: (folder) => () => fs.closeSync(fs.openSync(path.join(folder, deep), "r")),
  },
  {
    name: "fd_readdir, 1,000 entries",
    imports: { fd_readdir: "i32 i32 i32 i64 i32" },
    count: 20,
    body:
      `(drop (call $fd_readdir (local.get $fd) (i32.const ${DATA}) (i32.const 65536) (i64.const 0) (i32.const 16)))`,
    file: { name: "thousand", oflags: 2, rights: 1n << 14n },
    raw: (folder) => () => void fs.readdirSync(path.join(folder, "thousand")),
  },
];

/** A module that makes the call `$n` times. */
function source({ imports, body }: Subject): string {
  const lines = Object.entries(imports).map(([name, parameters]) =>
    `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) (result i32)))`
  );
  const again = "fd_seek" in imports ? rewind : "";
  return `(module ${lines.join("\n")}
    (memory (export "memory") 4)
    (data (i32.const 1024) "${deep}")
    (func (export "_start"))
    (func (export "run") (param $n i32) (param $fd i32)
      ${again}
      (loop $again
        ${body}
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`;
}

/** A program that makes the call `count` times. */
export function program({ imports, body, file }: Subject, count: number): string {
  const opens = file === undefined ? {} : { path_open: "i32 i32 i32 i32 i32 i64 i64 i32 i32" };
  const lines = Object.entries({ ...imports, ...opens }).map(([name, parameters]) =>
    `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) (result i32)))`
  );
  const begin = file === undefined ? "(local.set $fd (i32.const 3))" : `
    (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 2048)
      (i32.const ${file.name.length}) (i32.const ${file.oflags}) (i64.const ${file.rights})
      (i64.const ${file.rights}) (i32.const 0) (i32.const 16)))
    (local.set $fd (i32.load (i32.const 16)))`;
  const loop = `(local.set $n (i32.const ${count}))
    (loop $again ${body}
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))`;
  return `(module ${lines.join("\n")}
    (memory (export "memory") 4)
    (data (i32.const 1024) "${deep}") (data (i32.const 2048) "${file?.name ?? ""}")
    (func (export "_start") (local $n i32) (local $fd i32)
      ${begin} ${"fd_seek" in imports ? rewind : ""} ${count === 0 ? "" : loop}))`;
}

/** Makes a function that runs a round on one implementation. */
function prepare(
  Class: Loose,
  subject: Subject,
  module: WebAssembly.Module,
  folder: string,
): () => void {
  const wasi = new Class({ version: "preview1", preopens: { "/": folder } });
  const instance = new WebAssembly.Instance(module, {
    wasi_snapshot_preview1: wasi.wasiImport,
  });
  wasi.start(instance);
  const { memory, run } = instance.exports as Loose;
  let fd = 3;
  if (subject.file) {
    const name = new TextEncoder().encode(subject.file.name);
    new Uint8Array(memory.buffer).set(name, 2048);
    const { oflags, rights } = subject.file;
    const errno = wasi.wasiImport.path_open(3, 1, 2048, name.length, oflags, rights, rights, 0, 16);
    if (errno !== 0) throw new Error(`path_open of ${subject.file.name}: ${errno}`);
    fd = new DataView(memory.buffer).getUint32(16, true);
  }
  return () => run(subject.count, fd);
}

function time(use: () => void, count: number): number {
  const began = performance.now();
  use();
  return (performance.now() - began) * 1e6 / count;
}

/** Measures all rows. */
export async function measureCalls(
  Ours: Loose,
  Builtin: Loose,
  options: { rounds: number; only?: RegExp; extra?: object },
): Promise<Row[]> {
  const { parseWat } = await wabt();
  const folder = setUp();
  const rows: Row[] = [];
  for (const subject of subjects) {
    if (options.only && !options.only.test(subject.name)) continue;
    const { buffer } = parseWat("bench.wat", source(subject)).toBinary({});
    const module = new WebAssembly.Module(buffer as Uint8Array<ArrayBuffer>);
    class Configured extends Ours {
      constructor(given: object) {
        super({ ...given, ...options.extra });
      }
    }
    const ours = prepare(Configured, subject, module, folder);
    let builtin: (() => void) | undefined;
    try {
      builtin = prepare(Builtin, subject, module, folder);
    } catch {
      // the runtime's own cannot do it
    }
    const once = subject.raw?.(folder);
    const raw = once && (() => {
      for (let i = 0; i < subject.count; i++) once();
    });
    const row: Row = { name: subject.name, ours: Infinity, builtin: undefined, raw: undefined };
    for (let round = 0; round < options.rounds; round++) {
      row.ours = Math.min(row.ours, time(ours, subject.count));
      if (builtin) row.builtin = Math.min(row.builtin ?? Infinity, time(builtin, subject.count));
      if (raw) row.raw = Math.min(row.raw ?? Infinity, time(raw, subject.count));
    }
    rows.push(row);
  }
  fs.rmSync(folder, { recursive: true, force: true });
  return rows;
}
