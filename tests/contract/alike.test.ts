/** Answers that every way of confining directories of the host gives alike. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { host, memory, WASI } from "../../mod.ts";
import { Errno, Filetype } from "../../core/preview1/abi.ts";
import type { NodeFs } from "../../core/directories/node_fs/context.ts";
import { openDirectory } from "../../core/directories/node_fs/directory.ts";
import { Dents } from "../../core/directories/posix/dents.ts";
import type { Libc } from "../../core/directories/posix/libc.ts";
import { ALL, DATA, Guest } from "../support/guest.ts";
import { scratch } from "../support/harness.ts";
import { ways } from "../support/hosts.ts";

const RESULT = 1024;
/** What opens for writing: FD_WRITE, FD_ALLOCATE, FD_FILESTAT_SET_SIZE. */
const WRITES = 0x400140n;

for (const [name, way] of ways) {
  test(`a file is cut by who may not write to it otherwise (${name})`, () => {
    const folder = scratch("alike");
    fs.writeFileSync(path.join(folder, "f"), "content");
    const guest = new Guest({ preopens: { "/": folder }, ...way });
    const fd = guest.open("f", { oflags: 8, rights: 2n });
    assert.ok(fd > 3, `errno ${-fd}`);
    assert.equal(guest.read(fd), "");
    assert.equal(fs.readFileSync(path.join(folder, "f"), "utf8"), "");
    assert.equal(guest.write(fd, "x"), -76);
    // what is to be made is not made where it may not be written
    fs.writeFileSync(path.join(folder, "g"), "content");
    assert.equal(guest.open("g", { oflags: 8 | 2, rights: 2n }), -54);
    assert.equal(fs.readFileSync(path.join(folder, "g"), "utf8"), "content");
  });

  test(`what appends does so at a position, too, as on Linux (${name})`, () => {
    const folder = scratch("alike");
    const file = path.join(folder, "f");
    fs.writeFileSync(file, "0123");
    const guest = new Guest({ preopens: { "/": folder }, ...way });
    const fd = guest.open("f", { rights: ALL, fdflags: 1 });
    const [at, length] = guest.put("ab", DATA);
    assert.equal(guest.call.fd_pwrite!(fd, ...guest.iov(at, length), 1n, RESULT), 0);
    assert.equal(fs.readFileSync(file, "utf8"), "0123ab");
    assert.equal(guest.call.fd_fdstat_set_flags!(fd, 0), 0);
    assert.equal(guest.call.fd_pwrite!(fd, ...guest.iov(at, length), 1n, RESULT), 0);
    assert.equal(fs.readFileSync(file, "utf8"), "0ab3ab");
    assert.equal(guest.call.fd_fdstat_set_flags!(fd, 1), 0);
    assert.equal(guest.write(fd, "end"), 3);
    assert.equal(fs.readFileSync(file, "utf8"), "0ab3abend");
  });

  test(`a directory that was removed while it is open (${name})`, () => {
    const folder = scratch("alike");
    fs.mkdirSync(path.join(folder, "d"));
    const guest = new Guest({ preopens: { "/": folder }, ...way });
    const fd = guest.open("d", { oflags: 2, rights: ALL & ~WRITES });
    assert.ok(fd > 3);
    fs.rmdirSync(path.join(folder, "d"));
    assert.equal(guest.call.fd_readdir!(fd, DATA, 4096, 0n, RESULT), 0);
    assert.equal(guest.view.getUint32(RESULT, true), 0);
    assert.equal(guest.open("f", { fd, oflags: 1, rights: 2n }), -Errno.NOENT);
    assert.equal(guest.path("path_create_directory", "sub", fd), Errno.NOENT);
  });

  test(`magic links of /proc are not followed (${name})`, () => {
    const guest = new Guest({ preopens: { "/": "/" }, ...way });
    for (const link of ["proc/self/exe", "proc/self/fd/0", "proc/self/cwd", "proc/self/root"]) {
      assert.equal(guest.open(link, { rights: 2n }), -Errno.LOOP, link);
      assert.equal(guest.stat(link), -Errno.LOOP, link);
      assert.notEqual(typeof guest.stat(link, 0), "number", link);
      assert.equal(typeof guest.readlink(link), "string", link);
    }
    assert.equal(guest.open("proc/self/cwd/.", { rights: 2n }), -Errno.LOOP);
    assert.equal(guest.open("proc/self/root/etc", { rights: 2n }), -Errno.LOOP);
    // the others are links like any
    assert.notEqual(typeof guest.stat("proc/mounts"), "number");
  });

  test(`a closed directory is nobody's preopen (${name})`, () => {
    const directory = host(scratch("alike"), way);
    directory.close();
    assert.throws(() => new WASI({ version: "preview1", preopens: { "/": directory } }), {
      code: "ERR_INVALID_ARG_VALUE",
      message: /options\.preopens\["\/"\].*closed.*host\(\)/,
    });
  });
}

test("a directory in memory that was removed while it is open", () => {
  const files = memory({ d: {} });
  const guest = new Guest({ preopens: { "/": files } });
  const fd = guest.open("d", { oflags: 2, rights: ALL & ~WRITES });
  assert.equal(guest.path("path_remove_directory", "d"), 0);
  assert.equal(guest.call.fd_readdir!(fd, DATA, 4096, 0n, RESULT), 0);
  assert.equal(guest.view.getUint32(RESULT, true), 0);
});

test("a directory whose entries cannot be looked at lists their names", () => {
  const folder = scratch("alike");
  fs.writeFileSync(path.join(folder, "f"), "");
  const lstatSync = (file: string, options: never): unknown => {
    if (String(file).endsWith("/f")) throw Object.assign(new Error(), { code: "EACCES" });
    return fs.lstatSync(file, options);
  };
  const directory = openDirectory({
    fs: new Proxy(fs as unknown as NodeFs, {
      get: (target, name) => name === "lstatSync" ? lstatSync : Reflect.get(target, name),
    }),
    proc: false,
    windows: false,
    byteNames: false,
    deno: false,
    isatty: () => false,
  }, folder);
  const listed: unknown[] = [];
  const add = (_: bigint, ino: bigint, filetype: number, name: string): boolean =>
    listed.push([name, ino, filetype]) > 0;
  assert.equal(directory.list(0n, { add, addBytes: () => false }), 0);
  assert.deepEqual(listed[2], ["f", 0n, Filetype.UNKNOWN]);
});

test("an inode number that a file system does not know is 0", () => {
  const names = ["a", "b"];
  const inodes = [0xffffffffn, 7n];
  let given = false;
  const libc = {
    lseek: () => 0,
    getdents(_: number, bytes: Uint8Array): number {
      if (given) return 0;
      given = true;
      const view = new DataView(bytes.buffer);
      names.forEach((name, i) => {
        view.setBigUint64(24 * i, inodes[i]!, true);
        view.setBigUint64(24 * i + 8, BigInt(i + 1), true);
        view.setUint16(24 * i + 16, 24, true);
        view.setUint8(24 * i + 18, 8);
        bytes[24 * i + 19] = name.charCodeAt(0);
        bytes[24 * i + 20] = 0;
      });
      return 48;
    },
  };
  const listed: bigint[] = [];
  const addBytes = (_: Uint8Array, view: DataView, __: number, ino: number): boolean =>
    listed.push(view.getBigUint64(ino, true)) > 0;
  new Dents(libc as unknown as Libc).list(5, false, 0n, { add: () => false, addBytes });
  assert.deepEqual(listed, [0n, 7n]);
});
