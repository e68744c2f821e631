/**
 * Each class of escape, to be tried on each way of confining directories: what lies outside is neither
 * read, made, changed, removed nor told apart.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { Errno } from "../../core/errno.ts";
import { tree } from "../guests/guest.ts";
import { type Arena, arena } from "../support/fuzz.ts";
import { Guest } from "../support/guest.ts";
import { scratch, windows } from "../support/harness.ts";
import type { Way } from "../support/hosts.ts";
import { type Declare, Shared } from "../support/subject.ts";
import { here } from "../support/system.ts";

const { PERM, NOENT, NOTCAPABLE, LOOP, INVAL, BADF, EXIST, NOTDIR, ISDIR, BUSY, NOTEMPTY } = Errno;

/** Whether there are links: without them some ways lead nowhere. */
const links = here.linkError === 0;

/** Ways out of the arena that end at the secret file. */
const TO_SECRET = [
  "../secret",
  "dir/../../secret",
  "./../secret",
  "dir/./.././../secret",
  "out/secret",
  "out/./secret",
  "in/../../secret",
  "dir/up/secret",
  "dir/up/../secret",
  "dir/up/inside/../secret",
  "out/../secret",
  "..//secret",
  "dir//..//..//secret",
];
/** Ways that end at a directory outside. */
const TO_FOLDER = [
  "..",
  "../",
  "../.",
  "../folder",
  "out/",
  "out/.",
  "dir/up/.",
  "dir/up/",
  "in/../..",
];
/** Absolute ways. */
const ABSOLUTE = ["/", "/etc/passwd", "//etc/passwd", "/../etc/passwd", "/proc/self/root"];

type Body = (guest: Guest, place: Arena, way: Way) => void;

/** What a test runs on: one way of confining directories. */
export interface OnWay {
  readonly way: Way;
  readonly test: Declare;
}

/** All of them. */
export const escapes: Shared<OnWay> = new Shared();

/** A test over an arena of its own that must be as it was outside. */
function each(sentence: string, body: Body): void {
  escapes.test(sentence, ({ way }) => {
    const place = arena("escapes");
    const guest = new Guest({
      preopens: { "/": place.inside, "/dir": path.join(place.inside, "dir") },
      ...way,
    });
    try {
      body(guest, place, way);
    } finally {
      guest.wasi[Symbol.dispose]();
    }
    place.verify();
  });
}

/** The same where there are links; elsewhere a guest makes none, and is told so. */
function eachLinked(sentence: string, body: Body): void {
  if (links) return each(sentence, body);
  each(`${sentence}: there are none`, (guest, place) => {
    for (const target of ["file", "../secret", "dir", "nowhere"]) {
      assert.equal(guest.symlink(target, "mine"), here.linkError, target);
      assert.equal(guest.stat("mine"), -NOENT);
      assert.equal(fs.existsSync(path.join(place.inside, "mine")), false);
    }
    assert.equal(guest.symlink("/etc/passwd", "mine"), PERM);
  });
}

/** A way of the arena that goes through a link. */
const THROUGH = /^(?:out|in|dir\/up)(?:\/|$)/;

/** All that can be done with one path; each gives an errno. */
const DEEDS: Record<string, (guest: Guest, path: string) => number> = {
  read: (g, p) => -Math.min(0, g.open(p)),
  "read without following": (g, p) => -Math.min(0, g.open(p, { dirflags: 0 })),
  create: (g, p) => -Math.min(0, g.open(p, { oflags: 1, rights: 64n })),
  "create exclusively": (g, p) => -Math.min(0, g.open(p, { oflags: 5, rights: 64n })),
  truncate: (g, p) => -Math.min(0, g.open(p, { oflags: 8, rights: 64n })),
  "create or truncate": (g, p) => -Math.min(0, g.open(p, { oflags: 9, rights: 66n })),
  "open as a directory": (g, p) => -Math.min(0, g.open(p, { oflags: 2, rights: 1n << 14n })),
  "open with no rights": (g, p) => -Math.min(0, g.open(p, { rights: 0n, inheriting: 0n })),
  stat: (g, p) => -Math.min(0, number(g.stat(p))),
  "set times": (g, p) => g.call.path_filestat_set_times!(3, 1, ...g.put(p), 7n, 7n, 5),
  "set times to now": (g, p) => g.call.path_filestat_set_times!(3, 1, ...g.put(p), 0n, 0n, 10),
  readlink: (g, p) => -Math.min(0, number(g.readlink(p))),
  mkdir: (g, p) => g.path("path_create_directory", p),
  rmdir: (g, p) => g.path("path_remove_directory", p),
  unlink: (g, p) => g.path("path_unlink_file", p),
  "make a link there": (g, p) => g.symlink("x", p),
  "link from there": (g, p) => g.link(p, "taken"),
  "link from there, following": (g, p) => g.link(p, "taken", 1),
  "link to there": (g, p) => g.link("file", p),
  "rename from there": (g, p) => g.rename(p, "taken"),
  "rename to there": (g, p) => g.rename("file", p),
  "rename a directory to there": (g, p) => g.rename("dir", p),
};

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

