/** What is tested in Chromium: on a page, in a worker of it, and without isolation. */
import {
  AsyncWASI,
  type AsyncWASIOptions,
  type BrowserDirectoryHandle,
  type BrowserFileHandle,
  canSuspend,
  Errno,
  instantiate,
  memory,
  MemoryLink,
  opfs,
  OutputBuffer,
  overlay,
  run,
  WASI,
  type WASIOptions,
} from "../../adapters/browser/mod.ts";
import { equal, matches, thrown } from "./check.ts";
import { compile, guest, GUESTS, judge, passes, streams } from "./guests.ts";

/** Where a case is run. */
export type Place = "page" | "worker" | "plain page" | "plain worker";

export interface Case {
  name: string;
  places: readonly Place[];
  run(place: Place): Promise<void>;
}

export const cases: Case[] = [];

const BOTH: readonly Place[] = ["page", "worker"];
const ALL: readonly Place[] = ["page", "worker", "plain page", "plain worker"];

function test(name: string, places: readonly Place[], run: Case["run"]): void {
  cases.push({ name, places, run });
}

const encoder = new TextEncoder();

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs the tool of the tests, holding the thread. */
async function tool(args: string[], options: Partial<WASIOptions> = {}): Promise<Ran> {
  const [stdout, stderr] = [new OutputBuffer(), new OutputBuffer()];
  const wasi = new WASI({
    version: "preview1",
    args: ["tool", ...args],
    stdin: null,
    stdout,
    stderr,
    ...options,
  });
  const instance = await WebAssembly.instantiate(await guest("tool"), wasi.getImportObject());
  return { code: wasi.start(instance), out: stdout.text(), err: stderr.text() };
}

/** The bytes of a guest: run() needs them for threads and timeouts. */
async function bytesOf(name: string): Promise<ArrayBuffer> {
  return await (await fetch(`/guests/${name}.wasm`)).arrayBuffer();
}

const idle = (): ReadableStream<Uint8Array> =>
  new ReadableStream({ pull: () => new Promise(() => {}) });

test("the page is as isolated as it is meant to be", ALL, (place) => {
  const { crossOriginIsolated } = globalThis as unknown as { crossOriginIsolated: boolean };
  equal(crossOriginIsolated, !place.startsWith("plain"));
  return Promise.resolve();
});

for (const checked of GUESTS) {
  test(`guest ${checked.name}`, BOTH, () => passes(checked));
}

test("guest large: files beyond 4 GiB", ["worker"], () => passes({ name: "large" }));

test("guest memory: grows to over 2 GiB", ["worker"], async () => {
  await passes({ name: "memory" });
});

// it waits, which a page cannot
test("guest unstable", ["worker"], async () => {
  await passes({ name: "unstable", options: { version: "unstable" } });
});

test("guest poll: a worker waits", ["worker", "plain worker"], async () => {
  await passes({ name: "poll", input: "something to read" });
});

for (const [name, version] of [["poll", "preview1"], ["unstable", "unstable"]] as const) {
  test(`guest ${name}: waits while it is suspended, on a page too`, ALL, async () => {
    const { files, options } = streams("something to read");
    const wasi = new AsyncWASI({
      version,
      preopens: { "/": memory() },
      ...options,
      args: ["guest"],
    });
    const instance = await WebAssembly.instantiate(
      await guest(name),
      wasi.getImportObject() as WebAssembly.Imports,
    );
    const code = await wasi.start(instance);
    judge(name, code, files.text("stdout"), files.text("stderr"));
  });
}

test("guest poll: in workers of run()", BOTH, async () => {
  const { files, options } = streams("something to read");
  const code = await run(await bytesOf("poll"), {
    preopens: { "/": memory() },
    ...options,
    args: ["guest"],
    timeout: 60_000,
  });
  judge("poll", code, files.text("stdout"), files.text("stderr"));
});

