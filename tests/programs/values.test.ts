/**
 * CPython and esbuild over directories and streams that are values: memory(), overlay(), read-only
 * folders, bytes and functions. What they leave behind is compared with what the same work does in
 * JavaScript, or in a real folder.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Errno, host, memory, MemoryFile, MemoryLink, overlay } from "../../mod.ts";
import { compile, mod, root, runRuntime, runtime, scratch } from "../support/harness.ts";
import {
  answer,
  encoder,
  picture,
  plain,
  PYTHON,
  python,
  sha256,
  start,
} from "../support/programs.ts";

const options = { timeout: 120_000 };
const random = new Uint8Array(crypto.randomBytes(300_007));

test("python works over memory alone, its script out of bytes, byte for byte", options, () => {
  const text = "zwölf\nelf\nzehn\n";
  const files = memory({
    in: {
      "größe.txt": text,
      "big.bin": random,
      "empty.txt": "",
      deep: { er: { "日本.txt": "語" } },
    },
    "gone/a/b/c.txt": "away",
    "gone/d.txt": new MemoryFile("away too"),
    link: new MemoryLink("in/größe.txt"),
  });
  const script = `
import hashlib, json, os, shutil
os.makedirs("/data/out/sub")
found = []
for top, dirs, names in os.walk("/data/in"):
    for name in names:
        with open(os.path.join(top, name), "rb") as f: data = f.read()
        found.append([os.path.relpath(os.path.join(top, name), "/data"), len(data),
            hashlib.sha256(data).hexdigest()])
        with open("/data/out/" + name + ".rev", "wb") as f: f.write(data[::-1])
print(json.dumps(found))
os.rename("/data/in/big.bin", "/data/out/sub/moved.bin")
os.rename("/data/out/sub", "/data/out/unter")
os.remove("/data/in/empty.txt")
shutil.rmtree("/data/gone")
with open("/data/out/unter/moved.bin", "r+b") as f:
    f.seek(131_070)
    f.write("¶¶¶".encode())
    f.truncate(200_001)
with open("/data/link", "a", encoding="utf-8") as f: f.write("neun\\n")
with open("/data/holes", "wb") as f:
    f.seek(1_000_000)
    f.write(b"end")
os.symlink("../holes", "/data/out/to-holes")
os.link("/data/in/deep/er/日本.txt", "/data/out/twice")
with open("/data/out/twice", "a", encoding="utf-8") as f: f.write("!")
os.replace("/data/out/empty.txt.rev", "/data/out/größe.txt.rev")
with open("/data/out/to-holes", "rb") as f: print(hashlib.sha256(f.read()).hexdigest())
print(sorted(os.listdir("/data")), os.path.exists("/data/gone"), os.getcwd())
`;
  const { out, err } = python(script, { preopens: { "/data": files } });
  const holes = plain(new Uint8Array(1_000_000), "end");
  const found = [
    ["in/größe.txt", encoder.encode(text)],
    ["in/big.bin", random],
    ["in/empty.txt", new Uint8Array(0)],
    ["in/deep/er/日本.txt", encoder.encode("語")],
  ] as [string, Uint8Array][];
  const [walked, ...rest] = out.split("\n");
  assert.deepEqual(
    JSON.parse(walked!),
    found.map(([name, bytes]) => [name, bytes.length, sha256(bytes)]),
  );
  assert.deepEqual(rest, [sha256(holes), "['holes', 'in', 'link', 'out'] False /", ""]);
  assert.equal(err, "");

  const moved = random.slice(0, 200_001);
  moved.set(encoder.encode("¶¶¶"), 131_070);
  const twice = encoder.encode("語!");
  const expected = {
    in: { "größe.txt": encoder.encode(`${text}neun\n`), deep: { er: { "日本.txt": twice } } },
    link: new MemoryLink("in/größe.txt"),
    out: {
      "big.bin.rev": random.slice().reverse(),
      "日本.txt.rev": encoder.encode("語").reverse(),
      unter: { "moved.bin": moved },
      "to-holes": new MemoryLink("../holes"),
      twice,
      "größe.txt.rev": new Uint8Array(0),
    },
    holes,
  };
  assert.deepEqual(files.toObject(), expected);
  assert.deepEqual(files.bytes("out/to-holes"), holes);
  assert.equal(files.text("link"), `${text}neun\n`);
  assert.deepEqual([...files.paths()].sort(), [
    "holes",
    "in/",
    "in/deep/",
    "in/deep/er/",
    "in/deep/er/日本.txt",
    "in/größe.txt",
    "link",
    "out/",
    "out/big.bin.rev",
    "out/größe.txt.rev",
    "out/to-holes",
    "out/twice",
    "out/unter/",
    "out/unter/moved.bin",
    "out/日本.txt.rev",
  ]);
});

test("python reads a script from a function, seven bytes at a time", options, () => {
  const script = encoder.encode(`
import sys
for i in range(20_000): print(i, "ünï 🦀")
sys.stderr.write("nobody reads this")
`);
  const chunks: Uint8Array[] = [];
  let at = 0;
  const { code } = start(compile(PYTHON), ["python", "-"], {
    stdin(into) {
      const part = script.subarray(at, at + Math.min(7, into.length));
      into.set(part);
      at += part.length;
      return part.length;
    },
    stdout: (chunk) => void chunks.push(chunk),
    stderr: null,
  });
  assert.equal(code, 0);
  assert.equal(at, script.length);
  const lines = Array.from({ length: 20_000 }, (_, i) => `${i} ünï 🦀\n`);
  assert.equal(Buffer.concat(chunks).toString(), lines.join(""));
});

test("what a function as standard output throws ends python at once", options, () => {
  const files = memory();
  const enough = new Error("enough");
  const script = `
import os
try:
    while True: os.write(1, b"x")
except BaseException: open("/data/caught", "w").close()
finally: open("/data/after", "w").close()
`;
  let count = 0;
  const stdout = (): void => {
    if (++count === 100) throw enough;
  };
  const preopens = { "/data": files };
  assert.throws(() => python(script, { preopens, stdout }), (error) => error === enough);
  assert.equal(count, 100);
  assert.deepEqual([...files.paths()], []);
});

test("a snapshot brings back what python has wrecked, as often as need be", options, () => {
  const tree = { a: { b: { c: "text" }, "r.bin": random }, d: "d" };
  const files = memory(tree);
  const before = files.toObject();
  const snapshot = files.snapshot();
  const script = `
import os, shutil
with open("/data/a/r.bin", "r+b") as f: f.seek(70_000); f.write(bytes(1000)); f.truncate(150_000)
os.rename("/data/a/r.bin", "/data/r")
open("/data/d", "w").write("changed")
shutil.rmtree("/data/a")
`;
  const wrecked = plain(random.subarray(0, 70_000), new Uint8Array(1000), random.subarray(71_000));
  for (let i = 0; i < 2; i++) {
    python(script, { preopens: { "/data": files } });
    const expected = { d: encoder.encode("changed"), r: wrecked.subarray(0, 150_000) };
    assert.deepEqual(files.toObject(), expected);
    files.restore(snapshot);
    assert.deepEqual(files.toObject(), before);
  }
});

test("python keeps a SQLite database in memory, which a real folder takes over", options, () => {
  const files = memory();
  const make = `
import sqlite3
db = sqlite3.connect("/data/db")
with db:
    db.execute("create table t (n integer primary key, square integer, name text)")
    db.executemany("insert into t values (?, ?, ?)", ((n, n * n, "№ %d" % n) for n in range(20_000)))
with db: db.execute("delete from t where n % 3 = 0")
`;
  python(make, { preopens: { "/data": files } });
  assert.deepEqual([...files.paths()], ["db"]);
  const folder = scratch("wasi-values");
  fs.writeFileSync(path.join(folder, "db"), files.bytes("db"));
  const read = `
import json, sqlite3
db = sqlite3.connect("/data/db")
print(json.dumps([db.execute("pragma integrity_check").fetchone()[0],
    *db.execute("select count(*), sum(square), max(name) from t").fetchone()]))
`;
  const kept = Array.from({ length: 20_000 }, (_, n) => n).filter((n) => n % 3 !== 0);
  const sum = kept.reduce((total, n) => total + n * n, 0);
  assert.deepEqual(answer(read, { preopens: { "/data": folder } }), [
    "ok",
    kept.length,
    sum,
    "№ 9998",
  ]);
});

test(
  "python lists a folder in memory in the order of making, and while emptying it",
  options,
  () => {
    const files = memory({ "3": "", "1": "" }); // an object's own order: 1, 3
    const script = `
import json, os
names = ["z%d" % (i * 7919 % 2000) for i in range(2000)]
for name in names: open("/data/" + name, "w").close()
order = os.listdir("/data")
for entry in os.scandir("/data"): os.unlink(entry.path)
print(json.dumps([order, os.listdir("/data")]))
`;
    const names = Array.from({ length: 2000 }, (_, i) => `z${i * 7919 % 2000}`);
    assert.deepEqual(answer(script, { preopens: { "/data": files } }), [["1", "3", ...names], []]);
  },
);
/** A project to be turned upside down. All its files are as old. */
function project(): string {
  const folder = scratch("wasi-values");
  const files: Record<string, string | Uint8Array> = {
    "README.md": "# readme\n",
    "config.json": "{}",
    "cut.bin": random.subarray(0, 5000),
    "data.bin": random,
    "notes.log": "first\n",
    "steady.txt": "steady",
    "old.txt": "old",
    "swap/a": "a",
    "swap/b": "b",
    "build/x.o": "x",
    "build/sub/y.o": "y",
    "docs/index.md": "index",
    "docs/old.md": "old",
    "docs/näst/ü.md": "ü",
    "src/main.py": "main",
    "src/util.py": "util",
    "src/deep/a.txt": "a",
    "src/deep/b.txt": "b",
    "linked/one": "linked",
  };
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
    fs.utimesSync(file, 1_600_000_000, 1_600_000_000);
  }
  fs.mkdirSync(path.join(folder, "empty"));
  fs.mkdirSync(path.join(folder, "hollow/inner"), { recursive: true });
  fs.linkSync(path.join(folder, "linked/one"), path.join(folder, "linked/two"));
  fs.linkSync(path.join(folder, "linked/one"), path.join(folder, "linked/three"));
  fs.symlinkSync("README.md", path.join(folder, "link"));
  fs.symlinkSync("src/deep", path.join(folder, "to-deep"));
  return folder;
}

