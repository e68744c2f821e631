/**
 * Runs the checks of one toolchain whose programs are used from JavaScript:
 *
 *   embedded.mjs CACHE PART
 *
 * A preload has put our class in the place of the one of `node:wasi`. A line tells of each check.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { WASI } from "node:wasi";
import { bindings, folders } from "./bindings.mjs";
import { embedders } from "./embedders.mjs";

const [home, part] = process.argv.slice(2);
const require = createRequire(path.join(home, "package.json"));
const older = createRequire(path.join(home, "older/package.json"));
const checks = { ...bindings, ...embedders }[part];

const told = (line) => console.log(`@@${JSON.stringify(line)}`);
const alive = setInterval(() => {}, 1000); // the bindings keep nothing alive on Deno

assert.ok("confinement" in WASI.prototype, "the preload has not replaced the class");
for (const [name, check] of Object.entries(checks)) {
  try {
    await check({ require, older, home });
    told({ name });
  } catch (error) {
    told({ name, text: `${error.stack ?? error}` });
  }
}
for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
told({ name: "(end)" });
clearInterval(alive);
process.exit(0);
