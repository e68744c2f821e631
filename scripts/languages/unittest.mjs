/** Python's tests, by a script that prints a line of JSON for each. */

/** How often a module is begun anew without a test that has ended the program. */
const RESTARTS = 20;

/**
 * Runs all tests of a module. Those that end the program are run no more.
 *
 * @param left tests not to run
 * @param ran runs the module without the tests it is given
 * @returns what came of the tests
 */
export async function ranModule(left, ran) {
  const done = new Map();
  const excluded = [...left];
  for (let times = 0; times < RESTARTS; times++) {
    const { code, text } = await ran(excluded);
    let running;
    let ended = false;
    for (const line of text.split("\n")) {
      const at = line.indexOf("@@[");
      if (at < 0) continue;
      const [how, test, more] = JSON.parse(line.slice(at + 2));
      if (how === "end") ended = true;
      else if (how === "begin") running = test;
      else if (done.get(test)?.how !== "fail") done.set(test, { how, text: more });
      if (how !== "begin") running = undefined;
    }
    if (ended) break;
    const last = running ?? "(all)";
    const said = text.split("\n").filter((line) => !line.includes("@@[")).join("\n");
    done.set(last, { how: "fail", text: `ended with ${code}\n${said.slice(-1500)}` });
    if (running === undefined) break;
    excluded.push(running);
  }
  const named = (wanted) => [...done].filter(([, { how }]) => how === wanted);
  return {
    passed: named("pass").length,
    skipped: named("skip").length,
    failed: named("fail").map(([name, { text }]) => ({ name, text })),
  };
}