each("no path function gets to a file outside", (guest) => {
  for (const way of TO_SECRET) {
    for (const [deed, does] of Object.entries(DEEDS)) {
      const expected = links || !THROUGH.test(way) ? PERM : NOENT;
      assert.equal(does(guest, way), expected, `${deed} ${way}`);
    }
  }
});

each("no path function gets to a directory outside", (guest) => {
  for (const way of links ? TO_FOLDER : TO_FOLDER.filter((way) => !THROUGH.test(way))) {
    for (const [deed, does] of Object.entries(DEEDS)) {
      const errno = does(guest, way);
      // the last component may be a link that the deed is about, not followed: "out/" as a name
      const allowed = /^out|^dir\/up/.test(way)
        ? [PERM, NOTDIR, EXIST, LOOP, ISDIR, INVAL, BUSY, NOTEMPTY]
        : [PERM];
      // deno-lint-ignore no-explicit-any
      assert.ok(allowed.includes(errno as any), `${deed} ${way}: ${errno}`);
    }
  }
});

each("absolute paths are refused, whatever is there", (guest) => {
  for (const way of ABSOLUTE) {
    for (const [deed, does] of Object.entries(DEEDS)) {
      assert.equal(does(guest, way), PERM, `${deed} ${way}`);
    }
  }
});

each("what is outside cannot be told from what is not there", (guest) => {
  for (const [deed, does] of Object.entries(DEEDS)) {
    assert.equal(does(guest, "../secret"), does(guest, "../nothing"), deed);
    assert.equal(does(guest, "../folder/x"), does(guest, "../nothing/x"), deed);
    assert.equal(
      does(guest, "../inside/file"),
      does(guest, "../other/file"),
      `out and back: ${deed}`,
    );
    assert.equal(does(guest, "out/secret"), does(guest, "out/nothing"), deed);
  }
});

eachLinked(
  "links made on the host lead nowhere outside, in the middle or at the end",
  (guest, place) => {
    fs.symlinkSync(place.outside, path.join(place.inside, "abs"));
    fs.symlinkSync("/", path.join(place.inside, "root"));
    fs.symlinkSync("/proc/self/cwd", path.join(place.inside, "magic"));
    fs.symlinkSync("in/../../secret", path.join(place.inside, "winding"));
    fs.symlinkSync("outfile", path.join(place.inside, "chain"));
    fs.symlinkSync(`${place.inside}/file`, path.join(place.inside, "back"));
    for (
      const way of [
        "abs/secret",
        "root/etc/passwd",
        "magic/x",
        "winding",
        "chain",
        "absolute",
        "back",
      ]
    ) {
      assert.equal(guest.open(way), -PERM, way);
      assert.equal(guest.stat(way), -PERM, way);
      assert.equal(guest.open(way, { oflags: 9, rights: 64n }), -PERM, way);
    }
    assert.equal(guest.open("chain", { dirflags: 0 }), -LOOP);
  },
);

