/** A short round of scripts/fuzz.ts, the same calls each time. */
import fs from "node:fs";
import { test } from "node:test";
import { fuzz } from "../support/fuzz.ts";
import { ways } from "../support/hosts.ts";

for (const [name, way] of ways) {
  test(`20,000 hostile calls get errnos and change nothing outside (${name})`, {
    timeout: 120_000,
  }, () => {
    const stdin = fs.openSync("/dev/null", "r+");
    try {
      for (const seed of [1, 2]) fuzz(seed, 10_000, { way, stdin, values: seed === 2 });
    } finally {
      fs.closeSync(stdin);
    }
  });
}
