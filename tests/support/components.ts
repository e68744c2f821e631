/**
 * Components for tests, made by jco (scripts/components.mjs, which runs on Node) of what is in this
 * repository, and kept in node_modules/.cache as long as neither changes.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { root } from "./harness.ts";

const cache = path.join(root, "node_modules", ".cache", "components");
const script = path.join(root, "scripts", "components.mjs");
const jco = path.join(root, "node_modules", "@bytecodealliance", "jco", "package.json");

/** Makes something of the same bytes once; `extension` is "" for a folder. */
function cached(
  kind: string,
  extension: string,
  parts: readonly (string | Uint8Array)[],
  from?: string,
  name?: string,
): string {
  const hash = createHash("sha256").update(kind).update(name ?? "");
  for (const part of [...parts, fs.readFileSync(jco), fs.readFileSync(script)]) hash.update(part);
  const target = path.join(cache, `${hash.digest("hex").slice(0, 24)}${extension}`);
  if (fs.existsSync(target)) return target;
  fs.mkdirSync(cache, { recursive: true });
  const draft = `${target}.${process.pid}`;
  const source = from ?? `${draft}.source`;
  if (from === undefined) fs.writeFileSync(source, parts[0]!);
  execFileSync("node", [script, kind, source, draft, ...(name === undefined ? [] : [name])], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (from === undefined) fs.rmSync(source);
  try {
    fs.renameSync(draft, target);
  } catch {
    fs.rmSync(draft, { recursive: true, force: true }); // another process was quicker
  }
  return target;
}

/** The module of a guest of tests/guests. */
export function guestBytes(name: string): Uint8Array {
  return fs.readFileSync(path.join(root, "tests", "guests", `${name}.wasm`));
}

/** A guest of tests/guests as a component: with the adapter of preview1 that jco ships. */
export function adapted(name: string): Promise<Uint8Array> {
  return Promise.resolve(fs.readFileSync(cached("new", ".wasm", [guestBytes(name)])));
}

/** A component out of its text. */
export function component(wat: string): Promise<Uint8Array> {
  return Promise.resolve(fs.readFileSync(cached("parse", ".wasm", [wat])));
}

/** A component of tests/components, written in JavaScript against a world of its own. */
export function scripted(name: string): Promise<Uint8Array> {
  const folder = path.join(root, "tests", "components", name);
  const parts = [`${name}.js`, `${name}.wit`].map((file) =>
    fs.readFileSync(path.join(folder, file))
  );
  return Promise.resolve(fs.readFileSync(cached("script", ".wasm", parts, folder, name)));
}

/** A component as jco transpiles it: a folder with guest.mjs and its modules. */
export function transpiled(component: Uint8Array, kind: "sync" | "jspi"): string {
  return cached("transpile", "", [component], undefined, kind);
}
