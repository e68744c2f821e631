/**
 * A Debian in a folder, with packages of its own: for what is run here of other systems and toolchains.
 * Which mirror is used is for the machine's apt to say.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";

/** The release. */
export const SUITE = "trixie";

/** Why something cannot be set up, and what to do. */
export class SetupError extends Error {}

export function say(text) {
  console.log(`=== ${text}`);
}

/** Where a part of the project keeps what it has set up. A variable may name another folder. */
export function cacheFolder(name) {
  return process.env[name.toUpperCase().replaceAll("-", "_") + "_CACHE"] ??
    path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), name);
}

/** Runs a program; a failure says what it was for, and the end of what it wrote. */
export function must(why, command, words, options = {}) {
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

/** Says so where a folder with Debian cannot be made or entered. */
export function refuseUnfit(otherwise = "") {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new SetupError(
      `This is ${process.platform} on ${process.arch}: run it on Linux on x64${otherwise}.`,
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

/** Does a step that makes `place`, unless it has been done the same way before. */
export function once(place, how, step) {
  const stamp = `${place}.done`;
  const done = fs.existsSync(stamp) && fs.existsSync(place) &&
    fs.readFileSync(stamp, "utf8") === how;
  if (done) return;
  fs.rmSync(stamp, { force: true });
  fs.rmSync(place, { recursive: true, force: true });
  step();
  fs.writeFileSync(stamp, how);
}

/** Makes a Debian with these packages. */
export function makeDebian(folder, packages, suite = SUITE) {
  const from = mirror();
  say(`Debian ${suite} from ${from}`);
  must(
    `Debian's ${suite} cannot be had from ${from}: see whether the mirror can be reached, or name ` +
      "another one in WASI_DEBIAN_MIRROR.",
    "debootstrap",
    ["--variant=minbase", "--include=ca-certificates", suite, folder, from],
  );
  fs.copyFileSync("/etc/resolv.conf", path.join(folder, "etc/resolv.conf"));
  say(`Debian's ${packages.join(", ")}`);
  const install = "mount -t proc proc $0/proc && mount --rbind /dev $0/dev && " +
    "chroot $0 apt-get -q update && " +
    'chroot $0 apt-get -q install -y --no-install-recommends "$@" && ' +
    "chroot $0 apt-get clean";
  must(
    "The packages cannot be installed: see whether the mirror can be reached.",
    "unshare",
    ["--mount", "sh", "-c", install, folder, ...packages],
    { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } },
  );
}

/** Makes a Debian with these packages unless it is there. */
export function haveDebian(folder, packages, suite = SUITE) {
  once(folder, packages.join(" "), () => {
    refuseUnfit();
    makeDebian(folder, packages, suite);
  });
}

/** Words for `unshare` that run a script for sh inside a Debian, with an environment of its own. */
export function wordsInside(folder, script) {
  const enter = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" ' +
    "env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C " +
    'DEBIAN_FRONTEND=noninteractive sh -c "$1"';
  return ["--mount", "--pid", "--fork", "sh", "-c", enter, folder, script];
}

/** Runs a script for sh inside a Debian up to the first command that fails; a failure says what it was for. */
export function inside(folder, why, script) {
  return must(why, "unshare", wordsInside(folder, `set -e\n${script}`));
}

/** Lets apt inside a Debian know sources. */
export function haveSources(folder) {
  const lists = path.join(folder, "etc/apt");
  const list = path.join(lists, "sources.list.d/sources.list");
  if (fs.existsSync(list)) return;
  const binaries = fs.readFileSync(path.join(lists, "sources.list"), "utf8");
  fs.writeFileSync(list, binaries.replaceAll(/^deb /gm, "deb-src "));
  inside(folder, "Debian's sources cannot be listed.", "apt-get -q update");
}
