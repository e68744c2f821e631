/** ruby/spec, of Debian's source of Ruby, on its build for WASI that npm has. */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { must } from "../debian.mjs";
import { root } from "../runtimes.mjs";
import { ranProgram } from "./runner.mjs";
import { havePackages } from "./npm.mjs";
import { haveSource, haveToolchain, outside } from "./toolchain.mjs";
import { ranModule } from "./unittest.mjs";

const MINUTES = 15;

const PACKAGE = "@ruby/3.3-wasm-wasi@2.10.1";

/** Parts about what WASI has not: threads, processes, sockets, terminals, users. */
const WITHOUT_PARTS = `
  core/conditionvariable core/mutex core/queue core/signal core/sizedqueue core/thread
  core/threadgroup library/drb library/etc library/expect library/fiber library/io-wait
  library/mkmf library/monitor library/net library/open3 library/openssl library/readline
  library/rubygems library/socket library/syslog library/thread library/timeout library/win32ole
`.trim().split(/\s+/);

/** Files about what WASI has not: processes, pipes, second descriptors, permissions, owners, locks. */
const WITHOUT_FILES = new RegExp(
  [
    "process/(\\w+/)*(_?fork|spawn|daemon|kill|detach|exec|wait\\w*|last_status|groups|initgroups)",
    "process/(\\w+/)*(maxgroups|e?[ug]id|[gs]et(rlimit|priority|pg\\w+|sid))",
    "kernel/(spawn|system|fork|exec|backtick|trap|test)",
    "io/(popen|pipe|close_(read|write|on_exec)|dup|reopen|nonblock)",
    "(file|stat|filetest)/(l?chmod|l?chown|flock|mkfifo|umask|executable\\w*|grpowned|set[ug]id)",
    "(file|stat|filetest)/(sticky|pipe|socket|world_\\w+|r?dev_\\w+|ftype|gid|uid)",
    "dir/chroot",
  ].map((name) => `/${name}_spec\\.rb$`).join("|"),
);

let program;
let spec;
let scratch;

/** Runs files without some of their examples. */
async function ranOnce(files, excluded, runner) {
  const temporary = fs.mkdtempSync(path.join(scratch, "root-"));
  try {
    for (const folder of ["tmp", "bin", "dev", "etc", "home"]) {
      fs.mkdirSync(path.join(temporary, folder));
    }
    for (const [name, minor] of [["null", "3"], ["zero", "5"]]) {
      const device = path.join(temporary, "dev", name);
      must("A device cannot be made.", "mknod", [device, "c", "1", minor]);
    }
    fs.writeFileSync(path.join(temporary, "etc/passwd"), "");
    const lines = excluded.map((text) => `${Buffer.from(text).toString("base64")}\n`);
    fs.writeFileSync(path.join(temporary, "tmp/excluded"), lines.join(""));
    return await ranProgram(path.join(runner, "script-deep"), [
      path.join(root, "scripts/languages/ruby_command.mjs"),
      program,
      JSON.stringify({
        "/": temporary,
        "/spec": spec,
        "/scripts": path.join(root, "scripts/languages"),
      }),
      "/scripts/specs.rb",
      ...files.map((file) => `/spec/ruby/${file}`),
    ], {
      env: {
        ...process.env,
        GUEST: JSON.stringify({ HOME: "/home", PATH: "/bin", RUBY_EXE: "/scripts/specs.rb" }),
      },
      milliseconds: MINUTES * 60_000,
    });
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** The files of a part that can be run. */
function filesOf(part) {
  return fs.readdirSync(path.join(spec, "ruby", part), { recursive: true }).map((name) =>
    `${part}/${name}`
  ).filter((name) => name.endsWith("_spec.rb") && !WITHOUT_FILES.test(name)).sort();
}

/** What a line of specs.rb says, or undefined. */
function readLine(line) {
  const [, how, ...coded] = /^@@ (\w+) (\S*) (\S*)$/.exec(line) ?? [];
  return how && [how, ...coded.map((word) => Buffer.from(word, "base64").toString())];
}

export const ruby = {
  name: "ruby",
  title: "Ruby",

  setUp(cache) {
    const packages = path.join(cache, "npm/ruby");
    havePackages(packages, [PACKAGE]);
    program = path.join(packages, "node_modules/@ruby/3.3-wasm-wasi/dist/ruby+stdlib.wasm");
    haveToolchain(cache);
    const { version, source } = haveSource("ruby3.3");
    spec = path.join(outside(source), "spec");
    scratch = path.join(cache, "ruby");
    fs.mkdirSync(scratch, { recursive: true });
    return `3.3.3, specs of ${version}`;
  },

  parts() {
    return ["core", "language", "library"].flatMap((kind) =>
      kind === "language"
        ? [kind]
        : fs.readdirSync(path.join(spec, "ruby", kind)).sort().map((name) => `${kind}/${name}`)
    ).filter((part) => !WITHOUT_PARTS.includes(part) && filesOf(part).length > 0);
  },

  run(name, runner) {
    const files = filesOf(name);
    return ranModule([], (excluded) => ranOnce(files, excluded, runner), readLine);
  },
};