const REWORK = `
import json, os, shutil
os.chdir("/data")
os.rename("docs", "manual")
os.rename("manual/old.md", "manual/näst/new.md")
shutil.rmtree("build")
os.makedirs("build/sub")
with open("build/sub/fresh.o", "wb") as f: f.write(b"fresh" * 50_000)
os.mkdir("moved")
shutil.move("src/deep", "moved")
os.unlink("moved/deep/b.txt")
os.replace("src/util.py", "src/main.py")
with open("notes.log", "a") as f: f.write("second\\n")
with open("data.bin", "r+b") as f:
    f.seek(140_000)
    f.write(b"patched")
with open("config.json.tmp", "w") as f: json.dump({"a": [1, 2]}, f)
os.replace("config.json.tmp", "config.json")
os.link("README.md", "README")
with open("README", "a") as f: f.write("both\\n")
os.unlink("linked/two")
with open("linked/three", "a") as f: f.write(" still")
os.symlink("../moved/deep/a.txt", "src/to-a")
os.remove("link")
os.rename("to-deep", "empty/to-deep")
os.rename("swap/a", "swap/t")
os.rename("swap/b", "swap/a")
os.rename("swap/t", "swap/b")
os.truncate("cut.bin", 10)
os.truncate("cut.bin", 100)
os.utime("old.txt", ns=(1_500_000_000_000_000_000, 1_500_000_000_123_000_000))
shutil.copyfile("data.bin", "moved/copy.bin")
os.removedirs("hollow/inner")
with open("passing", "w") as f: f.write("x")
os.unlink("passing")
print(json.dumps([sorted([top, sorted(dirs), sorted(names)] for top, dirs, names in os.walk(".")),
    open("README.md").read(), open("src/to-a").read(), os.stat("linked/one").st_nlink,
    os.path.getsize("cut.bin"), open("src/main.py").read(), open("data.bin", "rb").read(3).hex()]))
`;

