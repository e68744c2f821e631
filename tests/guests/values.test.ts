/** Streams, limits, clocks and traces that an embedder gives, through a guest of our own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Errno,
  type File,
  GuestAborted,
  host,
  limitMemory,
  memory,
  Open,
  OutputBuffer,
  WASI,
  type WASIOptions,
} from "../../mod.ts";
import fs from "node:fs";
import path from "node:path";
import { root, scratch } from "../support/harness.ts";
import { guestModule } from "./guest.ts";

const tool = guestModule("tool");
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs the tool and collects what it says. */
function run(args: string[], options: Partial<WASIOptions> = {}, module = tool): Ran {
  const [out, err] = [new OutputBuffer(), new OutputBuffer()];
  const wasi = new WASI({
    version: "preview1",
    args: ["tool", ...args],
    stdin: null,
    stdout: out,
    stderr: err,
    ...options,
  });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  return { code: wasi.start(instance), out: out.text(), err: err.text() };
}

test("standard input from bytes, output into a buffer, not one byte decoded", () => {
  const all = Uint8Array.from({ length: 100000 }, (_, i) => i % 251);
  const expected = all.map((byte) => byte >= 97 && byte <= 122 ? byte - 32 : byte);
  const out = new OutputBuffer();
  assert.equal(run(["upper"], { stdin: all, stdout: out }).code, 0);
  assert.deepEqual(out.bytes, expected);
  out.clear();
  assert.equal(out.bytes.length, 0);
});

test("standard input from a function, output to a function", () => {
  const parts = ["one ", "two ", "three"];
  const chunks: Uint8Array[] = [];
  const { code } = run(["upper"], {
    stdin(into) {
      const part = parts.shift();
      if (part === undefined) return 0;
      into.set(bytes(part));
      return part.length;
    },
    stdout: (chunk) => void chunks.push(chunk),
  });
  assert.equal(code, 0);
  assert.deepEqual(chunks.map(text), ["ONE ", "TWO ", "THREE"]);
});

test("an open file of any directory can be a standard stream", () => {
  const files = memory({ in: "from a file" });
  const stdin = files.open("in", Open.READ, 0) as File;
  const stdout = files.open("out", Open.WRITE | Open.CREAT, 0) as File;
  assert.equal(run(["upper"], { stdin, stdout }).code, 0);
  assert.equal(files.text("out"), "FROM A FILE");
  assert.match(run(["streams"], { stdin }).out, /^0 type=4 tty=0 /);
});

test("null is an empty input and no output", () => {
  assert.equal(run(["upper"], { stdin: null, stdout: null, stderr: null }).code, 0);
  assert.equal(run(["unknown"], { stderr: null }).code, 2);
});

test("fdstat, isatty and poll tell the truth about streams that are values", () => {
  const lines = "0 type=0 tty=0 read=1 write=0 ready=1\n" +
    "1 type=0 tty=0 read=0 write=1 ready=1\n" +
    "2 type=0 tty=0 read=0 write=1 ready=1\n";
  assert.equal(run(["streams"], { stdin: bytes("x") }).out, lines);
  assert.equal(run(["streams"]).out, lines);
});

test("what a stream's function throws ends the guest and reaches the embedder", () => {
  const mine = new Error("enough");
  const options = {
    stdin: bytes("x".repeat(100000)),
    stdout() {
      throw mine;
    },
  };
  assert.throws(() => run(["upper"], options), (error) => error === mine);
  const bad = (stdin: WASIOptions["stdin"]): void => void run(["upper"], { stdin });
  const rejected = { code: "ERR_INVALID_ARG_VALUE", message: /options\.stdin.*from 0 to 4096/ };
  assert.throws(() => bad(() => 4097), rejected);
  assert.throws(() => bad(() => -1), rejected);
  assert.throws(() => bad((() => undefined) as unknown as () => number), rejected);
  assert.ok(GuestAborted.prototype instanceof Error);
});

test("what is asynchronous is refused with the way out", () => {
  const refused = (options: object, words: RegExp): void => {
    const make = (): unknown => new WASI({ version: "preview1", ...options });
    assert.throws(make, { name: "TypeError", code: "ERR_INVALID_ARG_VALUE", message: words });
  };
  refused({ stdin: new ReadableStream() }, /options\.stdin.*ReadableStream.*Uint8Array/s);
  refused({ stdin: new Blob(["x"]) }, /options\.stdin.*Blob/);
  refused({ stdin: (async function* () {})() }, /options\.stdin.*async iterable/);
  refused({ stdout: new WritableStream() }, /options\.stdout.*WritableStream.*OutputBuffer/s);
  refused({ stderr: new WritableStream() }, /options\.stderr/);
});

