/** The C compiler that Zig is. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { root } from "./harness.ts";

/** Zig's own caches, as scripts/guests.mjs has them: what was built before is there at once. */
const cache = path.join(root, "node_modules/.cache/zig");

/** Runs `zig cc`; throws an error with what it said. */
export function zigCC(words: readonly string[]): void {
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache };
  const zig = path.join(root, "node_modules/.bin/zig");
  execFileSync(zig, ["cc", ...words], { env, stdio: "pipe" });
}
