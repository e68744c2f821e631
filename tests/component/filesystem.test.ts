/** wasi:filesystem over every kind of directory: what the calls do, and that nothing leads out. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test as nodeTest } from "node:test";
import { type Directory, host, memory, overlay, type RunOptions } from "../../mod.ts";
import { runtime, scratch } from "../support/harness.ts";
import { ways } from "../support/hosts.ts";
import { bytes, type Probe, probe, type Resource, text } from "./probe.ts";

/** The engine that componentize-qjs builds has constant expressions that Node 20 refuses. */
const skip = runtime === "node20" ? "Node 20 does not know extended constant expressions" : false;

const KINDS: [string, () => { folder: string | Directory; options: RunOptions }][] = [
  ...ways.map(([name, { ffi, confinement }]) =>
    [name, () => ({
      folder: scratch(),
      options: { ffi, confinement },
    })] as [string, () => { folder: string; options: RunOptions }]
  ),
  ["memory", () => ({ folder: memory(), options: {} })],
  ["an overlay", () => ({ folder: overlay(scratch()), options: {} })],
  // values of calls that are traced travel by the codecs, and of none by hand
  ["traced", () => ({ folder: scratch(), options: { trace: () => {} } })],
];

const RW = { read: true, write: true };
const FOLLOW = { symlinkFollow: true };

/** Runs a test over each kind of directory, empty. */
function each(name: string, act: (p: Probe, dir: Resource) => Promise<void>): void {
  for (const [kind, make] of KINDS) {
    nodeTest(`${kind}: ${name}`, { skip }, async () => {
      const { folder, options } = make();
      const p = await probe({ ...options, preopens: { "/": folder } });
      try {
        await act(p, await p.directory());
      } finally {
        p.close();
      }
    });
  }
}

/** Makes a file with a text. */
async function write(p: Probe, dir: Resource, name: string, content: string): Promise<void> {
  const file = await p.call("openAt", dir, {}, name, { create: true, truncate: true }, RW);
  assert.equal(await p.call("write", file, bytes(content), 0), content.length);
  await p.call("drop", file);
}

each("a file is made, written, read and described", async (p, dir) => {
  const file = await p.call("openAt", dir, {}, "a.txt", { create: true, exclusive: true }, RW);
  assert.equal(await p.call("getType", file), "regular-file");
  assert.equal((await p.call("getFlags", file)).write, true);
  assert.equal((await p.call("getFlags", file)).mutateDirectory, false);
  assert.equal(await p.call("write", file, bytes("hello world"), 0), 11);
  assert.equal(await p.call("write", file, bytes("W"), 6), 1);
  const [read, end] = await p.call("read", file, 100, 4);
  assert.deepEqual([text(read), end], ["o World", false]);
  assert.deepEqual(await p.call("read", file, 100, 11), [{ bytes: [] }, true]);
  assert.equal((await p.call("stat", file)).size, 11);
  await p.call("setSize", file, 5);
  const stat = await p.call("statAt", dir, {}, "a.txt");
  assert.deepEqual([stat.type, stat.size, stat.linkCount], ["regular-file", 5, 1]);
  assert.deepEqual(
    await p.call("metadataHash", file),
    await p.call("metadataHashAt", dir, {}, "a.txt"),
  );
  assert.equal(
    await p.error("openAt", dir, {}, "a.txt", { create: true, exclusive: true }, RW),
    "exist",
  );
});

each("streams over a file have positions of their own", async (p, dir) => {
  const file = await p.call("openAt", dir, {}, "s", { create: true }, RW);
  const out = await p.call("writeViaStream", file, 2);
  await p.call("blockingWriteAndFlush", out, bytes("abc"));
  await p.call("blockingWriteAndFlush", out, bytes("def"));
  const more = await p.call("appendViaStream", file);
  await p.call("blockingWriteAndFlush", more, bytes("!"));
  const input = await p.call("readViaStream", file, 0);
  assert.equal(text(await p.call("blockingRead", input, 4)), "\0\0ab");
  assert.equal(await p.call("blockingSkip", input, 2), 2);
  assert.equal(text(await p.call("read", input, 100)), "ef!");
  assert.deepEqual(await p.error("blockingRead", input, 1), { tag: "closed" });
  // a stream outlives its descriptor
  const again = await p.call("readViaStream", file, 5);
  await p.call("drop", file);
  assert.equal(text(await p.call("blockingRead", again, 9)), "def!");
});

