/** Perl's own tests, of Debian's source of Perl, on its build for WASI that npm has. */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { must, once, say, SetupError } from "../debian.mjs";
import { programOf, root } from "../runtimes.mjs";
import { havePackages } from "./npm.mjs";
import { resultOf } from "./results.mjs";
import { ranProgram } from "./runner.mjs";
import { haveBuilt, haveSource, haveToolchain, outside } from "./toolchain.mjs";

const MINUTES = 10;

const PACKAGE = "@6over3/zeroperl-ts@1.0.10";
const OWN = path.join(root, "scripts/languages/perl");
const ADDED = fs.readFileSync(path.join(OWN, "without.pl"), "utf8");
const COMMAND = path.join(root, "scripts/languages/perl_command.mjs");

/** The last one of the release of the interpreter. */
const SOURCE = {
  version: "5.42.3",
  sha256: "c9387e1473a1866935cb047ece7c2e0a80767a3acdecb79d4a375f8a95970ddc",
};

/** The tables of Unicode's properties are made as Perl's builders make them. */
const BUILD = (source) => `
  cp -r ${source}/. .
  perl lib/unicore/mktables -C lib/unicore -P pod -makelist -p
`;

/**
 * Folders of t/ and the modules, whose tests are parts of the suite. Those of t/mro need the module mro,
 * which this build cannot load, those of dist/Tie-File the module POSIX; those of ext/File-Glob and others are
 * only run in the tree in which Perl is built; those of t/run, t/porting, t/bigmem and others are about
 * other things.
 */
const FOLDERS = "base cmd comp io re opbasic op uni lib class".split(" ");
const LIBRARY = ["lib", "lib/File", "lib/Tie", "lib/Time"];
const MODULES = `
  cpan/Digest cpan/Digest-MD5 cpan/Digest-SHA cpan/File-Path cpan/File-Temp cpan/Scalar-List-Utils
  dist/IO dist/PathTools dist/Search-Dict dist/Time-HiRes ext/Fcntl ext/File-Find ext/FileCache
`.trim().split(/\s+/);

/**
 * Tests about what WASI has not: processes, pipes, second descriptors, signals, alarms, sockets, users
 * and locales; about modules that this build has not: B, POSIX, Socket, threads; and those that take too
 * long.
 */
const WITHOUT = new RegExp(
  [
    "t/io/(crlf_through|through|dup|errnosig|fflush|openpid|pipe|socket\\w*|sem|msg|shm)",
    "t/op/(alarm|closure|coreamp|die_exit|exec|fork|groups|kill0|sigdispatch|sigsystem|svflags)",
    "t/op/(getpid|getppid|setpgrpstack|lock|threads\\S*|vfork)",
    "t/re/(uniprops\\d+|fold_grind\\w+|\\w+_thr|speed)",
    "lib/(perl5db|perlbug|sigtrap|h2xs|h2ph|locale\\w*|_?charnames|Benchmark|diagnostics)",
    "cpan/(Digest-MD5/t/threads|File-Temp/t/fork)",
    "dist/IO/t/(cachepropagate-\\w+|gh17447)",
    "dist/IO/t/io_(dup|multihomed|pipe|poll|sel|sock|sock_errstr|udp|unix|xs)",
  ].map((name) => `^${name}\\.t$`).join("|"),
);

/** This build has no locales, and none of the functions by which they are looked for. */
const LOCALES = `
;
no warnings "redefine";
*locales_enabled = sub (;$) { return };
*find_locales = sub ($;$) { return };
*find_utf8_ctype_locales = *find_utf8_ctype_locale = sub (;$) { return };
1;
`;

/** What is other in copies of the tests: by file, what is replaced by what. */
const REPLACED = {
  "t/io/fs.t": {
    "$wd = `pwd`": "$wd = do { require Cwd; Cwd::getcwd() }",
    "`rm -f $tmpdir 2>/dev/null; mkdir $tmpdir 2>/dev/null`": "mkdir $tmpdir",
    "`mkdir $tmpdir 2>/dev/null`": "mkdir $tmpdir",
    "map chown(+()), ('')x68;": "", // ends the test where there is no chown
  },
  "t/op/chdir.t": {
    "@INC = () if": "# ",
    'require "./test.pl"': 'chdir "t"; require "./test.pl"',
  },
  "t/op/time_loop.t": { "require './test.pl'": "chdir 't'; require './test.pl'" },
  "t/op/glob.t": { "split /\\n/, `ls op/ | cat`": "do { opendir my $dir, 'op'; readdir $dir }" },
  "lib/Test2/Util.pm": { "'>&' . $fileno": "'>&=' . $fileno" }, // there are no second descriptors
  "t/loc_tools.pl": { "\n__DATA__\n": `${LOCALES}\n__DATA__\n` },
};

let program;
let tree;
let scratch;

