/**
 * Checks the npm package as a new user meets it: builds and packs it, installs the archive into an
 * empty folder, and there loads every entry with import and require on every runtime, runs a guest
 * by each, runs the command, compiles against its types, and measures what an application bundles.
 *
 *   node scripts/check_package.mjs             builds npm/ with scripts/build_package.mjs, checks it
 *   node scripts/check_package.mjs --built     checks npm/ as it is, whoever built it
 *   node scripts/check_package.mjs --modules   says which modules the bundles consist of, too
 *
 * It needs no network: the package's one dependency is installed from node_modules.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { presentEntries, sourceOf } from "./entries.mjs";
import { esbuild } from "./esbuild.mjs";
import { compilers, machineNode, programOf, root } from "./runtimes.mjs";

/**
 * What an application that uses the class alone may cost: bytes of its bundle, minified and
 * compressed with gzip.
 */
const BOUNDS = {
  ".": 54_000,
  "./node": 53_500,
  "./bun": 53_500,
  "./deno": 53_500,
  "./browser": 28_000,
};

const npmFolder = path.join(root, "npm");
const parameters = process.argv.slice(2);
const failures = [];

/** Does something, and says how it went. */
async function step(title, action) {
  const began = Date.now();
  try {
    const result = await action();
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    console.log(`ok    ${title}${result ? `: ${result}` : ""} (${seconds} s)`);
    return true;
  } catch (error) {
    console.log(`FAILED ${title}\n${error.message}`);
    failures.push(title);
    return false;
  }
}

/** Runs a program in the user's folder; gives what it printed. */
function run(command, words, { cwd = user, input = "", env = {} } = {}) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, words, {
    cwd,
    input,
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  if (error) throw error;
  if (status !== 0) {
    throw new Error(`${[command, ...words].join(" ")}: ${signal ?? status}\n${stdout}${stderr}`);
  }
  return stdout;
}

/** npm, as it was found or as it runs this script. */
function npm(words, options) {
  const script = process.env.npm_execpath;
  return script?.endsWith(".js")
    ? run(machineNode, [script, ...words], options)
    : run("npm", words, options);
}