test("limits: open files, and closing one makes room", () => {
  const files = memory();
  const { code, out } = run(["opens", "20"], {
    preopens: { "/": files },
    limits: { openFiles: 7 },
  });
  assert.equal(out, "7 No file descriptors available\n");
  assert.equal(code, Errno.MFILE);
});

for (
  const [where, make] of [
    ["in memory", () => memory()],
    ["on the host", () => scratch("limits")],
  ] as const
) {
  test(`limits: bytes on disk, ${where}`, () => {
    const preopens = { "/": make() };
    const limits = { diskBytes: 1000 };
    const full = run(["write", "f", "0123456789", "101"], { preopens, limits });
    assert.equal(full.code, Errno.DQUOT);
    const kept = typeof preopens["/"] === "string"
      ? fs.readFileSync(path.join(preopens["/"], "f"))
      : preopens["/"].bytes("f");
    assert.equal(kept.length, 1000);
    // a new guest has a new limit, and cutting the file gives it nothing that it did not add
    assert.equal(run(["write", "f", "0123456789", "100"], { preopens, limits }).code, 0);
    assert.equal(run(["write", "f", "x", "1001"], { preopens, limits }).code, Errno.DQUOT);
  });

  test(`limits: files, ${where}`, () => {
    const preopens = { "/": make() };
    const made = run(["makes", "20"], { preopens, limits: { files: 12 } });
    assert.equal(made.code, Errno.DQUOT);
    assert.match(made.out, /^12 /);
  });
}

test("limits: output, over both streams together", () => {
  const out = new OutputBuffer();
  const { code } = run(["upper"], {
    stdin: new Uint8Array(5000).fill(97),
    stdout: out,
    limits: { outputBytes: 4500 },
  });
  assert.equal(code, Errno.FBIG);
  assert.equal(out.text(), "A".repeat(4500));
});

test("limits: memory, at its start, when it grew, and by making its growth fail", () => {
  const start = 257; // the linker's stack, and a page of data
  const limits = { memoryPages: start + 16 };
  const small = run(["grows", "10"], { limits: { memoryPages: 1000 } });
  assert.equal(small.out, "10 of 10\n");
  const range = { name: "RangeError", code: "ERR_OUT_OF_RANGE", message: /limits\.memoryPages/ };
  assert.throws(() => run(["grows", "100"], { limits }), range);
  assert.throws(() => run(["grows", "0"], { limits: { memoryPages: start - 1 } }), range);
  const file = fs.readFileSync(path.join(root, "tests/guests/tool.wasm"));
  const limited = new WebAssembly.Module(
    limitMemory(file, start + 16) as Uint8Array<ArrayBuffer>,
  );
  const { out } = run(["grows", "100"], { limits }, limited);
  const got = Number(/^(\d+) of 100/.exec(out)![1]);
  assert.ok(got > 8 && got <= 16, out); // the allocator takes some itself
  assert.throws(() => limitMemory(file, 1.5), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => limitMemory(file, -1), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => limitMemory(file.buffer as unknown as Uint8Array, 300), {
    code: "ERR_INVALID_ARG_TYPE",
    message: /"bytes"/,
  });
  assert.throws(() => limitMemory(file.subarray(0, 3000), 300), RangeError);
  assert.throws(() => limitMemory(new TextEncoder().encode("#!/bin/sh\n"), 300), RangeError);
  assert.ok(WebAssembly.validate(limitMemory(file, 70_000) as Uint8Array<ArrayBuffer>));
});

