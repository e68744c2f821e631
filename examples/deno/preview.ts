/**
 * Shows what a program would change in a folder, and changes it if it is told to.
 *
 *   deno run -A preview.ts tool.wasm FOLDER [--commit] remove in.txt
 */
import { overlay, run } from "jsr:@x/wasi";

const [file = "tool.wasm", folder = ".", ...words] = Deno.args;
const commit = words[0] === "--commit";
const draft = overlay(folder);
const code = await run(await Deno.readFile(file), {
  args: ["tool", ...words.slice(commit ? 1 : 0)],
  preopens: { "/": draft },
  timeout: 10_000,
});
for (const { kind, path, from } of draft.changes()) {
  console.log(kind, from === undefined ? path : `${from} -> ${path}`);
}
if (commit && code === 0) draft.commit();
Deno.exitCode = code as number;
// prints: removed in.txt
