/**
 * SQLite's programs that test it without Tcl, and its shell: databases on the disk, with every journal
 * that WASI allows, by several processes at once, and ended in the middle of a transaction.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { ranProgram } from "./runner.mjs";
import { haveBuilt, haveSource, outside } from "./toolchain.mjs";
import { haveCompiler } from "./wasi_cc.mjs";

const MINUTES = 20;
const JOURNALS = ["delete", "truncate", "persist", "memory"];
const FUZZ = [1, 2, 3, 4, 5, 6, 7, 8];

const BUILD = (source) => `
  ${source}/configure --disable-tcl --with-tcl=/usr/lib/tcl8.6 >/dev/null
  make sqlite3.c shell.c >/dev/null
  cc="wasi-cc -O1 -I. -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL"
  $cc -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_DBPAGE_VTAB -c sqlite3.c -o sqlite3.o
  $cc shell.c sqlite3.o -o shell.wasm
  $cc ${source}/test/speedtest1.c sqlite3.o -o speedtest1.wasm
  $cc ${source}/test/kvtest.c sqlite3.o -o kvtest.wasm
  $cc -I${source}/test -I${source}/ext/recover -DSQLITE_ENABLE_MEMSYS5 \\
    -DSQLITE_MAX_MEMORY=50000000 -DSQLITE_PRINTF_PRECISION_LIMIT=1000 -DSQLITE_ENABLE_FTS4 \\
    -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_GEOPOLY \\
    -DSQLITE_ENABLE_DBSTAT_VTAB -DSQLITE_ENABLE_BYTECODE_VTAB -DSQLITE_STRICT_SUBTYPE=1 \\
    -DSQLITE_STATIC_RANDOMJSON -DSQLITE_OSS_FUZZ \\
    ${source}/test/fuzzcheck.c ${source}/test/ossfuzz.c ${source}/test/vt02.c \\
    ${source}/test/fuzzinvariants.c ${source}/ext/recover/dbdata.c \\
    ${source}/ext/recover/sqlite3recover.c ${source}/ext/misc/randomjson.c sqlite3.c \\
    -o fuzzcheck.wasm
`;

let programs;
let tests;

/** A folder with a database, and what is run in it. */
class Ground {
  constructor(runner) {
    this.runner = runner;
    this.folder = fs.mkdtempSync(path.join(path.dirname(programs), "run-"));
  }

  words(program, words) {
    return [
      `--dir=${this.folder}::/`,
      "--env=HOME=/",
      path.join(programs, `${program}.wasm`),
      ...words,
    ];
  }

  async run(program, ...words) {
    const command = path.join(this.runner, "wasi");
    const { code, text } = await ranProgram(command, this.words(program, words), {
      milliseconds: MINUTES * 60_000,
    });
    return code === 0 ? text.trim() : `${text.trim()}\nended with ${code}`;
  }

  /** What the shell says to these commands. */
  shell(...commands) {
    return this.run("shell", "-bail", "-batch", "/a.db", ...commands);
  }

  /** The same without locks. */
  alone(...commands) {
    return this.run("shell", "-bail", "-batch", "-vfs", "unix-none", "/a.db", ...commands);
  }

  /** Starts the shell, and ends it at once as soon as there is a file `name`. */
  killed(name, vfs, ...commands) {
    const child = spawn(
      path.join(this.runner, "wasi"),
      this.words("shell", ["-batch", "-vfs", vfs, "/a.db", ...commands]),
      { stdio: ["ignore", "ignore", "inherit"], detached: true },
    );
    const file = path.join(this.folder, name);
    const began = Date.now();
    const timer = setInterval(() => {
      if (fs.existsSync(file) || Date.now() - began > MINUTES * 60_000) {
        process.kill(-child.pid, "SIGKILL");
      }
    }, 20);
    return new Promise((resolve, reject) => {
      child.on("error", reject).on("close", (code, signal) => {
        clearInterval(timer);
        resolve(signal ?? code);
      });
    });
  }

  files() {
    return fs.readdirSync(this.folder).sort().join(" ");
  }
}

