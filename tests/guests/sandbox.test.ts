import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { scratch } from "../support/harness.ts";
import { passes, passesIn, shell, textOf, timesOf, tree } from "./guest.ts";

test("no path leads out of a preopen, and what is outside stays as it was", () => {
  const folder = fs.realpathSync(scratch("escapes"));
  const inside = path.join(folder, "inside");
  const outside = path.join(folder, "outside");
  fs.mkdirSync(path.join(inside, "dir", "sub"), { recursive: true });
  fs.mkdirSync(path.join(outside, "empty"), { recursive: true });
  fs.writeFileSync(path.join(outside, "secret"), "secret");
  fs.writeFileSync(path.join(inside, "file"), "inside");
  const links: Record<string, string> = {
    up: "..",
    out: "../outside",
    stolen: "../outside/secret",
    abs: outside,
    "abs-file": path.join(outside, "secret"),
    new: "../outside/new",
    "dir/sub/winding": "../../../outside",
  };
  for (const [name, target] of Object.entries(links)) {
    fs.symlinkSync(target, path.join(inside, name));
  }
  const times = timesOf(path.join(outside, "secret"));

  passes("escapes", { args: ["guest", outside], preopens: { "/": inside } });

  assert.deepEqual(tree(outside), ["empty/", "secret 6"]);
  assert.equal(textOf(outside, "secret"), "secret");
  assert.equal(timesOf(path.join(outside, "secret")).mtim, times.mtim);
  assert.equal(fs.statSync(path.join(outside, "secret")).nlink, 1);
  assert.deepEqual(fs.readdirSync(folder).sort(), ["inside", "outside"]);
  assert.equal(textOf(inside, "file"), "written");
  const left = tree(inside).filter((name) => !name.startsWith("dir/made-link"));
  assert.deepEqual(left, [
    `abs -> ${outside}`,
    `abs-file -> ${path.join(outside, "secret")}`,
    "dir/",
    "dir/sub/",
    "dir/sub/winding -> ../../../outside",
    "file 7",
    "new -> ../outside/new",
    "out -> ../outside",
    "up -> ..",
  ]);
});

test("host names that are no UTF-8 are listed, opened and removed, and none is made", () => {
  const { folder } = passesIn("names", {
    // Deno's node:fs would make U+FFFD of these bytes: the shell makes the files everywhere.
    prepare: (folder) => {
      shell(
        [
          `printf coffee > "$(printf 'caf\\351')"`,
          `: > "$(printf '\\377\\376')"`,
          `mkdir "$(printf 'dir\\200')"`,
          `printf deep > "$(printf 'dir\\200/in\\303')"`,
        ].join(" && "),
        folder,
      );
    },
  });
  const left = shell("find . -mindepth 1 | LC_ALL=C sort | od -An -c | tr -d ' \\n'", folder);
  assert.equal(left, String.raw`./cut\n./dir200\n./file\n./renamed\n`);
  assert.equal(textOf(folder, "file"), "file");
});
