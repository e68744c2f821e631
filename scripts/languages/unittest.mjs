/** Tests that are told one by one by a script that runs them, in a program that one of them may end. */
import { resultOf } from "./results.mjs";

/** How often a module is begun anew without a test that has ended the program. */
const RESTARTS = 20;

/** What a line of a script in Python says, or undefined. */
export function readJSON(line) {
  const at = line.indexOf("@@[");
  return at < 0 ? undefined : JSON.parse(line.slice(at + 2));
}

/**
 * Runs all tests of a module. Those that end the program are run no more.
 *
 * @param left tests not to run
 * @param ran runs the module without the tests it is given
 * @param read gives for a line how a test goes on ("begin", "pass", "skip", "fail", "done"), its name and
 *   what is to be said, or "end" after the last one; undefined for what a test has written
 * @returns what came of the tests
 */
export async function ranModule(left, ran, read) {
  const done = new Map();
  const excluded = [...left];
  for (let times = 0; times < RESTARTS; times++) {
    const { code, text } = await ran(excluded);
    let running;
    let ended = false;
    const said = [];
    for (const line of text.split("\n")) {
      const [how, test, more] = read(line) ?? [];
      if (how === undefined) said.push(line);
      else if (how === "end") ended = true;
      else if (how === "begin") running = test;
      else if (how === "done") running = undefined;
      else if (done.get(test)?.how !== "fail") done.set(test, { how, text: more });
    }
    if (ended) break;
    const last = running ?? "(all)";
    done.set(last, { how: "fail", text: `ended with ${code}\n${said.join("\n").slice(-1500)}` });
    if (running === undefined) break;
    excluded.push(running);
  }
  return resultOf(done);
}