eachLinked("links made by the guest lead nowhere outside", (guest) => {
  for (
    const target of ["..", "../secret", "../../..", "dir/../../secret", "./.././secret", "in/../.."]
  ) {
    const made = guest.symlink(target, "mine");
    if (made !== 0) assert.ok(made === PERM || made === NOTCAPABLE, `${target}: ${made}`);
    assert.ok(guest.open("mine") < 0 && guest.open("mine/x") < 0, target);
    assert.ok(guest.open("mine/new", { oflags: 1, rights: 64n }) < 0, target);
    guest.path("path_unlink_file", "mine");
  }
  for (const target of ["/", "/etc/passwd"]) assert.equal(guest.symlink(target, "mine"), PERM);
  // moved to another depth, a link that stayed inside leads out
  assert.equal(guest.path("path_create_directory", "dir/deeper"), 0);
  assert.equal(guest.symlink("../../../secret", "dir/deeper/link"), 0);
  assert.equal(guest.symlink("../../file", "dir/deeper/fine"), 0);
  assert.ok(guest.open("dir/deeper/fine") > 0);
  assert.equal(guest.rename("dir/deeper", "deeper"), 0);
  assert.equal(guest.open("deeper/link"), -PERM);
  assert.equal(guest.open("deeper/fine"), -PERM);
});

each("a descriptor of a sub-directory confines by itself", (guest) => {
  const dir = guest.open("dir", { oflags: 2, rights: ALL_DIRECTORY });
  assert.ok(dir > 0);
  assert.equal(guest.path("path_create_directory", "dir/deeper"), 0);
  const throughLinks = links ? ["up", "up/file"] : [];
  for (const way of ["..", "../file", "../../secret", "deeper/../../file", ...throughLinks]) {
    assert.equal(guest.open(way, { fd: dir }), -PERM, way);
    assert.equal(guest.stat(way, 1, dir), -PERM, way);
  }
  assert.ok(guest.open("inner", { fd: dir }) > 0);
  assert.equal(guest.rename("inner", "../inner", dir), PERM);
  assert.equal(guest.rename("inner", "moved", dir, 3), 0);
});

const ALL_DIRECTORY = (1n << 13n) | (1n << 14n) | (1n << 16n) | (1n << 17n) | (1n << 18n) |
  (1n << 10n);

each("an inner preopen stays what it is when the outer one replaces its name", (guest, place) => {
  assert.equal(guest.rename("dir", "elsewhere"), 0);
  assert.equal(guest.symlink("../folder", "dir"), here.linkError);
  // descriptor 4 is the preopen of what was "dir": by name it must not lead to the folder outside
  const opened = guest.open("secret", { fd: 4 });
  assert.ok(opened === -NOENT || opened === -BADF, String(opened));
  assert.ok(guest.open("../secret", { fd: 4 }) < 0);
  if (links) fs.unlinkSync(path.join(place.inside, "dir"));
});

each("nothing is done to the preopen or its parent by dots", (guest) => {
  const wrong = [NOENT, PERM, INVAL, BUSY, NOTEMPTY, ISDIR, EXIST, NOTDIR];
  for (const way of ["", ".", "./", "./.", "..", "../", "dir/..", "dir/../", "dir/../.", "in/.."]) {
    for (const name of ["path_remove_directory", "path_unlink_file", "path_create_directory"]) {
      // deno-lint-ignore no-explicit-any
      assert.ok(wrong.includes(guest.path(name, way) as any), `${name} "${way}"`);
    }
    assert.notEqual(guest.rename(way, "moved"), 0, `rename "${way}"`);
    assert.notEqual(guest.rename("dir", way), 0, `rename to "${way}"`);
    assert.notEqual(guest.symlink("x", way), 0, `link at "${way}"`);
    assert.notEqual(guest.link("file", way), 0, `link at "${way}"`);
  }
  assert.deepEqual(typeof guest.stat("dir/inner"), "object");
});