each("directories are made, listed and removed", async (p, dir) => {
  await p.call("createDirectoryAt", dir, "d");
  assert.equal(await p.error("createDirectoryAt", dir, "d"), "exist");
  for (const name of ["one", "two", "thrée"]) await write(p, dir, `d/${name}`, "");
  const opened = await p.call("openAt", dir, {}, "d", { directory: true }, { read: true });
  const entries = await p.call("readDirectory", opened);
  const names: string[] = [];
  for (;;) {
    const entry = await p.call("readDirectoryEntry", entries);
    if (entry === null) break;
    assert.equal(entry.type, "regular-file");
    names.push(entry.name);
    const hash = await p.call("metadataHashAt", opened, {}, entry.name);
    const file = await p.call("openAt", opened, {}, entry.name, {}, { read: true });
    assert.deepEqual(await p.call("metadataHash", file), hash);
  }
  assert.deepEqual(names.sort(), ["one", "thrée", "two"]);
  assert.equal(await p.error("removeDirectoryAt", dir, "d"), "not-empty");
  for (const name of names) await p.call("unlinkFileAt", dir, `d/${name}`);
  await p.call("removeDirectoryAt", dir, "d");
  assert.equal(await p.error("statAt", dir, {}, "d"), "no-entry");
});

each("links are made, read, followed and not followed; renames and hard links", async (p, dir) => {
  await write(p, dir, "target", "12345");
  await p.call("symlinkAt", dir, "target", "link");
  assert.equal(await p.call("readlinkAt", dir, "link"), "target");
  assert.equal((await p.call("statAt", dir, {}, "link")).type, "symbolic-link");
  assert.equal((await p.call("statAt", dir, FOLLOW, "link")).size, 5);
  assert.equal(await p.error("openAt", dir, {}, "link", {}, { read: true }), "loop");
  await p.call("linkAt", dir, {}, "target", dir, "hard");
  assert.equal((await p.call("statAt", dir, {}, "hard")).linkCount, 2);
  const a = await p.call("openAt", dir, {}, "hard", {}, { read: true });
  const b = await p.call("openAt", dir, {}, "target", {}, { read: true });
  assert.equal(await p.call("isSameObject", a, b), true);
  assert.equal(await p.call("isSameObject", a, dir), false);
  await p.call("renameAt", dir, "hard", dir, "moved");
  assert.equal(await p.error("statAt", dir, {}, "hard"), "no-entry");
  assert.equal(await p.error("symlinkAt", dir, "/etc", "absolute"), "not-permitted");
});

each("times are set and found again", async (p, dir) => {
  const file = await p.call("openAt", dir, {}, "t", { create: true }, RW);
  const stamp = (seconds: number, nanoseconds: number): unknown => ({
    tag: "timestamp",
    val: { seconds, nanoseconds },
  });
  await p.call("setTimes", file, stamp(1_000_000_000, 0), stamp(1_600_000_000, 0));
  const { dataAccessTimestamp, dataModificationTimestamp } = await p.call("stat", file);
  assert.deepEqual(dataAccessTimestamp, { seconds: 1_000_000_000, nanoseconds: 0 });
  assert.deepEqual(dataModificationTimestamp, { seconds: 1_600_000_000, nanoseconds: 0 });
  await p.call("setTimesAt", dir, {}, "t", { tag: "no-change" }, { tag: "now" });
  const stat = await p.call("stat", file);
  assert.deepEqual(stat.dataAccessTimestamp, { seconds: 1_000_000_000, nanoseconds: 0 });
  assert.ok(stat.dataModificationTimestamp.seconds > 1_700_000_000);
});

each("no path leads out", async (p, dir) => {
  for (const name of ["../x", "..", "/", "/etc/passwd", "a/../../x"]) {
    const error = await p.error("openAt", dir, FOLLOW, name, {}, { read: true });
    assert.ok(["not-permitted", "no-entry"].includes(error), `${name}: ${error}`);
    const looked = await p.error("statAt", dir, FOLLOW, name);
    assert.ok(["not-permitted", "no-entry"].includes(looked), `${name}: ${looked}`);
  }
  await p.call("createDirectoryAt", dir, "in");
  await p.call("symlinkAt", dir, "../../outside", "in/link");
  assert.equal(
    await p.error("openAt", dir, FOLLOW, "in/link", {}, { read: true }),
    "not-permitted",
  );
  const inner = await p.call("openAt", dir, {}, "in", { directory: true }, { read: true });
  assert.equal(await p.error("statAt", inner, FOLLOW, "../in"), "not-permitted");
});