/** Runs a script that sleeps, in whatever way `start` runs it. */
async function sleeper(
  start: (options: AsyncWASIOptions, module: WebAssembly.Module) => Promise<unknown>,
): Promise<void> {
  const stdout = new OutputBuffer();
  const script =
    "import time; a = time.monotonic_ns(); time.sleep(0.5); print((time.monotonic_ns() - a) // 1000000)";
  const args = ["python", "-S", "-c", script];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 50);
  const module = await compile("/programs/python.wasm");
  equal(await start({ version: "preview1", args, stdout }, module), 0);
  clearInterval(timer);
  const took = Number(stdout.text());
  equal(took >= 499 && took < 20_000, true, `${took} ms`);
  equal(ticks >= 4, true, "other tasks went on");
}

test("a guest that sleeps is suspended, and other tasks go on", ALL, async () => {
  await sleeper(async (options, module) => {
    const wasi = new AsyncWASI(options);
    const imports = wasi.getImportObject() as WebAssembly.Imports;
    return await wasi.start(await WebAssembly.instantiate(module, imports));
  });
  await sleeper((options, module) => run(module, options));
});

test("on a page's main thread a guest that would wait gets NOTSUP, at once", [
  "page",
  "plain page",
], async () => {
  const began = performance.now();
  equal((await tool(["times"])).code, 0);
  equal(performance.now() - began < 60_000, true, "slept an hour");
  const wasi = new WASI({ version: "preview1" });
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi.finalizeBindings({ exports: {} } as unknown as WebAssembly.Instance, { memory });
  const view = new DataView(memory.buffer);
  const { poll_oneoff } = wasi.wasiImport;
  // a subscription of the monotonic clock
  view.setUint32(16, 1, true);
  view.setBigUint64(24, 1_000_000_000n, true);
  equal(poll_oneoff!(0, 100, 1, 200), Errno.NOTSUP);
  view.setBigUint64(24, 0n, true);
  equal([poll_oneoff!(0, 100, 1, 200), view.getUint32(200, true)], [0, 1]);
});

test("with a clock of its own a guest waits in no time, on the main thread too", ALL, async () => {
  const { out } = await tool(["times"], { clock: 1_000_000_000_000_000_000n, random: 1 });
  const [first, second] = out.split("\n").slice(0, 2).map((line) => BigInt(line.split(".")[0]!));
  equal(second! - first!, 3600n);
});

test("the clocks are the browser's", ALL, () => {
  const before = Date.now();
  const wasi = new WASI({ version: "preview1" });
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi.finalizeBindings({ exports: {} } as unknown as WebAssembly.Instance, { memory });
  const view = new DataView(memory.buffer);
  const { clock_time_get, clock_res_get } = wasi.wasiImport;
  equal(clock_time_get!(0, 1n, 8), 0);
  const now = Number(view.getBigUint64(8, true)) / 1e6;
  equal(now >= before - 50 && now <= Date.now() + 50, true, `${now} against ${before}`);
  equal(clock_time_get!(1, 1n, 8), 0);
  equal(Math.abs(Number(view.getBigUint64(8, true)) / 1e6 - performance.now()) < 1000, true);
  equal(clock_time_get!(2, 1n, 8), Errno.INVAL);
  equal(clock_res_get!(2, 8), Errno.INVAL);
  equal(clock_res_get!(1, 8), 0);
  equal(view.getBigUint64(8, true) >= 5000n, true, "resolution");
  return Promise.resolve();
});

