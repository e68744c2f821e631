/**
 * Growth: what an item costs when there are few of them and when there are many, and how much
 * memory a stream takes when it is short and when it is long. Costs that grow in step with the
 * number of items stay the same for each; memory stays the same whatever the length.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import wabt from "wabt";

/** One row: nanoseconds an item at each size, the best of the rounds; null if it cannot be had. */
export interface ScaleRow {
  name: string;
  sizes: number[];
  ours: (number | null)[];
  builtin: (number | null)[];
}

/** What went through a process's pipes. */
export interface Stream {
  /** bytes that were sent */
  bytes: number;
  /** whether all of them arrived, and no more */
  exact: boolean;
  /** millions of bytes a second, the best of the rounds */
  speed: number;
  /** most memory that the process ever held, in KiB, the median of the rounds; null if unknown */
  peak: number | null;
}

/** All that is measured. */
export interface Scale {
  /** how many files this process may have open */
  descriptors: number;
  rows: ScaleRow[];
  pipe: { ours: Stream[]; builtin: Stream[] };
}

// deno-lint-ignore no-explicit-any
type Loose = any;

const LISTED = [1000, 10_000, 100_000];
/** The largest of them is one of those above: there the files are. */
const OPENED = [100, 1000, 10_000];
const DEPTHS = [4, 16, 64];
/** From the second on a process holds what it needs once warm: there memory must not grow. */
const STREAMED = [2 ** 24, 2 ** 30, 2 ** 32];
/** How often a pass asks `fd_fdstat_get` about each file: once alone is too short to be timed. */
const LOOKS = 10;
/** How often a pass asks `path_filestat_get` about its path, likewise. */
const STATS = 20;

/** Descriptors that are left to the runtime. */
const RESERVE = 100;
/** What would take longer than this is left out, in milliseconds. */
const PATIENCE = 6000;
/** What has taken this long is not measured again, in milliseconds. */
const ENOUGH = 1500;

// where things are in the guest's memory
const RESULT = 16;
const NAME = 128;
const DIGITS = 6;
const PATH = 1024;
const PIECE = 4096;
const BUFFER = 65536;
const TABLE = 131072;

const fail = (call: string): string => `(br_if $failed (local.tee $errno ${call}))`;

