/** launch.c, which starts programs with standard streams that no runtime can make for them. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { root } from "./harness.ts";

/** Builds it in a folder; gives its path. */
export function builtLauncher(folder: string): string {
  const launch = path.join(folder, "launch");
  execFileSync(path.join(root, "node_modules/.bin/zig"), [
    "cc",
    "-target",
    `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-musl`,
    path.join(root, "tests/support/launch.c"),
    "-o",
    launch,
  ]);
  return launch;
}