test("random bytes, text and files reach memory that is shared", BOTH, () => {
  const files = memory({ "é": "content" });
  const wasi = new WASI({
    version: "preview1",
    args: ["naïve €🐟"],
    preopens: { "/": files },
    stdin: encoder.encode("input"),
  });
  const shared = new WebAssembly.Memory({ initial: 4, maximum: 8, shared: true });
  wasi.finalizeBindings({ exports: {} } as unknown as WebAssembly.Instance, { memory: shared });
  const bytes = new Uint8Array(shared.buffer);
  const view = new DataView(shared.buffer);
  const calls = wasi.wasiImport;
  equal(calls.random_get!(1000, 200_000), 0);
  for (const [from, to] of [[1000, 1300], [66_000, 67_000], [200_000, 201_000]] as const) {
    equal(new Set(bytes.slice(from, to)).size > 100, true, `random bytes from ${from}`);
  }
  equal(calls.random_get!(10, 20), 0);
  equal(calls.args_get!(0, 100), 0);
  equal(new TextDecoder().decode(bytes.slice(100, 114)), "naïve €🐟");
  bytes.set(encoder.encode("é"), 500);
  equal(calls.path_open!(3, 1, 500, 2, 0, 2n, 0n, 0, 600), 0);
  view.setUint32(700, 800, true);
  view.setUint32(704, 100, true);
  equal(calls.fd_read!(view.getUint32(600, true), 700, 1, 708), 0);
  equal(new TextDecoder().decode(bytes.slice(800, 800 + view.getUint32(708, true))), "content");
  equal(calls.fd_read!(0, 700, 1, 708), 0);
  equal(new TextDecoder().decode(bytes.slice(800, 805)), "input");
  // a long path that is not ASCII takes the decoder
  bytes.set(encoder.encode("ü".repeat(100)), 2000);
  equal(calls.path_create_directory!(3, 2000, 200), 0);
  bytes.set([0x66, 0xff, 0x80], 3000);
  equal(calls.path_create_directory!(3, 3000, 3), Errno.ILSEQ);
  equal([...files.paths()], ["é", `${"ü".repeat(100)}/`]);
  return Promise.resolve();
});

test("what a browser has not is refused, with what to use instead", ALL, async () => {
  const refused = async (options: object, words: RegExp): Promise<void> => {
    const error = await thrown(() => new WASI({ version: "preview1", ...options }));
    equal([error.name, error.code], ["TypeError", "ERR_INVALID_ARG_VALUE"]);
    matches(error.message, words);
  };
  await refused({ preopens: { "/data": "./data" } }, /preopens\["\/data"\].*memory\(\), opfs\(\)/);
  await refused({ preopens: { "/": new URL("file:///tmp") } }, /memory\(\)/);
  await refused({ returnOnExit: false }, /returnOnExit.*page/);
  await refused({ confinement: "kernel" }, /this browser/);
  await refused({ listen: [{ host: "127.0.0.1", port: 0 }] }, /listen/);
  const error = await thrown(() => new WASI({ version: "preview1", stdout: 5 }));
  equal(error.code, "UVWASI_EBADF");
  const other = await thrown(() => overlay("folder" as unknown as ReturnType<typeof memory>));
  equal(other.code, "ERR_INVALID_ARG_TYPE");
});

test("without options output goes to the console by lines, and input is empty", ALL, async () => {
  const seen: string[] = [];
  const { log, error } = console;
  console.log = (line: string) => void seen.push(`log ${line}`);
  console.error = (line: string) => void seen.push(`error ${line}`);
  try {
    const script = { stdin: encoder.encode("one\nzwö €\nthree"), stdout: undefined };
    equal((await tool(["upper"], script)).code, 0);
    equal((await tool(["unknown"], { stderr: undefined })).code, 2);
    equal((await tool(["upper"], { stdin: undefined })).out, "");
  } finally {
    Object.assign(console, { log, error });
  }
  equal(seen.slice(0, 3), ["log ONE", "log ZWö €", "log THREE"]);
  equal(seen.slice(3).every((line) => line.startsWith("error ")), true);
  equal(seen.length > 3, true, "a line on standard error");
});

test("a reactor is initialised", BOTH, async () => {
  const wasi = new WASI({ version: "preview1" });
  const instance = await WebAssembly.instantiate(await guest("reactor"), wasi.getImportObject());
  wasi.initialize(instance);
  equal((await thrown(() => wasi.initialize(instance))).code, "ERR_WASI_ALREADY_STARTED");
});

