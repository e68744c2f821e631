/** ripgrep with the option `trace`: each line against the call as the guest made it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import zlib from "node:zlib";
import {
  Errno,
  type ImportedFunction,
  memory,
  type MemoryDirectory,
  OutputBuffer,
  Rights,
  WASI,
} from "../../mod.ts";
import { root } from "../support/harness.ts";
import type { Options } from "../support/programs.ts";

const options = { timeout: 120_000 };

let ripgrep: Promise<WebAssembly.Module> | undefined;

/** The package holds its program compressed inside a script. */
async function extract(): Promise<WebAssembly.Module> {
  const script = path.join(root, "node_modules/ripgrep/lib/_rg.wasm.mjs");
  const { getCompressedBytes } = (await import(pathToFileURL(script).href)) as {
    getCompressedBytes: () => Uint8Array;
  };
  return new WebAssembly.Module(new Uint8Array(zlib.brotliDecompressSync(getCompressedBytes())));
}

/** Files to be searched, one of them hidden by another. */
function haystack(): MemoryDirectory {
  return memory({
    "a.txt": "hay\nneedle\nhay\n",
    "b.txt": "straw\n",
    "dëep/er": { ".ignore": "not.txt\n", "not.txt": "needle\n", "c.txt": "needles" },
  });
}

/** A system call as the guest made it. */
interface Call {
  name: string;
  parameters: (number | bigint)[];
  path: string;
  errno: number;
}

/** Runs ripgrep and notes each system call, beside what the class itself says. */
async function traced(args: string[], more: Options): Promise<{ calls: Call[]; out: string }> {
  const module = await (ripgrep ??= extract());
  const stdout = new OutputBuffer();
  const wasi = new WASI({
    version: "preview1",
    args: ["rg", ...args],
    preopens: { "/data": haystack() },
    stdin: null,
    stdout,
    stderr: null,
    ...more,
  });
  const calls: Call[] = [];
  let bytes = (): Uint8Array => new Uint8Array(0);
  for (const [name, call] of Object.entries(wasi.wasiImport)) {
    wasi.wasiImport[name] = ((...parameters: (number | bigint)[]) => {
      const [pointer, length] = parameters.slice(2, 4) as [number, number];
      const path = name === "path_open" ? bytes().slice(pointer, pointer + length) : [];
      const made = { name, parameters, path: Buffer.from(path).toString(), errno: -1 };
      calls.push(made);
      return made.errno = call(...parameters);
    }) as ImportedFunction;
  }
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  bytes = () => new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
  wasi.start(instance);
  return { calls, out: stdout.text() };
}

/** The bits of the names in a line of a trace. */
function bitsOf(text: string, table: Record<string, number>): number {
  if (text === "0") return 0;
  if (text === "ALL") return Object.values(table).reduce((sum, bit) => sum | bit, 0);
  return text.split("|").reduce((sum, name) => {
    assert.ok(name in table, name);
    return sum | table[name]!;
  }, 0);
}

test(
  "a trace of ripgrep says what was called, with which rights, and what came of it",
  options,
  async () => {
    const lines: string[] = [];
    const trace = (line: string): void => void lines.push(line);
    const search = await traced(["-n", "needle", "/data"], { trace });
    const found = search.out.trimEnd().split("\n").sort();
    assert.deepEqual(found, ["/data/a.txt:2:needle", "/data/dëep/er/c.txt:1:needles"]);
    const failed = await traced(["-f", "/data/missing", "/data"], { trace });
    const calls = [...search.calls, ...failed.calls];
    const names = Object.fromEntries(Object.entries(Errno).map(([name, value]) => [value, name]));
    const rights = Object.values(Rights).reduce((sum, bit) => sum | bit, 0);
    const seen = new Set<string>();
    for (const { name, parameters, path, errno } of calls) {
      const [line, answer] = lines.splice(0, 2) as [string, string];
      assert.ok(line.startsWith(`==> ${name}(`) && line.endsWith(")"), line);
      if (name === "proc_exit") {
        assert.equal(line, `==> proc_exit(rval=${parameters[0]})`);
        assert.equal(answer, "<== ended");
        continue;
      }
      if (errno === 0) assert.match(answer, /^<== (.*, )?SUCCESS$/, line);
      else assert.equal(answer, `<== ${names[errno]}`, line);
      if (name !== "path_open") continue;
      const parts =
        /^==> path_open\(fd=(\d+), dirflags=(\w+), path=(".*"), oflags=(\S+), fs_rights_base=(\S+), fs_rights_inheriting=(\S+), fdflags=(\S+)\)$/
          .exec(line);
      assert.ok(parts !== null, line);
      const [, fd, dirflags, quoted, oflags, base, inheriting, fdflags] = parts;
      assert.equal(Number(fd), parameters[0]);
      assert.equal(bitsOf(dirflags!, { SYMLINK_FOLLOW: 1 }), parameters[1]);
      assert.equal(JSON.parse(quoted!), path);
      assert.equal(bitsOf(oflags!, { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 }), parameters[4]);
      assert.equal(bitsOf(base!, Rights), Number((parameters[5] as bigint) & BigInt(rights)));
      assert.equal(bitsOf(inheriting!, Rights), Number((parameters[6] as bigint) & BigInt(rights)));
      const flags = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 };
      assert.equal(bitsOf(fdflags!, flags), parameters[7]);
      if (errno === 0) assert.match(answer, /^<== opened_fd=\d+, SUCCESS$/);
      seen.add(`${path} ${names[errno]}`);
    }
    assert.deepEqual(lines, []);
    for (
      const each of ["a.txt SUCCESS", "dëep/er/c.txt SUCCESS", "dëep/er SUCCESS", "missing NOENT"]
    ) assert.ok(seen.has(each), [...seen].join());
  },
);

test("trace: true says the same to console.error", options, async () => {
  const same = { clock: 0n, random: 1 };
  const wanted: string[] = [];
  await traced(["needle", "/data"], { ...same, trace: (line) => void wanted.push(line) });
  const lines: string[] = [];
  const { error } = console;
  try {
    console.error = (line: string) => void lines.push(line);
    await traced(["needle", "/data"], { ...same, trace: true });
    assert.deepEqual(lines, wanted);
    lines.length = 0;
    await traced(["needle", "/data"], { ...same, trace: false });
    await traced(["needle", "/data"], same);
  } finally {
    console.error = error;
  }
  assert.deepEqual(lines, []);
});

test("without a trace nothing stands between the guest and the system calls", options, async () => {
  const stacks = async (more: Options): Promise<Set<string>> => {
    const found = new Set<string>();
    const now = (): bigint => {
      const lines = new Error().stack!.split("\n");
      found.add(lines.filter((line) => /[\\/]core[\\/]/.test(line)).join("\n"));
      return 0n;
    };
    await traced(["needle", "/data"], { clock: { now }, ...more });
    return found;
  };
  const [without, off, on] = [
    await stacks({}),
    await stacks({ trace: false }),
    await stacks({ trace() {} }),
  ];
  assert.ok(without.size > 0);
  assert.deepEqual([...off], [...without]);
  assert.doesNotMatch([...without].join("\n"), /[\\/]core[\\/]preview1[\\/]trace\./);
  assert.match([...on].join("\n"), /[\\/]core[\\/]preview1[\\/]trace\./);
});
