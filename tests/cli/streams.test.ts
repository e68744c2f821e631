/** Standard streams that the command shares with others: sockets, terminals, files. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { guest, wasi } from "../support/command.ts";
import { foreign, scratch, windows } from "../support/harness.ts";
import { builtLauncher } from "../support/launch.ts";

const folder = scratch("launch");
const launch = builtLauncher(folder);

/** Of what a guest printed: how many checks passed, and those that failed. */
function checksOf(out: string): { passed: number; failed: string[] } {
  const lines = out.split("\n");
  return {
    passed: lines.filter((line) => line.startsWith("ok ")).length,
    failed: lines.filter((line) => line.startsWith("not ok ")),
  };
}

/** Checks of shared.c. */
const SHARED = 24;

for (const kind of ["socket", "terminal"] as const) {
  test(`a guest leaves a ${kind} as it is`, async () => {
    const shell = `exec ${launch} ${kind} /bin/sh -c '"$@" < /dev/null; echo "then $?"' sh "$@"`;
    const { code, out } = await wasi([guest("shared")], { shell });
    assert.deepEqual(checksOf(out), { passed: SHARED, failed: [] });
    assert.match(out, /then 0\n$/);
    assert.equal(code, 0);
  });
}

test("a guest leaves files as they are", async () => {
  const [input, output] = [path.join(folder, "input"), path.join(folder, "output")];
  fs.writeFileSync(input, "input");
  fs.writeFileSync(output, "before\n");
  const time = new Date("2001-02-03T04:05:06Z");
  fs.utimesSync(input, time, time);
  const { code } = await wasi([guest("shared")], {
    shell: `exec "$@" <> ${input} >> ${output} 2>&1`,
  });
  const text = fs.readFileSync(output, "utf8");
  assert.equal(code, 0);
  assert.deepEqual(checksOf(text), { passed: SHARED, failed: [] });
  assert.ok(text.startsWith("before\nok "));
  assert.equal(fs.readFileSync(input, "utf8"), "input");
  assert.equal(fs.statSync(input).mtime.getTime(), time.getTime());
});

test("a message that is too long for its buffers is said to be cut", {
  skip: foreign && !windows ? false : "no libc to be called on this runtime",
}, async () => {
  const { code, out } = await wasi([guest("message")], {
    shell: `exec ${launch} datagram "$@"`,
  });
  assert.deepEqual(checksOf(out), { passed: 13, failed: [] });
  assert.equal(code, 0);
});
