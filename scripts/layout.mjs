/**
 * Writes docs/layout.md: the rooms of the source, what each is for, and which of the others it
 * imports. What is there is read from the files; a test compares.
 *
 *   node scripts/layout.mjs            writes it
 *   node scripts/layout.mjs --check    fails if it is out of date
 */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { importsOf } from "./imports.mjs";
import { root } from "./runtimes.mjs";

const file = path.join(root, "docs", "layout.md");

/** The rooms, from the floor up, and what each is for. */
const ROOMS = {
  core: "what all rooms share: the interface of a host, errors, text, attributes of files",
  "core/directories": "every kind of directory, and the walk that keeps a path inside",
  "core/module": "reading and rewriting the bytes of a module",
  "core/system": "what a call means: descriptors, paths, files, polling, clocks; no pointers",
  "core/preview1":
    "how preview1 hands it over: the table of functions, guest memory, layouts, trace",
  "core/unstable": "the snapshot before, as a table over preview1's functions",
  "core/component":
    "reading and linking components, and the canonical ABI: how their values travel",
  "core/preview2": "WASI 0.2: its interfaces over core/system, a file for each package",
  "core/guest": "the options, limits and streams of a guest, and the classes without a host",
  "core/run": "planning a run: in this thread, suspended, in workers; threads; time limits",
  adapters: "what Node, Deno, Bun and browsers supply, and the entry points of the package",
  cli: "the command",
};

/** What the kinds of directory have in common. */
const SHARED = ["walk", "wrapped"];

function sources(folder) {
  return fs.readdirSync(path.join(root, folder), { recursive: true })
    .map((name) => path.posix.join(folder, name.replaceAll(path.sep, "/")))
    .filter((name) => name.endsWith(".ts"));
}

/** The room of a file: the longest that its path begins with. */
function roomOf(name) {
  return Object.keys(ROOMS).filter((room) => name.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

const rooms = new Map(Object.keys(ROOMS).map((room) => [room, { uses: new Set() }]));
for (const name of ["core", "adapters", "cli"].flatMap(sources)) {
  if (name === "core/mod.ts") continue; // hands on what is for everybody, from all of core
  const room = rooms.get(roomOf(name));
  for (const target of importsOf(name)) {
    const used = roomOf(target);
    if (used !== undefined && used !== roomOf(name)) room.uses.add(used);
  }
}

const order = Object.keys(ROOMS);
const rows = [...rooms].map(([room, { uses }]) => {
  const list = order.filter((other) => uses.has(other)).map((other) => `\`${other}/\``);
  return `| \`${room}/\` | ${ROOMS[room]} | ${list.join(", ") || "–"} |`;
});
const kinds = fs.readdirSync(path.join(root, "core/directories"))
  .map((name) => name.replace(/\.ts$/, "")).filter((name) => !SHARED.includes(name)).sort();

const text = `# Layout

Written by \`node scripts/layout.mjs\` from the imports in the files. Each room may import those above it in
the table, and none imports in a circle; \`tests/unit/layers.test.ts\` holds both.

| room | what it is for | imports |
|---|---|---|
${rows.join("\n")}

Kinds of directory, side by side in \`core/directories/\`: ${
  kinds.map((kind) => `\`${kind}\``).join(", ")
}.
`;

if (!process.argv.includes("--check")) fs.writeFileSync(file, text);
else if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) {
  console.error("docs/layout.md is out of date: node scripts/layout.mjs writes it");
  process.exitCode = 1;
}
