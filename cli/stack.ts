/**
 * The stack of an error that a program ended with.
 *
 * @module
 */

/** How many frames of a stack an engine keeps. */
export const FRAMES_KEPT = 60;

/** A program's bytes. */
export interface Bytes {
  /** as they came */
  readonly given: Uint8Array;
  /** what runs: the same, or a copy with checks at what takes long, and with waits as calls */
  run: Uint8Array;
}

/**
 * The lines of an error's stack. Bun's text says "unknown" of what its frames know, and the frames
 * become text by and by, so they are asked at once.
 */
export function stackOf(error: unknown): string[] {
  const errors = Error as unknown as {
    prepareStackTrace?: (error: Error, frames: { getFunctionName(): string | null }[]) => string;
  };
  if ("Bun" in globalThis) {
    errors.prepareStackTrace = (_, frames) =>
      frames.map((frame) => frame.getFunctionName() ?? "").join("\n");
  }
  const { stack } = (error ?? {}) as { stack?: unknown };
  errors.prepareStackTrace = undefined;
  return String(stack ?? "").split("\n");
}
