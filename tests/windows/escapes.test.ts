/**
 * Nothing leads out of a directory over ntdll: not links of any kind, not names that mean something
 * else, and not another process that swaps a directory for a link before any one of the calls.
 * The volume records every file that a call touches.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NtDirectory } from "../../core/directories/nt/directory.ts";
import { Errno, Filetype, Fstflags } from "../../core/preview1/abi.ts";
import { FileStat } from "../../core/filestat.ts";
import { type Directory, type File, Open } from "../../core/host.ts";
import { type FakeNode, FakeVolume, ntDirectory } from "../support/fake_nt.ts";

const SYMLINK = 0xa000000c;
const MOUNT_POINT = 0xa0000003;

/** A volume with a preopen and something outside of it that has the same names. */
class Scene {
  readonly volume: FakeVolume = new FakeVolume();
  readonly base: FakeNode;
  readonly a: FakeNode;
  readonly b: FakeNode;
  readonly f: FakeNode;
  readonly directory: NtDirectory;
  readonly #outside: Set<FakeNode>;

  constructor() {
    const { volume } = this;
    const outside = volume.add(volume.root, "outside");
    const outsideB = volume.add(outside, "b");
    this.#outside = new Set([
      volume.root,
      outside,
      outsideB,
      volume.add(outside, "f", "secret"),
      volume.add(outsideB, "f", "secret"),
    ]);
    this.base = volume.add(volume.root, "base");
    this.a = volume.add(this.base, "a");
    this.b = volume.add(this.a, "b");
    this.f = volume.add(this.b, "f", "inside");
    volume.add(this.base, "other");
    this.directory = ntDirectory(volume);
    volume.touched.length = 0;
  }

  /** What calls have touched that they must not: by the path of the node. */
  get escaped(): string[] {
    return this.volume.touched
      .filter(({ call, node }) => call === "follow" || this.#outside.has(node))
      .map(({ call, node }) => `${call} ${node.name}`);
  }
}

function closed(opened: File | Directory | number): number {
  if (typeof opened === "number") return opened;
  if ((opened as Directory).filetype === Filetype.DIRECTORY) {
    (opened as Directory).list(0n, { add: () => true, addBytes: () => true });
  } else (opened as File).read(new Uint8Array(16), 0, 16, 0);
  opened.close();
  return 0;
}

const RW = Open.READ | Open.WRITE;

/** Everything that a guest can do with a path. */
const uses: Record<string, (d: Directory, path: string) => number | string> = {
  "open for reading": (d, path) => closed(d.open(path, Open.READ | Open.FOLLOW, 0)),
  "open itself": (d, path) => closed(d.open(path, Open.READ, 0)),
  "open as a directory": (d, path) =>
    closed(d.open(path, Open.READ | Open.DIRECTORY | Open.FOLLOW, 0)),
  "open to make": (d, path) => closed(d.open(path, RW | Open.CREAT | Open.FOLLOW, 0)),
  "open to cut": (d, path) => closed(d.open(path, RW | Open.TRUNC | Open.FOLLOW, 0)),
  "open to make anew": (d, path) => closed(d.open(path, RW | Open.CREAT | Open.EXCL, 0)),
  "stat, followed": (d, path) => d.statAt(path, true, new FileStat()),
  stat: (d, path) => d.statAt(path, false, new FileStat()),
  "set times, followed": (d, path) => d.setTimesAt(path, true, 0n, 1000n, Fstflags.MTIM),
  "set times": (d, path) => d.setTimesAt(path, false, 0n, 1000n, Fstflags.MTIM),
  mkdir: (d, path) => d.mkdir(path),
  rmdir: (d, path) => d.rmdir(path),
  unlink: (d, path) => d.unlink(path),
  "rename from": (d, path) => d.rename(path, d, "other/moved"),
  "rename to": (d, path) => d.rename("other", d, path),
  "link from": (d, path) => d.link(path, d, "other/linked"),
  "link to": (d, path) => d.link("a/b/f", d, path),
  symlink: (d, path) => d.symlink("f", path),
  readlink: (d, path) => d.readlink(path),
};

/** Reparse points of every kind, by the name they get. */
const planted: [name: string, tag: number, target: string, relative: boolean][] = [
  ["junction", MOUNT_POINT, "\\??\\C:\\outside", false],
  ["volume", MOUNT_POINT, "\\??\\Volume{0}\\", false],
  ["absolute", SYMLINK, "\\??\\C:\\outside", false],
  ["drive", SYMLINK, "C:\\outside", true],
  ["rooted", SYMLINK, "\\outside", true],
  ["up", SYMLINK, "..\\outside", true],
  ["slashes", SYMLINK, "../outside", true],
  ["around", SYMLINK, "a\\b\\..\\..\\..\\outside", true],
  ["share", SYMLINK, "\\\\server\\share", true],
  ["device", SYMLINK, "\\\\?\\C:\\outside", true],
  ["stream", SYMLINK, "a:s", true],
  ["unknown", 0x8000001b, "C:\\outside", false],
  ["socket", 0x80000023, "", false],
];

