/** Runs programs that Rust's test harness is linked into. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ranProgram } from "./runner.mjs";

const MINUTES = 10;

/** The events in what the harness wrote, each with what the program wrote before it. */
function* events(text) {
  let said = [];
  for (const line of text.split("\n")) {
    const at = line.indexOf('{ "type": "test"');
    let event;
    try {
      if (at >= 0) event = JSON.parse(line.slice(at));
    } catch {
      // a line of a test that looks like one
    }
    if (event === undefined) {
      said.push(line);
      continue;
    }
    said.push(line.slice(0, at));
    yield { ...event, said: said.join("\n") };
    said = [];
  }
  yield { event: "end", said: said.join("\n") };
}

/** Runs tests by their names; a panic ends the program, so the others are run again. */
async function ranNamed(names, start) {
  const ended = new Map();
  for (let left = names; left.length > 0; left = left.filter((name) => !ended.has(name))) {
    const { code, text } = await start([
      "--test-threads=1",
      "--nocapture",
      "-Zunstable-options",
      "--format=json",
      "--exact",
      ...left,
    ]);
    let running;
    for (const { event, name, said } of events(text)) {
      if (event === "started") running = name;
      else if (event === "end") {
        running ??= left.find((name) => !ended.has(name));
        if (running !== undefined) {
          ended.set(running, { how: "failed", text: `ended with ${code}\n${said}` });
        }
      } else {
        ended.set(name, { how: event, text: said });
        running = undefined;
      }
    }
  }
  return ended;
}

/**
 * Runs the tests of a program in a fresh folder, which is its root and its working directory.
 *
 * @param file the program
 * @param options `options` are further options of the command, `unfit` says which tests are left out,
 *   `files` a folder that is copied
 */
export async function ranTests(
  file,
  runner,
  { options = [], unfit = [], files },
) {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "rust-"));
  try {
    if (files !== undefined) fs.cpSync(files, temporary, { recursive: true });
    fs.mkdirSync(path.join(temporary, "tmp"), { recursive: true });
    const start = (words) =>
      ranProgram(path.join(runner, "wasi"), [
        `--dir=${temporary}::/`,
        `--dir=${temporary}::.`,
        "--env=RUSTC_BOOTSTRAP=1",
        "--env=RUST_BACKTRACE=0",
        ...options,
        file,
        ...words,
      ], { milliseconds: MINUTES * 60_000 });
    const listed = await start(["--list", "--format=terse"]);
    const names = listed.text.split("\n").filter((line) => line.endsWith(": test"))
      .map((line) => line.slice(0, -": test".length));
    if (listed.code !== 0) {
      return { passed: 0, skipped: 0, failed: [{ name: "(all)", text: listed.text.slice(-2000) }] };
    }
    const fit = names.filter((name) => !unfit.some((pattern) => pattern.test(name)));
    const ended = [...await ranNamed(fit, start)];
    const failed = ended.filter(([, { how, text }]) => how === "failed");
    const passed = ended.filter(([, { how }]) => how === "ok").length;
    return {
      passed,
      skipped: names.length - passed - failed.length,
      failed: failed.map(([name, { text }]) => ({ name, text: text.trim().slice(0, 2000) })),
    };
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** The results of several programs as one. */
export function together(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  return {
    passed: sum("passed"),
    skipped: sum("skipped"),
    failed: results.flatMap(({ failed }) => failed),
  };
}
