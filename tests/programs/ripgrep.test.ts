/**
 * ripgrep 15 (Rust) searching real folders. What it reports is checked against the same search
 * done in JavaScript over node:fs.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import zlib from "node:zlib";
import { type Outcome, root, run, type RunOptions, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };

let compiled: Promise<WebAssembly.Module> | undefined;

/** The package holds its program compressed inside a script. */
async function extract(): Promise<WebAssembly.Module> {
  const script = path.join(root, "node_modules/ripgrep/lib/_rg.wasm.mjs");
  const { getCompressedBytes } = (await import(pathToFileURL(script).href)) as {
    getCompressedBytes: () => Uint8Array;
  };
  return new WebAssembly.Module(new Uint8Array(zlib.brotliDecompressSync(getCompressedBytes())));
}

/** Runs ripgrep with the folder as /data; fails the test unless it ends with `code`. */
async function rg(
  folder: string,
  args: string[],
  more: RunOptions = {},
  code = 0,
): Promise<Outcome> {
  const module = await (compiled ??= extract());
  const outcome = run(module, { preopens: { "/data": folder }, ...more, args: ["rg", ...args] });
  assert.equal(outcome.code, code, outcome.err);
  return outcome;
}

/** The lines of an output, sorted: ripgrep reports files in the order of the folder. */
function lines(outcome: Outcome): string[] {
  assert.ok(outcome.out === "" || outcome.out.endsWith("\n"));
  return outcome.out.split("\n").slice(0, -1).sort();
}

/** Every file below a folder with its text, as /data/…, or only those that `wanted` chooses. */
function texts(folder: string, wanted: (name: string) => boolean = () => true): [string, string][] {
  return (fs.readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => wanted(name) && fs.lstatSync(path.join(folder, name)).isFile())
    .map((name) => [`/data/${name}`, fs.readFileSync(path.join(folder, name), "utf8")]);
}

const visible = (name: string): boolean => !/(^|\/)\./.test(name);

/** The search in JavaScript: `file:line number:line` for every line that `matches` takes. */
function search(files: [string, string][], matches: (line: string) => boolean): string[] {
  return files.flatMap(([name, text]) =>
    text.replace(/\n$/, "").split("\n")
      .flatMap((line, i) => text !== "" && matches(line) ? [`${name}:${i + 1}:${line}`] : [])
  ).sort();
}

const words = [
  "needle",
  "Needle",
  "needles",
  "hay",
  "straw",
  "nädel",
  "НЕДЛЕ",
  "a.b",
  "axb",
  "(1)",
];

/** 120 files in nested folders, two of them hidden, their lines made of the words above. */
function haystack(): string {
  const folder = scratch("wasi-ripgrep");
  let state = 1;
  const next = (below: number): number => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  for (const [i, sub] of ["", "sub", "sub/dëep/er", ".hidden", "sub/.hidden"].entries()) {
    fs.mkdirSync(path.join(folder, sub), { recursive: true });
    for (let n = 0; n < 24; n++) {
      const rows = Array.from(
        { length: next(20) },
        () => Array.from({ length: next(6) }, () => words[next(words.length)]).join(" "),
      );
      const name = `${i}-${n}.${["txt", "md", "rs"][n % 3]}`;
      fs.writeFileSync(path.join(folder, sub, name), rows.map((row) => row + "\n").join(""));
    }
  }
  return folder;
}

test("ripgrep finds the lines that a search in JavaScript finds", options, async () => {
  const folder = haystack();
  const files = texts(folder, visible);
  assert.equal(files.length, 72);
  const searches: [string[], (line: string) => boolean][] = [
    [["needle"], (line) => line.includes("needle")],
    [["-i", "needle"], (line) => /needle/i.test(line)],
    [["-i", "недле"], (line) => line.includes("НЕДЛЕ")],
    [["-w", "needle"], (line) => line.split(" ").includes("needle")],
    [["-v", "needle"], (line) => !line.includes("needle")],
    [["-x", "hay straw"], (line) => line === "hay straw"],
    [["a.b"], (line) => /a.b/.test(line)],
    [["-F", "a.b"], (line) => line.includes("a.b")],
    [["-F", "(1)"], (line) => line.includes("(1)")],
    [["-e", "nädel", "-e", "straw$"], (line) => /nädel|straw$/.test(line)],
    [["^\\p{Lu}+( |$)"], (line) => /^\p{Lu}+( |$)/u.test(line)],
  ];
  for (const [args, matches] of searches) {
    const expected = search(files, matches);
    assert.notEqual(expected.length, 0, args.join(" "));
    assert.deepEqual(lines(await rg(folder, ["-n", ...args, "/data"])), expected, args.join(" "));
  }
});

