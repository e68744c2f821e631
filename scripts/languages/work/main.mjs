/**
 * Does a piece of work over one kind of directory, and says what came of it as a line of JSON. It runs
 * on the runtime under test: `main.mjs JOB PLACE FOLDER TOOLS`.
 *
 * The folder holds what the job prepared. It is the guest's root itself (`host`), or lies under an
 * overlay (`overlay`), or is copied into memory (`memory`). Clock and random numbers are fixed, so that
 * two runs make the same bytes wherever they are made.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { memory, OutputBuffer, overlay, run, WASI } from "../../../mod.ts";
import { jobs } from "./jobs.mjs";

const CLOCK = 1_767_225_600_000_000_000n; // 2026-01-01

/** Everything below a folder, a directory before what is in it, as a memory directory tells it. */
function* entriesOf(folder, prefix = "") {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      yield { path: name, kind: "directory" };
      yield* entriesOf(file, `${name}/`);
    } else if (entry.isSymbolicLink()) {
      yield { path: name, kind: "link", target: fs.readlinkSync(file) };
    } else {
      yield { path: name, kind: "file", content: fs.readFileSync(file) };
    }
  }
}

function hash(bytes) {
  return crypto.createHash("sha256").update(bytes).digest("hex");
}

/** Everything below a folder with hashes of what files hold, as lines in order. */
function picture(folder) {
  const lines = [];
  for (const { path: name, kind, target, content } of entriesOf(folder)) {
    const held = {
      directory: () => "/",
      link: () => ` -> ${target}`,
      file: () => ` ${hash(content)}`,
    };
    lines.push(name + held[kind]());
  }
  return lines.sort();
}

/** The three kinds of directories: what the guest gets, and a folder that holds what it made. */
const places = {
  host: (folder) => ({ root: folder, settle: () => folder }),

  overlay(folder) {
    const before = picture(folder).join("\n");
    const root = overlay(folder);
    return {
      root,
      settle(failed) {
        if (picture(folder).join("\n") !== before) failed("the overlay changed the folder below");
        root.commit();
        return folder;
      },
    };
  },

  memory(folder) {
    const root = memory();
    for (const { path: name, kind, target, content } of entriesOf(folder)) {
      if (kind === "directory") root.mkdir(name);
      else if (kind === "link") root.symlink(target, name);
      else root.write(name, content);
    }
    return {
      root,
      settle() {
        const made = `${folder}-made`;
        fs.mkdirSync(made);
        for (const { path: name, kind, target, content } of root.entries()) {
          const file = path.join(made, name);
          if (kind === "directory") fs.mkdirSync(file);
          else if (kind === "link") fs.symlinkSync(target, file);
          else fs.writeFileSync(file, content);
        }
        return made;
      },
    };
  },
};

const [, , name, place, folder, tools] = process.argv;
const job = jobs[name];
const failures = [];
const failed = (text) => failures.push(text);
const { root, settle } = places[place](folder);

/** Runs a program with the root; one that fails is a failure of the job. */
async function guest(program, args, env = {}) {
  const stdout = new OutputBuffer();
  const stderr = new OutputBuffer();
  const code = await run(fs.readFileSync(program), {
    args,
    env,
    preopens: { "/": root },
    stdin: null,
    stdout,
    stderr,
    clock: CLOCK,
    random: 1,
  });
  if (code !== 0) {
    failed(`${args.join(" ")} ended with ${code}\n${stdout.text()}\n${stderr.text()}`.slice(-3000));
  }
  return stdout.text();
}

/** For a program with a glue of its own: the class, with the root as /work. */
function wasi(env) {
  return new WASI({
    version: "preview1",
    env,
    preopens: { "/work": root },
    stdin: null,
    stdout: null,
    stderr: null,
    clock: CLOCK,
    random: 1,
  });
}

const printed = await job.work(guest, tools, wasi);
const made = settle(failed);
job.check({ folder: made, tools, printed, failed });
const lines = picture(made);
console.log(JSON.stringify({ failures, entries: lines.length, hash: hash(lines.join("\n")) }));
process.exit(0);