function equal(actual, expected, what) {
  const [one, other] = [actual, expected].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${what}: ${one} instead of ${other}`);
}

function write(file, content) {
  const full = path.join(user, file);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
}

// real, because compilers and bundlers look at the real path
const user = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "wasi-package-"));
process.on("exit", () => fs.rmSync(user, { recursive: true, force: true }));

const entries = presentEntries((source) => fs.existsSync(path.join(root, source)));
const { name: packageName, exports: jsrExports } = JSON.parse(
  fs.readFileSync(path.join(root, "jsr.json"), "utf8"),
);
/** What they are imported by. */
const specifiers = Object.fromEntries(
  Object.keys(entries).map((name) => [name, path.posix.join(packageName, name)]),
);
/** Those that are only loaded: the others do something, and have checks of their own. */
const loaded = Object.keys(entries).filter((name) => !["./cli", "./register"].includes(name));

/** The machine's Node as it was before it could require modules of ECMAScript; the others can. */
const requireModule = "--experimental-require-module";
const oldNode = process.allowedNodeEnvironmentFlags.has(requireModule)
  ? [machineNode, requireModule.replace("--", "--no-")]
  : [machineNode];

const runtimes = {
  "Node of this machine": oldNode,
  "Node 22": [programOf("node22")],
  "Node 24": [programOf("node24")],
  "Node 26": [programOf("node26")],
  Bun: [programOf("bun")],
  Deno: [programOf("deno"), "run", "--allow-all", "--no-check", "--node-modules-dir=manual"],
};

if (!parameters.includes("--built")) {
  await step("build", () => void run(machineNode, ["scripts/build_package.mjs"], { cwd: root }));
}

await step("entry points are those of jsr.json", () => {
  const described = Object.keys(entries).map((name) => [name, sourceOf(name)]);
  equal(Object.entries(jsrExports).sort(), described.sort(), "jsr.json exports");
});

await step("jsr: everything is documented", () => {
  const sources = [...new Set(Object.keys(entries).map(sourceOf))];
  run(programOf("deno"), ["doc", "--lint", "--quiet", ...sources], { cwd: root });
});
await step("jsr: it could be published", () => {
  const words = ["publish", "--dry-run", "--allow-dirty", "--quiet", "--config=jsr.json"];
  run(programOf("deno"), words, { cwd: root });
});

/** The package's own archive. */
let archive = "";

/** Packs a folder; gives the archive's name. */
function pack(folder) {
  const words = ["pack", "--json", "--ignore-scripts", `--pack-destination=${user}`, folder];
  const [packed] = Object.values(JSON.parse(npm(words)));
  return packed;
}

const installed = await step("pack and install", () => {
  write("package.json", { name: "user", private: true });
  const packed = pack(npmFolder);
  archive = packed.filename;
  const library = pack(path.join(root, "node_modules/modern-tar"));
  npm([
    "install",
    "--offline",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    `./${archive}`,
    `./${library.filename}`,
  ]);
  fs.copyFileSync(path.join(root, "tests/guests/tool.wasm"), path.join(user, "tool.wasm"));
  write("data/in.txt", "hello");
  const kilo = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
  return `${packed.files.length} files, ${kilo(packed.size)} packed, ${
    kilo(packed.unpackedSize)
  } unpacked`;
});
if (!installed) process.exit(1);

/** The names that GitHub gives to the headings of a page. */
function anchorsOf(text) {
  const headings = [...text.replace(/^```[^]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm)];
  return headings.map(([, heading]) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

await step("links in the documents lead to files and headings of the package", () => {
  const folder = path.join(user, "node_modules", packageName);
  const pages = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".md"));
  const broken = [];
  let count = 0;
  for (const page of pages) {
    const text = fs.readFileSync(path.join(folder, page), "utf8").replace(/^```[^]*?^```$/gm, "");
    for (const [, link] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      count++;
      const [file, anchor] = link.split("#");
      const target = file === ""
        ? path.join(folder, page)
        : path.resolve(folder, path.dirname(page), file);
      const found = fs.existsSync(target) &&
        (anchor === undefined || anchorsOf(fs.readFileSync(target, "utf8")).includes(anchor));
      if (!found) broken.push(`${page}: ${link}`);
    }
  }
  if (count === 0) throw new Error("there are no links");
  if (broken.length > 0) throw new Error(broken.join("\n"));
  return `${count} links`;
});

fs.copyFileSync(path.join(root, "scripts/package/use.cjs"), path.join(user, "use.cjs"));
write(
  "imports.mjs",
  [
    'import use from "./use.cjs";',
    ...loaded.map((name, i) => `import * as entry${i} from "${specifiers[name]}";`),
    `await use({ ${loaded.map((name, i) => `"${name}": entry${i}`).join(", ")} });`,
  ].join("\n"),
);
write(
  "requires.cjs",
  `require("./use.cjs")({ ${
    loaded.map((name) => `"${name}": require("${specifiers[name]}")`).join(", ")
  } }).catch((error) => { console.error(error); process.exit(1); });`,
);
for (const [kind, extension] of [["imports", "mjs"], ["requires", "cjs"]]) {
  for (const [runtime, [command, ...words]] of Object.entries(runtimes)) {
    await step(`${kind} of every entry, ${runtime}`, () => {
      const output = run(command, [...words, `${kind}.${extension}`]).trim();
      equal(output, String(loaded.length), "entries");
    });
  }
}

write("command.mjs", `import "${specifiers["./cli"]}";`);
write("command.cjs", `require("${specifiers["./cli"]}");`);
for (const [runtime, [command, ...words]] of Object.entries(runtimes)) {
  await step(`the command, ${runtime}`, () => {
    const input = "hello";
    // with a time, it starts its own module again
    for (const file of ["node_modules/.bin/wasi", "command.mjs", "command.cjs"]) {
      const limits = file === "node_modules/.bin/wasi" ? [] : ["--timeout", "60s"];
      const output = run(command, [...words, file, ...limits, "tool.wasm", "upper"], { input });
      equal(output, "HELLO", file);
    }
  });
}

