/**
 * The preload `@x/wasi/register`: scripts, their workers and npm packages that import `node:wasi`
 * get the class under test, unpatched. Everything runs in processes of its own.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type Ended,
  mod,
  root,
  runRuntime,
  runtime,
  scratch,
  windows,
} from "../support/harness.ts";

const options = { timeout: 180_000 };

/** A module of this repository: TypeScript, or compiled just like this file. */
function file(name: string): string {
  const suffix = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return fileURLToPath(new URL(`../../${name}${suffix}`, import.meta.url));
}

const register = file("adapters/register");

/** What starts a program on this runtime. */
const plain = runtime === "deno" ? ["run", "-A"] : [];

/** And with the preload. */
const preloaded = runtime === "deno"
  ? ["run", "-A", "--preload", register]
  : runtime === "bun"
  ? ["--preload", register]
  : ["--import", pathToFileURL(register).href];

/** A folder with these files, and a package.json that makes it a project. */
function project(files: Record<string, string>): string {
  const folder = scratch("wasi-register");
  for (const [name, text] of Object.entries({ "package.json": "{}", ...files })) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

/** What a program that ended well printed as JSON. */
function printed({ status, stdout, stderr }: Ended): unknown {
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** Whether each way to `node:wasi` gives the class under test, in a script and in its workers. */
const ways: Record<string, string> = {
  "report.cjs": `
    const ours = (WASI) => "confinement" in WASI.prototype;
    exports.report = async (imported) => ({
      imported: ours(imported),
      required: ours(require("node:wasi").WASI),
      dynamic: ours((await import("node:wasi")).WASI),
      namespace: ours((await import("node:wasi")).default.WASI),
      builtin: ours(process.getBuiltinModule("node:wasi").WASI),
    });`,
  "script.mjs": `
    import { WASI } from "node:wasi";
    import { parentPort, workerData } from "node:worker_threads";
    import { report } from "./report.cjs";
    import { inWorker } from "./workers.mjs";
    const reports = { [workerData ?? "script"]: await report(WASI) };
    if (workerData === "outer") {
      const file = new URL("script.mjs", import.meta.url);
      Object.assign(reports, await inWorker(file, { workerData: "inner" }));
    }
    parentPort?.postMessage(reports);
    export { reports };`,
  "script.cjs": `
    const { parentPort, workerData } = require("node:worker_threads");
    require("./report.cjs").report(require("node:wasi").WASI).then((report) => {
      parentPort.postMessage({ [workerData]: report });
    });`,
  "workers.mjs": `
    import { Worker } from "node:worker_threads";
    export const inWorker = (main, options) => new Promise((resolve, reject) => {
      const worker = new Worker(main, options);
      worker.on("message", resolve);
      worker.on("error", reject);
      worker.on("exit", (code) => reject(new Error(main + " exits with " + code)));
    });`,
  "main.mjs": `
    import { readFileSync } from "node:fs";
    import { fileURLToPath, pathToFileURL } from "node:url";
    import { reports } from "./script.mjs";
    import { inWorker } from "./workers.mjs";
    const module = new URL("script.mjs", import.meta.url);
    const script = fileURLToPath(new URL("script.cjs", import.meta.url));
    const code = readFileSync(script, "utf8")
      .replace('"./report.cjs"', JSON.stringify(script.replace("script", "report")));
    const data = new URL("data:text/javascript," + encodeURIComponent(
      "import { WASI } from 'node:wasi'; import { parentPort } from 'node:worker_threads';" +
      "parentPort.postMessage({ data: { imported: 'confinement' in WASI.prototype } })",
    ));
    for (const [main, options] of [
      [module, { workerData: "outer" }],
      [module, { workerData: "no arguments", execArgv: [] }],
      [module, { workerData: "no environment", env: {} }],
      [module, { workerData: "neither", execArgv: [], env: {} }],
      [fileURLToPath(module), { workerData: "path" }],
      [script, { workerData: "CommonJS" }],
      [code, { workerData: "code", eval: true }],
      [code, { workerData: "code, no arguments", eval: true, execArgv: [], env: {} }],
      [data, {}],
    ]) Object.assign(reports, await inWorker(main, options));
    console.log(JSON.stringify(reports));
    process.exit(0);`,
};

const everywhere = [
  ...["script", "outer", "inner", "no arguments", "no environment", "neither", "path"],
  ...["CommonJS", "code", "code, no arguments", "data"],
];

function assertReports(reports: unknown, ours: boolean): void {
  const all = reports as Record<string, Record<string, boolean>>;
  assert.deepEqual(Object.keys(all).sort(), [...everywhere].sort());
  for (const [place, ways] of Object.entries(all)) {
    const expected = Object.fromEntries(Object.keys(ways).map((way) => [way, ours]));
    assert.deepEqual(ways, expected, place);
  }
}

test("a script and its workers get ours by every way to node:wasi", options, () => {
  const folder = project(ways);
  assertReports(printed(runRuntime([...preloaded, "main.mjs"], folder)), true);
});

test("without the preload they get the runtime's own", options, () => {
  const folder = project(ways);
  assertReports(printed(runRuntime([...plain, "main.mjs"], folder)), false);
});

test("a program that imports it gets ours, and the workers it makes", options, () => {
  const importing = `import ${JSON.stringify(pathToFileURL(register).href)};`;
  const folder = project({ ...ways, "first.mjs": `${importing} await import("./main.mjs");` });
  assertReports(printed(runRuntime([...plain, "first.mjs"], folder)), true);
});

test("what it imports statically beside it gets ours on Node only", options, () => {
  const folder = project({
    "main.mjs": `import ${JSON.stringify(pathToFileURL(register).href)};
      import { WASI } from "node:wasi";
      console.log("confinement" in WASI.prototype);`,
  });
  const found = printed(runRuntime([...plain, "main.mjs"], folder));
  assert.equal(found, runtime.startsWith("node"));
});

test("Web Workers get ours on Bun, not on Deno", {
  ...options,
  skip: runtime.startsWith("node"),
}, () => {
  const folder = project({
    "worker.mjs": `import { WASI } from "node:wasi"; postMessage("confinement" in WASI.prototype);`,
    "main.mjs": `
      const worker = new Worker(new URL("worker.mjs", import.meta.url).href, { type: "module" });
      worker.onmessage = ({ data }) => { console.log(data); process.exit(0); };`,
  });
  assert.equal(printed(runRuntime([...preloaded, "main.mjs"], folder)), runtime === "bun");
});

test("NODE_OPTIONS is enough, and for workers with other environments, too", {
  ...options,
  skip: !runtime.startsWith("node"),
}, () => {
  const folder = project(ways);
  const before = process.env["NODE_OPTIONS"];
  process.env["NODE_OPTIONS"] = `--import=${pathToFileURL(register).href}`;
  try {
    assertReports(printed(runRuntime(["main.mjs"], folder)), true);
    // Arguments that no worker may be given do not keep it from starting.
    const file = `import { inWorker } from "./workers.mjs";
      console.log(JSON.stringify(await inWorker("./script.cjs", { workerData: "w" })));`;
    fs.writeFileSync(path.join(folder, "flags.mjs"), file);
    const flags = ["--max-old-space-size=500", "--stack-size=900", "flags.mjs"];
    const { w } = printed(runRuntime(flags, folder)) as { w: Record<string, boolean> };
    assert.deepEqual([...new Set(Object.values(w))], [true]);
  } finally {
    if (before === undefined) delete process.env["NODE_OPTIONS"];
    else process.env["NODE_OPTIONS"] = before;
  }
});

test("it runs programs and warns of nothing", options, () => {
  const folder = project({
    "main.mjs": `
      import { readFileSync, openSync, closeSync } from "node:fs";
      import { WASI } from "node:wasi";
      const out = openSync("out", "w");
      const wasi = new WASI({ version: "preview1", args: ["tool", "list", "/"], stdout: out,
        preopens: { "/": "data" } });
      const module = new WebAssembly.Module(readFileSync(process.argv[2]));
      const code = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
      closeSync(out);
      console.log(JSON.stringify([code, readFileSync("out", "utf8")]));`,
    "data/a.txt": "12345",
  });
  const tool = path.join(root, "tests/guests/tool.wasm");
  const ended = runRuntime([...preloaded, "main.mjs", tool], folder);
  const [code, listed] = printed(ended) as [number, string];
  assert.equal(code, 0);
  assert.match(listed, /^a\.txt f 5 /m);
  assert.equal(ended.stderr, "");
});

test("code for a worker keeps its strictness, its lines and its own names", options, () => {
  const inWorker = ways["workers.mjs"]!;
  const sources = {
    strict: `/* one */ // two\n'use strict'; (function () { post(this === undefined); })();`,
    sloppy: `(function () { post(this === globalThis); })();`,
    lines: `\npost(/:(\\d+):\\d+\\)?$/m.exec(new Error().stack)[1]);`,
    names: `const process = 1, module_ = 2; post(process + module_);`,
  };
  const post =
    "function post(value) { require('node:worker_threads').parentPort.postMessage(value) }";
  const folder = project({
    "main.mjs": `${inWorker}
      const found = {};
      for (const [name, code] of Object.entries(${JSON.stringify(sources)})) {
        found[name] = await inWorker(code + ${JSON.stringify(post)}, { eval: true });
      }
      console.log(JSON.stringify(found));
      process.exit(0);`,
  });
  const [without, found] = [plain, preloaded].map((parameters) =>
    printed(runRuntime([...parameters, "main.mjs"], folder))
  );
  assert.deepEqual(found, without);
});

test("workers are of the same class, and end and fail as before", options, () => {
  const folder = project({
    "fails.mjs": `import "node:wasi"; throw new RangeError("on purpose");`,
    "main.mjs": `
      import threads, { Worker } from "node:worker_threads";
      const results = [Worker === threads.Worker, Worker.name];
      const worker = new Worker(new URL("fails.mjs", import.meta.url));
      results.push(worker instanceof Worker);
      results.push(await new Promise((resolve) => worker.on("error", (e) => resolve(e.message))));
      console.log(JSON.stringify(results));
      process.exit(0);`,
  });
  const [same, name, instance, message] = printed(
    runRuntime([...preloaded, "main.mjs"], folder),
  ) as [boolean, string, boolean, string];
  assert.deepEqual([same, instance], [true, true]);
  const [, before] = printed(runRuntime([...plain, "main.mjs"], folder)) as [boolean, string];
  assert.equal(name, before);
  assert.match(message, /on purpose/);
});

test("a program in threads of our own runs as before", options, () => {
  const folder = project({
    "main.mjs": `
      import { readFileSync } from "node:fs";
      import { OutputBuffer, run } from ${JSON.stringify(mod)};
      const stdout = new OutputBuffer();
      const code = await run(readFileSync(process.argv[2]), {
        threads: true, args: ["threads", "count", "4", "100"], stdout,
      });
      console.log(JSON.stringify([code, stdout.text()]));`,
  });
  const guest = path.join(root, "tests/guests/threads.wasm");
  const ended = runRuntime([...preloaded, "main.mjs", guest], folder);
  assert.deepEqual(printed(ended), [0, "400\n"]);
});

test("packages in ES syntax can still be required", options, () => {
  const one = `import two from "./two.js"; import fs from "node:fs"; export const sum = 1 + two;`;
  const folder = project({
    "node_modules/package/package.json":
      `{ "name": "package", "type": "module", "main": "one.js" }`,
    "node_modules/package/one.js": one,
    "node_modules/package/two.js": `export default 2;`,
    "main.cjs": `require.resolve("package"); console.log(require("package").sum);`,
  });
  assert.equal(printed(runRuntime([...preloaded, "main.cjs"], folder)), 3);
});

interface Seen {
  thread: number;
  ours: boolean;
}

/**
 * The package's own files in a folder where `@napi-rs/wasm-runtime` writes down, for each thread,
 * which class the package gave it an object of.
 */
function watched(name: string): { folder: string; seen: () => Seen[] } {
  const source = path.join(root, "node_modules", name);
  const folder = path.join(project({}), "binding");
  const log = path.join(folder, "seen.txt");
  const under = (...parts: string[]): string => path.join(folder, "node_modules", ...parts);
  fs.mkdirSync(under("@napi-rs/wasm-runtime"), { recursive: true });
  for (const entry of fs.readdirSync(source)) {
    if (entry === "node_modules") continue;
    fs.copyFileSync(path.join(source, entry), path.join(folder, entry));
  }
  const emnapi = path.join(source, "node_modules/@emnapi");
  fs.cpSync(emnapi, under("@emnapi"), { recursive: true, dereference: true });
  fs.writeFileSync(under("@napi-rs/wasm-runtime/package.json"), `{"main":"index.js"}`);
  fs.writeFileSync(
    under("@napi-rs/wasm-runtime/index.js"),
    `const { createRequire } = require("node:module");
     const real = createRequire(${JSON.stringify(path.join(source, "package.json"))})(
       "@napi-rs/wasm-runtime");
     const { threadId } = require("node:worker_threads");
     module.exports = { ...real, instantiateNapiModuleSync(bytes, options) {
       const line = JSON.stringify({ thread: threadId, ours: "confinement" in options.wasi });
       require("node:fs").appendFileSync(${JSON.stringify(log)}, line + "\\n");
       return real.instantiateNapiModuleSync(bytes, options);
     } };`,
  );
  const seen = (): Seen[] =>
    fs.readFileSync(log, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  return { folder, seen };
}

// The baseline compiler of Node 20 has a fault around memory.atomic.wait.
const flags = runtime === "node20" ? ["--no-liftoff"] : [];

/** Works with a binding in a process of its own. */
function worked(parameters: string[], place: string, name: string, folder = ""): unknown {
  process.env["NAPI_RS_ASYNC_WORK_POOL_SIZE"] = "2";
  process.env["RAYON_NUM_THREADS"] = "3";
  const program = file("tests/support/register");
  return printed(runRuntime([...parameters, ...flags, program, place, name, folder], root));
}

const phc =
  "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

/** What each binding has to answer; the hash is OpenSSL's. */
const bindings: Record<string, unknown> = {
  "@oxc-parser/binding-wasm32-wasi": [
    ["TSEnumDeclaration"],
    ...Array.from({ length: 8 }, (_, i) => [
      ...Array(i).fill("VariableDeclaration"),
      "ClassDeclaration",
    ]),
  ],
  "@node-rs/argon2-wasm32-wasi": [phc, phc, true, false],
  // it hands the guest Windows' paths as they are, and there they are none
  "@tailwindcss/oxide-wasm32-wasi": windows ? [] : ["p-1", "p-2", "p-3", "p-4"],
};

for (const [name, answer] of Object.entries(bindings)) {
  const pages = [1, 2, 3, 4].map((n) => [`${n % 2}/${n}.html`, `<p class="p-${n}"></p>`]);
  const content = (): string => path.join(project({ ...Object.fromEntries(pages) }), ".");
  const classes = (found: unknown): unknown =>
    name.includes("oxide")
      ? (found as string[]).filter((word) => /^p-\d$/.test(word)).sort()
      : found;

  test(`${name} works over ours, unpatched, from node_modules`, options, () => {
    assert.deepEqual(classes(worked(preloaded, name, name, content())), answer);
  });

  test(`${name} makes objects of ours in every thread`, options, () => {
    const { folder, seen } = watched(name);
    assert.deepEqual(classes(worked(preloaded, folder, name, content())), answer);
    const all = seen();
    assert.ok(all.some(({ thread }) => thread === 0));
    // who has found nothing starts no thread
    assert.equal(all.some(({ thread }) => thread !== 0), (answer as unknown[]).length > 0);
    assert.deepEqual([...new Set(all.map(({ ours }) => ours))], [true]);
  });
}

test("without the preload the objects in their threads are Node's own", {
  ...options,
  skip: !runtime.startsWith("node"),
}, () => {
  const name = "@node-rs/argon2-wasm32-wasi";
  const { folder, seen } = watched(name);
  assert.deepEqual(worked(plain, folder, name), bindings[name]);
  assert.deepEqual([...new Set(seen().map(({ ours }) => ours))], [false]);
});