/** Notes each thing that is not as it should be. */
class Checks {
  passed = 0;
  failed = [];

  same(name, seen, wanted) {
    if (seen === wanted) this.passed++;
    else this.failed.push({ name, text: `seen:\n${seen}\nwanted:\n${wanted}` });
  }

  matches(name, seen, wanted) {
    if (wanted.test(seen)) this.passed++;
    else this.failed.push({ name, text: `seen:\n${seen}\nwanted:\n${wanted}` });
  }
}

/** Its inputs that have found faults in it; it says how many there were. */
async function fuzz(ground, checks, number) {
  const file = `fuzzdata${number}.db`; // it has to be writable
  fs.copyFileSync(path.join(tests, file), path.join(ground.folder, file));
  const text = await ground.run("fuzzcheck", `/${file}`);
  const [, errors, total] = /(\d+) errors out of (\d+) tests/.exec(text) ?? [];
  if (errors === "0") checks.passed += Number(total);
  else checks.matches(file, text, /0 errors/);
}

/** The mixture of statements that it is measured with; a hash stands for all of their results. */
async function speed(ground, checks, journal) {
  const hash = (text) => /Verification Hash: (.*)/.exec(text)?.[1];
  const words = ["--size", "5", "--verify"];
  const wanted = await ground.run("speedtest1", ...words);
  const seen = await ground.run("speedtest1", ...words, "--journal", journal, "/a.db");
  checks.matches("in memory", wanted, /Verification Hash: [0-9a-f]+/);
  checks.same("on the disk", hash(seen), hash(wanted));
  checks.same("integrity", await ground.shell("pragma integrity_check"), "ok");
}

/** Blobs in a table, and the same as files in a folder. */
async function blobs(ground, checks) {
  const sizes = ["--count", "400", "--size", "12000", "--variance", "5000"];
  await ground.run("kvtest", "init", "/a.db", ...sizes);
  fs.mkdirSync(path.join(ground.folder, "blobs"));
  await ground.run("kvtest", "export", "/a.db", "/blobs");
  const equal = "select count(*) from kv where v is readfile(printf('/blobs/%06d', k))";
  checks.same("files", await ground.shell(equal), "400");
  for (const order of ["--asc", "--desc", "--random"]) {
    for (const where of ["/a.db", "/blobs"]) {
      const words = [where, order, "--count", "2000", "--max-id", "400", "--update"];
      checks.matches(`${order} ${where}`, await ground.run("kvtest", "run", ...words), /MB\/s$/);
    }
  }
  checks.same("integrity", await ground.shell("pragma integrity_check"), "ok");
}

/** A million rows: indexes, a vacuum, a dump that is read again, a copy. */
async function million(ground, checks) {
  const many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000)";
  await ground.shell(
    "create table t(a integer primary key, b, c)",
    `${many} insert into t select i, i * 7919 % 1000003, printf('row %d', i) from n`,
    "create index tb on t(b)",
    "delete from t where a % 3 = 0",
    "update t set c = c || '!' where a % 5 = 0",
    "vacuum",
  );
  checks.same("integrity", await ground.shell("pragma integrity_check"), "ok");
  checks.same(
    "rows",
    await ground.shell("select count(*), sum(a), max(b) from t"),
    "666667|333333666667|1000002",
  );
  const hash = await ground.shell(".sha3sum");
  checks.matches("hash", hash, /^[0-9a-f]{56}$/);
  const again = (name) => ground.run("shell", "-bail", "-batch", name, ".sha3sum");
  await ground.shell(".backup /copy.db", ".output /dump.sql", ".dump");
  checks.same("copy", await again("/copy.db"), hash);
  await ground.run("shell", "-bail", "-batch", "/read.db", ".read /dump.sql");
  checks.same("dump", await again("/read.db"), hash);
}

