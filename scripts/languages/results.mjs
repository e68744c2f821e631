/** What came of the tests of a part. */

/** @param done by the test's name how it ended ("pass", "skip" or "fail"), and what is to be said of it */
export function resultOf(done) {
  const named = (wanted) => [...done].filter(([, { how }]) => how === wanted);
  return {
    passed: named("pass").length,
    skipped: named("skip").length,
    failed: named("fail").map(([name, { text }]) => ({ name, text })),
  };
}
