/**
 * What the system can do that the tests run on, found out by trying: file systems of one system differ
 * in it, and what stands in for Windows (Wine) is not Windows. Where something is missing, tests say
 * what a guest is answered instead.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Errno, errnoOf } from "../../core/errno.ts";
import { scratch } from "./harness.ts";

/** What a system can do. */
export interface System {
  /** what making a symbolic link is answered: 0 where one is made */
  linkError: number;
  /** whether a name may be anything without "/" */
  anyName: boolean;
  /** the bits of what a name has 255 of: bytes, or the units of UTF-16 */
  nameUnits: 8 | 16;
  /** whether a time of access that was set stays until the file is read */
  accessTimes: boolean;
  /** whether an open file that is unlinked loses its name at once */
  unlinksOpen: boolean;
}

/** All that POSIX knows. */
export const posix: System = {
  linkError: 0,
  anyName: true,
  nameUnits: 8,
  accessTimes: true,
  unlinksOpen: true,
};

const folder = scratch("system");

function works(use: () => void): boolean {
  try {
    use();
    return true;
  } catch {
    return false;
  }
}

function linkErrorHere(): number {
  const link = path.join(folder, "link");
  try {
    fs.symlinkSync("file", link);
  } catch (error) {
    return errnoOf(error);
  }
  // some say that they have made one
  return works(() => fs.readlinkSync(link)) ? 0 : Errno.PERM;
}

function accessTimesHere(): boolean {
  const file = path.join(folder, "times");
  fs.writeFileSync(file, "x");
  fs.utimesSync(file, 5, 7);
  // opening a file is no reading, nor is looking at it; some read it even so
  fs.closeSync(fs.openSync(file, "r+"));
  return [1, 2].every(() => fs.statSync(file).atimeMs === 5000);
}

function nameUnitsHere(): 8 | 16 {
  try {
    fs.lstatSync(path.join(folder, "ä".repeat(128)));
  } catch (error) {
    if (errnoOf(error) === Errno.NAMETOOLONG) return 8;
  }
  return 16;
}

function unlinksOpenHere(): boolean {
  const file = path.join(folder, "unlinked");
  const fd = fs.openSync(file, "w");
  try {
    fs.unlinkSync(file);
    return fs.fstatSync(fd).nlink === 0 && !works(() => fs.closeSync(fs.openSync(file, "r")));
  } finally {
    fs.closeSync(fd);
  }
}

/** What this one can do. */
export const here: System = {
  linkError: linkErrorHere(),
  anyName: works(() => fs.writeFileSync(path.join(folder, "a\\b:c"), "")) &&
    fs.readdirSync(folder).includes("a\\b:c"),
  nameUnits: nameUnitsHere(),
  accessTimes: accessTimesHere(),
  unlinksOpen: unlinksOpenHere(),
};

/** Whether there is POSIX's shell, with its tools. */
export const shell: boolean = spawnSync("/bin/sh", ["-c", "mkfifo --help"]).status === 0;
