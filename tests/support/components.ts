/**
 * Components for tests, made by jco of what is in this repository, once for each version of both.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { root } from "./harness.ts";

const require = createRequire(path.join(root, "package.json"));
const cache = path.join(root, "node_modules", ".cache", "components");
/** jco's main file, from which its other parts are found: its package names no others. */
const jco = path.resolve(path.dirname(require.resolve("@bytecodealliance/jco")), "..");

interface Tools {
  componentNew(bytes: Uint8Array, adapters: [string, Uint8Array][]): Promise<Uint8Array>;
  parse(wat: string): Promise<Uint8Array>;
}

let loaded: Promise<Tools> | undefined;

function tools(): Promise<Tools> {
  const url = pathToFileURL(require.resolve("@bytecodealliance/jco")).href;
  return loaded ??= import(url) as Promise<Tools>;
}

/** Keeps what was made of the same things before. */
async function cached(
  name: string,
  parts: readonly (string | Uint8Array)[],
  make: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const hash = createHash("sha256").update(fs.readFileSync(path.join(jco, "package.json")));
  for (const part of parts) hash.update(part);
  const file = path.join(cache, `${name}-${hash.digest("hex").slice(0, 16)}.wasm`);
  if (!fs.existsSync(file)) {
    const bytes = await make();
    fs.mkdirSync(cache, { recursive: true });
    const draft = `${file}.${process.pid}`;
    fs.writeFileSync(draft, bytes);
    fs.renameSync(draft, file);
  }
  return fs.readFileSync(file);
}

/** The module of a guest of tests/guests. */
export function guestBytes(name: string): Uint8Array {
  return fs.readFileSync(path.join(root, "tests", "guests", `${name}.wasm`));
}

/** A guest of tests/guests as a component: with the adapter of preview1 that jco ships. */
export async function adapted(name: string): Promise<Uint8Array> {
  const module = guestBytes(name);
  const adapter = fs.readFileSync(path.join(jco, "lib", "wasi_snapshot_preview1.command.wasm"));
  return await cached(name, [module, adapter], async () => {
    const { componentNew } = await tools();
    return await componentNew(module, [["wasi_snapshot_preview1", adapter]]);
  });
}

/** A component out of its text. */
export async function component(wat: string): Promise<Uint8Array> {
  return await cached("text", [wat], async () => await (await tools()).parse(wat));
}

/** A component of tests/components, written in JavaScript against a world of its own. */
export async function scripted(name: string): Promise<Uint8Array> {
  const folder = path.join(root, "tests", "components", name);
  const [source, world] = [`${name}.js`, `${name}.wit`].map((file) =>
    fs.readFileSync(path.join(folder, file))
  );
  return await cached(name, [source!, world!], () => {
    // jco sees only what is below the folder that it works in
    fs.mkdirSync(cache, { recursive: true });
    const draft = fs.mkdtempSync(path.join(cache, "draft-"));
    try {
      const wit = path.join(jco, "lib", "wit", "builtin", "0.2.12");
      fs.cpSync(wit, path.join(draft, "wit", "deps"), { recursive: true });
      fs.writeFileSync(path.join(draft, "wit", `${name}.wit`), world!);
      fs.writeFileSync(path.join(draft, "source.js"), source!);
      const options = ["--wit", "wit", "--world-name", name, "--backend", "qjs"];
      execFileSync(
        "node",
        [
          require.resolve("@bytecodealliance/jco").replace(/api\.js$/, "jco.js"),
          "componentize",
          "source.js",
          ...options,
          "--backend-qjs-disable-async",
          "-o",
          "made.wasm",
        ],
        { cwd: draft, stdio: ["ignore", "ignore", "inherit"] },
      );
      return Promise.resolve(fs.readFileSync(path.join(draft, "made.wasm")));
    } finally {
      fs.rmSync(draft, { recursive: true, force: true });
    }
  });
}
