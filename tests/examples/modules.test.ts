/** docs/packages.md, "WebAssembly as a module": its files, as they stand there. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { guest } from "../support/command.ts";
import { root, runRuntime, runtime, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };

/** A folder with the page's files, where the package is this repository. */
function folder(): string {
  const cwd = scratch("wasi-modules");
  const page = fs.readFileSync(path.join(root, "docs/packages.md"), "utf8");
  for (const [, text, name] of page.matchAll(/^```js\n(\/\/ (\w+\.js)\n[^]*?)^```$/gm)) {
    fs.writeFileSync(path.join(cwd, name!), text!);
  }
  const map = /^```json\n(\{\n {2}"imports": [^]*?)^```$/m.exec(page)![1]!;
  const { imports } = JSON.parse(map) as { imports: Record<string, string> };
  const mod = pathToFileURL(path.join(root, "mod.ts")).href;
  fs.writeFileSync(
    path.join(cwd, "deno.json"),
    JSON.stringify({ imports: { ...imports, "@x/wasi": mod } }),
  );
  fs.mkdirSync(path.join(cwd, "node_modules/@x/wasi"), { recursive: true });
  fs.writeFileSync(
    path.join(cwd, "node_modules/@x/wasi/package.json"),
    '{ "type": "module", "exports": "./index.js" }',
  );
  fs.writeFileSync(path.join(cwd, "node_modules/@x/wasi/index.js"), `export * from "${mod}";`);
  fs.writeFileSync(path.join(cwd, "package.json"), '{ "type": "module" }');
  for (const name of ["show", "tool"]) fs.copyFileSync(guest(name), path.join(cwd, `${name}.wasm`));
  return cwd;
}

const deno = ["run", "-A", "--no-check"];
const node = ["--no-warnings"];

// the others cannot import programs
if (runtime === "node26" || runtime === "deno") {
  test("a program is imported as a source", options, () => {
    const flags = runtime === "deno" ? deno : node;
    const { status, stdout, stderr } = runRuntime([...flags, "source.js"], folder());
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "0\n", stderr: "" });
  });

  test("an import map or a hook gives a program its system calls", options, () => {
    const flags = runtime === "deno" ? deno : [...node, "--import", "./hooks.js"];
    const { status, stdout, stderr } = runRuntime([...flags, "main.js"], folder());
    assert.deepEqual({ status, stdout, stderr }, {
      status: 0,
      stdout: "[show]\n[a]\n0\n",
      stderr: "",
    });
  });
}
