/**
 * Pieces of work as people do them. Each prepares a folder, which becomes the root of its guests, does
 * its work, and checks what is in the folder afterwards against what somebody else says of it: the
 * hashes in a wheel, the same program compiled for the machine itself, how the files were made.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { spawnSync } from "node:child_process";

const MODULES = 10_000;
const FILES = 256;
const FILE_SIZE = 4 << 20;

function write(folder, name, content) {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
}

/** What CPython's build for WASI does not have, and pip and venv expect. */
const SHIM = {
  "shim/mmap.py": "class mmap: pass\n",
  "shim/sitecustomize.py": `
import os, sys
os.getuid = lambda: 0
os.umask = lambda mask: 0o22
sys.executable = sys._base_executable = "/opt/python"
`,
};

const PYTHON_ENVIRONMENT = {
  HOME: "/",
  TMPDIR: "/tmp",
  PYTHONDONTWRITEBYTECODE: "1",
  SOURCE_DATE_EPOCH: "1767225600", // compiled files have a hash of the source and no time
};

function wheelsOf(tools) {
  const folder = path.join(tools, "wheels");
  return fs.readdirSync(folder).filter((name) => /^(pip|setuptools)-/.test(name))
    .map((name) => ({ name, file: path.join(folder, name) }));
}

