#!/usr/bin/env node
/**
 * The command `wasi`: runs a program compiled to WebAssembly in a sandbox.
 *
 *   deno run -A jsr:@x/wasi/cli --dir . program.wasm
 *   npx @x/wasi --dir . program.wasm
 *   bunx @x/wasi --dir . program.wasm
 *
 * `wasi --help` lists its options.
 *
 * @module
 */
import process from "node:process";
import { CommandError, parseCommand } from "./cli/arguments.ts";
import { load } from "./cli/load.ts";
import { exit, run, say } from "./cli/run.ts";

const VERSION = "0.1.0";

/** Does what the words say; gives the exit code. */
async function main(words: string[]): Promise<number> {
  const command = parseCommand(words);
  switch (command.action) {
    case "help": {
      const { help } = await import("./cli/help.ts");
      say(help);
      return 0;
    }
    case "version":
      say(`wasi ${VERSION}\n`);
      return 0;
    case "inspect": {
      const { inspect } = await import("./cli/inspect.ts");
      say(inspect(command.file, await load(command.file)));
      return 0;
    }
    case "run": {
      if (command.timeout === undefined) return await run(command, await load(command.file));
      const { isTimed, runTimed } = await import("./cli/timeout.ts");
      if (isTimed()) return await run(command, await load(command.file));
      return await runTimed(words, command.timeout);
    }
  }
}

try {
  exit(await main(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(`wasi: ${error.message}`);
  exit(1);
}
