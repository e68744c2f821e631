/**
 * A second process swaps a directory for a link that leads out, as fast as it can, while a guest
 * uses paths through it. Nothing outside may be read, made, changed or removed.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { Guest } from "../support/guest.ts";
import { runtime, scratch } from "../support/harness.ts";
import type { Way } from "../support/hosts.ts";

/** Swaps `swap` (a directory) and `link` (a link to ../outside) by renaming, until it is killed. */
const SWAPPER = `
const fs = require("node:fs");
const [inside] = process.argv.slice(-1);
process.chdir(inside);
fs.writeFileSync("../ready", "");
for (;;) {
  fs.renameSync("swap", "real");
  fs.renameSync("link", "swap");
  fs.renameSync("swap", "link");
  fs.renameSync("real", "swap");
  // and one that leaves a moment with neither, at another depth
  fs.renameSync("a/swap", "a/real");
  fs.symlinkSync("../../outside", "a/swap");
  fs.unlinkSync("a/swap");
  fs.renameSync("a/real", "a/swap");
}
`;

interface Place {
  folder: string;
  inside: string;
  outside: string;
}

function makePlace(): Place {
  const folder = fs.mkdtempSync(path.join(scratch("race"), "r-"));
  const [inside, outside] = ["inside", "outside"].map((name) => path.join(folder, name));
  fs.mkdirSync(path.join(inside!, "swap"), { recursive: true });
  fs.mkdirSync(path.join(inside!, "a", "swap"), { recursive: true });
  fs.mkdirSync(path.join(outside!, "keep"), { recursive: true });
  fs.symlinkSync("../outside", path.join(inside!, "link"));
  fs.writeFileSync(path.join(outside!, "secret"), "secret");
  fs.writeFileSync(path.join(inside!, "swap", "secret"), "public");
  fs.writeFileSync(path.join(inside!, "a", "swap", "secret"), "public");
  return { folder, inside: inside!, outside: outside! };
}

async function startSwapper({ folder, inside }: Place): Promise<() => Promise<void>> {
  const script = path.join(folder, "swapper.cjs");
  fs.writeFileSync(script, SWAPPER);
  const flags = runtime === "deno" ? ["run", "-A", "--no-lock"] : [];
  const child = spawn(process.execPath, [...flags, script, inside], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  while (!fs.existsSync(path.join(folder, "ready"))) {
    assert.equal(child.exitCode, null, "the swapper runs");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return () => {
    child.kill("SIGKILL");
    return ended;
  };
}

/** Everything a guest can try through a directory that may be a link that moment. */
function attack(guest: Guest, through: string, secretIno: bigint, count: Counts): void {
  const fd = guest.open(`${through}/secret`);
  if (fd >= 0) {
    const text = guest.read(fd);
    guest.call.fd_close!(fd);
    assert.notEqual(text, "secret", "read outside");
    count.inside++;
  } else count.refused++;
  const stat = guest.stat(`${through}/secret`);
  if (typeof stat !== "number") {
    assert.notEqual(stat.getBigUint64(8, true), secretIno, "stat outside");
  }
  const made = guest.open(`${through}/made`, { oflags: 1, rights: 64n });
  if (made >= 0) guest.call.fd_close!(made);
  const cut = guest.open(`${through}/secret`, { oflags: 8, rights: 64n });
  if (cut >= 0) {
    guest.write(cut, "public");
    guest.call.fd_close!(cut);
  }
  guest.path("path_create_directory", `${through}/folder`);
  guest.path("path_remove_directory", `${through}/keep`);
  guest.path("path_unlink_file", `${through}/made`);
  guest.symlink("x", `${through}/pointer`);
  guest.rename(`${through}/pointer`, `${through}/pointed`);
  guest.path("path_unlink_file", `${through}/pointed`);
  guest.link(`${through}/secret`, `${through}/hard`);
  guest.path("path_unlink_file", `${through}/hard`);
  guest.rename(`${through}/secret`, `${through}/secret`);
  guest.call.path_filestat_set_times!(3, 1, ...guest.put(`${through}/secret`), 5n, 5n, 5);
  guest.path("path_remove_directory", `${through}/folder`);
  const directory = guest.open(through, { oflags: 2, rights: 1n << 14n });
  if (directory >= 0) {
    assert.ok(!guest.names(directory).includes("keep"), "listed outside");
    guest.call.fd_close!(directory);
  }
}

interface Counts {
  inside: number;
  refused: number;
}

function verify({ outside }: Place, before: fs.BigIntStats): void {
  assert.deepEqual(fs.readdirSync(outside).sort(), ["keep", "secret"]);
  const secret = path.join(outside, "secret");
  assert.equal(fs.readFileSync(secret, "utf8"), "secret");
  const after = fs.statSync(secret, { bigint: true });
  assert.equal(after.mtimeNs, before.mtimeNs);
  assert.equal(after.nlink, 1n);
}

/** Runs the race on one way for so many milliseconds. */
export async function race(way: Way, duration: number): Promise<void> {
  const place = makePlace();
  const before = fs.statSync(path.join(place.outside, "secret"), { bigint: true });
  const stop = await startSwapper(place);
  const guest = new Guest({ preopens: { "/": place.inside }, ...way });
  const count: Counts = { inside: 0, refused: 0 };
  try {
    const end = performance.now() + duration;
    while (performance.now() < end) {
      for (const through of ["swap", "a/swap", "a/../swap", "link/../inside/swap"]) {
        attack(guest, through, before.ino, count);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } finally {
    await stop();
    guest.wasi[Symbol.dispose]();
  }
  verify(place, before);
  assert.ok(
    count.inside > 10 && count.refused > 10, // on a busy machine it is not many more
    `a race took place: ${JSON.stringify(count)}`,
  );
}