/** What the script above changes. */
const REWORKED = [
  "added README from README.md",
  "added build",
  "added build/sub",
  "added build/sub/fresh.o",
  "added config.json",
  "added empty/to-deep from to-deep",
  "added manual from docs",
  "added manual/näst/new.md from docs/old.md",
  "added moved",
  "added moved/copy.bin",
  "added moved/deep from src/deep",
  "added src/main.py from src/util.py",
  "added src/to-a",
  "added swap/a from swap/b",
  "added swap/b from swap/a",
  "modified README.md",
  "modified README",
  "modified cut.bin",
  "modified data.bin",
  "modified linked/one",
  "modified linked/three",
  "modified notes.log",
  "modified old.txt",
  "removed build",
  "removed config.json",
  "removed docs",
  "removed hollow",
  "removed link",
  "removed linked/two",
  "removed manual/old.md",
  "removed moved/deep/b.txt",
  "removed src/deep",
  "removed src/main.py",
  "removed src/util.py",
  "removed swap/a",
  "removed swap/b",
  "removed to-deep",
];

test(
  "python turns a folder upside down beneath an overlay; commit() does the same",
  options,
  () => {
    const [lower, real] = [project(), project()];
    const before = picture(lower, true);
    const draft = overlay(lower);
    const printed = python(REWORK, { preopens: { "/data": draft } });
    assert.equal(printed.err, "");
    assert.deepEqual(picture(lower, true), before);
    const told = draft.changes().map(({ kind, path, from }) =>
      `${kind} ${path}${from === undefined ? "" : ` from ${from}`}`
    );
    assert.deepEqual([...told].sort(), [...REWORKED].sort());
    const places = new Map(draft.changes().map(({ path }, i) => [path, i]));
    for (const [place, i] of places) {
      const above = places.get(path.posix.dirname(place));
      assert.ok(above === undefined || above < i, `${place} comes after what it is in`);
    }

    assert.equal(python(REWORK, { preopens: { "/data": real } }).out, printed.out);
    draft.commit();
    assert.deepEqual(picture(lower), picture(real));
    assert.deepEqual(draft.changes(), []);
    const kept = (name: string, was = name): void => {
      const stat = fs.lstatSync(path.join(lower, name), { bigint: true });
      const { ino, mtime } = before[was] as { ino: bigint; mtime: bigint };
      assert.deepEqual({ ino: stat.ino, mtime: stat.mtimeNs }, { ino, mtime }, name);
    };
    kept("steady.txt");
    kept("manual/index.md", "docs/index.md");
    kept("manual/näst/new.md", "docs/old.md");
    kept("src/main.py", "src/util.py");
    kept("swap/a", "swap/b");
    const old = fs.statSync(path.join(lower, "old.txt"), { bigint: true });
    assert.equal(old.mtimeNs, 1_500_000_000_123_000_000n);
  },
);

