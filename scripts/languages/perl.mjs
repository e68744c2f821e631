/** Perl's own tests of files, streams, time and its modules for them, on npm's zeroperl. */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { must, once, say } from "../debian.mjs";
import { root } from "../runtimes.mjs";
import { ranProgram } from "./runner.mjs";
import { readTap } from "./tap.mjs";
import { haveNpm, haveSources } from "./toolchain.mjs";

const PACKAGE = "@6over3/zeroperl-ts@1.0.10";
const MINUTES = 5;

/** Folders with tests of Perl itself. */
const CORE = ["t/base", "t/cmd", "t/io", "t/op", "lib"];
/** Those of these that are about something else. */
const ELSE = /^$/;
/** Modules with tests. */
const MODULES = `
  cpan/Archive-Tar cpan/Compress-Raw-Bzip2 cpan/Compress-Raw-Zlib cpan/Digest cpan/Digest-MD5
  cpan/Digest-SHA cpan/File-Path cpan/File-Temp cpan/IO-Compress cpan/IO-Zlib cpan/Time-Local
  cpan/Time-Piece cpan/autodie dist/Env dist/FindBin dist/IO dist/PathTools dist/Search-Dict
  dist/SelfLoader dist/Tie-File dist/Time-HiRes ext/Fcntl ext/File-Find ext/File-Glob ext/FileCache
  ext/PerlIO-encoding ext/PerlIO-scalar ext/PerlIO-via
`.trim().split(/\s+/);

/** Told to Perl before a test: where it is begun. */
const START = `
  package Start;
  $ENV{PERL_CORE} = 1;
  push @INC, "/more";
  chdir $ENV{START} or die "chdir: $!";
  $0 =~ s{^\\Q$ENV{START}\\E/}{};
  1;
`;

/** Of Perl's library, the program has only a part. */
let program;
let sources;
let scratch;

/** Files whose names end so, within a folder. */
function found(folder, ending) {
  return fs.readdirSync(folder, { recursive: true }).map(String).filter((name) =>
    name.endsWith(ending)
  ).sort();
}

/**
 * Lets the tests have the modules of this Perl, which has them in its program, and do without another
 * Perl in a process of its own.
 */
function adapt(folder) {
  for (const name of [...found(folder, ".t"), ...found(folder, ".pl")]) {
    const file = path.join(folder, name);
    if (!fs.statSync(file).isFile()) continue;
    const before = fs.readFileSync(file, "latin1");
    let text = before.replace(/(?<![\w$@])@INC\s*=(?=\s*["'(q])/g, "push @INC,");
    if (path.basename(name) === "test.pl") {
      text = text.replace(/sub set_up_inc \{/, "$&\n    push @INC, @_; return;").replace(
        /sub _fresh_perl \{/,
        '$&\n    { my $skipped = $test; _print "ok $skipped # skip no processes\\n"; $test++; return 1; }',
      ).replace(/sub runperl \{/, "$&\n    $::ran_perl = $test;").replace(
        /sub _ok \{/,
        '$&\n    $_[2] .= " [runs perl]" if !$_[0] && $::ran_perl == $test;',
      );
    }
    if (text !== before) fs.writeFileSync(file, text, "latin1");
  }
}

export const perl = {
  name: "perl",
  title: "Perl",

  setUp(cache) {
    const home = path.join(cache, "perl");
    scratch = home;
    fs.mkdirSync(home, { recursive: true });
    program = path.join(
      haveNpm(cache, PACKAGE),
      "node_modules/@6over3/zeroperl-ts/dist/esm/zeroperl.wasm",
    );
    const unpacked = process.env.TRYP ?? haveSources(cache, "perl");
    sources = path.join(home, "sources");
    once(sources, [...CORE, ...MODULES].join(" "), () => {
      say("Perl's tests");
      for (const name of ["t", "lib", "MANIFEST", ...MODULES]) {
        fs.cpSync(path.join(unpacked, name), path.join(sources, name), { recursive: true });
      }
      for (
        const name of [
          "lib",
          ...["cpan/Test-Simple", ...MODULES].map((name) => `${name}/lib`),
        ]
      ) {
        const from = path.join(unpacked, name);
        if (fs.existsSync(from)) fs.cpSync(from, path.join(sources, "more"), { recursive: true });
      }
      adapt(sources);
    });
    return "5.42.0, tests of 5.40.1";
  },

  parts() {
    return [
      ...CORE.flatMap((name) =>
        fs.readdirSync(path.join(sources, name)).filter((file) => file.endsWith(".t")).map((file) =>
          `${name}/${file}`
        ).filter((part) => !ELSE.test(part))
      ),
      ...MODULES.flatMap((name) =>
        found(path.join(sources, name), ".t").map((file) => `${name}/${file}`)
      ),
    ];
  },

  async run(part, runner) {
    const core = CORE.some((name) => part.startsWith(`${name}/`));
    const place = core ? "t" : MODULES.find((name) => part.startsWith(`${name}/`));
    const temporary = fs.mkdtempSync(path.join(scratch, "root-"));
    try {
      for (const name of ["tmp", "dev", "start"]) fs.mkdirSync(path.join(temporary, name));
      must("A device cannot be made.", "mknod", [path.join(temporary, "dev/null"), "c", "1", "3"]);
      fs.writeFileSync(path.join(temporary, "start/Start.pm"), START);
      fs.writeFileSync(path.join(temporary, "start/POSIX.pm"), "package POSIX; 1;");
      for (const name of new Set(["t", "MANIFEST", part.startsWith("lib/") ? "lib" : "t", place])) {
        fs.cpSync(path.join(sources, name), path.join(temporary, "perl", name), {
          recursive: true,
        });
      }
      const ran = await ranProgram(path.join(runner, "script"), [
        path.join(root, "scripts/languages/perl_command.mjs"),
        program,
        JSON.stringify({ "/": temporary, "/more": path.join(sources, "more") }),
        "-I/start",
        "-MStart",
        `/perl/${part}`,
      ], {
        env: {
          ...process.env,
          GUEST: JSON.stringify({
            PATH: "/bin",
            TMPDIR: "/tmp",
            HOME: "/",
            START: `/perl/${place}`,
          }),
        },
        milliseconds: MINUTES * 60_000,
      });
      return readTap(ran);
    } finally {
      fs.rmSync(temporary, { recursive: true, force: true });
    }
  },
};