test("wrong limits, clocks, seeds and traces are refused by name", () => {
  const refused = (options: object, code: string, message: RegExp): void => {
    const make = (): unknown => new WASI({ version: "preview1", ...options });
    assert.throws(make, { code, message });
  };
  refused({ limits: 5 }, "ERR_INVALID_ARG_TYPE", /options\.limits/);
  refused({ limits: { files: "5" } }, "ERR_INVALID_ARG_TYPE", /options\.limits\.files/);
  refused({ limits: { files: -1 } }, "ERR_OUT_OF_RANGE", /options\.limits\.files.*>= 0/);
  refused({ limits: { files: 0.5 } }, "ERR_OUT_OF_RANGE", /options\.limits\.files.*integer/);
  refused({ limits: { disk: 5 } }, "ERR_INVALID_ARG_VALUE", /diskBytes.*'disk'/);
  refused({ limits: new Map([["files", 1]]) }, "ERR_INVALID_ARG_TYPE", /options\.limits/);
  for (const option of ["timeout", "threads", "interruptible", "imports", "signal"]) {
    refused({ [option]: 5 }, "ERR_INVALID_ARG_VALUE", new RegExp(`options\\.${option}.*run\\(\\)`));
  }
  refused(
    { preopens: { "/": { a: "x" } } },
    "ERR_INVALID_ARG_TYPE",
    /preopens\["\/"\].*memory\(\)/,
  );
  refused({ preopens: { "/": Object.create(null) } }, "ERR_INVALID_ARG_TYPE", /memory\(\)/);
  assert.throws(() => host(".", { readonly: true } as object), {
    code: "ERR_INVALID_ARG_VALUE",
    message: /readOnly.*'readonly'/,
  });
  refused({ clock: 5 }, "ERR_INVALID_ARG_TYPE", /options\.clock/);
  refused({ clock: -1n }, "ERR_INVALID_ARG_VALUE", /options\.clock.*nanoseconds/);
  refused({ clock: {} }, "ERR_INVALID_ARG_TYPE", /options\.clock.*now/);
  refused({ random: "seed" }, "ERR_INVALID_ARG_TYPE", /options\.random/);
  refused({ random: 0.5 }, "ERR_INVALID_ARG_TYPE", /options\.random/);
  refused({ trace: "yes" }, "ERR_INVALID_ARG_TYPE", /options\.trace/);
  refused({ preopens: { "/": new URL("http://x/") } }, "ERR_INVALID_ARG_VALUE", /file: URL/);
  refused({ preopens: { "/": new URL("file:///a%2fb") } }, "ERR_INVALID_ARG_VALUE", /slashes/);
});

test("a start in nanoseconds is a clock of its own: no real time shows, waiting takes none", () => {
  const start = 1_000_000_000_123_456_789n;
  const began = performance.now();
  const { out } = run(["times"], { clock: start });
  assert.ok(performance.now() - began < 30000, "an hour was slept in truth");
  const [first, second] = out.split("\n").map((line) =>
    line.split(" ").map((time) => BigInt(time.replace(".", "").replace(/[^0-9]/g, "") || 0))
  ) as [[bigint, bigint], [bigint, bigint]];
  assert.ok(first[0] >= start && first[0] < start + 1_000_000n, out);
  const hour = 3_600_000_000_000n;
  for (const i of [0, 1] as const) {
    const passed = second[i] - first[i];
    assert.ok(passed >= hour && passed < hour + 1_000_000n, `${passed}`);
  }
});

test("a clock object is asked; what it throws reaches the embedder", () => {
  const asked = new Set<number>();
  let slept = 0n;
  const { out } = run(["times"], {
    clock: {
      now(id) {
        asked.add(id);
        return 5_000_000_007n + slept;
      },
      wait: (nanoseconds) => void (slept += nanoseconds),
    },
  });
  assert.ok(asked.has(0) && asked.has(1));
  assert.match(out, /^5\.000000007 5\.000000007\n3605\.00000000/);
  const mine = new Error("no time");
  const throwing = (): Ran =>
    run(["times"], {
      clock: {
        now() {
          throw mine;
        },
      },
    });
  assert.throws(throwing, (error) => error === mine);
});

test("randomness from a seed follows from it, from a function is the function's", () => {
  const last = (options: Partial<WASIOptions>): string =>
    run(["times"], { clock: 0n, ...options }).out.split("\n")[2]!;
  assert.equal(last({ random: 42 }), last({ random: 42n }));
  assert.notEqual(last({ random: 42 }), last({ random: 43 }));
  assert.notEqual(last({}), last({}));
  assert.match(last({ random: 0 }), /^[0-9a-f]{40}$/);
  let next = 0;
  const counting = last({ random: (into) => into.forEach((_, i) => into[i] = next++) });
  assert.equal(counting, "000102030405060708090a0b0c0d0e0f10111213");
});

test("with a clock and a seed two runs are the same, on the host too", () => {
  const repeatable: Partial<WASIOptions> = { clock: 1_700_000_000_000_000_000n, random: 7 };
  const listing = (names: string[]): string => {
    const folder = scratch("repeatable");
    for (const name of names) fs.writeFileSync(path.join(folder, name), name);
    const preopens = { "/": folder };
    const write = run(["write", "later", "x"], { ...repeatable, preopens });
    assert.equal(write.code, 0, write.err);
    return run(["list", "."], { ...repeatable, preopens }).out + run(["times"], repeatable).out;
  };
  const names = ["b", "a", "ä", "z", "C"];
  const first = listing(names);
  assert.equal(first, listing(names.reverse()));
  const shown = first.split("\n").slice(0, 8).map((line) => line.split(" ")[0]);
  assert.deepEqual(shown, [".", "..", "C", "a", "b", "later", "z", "ä"]);
  assert.ok(first.includes("1700000000.0"), first);
  const inMemory = (): string => {
    const files = memory({ b: "1", a: "2" });
    return run(["list", "."], { ...repeatable, preopens: { "/": files } }).out;
  };
  assert.equal(inMemory(), inMemory());
});