/** The files in a folder and the folders in it. */
function filesIn(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** The distributions that come with Perl. */
function distributions(source) {
  return ["cpan", "dist", "ext"].flatMap((kind) =>
    fs.readdirSync(path.join(source, kind)).filter((name) => !/^(\.|Amiga|VMS|Win32)/.test(name))
      .map((name) => path.join(source, kind, name))
  );
}

/** A module's file by the package that it begins with, or undefined. */
function placeOf(file) {
  const text = fs.readFileSync(file, "latin1");
  const name = /^\s*package\s+([\w:]+)/m.exec(text)?.[1];
  return name && `${name.replaceAll("::", "/")}.pm`;
}

/** The files of the library that a distribution has, by their places in it. */
function libraryOf(distribution) {
  const files = new Map(
    filesIn(path.join(distribution, "lib")).map((name) => [
      name,
      path.join(distribution, "lib", name),
    ]),
  );
  for (const name of filesIn(distribution)) {
    const file = path.join(distribution, name);
    const place = /^([A-Z]\w*\/)?\w+(\.pm|_pm\.PL)$/.test(name) && placeOf(file);
    if (place) files.set(place, file);
  }
  return files;
}

/** Copies what the interpreter has of these files of the library, and gives their places. */
function copyBuiltIn(places, to) {
  const script = `
    for my $place (split /\\n/, do { local (@ARGV, $/) = "/places"; <> }) {
      for my $inc (grep m{^/zeroperl}, @INC) {
        open my $in, "<:raw", "$inc/$place" or next;
        my $text = do { local $/; <$in> };
        my $folder = "/lib";
        for (split m{/}, $place =~ s{[^/]+$}{}r) { mkdir $folder .= "/$_" }
        open my $out, ">:raw", "/lib/$place" or die "$place: $!";
        print $out $text;
        close $out or die "$place: $!";
        last;
      }
    }`;
  fs.mkdirSync(path.join(to, "lib"), { recursive: true });
  fs.mkdirSync(path.join(to, "dev"));
  fs.writeFileSync(path.join(to, "dev/null"), "");
  fs.writeFileSync(path.join(to, "places"), places.join("\n"));
  fs.writeFileSync(path.join(to, "copy.pl"), script);
  const text = must(
    "The interpreter's library cannot be read.",
    programOf("node26"),
    [COMMAND, program, JSON.stringify({ "/": to }), "copy.pl"],
  );
  if (!/^@@ end copy.pl 0$/m.test(text)) {
    throw new SetupError(`The interpreter's library cannot be read:\n${text}`);
  }
  return new Set(filesIn(path.join(to, "lib")));
}

/**
 * Makes the library: that of the source, with the files of the interpreter in place of those that belong
 * to its own code in C.
 */
function makeLibrary(source, to) {
  const all = distributions(source).map((distribution) => ({
    files: libraryOf(distribution),
    compiled: filesIn(distribution).some((name) => name.endsWith(".xs")),
  }));
  const own = filesIn(path.join(source, "lib"));
  const places = [
    ...new Set([...own, ...all.flatMap(({ files }) => [...files.keys()])]),
    ...["Config.pm", "Config_heavy.pl", "Config_git.pl", "Errno.pm", "lib.pm"],
  ].filter((place) => /\.p[lm]$/.test(place) && !place.startsWith("unicore/"));
  const builtIn = path.join(to, "built-in");
  const has = copyBuiltIn(places, builtIn);
  const library = path.join(to, "lib");
  fs.cpSync(path.join(source, "lib"), library, { recursive: true });
  for (const { files, compiled } of all) {
    if (compiled && ![...files.keys()].some((place) => has.has(place))) continue;
    for (const [place, file] of files) {
      fs.cpSync(file, path.join(library, place));
    }
  }
  fs.cpSync(path.join(builtIn, "lib"), library, { recursive: true });
  for (const name of ["Storable.pm", "mro.pm"]) {
    fs.copyFileSync(path.join(OWN, name), path.join(library, name));
  }
}

/** Copies the tests with all that they look at. */
function copyTests(source) {
  for (const name of ["t", "MANIFEST", "regen", ...MODULES]) {
    fs.cpSync(path.join(source, name), path.join(tree, name), { recursive: true });
  }
  fs.copyFileSync(program, path.join(tree, "t/perl"));
  fs.copyFileSync(path.join(tree, "t/test.pl"), path.join(tree, "dist/IO/t/test.pl"));
  for (const [name, texts] of Object.entries(REPLACED)) {
    const file = path.join(tree, name);
    let text = fs.readFileSync(file, "latin1");
    for (const [before, after] of Object.entries(texts)) {
      if (!text.includes(before)) throw new SetupError(`${file} has no ${before}.`);
      text = text.replace(before, () => after);
    }
    fs.writeFileSync(file, text, "latin1");
  }
  for (const name of ["t", "dist/IO/t"]) {
    fs.appendFileSync(path.join(tree, name, "test.pl"), ADDED);
  }
}

/** The tests of a part, in the source. */
function filesOf(part) {
  const folder = MODULES.includes(part) ? `${part}/t` : part;
  return filesIn(path.join(tree, folder))
    .filter((name) => part !== "lib" || !name.includes("/"))
    .map((name) => `${folder}/${name}`)
    .filter((file) => file.endsWith(".t") && !WITHOUT.test(file)).sort();
}

/** What a test has said, by the numbers and names in the protocol TAP. */
function readTest(file, text, code) {
  const done = new Map();
  let plan;
  let last = 0;
  let at = 0;
  for (const line of text.split("\n")) {
    const from = at;
    at += line.length + 1;
    const planned = /^1\.\.(\d+)(.*)/.exec(line);
    if (planned !== null) plan = planned;
    const [, not, number, more] = /^(not )?ok\b(?: (\d+))?(.*)/.exec(line) ?? [];
    if (more === undefined) continue;
    last = Number(number ?? last + 1);
    const aside = /(?<!\\)# *(skip|todo)/i.test(more);
    const how = aside ? "skip" : not === undefined ? "pass" : "fail";
    const said = how === "fail" ? text.slice(from, from + 1500) : "";
    done.set(`${file} ${last}${more.replace(/^ -/, "")}`, { how, text: said });
  }
  if (plan?.[1] === "0") return new Map([[file, { how: "skip", text: plan[2] }]]);
  const seen = new Set([...done.keys()].map((name) => name.split(" ")[1])).size;
  if (code !== "0" || Number(plan?.[1]) !== seen) {
    const failed = [...done.values()].some(({ how }) => how === "fail");
    if (failed && Number(plan?.[1]) === seen) return done;
    done.set(`${file} (all)`, {
      how: "fail",
      text: `${seen} of ${plan?.[1]}, ended with ${code}\n${text.slice(-1500)}`,
    });
  }
  return done;
}

/** Runs files in a fresh copy of what they need; gives what those have said that ended. */
async function ranOnce(files, runner) {
  const temporary = fs.mkdtempSync(path.join(scratch, "root-"));
  const module = /^(cpan|dist|ext)\//.exec(files[0]) && files[0].split("/").slice(0, 2).join("/");
  try {
    fs.mkdirSync(path.join(temporary, "tmp"));
    fs.mkdirSync(path.join(temporary, "dev"));
    must("A device cannot be made.", "mknod", [path.join(temporary, "dev/null"), "c", "1", "3"]);
    const copied = module ? [module] : ["t", "lib", "MANIFEST", "regen"];
    for (const name of copied) {
      must("The tests cannot be copied.", "cp", [
        "-a",
        `${path.join(tree, name)}${module ? "/." : ""}`,
        temporary,
      ]);
    }
    const folders = { "/": temporary, ...(module ? { "/perl/lib": path.join(tree, "lib") } : {}) };
    const { code, text } = await ranProgram(path.join(runner, "script-deep"), [
      COMMAND,
      program,
      JSON.stringify(folders),
      ...files.map((file) => module ? file.slice(module.length + 1) : file),
    ], {
      env: {
        ...process.env,
        GUEST: JSON.stringify({
          HOME: "/",
          PATH: "/bin",
          TMPDIR: "/tmp",
          ...(module ? { PERL5LIB: "/perl/lib" } : { PERL_CORE: "1", PERL5LIB: "/lib" }),
        }),
      },
      milliseconds: MINUTES * 60_000,
    });
    return { code, text };
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

export const perl = {
  name: "perl",
  title: "Perl",

  setUp(cache) {
    const packages = path.join(cache, "npm/perl");
    havePackages(packages, [PACKAGE]);
    program = path.join(packages, "node_modules/@6over3/zeroperl-ts/dist/esm/zeroperl.wasm");
    haveToolchain(cache);
    const { version, source } = haveSource("perl", SOURCE);
    const built = outside(haveBuilt("perl", BUILD(source)));
    scratch = path.join(cache, "perl");
    tree = path.join(scratch, "tree");
    fs.mkdirSync(scratch, { recursive: true });
    const own = fs.readdirSync(OWN).map((name) => fs.readFileSync(path.join(OWN, name), "utf8"));
    const stamp = [PACKAGE, version, ...own, JSON.stringify([REPLACED, MODULES])];
    once(tree, stamp.join(" "), () => {
      say("Perl's library");
      makeLibrary(built, tree);
      copyTests(built);
    });
    return `5.42.0, tests of ${version}`;
  },

  parts() {
    return [...FOLDERS.map((name) => `t/${name}`), ...LIBRARY, ...MODULES];
  },

  async run(part, runner) {
    const done = new Map();
    for (let left = filesOf(part); left.length > 0;) {
      const { code, text } = await ranOnce(left, runner);
      const ended = new Set();
      const module = MODULES.includes(part) ? `${part}/` : "";
      for (
        const [, file, said, how] of text.matchAll(/^@@ begin (\S+)\n([^]*?)\n@@ end \1 (.*)$/gm)
      ) {
        ended.add(module + file);
        for (const [name, result] of readTest(module + file, said, how)) done.set(name, result);
      }
      left = left.filter((file) => !ended.has(file));
      if (left.length === 0) break;
      done.set(`${left.shift()} (all)`, {
        how: "fail",
        text: `ended with ${code}\n${text.slice(-1500)}`,
      });
    }
    return resultOf(done);
  },
};
