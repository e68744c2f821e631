/** Descriptors: rights, numbers, preopens. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { scratch } from "../support/harness.ts";
import { Shared } from "../support/subject.ts";
import { type Guests, linesOf, testLinked, textOf, tree } from "./guest.ts";

export const descriptors: Shared<Guests> = new Shared();

testLinked(
  descriptors,
  "rights are dropped, never regained, and inherited through directories",
  "rights",
  (on) => {
    const { folder } = on.passesIn("rights");
    assert.deepEqual(tree(folder), [
      "dir/",
      "dir/child 5",
      "dir/empty/",
      "dir/link -> child",
      "file 10",
    ]);
    assert.equal(textOf(folder, "file"), "XXXX456789");
    assert.equal(textOf(folder, "dir", "child"), "child");
  },
);

descriptors.test("fd_renumber and fd_close keep the numbers of descriptors", (on) => {
  const { folder } = on.passesIn("renumber", { input: "standard input" });
  assert.deepEqual(tree(folder), ["one 3", "three 5", "two 3"]);
});

descriptors.test("every function says badf of a number that is not open", (on) => {
  const { folder } = on.passesIn("closed");
  assert.deepEqual(tree(folder), ["file 7"]);
});

descriptors.test("sock_accept, sock_recv, sock_send and sock_shutdown say notsock of files", (on) => {
  const { folder } = on.passesIn("sock");
  assert.deepEqual(tree(folder), ["file 7"]);
});

descriptors.test("preopens have the names they are given, and descriptors from 3 on in that order", (on) => {
  const folder = scratch("preopens");
  for (const name of ["a", "b", "c", "d"]) fs.mkdirSync(path.join(folder, name));
  const outcome = on.passes("preopens", {
    preopens: {
      "/": path.join(folder, "a"),
      "/data": path.join(folder, "b"),
      relative: path.join(folder, "c"),
      "/ünï/./x": path.join(folder, "d"),
    },
  });
  assert.deepEqual(linesOf(outcome, "# preopen"), [
    '"/"',
    '"/data"',
    '"relative"',
    String.raw`"/\xc3\xbcn\xc3\xaf/./x"`,
  ]);
  assert.deepEqual(tree(folder), [
    "a/",
    "a/dir/",
    "b/",
    "b/renamed 7",
    "c/",
    "c/linked 7",
    "d/",
    "d/last 11",
  ]);
});
