import process from "node:process";
import { test } from "node:test";
import { ways } from "../support/hosts.ts";
import { race } from "./race.ts";

/** How long all races run together, in milliseconds. */
const DURATION = Number(process.env.WASI_RACE_MS ?? 10_000);

const kinds = ways.filter(([, way]) => way.confinement !== "checked");

for (const [kind, way] of kinds) {
  test(`a swapped directory leads nowhere (${kind})`, { timeout: DURATION + 60_000 }, async () => {
    await race(way, DURATION / kinds.length);
  });
}
