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
import { parseCommand } from "./cli/arguments.ts";
import { CommandError, forbidden, UsageError } from "./cli/error.ts";
import { compile, load } from "./cli/load.ts";
import type { Command } from "./cli/options.ts";
import { commandWords, exit, say } from "./cli/runtime.ts";
import { meantWords } from "./cli/words.ts";
import { harmless } from "./core/text.ts";

const VERSION = "0.1.0";

/** Does what the words say; gives the exit code. */
async function main(given: string[]): Promise<number> {
  const { words, parent } = meantWords(given);
  const command = await parseCommand(words);
  switch (command.action) {
    case "help": {
      const { help } = await import("./cli/help.ts");
      await say(help);
      return 0;
    }
    case "version":
      await say(`wasi ${VERSION}\n`);
      return 0;
    case "completion": {
      const { completion } = await import("./cli/completion.ts");
      await say(completion(command.file));
      return 0;
    }
    case "inspect": {
      const program = await load(command.file);
      if (program.component) {
        const { inspectComponent } = await import("./cli/component.ts");
        await say(await inspectComponent(command.file, program.bytes));
        return 0;
      }
      const { inspect } = await import("./cli/inspect.ts");
      await say(inspect(command.file, program));
      return 0;
    }
    case "run": {
      if (command.timeout === undefined) return await runNow(command);
      const { endWithParent, runTimed } = await import("./cli/timeout.ts");
      if (parent === undefined) return await runTimed(import.meta.url, words, command.timeout);
      endWithParent(parent);
      return await runNow(command);
    }
  }
}

/** Runs the program: it compiles while the system calls are loaded. */
async function runNow(command: Command): Promise<number> {
  const { file, maxMemory } = command;
  const [program, { run }] = await Promise.all([
    compile(file, load(file), maxMemory),
    import("./cli/run.ts"),
  ]);
  if (program.module !== undefined) return run(command, program.module, program.bytes);
  const { runFile } = await import("./cli/component.ts");
  return runFile(command, program.bytes);
}

// no await at the top: CommonJS has none
main(commandWords()).then(exit, (error) => {
  const message = error instanceof CommandError ? error.message : forbidden(error);
  if (message === undefined) throw error;
  console.error(`wasi: ${harmless(message)}`);
  exit(error instanceof UsageError ? 2 : 1);
});
