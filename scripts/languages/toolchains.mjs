/**
 * Programs that many toolchains and packages make: something of each is run, and what it prints or
 * makes is compared with what its language or its documentation says.
 */
import fs from "node:fs";
import path from "node:path";
import { bindings } from "./toolchains/bindings.mjs";
import { commands } from "./toolchains/commands.mjs";
import { compiled } from "./toolchains/compiled.mjs";
import { embedders } from "./toolchains/embedders.mjs";
import { refused } from "./toolchains/refused.mjs";
import { makeTools, ranEmbedded } from "./toolchains/tools.mjs";
import { setUp } from "./toolchains/setup.mjs";
import { yowasp } from "./toolchains/yowasp.mjs";

const parts = { ...commands, ...yowasp, ...compiled, refused };

let home;

/** Runs the checks of a part one after the other, each in a folder of its own. */
async function ranChecks(part, runner) {
  const done = [];
  for (const [name, check] of Object.entries(parts[part])) {
    const folder = fs.mkdtempSync(path.join(home, "run-"));
    try {
      await check(makeTools({ home, folder, runner }));
      done.push({ name });
    } catch (error) {
      done.push({ name, text: `${error.stack ?? error}` });
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }
  return done;
}

export const toolchains = {
  name: "toolchains",
  title: "Programs of many toolchains",

  async setUp(cache) {
    home = path.join(cache, "toolchains");
    await setUp(home);
    return "see the table Toolchains";
  },

  parts() {
    return [...Object.keys(parts), ...Object.keys(bindings), ...Object.keys(embedders)];
  },

  async run(part, runner) {
    const done = part in parts
      ? await ranChecks(part, runner)
      : await ranEmbedded(part, { home, runner });
    return {
      passed: done.filter(({ text }) => text === undefined).length,
      skipped: 0,
      failed: done.filter(({ text }) => text !== undefined),
    };
  },
};