/** pip installs two packages, one of which is pip, from wheels in the folder. */
const pip = {
  prepare(folder, tools) {
    for (const { name, file } of wheelsOf(tools)) {
      write(folder, `wheels/${name}`, fs.readFileSync(file));
    }
    for (const [name, text] of Object.entries(SHIM)) write(folder, name, text);
    fs.mkdirSync(path.join(folder, "tmp"));
  },

  work(guest, tools) {
    const wheel = wheelsOf(tools).find(({ name }) => name.startsWith("pip-")).name;
    return guest(path.join(tools, "python.wasm"), [
      ..."python -m pip install --progress-bar off --no-index --find-links /wheels".split(" "),
      ..."--root-user-action ignore --target /site setuptools pip".split(" "),
    ], { ...PYTHON_ENVIRONMENT, PYTHONPATH: `/wheels/${wheel}:/shim` });
  },

  check({ folder, printed, failed }) {
    if (!/^Successfully installed pip-\S+ setuptools-\S+$/m.test(printed)) failed(printed);
    const site = path.join(folder, "site");
    let checked = 0;
    for (const information of fs.readdirSync(site).filter((name) => name.endsWith(".dist-info"))) {
      const record = fs.readFileSync(path.join(site, information, "RECORD"), "utf8");
      for (const line of record.trim().split("\n")) {
        const [, name, wanted] = /^(.*),(?:sha256=(.*))?,\d*$/.exec(line.trim()) ?? [];
        if (wanted === undefined) continue; // RECORD itself, and compiled files
        const file = path.join(site, name.replace(/^\.\.\/\.\.\//, ""));
        const found = crypto.createHash("sha256").update(fs.readFileSync(file)).digest("base64url");
        if (found !== wanted) failed(`${name} is not what its wheel says`);
        checked++;
      }
    }
    if (checked < 700) failed(`only ${checked} files were checked`);
    if (fs.readdirSync(path.join(folder, "tmp")).length > 0) failed("pip left temporary files");
  },
};

/** CPython makes a virtual environment. */
const venv = {
  prepare(folder, tools) {
    for (const [name, text] of Object.entries(SHIM)) write(folder, name, text);
    fs.cpSync(path.join(tools, "venv"), path.join(folder, "shim/venv"), { recursive: true });
    write(folder, "opt/python", fs.readFileSync(path.join(tools, "python.wasm")));
  },

  work: (guest, tools) =>
    guest(
      path.join(tools, "python.wasm"),
      "python -m venv --copies --without-pip /made".split(" "),
      { ...PYTHON_ENVIRONMENT, PYTHONPATH: "/shim" },
    ),

  check({ folder, tools, failed }) {
    const at = (...names) => path.join(folder, "made", ...names);
    const settings = fs.readFileSync(at("pyvenv.cfg"), "utf8");
    if (!/^home = \/opt$/m.test(settings)) failed(`pyvenv.cfg: ${settings}`);
    const python = fs.readFileSync(path.join(tools, "python.wasm"));
    if (!python.equals(fs.readFileSync(at("bin/python")))) failed("bin/python is another file");
    if (!fs.readFileSync(at("bin/activate"), "utf8").includes("/made")) failed("bin/activate");
    if (!fs.statSync(at("lib/python3.12/site-packages")).isDirectory()) failed("no site-packages");
  },
};

/** A program of many modules in TypeScript, a hundred to a directory. */
export function writeModules(folder) {
  const lines = [];
  for (let i = 0; i < MODULES; i++) {
    const name = `d${Math.floor(i / 100)}/m${i}`;
    const next = i + 1 < MODULES ? `../d${Math.floor((i + 1) / 100)}/m${i + 1}` : undefined;
    write(
      folder,
      `src/${name}.ts`,
      (i % 7 === 0 && next !== undefined ? `import { n${i + 1} as next } from "${next}";\n` : "") +
        `export const n${i}: number = ${i};\n` +
        `export const unused${i} = { text: "never used ${i}", "größe": ${i} };\n` +
        (i % 7 === 0 && next !== undefined
          ? `if (next !== ${i + 1}) throw new Error("${i}");\n`
          : ""),
    );
    lines.push(`import { n${i} } from "./${name}";`);
  }
  // no sum of them all: parsers recurse into its 10,000 levels
  const all = Array.from({ length: MODULES }, (_, i) => `n${i}`).join(", ");
  const main = `console.log([${all}].reduce((sum, one) => sum + one));`;
  write(folder, "src/main.ts", `${lines.join("\n")}\n${main}\n`);
  write(folder, "package.json", "{}");
}

export const SUM = MODULES * (MODULES - 1) / 2;

/** Runs a bundle of these modules; gives what it prints. */
function printedBy(bundle) {
  return spawnSync("node", [bundle], { encoding: "utf8" }).stdout?.trim();
}

/** esbuild bundles a program of 10,000 modules, as the same esbuild for this machine does. */
const esbuild = {
  words: "--bundle --minify --sourcemap --format=iife --outfile=out/main.js src/main.ts".split(" "),

  prepare: writeModules,

  work: (guest, tools) =>
    guest(path.join(tools, "esbuild.wasm"), ["esbuild", ...esbuild.words], { PWD: "/" }),

  check({ folder, tools, failed }) {
    const names = ["main.js", "main.js.map"];
    const read = () => names.map((name) => fs.readFileSync(path.join(folder, "out", name)));
    const made = read();
    fs.rmSync(path.join(folder, "out"), { recursive: true });
    const { status, stderr } = spawnSync(path.join(tools, "esbuild"), esbuild.words, {
      cwd: folder,
    });
    if (status !== 0) failed(`esbuild of this machine: ${stderr}`);
    for (const [i, expected] of read().entries()) {
      if (!expected.equals(made[i])) failed(`${names[i]} differs from what esbuild makes natively`);
    }
    const printed = printedBy(path.join(folder, "out/main.js"));
    if (printed !== String(SUM)) failed(`the bundle prints ${printed}, not ${SUM}`);
  },
};

/** Numbers that look random, the same each time. */
function* numbers(state) {
  for (;;) yield state = Math.imul(state, 1_103_515_245) + 12_345 & 0x7fffffff;
}

/** How often the word stands in a file of the search. */
const needlesIn = (file) => file % 5 === 0 ? 0 : file * 3;

/** One file of the search: lines of text, in some of which the word stands. */
function haystack(file) {
  const block = Buffer.alloc(FILE_SIZE, "the quick brown fox jumps over the lazy dog 0123456789\n");
  const random = numbers(file + 1);
  const lines = FILE_SIZE / 55 >> 0;
  const taken = new Set();
  while (taken.size < needlesIn(file)) taken.add(random.next().value % lines);
  for (const line of taken) block.write("needle", line * 55 + 10);
  return block;
}

/** ripgrep searches a gigabyte. */
const ripgrep = {
  prepare(folder) {
    for (let i = 0; i < FILES; i++) write(folder, `data/d${i % 16}/f${i}.txt`, haystack(i));
  },

  work: (guest, tools) =>
    guest(path.join(tools, "rg.wasm"), ["rg", "--count", "--sort=path", "needle", "/data"]),

  check({ printed, failed }) {
    const expected = [];
    for (let i = 0; i < FILES; i++) {
      if (needlesIn(i) > 0) expected.push(`/data/d${i % 16}/f${i}.txt:${needlesIn(i)}`);
    }
    const found = printed.trim().split("\n");
    if (found.toSorted().join("\n") !== expected.sort().join("\n")) {
      failed(`${found.length} files were found, not ${expected.length}, or with other numbers`);
    }
  },
};

/** Ruby builds a gem, and Bundler installs it and loads it. */
const bundler = {
  prepare(folder, tools) {
    write(
      folder,
      "greeting/lib/greeting.rb",
      'module Greeting; def self.to(who) = "hello, #{who}"; end\n',
    );
    write(folder, "app/Gemfile", 'source "https://rubygems.org"\ngem "greeting"\n');
    for (const name of ["app/vendor/cache", "tmp"]) {
      fs.mkdirSync(path.join(folder, name), { recursive: true });
    }
    // Bundler loads what it would need for a network
    write(folder, "shim/io/wait.rb", "");
    write(
      folder,
      "shim/socket.rb",
      "class SocketError < StandardError; end\nclass BasicSocket < IO; end\n" +
        "class Socket < BasicSocket; end\nclass TCPSocket < BasicSocket; end\n",
    );
    fs.copyFileSync(path.join(tools, "bundle.rb"), path.join(folder, "bundle.rb"));
  },

  async work(_, tools, wasi) {
    const { RubyVM } = await import(
      path.join(tools, "node_modules/@ruby/wasm-wasi/dist/esm/vm.js")
    );
    const module = await WebAssembly.compile(fs.readFileSync(path.join(tools, "ruby.wasm")));
    const wasip1 = wasi({
      HOME: "/work",
      GEM_HOME: "/work/gems",
      BUNDLE_APP_CONFIG: "/work/.bundle",
      TMPDIR: "/work/tmp",
    });
    const { vm } = await RubyVM.instantiateModule({ module, wasip1 });
    return vm.eval('eval(File.read("/work/bundle.rb"))').toString();
  },

  check({ folder, printed, failed }) {
    const gem = "gems/gems/greeting-1.2.3/lib/greeting.rb";
    if (printed !== `hello, world from /work/${gem}`) failed(printed);
    const read = (name) => fs.readFileSync(path.join(folder, name), "utf8");
    if (read(gem) !== read("greeting/lib/greeting.rb")) failed("the installed file differs");
    if (!/^ {4}greeting \(1\.2\.3\)$/m.test(read("app/Gemfile.lock"))) failed("Gemfile.lock");
  },
};

export const jobs = { pip, venv, bundler, esbuild, ripgrep };