test("an overlay is used again after commit(), and discard() forgets", options, () => {
  const folder = scratch("wasi-values");
  fs.writeFileSync(path.join(folder, "a"), "a");
  const draft = overlay(folder);
  const preopens = { "/data": draft };
  python(`import os; os.rename("/data/a", "/data/b"); os.mkdir("/data/d")`, { preopens });
  draft.commit();
  python(`import os; os.rename("/data/b", "/data/d/c"); open("/data/d/c", "a").write("b")`, {
    preopens,
  });
  draft.commit();
  assert.equal(fs.readFileSync(path.join(folder, "d/c"), "utf8"), "ab");
  const before = picture(folder, true);
  python(`import os, shutil; shutil.rmtree("/data/d"); os.mkdir("/data/e")`, { preopens });
  assert.deepEqual([...draft.paths()], ["e/"]);
  draft.discard();
  assert.deepEqual([...draft.paths()], ["d/", "d/c"]);
  assert.deepEqual(draft.changes(), []);
  assert.deepEqual(picture(folder, true), before);
});

/** Tries every kind of change in /data and tells the errno of each; 0 would be success. */
const CHANGES = `
import errno, json, os, shutil, tempfile
def tried(call, *given):
    try: call(*given)
    except OSError as e: return e.errno
    return 0
os.chdir("/data")
changes = dict(write=tried(open, "file", "w"), append=tried(open, "file", "a"),
    patch=tried(open, "file", "r+b"), make=tried(open, "new", "w"), exclusive=tried(open, "new", "x"),
    in_dir=tried(open, "dir/new", "w"), mkdir=tried(os.mkdir, "new"),
    makedirs=tried(os.makedirs, "new/er"), rmdir=tried(os.rmdir, "empty"),
    unlink=tried(os.unlink, "file"), unlink_link=tried(os.unlink, "link"),
    rename=tried(os.rename, "file", "new"), rename_dir=tried(os.rename, "dir", "new"),
    replace=tried(os.replace, "file", "dir/inner"), link=tried(os.link, "file", "new"),
    symlink=tried(os.symlink, "file", "new"), truncate=tried(os.truncate, "file", 0),
    utime=tried(os.utime, "file", (1, 2)), utime_dir=tried(os.utime, "dir", (1, 2)),
    rmtree=tried(shutil.rmtree, "dir"), move=tried(shutil.move, "file", "new"),
    copy=tried(shutil.copyfile, "file", "new"), mkdtemp=tried(tempfile.mkdtemp, "", "", "/data"),
    through_link=tried(open, "link", "a"))
reads = [open("file").read(), open("link").read(), os.readlink("link"), sorted(os.listdir(".")),
    sorted(os.listdir("dir")), os.stat("file").st_size, os.path.isdir("empty")]
print(json.dumps([errno.EROFS, changes, reads]))
`;
const READS = ["hello", "hello", "file", ["dir", "empty", "file", "link"], ["inner"], 5, true];

