/**
 * rolldown (a bundler in Rust, napi-rs): resolves, parses and bundles modules on several threads.
 * It runs unpatched under the preload, over our class, in a process of its own; what it makes is
 * run, and must print what the modules together say.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { root, runtime, scratch } from "../support/harness.ts";

const suffix = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
const register = fileURLToPath(new URL(`../../adapters/register${suffix}`, import.meta.url));
const MODULES = 100;

const SCRIPT = `
import fs from "node:fs";
import { WASI } from "node:wasi";
import { rolldown } from "rolldown";

const alive = setInterval(() => {}, 1000); // the binding keeps nothing alive on Deno
const loaded = [];
const plugin = {
  name: "marks",
  // calls back into this thread while others go on
  transform: (code, id) => { if (id.includes("/src/")) loaded.push(id); return code.replace("MARK", "seen"); },
};
const bundle = await rolldown({ input: "src/main.ts", plugins: [plugin] });
await bundle.write({ dir: "out", minify: true });
await bundle.close();
clearInterval(alive);
const maps = fs.readFileSync("/proc/self/maps", "utf8");
console.log(JSON.stringify({
  ours: "confinement" in WASI.prototype,
  native: maps.includes("rolldown-binding"),
  loaded: new Set(loaded).size,
}));
process.exit(0);
`;

test("rolldown bundles a hundred modules in threads, and the bundle runs", {
  timeout: 180_000,
}, () => {
  const folder = scratch("rolldown");
  fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  fs.writeFileSync(path.join(folder, "package.json"), `{ "type": "module" }`);
  fs.writeFileSync(path.join(folder, "script.mjs"), SCRIPT);
  fs.mkdirSync(path.join(folder, "src"));
  const numbers = Array.from({ length: MODULES }, (_, i) => i);
  for (const i of numbers) {
    fs.writeFileSync(
      path.join(folder, `src/m${i}.ts`),
      `export const n${i}: number = ${i};\nexport const unused${i} = "unused ${i}";\n`,
    );
  }
  const imports = numbers.map((i) => `import { n${i} } from "./m${i}.ts";\n`).join("");
  const sum = numbers.map((i) => `n${i}`).join(" + ");
  fs.writeFileSync(
    path.join(folder, "src/main.ts"),
    `${imports}interface Told { sum: number }\n` +
      `const told: Told = { sum: ${sum} };\nconsole.log("MARK", told.sum);\n`,
  );
  const flags = runtime === "deno"
    ? ["run", "-A", "--preload", register]
    : runtime === "bun"
    ? ["--preload", register]
    // Node 20 compiles memory.atomic.wait wrongly at first
    : [...(runtime === "node20" ? ["--no-liftoff"] : []), "--import", register];
  const env = {
    ...process.env,
    NAPI_RS_FORCE_WASI: "error", // or not at all
    NAPI_RS_ASYNC_WORK_POOL_SIZE: "2",
    NODE_NO_WARNINGS: "1",
  };
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, "script.mjs"], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { ours: true, native: false, loaded: MODULES + 1 });
  const bundle = path.join(folder, "out/main.js");
  assert.doesNotMatch(fs.readFileSync(bundle, "utf8"), /unused|MARK|interface/);
  const ran = spawnSync(process.execPath, [...(runtime === "deno" ? ["run"] : []), bundle], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  assert.equal(ran.stdout, `seen ${(MODULES - 1) * MODULES / 2}\n`, ran.stderr);
});