test("overlay: changes are seen, and made beneath by commit()", BOTH, async () => {
  const lower = memory({ "a.txt": "a", "b.txt": "b" });
  const draft = overlay(lower);
  equal((await tool(["rename", "a.txt", "c.txt"], { preopens: { "/": draft } })).code, 0);
  equal([...lower.paths()], ["a.txt", "b.txt"]);
  equal(draft.changes().map(({ kind, path }) => `${kind} ${path}`), [
    "removed a.txt",
    "added c.txt",
  ]);
  draft.commit();
  equal(lower.toObject(), memory({ "b.txt": "b", "c.txt": "a" }).toObject());
});

test("run(): streams in and out, the guest suspended", ALL, async () => {
  equal(canSuspend(), true);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const text = new Response(readable).text();
  const code = await run(fetch("/guests/tool.wasm"), {
    args: ["tool", "upper"],
    stdin: new Blob(["hello"]),
    stdout: writable,
  });
  equal([code, await text], [0, "HELLO"]);
});

test("run(): from a URL, a response that is none, a reactor", BOTH, async () => {
  const stdout = new OutputBuffer();
  const address = new URL("/guests/tool.wasm", location.href);
  equal(await run(address, { args: ["tool", "upper"], stdin: encoder.encode("x"), stdout }), 0);
  equal(stdout.text(), "X");
  equal((await thrown(() => run(fetch("/guests/none.wasm")))).code, "ERR_WASI_SOURCE");
  const { exports } = await instantiate(fetch("/guests/reactor.wasm"));
  equal((exports as { initialized(): number }).initialized(), 1);
});

test("run(): a timeout ends a program, whatever it does", BOTH, async () => {
  for (const busy of ["loop", "fill", "wait", "sleep", "read", "call"]) {
    const error = await thrown(async () =>
      run(await bytesOf("threads"), {
        args: ["threads", "end", "return", "thread", busy, busy],
        threads: true,
        stdin: idle(),
        stdout: null,
        timeout: 300,
      })
    );
    equal([busy, error.name], [busy, "TimeoutError"]);
  }
});

test("run(): a signal ends a program that waits", BOTH, async () => {
  const controller = new AbortController();
  const reason = new Error("stopped");
  const ended = run(fetch("/guests/tool.wasm"), {
    args: ["tool", "upper"],
    stdin: idle(),
    stdout: null,
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(reason), 200);
  equal((await thrown(() => ended)) === reason, true, "the signal's reason");
});

test("run(): threads count right under a lock, and share files", BOTH, async () => {
  const bytes = await bytesOf("threads");
  const ran = async (args: string[], files = memory()): Promise<unknown[]> => {
    const stdout = new OutputBuffer();
    const code = await run(bytes, {
      threads: true,
      args: ["threads", ...args],
      preopens: { "/": files },
      stdin: null,
      stdout,
      timeout: 60_000,
    });
    return [code, stdout.text()];
  };
  equal(await ran(["count", "1", "1000"]), [0, "1000\n"]);
  equal(await ran(["count", "8", "1000"]), [0, "8000\n"]);
  equal(await ran(["race", "50"], memory({ file: "abcdefghijkl" })), [0, "400\n"]);
});

test("run(): exit and traps in a thread end all", BOTH, async () => {
  const bytes = await bytesOf("threads");
  for (const busy of ["loop", "wait", "read"]) {
    const ended = (how: string): Promise<unknown> =>
      run(bytes, {
        threads: true,
        args: ["threads", "end", how, "thread", busy, busy],
        stdin: idle(),
        stdout: null,
      });
    equal(await ended("exit"), 42);
    equal((await thrown(() => ended("trap"))).name, "RuntimeError");
  }
});

test("run(): without JSPI it runs in a worker, streams and sleep included", BOTH, async () => {
  const holder = WebAssembly as unknown as { Suspending: unknown };
  const { Suspending } = holder;
  holder.Suspending = undefined;
  try {
    equal(canSuspend(), false);
    const stdout = new OutputBuffer();
    const code = await run(fetch("/guests/tool.wasm"), {
      args: ["tool", "upper"],
      stdin: new Blob(["hello"]),
      stdout,
    });
    equal([code, stdout.text()], [0, "HELLO"]);
    await sleeper((options, module) => run(module, options));
  } finally {
    holder.Suspending = Suspending;
  }
});

/** (module (memory (export "memory") 1) (func (export "_start") (loop (br 0)))) */
// deno-fmt-ignore
const ENDLESS = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 19, 2, 6, 109, 101,
  109, 111, 114, 121, 2, 0, 6, 95, 115, 116, 97, 114, 116, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11,
  11,
]);

