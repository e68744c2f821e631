/**
 * Builds the npm package into npm/ with dnt: `deno run -A scripts/build_npm.ts`. What it exports is
 * what jsr.json exports. Both imports come from JSR, so this is the one file that cannot run where
 * JSR cannot be reached (RATIONALE.md); scripts/build.mjs compiles the same entry points there.
 */
import { build, emptyDir } from "jsr:@deno/dnt@^0.42.1";
import { dirname, fromFileUrl, join } from "jsr:@std/path@^1.0.0";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const outDir = join(root, "npm");
const { name, version, license, exports } = JSON.parse(
  await Deno.readTextFile(join(root, "jsr.json")),
);

await emptyDir(outDir);
await build({
  entryPoints: Object.entries<string>(exports).map(([entry, file]) => ({
    name: entry,
    path: join(root, file),
  })),
  outDir,
  shims: {}, // the adapters find what a runtime has by themselves
  test: false,
  typeCheck: false, // done by TypeScript over the sources, with Node's types
  compilerOptions: { target: "ES2022", lib: ["ES2023", "DOM"] },
  package: {
    name,
    version,
    license,
    description: "WASI for Deno, Bun and Node: the class of node:wasi, complete, and a sandbox",
    engines: { node: ">=20.16" },
    sideEffects: false,
    bin: { wasi: "./esm/cli.js" }, // its first line is in the source
  },
  async postBuild() {
    for (const file of ["LICENSE", "README.md"]) {
      await Deno.copyFile(join(root, file), join(outDir, file));
    }
  },
});