test("links of every kind lead nowhere else", () => {
  for (const [name, tag, target, relative] of planted) {
    for (const [what, use] of Object.entries(uses)) {
      for (const path of [name, `${name}/f`, `${name}/b/f`, `a/../${name}/b`]) {
        const scene = new Scene();
        scene.volume.addLink(scene.base, name, tag, target, relative);
        const answer = use(scene.directory, path);
        assert.deepEqual(scene.escaped, [], `${what} ${path}`);
        if (path !== name) assert.ok(answer as number < 0, `${what} ${path}: ${answer}`);
        assert.equal(scene.volume.open, 1, `${what} ${path} leaves a handle open`);
      }
    }
  }
});

test("what is absolute, a junction or unknown is PERM to what follows it", () => {
  for (const [name, tag, target, relative] of planted.filter(([name]) => name !== "stream")) {
    const scene = new Scene();
    scene.volume.addLink(scene.base, name, tag, target, relative);
    const { directory } = scene;
    // a colon is no drive within a path: such a name is not there
    const expected = name === "drive" ? -Errno.NOENT : -Errno.PERM;
    assert.equal(directory.statAt(name, true, new FileStat()), expected, name);
    assert.equal(directory.open(`${name}/f`, Open.READ, 0), expected, name);
    assert.equal(directory.open(name, Open.READ, 0), -Errno.LOOP, name);
  }
});

test("names that mean something else are refused before any call", () => {
  const names = [
    "..\\outside",
    "\\outside",
    "a\\b",
    "a\\..\\..\\outside\\f",
    "C:\\outside",
    "C:",
    "f:s",
    "f::$DATA",
    ".\\f",
    "f.",
    "f ",
    "nul",
    "COM¹",
    "con .txt",
    "\\??\\C:\\outside",
    "a*",
    "a?",
    "<",
    "\u0001",
  ];
  for (const name of names) {
    for (const [what, use] of Object.entries(uses)) {
      for (const path of [name, `a/${name}`, `a/b/../${name}/f`]) {
        const scene = new Scene();
        const answer = use(scene.directory, path);
        const text = `${what} ${JSON.stringify(path)}: ${answer}`;
        assert.ok(answer === -Errno.NOENT || answer === -Errno.INVAL, text);
        assert.deepEqual(scene.escaped, [], text);
        assert.ok(!scene.volume.names.includes(name), text);
        assert.equal(scene.volume.open, 1, text);
      }
    }
  }
});

/** What another process does to the tree, once. */
const attacks: Record<string, (scene: Scene) => void> = {
  "the first directory becomes a junction": ({ volume, base, a }) => {
    volume.move(a, base, "aside");
    volume.addLink(base, "a", MOUNT_POINT, "\\??\\C:\\outside");
  },
  "the second directory becomes a link": ({ volume, a, b }) => {
    volume.move(b, a, "aside");
    volume.addLink(a, "b", SYMLINK, "..\\..\\outside", true);
  },
  "the file becomes a link": ({ volume, b, f }) => {
    volume.move(f, b, "aside");
    volume.addLink(b, "f", SYMLINK, "\\??\\C:\\outside\\f");
  },
  "the file becomes a junction": ({ volume, b, f }) => {
    volume.move(f, b, "aside");
    volume.addLink(b, "f", MOUNT_POINT, "\\??\\C:\\outside");
  },
  "the second directory is moved out": ({ volume, b }) => {
    volume.move(b, volume.root, "taken");
  },
  "the first directory is moved up and replaced": ({ volume, base, a }) => {
    volume.move(a, volume.root, "taken");
    volume.addLink(base, "a", SYMLINK, "..\\outside", true);
  },
  "the preopen is moved and replaced": ({ volume, base }) => {
    volume.move(base, volume.root, "taken");
    volume.addLink(volume.root, "base", MOUNT_POINT, "\\??\\C:\\outside");
  },
};

test("a swap before any one of the calls leads nowhere else", () => {
  let tried = 0;
  for (const [attack, swap] of Object.entries(attacks)) {
    for (const [what, use] of Object.entries(uses)) {
      for (const path of ["a/b/f", "a/b/../b/f", "a/b/new"]) {
        for (let at = 0; at < 60; at++) {
          const scene = new Scene();
          const first = scene.volume.calls;
          let done = false;
          scene.volume.between = (call) => {
            if (call !== first + at) return;
            done = true;
            swap(scene);
          };
          use(scene.directory, path);
          scene.volume.between = () => {};
          assert.deepEqual(scene.escaped, [], `${attack}: ${what} ${path}, before call ${at}`);
          assert.equal(scene.volume.open, 1, `${attack}: ${what} ${path} leaves a handle open`);
          if (!done) break;
          tried++;
        }
      }
    }
  }
  assert.ok(tried > 2000, `${tried} swaps`);
});

test("a preopen that was parked is found again, and nothing in its place", () => {
  const { volume, base, directory } = new Scene();
  directory.park();
  assert.equal(volume.open, 0);
  assert.equal(directory.statAt("a/b/f", false, new FileStat()), 0);
  directory.park();
  volume.move(base, volume.root, "taken");
  volume.add(volume.root, "base");
  assert.throws(() => directory.statAt("a", false, new FileStat()), { errno: Errno.BADF });
  assert.equal(volume.open, 0);
});