/** A guest that does each thing so many times; every function gives an errno. */
const source = `(module
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get"
    (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const ${PATH}) "${"d/".repeat(Math.max(...DEPTHS))}")
  (global $entries (export "entries") (mut i32) (i32.const 0))
  (func (export "_start"))

  ;; lists a directory as wasi-libc does: what is cut at the end of a piece is asked for again
  (func (export "list") (param $fd i32) (param $most i32) (result i32)
    (local $errno i32) (local $cookie i64) (local $used i32) (local $at i32) (local $next i32)
    (global.set $entries (i32.const 0))
    (block $failed
      (loop $piece
        ${
  fail(`(call $fd_readdir (local.get $fd) (i32.const ${BUFFER}) (i32.const ${PIECE})
          (local.get $cookie) (i32.const ${RESULT}))`)
}
        (local.set $used (i32.load (i32.const ${RESULT})))
        (local.set $at (i32.const 0))
        (block $end
          (loop $entry
            (br_if $end (i32.gt_u (i32.add (local.get $at) (i32.const 24)) (local.get $used)))
            (local.set $next (i32.add (i32.add (local.get $at) (i32.const 24))
              (i32.load offset=${BUFFER + 16} (local.get $at))))
            (br_if $end (i32.gt_u (local.get $next) (local.get $used)))
            (local.set $cookie (i64.load offset=${BUFFER} (local.get $at)))
            (global.set $entries (i32.add (global.get $entries) (i32.const 1)))
            (local.set $at (local.get $next))
            (br $entry)))
        (br_if $piece (i32.and (i32.eq (local.get $used) (i32.const ${PIECE}))
          (i32.le_u (global.get $entries) (local.get $most))))))
    (local.get $errno))

  ;; writes a number as the name of a file
  (func $name (param $number i32)
    (local $at i32)
    (local.set $at (i32.const ${NAME + DIGITS}))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $digit (i32.gt_u (local.get $at) (i32.const ${NAME})))))

  (func (export "open") (param $fd i32) (param $n i32) (result i32)
    (local $errno i32) (local $i i32)
    (block $failed
      (loop $again
        (call $name (local.get $i))
        ${
  fail(`(call $path_open (local.get $fd) (i32.const 1) (i32.const ${NAME}) (i32.const ${DIGITS})
          (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0)
          (i32.add (i32.const ${TABLE}) (i32.shl (local.get $i) (i32.const 2))))`)
}
        (br_if $again (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
    (local.get $errno))

  (func (export "look") (param $n i32) (param $times i32) (result i32)
    (local $errno i32) (local $i i32)
    (block $failed
      (loop $all
        (local.set $i (i32.const 0))
        (loop $again
          ${
  fail(`(call $fd_fdstat_get
            (i32.load offset=${TABLE} (i32.shl (local.get $i) (i32.const 2)))
            (i32.const ${RESULT}))`)
}
          (br_if $again (i32.lt_u
            (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (br_if $all (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    (local.get $errno))

  (func (export "close") (param $n i32) (result i32)
    (local $errno i32) (local $i i32)
    (block $failed
      (loop $again
        ${
  fail(`(call $fd_close (i32.load offset=${TABLE} (i32.shl (local.get $i) (i32.const 2))))`)
}
        (br_if $again (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
    (local.get $errno))

  (func (export "stat") (param $times i32) (param $depth i32) (result i32)
    (local $errno i32)
    (block $failed
      (loop $again
        ${
  fail(`(call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const ${PATH})
          (i32.sub (i32.shl (local.get $depth) (i32.const 1)) (i32.const 1))
          (i32.const ${RESULT}))`)
}
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    (local.get $errno)))`;

/** A guest that copies its standard input to its standard output, 64 KiB at a time. */
const copier = `(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (local $left i32) (local $at i32)
    (loop $read
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const ${RESULT}))
        (then unreachable))
      (if (i32.eqz (local.tee $left (i32.load (i32.const ${RESULT})))) (then return))
      (local.set $at (i32.const 65536))
      (loop $write
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $left))
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const ${RESULT}))
          (then unreachable))
        (local.set $at (i32.add (local.get $at) (i32.load (i32.const ${RESULT}))))
        (br_if $write (local.tee $left
          (i32.sub (local.get $left) (i32.load (i32.const ${RESULT}))))))
      (br $read))))`;

async function assemble(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const { parseWat } = await wabt();
  return parseWat("scale.wat", text).toBinary({}).buffer as Uint8Array<ArrayBuffer>;
}

/** The name that the guest gives to a number. */
function nameOf(number: number): string {
  return String(number).padStart(DIGITS, "0");
}

/**
 * Makes a directory for each number of entries, and one path as deep as the deepest. The largest
 * directory holds links to another's files, as so many files would take the disk half a minute.
 */
function setUp(folder: string): void {
  fs.mkdirSync(path.join(folder, "d/".repeat(Math.max(...DEPTHS))), { recursive: true });
  const most = Math.max(...OPENED);
  const original = (number: number): string => path.join(folder, String(most), nameOf(number));
  for (const size of LISTED) {
    const full = path.join(folder, String(size));
    fs.mkdirSync(full);
    for (let i = 0; i < size; i++) {
      const file = path.join(full, nameOf(i));
      if (size > most) fs.linkSync(original(i % most), file);
      else fs.closeSync(fs.openSync(file, "w"));
    }
  }
}

/** How many files this process may have open: the runtimes raise the limit they are given. */
function descriptorLimit(): number {
  try {
    const limits = fs.readFileSync("/proc/self/limits", "utf8");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return 256; // what macOS gives
  }
}