test("ripgrep counts matches and lists files with and without them", options, async () => {
  const folder = haystack();
  const files = texts(folder, visible);
  const count = (text: string) => text.split("\n").filter((line) => line.includes("needle")).length;
  const hit = files.filter(([, text]) => count(text) > 0);
  const miss = files.filter(([, text]) => count(text) === 0);
  assert.ok(hit.length > 0 && miss.length > 0);
  const names = (found: [string, string][]) => found.map(([name]) => name).sort();
  const counts = hit.map(([name, text]) => `${name}:${count(text)}`).sort();
  assert.deepEqual(lines(await rg(folder, ["-c", "needle", "/data"])), counts);
  assert.deepEqual(lines(await rg(folder, ["-l", "needle", "/data"])), names(hit));
  const without = await rg(folder, ["--files-without-match", "needle", "/data"]);
  assert.deepEqual(lines(without), names(miss));
});

test("ripgrep prints only the matches, replaced", options, async () => {
  const folder = haystack();
  const expected = texts(folder, visible).flatMap(([name, text]) =>
    [...text.matchAll(/(n[eä]+d)(l?e)/g)].map((match) => `${name}:${match[2]}-${match[1]}`)
  );
  const found = await rg(folder, ["-o", "(n[eä]+d)(l?e)", "-r", "$2-$1", "/data"]);
  assert.deepEqual(lines(found), expected.sort());
});

test("ripgrep lists files by their hiddenness, depth, size and globs", options, async () => {
  const folder = haystack();
  fs.writeFileSync(path.join(folder, "large.txt"), "x".repeat(5000));
  const list = (wanted: (name: string) => boolean): string[] =>
    texts(folder, wanted).map(([name]) => name).sort();
  const size = (name: string): number => fs.statSync(path.join(folder, name)).size;
  const shown = (wanted: (name: string) => boolean) => (name: string) =>
    visible(name) && wanted(name);
  const listings: [string[], (name: string) => boolean][] = [
    [[], visible],
    [["--hidden"], () => true],
    [["--max-depth", "1"], shown((name) => !name.includes("/"))],
    [["--max-filesize", "100"], shown((name) => size(name) <= 100)],
    [["-g", "*.md"], shown((name) => name.endsWith(".md"))],
    [["-g", "!**/sub/**"], shown((name) => !name.startsWith("sub/"))],
    [["-g", "*.none"], () => false],
    [["-g", "**/dëep/**"], shown((name) => name.includes("/dëep/"))],
    [["-t", "rust"], shown((name) => name.endsWith(".rs"))],
    [["-T", "rust", "-T", "md"], shown((name) => name.endsWith(".txt"))],
  ];
  for (const [args, wanted] of listings) {
    const expected = list(wanted);
    const found = await rg(folder, [...args, "--files", "/data"], {}, expected.length > 0 ? 0 : 1);
    assert.deepEqual(lines(found), expected, args.join(" "));
  }
});

test("ripgrep sorts files by path, folder by folder", options, async () => {
  const folder = haystack();
  const parts = (name: string) => name.split("/").map((part) => Buffer.from(part));
  const compare = (one: string, two: string): number => {
    const [a, b] = [parts(one), parts(two)];
    const at = a.findIndex((part, i) => b[i] === undefined || !part.equals(b[i]));
    return Buffer.compare(a[at] ?? Buffer.alloc(0), b[at] ?? Buffer.alloc(0));
  };
  const expected = texts(folder).map(([name]) => name).sort(compare);
  const { out } = await rg(folder, ["--files", "--hidden", "--sort", "path", "/data"]);
  assert.deepEqual(out.trimEnd().split("\n"), expected);
});

