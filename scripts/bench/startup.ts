/**
 * What importing the module and making a WASI costs a process: the whole process, from start to
 * end, beside one that does nothing and one that uses `node:wasi`.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";

/** Milliseconds of a process, the best of the rounds. */
export interface Startup {
  empty: number;
  ours: number;
  builtin: number | undefined;
}

/** Measures; `module` is the file that exports `WASI`. */
export function measureStartup(module: string, rounds: number): Startup {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-startup-"));
  const make = 'new WASI({ version: "preview1", preopens: { "/": "." } });';
  const scripts = {
    empty: "",
    ours: `import { WASI } from ${JSON.stringify(module)}; ${make}`,
    builtin: `import { WASI } from "node:wasi"; ${make}`,
  };
  const best = { empty: Infinity, ours: Infinity, builtin: Infinity };
  for (const [name, text] of Object.entries(scripts)) {
    fs.writeFileSync(path.join(folder, `${name}.mjs`), text);
  }
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-lock", "--no-config"] : [];
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(scripts) as (keyof typeof scripts)[]) {
      const began = performance.now();
      const { status } = spawnSync(process.execPath, [...flags, path.join(folder, `${name}.mjs`)]);
      const took = performance.now() - began;
      if (status === 0) best[name] = Math.min(best[name], took);
    }
  }
  fs.rmSync(folder, { recursive: true, force: true });
  return { ...best, builtin: best.builtin === Infinity ? undefined : best.builtin };
}
