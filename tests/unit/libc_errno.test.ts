/**
 * errno is read with the call. An engine may stop where the next function begins, and wait there for
 * threads of its own (V8 does when it begins to mark): errno is then what that wait left.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Errno } from "../../core/errno.ts";
import { FileStat } from "../../core/filestat.ts";
import { linuxLibrary } from "../../core/foreign.ts";
import { Libc } from "../../core/directories/posix/libc.ts";
import * as linux from "../../core/directories/posix/linux.ts";
import { LinuxSockets } from "../../core/directories/posix/linux_sockets.ts";
import { foreign, scratch } from "../support/harness.ts";
import { ownRuntime } from "../support/hosts.ts";

const EAGAIN = 11;

/** libc, with an engine that waits wherever a function begins. */
class WaitingLibc extends Libc {
  protected override failed(errno: number): number {
    this.errno[0] = EAGAIN;
    return super.failed(errno);
  }

  override result(result: number, errno: number): number {
    this.errno[0] = EAGAIN;
    return super.result(result, errno);
  }
}

const skip = process.platform !== "linux" || !foreign;

test("what an engine does after a call changes no errno", { skip }, () => {
  const libc = new WaitingLibc(ownRuntime().foreign(linuxLibrary)!, linux.archOf(process.arch)!);
  const folder = scratch("errno");
  fs.writeFileSync(path.join(folder, "file"), "");
  const [BADF, NOENT, EXIST, INVAL] = [-Errno.BADF, -Errno.NOENT, -Errno.EXIST, -Errno.INVAL];
  const into = new FileStat();
  const bytes = new Uint8Array(new ArrayBuffer(64));
  const flags = linux.O_PATH | linux.archOf(process.arch)!.O_DIRECTORY;
  const fd = libc.openat(linux.AT_FDCWD, folder, flags, 0);
  assert.ok(fd >= 0);
  try {
    const answers: [name: string, answer: unknown, expected: number][] = [
      ["openat", libc.openat(fd, "none", 0, 0), NOENT],
      ["stat", libc.stat(fd, "none", into), NOENT],
      ["fstat", libc.fstat(-1, into), BADF],
      ["filetype", libc.filetype(-1), BADF],
      ["pathOf", libc.pathOf(-1), NOENT],
      ["mkdirat", libc.mkdirat(fd, "file"), EXIST],
      ["unlinkat", libc.unlinkat(fd, "none", 0), NOENT],
      ["renameat", libc.renameat(fd, "none", fd, "new"), NOENT],
      ["linkat", libc.linkat(fd, "none", fd, "new"), NOENT],
      ["symlinkat", libc.symlinkat("text", fd, "file"), EXIST],
      ["readlinkat", libc.readlinkat(fd, "file"), INVAL],
      ["futimens", libc.futimens(-1, 0n, 0n, 0), BADF],
      ["utimensat", libc.utimensat(fd, "none", 0n, 0n, 5), NOENT],
      ["ftruncate", libc.ftruncate(-1, 0), BADF],
      ["lseek", libc.lseek(-1, 0, 0), BADF],
      ["sync", libc.sync(-1, false), BADF],
      ["fcntl", libc.fcntl(-1, linux.F_GETFL, 0), BADF],
      ["getdents", libc.getdents(-1, bytes), BADF],
      ["read", libc.read(-1, bytes, 0, 1, -1), BADF],
      ["pread", libc.read(-1, bytes, 0, 1, 0), BADF],
      ["write", libc.write(-1, bytes, 0, 1, -1), BADF],
      ["clock", libc.clock(1000, new DataView(bytes.buffer), 0), INVAL],
    ];
    const beneath = libc.openBeneath(fd, "none", 0, 0);
    // a kernel of old, or a filter, refuses all of them
    if (libc.openBeneath(fd, ".", 0, 0) >= 0) answers.push(["openBeneath", beneath, NOENT]);
    const sockets = new LinuxSockets(libc, () => assert.fail("no socket is opened"));
    answers.push(
      ["accept", sockets.accept(-1), BADF],
      ["recv", sockets.receive(-1, bytes, 0, 1, false, false), BADF],
      ["send", sockets.send(-1, bytes, 0, 1), BADF],
      ["shutdown", sockets.shutdown(-1, 0), BADF],
    );
    for (const [name, answer, expected] of answers) assert.equal(answer, expected, name);
  } finally {
    libc.close(fd);
  }
});