/** Processes that write to one database at once, each transaction under SQLite's lock. */
async function writers(ground, checks) {
  const [processes, times] = [4, 25];
  await ground.shell("create table t(who, what)");
  const said = await Promise.all(Array.from({ length: processes }, (_, who) =>
    ground.shell(
      ".timeout 600000",
      ...Array.from({ length: times }, () =>
        `begin immediate; insert into t select ${who}, ifnull(max(what), 0) + 1 from t; commit`),
    )));
  said.forEach((text, who) => checks.same(`writer ${who}`, text, ""));
  const total = processes * times;
  checks.same(
    "rows",
    await ground.shell("select count(*), count(distinct what), max(what) from t"),
    `${total}|${total}|${total}`,
  );
  checks.same("integrity", await ground.shell("pragma integrity_check"), "ok");
  checks.same("files", ground.files(), "a.db");
}

/**
 * A process that is killed when the database on the disk has been written to, but not committed. The next
 * one has to undo it. With locks by folders, SQLite's usual ones for WASI, this version never does: it
 * takes its own lock for another process's, on every system.
 */
async function crash(ground, checks, journal) {
  const rows = (first, last) =>
    `with recursive n(i) as (select ${first} union all select i + 1 from n where i < ${last}) ` +
    "insert into t select i, randomblob(500) from n";
  await ground.alone(
    `pragma journal_mode = ${journal}`,
    "create table t(a integer primary key, b)",
    rows(1, 2000),
    "create table sums(hash)",
    "insert into sums select sum(length(b)) || hex(max(b)) from t",
  );
  const state = "select (select hash from sums) = (select sum(length(b)) || hex(max(b)) from t), " +
    "count(*) from t";
  checks.same("before", await ground.alone(state), "1|2000");
  const ended = await ground.killed(
    "written",
    "unix-none",
    `pragma journal_mode = ${journal}`,
    "pragma cache_size = 10",
    "begin",
    "update t set b = zeroblob(600) where a % 2 = 0",
    rows(2001, 6000),
    "delete from t where a % 7 = 0",
    "select writefile('/written', '')",
    // something that takes long
    "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n",
  );
  checks.same("ended", ended, "SIGKILL");
  checks.same("left", ground.files(), "a.db a.db-journal written");
  checks.same("after", await ground.alone(state), "1|2000");
  checks.same("integrity", await ground.alone("pragma integrity_check"), "ok");
  const on = await ground.alone("insert into t values (0, 0)", "select count(*) from t");
  checks.same("on", on, "2001");
}

/** A process that is killed while it holds the lock, which stays. */
async function lock(ground, checks) {
  await ground.shell("create table t(a)");
  const ended = await ground.killed(
    "written",
    "unix-dotfile",
    "begin immediate",
    "select writefile('/written', '')",
    "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n",
  );
  checks.same("ended", ended, "SIGKILL");
  checks.same("left", ground.files(), "a.db a.db.lock written");
  checks.matches("locked", await ground.shell("select * from t"), /database is locked/);
  fs.rmdirSync(path.join(ground.folder, "a.db.lock"));
  checks.same("after", await ground.shell("insert into t values (1)", "select * from t"), "1");
}

const parts = new Map([
  ...FUZZ.map((number) => [`fuzz/${number}`, (...more) => fuzz(...more, number)]),
  ...JOURNALS.map((journal) => [`speed/${journal}`, (...more) => speed(...more, journal)]),
  ["blobs", blobs],
  ["million", million],
  ["writers", writers],
  ["lock", lock],
  ...["delete", "truncate", "persist"].map((
    journal,
  ) => [`crash/${journal}`, (...more) => crash(...more, journal)]),
]);

export const sqlite = {
  name: "sqlite",
  title: "SQLite",

  setUp(cache) {
    const compiler = haveCompiler(cache);
    const { version, source } = haveSource("sqlite3");
    programs = outside(haveBuilt("sqlite", BUILD(source), compiler));
    tests = outside(`${source}/test`);
    return version;
  },

  parts() {
    return [...parts.keys()];
  },

  async run(part, runner) {
    const ground = new Ground(runner);
    const checks = new Checks();
    try {
      await parts.get(part)(ground, checks);
    } finally {
      fs.rmSync(ground.folder, { recursive: true, force: true });
    }
    return { passed: checks.passed, skipped: 0, failed: checks.failed };
  },
};
