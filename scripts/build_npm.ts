/**
 * Builds the npm package into npm/ with dnt: `deno run -A scripts/build_npm.ts`. Both imports come
 * from JSR, so this is the one file that cannot run where JSR cannot be reached (RATIONALE.md);
 * scripts/build_package.mjs builds the same there. `node scripts/check_package.mjs --built` checks
 * what either has made.
 */
import { build, emptyDir } from "jsr:@deno/dnt@^0.42.1";
import { dirname, fromFileUrl, join, toFileUrl } from "jsr:@std/path@^1.0.0";
import { bundleModules } from "./bundle_modules.mjs";
import {
  copyFiles,
  finishedTypes,
  manifest,
  marker,
  presentEntries,
  sideEffects,
  sourcesOf,
  workerModule,
} from "./entries.mjs";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const outDir = join(root, "npm");

async function readJson(file: string) {
  return JSON.parse(await Deno.readTextFile(join(root, file)));
}

function exists(file: string): boolean {
  try {
    return Deno.statSync(join(root, file)).isFile;
  } catch {
    return false;
  }
}

const entries = presentEntries(exists);
const [jsr, development] = [await readJson("jsr.json"), await readJson("package.json")];
const contents = manifest(entries, jsr, development);

/**
 * dnt gives every entry point of a build what one of them needs for `import.meta`: modules of Node.
 * So what runs is built apart from what is only imported, into the same folders.
 */
function partOf(runs: boolean) {
  return Object.fromEntries(
    Object.entries(entries).filter(([name]) => sideEffects.includes(name) === runs),
  );
}

await emptyDir(outDir);
for (const part of [[...sourcesOf(partOf(false)), workerModule], sourcesOf(partOf(true))]) {
  await build({
    entryPoints: part.map((source) => ({ name: source, path: join(root, source) })),
    outDir,
    configFile: toFileUrl(join(root, "jsr.json")).href,
    shims: {}, // the adapters find what a runtime has by themselves
    test: false,
    typeCheck: false, // done by TypeScript over the sources, with Node's types
    declaration: "inline",
    compilerOptions: { target: "ES2023", lib: ["ESNext", "DOM"] },
    package: contents,
  });
}

// TypeScript makes require() of import(), which Node 20.16 cannot do with a module of ECMAScript
const tar = join(outDir, "script", "tar.js");
const text = await Deno.readTextFile(tar);
const patched = text.replace(
  /Promise\.resolve\(\)\.then\(\(\) => (?:__importStar\()?require\((["'])modern-tar\1\)\)?\)/,
  'import("modern-tar")',
);
if (patched === text) throw new Error(`${tar} does not load modern-tar as expected`);
await Deno.writeTextFile(tar, patched);

async function finishTypes(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const file = join(folder, name);
    if (isDirectory) await finishTypes(file);
    else if (name.endsWith(".d.ts")) {
      await Deno.writeTextFile(file, finishedTypes(await Deno.readTextFile(file)));
    }
  }
}

if (exists("node_modules/@esbuild/wasi-preview1/esbuild.wasm")) {
  await bundleModules(join(outDir, "esm"), [...sourcesOf(entries), workerModule]);
} else console.log("esm/ is not bundled: npm install brings the bundler");
await finishTypes(join(outDir, "esm"));
await finishTypes(join(outDir, "script"));
copyFiles(root, outDir);

async function writeJson(file: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(join(outDir, file), `${JSON.stringify(value, null, 2)}\n`);
}

// dnt writes its own ideas of these; what else it leaves here is not packed
const polyfills = "_dnt.polyfills.js"; // of import.meta, as a side effect
await writeJson("package.json", {
  ...contents,
  sideEffects: [...contents.sideEffects, `./esm/${polyfills}`, `./script/${polyfills}`],
});
for (const [folder, type] of [["esm", "module"], ["script", "commonjs"]] as const) {
  const made = marker(entries, type);
  await writeJson(`${folder}/package.json`, {
    ...made,
    sideEffects: [...made.sideEffects, `./${polyfills}`],
  });
}
