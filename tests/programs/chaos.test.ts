/**
 * CPython doing what comes to its mind, from a seed: whatever a directory is made of, each step
 * has the same result as in a real folder, and the same files are left.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Directory, host, memory, overlay } from "../../mod.ts";
import { scratch } from "../support/harness.ts";
import { type Options, picture, python } from "../support/programs.ts";

const options = { timeout: 120_000 };
const STEPS = 300;

/** Makes a small tree in /data. */
const PLANT = `
import os
os.chdir("/data")
for name in ("a/b", "b/a", "b/ü"): os.makedirs(name)
for name, text in {"a/a": "aa", "a/b/c": "abc", "a/ü": "x" * 70_001, "b/a/b": "bab", "c": "c"}.items():
    with open(name, "w") as f: f.write(text)
os.symlink("../b", "a/c")
os.symlink("a/a", "ü")
os.link("c", "b/c")
`;

/** Takes a seed and how many steps; tells what came of each, and all that is there at the end. */
const CHAOS = `
import hashlib, os, random, stat, sys
rng = random.Random(int(sys.argv[1]))
os.chdir("/data")
NAMES = ["a", "b", "c", "ü"]
opened = []

def some_path():
    path = "/".join(rng.choice(NAMES) for _ in range(rng.choice([1, 1, 2, 2, 2, 3])))
    return rng.choices([path, path + "/", path + "/..", "./" + path, path + "/../a"],
        [92, 3, 2, 2, 1])[0]
def some_bytes(): return bytes([rng.randrange(97, 123)]) * rng.choice([0, 1, 10, 300, 70_000])
def digest(data): return len(data), hashlib.md5(data).hexdigest()
def about(s):
    kind = stat.S_IFMT(s.st_mode)
    return oct(kind) if kind == stat.S_IFDIR else (oct(kind), s.st_size, s.st_nlink)

def write(path):
    data = some_bytes()
    with open(path, "wb") as f: f.write(data)
def append(path):
    data = some_bytes()
    with open(path, "ab") as f:
        f.write(data)
        return f.tell()
def exclusive(path):
    with open(path, "xb") as f: f.write(b"x")
def patch(path):
    at, data = rng.choice([0, 5, 65_530, 131_072]), some_bytes()
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)
        f.seek(0)
        return digest(f.read())
def truncate(path): os.truncate(path, rng.choice([0, 3, 1000, 65_537]))
def read(path):
    with open(path, "rb") as f: return digest(f.read())
def mkdir(path): os.mkdir(path)
def makedirs(path): os.makedirs(path, exist_ok=rng.random() < 0.5)
def rmdir(path): os.rmdir(path)
def unlink(path): os.unlink(path)
def rename(path): os.rename(path, some_path())
def link(path): os.link(path, some_path())
def symlink(path): os.symlink(rng.choice(["a", "../a", "b/c", "..", "ü", "../../b", "a/../b"]), path)
def readlink(path): return os.readlink(path)
def follow(path): return about(os.stat(path))
def look(path): return about(os.lstat(path))
def names(path): return sorted(os.listdir(path))
def touch(path):
    ns = rng.randrange(10**12, 2 * 10**12) * 1_000_000
    os.utime(path, ns=(ns, ns + 5_000_000))
    return os.stat(path).st_mtime_ns - ns
def hold(path):
    opened.append(os.open(path, rng.choice([os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT,
        os.O_RDWR | os.O_APPEND, os.O_WRONLY | os.O_TRUNC])))
def use(path):
    if not opened: return
    f, way, data = rng.choice(opened), rng.randrange(6), some_bytes()
    if way == 0: return os.write(f, data)
    if way == 1: return digest(os.read(f, 100_000))
    if way == 2: return os.lseek(f, rng.choice([0, 7, 70_000]), 0)
    if way == 3: return about(os.fstat(f))
    if way == 4: return os.ftruncate(f, rng.choice([0, 9, 66_000]))
    return os.pwrite(f, data, rng.choice([0, 100, 70_000]))
def drop(path):
    if opened: os.close(opened.pop(rng.randrange(len(opened))))

WAYS = {write: 4, append: 1, exclusive: 1, patch: 1, truncate: 1, read: 1, mkdir: 3, makedirs: 3,
    rmdir: 1, unlink: 2, rename: 5, link: 2, symlink: 2, readlink: 1, follow: 1, look: 1, names: 1,
    touch: 1, hold: 1, use: 4, drop: 1}
for i in range(int(sys.argv[2])):
    way, path = rng.choices(list(WAYS), WAYS.values())[0], some_path()
    try: result = way(path)
    except OSError as e: result = "errno %d" % e.errno
    print(i, way.__name__, path, result)

known = {}
def tell(top):
    for name in sorted(os.listdir(top)):
        path = os.path.join(top, name)
        s = os.lstat(path)
        if stat.S_ISDIR(s.st_mode):
            print(path)
            tell(path)
        else:
            which = known.setdefault((s.st_dev, s.st_ino), len(known))
            print(path, which, s.st_nlink, os.readlink(path) if os.path.islink(path) else read(path))
tell(".")
for f in opened: os.close(f)
`;

/** Runs a seed's steps in a directory that gets the tree first. */
function chaos(seed: number, directory: string | Directory, more: Options = {}): string[] {
  const preopens = { "/data": directory };
  return python(CHAOS, { preopens, ...more }, [String(seed), String(STEPS)]).out.split("\n");
}