each("what a descriptor is not for is refused", async (p, dir) => {
  await write(p, dir, "f", "x");
  const file = await p.call("openAt", dir, {}, "f", {}, { read: true });
  assert.equal(await p.error("write", file, bytes("y"), 0), "bad-descriptor");
  assert.equal(await p.error("writeViaStream", file, 0), "bad-descriptor");
  assert.equal(await p.error("setSize", file, 0), "bad-descriptor");
  assert.equal(await p.error("openAt", file, {}, "f", {}, { read: true }), "not-directory");
  assert.equal(await p.error("readDirectory", file), "not-directory");
  assert.equal(await p.error("read", dir, 1, 0), "is-directory");
  assert.equal(
    await p.error("openAt", dir, {}, "f", { directory: true }, { read: true }),
    "not-directory",
  );
  assert.equal(await p.error("openAt", dir, {}, "", {}, { read: true }), "no-entry");
  assert.equal(await p.error("openAt", dir, {}, "a\0b", {}, { read: true }), "invalid");
  assert.equal(
    await p.error("openAt", dir, {}, "n".repeat(5000), {}, { read: true }),
    "name-too-long",
  );
});

nodeTest("a large read goes to the guest's memory whole, and one of a file that was cut does not", {
  skip,
}, async () => {
  const folder = scratch();
  const file = path.join(folder, "large");
  fs.writeFileSync(file, Uint8Array.from({ length: 50_000 }, (_, i) => i % 251));
  const p = await probe({ preopens: { "/": folder } });
  const opened = await p.call("openAt", await p.directory(), {}, "large", {}, { read: true });
  const [whole] = await p.call("read", opened, 40_000, 10_000);
  assert.deepEqual(whole.bytes, Array.from({ length: 40_000 }, (_, i) => (i + 10_000) % 251));
  const input = await p.call("readViaStream", opened, 0);
  assert.equal((await p.call("blockingRead", input, 20_000)).bytes.length, 20_000);
  fs.truncateSync(file, 25_000);
  // the file was longer when that was asked last
  const rest = await p.call("blockingRead", input, 20_000);
  assert.deepEqual(rest.bytes, Array.from({ length: 5_000 }, (_, i) => (i + 20_000) % 251));
  assert.deepEqual(await p.error("blockingRead", input, 20_000), { tag: "closed" });
  p.close();
});

nodeTest("read-only directories and quotas hold", { skip }, async () => {
  const folder = scratch();
  fs.writeFileSync(path.join(folder, "f"), "x");
  const readOnly = await probe({ preopens: { "/": host(folder, { readOnly: true }) } });
  const dir = await readOnly.directory();
  assert.equal((await readOnly.call("getFlags", dir)).mutateDirectory, false);
  assert.equal(await readOnly.error("openAt", dir, {}, "f", {}, RW), "read-only");
  assert.equal(
    await readOnly.error("openAt", dir, {}, "new", { create: true }, { read: true }),
    "read-only",
  );
  assert.equal(await readOnly.error("unlinkFileAt", dir, "f"), "read-only");
  assert.equal(await readOnly.error("createDirectoryAt", dir, "d"), "read-only");
  readOnly.close();
  const limited = await probe({
    preopens: { "/": folder },
    limits: { openFiles: 2, diskBytes: 10 },
  });
  const root = await limited.directory();
  const one = await limited.call("openAt", root, {}, "one", { create: true }, RW);
  await limited.call("openAt", root, {}, "f", {}, { read: true });
  assert.equal(await limited.error("openAt", root, {}, "f", {}, { read: true }), "quota");
  await limited.call("write", one, bytes("12345"), 0);
  // as in POSIX what fits is written
  assert.equal(await limited.call("write", one, bytes("123456789012"), 0), 10);
  assert.equal(await limited.error("write", one, bytes("x"), 10), "quota");
  await limited.call("drop", one);
  await limited.call("openAt", root, {}, "f", {}, { read: true });
  limited.close();
  assert.equal(fs.readFileSync(path.join(folder, "one"), "utf8"), "1234567890");
});