// Node looks for these among all words: what they name must not be applied
fs.copyFileSync(path.join(root, "tests/guests/show.wasm"), path.join(user, "show.wasm"));
write("hostile/mark.cjs", 'require("node:fs").writeFileSync(__dirname + "/marker", "");');
write("hostile/env", "NODE_OPTIONS=--require=./hostile/mark.cjs\n");
write("hostile/config.json", { nodeOptions: { import: ["./hostile/mark.cjs"] } });
for (const [runtime, node] of Object.entries({ machine: machineNode, 26: programOf("node26") })) {
  await step(`the command's words, Node ${runtime}`, () => {
    const bin = `bin-${runtime}`;
    fs.mkdirSync(path.join(user, bin));
    fs.symlinkSync(node, path.join(user, bin, "node"));
    const env = { PATH: `${path.join(user, bin)}:${process.env.PATH}` };
    for (const limits of [[], ["--timeout", "60s"]]) {
      for (
        const word of ["--env-file=hostile/env", "--experimental-config-file=hostile/config.json"]
      ) {
        const output = run("node_modules/.bin/wasi", [...limits, "show.wasm", word], { env });
        equal(output, `[show.wasm]\n[${word}]\n`, "words");
        equal(fs.existsSync(path.join(user, "hostile/marker")), false, `${word} is applied`);
      }
      // without sh one of the two can be kept from Node
      const word = "--env-file=hostile/env";
      const output = run("node_modules/.bin/wasi-node", [...limits, "show.wasm", word], { env });
      equal(output, `[show.wasm]\n[${word}]\n`, "words without sh");
      equal(fs.existsSync(path.join(user, "hostile/marker")), false, `${word} is applied`);
    }
  });
}
await step("the command, npm exec", () => {
  const npx = (...words) => npm(["exec", "--offline", "--", "wasi", ...words], { input: "hello" });
  equal(/--dir\b/.test(npx("--help")), true, "--help tells of --dir");
  equal(npx("tool.wasm", "upper"), "HELLO", "upper");
});

if ("./register" in entries) {
  const register = specifiers["./register"];
  write(
    "main.mjs",
    'import { WASI } from "node:wasi"; console.log("confinement" in WASI.prototype);',
  );
  write("main.cjs", 'console.log("confinement" in require("node:wasi").WASI.prototype);');
  const built = sourceOf("./register").replace(/^\.(.*)\.ts$/, "esm$1.js");
  const options = { Bun: ["--preload"], Deno: ["--preload"] };
  for (const [runtime, [command, ...words]] of Object.entries(runtimes)) {
    await step(`register, ${runtime}`, () => {
      for (const option of options[runtime] ?? ["--import", "--require"]) {
        for (const main of ["main.mjs", "main.cjs"]) {
          // what Deno preloads is a path or a URL
          const name = runtime === "Deno" ? `./node_modules/${packageName}/${built}` : register;
          const output = run(command, [...words, option, name, main]);
          equal(output.trim(), "true", `${option} ${main}`);
        }
      }
    });
  }
}

const types = fs.readFileSync(path.join(root, "scripts/package/types.ts"), "utf8");
const browserTypes = fs.readFileSync(path.join(root, "scripts/package/browser_types.ts"), "utf8");
const everyEntry = Object.values(specifiers)
  .map((specifier, i) => `import * as entry${i} from "${specifier}";\nvoid entry${i};\n`).join("");
const resolutions = {
  node16: { module: "node16", files: ["mts", "cts"] },
  nodenext: { module: "nodenext", files: ["mts", "cts"] },
  bundler: { module: "esnext", files: ["ts"] },
  "bundler, for browsers": { module: "esnext", files: ["ts"], customConditions: ["browser"] },
};
for (const [title, { module, files, customConditions }] of Object.entries(resolutions)) {
  if (customConditions && !("browser" in entries["."])) continue;
  const folder = `types-${title.replace(/\W+/g, "-")}`;
  for (const extension of files) {
    // a browser has no folders to give
    if (!customConditions) write(`${folder}/types.${extension}`, types);
    if ("./browser" in entries) write(`${folder}/browser.${extension}`, browserTypes);
    write(`${folder}/every.${extension}`, everyEntry);
  }
  // with the least that is needed of the language's library, and with all that is there by default
  for (const lib of [["ES2022", "DOM"], undefined]) {
    write(`${folder}/tsconfig${lib ? "" : ".full"}.json`, {
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
        target: "ES2022",
        lib,
        types: [],
        module,
        moduleResolution: title.split(",")[0],
        customConditions,
      },
      include: ["*"],
    });
  }
  for (const [version, compiler] of Object.entries(compilers)) {
    await step(`types, ${title}, TypeScript ${version}`, () => {
      run(machineNode, [compiler, "-p", folder]);
      run(machineNode, [compiler, "-p", `${folder}/tsconfig.full.json`]);
    });
  }
}

