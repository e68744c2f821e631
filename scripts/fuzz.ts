/**
 * Hostile calls without end: `node scripts/fuzz.ts [minutes] [first seed]`, with Node 26, Deno
 * (`deno run -A`) or Bun. Prints the seed of whatever goes wrong and stops.
 */
import fs from "node:fs";
import process from "node:process";
import { fuzz } from "../tests/support/fuzz.ts";
import { ways } from "../tests/support/hosts.ts";

const minutes = Number(process.argv[2] ?? 10);
const end = performance.now() + minutes * 60_000;
const stdin = fs.openSync("/dev/null", "r+");
let seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
let rounds = 0;
for (; performance.now() < end; seed++, rounds++) {
  for (const [name, way] of ways) {
    try {
      fuzz(seed, 20_000, { way, stdin, values: seed % 2 === 0 });
    } catch (error) {
      console.error(`with seed ${seed} on "${name}":`, error);
      process.exit(1);
    }
  }
}
console.log(`${rounds * ways.length * 20_000} calls, seeds up to ${seed - 1}: nothing found`);
