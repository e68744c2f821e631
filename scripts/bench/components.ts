/**
 * The same programs as modules of preview1 and, with jco's adapter, as components, by turns: each
 * makes one call in a loop. What a program takes that makes none is taken off.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import wabt from "wabt";
import { program, setUp, subjects } from "./calls.ts";

/** One row: nanoseconds a call, the best of the rounds. */
export interface ComponentRow {
  name: string;
  module: number;
  component: number;
}

// deno-lint-ignore no-explicit-any
type Run = (bytes: Uint8Array, options: any) => Promise<number>;

/** How often the loop of a subject is made, for its round to be longer than what begins a program. */
const TIMES = 5;

const script = fileURLToPath(new URL("../components.mjs", import.meta.url));

/** Measures all rows. */
export async function measureComponents(run: Run, rounds: number): Promise<ComponentRow[]> {
  const { parseWat } = await wabt();
  const folder = setUp();
  const rows: ComponentRow[] = [];
  for (const subject of subjects) {
    const programs = [TIMES * subject.count, 0].map((count) => {
      const module = parseWat("bench.wat", program(subject, count)).toBinary({}).buffer;
      const [from, to] = ["module.wasm", "component.wasm"].map((name) => path.join(folder, name));
      fs.writeFileSync(from!, module);
      execFileSync("node", [script, "new", from!, to!]);
      return { module: fs.readFileSync(from!), component: fs.readFileSync(to!) };
    });
    const options = { preopens: { "/": folder }, stdin: null };
    const best = programs.map(() => ({ module: Infinity, component: Infinity }));
    for (let round = 0; round < rounds; round++) {
      for (const [i, made] of programs.entries()) {
        for (const kind of ["module", "component"] as const) {
          const began = performance.now();
          await run(made[kind], options);
          best[i]![kind] = Math.min(best[i]![kind], performance.now() - began);
        }
      }
    }
    const each = (kind: "module" | "component"): number =>
      Math.max(0, best[0]![kind] - best[1]![kind]) * 1e6 / (TIMES * subject.count);
    rows.push({ name: subject.name, module: each("module"), component: each("component") });
  }
  fs.rmSync(folder, { recursive: true, force: true });
  return rows;
}