await step("publint", () => {
  run(machineNode, [path.join(root, "node_modules/publint/src/cli.js"), archive, "--strict"]);
});
await step("attw", () => {
  // node16: TypeScript 7 knows no older way to resolve, and the older ones know no "exports"
  const attw = path.join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  run(machineNode, [attw, archive, "--profile", "node16", "--no-definitely-typed"]);
});

/** Bundles files of the user's folder into another; gives its metafile. */
async function bundle(files, folder, ...options) {
  const { WASI } = await import(
    pathToFileURL(path.join(user, "node_modules", packageName, "esm/adapters/node/mod.js"))
  );
  const words = [
    "--bundle",
    "--minify",
    "--format=esm",
    "--target=es2022",
    "--platform=neutral",
    `--outdir=/${folder}`,
    `--metafile=/${folder}/meta.json`,
    "--out-extension:.js=.mjs",
    "--log-level=warning",
  ];
  const entries = files.map((file) => path.posix.join("/bundle", file));
  const code = await esbuild(WASI, [...entries, ...words, ...options], { "/": user });
  equal(code, 0, "esbuild");
  return JSON.parse(fs.readFileSync(path.join(user, folder, "meta.json"), "utf8")).outputs;
}

await step("what applications bundle", async () => {
  const names = Object.keys(BOUNDS).filter((name) => name in entries);
  for (const name of names) {
    write(`bundle/${name.slice(2) || "main"}.js`, `export { WASI } from "${specifiers[name]}";`);
  }
  write("bundle/all.js", `export * from "${packageName}";`);
  const files = names.map((name) => `${name.slice(2) || "main"}.js`);
  const outputs = await bundle([...files, "all.js"], "bundled");
  const over = [];
  for (const [i, name] of names.entries()) {
    const file = `bundled/${files[i].replace(/js$/, "mjs")}`;
    const bytes = fs.readFileSync(path.join(user, file));
    const zipped = gzipSync(bytes, { level: 9 }).length;
    const bound = BOUNDS[name];
    console.log(
      `      the class of "${name}": ${bytes.length} bytes, ${zipped} with gzip (at most ${bound})`,
    );
    if (zipped > bound) over.push(`"${name}" is larger than it may be: ${zipped} bytes`);
    // who runs modules does not pay for components
    if (bytes.includes("wasi:filesystem/types")) over.push(`"${name}" has components in it`);
    if (!parameters.includes("--modules")) continue;
    const modules = Object.entries(outputs[file].inputs).map(([file, { bytesInOutput }]) => ({
      module: file.replace(/^.*\/esm\//, ""),
      bytes: bytesInOutput,
    }));
    console.table(modules.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes));
  }
  if (over.length > 0) throw new Error(over.join("\n"));
});

write(
  "bundled.mjs",
  'import use from "./use.cjs"; await use({ ".": await import("./bundled/all.mjs") }, true);',
);
for (const [runtime, [command, ...words]] of Object.entries(runtimes)) {
  await step(`a bundle, minified, ${runtime}`, () => {
    equal(run(command, [...words, "bundled.mjs"]).trim(), "1", "entries");
  });
}
if ("browser" in entries["."]) {
  await step("a bundle for browsers has the browser's adapter", async () => {
    const outputs = await bundle(["all.js"], "browser", "--conditions=browser");
    const { inputs } = outputs["browser/all.mjs"];
    const has = (end) => Object.keys(inputs).some((file) => file.endsWith(end));
    equal(has("/esm/adapters/browser/mod.js"), true, "adapters/browser.js is in it");
    equal(has("/esm/adapters/node/host.js"), false, "adapters/node/host.js is in it");
  });
}

console.log(failures.length === 0 ? "The package is sound." : `Failed: ${failures.join(", ")}`);
process.exit(failures.length === 0 ? 0 : 1);
