/** Error numbers of Linux and Darwin, as the headers that Zig ships have them. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Errno, errnoOfCode, errnoOfDarwin, errnoOfLinux } from "../../core/errno.ts";
import { scratch } from "../support/harness.ts";
import { zigCC } from "../support/zig.ts";

/** What errors are that WASI does not know by the same name. */
const OTHERS: Readonly<Record<string, number>> = {
  EWOULDBLOCK: Errno.AGAIN,
  ENOTBLK: Errno.NOTSUP,
  EOPNOTSUPP: Errno.NOTSUP,
  ESOCKTNOSUPPORT: Errno.NOTSUP,
  EPFNOSUPPORT: Errno.AFNOSUPPORT,
  ESHUTDOWN: Errno.PIPE,
  EHOSTDOWN: Errno.HOSTUNREACH,
  EPROCLIM: Errno.AGAIN,
  EUSERS: Errno.MFILE,
  EFTYPE: Errno.INVAL,
  EAUTH: Errno.ACCES,
  ENEEDAUTH: Errno.ACCES,
  EBADEXEC: Errno.NOEXEC,
  EBADARCH: Errno.NOEXEC,
  ESHLIBVERS: Errno.NOEXEC,
  EBADMACHO: Errno.NOEXEC,
  ETIME: Errno.TIMEDOUT,
  EQFULL: Errno.NOBUFS,
  // nothing there is like them
  ETOOMANYREFS: Errno.IO,
  EREMOTE: Errno.IO,
  EBADRPC: Errno.IO,
  ERPCMISMATCH: Errno.IO,
  EPROGUNAVAIL: Errno.IO,
  EPROGMISMATCH: Errno.IO,
  EPROCUNAVAIL: Errno.IO,
  EPWROFF: Errno.IO,
  EDEVERR: Errno.IO,
  ENOATTR: Errno.IO,
  ENODATA: Errno.IO,
  ENOSR: Errno.IO,
  ENOSTR: Errno.IO,
  ENOPOLICY: Errno.IO,
};

const folder = scratch("errno");

/** The numbers of errno.h for a target, by name. */
function numbersOf(target: string): Map<string, number> {
  const [file, out] = ["errors.c", "errors.i"].map((name) => path.join(folder, name));
  fs.writeFileSync(file!, "#include <errno.h>\n");
  zigCC(["-target", target, "-E", "-dM", file!, "-o", out!]);
  const numbers = new Map<string, number>();
  const aliases: [name: string, other: string][] = [];
  for (const line of fs.readFileSync(out!, "utf8").split("\n")) {
    const [, name, value] = /^#define (E[A-Z0-9]+) (\w+)$/.exec(line) ?? [];
    if (name === undefined || name === "ELAST") continue;
    if (/^\d+$/.test(value!)) numbers.set(name, Number(value));
    else aliases.push([name, value!]);
  }
  for (const [name, other] of aliases) numbers.set(name, numbers.get(other)!);
  return numbers;
}

/** The errno of a name, or undefined for one that nobody has looked at. */
function expectedOf(name: string): number | undefined {
  return (Errno as Readonly<Record<string, number>>)[name.slice(1)] ?? OTHERS[name];
}

const options = { timeout: 120_000 };

test("every error of Darwin is the errno of its name, or the nearest", options, () => {
  const numbers = numbersOf("aarch64-macos");
  assert.ok(numbers.size > 100);
  for (const [name, number] of numbers) {
    const expected = expectedOf(name);
    assert.ok(expected !== undefined, `nobody knows what ${name} is`);
    assert.equal(errnoOfDarwin(number), expected, `${name} (${number})`);
    assert.equal(errnoOfCode(name), expected, name);
  }
});

test("so is every error of Linux that Darwin has too", options, () => {
  let count = 0;
  for (const [name, number] of numbersOf("x86_64-linux-gnu")) {
    const expected = expectedOf(name);
    if (expected === undefined) continue;
    assert.equal(errnoOfLinux(number), expected, `${name} (${number})`);
    assert.equal(errnoOfCode(name), expected, name);
    count++;
  }
  assert.ok(count > 80, String(count));
});
