/**
 * What a runtime was told to deny stays denied where foreign functions are allowed, which the
 * runtime's permissions do not reach. Each case is a process of its own.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { foreign, mod, root, runRuntime, runtime, scratch } from "../support/harness.ts";

const folder = scratch("denied");
const data = path.join(folder, "data");
const link = path.join(folder, "link");
fs.mkdirSync(path.join(data, "sub"), { recursive: true });
fs.symlinkSync("data", link);
fs.symlinkSync("sub", path.join(data, "inside"));

const FRESH = ["new", "sub/new", "made"];

/** What a guest gets of a preopen: by the class, by host(), and through an overlay. */
const SCRIPT = `
  import { host, overlay, WASI } from ${JSON.stringify(mod)};
  const [place, confinement] = process.argv.slice(2);
  const memory = new WebAssembly.Memory({ initial: 1 });
  function guest(make) {
    let wasi;
    try {
      wasi = new WASI({ version: "preview1", preopens: { "/": make() }, confinement });
    } catch (error) {
      return error.code + " " + error.message;
    }
    wasi.finalizeBindings({ exports: {} }, { memory });
    const put = (path) => new Uint8Array(memory.buffer).set(new TextEncoder().encode(path), 100);
    const open = (path, oflags, rights) => {
      put(path);
      return wasi.wasiImport.path_open(3, 1, 100, path.length, oflags, rights, 0n, 0, 8);
    };
    put("made");
    const made = wasi.wasiImport.path_create_directory(3, 100, 4);
    return {
      confinement: wasi.confinement,
      reads: ["file", "sub/file", "inside/file"].map((path) => open(path, 0, 2n)),
      writes: [["file", 0], ["sub/file", 0], ["inside/file", 0], ["new", 1], ["sub/new", 1]]
        .map(([path, oflags]) => open(path, oflags, 64n)).concat(made),
    };
  }
  const options = confinement === undefined ? {} : { confinement };
  const seen = [guest(() => place), guest(() => host(place, options))];
  let over;
  try {
    over = overlay(host(place, options));
    over.mkdir("made");
    over.commit();
  } catch (error) {
    over = error.code;
  }
  console.log(JSON.stringify([...seen, typeof over === "string" ? over : "committed"]));
`;

interface Seen {
  confinement: string;
  reads: number[];
  writes: number[];
}

/** Runs a guest on a fresh folder and gives what it saw, the same by all ways, and what it left. */
function look(flags: string[], place = data, confinement?: string) {
  for (const name of FRESH) fs.rmSync(path.join(data, name), { recursive: true, force: true });
  fs.writeFileSync(path.join(data, "file"), "hello");
  fs.writeFileSync(path.join(data, "sub", "file"), "secret");
  const script = path.join(folder, "script.mjs");
  fs.writeFileSync(script, SCRIPT);
  const words = confinement === undefined ? [place] : [place, confinement];
  const { stdout, stderr } = runRuntime([...flags, script, ...words], folder);
  assert.notEqual(stdout, "", `${flags}: ${stderr}`);
  const [one, other, over] = JSON.parse(stdout) as [Seen | string, Seen | string, string];
  const made = FRESH.filter((name) => fs.existsSync(path.join(data, name)));
  return { one, other, over, made };
}

const READ_ONLY = { confinement: "kernel", reads: [0, 0, 0], writes: [69, 69, 69, 69, 69, 69] };

function assertReadOnly(flags: string[], place?: string): void {
  const { one, other, over, made } = look(flags, place);
  assert.deepEqual(one, READ_ONLY, `${flags}`);
  assert.deepEqual(other, READ_ONLY, `${flags}`);
  assert.equal(over, "EROFS", `${flags}`);
  assert.deepEqual(made, [], `${flags}`);
}

function assertRefused(flags: string[], place?: string): void {
  const { one, other, over, made } = look(flags, place);
  assert.match(String(one), /^UVWASI_EACCES .*permissions of .* do not allow all of .*"checked"/);
  assert.match(String(other), /^EACCES .*permissions of .* do not allow all of .*"checked"/);
  assert.equal(over, "EACCES", `${flags}`);
  assert.deepEqual(made, [], `${flags}`);
}

function assertFull(flags: string[], place?: string, confinement = "kernel"): void {
  const { one, other, made } = look(flags, place);
  assert.deepEqual(one, { confinement, reads: [0, 0, 0], writes: [0, 0, 0, 0, 0, 0] });
  // the second finds what the first made
  assert.deepEqual(other, { confinement, reads: [0, 0, 0], writes: [0, 0, 0, 0, 0, 20] });
  assert.deepEqual(made, FRESH);
}

