/** What Windows makes of names, and paths in NT's form: decided alike on every system. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ntPathOf } from "../../core/directories/nt/directory.ts";
import { linkOf, putLink } from "../../core/directories/nt/links.ts";
import { checkName, isFileName, reserved } from "../../core/directories/nt/names.ts";
import { errnoOfStatus } from "../../core/directories/nt/status.ts";
import { Errno } from "../../core/preview1/abi.ts";
import { reparseOf } from "../support/fake_nt.ts";

/** For each rule of the table names that it refuses. */
const refused: Record<string, string[]> = {
  "a path of several components": ["a\\b", "\\", "..\\x", "a/b"],
  "a stream of a file, or a drive": ["a:b", "a::$DATA", "C:", ":s"],
  "a pattern": ["*", "a?", 'a"b', "<", ">"],
  "a pipe between commands": ["a|b"],
  "a control character": ["\x01", "a\nb", "\x1f", "\x00"],
  "another name, without what is at its end": ["a.", "a ", "...", " ", ". ", "a.txt."],
  "a device": [
    ...["con", "PRN", "aux", "Nul", "CONIN$", "conout$", "com0", "COM1", "com9", "lpt0", "LPT9"],
    ...["com¹", "COM²", "lpt³", "nul.txt", "nul.", "con .txt", "aux  .tar.gz", "com1.x", "NUL .a"],
  ],
};

test("every rule of the table refuses what it is for", () => {
  assert.deepEqual(Object.keys(refused), Object.keys(reserved));
  for (const [rule, names] of Object.entries(refused)) {
    for (const name of names) {
      assert.ok(reserved[rule]!.test(name), `${rule}: ${JSON.stringify(name)}`);
      assert.equal(isFileName(name), false, name);
      assert.equal(checkName(name, false), -Errno.NOENT, name);
      assert.equal(checkName(name, true), -Errno.INVAL, name);
    }
  }
});

test("all else is a file's name: case, 8.3 aliases and names that only look like devices", () => {
  const names = [
    ...["a", "A", "a.b", ".a", "..a", "a b", " a", "-", "%2e%2e", "PROGRA~1", "ä", "日本語", "😀"],
    ...[
      "console",
      "nul1",
      "com10",
      "com",
      "lpt",
      "com¹x",
      "auxiliary.txt",
      "xcon",
      "conin",
      "$Mft",
    ],
    ...["com⁴", "n ul", "a'b", "a,b;c=d", "{x}", "[x]", "~", "^", "#", "a+b@c!"],
  ];
  for (const name of names) {
    assert.equal(isFileName(name), true, name);
    assert.equal(checkName(name, true), 0, name);
  }
});

test("a name has 255 units of UTF-16, and is text", () => {
  assert.equal(checkName("n".repeat(255), true), 0);
  assert.equal(checkName("n".repeat(256), false), -Errno.NAMETOOLONG);
  assert.equal(checkName("😀".repeat(127), false), 0);
  assert.equal(checkName("😀".repeat(128), false), -Errno.NAMETOOLONG);
  assert.equal(checkName("a\udcff", false), -Errno.ILSEQ);
  assert.equal(checkName("", false), -Errno.NOENT);
});

test("a host's paths become NT's", () => {
  assert.equal(ntPathOf("C:\\data"), "\\??\\C:\\data");
  assert.equal(ntPathOf("c:/data/x"), "\\??\\c:\\data\\x");
  assert.equal(ntPathOf("C:\\"), "\\??\\C:\\");
  assert.equal(ntPathOf("\\\\server\\share\\x"), "\\??\\UNC\\server\\share\\x");
  assert.equal(ntPathOf("\\\\?\\C:\\x"), "\\??\\C:\\x");
  assert.equal(ntPathOf("\\\\?\\UNC\\server\\share"), "\\??\\UNC\\server\\share");
  for (const path of ["data", "C:data", "\\data", ""]) assert.equal(ntPathOf(path), undefined);
});

test("links are read with slashes; what is absolute begins with one", () => {
  const read = (tag: number, target: string, relative: boolean): string | number => {
    const bytes = reparseOf(tag, target, relative);
    return linkOf(bytes, bytes.length);
  };
  assert.equal(read(0xa000000c, "a\\..\\b", true), "a/../b");
  assert.equal(read(0xa000000c, "\\rooted", true), "/rooted");
  assert.equal(read(0xa000000c, "\\??\\C:\\x", false), "/C:/x");
  assert.equal(read(0xa0000003, "\\??\\C:\\x\\", false), "/C:/x/");
  assert.equal(read(0x80000017, "x", true), -Errno.PERM);
});

test("reparse data that makes no sense is refused, whatever is in it", () => {
  const good = reparseOf(0xa000000c, "a\\b", true);
  for (let length = 0; length < good.length; length++) {
    const answer = linkOf(good, length);
    assert.ok(answer === -Errno.PERM || answer === "a/b", `${length}: ${answer}`);
  }
  // every byte of the header, with each of some values
  for (let at = 0; at < 20; at++) {
    for (const value of [0, 1, 2, 0x7f, 0x80, 0xff]) {
      const bytes = good.slice();
      bytes[at] = value;
      const answer = linkOf(bytes, bytes.length);
      assert.ok(answer === -Errno.PERM || typeof answer === "string", `${at} ${value}: ${answer}`);
    }
  }
});

test("a link is written so that Windows and we read the same", () => {
  const bytes = new Uint8Array(16384);
  for (const target of ["a", "../a/b", "/rooted", ".", "a//b", "ä/😀", "nowhere/"]) {
    const length = putLink(bytes, target);
    assert.ok(length > 0, target);
    assert.equal(linkOf(bytes, length), target);
    const view = new DataView(bytes.buffer);
    assert.equal(view.getUint16(4, true), length - 8);
    const name = bytes.subarray(20, 20 + view.getUint16(10, true));
    assert.equal(new TextDecoder("utf-16le").decode(name), target.replaceAll("/", "\\"));
  }
  assert.equal(putLink(bytes, "a:b"), -Errno.INVAL);
  assert.equal(putLink(bytes, "a\\b"), -Errno.INVAL);
  assert.equal(putLink(bytes, "x/nul"), -Errno.INVAL);
  assert.equal(putLink(bytes, "a\udcff"), -Errno.ILSEQ);
  assert.equal(putLink(bytes, "a/".repeat(5000)), -Errno.NAMETOOLONG);
});

test("NT's answers become errno; one that nobody knows is IO", () => {
  const answers: [status: number, errno: number][] = [
    [0xc0000022, Errno.ACCES],
    [0xc0000034, Errno.NOENT],
    [0xc0000035, Errno.EXIST],
    [0xc0000043, Errno.BUSY],
    [0xc000007f, Errno.NOSPC],
    [0xc00000ba, Errno.ISDIR],
    [0xc0000101, Errno.NOTEMPTY],
    [0xc0000103, Errno.NOTDIR],
    [0xc000050b, Errno.LOOP],
    [0xc0ffffff, Errno.IO],
  ];
  for (const [status, errno] of answers) {
    assert.equal(errnoOfStatus(status), errno);
    assert.equal(errnoOfStatus(status | 0), errno);
  }
});