/** A folder for the script above. */
function still(): string {
  const folder = path.join(scratch("wasi-values"), "data");
  fs.mkdirSync(path.join(folder, "dir"), { recursive: true });
  fs.mkdirSync(path.join(folder, "empty"));
  fs.writeFileSync(path.join(folder, "file"), "hello");
  fs.writeFileSync(path.join(folder, "dir/inner"), "inner");
  fs.symlinkSync("file", path.join(folder, "link"));
  return folder;
}

function assertReadOnly(printed: unknown): void {
  const [number, changes, reads] = printed as [number, Record<string, number>, unknown[]];
  assert.equal(number, Errno.ROFS);
  assert.deepEqual(reads, READS);
  assert.equal(Object.keys(changes).length, 24);
  for (const [what, errno] of Object.entries(changes)) assert.equal(errno, Errno.ROFS, what);
}

test("python reads a folder given read-only; every change is EROFS", options, () => {
  const folder = still();
  const before = picture(folder, true);
  using data = host(folder, { readOnly: true });
  assertReadOnly(answer(CHANGES, { preopens: { "/data": data } }));
  assert.deepEqual(picture(folder, true), before);
  // the same value goes on working, beside one that can be changed
  const files = memory();
  const copy = `
import json, os, shutil
shutil.copytree("/data", "/copy/all", symlinks=True)
for call in (lambda: os.link("/copy/all/file", "/data/new"), lambda: os.rename("/copy/all/file", "/data/new"),
        lambda: os.rename("/data/file", "/copy/new"), lambda: shutil.move("/data/dir", "/copy/moved")):
    try: call()
    except OSError as e: print(e.errno in (69, 75), e.errno)
    else: print("done")
`;
  const { out } = python(copy, { preopens: { "/data": data, "/copy": files } });
  assert.match(out, /^(True (69|75)\n){4}$/);
  assert.deepEqual(files.toObject().all, {
    dir: { inner: encoder.encode("inner") },
    empty: {},
    file: encoder.encode("hello"),
    link: new MemoryLink("file"),
  });
  assert.deepEqual(picture(folder, true), before);
});

test("python gets EBADF from a directory of the host that is closed meanwhile", options, () => {
  const data = host(still());
  const script = `
import os
os.urandom(1)
try: print(os.listdir("/data"))
except OSError as e: print(e.errno)
`;
  const preopens = { "/data": data };
  assert.match(python(script, { preopens }).out, /'file'/);
  // called by os.urandom(), when the program has begun
  const random = (into: Uint8Array): void => {
    if (into.length === 1) data.close();
    into.fill(0);
  };
  assert.equal(python(script, { preopens, random }).out, `${Errno.BADF}\n`);
  // one that is closed from the start is refused
  const refused = { code: "ERR_INVALID_ARG_VALUE", message: /has been closed/ };
  assert.throws(() => python(script, { preopens }), refused);
});