/**
 * Opens as many files once: the kernel takes 10 ms whenever the table of a process with threads
 * doubles, and whoever came first would pay for that.
 */
function growTable(descriptors: number): void {
  const opened: number[] = [];
  for (let i = 0; i < descriptors; i++) opened.push(fs.openSync("/dev/null", "r"));
  opened.forEach((fd) => fs.closeSync(fd));
}

/** An instance of the guest on one implementation, and the directories that it has open. */
interface Guest {
  exports: Loose;
  folders: Map<number, number>;
}

/** FD_READDIR and PATH_OPEN for the directories, FD_READ for what is opened in them. */
const LIST = (1n << 14n) | (1n << 13n);
const READ = 1n << 1n;
const DIRECTORY = 2;

function prepare(Class: Loose, module: WebAssembly.Module, folder: string): Guest {
  const wasi = new Class({ version: "preview1", preopens: { "/": folder } });
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport });
  wasi.start(instance);
  const exports = instance.exports as Loose;
  const folders = new Map<number, number>();
  for (const size of LISTED) {
    const name = new TextEncoder().encode(String(size));
    new Uint8Array(exports.memory.buffer).set(name, NAME);
    check(
      wasi.wasiImport.path_open(3, 1, NAME, name.length, DIRECTORY, LIST, READ, 0, RESULT),
    );
    folders.set(size, new DataView(exports.memory.buffer).getUint32(RESULT, true));
  }
  return { exports, folders };
}

function check(errno: number): void {
  if (errno !== 0) throw new Error(`the guest got errno ${errno}`);
}

/** Milliseconds that a function takes, which gives an errno. */
function time(use: () => number): number {
  const began = performance.now();
  check(use());
  return performance.now() - began;
}

/** What is measured: `pass` goes once through `size` items and gives milliseconds for each row. */
interface Subject {
  rows: string[];
  sizes: number[];
  pass: (guest: Guest, size: number) => number[];
}

/** One listing from beginning to end. Some implementations leave out "." and "..". */
function list({ exports, folders }: Guest, size: number): number[] {
  const took = time(() => exports.list(folders.get(size), size + 2));
  const entries = exports.entries.value;
  if (entries !== size && entries !== size + 2) {
    throw new Error(`${entries} of ${size} entries were listed`);
  }
  return [took];
}

/** Opens files, asks about each, closes each. */
function open({ exports, folders }: Guest, size: number): number[] {
  const folder = folders.get(Math.max(...OPENED));
  return [
    time(() => exports.open(folder, size)),
    time(() => exports.look(size, LOOKS)) / LOOKS,
    time(() => exports.close(size)),
  ];
}

/** One path; it is asked for often enough to be measured. */
function stat({ exports }: Guest, depth: number): number[] {
  return [time(() => exports.stat(STATS, depth)) / STATS];
}

function subjectsFor(descriptors: number): Subject[] {
  const most = descriptors - RESERVE;
  return [
    { rows: ["fd_readdir in pieces of 4 KiB, an entry"], sizes: LISTED, pass: list },
    {
      rows: [
        "path_open of many files, a file",
        "fd_fdstat_get of each, a file",
        "fd_close of each, a file",
      ],
      sizes: [...new Set(OPENED.map((size) => Math.min(size, most)))],
      pass: open,
    },
    { rows: ["path_filestat_get, a component"], sizes: DEPTHS, pass: stat },
  ];
}

/** What one implementation took: for each size the best of its rounds, for each row ns an item. */
class Series {
  readonly best: (number[] | undefined)[] = [];
  readonly #guest: Guest;
  readonly #subject: Subject;
  /** Whether it may be unable to. */
  readonly #lenient: boolean;
  readonly #spent: number[] = [];
  /** From this size on it is not measured. */
  #end = Infinity;

