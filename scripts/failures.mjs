/** A reporter for Node's tests: a line of JSON for each test, or file of tests, that has failed. */
export default async function* failures(events) {
  for await (const { type, data } of events) {
    if (type !== "test:fail") continue;
    const { name, details: { error } } = data;
    yield `${JSON.stringify({ name, signal: error?.signal ?? null })}\n`;
  }
}