each("rights are inherited and never grow", (guest) => {
  const stat = (1n << 18n) | (1n << 13n);
  const dir = guest.open("dir", { oflags: 2, rights: stat, inheriting: 2n });
  assert.ok(dir > 0);
  assert.equal(guest.open("inner", { fd: dir, rights: 64n, inheriting: 0n }), -NOTCAPABLE);
  assert.equal(guest.open("new", { fd: dir, oflags: 1, rights: 2n, inheriting: 0n }), -NOTCAPABLE);
  assert.equal(
    guest.open("inner", { fd: dir, oflags: 8, rights: 2n, inheriting: 0n }),
    -NOTCAPABLE,
  );
  assert.equal(guest.path("path_create_directory", "new", dir), NOTCAPABLE);
  assert.equal(guest.path("path_unlink_file", "inner", dir), NOTCAPABLE);
  assert.equal(guest.symlink("x", "new", dir), NOTCAPABLE);
  assert.equal(guest.rename("inner", "new", dir), NOTCAPABLE);
  assert.equal(guest.rename("inner", "new", 3, dir), NOTCAPABLE);
  assert.equal(guest.call.fd_fdstat_set_rights!(dir, stat | 1n << 10n, 2n), NOTCAPABLE);
  assert.equal(guest.call.fd_fdstat_set_rights!(dir, stat, 66n), NOTCAPABLE);
  const file = guest.open("inner", { fd: dir, rights: 2n, inheriting: 0n });
  assert.ok(file > 0);
  assert.equal(guest.write(file, "x"), -NOTCAPABLE);
  assert.equal(guest.call.fd_filestat_set_size!(file, 0n), NOTCAPABLE);
  assert.equal(guest.call.fd_allocate!(file, 0n, 100n), NOTCAPABLE);
  assert.equal(guest.call.fd_renumber!(file, dir), 0);
  assert.equal(guest.write(dir, "x"), -NOTCAPABLE, "rights move with the descriptor");
  assert.equal(guest.read(dir), "inner");
});

each("a call that fails leaves no file, no change and no descriptor", (guest, place) => {
  const open = (): number => windows ? 0 : fs.readdirSync("/proc/self/fd").length;
  const before = open();
  const bad = 0xfffffff0;
  const made = guest.call.path_open!(3, 1, ...guest.put("fresh"), 1, 66n, 0n, 0, bad);
  assert.equal(made, Errno.FAULT);
  assert.ok(!fs.existsSync(path.join(place.inside, "fresh")));
  assert.equal(
    guest.call.path_open!(3, 1, ...guest.put("file"), 8, 66n, 0n, 0, bad),
    Errno.FAULT,
  );
  assert.equal(fs.readFileSync(path.join(place.inside, "file"), "utf8"), "file");
  assert.equal(guest.open("fresh", { oflags: 3, rights: 2n }), -INVAL);
  assert.equal(guest.open("fresh", { oflags: 1, rights: 2n, fdflags: 64 }), -INVAL);
  assert.ok(!fs.existsSync(path.join(place.inside, "fresh")));
  assert.equal(open(), before);
});

each("a preopen given as a relative path does not move with the process", (_guest, place, way) => {
  const cwd = process.cwd();
  process.chdir(place.inside);
  let guest: Guest;
  try {
    guest = new Guest({ preopens: { "/": "dir" }, ...way });
    process.chdir(place.outside);
    assert.ok(guest.open("inner") > 0);
    guest.wasi[Symbol.dispose]();
  } finally {
    process.chdir(cwd);
  }
});

each("a preopen stays the directory that was opened when it is renamed", (_guest, place, way) => {
  const from = path.join(place.inside, "preopen");
  fs.mkdirSync(from);
  fs.writeFileSync(path.join(from, "mine"), "mine");
  const guest = new Guest({ preopens: { "/": from }, ...way });
  fs.renameSync(from, `${from}-moved`);
  fs.mkdirSync(from);
  fs.writeFileSync(path.join(from, "theirs"), "theirs");
  if (way.confinement === "checked") {
    // it goes by names: what it opened is gone, and what has the name now is not taken for it
    for (const name of ["mine", "theirs"]) assert.equal(guest.open(name), -NOENT, name);
  } else {
    assert.ok(guest.open("mine") > 0);
    assert.equal(guest.open("theirs"), -NOENT);
  }
  guest.wasi[Symbol.dispose]();
});

each(
  "with the host's own root as the preopen absolute links are followed",
  (_guest, place, way) => {
    // nothing is above all drives of Windows: there is no such root
    if (windows) return;
    const guest = new Guest({ preopens: { "/": "/" }, ...way });
    const inside = place.inside.slice(1);
    assert.ok(guest.open(`${inside}/absolute`) > 0);
    assert.ok(guest.open(`${inside}/../secret`) > 0);
    assert.equal(typeof guest.stat(".."), "object");
    assert.equal(typeof guest.stat(`../../${inside}/file`), "object");
    assert.equal(guest.symlink(`${place.inside}/file`, `${inside}/made`), 0);
    assert.ok(guest.open(`${inside}/made`) > 0);
    fs.unlinkSync(path.join(place.inside, "made"));
    const dir = guest.open(inside, { oflags: 2, rights: ALL_DIRECTORY });
    assert.equal(guest.open("absolute", { fd: dir }), -PERM, "a directory below confines");
    guest.wasi[Symbol.dispose]();
  },
);

