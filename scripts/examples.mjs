/**
 * Takes the examples out of the documentation, so that they are compiled and run with the tests:
 * every block marked "ts" in README.md and docs/, and every @example of the sources. What is
 * marked "ts ignore" is for reading only.
 *
 * Each becomes a module in tests/examples/generated; `@x/wasi` is replaced by the sources, and
 * console.assert, which only prints, by an assertion that throws. What a console.log prints is checked
 * if the line ends with a comment that begins with "prints:".
 */
import fs from "node:fs";
import path from "node:path";
import { root } from "./runtimes.mjs";

const { exports } = JSON.parse(fs.readFileSync(path.join(root, "jsr.json"), "utf8"));
const folder = path.join(root, "tests/examples/generated");

function filesIn(place, extension) {
  const full = path.join(root, place);
  if (!fs.existsSync(full)) return [];
  if (!fs.statSync(full).isDirectory()) return [place];
  return fs.readdirSync(full, { recursive: true }).filter((name) => name.endsWith(extension))
    .map((name) => path.posix.join(place, name.replaceAll(path.sep, "/"))).sort();
}

/** The examples of a file: the line each begins at, and its text. */
function* examplesOf(file) {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  // in a comment each line begins with an asterisk
  for (const match of text.matchAll(/^( \*|   \*|) ?```ts\n([^]*?)^\1 ?```$/gm)) {
    const body = match[1] === ""
      ? match[2]
      : match[2].split("\n").map((line) => line.replace(/^ *\* ?/, "")).join("\n");
    yield { line: text.slice(0, match.index).split("\n").length, body };
  }
}

/** An example as a module of the tests. */
function moduleOf(body) {
  const code = body.replace(/"(?:jsr:)?@x\/wasi(\/[a-z0-9]+)?"/g, (_, entry = "") => {
    return JSON.stringify(path.posix.join("../../../", exports[`.${entry}`]));
  }).replaceAll("console.assert(", "assert(").replace(
    /^console\.log\((.*)\); \/\/ prints: (.*)$/gm,
    (_, values, printed) => `assert.equal([${values}].join(" "), ${JSON.stringify(printed)});`,
  );
  const assert = /\bassert[.(]/.test(code) ? 'import assert from "node:assert/strict";\n' : "";
  // declared, because each runtime's types are its own
  const deno = code.includes("Deno.") ? "declare const Deno: any;\n" : "";
  // so that what an example only shows counts as used
  const names = [...code.matchAll(/^(?:const|let|function|class) (\w+)/gm)].map((match) =>
    match[1]
  );
  return `// deno-lint-ignore-file\n${assert}${deno}${code}\nvoid [${
    names.join(", ")
  }];\nexport {};\n`;
}

fs.rmSync(folder, { recursive: true, force: true });
fs.mkdirSync(folder, { recursive: true });
let count = 0;
for (
  const file of [
    ...filesIn("README.md"),
    ...filesIn("docs", ".md"),
    ...filesIn("mod.ts"),
    ...filesIn("tar.ts"),
    ...filesIn("preview2.ts"),
    ...filesIn("core", ".ts"),
    ...filesIn("adapters", ".ts"),
  ]
) {
  for (const { line, body } of examplesOf(file)) {
    const name = `${file.replaceAll("/", "_").replace(/\.(ts|md)$/, "")}_${line}.ts`;
    fs.writeFileSync(path.join(folder, name), moduleOf(body));
    count++;
  }
}
console.log(`${count} examples`);