test(
  "run(): without isolation threads are refused, a timeout works by checks, a signal ends waits",
  [
    "plain page",
    "plain worker",
  ],
  async () => {
    const error = await thrown(() => run(fetch("/guests/tool.wasm"), { threads: true }));
    equal(error.code, "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM");
    matches(error.message, /Cross-Origin-Opener-Policy/);
    const stdin = new Blob(["hello"]);
    equal(await run(fetch("/guests/tool.wasm"), { args: ["tool"], stdin, timeout: 10_000 }), 0);
    equal((await thrown(() => run(ENDLESS, { timeout: 300 }))).name, "TimeoutError");
    const ended = run(fetch("/guests/tool.wasm"), {
      args: ["tool", "upper"],
      stdin: idle(),
      signal: AbortSignal.timeout(200),
    });
    equal((await thrown(() => ended)).name, "TimeoutError");
  },
);

test("CPython over files in memory", ["worker", "page"], async () => {
  const files = memory({
    "input.txt": "3\n5\n8\n",
    package: { "helper.py": "def twice(x): return 2 * x" },
  });
  const script = `
import hashlib, json, os, sys
sys.path.insert(0, "/work/package")
from helper import twice
numbers = [twice(int(line)) for line in open("/work/input.txt")]
os.makedirs("/work/out", exist_ok=True)
with open("/work/out/sum.json", "w") as file: json.dump({"numbers": numbers, "ä": sum(numbers)}, file)
os.rename("/work/input.txt", "/work/out/moved.txt")
print(hashlib.sha256(b"wasi").hexdigest(), sys.stdin.read(), len(os.urandom(100000)))
sys.exit(7)
`;
  const stdout = new OutputBuffer();
  const stderr = new OutputBuffer();
  const wasi = new WASI({
    version: "preview1",
    args: ["python", "-B", "-c", script],
    env: { PYTHONHOME: "/usr/local" },
    preopens: { "/work": files },
    stdin: encoder.encode("from stdin"),
    stdout,
    stderr,
  });
  const module = await compile("/programs/python.wasm");
  const code = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
  equal([code, stderr.text()], [7, ""]);
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode("wasi"));
  const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"));
  equal(stdout.text(), `${hex.join("")} from stdin 100000\n`);
  equal([...files.paths()].sort(), [
    "out/",
    "out/moved.txt",
    "out/sum.json",
    "package/",
    "package/helper.py",
  ]);
  equal(JSON.parse(files.text("out/sum.json")), { numbers: [6, 10, 16], "ä": 32 });
});

test("ripgrep over files in memory", BOTH, async () => {
  const stdout = new OutputBuffer();
  const code = await run(await compile("/programs/rg.wasm"), {
    args: ["rg", "--sort=path", "-n", "li(n|v)e", "/src"],
    preopens: { "/src": memory({ a: "one\nline\n", deep: { b: "live\nlove\n" } }) },
    stdout,
  });
  equal([code, stdout.text()], [0, "/src/a:2:line\n/src/deep/b:1:live\n"]);
});

/** A fresh directory of the origin's private file system. */
async function fresh(name: string): Promise<BrowserDirectoryHandle> {
  const storage = (navigator as unknown as {
    storage: { getDirectory(): Promise<BrowserDirectoryHandle> };
  }).storage;
  const top = await storage.getDirectory();
  await top.removeEntry(name, { recursive: true }).catch(() => {});
  return await top.getDirectoryHandle(name, { create: true });
}