test("ripgrep obeys ignore files on the way down", options, async () => {
  const folder = scratch("wasi-ripgrep");
  const write = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  };
  const names = [
    "a.log",
    "a.txt",
    "build/x.txt",
    "sub/a.log",
    "sub/kept.log",
    "sub/b.tmp",
    "sub/ü.txt",
  ];
  for (const name of names) write(name, "match\n");
  write(".gitignore", "*.log\n/build/\n");
  write("sub/.gitignore", "!kept.log\n");
  write("sub/.ignore", "*.tmp\n");
  fs.mkdirSync(path.join(folder, ".git"));
  const found = async (...args: string[]) =>
    lines(await rg(folder, ["-l", ...args, "match", "/data"]));
  const expected = (...kept: string[]) => kept.map((name) => `/data/${name}`).sort();
  assert.deepEqual(await found(), expected("a.txt", "sub/kept.log", "sub/ü.txt"));
  assert.deepEqual(await found("--no-ignore"), expected(...names));
  assert.deepEqual(
    await found("--no-ignore-vcs"),
    expected(...names.filter((name) => name !== "sub/b.tmp")),
  );
});

test("ripgrep searches standard input", options, async () => {
  const folder = scratch("wasi-ripgrep");
  const rows = Array.from({ length: 50_000 }, (_, i) => `row ${i} größe ${i % 7}\n`);
  const { out } = await rg(folder, ["größe 3", "-"], { input: rows.join("") });
  assert.equal(out, rows.filter((_, i) => i % 7 === 3).join(""));
  const { out: nothing } = await rg(folder, ["anything", "-"], { input: "" }, 1);
  assert.equal(nothing, "");
});

test("ripgrep's exit code tells matches, no matches and errors apart", options, async () => {
  const folder = haystack();
  assert.equal((await rg(folder, ["-q", "needle", "/data"])).out, "");
  assert.equal((await rg(folder, ["nowhere", "/data"], {}, 1)).err, "");
  assert.match((await rg(folder, ["(", "/data"], {}, 2)).err, /unclosed group/);
  const missing = await rg(folder, ["needle", "/data/missing"], {}, 2);
  assert.match(missing.err, /^rg: \/data\/missing: .*No such file or directory/);
  // A file given although it is not one of the folders that the guest may see.
  const outside = await rg(folder, ["needle", "/etc/passwd"], {}, 2);
  assert.match(outside.err, /^rg: \/etc\/passwd: /);
});

test("ripgrep's JSON gives the byte offsets of every match", options, async () => {
  const folder = haystack();
  const events = (await rg(folder, ["--json", "n[eä]+dle?", "/data"])).out.trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  const found = events.filter((event) => event.type === "match").flatMap(({ data }) => {
    const bytes = fs.readFileSync(path.join(folder, data.path.text.slice("/data/".length)));
    return data.submatches.map((sub: { start: number; end: number; match: { text: string } }) => {
      const at = data.absolute_offset;
      assert.equal(bytes.toString("utf8", at + sub.start, at + sub.end), sub.match.text);
      return `${data.path.text}@${at + sub.start}`;
    });
  });
  const expected = texts(folder, visible).flatMap(([name, text]) =>
    [...text.matchAll(/n[eä]+dle?/g)].map((m) =>
      `${name}@${Buffer.byteLength(text.slice(0, m.index))}`
    )
  );
  assert.deepEqual(found.sort(), expected.sort());
  assert.equal(events.at(-1).data.stats.matches, expected.length);
});

test("ripgrep shows the lines around a match", options, async () => {
  const folder = scratch("wasi-ripgrep");
  const rows = Array.from({ length: 100 }, (_, i) => `line ${i + 1}`);
  fs.writeFileSync(path.join(folder, "f"), rows.join("\n"));
  const { out } = await rg(folder, ["-n", "-B", "2", "-A", "1", "line (10|50)$", "/data/f"]);
  const block = (at: number) =>
    [at - 2, at - 1, at, at + 1].map((n) => `${n}${n === at ? ":" : "-"}line ${n}\n`).join("");
  assert.equal(out, `${block(10)}--\n${block(50)}`);
});