each("a standard stream is never a directory", (_guest, place, way) => {
  const fd = fs.openSync(place.inside, "r");
  const guest = new Guest({ stdin: fd, ...way });
  assert.equal(guest.open("file", { fd: 0 }), -NOTDIR);
  assert.equal(guest.call.fd_readdir!(0, 65536, 100, 0n, 1024), NOTDIR);
  assert.equal(guest.call.fd_fdstat_get!(0, 65536), 0);
  assert.notEqual(guest.bytes[65536], 3);
  assert.ok((guest.read(0) as number) < 0);
  guest.wasi[Symbol.dispose]();
  fs.closeSync(fd);
});

each("paths that are no paths are refused", (guest) => {
  const long = "a/".repeat(600_000);
  assert.ok(guest.memory.grow(32) > 0);
  assert.equal(
    guest.call.path_open!(3, 1, ...guest.put(long, 1 << 20), 0, 2n, 0n, 0, 1024),
    Errno.NAMETOOLONG,
  );
  assert.equal(guest.open("a\0b"), -INVAL);
  assert.equal(guest.open("file\0"), -INVAL);
  assert.equal(guest.open(Uint8Array.from([255, 254])), -Errno.ILSEQ);
  assert.equal(guest.open(Uint8Array.from([255, 254]), { oflags: 1, rights: 64n }), -Errno.ILSEQ);
  assert.equal(guest.path("path_create_directory", Uint8Array.from([0xc3])), Errno.ILSEQ);
  assert.equal(guest.open("x".repeat(256)), -Errno.NAMETOOLONG);
  assert.equal(guest.open("..\\secret"), -NOENT);
  assert.equal(guest.open("loop"), links ? -LOOP : -NOENT);
});

/** What Windows takes for other files, devices, streams or places than their letters say. */
const MISLEADING = [
  "..\\secret",
  "dir\\..\\..\\secret",
  "dir\\inner",
  "\\secret",
  "\\\\localhost\\c$\\secret",
  "\\\\?\\C:\\secret",
  "\\\\.\\NUL",
  "C:\\secret",
  "C:secret",
  "c:",
  "file:stream",
  "file::$DATA",
  "dir::$INDEX_ALLOCATION",
  ":stream",
  "nul",
  "NUL.txt",
  "con",
  "aux.c",
  "prn",
  "com1",
  "LPT9.log",
  "CONIN$",
  "conout$",
  "file.",
  "file ",
  "dir.",
  "dir /inner",
  "... ",
  "dir/nul",
  "dir/..\\..\\secret",
  "fi?e",
  "fil*",
  "file|x",
  "<file",
  'fi"le',
];

if (!here.anyName) {
  each("no name means something else to the system than to the guest", (guest, place) => {
    const before = tree(place.inside);
    for (const name of MISLEADING) {
      for (const [deed, does] of Object.entries(DEEDS)) {
        assert.notEqual(does(guest, name), 0, `${deed} ${name}`);
      }
    }
    assert.deepEqual(tree(place.inside), before);
    assert.equal(fs.readFileSync(path.join(place.inside, "file"), "utf8"), "file");
  });
}

escapes.test("descriptors run out with MFILE or NFILE, and closing one gives one back", ({ way }) => {
  const folder = scratch("many");
  fs.writeFileSync(path.join(folder, "file"), "x");
  const guest = new Guest({ preopens: { "/": folder }, ...way });
  let last = 0;
  // on Windows there are as many as memory has room for
  for (let i = 0; i < (windows ? 500 : 10_000); i++) {
    const fd = guest.open("file");
    if (fd < 0) {
      assert.ok(fd === -Errno.MFILE || fd === -Errno.NFILE, String(fd));
      break;
    }
    last = fd;
  }
  assert.ok(last > 100);
  assert.equal(guest.call.fd_close!(last), 0);
  assert.equal(guest.open("file"), last);
  guest.wasi[Symbol.dispose]();
});