  constructor(guest: Guest, subject: Subject, lenient: boolean) {
    this.#guest = guest;
    this.#subject = subject;
    this.#lenient = lenient;
  }

  /** Measures a size once more: as many passes as bring it to the number of the largest. */
  round(index: number): void {
    if (index >= this.#end || this.#spent[index]! > ENOUGH) return;
    const { sizes } = this.#subject;
    if (this.#slow(index)) {
      this.#end = index;
      return;
    }
    const passes = Math.ceil(Math.max(...sizes, 1000) / sizes[index]!);
    const began = performance.now();
    try {
      this.#keep(index, passes);
    } catch (error) {
      if (!this.#lenient) throw error;
      this.#end = index;
      this.best.length = Math.min(this.best.length, index);
    }
    this.#spent[index] = (this.#spent[index] ?? 0) + performance.now() - began;
  }

  /** What an item of a size took so far, all rows together, in milliseconds. */
  #item(index: number): number | undefined {
    return this.best[index]?.reduce((sum, value) => sum + value / 1e6, 0);
  }

  /** Whether a size would try patience: if an item grows as before, or else with the size. */
  #slow(index: number): boolean {
    const before = this.#item(index - 1);
    if (before === undefined) return false;
    const { sizes } = this.#subject;
    const earlier = this.#item(index - 2);
    const growth = earlier === undefined
      ? sizes[index]! / sizes[index - 1]!
      : Math.max(1, before / earlier);
    return before * growth * sizes[index]! > PATIENCE;
  }

  #keep(index: number, passes: number): void {
    const { rows, pass, sizes } = this.#subject;
    const size = sizes[index]!;
    const sums = rows.map(() => 0);
    for (let i = 0; i < passes; i++) {
      pass(this.#guest, size).forEach((took, row) => sums[row]! += took);
    }
    this.best[index] = sums.map((sum, row) =>
      Math.min(this.best[index]?.[row] ?? Infinity, sum * 1e6 / passes / size)
    );
  }
}

/** Measures all rows of a subject, on both by turns. */
function measure(
  subject: Subject,
  ours: Guest,
  builtin: Guest | undefined,
  rounds: number,
): ScaleRow[] {
  const { rows, sizes } = subject;
  const all = [ours, builtin].map((guest) =>
    guest && new Series(guest, subject, guest === builtin)
  );
  for (let round = 0; round < rounds; round++) {
    sizes.forEach((_, index) => all.forEach((series) => series?.round(index)));
  }
  return rows.map((name, row) => {
    const [mine, its] = all.map((series) => sizes.map((_, i) => series?.best[i]?.[row] ?? null));
    return { name, sizes, ours: mine!, builtin: its! };
  });
}

/** Runs the copying guest and says on standard error how long it took and what it held at most. */
function runnerOf(module: string, wasm: string, options: object): string {
  return `
import fs from "node:fs";
import { WASI } from ${JSON.stringify(module)};
const wasi = new WASI({ version: "preview1", ...${JSON.stringify(options)} });
const module = new WebAssembly.Module(fs.readFileSync(${JSON.stringify(wasm)}));
const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport });
const began = performance.now();
wasi.start(instance);
const took = performance.now() - began;
let peak = null;
try {
  peak = Number(/VmHWM:\\s*(\\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]);
} catch {
  // not on Linux
}
fs.writeSync(2, "\\n" + JSON.stringify({ took, peak }) + "\\n");
`;
}