test("ripgrep tells binary and UTF-16 files from text", options, async () => {
  const folder = scratch("wasi-ripgrep");
  fs.writeFileSync(path.join(folder, "binary"), "match\0match\n");
  fs.writeFileSync(path.join(folder, "utf16"), Buffer.from("\ufeffein mätch\n", "utf16le"));
  fs.writeFileSync(path.join(folder, "text"), "a match\n");
  assert.deepEqual(lines(await rg(folder, ["m[aä]tch", "/data"])), [
    "/data/text:a match",
    "/data/utf16:ein mätch",
  ]);
  const all = lines(await rg(folder, ["-a", "match", "/data"]));
  assert.deepEqual(all, ["/data/binary:match\0match", "/data/text:a match"]);
});

test("ripgrep finds the last line of a 16 MB file", options, async () => {
  const folder = scratch("wasi-ripgrep");
  const filler = "nothing to see on this line of the file\n".repeat(420_000);
  assert.ok(filler.length > 16 * 1024 * 1024);
  fs.writeFileSync(path.join(folder, "big"), `${filler}the needle\n`);
  const { out } = await rg(folder, ["-nbo", "needle", "/data/big"]);
  assert.equal(out, `420001:${filler.length + "the ".length}:needle\n`);
});

test("ripgrep follows symbolic links to files when told to", options, async () => {
  const folder = scratch("wasi-ripgrep");
  fs.mkdirSync(path.join(folder, "sub"));
  fs.writeFileSync(path.join(folder, "file"), "match\n");
  fs.symlinkSync("../file", path.join(folder, "sub/link"));
  assert.deepEqual(lines(await rg(folder, ["match", "/data"])), ["/data/file:match"]);
  assert.deepEqual(lines(await rg(folder, ["-L", "match", "/data"])), [
    "/data/file:match",
    "/data/sub/link:match",
  ]);
  assert.equal((await rg(folder, ["match", "/data/sub/link"])).out, "match\n");
});

test("ripgrep searches the current folder, be it preopened as . or as /", options, async () => {
  const folder = scratch("wasi-ripgrep");
  fs.mkdirSync(path.join(folder, "sub"));
  fs.writeFileSync(path.join(folder, "sub/f"), "match\n");
  for (const name of [".", "/"]) {
    const preopens = { [name]: folder };
    assert.equal((await rg(folder, ["match"], { preopens })).out, "sub/f:match\n", name);
    assert.equal((await rg(folder, ["match", "./sub"], { preopens })).out, "./sub/f:match\n", name);
  }
});

test("ripgrep keeps several preopened folders apart", options, async () => {
  const [one, two] = [scratch("wasi-ripgrep"), scratch("wasi-ripgrep")];
  fs.writeFileSync(path.join(one, "f"), "match one\n");
  fs.writeFileSync(path.join(two, "f"), "match two\n");
  const preopens = { "/a": one, "/a/b": two };
  assert.deepEqual(lines(await rg(one, ["match", "/a/b", "/a"], { preopens })), [
    "/a/b/f:match two",
    "/a/f:match one",
  ]);
});

test("ripgrep reads its configuration and its patterns from files", options, async () => {
  const folder = scratch("wasi-ripgrep");
  fs.writeFileSync(path.join(folder, "f"), "First\nsecond\nthird\n");
  fs.mkdirSync(path.join(folder, "conf"));
  fs.writeFileSync(path.join(folder, "conf/rc"), "--ignore-case\n--line-number\n");
  fs.writeFileSync(path.join(folder, "conf/patterns"), "FIRST\nTHIRD\n");
  const env = { RIPGREP_CONFIG_PATH: "/data/conf/rc" };
  const found = await rg(folder, ["-f", "/data/conf/patterns", "/data/f"], { env });
  assert.equal(found.out, "1:First\n3:third\n");
  await rg(folder, ["-f", "/data/conf/patterns", "/data/f"], {}, 1);
});

test("ripgrep searches a real package as JavaScript does", options, async () => {
  const folder = path.join(root, "node_modules/@types/node");
  const files = texts(folder, visible);
  const expected = search(files, (line) => /^\s*(interface|class) \w*Stream\w*/.test(line));
  assert.ok(files.length > 50 && expected.length > 10);
  const pattern = "^\\s*(interface|class) \\w*Stream\\w*";
  assert.deepEqual(lines(await rg(folder, ["-nu", pattern, "/data"])), expected);
});