test("reading is all that a read-only folder and an overlay need to be allowed", options, () => {
  const folder = still();
  const before = picture(folder, true);
  const beside = path.dirname(folder);
  const wasm = path.join(root, PYTHON);
  const script = path.join(beside, "script.mjs");
  const draft = `
import os, shutil
os.rename("/data/file", "/data/moved")
shutil.rmtree("/data/dir")
open("/data/new", "w").write("new")
print(open("/data/moved").read(), sorted(os.listdir("/data")))
`;
  fs.writeFileSync(
    script,
    `import fs from "node:fs";
    import { host, OutputBuffer, overlay, WASI } from ${JSON.stringify(mod)};
    const module = new WebAssembly.Module(fs.readFileSync(${JSON.stringify(wasm)}));
    function python(script, data) {
      const stdout = new OutputBuffer();
      const wasi = new WASI({
        version: "preview1", args: ["python", "-"], preopens: { "/data": data },
        stdin: new TextEncoder().encode(script), stdout, stderr: stdout,
      });
      wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
      return stdout.text();
    }
    const draft = overlay(${JSON.stringify(folder)});
    console.log(JSON.stringify([
      python(${JSON.stringify(CHANGES)}, host(${JSON.stringify(folder)}, { readOnly: true })),
      python(${JSON.stringify(draft)}, draft),
      draft.changes(),
    ]));`,
  );
  const flags: Record<string, string[]> = {
    deno: ["run", "--no-prompt", "--no-lock", "--no-config", `--allow-read=${folder},${wasm}`],
    node26: ["--permission", `--allow-fs-read=${root}`, `--allow-fs-read=${beside}`],
    node20: ["--experimental-permission", `--allow-fs-read=${root}`, `--allow-fs-read=${beside}`],
    bun: [],
  };
  const { status, stdout, stderr } = runRuntime([...flags[runtime]!, script], beside);
  assert.equal(status, 0, stderr);
  const [changes, printed, told] = JSON.parse(stdout);
  assertReadOnly(JSON.parse(changes));
  assert.equal(printed, "hello ['empty', 'link', 'moved', 'new']\n");
  assert.deepEqual(
    new Set(told.map(({ kind, path, from }: Record<string, string>) => `${kind} ${path} ${from}`)),
    new Set([
      "removed dir undefined",
      "removed file undefined",
      "added moved file",
      "added new undefined",
    ]),
  );
  assert.deepEqual(picture(folder, true), before);
});
const SHOP = {
  "src/main.ts": `
    import { total, Currency } from "./größe/合計";
    import goods from "./goods.json";
    import { shout } from "shout";
    export const result: string = shout(\`\${total(goods)} \${Currency.Euro}\`);
  `,
  "src/größe/合計.ts": `
    export enum Currency { Euro = "€", Yen = "¥" }
    export const total = (goods: { price: number }[]): number =>
      goods.reduce((sum, { price }) => sum + price, 0);
  `,
  "src/goods.json": JSON.stringify([{ price: 12 }, { price: 30 }]),
  "linked/shout/package.json": JSON.stringify({ name: "shout", exports: "./lib/shout.cjs" }),
  "linked/shout/lib/shout.cjs": `exports.shout = (text) => text.toUpperCase() + "!";`,
};

test("esbuild bundles a project in memory alone, as it does on the disk", options, async () => {
  const module = compile("node_modules/@esbuild/wasi-preview1/esbuild.wasm");
  const link = new MemoryLink("../linked/shout");
  const files = memory({ ...SHOP, "node_modules/shout": link });
  const folder = scratch("wasi-values");
  for (const [name, content] of Object.entries(SHOP)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
  fs.mkdirSync(path.join(folder, "node_modules"));
  fs.symlinkSync(link.target, path.join(folder, "node_modules/shout"));
  const args = ["esbuild", "src/main.ts", "--bundle", "--format=esm", "--target=es2022"];
  const more = ["--log-level=error", "--sourcemap", "--minify", "--outfile=out/größe.mjs"];
  for (const directory of [files, folder]) {
    const { code, out, err } = start(module, [...args, ...more], { preopens: { "/": directory } });
    assert.deepEqual([code, out, err], [0, "", ""]);
  }
  const paths = [...files.paths()];
  assert.deepEqual(paths.slice(-3).sort(), ["out/", "out/größe.mjs", "out/größe.mjs.map"]);
  for (const name of ["out/größe.mjs", "out/größe.mjs.map"]) {
    assert.deepEqual(files.bytes(name), plain(fs.readFileSync(path.join(folder, name))), name);
  }
  const { result } = await import(pathToFileURL(path.join(folder, "out/größe.mjs")).href);
  assert.equal(result, "42 €!");
});

test("esbuild turns bytes into bytes without any directory", options, async () => {
  const source = `export const answer: number = [1, 2, 39].reduce((a, b) => a + b);`;
  const { code, out, err } = start(
    compile("node_modules/@esbuild/wasi-preview1/esbuild.wasm"),
    ["esbuild", "--loader=ts", "--format=esm"],
    { stdin: encoder.encode(source) },
  );
  assert.deepEqual([code, err], [0, ""]);
  const file = path.join(scratch("wasi-values"), "out.mjs");
  fs.writeFileSync(file, out);
  assert.equal((await import(pathToFileURL(file).href)).answer, 42);
});