const sub = path.join(data, "sub");

test("where nothing is denied all can be used", () => {
  const flags = runtime === "deno" ? ["run", "-A", "--no-lock", "--no-config"] : [];
  assertFull(flags, data, foreign ? "kernel" : "walk");
});

if (runtime === "deno") {
  const deno = ["run", "--no-prompt", "--no-lock", "--no-config"];

  test("what may not be written as a whole is read-only", () => {
    for (const denied of [data, sub, path.join(sub, "file"), folder]) {
      for (const place of [data, link]) {
        assertReadOnly([...deno, "-A", `--deny-write=${denied}`], place);
      }
    }
    assertReadOnly([...deno, "-A", `--deny-write=${link}`], link);
    assertReadOnly([...deno, "-A", "--deny-write"]);
    assertReadOnly([...deno, "--allow-read", "--allow-ffi"]);
    assertReadOnly([...deno, "--allow-read", "--allow-ffi", `--allow-write=${sub}`]);
  });

  test("what may not be read as a whole is refused", () => {
    for (const denied of [data, sub, path.join(sub, "file"), folder]) {
      for (const place of [data, link]) {
        assertRefused([...deno, "-A", `--deny-read=${denied}`], place);
      }
    }
    const rest = [`--allow-read=${root},${sub}`, "--allow-write", "--allow-ffi"];
    assertRefused([...deno, ...rest]);
  });

  test("what may be read and written as a whole is used by the kernel's ways", () => {
    assertFull([...deno, "-A", `--deny-read=${root}/.git`, `--deny-write=${root}`]);
    const both = [`--allow-read=${root},${data}`, `--allow-write=${data}`];
    assertFull([...deno, ...both, "--allow-ffi"]);
  });

  test("confined by checked, the runtime decides on each file", () => {
    const { one } = look([...deno, "-A", `--deny-read=${sub}`], data, "checked");
    const { confinement, reads } = one as Seen;
    assert.equal(confinement, "checked");
    assert.deepEqual(reads, [0, 2, 2]);
    const { one: other } = look([...deno, "-A", `--deny-write=${sub}`], data, "checked");
    assert.deepEqual((other as Seen).reads, [0, 0, 0]);
    assert.deepEqual((other as Seen).writes, [0, 2, 2, 0, 2, 0]);
  });
}

if (runtime === "node26") {
  const node = ["--permission", "--allow-ffi", "--disable-warning=SecurityWarning"];
  const scripts = [`--allow-fs-read=${root}`, `--allow-fs-read=${folder}/script.mjs`];

  test("what Node's permissions do not let be written is read-only", () => {
    assertReadOnly([...node, "--allow-fs-read=*"]);
    assertReadOnly([...node, "--allow-fs-read=*", `--allow-fs-write=${sub}`]);
    assertReadOnly([...node, ...scripts, `--allow-fs-read=${data}`]);
    assertReadOnly([...node, "--allow-fs-read=*", `--allow-fs-write=${link}`], link);
  });

  test("what they do not let be read is refused", () => {
    assertRefused([...node, ...scripts]);
    assertRefused([...node, ...scripts, `--allow-fs-read=${sub}`, "--allow-fs-write=*"]);
    assertRefused([...node, ...scripts, `--allow-fs-read=${link}`], link);
  });

  test("what they let be read and written is used by the kernel's ways", () => {
    assertFull([...node, "--allow-fs-read=*", "--allow-fs-write=*"]);
    assertFull([...node, ...scripts, `--allow-fs-read=${data}`, `--allow-fs-write=${data}`]);
  });
}

if (runtime === "deno") {
  test("without foreign functions /proc is no way around what is denied in part", () => {
    const script = path.join(folder, "proc.mjs");
    fs.writeFileSync(path.join(sub, "file"), "secret");
    fs.writeFileSync(
      script,
      `import { host } from ${JSON.stringify(mod)};
      const directory = host(${JSON.stringify(data)}, { ffi: false });
      const opened = directory.open("sub/file", 1, 0);
      const seen = [directory.confinement, opened, directory.mkdir("denied")];
      console.log(JSON.stringify(seen));`,
    );
    const denied = [`--deny-read=${sub}`, `--deny-write=${data}`];
    const flags = ["run", "--no-prompt", "--no-lock", "--no-config", "-A", ...denied];
    const { stdout, stderr } = runRuntime([...flags, script], folder);
    assert.notEqual(stdout, "", stderr);
    assert.deepEqual(JSON.parse(stdout), ["checked", -2, -2]);
    assert.equal(fs.existsSync(path.join(data, "denied")), false);
  });
}