test("files in memory are as old as the guest's clock says", () => {
  const files = memory({ old: "1" });
  const preopens = { "/": files };
  run(["write", "new", "x"], { clock: 5_000_000_000_000n, preopens });
  const times = Object.fromEntries([...files.entries()].map(({ path, mtime }) => [path, mtime]));
  for (const name of ["old", "new"]) {
    assert.ok(times[name]! >= 5_000_000_000_000n && times[name]! < 5_001_000_000_000n, name);
  }
});

test("a trace shows each call with names, and what came of it", () => {
  const lines: string[] = [];
  const preopens = { "/": memory({ f: "x" }) };
  assert.equal(
    run(["rename", "f", "g"], { preopens, trace: (line) => void lines.push(line) }).code,
    0,
  );
  assert.equal(
    run(["remove", "gone"], { preopens, trace: (line) => void lines.push(line) }).code,
    Errno.NOENT,
  );
  const shown = lines.join("\n");
  assert.ok(
    shown.includes(`==> path_rename(fd=3, old_path="f", new_fd=3, new_path="g")\n<== SUCCESS`),
    shown,
  );
  assert.match(shown, /==> path_unlink_file\(fd=3, path="gone"\)\n<== NOENT/);
  assert.match(shown, /==> fd_prestat_dir_name\(fd=3, path_len=1\)\n<== path="\/", SUCCESS/);
  assert.match(shown, /==> fd_write\(fd=2, iovs=\[[0-9, ]+\]\)\n<== nwritten=\d+, SUCCESS/);
  assert.match(shown, /==> proc_exit\(rval=44\)\n<== ended$/);
  const calls = lines.filter((line) => line.startsWith("==> "));
  assert.equal(calls.length, lines.filter((line) => line.startsWith("<== ")).length);
});

test("a trace of opening, seeking and waiting decodes flags, rights and times", () => {
  const lines: string[] = [];
  const trace = (line: string): void => void lines.push(line);
  run(["write", "a", "b"], { preopens: { "/": memory() }, trace });
  run(["list", "."], { preopens: { "/": memory() }, trace });
  run(["times"], { clock: 0n, trace });
  const shown = lines.join("\n");
  assert.match(shown, /path_open\(fd=3, dirflags=SYMLINK_FOLLOW, path="a", oflags=CREAT\|TRUNC, /);
  assert.match(shown, /fs_rights_base=[A-Z_|]*FD_WRITE[A-Z_|]*, fs_rights_inheriting=/);
  assert.match(shown, /<== opened_fd=4, SUCCESS/);
  assert.match(shown, /<== stat=DIRECTORY flags=0 rights=[A-Z_|]+, SUCCESS/);
  assert.match(shown, /<== filestat=DIRECTORY size=\d+ ino=\d+ nlink=\d+ mtim=\d+, SUCCESS/);
  assert.match(shown, /poll_oneoff\(in=\[CLOCK\(REALTIME, 3600000000000ns\)\], nsubscriptions=1\)/);
  assert.match(shown, /==> clock_time_get\(id=MONOTONIC, precision=\d+\)\n<== time=\d+, SUCCESS/);
});

test("a trace that throws ends the guest", () => {
  const mine = new Error("seen enough");
  const trace = (): void => {
    throw mine;
  };
  assert.throws(() => run(["streams"], { trace }), (error) => error === mine);
});

test("tracing wrong pointers says so and changes nothing", () => {
  const lines: string[] = [];
  const wasi = new WASI({
    version: "preview1",
    preopens: { "/": memory() },
    trace: (line) => void lines.push(line),
  });
  const memory1 = new WebAssembly.Memory({ initial: 1 });
  wasi.finalizeBindings({ exports: {} } as unknown as WebAssembly.Instance, { memory: memory1 });
  const { path_unlink_file, fd_read, poll_oneoff } = wasi.wasiImport;
  assert.equal(path_unlink_file!(3, 65530, 100), Errno.FAULT);
  assert.equal(fd_read!(0, 0xfffffff0, 3, 0), Errno.FAULT);
  assert.equal(poll_oneoff!(65530, 0, 1, 0), Errno.FAULT);
  assert.equal(path_unlink_file!(3, 0, 0xffffffff), Errno.FAULT);
  assert.deepEqual(lines.filter((line) => line.startsWith("<==")), Array(4).fill("<== FAULT"));
});
