/** What the runtimes' own permissions leave of it. Each case is a process of its own. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { mod, root, runRuntime, runtime, scratch } from "../support/harness.ts";

const folder = scratch("permissions");
const data = path.join(folder, "data");
fs.mkdirSync(data);
fs.writeFileSync(path.join(data, "file"), "hello");
fs.writeFileSync(path.join(folder, "secret"), "secret");
fs.symlinkSync("../secret", path.join(data, "out"));

/** Runs a script with flags; it has `WASI`, `folder` and a function `attempt(path, oflags, rights)`. */
function run(flags: string[], body: string): { status: number | null; out: unknown; err: string } {
  const script = path.join(folder, "script.mjs");
  fs.writeFileSync(
    script,
    `import { WASI } from ${JSON.stringify(mod)};
    const folder = ${JSON.stringify(data)};
    const memory = new WebAssembly.Memory({ initial: 1 });
    function start(options) {
      const wasi = new WASI({ version: "preview1", preopens: { "/": folder }, ...options });
      wasi.finalizeBindings({ exports: {} }, { memory });
      return wasi;
    }
    function attempt(wasi, path, oflags, rights) {
      new Uint8Array(memory.buffer).set(new TextEncoder().encode(path), 100);
      return wasi.wasiImport.path_open(3, 1, 100, path.length, oflags, rights, 0n, 0, 8);
    }
    ${body}`,
  );
  const { status, stdout, stderr } = runRuntime([...flags, script], folder);
  return { status, out: status === 0 ? JSON.parse(stdout) : stdout, err: stderr };
}

/** Flags that let the module itself be read, by runtime. */
const deno = ["run", "--no-prompt", "--no-lock", "--no-config"];
const READ_ALL = `
  const wasi = start();
  console.log(JSON.stringify([
    wasi.confinement, attempt(wasi, "file", 0, 2n), attempt(wasi, "out", 0, 2n),
    attempt(wasi, "new", 1, 64n), attempt(wasi, "file", 0, 64n), attempt(wasi, "../secret", 0, 2n),
  ]));`;

if (runtime === "deno") {
  test("with --allow-read of the directory alone a preopen works, read-only", () => {
    const { out, err } = run([...deno, `--allow-read=${data}`], READ_ALL);
    assert.deepEqual(out, ["checked", 0, 63, 2, 2, 63]);
    assert.equal(err, "");
    assert.equal(fs.existsSync(path.join(data, "new")), false);
  });

  test("with --allow-read and --allow-write of the directory files can be made", () => {
    const { out } = run([...deno, `--allow-read=${data}`, `--allow-write=${data}`], READ_ALL);
    assert.deepEqual(out, ["checked", 0, 63, 0, 0, 63]);
    assert.equal(fs.existsSync(path.join(data, "new")), true);
    fs.rmSync(path.join(data, "new"));
  });

  test("with all permissions but one directories are looked at, and used", () => {
    const all = ["read", "write", "env", "run", "net", "sys", "ffi"];
    for (const denied of ["ffi", "net", "sys"]) {
      const allowed = all.filter((name) => name !== denied).map((name) => `--allow-${name}`);
      for (const flags of [["--allow-all", `--deny-${denied}`], allowed]) {
        const { out, err } = run([...deno, ...flags], READ_ALL);
        const confinement = denied === "ffi" ? "checked" : "kernel";
        assert.deepEqual(out, [confinement, 0, 63, 0, 0, 63], `${flags}: ${err}`);
        fs.rmSync(path.join(data, "new"));
      }
    }
  });

  test("without permissions the import and a guest without directories work", () => {
    const { out, err } = run(
      deno,
      `
      const wasi = start({ preopens: {} });
      console.log(JSON.stringify([wasi.wasiImport.random_get(0, 8), wasi.wasiImport.clock_time_get(1, 0n, 16)]));
    `,
    );
    assert.deepEqual(out, [0, 0]);
    assert.equal(err, "");
  });

  test("what is denied is a clear error at construction", () => {
    const { out } = run(
      deno,
      `
      try {
        start();
      } catch (error) {
        console.log(JSON.stringify([error.code, error.message]));
      }`,
    );
    const [code, message] = out as [string, string];
    assert.equal(code, "UVWASI_EACCES");
    assert.match(message, /^UVWASI_EACCES, uvwasi_init: cannot open preopen "\/": .*--allow-read/);
  });

  test("--allow-ffi with --allow-read gives the kernel's confinement", () => {
    const { out } = run([...deno, "--allow-read", "--allow-ffi"], READ_ALL);
    assert.deepEqual((out as unknown[]).slice(0, 3), ["kernel", 0, 63]);
    fs.rmSync(path.join(data, "new"), { force: true });
  });
}

if (runtime === "node26" || runtime === "node20") {
  const permission = runtime === "node26" ? "--permission" : "--experimental-permission";
  test(`under Node's ${permission} a preopen that may be read works, read-only`, () => {
    const flags = [permission, `--allow-fs-read=${root}`, `--allow-fs-read=${folder}`];
    const { out, status, err } = run(["--disable-warning=ExperimentalWarning", ...flags], READ_ALL);
    assert.equal(status, 0, err);
    assert.deepEqual(out, ["checked", 0, 63, 2, 2, 63]);
  });
}

test("an insisted confinement that is not available is a clear error", () => {
  const insist = runtime === "node20"
    ? "start({ confinement: 'kernel' })"
    : "start({ confinement: 'kernel', ffi: false })";
  const flags = runtime === "deno" ? ["run", "-A", "--no-lock"] : [];
  const { out } = run(
    flags,
    `
    try {
      ${insist};
    } catch (error) {
      console.log(JSON.stringify([error.constructor.name, error.code, error.message]));
    }`,
  );
  const [name, code, message] = out as string[];
  assert.equal(name, "TypeError");
  assert.equal(code, "ERR_INVALID_ARG_VALUE");
  assert.match(
    message!,
    /^The property 'options\.confinement' is not available on .*: directories are confined by "walk" here\. Received 'kernel'$/,
  );
});
