/** launch.c, which starts programs with standard streams that no runtime can make for them. */
import path from "node:path";
import process from "node:process";
import { root } from "./harness.ts";
import { zigCC } from "./zig.ts";

/** Builds it in a folder; gives its path. */
export function builtLauncher(folder: string): string {
  const launch = path.join(folder, "launch");
  zigCC([
    "-target",
    `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-musl`,
    path.join(root, "tests/support/launch.c"),
    "-o",
    launch,
  ]);
  return launch;
}
