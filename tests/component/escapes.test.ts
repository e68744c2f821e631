/** `wasi:filesystem` as a hostile component uses it: over the canonical ABI, on a real disk. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { host, type RunOptions } from "../../mod.ts";
import { arena, PATHS } from "../support/fuzz.ts";
import { type Call, preview2 } from "../support/preview2.ts";

const D = "wasi:filesystem/types [method]descriptor.";
const FOLLOW = { symlinkFollow: true };

/** The directories of a guest, by their names. */
async function directories(call: Call): Promise<Map<string, object>> {
  const all: [object, string][] = await call("wasi:filesystem/preopens get-directories");
  return new Map(all.map(([descriptor, name]) => [name, descriptor]));
}

/** What a call that fails says; its value if it does not. */
async function answer(result: Promise<unknown>): Promise<unknown> {
  try {
    return await result;
  } catch (error) {
    const { payload } = error as { payload?: unknown };
    if (payload === undefined) throw error;
    return payload;
  }
}

const WAYS: Pick<RunOptions, "ffi">[] = [{}, { ffi: false }];

for (const way of WAYS) {
  const named = `ffi: ${way.ffi}`;

  test(`no path of a component's leads outside, ${named}`, async () => {
    const place = arena("component-paths");
    const { call, close } = await preview2({ preopens: { "/": place.inside }, ...way });
    const root = (await directories(call)).get("/")!;
    for (const name of [...PATHS, "absolute", "dir/../out/secret", "in/up/secret"]) {
      const opened = await answer(call(D + "open-at", root, FOLLOW, name, {}, { read: true }));
      if (typeof opened === "object") {
        const text = await answer(call(D + "read", opened, 100n, 0n));
        if (Array.isArray(text)) assert.notEqual(new TextDecoder().decode(text[0]), "secret", name);
      }
      for (const flags of [{}, FOLLOW]) {
        await answer(call(D + "stat-at", root, flags, name));
        await answer(call(D + "set-times-at", root, flags, name, { tag: "now" }, { tag: "now" }));
      }
      const creates = { create: true, truncate: true };
      if (/secret|passwd|^\/|outfile|absolute/.test(name)) {
        await answer(call(D + "open-at", root, FOLLOW, name, creates, { write: true }));
        await answer(call(D + "rename-at", root, "file", root, name));
        await answer(call(D + "link-at", root, FOLLOW, name, root, "linked"));
        await answer(call(D + "unlink-file-at", root, name));
      }
      place.verify();
    }
    close();
  });

  test(`a directory that is replaced by a link leads nowhere, ${named}`, async () => {
    const place = arena("component-race");
    const { call, close } = await preview2({ preopens: { "/": place.inside }, ...way });
    const root = (await directories(call)).get("/")!;
    const dir = await call(D + "open-at", root, {}, "dir", { directory: true }, { read: true });
    fs.renameSync(path.join(place.inside, "dir"), path.join(place.inside, "moved"));
    fs.symlinkSync("../folder", path.join(place.inside, "dir"));
    for (const from of [root, dir]) {
      for (const name of ["dir/secret", "secret", "../secret", "../folder/secret"]) {
        const opened = await answer(call(D + "open-at", from, FOLLOW, name, {}, { read: true }));
        assert.equal(typeof opened, "string", name);
      }
    }
    const entries = await call(D + "read-directory", dir);
    const next = "wasi:filesystem/types [method]directory-entry-stream.read-directory-entry";
    for (let entry; (entry = await call(next, entries)) !== undefined;) {
      assert.notEqual(entry.name, "secret");
    }
    close();
    place.verify();
  });

  test(`a directory to be read only is not changed, ${named}`, async () => {
    const place = arena("component-read-only");
    const { call, close } = await preview2({
      preopens: { "/ro": host(place.inside, { readOnly: true, ...way }), "/": place.inside },
      ...way,
    });
    const all = await directories(call);
    const [ro, rw] = [all.get("/ro")!, all.get("/")!];
    const file = await call(D + "open-at", ro, {}, "file", {}, { read: true });
    const dir = await call(
      D + "open-at",
      ro,
      {},
      "dir",
      { directory: true },
      { read: true },
    );
    const now = { tag: "now" };
    const before = fs.statSync(path.join(place.inside, "file"), { bigint: true });
    const refused: [string, Promise<unknown>][] = [];
    const attempt = async (name: string, ...parameters: unknown[]): Promise<void> => {
      refused.push([name, await answer(call(D + name, ...parameters)) as Promise<unknown>]);
    };
    await attempt("set-times", file, now, now);
    await attempt("set-size", file, 0n);
    await attempt("write", file, new Uint8Array(1), 0n);
    await attempt("write-via-stream", file, 0n);
    await attempt("append-via-stream", file);
    for (const at of [ro, dir]) {
      await attempt("open-at", at, {}, "inner", {}, { write: true });
      await attempt("open-at", at, {}, "inner", { truncate: true }, { read: true });
      await attempt("open-at", at, {}, "new", { create: true }, { read: true });
      await attempt("open-at", at, {}, ".", { directory: true }, { mutateDirectory: true });
      await attempt("create-directory-at", at, "new");
      await attempt("symlink-at", at, "file", "new");
      await attempt("rename-at", at, "inner", rw, "new");
      await attempt("rename-at", rw, "file", at, "new");
      await attempt("link-at", rw, {}, "file", at, "new");
      await attempt("link-at", at, {}, "inner", rw, "new");
      await attempt("unlink-file-at", at, "inner");
      await attempt("remove-directory-at", at, "inner");
      await attempt("set-times-at", at, {}, ".", now, now);
      await attempt("set-times", at, now, now);
    }
    for (const [name, what] of refused) assert.equal(typeof what, "string", name);
    const after = fs.statSync(path.join(place.inside, "file"), { bigint: true });
    assert.equal(after.mtimeNs, before.mtimeNs);
    assert.deepEqual(
      fs.readdirSync(place.inside).sort(),
      ["absolute", "dangling", "dir", "file", "in", "loop", "out", "outfile"],
    );
    close();
    place.verify();
  });

  test(`limits hold, and what is closed is closed, ${named}`, async () => {
    const place = arena("component-limits");
    const { call, close } = await preview2({
      preopens: { "/": place.inside },
      limits: { openFiles: 3, diskBytes: 1000, files: 2 },
      ...way,
    });
    const root = (await directories(call)).get("/")!;
    const open = (name: string, write = false): Promise<unknown> =>
      answer(call(D + "open-at", root, {}, name, { create: write }, { read: true, write }));
    const one = await open("new", true) as Disposable;
    assert.equal(await answer(call(D + "set-size", one, 1001n)), "quota");
    assert.equal(await call(D + "write", one, new Uint8Array(1000), 0n), 1000n);
    assert.equal(await answer(call(D + "write", one, new Uint8Array(1), 1000n)), "quota");
    const stream = await call(D + "read-via-stream", one, 0n);
    const pollable = await call("wasi:io/streams [method]input-stream.subscribe", stream);
    const others = [await open("file"), await open("file")] as Disposable[];
    assert.equal(await open("file"), "quota");
    // a stream and what waits for it keep the file open, and the last one closes it
    one[Symbol.dispose]();
    assert.equal(await open("file"), "quota");
    const read = "wasi:io/streams [method]input-stream.read";
    assert.equal((await call(read, stream, 10n)).length, 10);
    stream[Symbol.dispose]();
    assert.equal(await open("file"), "quota");
    pollable[Symbol.dispose]();
    assert.equal(typeof await open("file"), "object");
    await assert.rejects(call(read, stream, 10n), { name: "ComponentError" });
    assert.equal(typeof await answer(call(D + "stat", one)), "string");
    // again: nobody else's file is closed by it
    for (const closed of [one, stream, pollable]) closed[Symbol.dispose]();
    for (const other of others) assert.equal((await call(D + "stat", other)).size, 4n);
    // what is not its own cannot be used in its place
    await assert.rejects(call(D + "stat", stream), TypeError);
    await assert.rejects(call(read, one, 1n), TypeError);
    close();
    await assert.rejects(call(D + "stat", others[0]), /has been closed/);
  });
}

test("many listings that are read by turns give every name once", async () => {
  const place = arena("component-listings");
  const folder = path.join(place.inside, "many");
  fs.mkdirSync(folder);
  const names = Array.from({ length: 300 }, (_, i) => `file${i}`);
  for (const name of names) fs.writeFileSync(path.join(folder, name), "");
  const { call, close } = await preview2({ preopens: { "/": folder } });
  const root = (await directories(call)).get("/")!;
  const listings: { stream: object; found: string[] }[] = [];
  for (let i = 0; i < 70; i++) {
    listings.push({ stream: await call(D + "read-directory", root), found: [] });
  }
  const next = "wasi:filesystem/types [method]directory-entry-stream.read-directory-entry";
  for (let read = 0; read <= names.length; read += 50) {
    for (const { stream, found } of listings) {
      for (let i = 0; i < 50; i++) {
        const entry = await call(next, stream);
        if (entry !== undefined) found.push(entry.name);
      }
    }
  }
  for (const { found } of listings) assert.deepEqual(found.sort(), [...names].sort());
  close();
});
