/**
 * Writes docs/status.md: what every function of WASI answered in the tests of tests/guests, on
 * each runtime.
 *
 *   node scripts/status.mjs           after scripts/build.mjs, for Node 20
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { machineNode, programOf, root } from "./runtimes.mjs";

const folders = ["tests/guests"];
const files = folders.flatMap((folder) =>
  fs.readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${folder}/${name}`)
);
const compiled = files.map((file) => `build/${file.replace(/\.ts$/, ".js")}`);
const runtimes = {
  "Node 26": [programOf("node26"), ["--test", "--test-concurrency=2", ...files]],
  Deno: [programOf("deno"), ["test", "-A", "--no-check", ...files]],
  Bun: [programOf("bun"), ["test", ...files.map((file) => `./${file}`)]],
  "Node 20": [machineNode, ["--test", "--test-concurrency=2", ...compiled]],
};

const table = fs.readFileSync(path.join(root, "core/preview1/table.ts"), "utf8");
const names = [...table.matchAll(/^ {2}(\w+): \{/gm)].map(([, name]) => name);
const functions = [...names, "proc_exit"].sort();
if (functions.length !== 46) throw new Error(`there are ${functions.length} functions, not 46`);

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "status-"));
const answers = {};
for (const [runtime, [program, words]] of Object.entries(runtimes)) {
  const file = path.join(temporary, runtime.replace(" ", ""));
  fs.writeFileSync(file, "");
  const { status } = spawnSync(program, words, {
    cwd: root,
    env: { ...process.env, WASI_STATUS: file, NODE_NO_WARNINGS: "1" },
    stdio: "ignore",
  });
  console.log(`${runtime}: ${status === 0 ? "passed" : "failed"}`);
  if (status !== 0) process.exitCode = 1;
  answers[runtime] = {};
  for (const line of fs.readFileSync(file, "utf8").trim().split("\n")) {
    const [name, answer] = line.split(" ");
    (answers[runtime][name] ??= new Set()).add(answer);
  }
}
fs.rmSync(temporary, { recursive: true });

/** What one function answered on one runtime. */
function cell(runtime, name) {
  const seen = answers[runtime][name] ?? new Set();
  if (seen.has("SUCCESS")) return "yes";
  return seen.size === 0 ? "–" : [...seen].sort().join(", ");
}

const rows = functions.map((name) => {
  const errnos = new Set(Object.values(answers).flatMap((seen) => [...seen[name] ?? []]));
  errnos.delete("SUCCESS");
  const cells = Object.keys(runtimes).map((runtime) => cell(runtime, name));
  return `| \`${name}\` | ${cells.join(" | ")} | ${[...errnos].sort().join(", ")} |`;
});
fs.writeFileSync(
  path.join(root, "docs/status.md"),
  `# The functions, and what they answered

\`node scripts/status.mjs\` writes this table, from a run of the tests in ${
    folders.join(", ")
  } on each runtime.
A runtime's column says "yes" for a function that succeeded at least once, and lists its errnos otherwise. The last
column lists the errnos of its failures on any runtime. \`proc_raise\` has nobody to signal and answers \`NOSYS\`.
Sockets need foreign functions, which Node 20 does not have.

| function | ${Object.keys(runtimes).join(" | ")} | errnos seen |
|---|${Object.keys(runtimes).map(() => "---|").join("")}---|
${rows.join("\n")}
`,
);