/** All that a directory of the browser holds, as text by path. */
async function stored(handle: BrowserDirectoryHandle, path = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const entry of handle.values!()) {
    if (entry.kind === "file") {
      found[path + entry.name] = await (await (entry as BrowserFileHandle).getFile()).text();
    } else {
      found[`${path}${entry.name}/`] = "";
      const inner = entry as BrowserDirectoryHandle;
      Object.assign(found, await stored(inner, `${path}${entry.name}/`));
    }
  }
  return Object.fromEntries(Object.entries(found).sort(([one], [other]) => one < other ? -1 : 1));
}

test(
  "opfs: a tree is read, changed by guests, and written back by flush()",
  BOTH,
  async (place) => {
    const handle = await fresh(`tree-${place}`);
    const first = await opfs(handle);
    first.write("a.txt", "a");
    first.write("dir/deep/b.txt", "bb");
    first.write("dir/c.txt", "c");
    equal(await stored(handle), {});
    await first.flush();
    const expected = {
      "a.txt": "a",
      "dir/": "",
      "dir/c.txt": "c",
      "dir/deep/": "",
      "dir/deep/b.txt": "bb",
    };
    equal(await stored(handle), expected);
    equal(first.changes(), []);

    const second = await opfs(handle);
    equal(second.text("dir/deep/b.txt"), "bb");
    const age = Date.now() - Number([...second.entries()][0]!.mtime / 1_000_000n);
    equal(age >= -1000 && age < 60_000, true, `age ${age}`);
    const preopens = { "/": second };
    equal((await tool(["rename", "dir", "moved"], { preopens })).code, 0);
    equal((await tool(["remove", "moved/c.txt"], { preopens })).code, 0);
    equal((await tool(["write", "a.txt", "0123456789", "100000"], { preopens })).code, 0);
    equal((await tool(["write", "new", "x"], { preopens })).code, 0);
    equal(await stored(handle), expected); // not before flush()
    await second.flush();
    equal(await stored(handle), {
      "a.txt": "0123456789".repeat(100_000),
      "moved/": "",
      "moved/deep/": "",
      "moved/deep/b.txt": "bb",
      new: "x",
    });

    // what is a file becomes a directory, and the other way round
    second.remove("new");
    second.write("new/inner", "y");
    second.remove("moved");
    second.write("moved", "z");
    second.write("a.txt", "short");
    await Promise.all([second.flush(), second.flush()]);
    equal(await stored(handle), { "a.txt": "short", moved: "z", "new/": "", "new/inner": "y" });

    second.write("link", new MemoryLink("a.txt"));
    second.write("also", "1");
    equal((await thrown(() => second.flush())).code, "ENOTSUP");
    equal(Object.keys(await stored(handle)), ["a.txt", "moved", "new/", "new/inner"]);
    second.remove("link");
    await second.flush();
    equal((await stored(handle)).also, "1");
    equal((await thrown(() => opfs({} as BrowserDirectoryHandle))).code, "ERR_INVALID_ARG_TYPE");
  },
);

test("opfs: without createWritable() files are written in workers alone", BOTH, async (place) => {
  const handle = await fresh(`sync-${place}`);
  const { prototype } = (globalThis as unknown as {
    FileSystemFileHandle: { prototype: { createWritable?: unknown } };
  }).FileSystemFileHandle;
  const files = await opfs(handle);
  files.write("a", "longer");
  await files.flush();
  const { createWritable } = prototype;
  prototype.createWritable = undefined;
  try {
    files.write("a", "short");
    if (place === "page") {
      equal((await thrown(() => files.flush())).code, "ENOTSUP");
      equal(await stored(handle), { a: "longer" });
      return;
    }
    await files.flush();
    equal(await stored(handle), { a: "short" });
  } finally {
    prototype.createWritable = createWritable;
  }
  await files.flush();
  equal(await stored(handle), { a: "short" });
});
