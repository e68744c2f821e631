/** Escapes and the race, on the macOS backend. */
import { escapes } from "../sandbox/escapes.ts";
import { race } from "../sandbox/race.ts";
import { darwins } from "../support/darwin.ts";

/** How long each race runs, in milliseconds. */
const DURATION = 2000;

for (const darwin of darwins) {
  escapes.on(darwin);
  darwin.test("a swapped directory leads nowhere", { timeout: DURATION + 60_000 }, async () => {
    await race(darwin.way, DURATION);
  });
}