/** Runs a script between a process that writes and one that counts; undefined if it fails. */
function streamOnce(script: string, bytes: number): Stream | undefined {
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-lock", "--no-config"] : [];
  const { stdout, stderr } = spawnSync("sh", [
    ...["-c", 'count=$1; shift; head -c "$count" /dev/zero | "$@" | wc -c', "sh"],
    ...[String(bytes), process.execPath, ...flags, script],
  ], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const told = /^{"took".*}$/m.exec(stderr)?.[0];
  if (told === undefined) return undefined;
  const { took, peak } = JSON.parse(told);
  return { bytes, exact: Number(stdout) === bytes, speed: bytes / took / 1000, peak };
}

/** What several runs of one length have shown. */
function summary(runs: Stream[]): Stream {
  const peaks = runs.map(({ peak }) => peak).sort((a, b) => a! - b!);
  return {
    bytes: runs[0]!.bytes,
    exact: runs.every(({ exact }) => exact),
    speed: Math.max(...runs.map(({ speed }) => speed)),
    peak: peaks[peaks.length >> 1]!,
  };
}

/** One implementation's runs, for each length. */
class Streams {
  readonly #script: string;
  readonly #runs: Stream[][] = [];
  #broken = false;

  constructor(script: string) {
    this.#script = script;
  }

  /** Streams a length once more, if that takes no more than it should. */
  round(index: number): void {
    if (this.#broken || this.#spent(index) > ENOUGH || this.#slow(index)) return;
    const run = streamOnce(this.#script, STREAMED[index]!);
    if (run === undefined) this.#broken = true;
    else (this.#runs[index] ??= []).push(run);
  }

  results(): Stream[] {
    return this.#runs.map(summary);
  }

  #spent(index: number): number {
    return (this.#runs[index] ?? []).reduce((sum, { bytes, speed }) => sum + bytes / speed, 0) /
      1000;
  }

  /** Whether a length would try patience at the speed of the one before. */
  #slow(index: number): boolean {
    if (index === 0) return false;
    const before = this.#runs[index - 1]?.[0];
    return before === undefined || STREAMED[index]! / before.speed / 1000 > PATIENCE;
  }
}

/** Measures the pipe; `module` is the file that exports `WASI`. */
async function measurePipe(
  folder: string,
  module: string,
  rounds: number,
  options: object,
): Promise<Scale["pipe"]> {
  const wasm = path.join(folder, "copier.wasm");
  fs.writeFileSync(wasm, await assemble(copier));
  const scripts = ["ours", "builtin"].map((name) => path.join(folder, `${name}.mjs`));
  fs.writeFileSync(scripts[0]!, runnerOf(module, wasm, options));
  fs.writeFileSync(scripts[1]!, runnerOf("node:wasi", wasm, {}));
  const [ours, builtin] = scripts.map((script) => new Streams(script));
  for (let round = 0; round < rounds; round++) {
    for (const index of STREAMED.keys()) {
      ours!.round(index);
      builtin!.round(index);
    }
  }
  return { ours: ours!.results(), builtin: builtin!.results() };
}

/** Makes the guest on the runtime's own class, which may not be able to. */
function prepareBuiltin(
  Builtin: Loose,
  module: WebAssembly.Module,
  folder: string,
): Guest | undefined {
  try {
    return prepare(Builtin, module, folder);
  } catch {
    return undefined;
  }
}

/** Measures all; `module` is the file that exports `WASI`. */
export async function measureScale(
  Ours: Loose,
  Builtin: Loose,
  module: string,
  options: { rounds: number; extra: object },
): Promise<Scale> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-scale-"));
  try {
    setUp(folder);
    class Configured extends Ours {
      constructor(given: object) {
        super({ ...given, ...options.extra });
      }
    }
    const guest = new WebAssembly.Module(await assemble(source));
    const ours = prepare(Configured, guest, folder);
    const builtin = prepareBuiltin(Builtin, guest, folder);
    const descriptors = descriptorLimit();
    growTable(Math.min(Math.max(...OPENED), descriptors - RESERVE));
    const rows = subjectsFor(descriptors).flatMap((subject) =>
      measure(subject, ours, builtin, options.rounds)
    );
    const pipe = await measurePipe(folder, module, Math.ceil(options.rounds / 3), options.extra);
    return { descriptors, rows, pipe };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