function planted(): string {
  const folder = scratch("wasi-chaos");
  python(PLANT, { preopens: { "/data": folder } });
  return folder;
}

for (const seed of [1, 2, 3]) {
  test(
    `python does ${STEPS} things in any directory as in a real folder (seed ${seed})`,
    options,
    () => {
      const real = planted();
      const before = picture(real);
      const expected = chaos(seed, real);
      const after = picture(real);
      assert.notDeepEqual(after, before);

      const files = memory();
      python(PLANT, { preopens: { "/data": files } });
      assert.deepEqual(chaos(seed, files), expected, "memory");

      const lower = planted();
      const draft = overlay(lower);
      assert.deepEqual(chaos(seed, draft), expected, "overlay");
      assert.deepEqual(picture(lower), before);
      draft.commit();
      assert.deepEqual(picture(lower), after);

      const limits = { diskBytes: 1e9, files: 1e6, openFiles: 1e3, outputBytes: 1e9 };
      const limited = planted();
      assert.deepEqual(chaos(seed, limited, { limits }), expected, "limits");
      assert.deepEqual(picture(limited), after);

      const stable = planted();
      using directory = host(stable);
      assert.deepEqual(
        chaos(seed, directory, { clock: 0n, random: 1 }),
        expected,
        "clock and seed",
      );
      assert.deepEqual(picture(stable), after);
    },
  );
}

/** Tries to get more than 300,000 bytes and 30 names, and after each step asks how much is left. */
const GREED = `
import os, random, stat, sys
BYTES, NAMES = 300_000, 30
rng = random.Random(int(sys.argv[1]))
os.chdir("/data")
PATHS = ["a", "b", "c", "d/a", "d/b", "e/f/a", "d", "e", "e/f"]
opened = []

def used():
    sizes, names = {}, 0
    for top, dirs, files in os.walk("."):
        for name in dirs + files:
            names += 1
            s = os.lstat(os.path.join(top, name))
            if not stat.S_ISDIR(s.st_mode): sizes[s.st_ino] = s.st_size
    for f in opened:
        s = os.fstat(f)
        if not stat.S_ISDIR(s.st_mode): sizes[s.st_ino] = s.st_size
    return sum(sizes.values()), names
def left():
    got = made = 0
    f = -1
    try:
        f = os.open("probe", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        while got < 5_000_000: got += os.write(f, b"p" * 50_000)
    except OSError as e: assert e.errno == 19, e
    if f >= 0:
        os.close(f)
        os.unlink("probe")
    try:
        while made < 500:
            os.mkdir("probe%d" % made)
            made += 1
    except OSError as e: assert e.errno == 19, e
    for i in range(made): os.rmdir("probe%d" % i)
    return got, made
def data(): return b"x" * rng.choice([0, 1, 100, 5000, 70_000, 120_000])

def step(way, path, other):
    if way == 0: open(path, "wb", 0).write(data())
    elif way == 1: open(path, "ab", 0).write(data())
    elif way == 2:
        with open(path, "r+b", 0) as f:
            f.seek(rng.choice([0, 10, 100_000]))
            f.write(data())
    elif way == 3: os.truncate(path, rng.choice([0, 7, 50_000, 200_000, 400_000]))
    elif way == 4: os.mkdir(path)
    elif way == 5: os.rmdir(path)
    elif way in (6, 7): os.unlink(path)
    elif way == 8: os.rename(path, other)
    elif way == 9: os.link(path, other)
    elif way == 10: os.symlink(rng.choice(["a", "../b", "d/b", "e"]), path)
    elif way == 11 and len(opened) < 6:
        opened.append(os.open(path, rng.choice([os.O_RDWR | os.O_CREAT, os.O_RDONLY,
            os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_APPEND, os.O_CREAT | os.O_RDONLY])))
    elif not opened: return
    elif way == 12: os.close(opened.pop(rng.randrange(len(opened))))
    elif way == 13: os.write(rng.choice(opened), data())
    elif way == 14: os.ftruncate(rng.choice(opened), rng.choice([0, 9, 60_000, 310_000]))
    elif way == 15: os.pwrite(rng.choice(opened), data(), rng.choice([0, 100, 250_000]))
    elif way == 16: os.posix_fallocate(rng.choice(opened), rng.choice([0, 100]), 80_000)

for i in range(int(sys.argv[2])):
    did = rng.randrange(17), rng.choice(PATHS), rng.choice(PATHS)
    try: step(*did)
    except OSError: pass
    (size, names), (room, free) = used(), left()
    assert names + free == NAMES, (i, did, names, free)
    # without a name to spare nothing can be written
    assert free == 0 or size + room == BYTES, (i, did, size, room)
    assert size <= BYTES, (i, did, size)
print("exact")
`;

test("python's greed is counted to the byte and the name, in all it does", options, () => {
  const limits = { diskBytes: 300_000, files: 30 };
  for (const seed of ["1", "12"]) {
    for (const directory of [memory(), overlay(memory()), scratch("wasi-chaos")]) {
      const { out } = python(GREED, { preopens: { "/data": directory }, limits }, [seed, "100"]);
      assert.equal(out, "exact\n");
    }
  }
});
