/** Assertions for a browser, which has no node:assert. */

/** A value as text, bytes and BigInts included. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === "bigint") return `${inner}n`;
    return ArrayBuffer.isView(inner) ? [...inner as Uint8Array] : inner;
  }) ?? String(value);
}

export function equal(actual: unknown, expected: unknown, what = "value"): void {
  if (shown(actual) === shown(expected)) return;
  throw new Error(`${what}: ${shown(actual)} is not ${shown(expected)}`);
}

export function matches(text: string, pattern: RegExp): void {
  if (!pattern.test(text)) throw new Error(`${JSON.stringify(text)} does not match ${pattern}`);
}

/** What the call throws or rejects with; it must. */
export async function thrown(
  call: () => unknown,
): Promise<Error & { code?: string; cause?: unknown }> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
