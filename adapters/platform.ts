/**
 * The systems that this library knows, and the one place where the runtimes' words for them are
 * read. What is not known is refused, never taken for a system that it may resemble.
 *
 * @module
 */

/** A system whose rules on names, links and descriptors are known. */
export type System = "linux" | "darwin" | "windows";

/**
 * Deno's words (`Deno.build.os`) and Node's (`process.platform`). Android is left out on purpose:
 * its seccomp filter ends a process that calls openat2(2), and nothing has been tested there.
 */
const SYSTEMS: ReadonlyMap<string, System> = new Map([
  ["linux", "linux"],
  ["darwin", "darwin"],
  ["windows", "windows"],
  ["win32", "windows"],
]);

const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ["x86_64", "x64"],
  ["aarch64", "arm64"],
]);

/**
 * The system that a runtime's word means.
 *
 * @throws {Error} `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for a system that is not known
 */
export function systemOf(word: string): System {
  const system = SYSTEMS.get(word);
  if (system !== undefined) return system;
  const text = `WASI is not available on the system "${word}": its rules on file names and links ` +
    "are not known here. Use Linux, macOS or Windows";
  throw Object.assign(new Error(text), { code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" });
}

/** A processor in Node's words. */
export function archOf(word: string): string {
  return ARCHITECTURES.get(word) ?? word;
}

/**
 * The system that this runtime says it runs on, or undefined if it is not known. On Deno the global
 * `process` is not so much as named: that takes 20 ms.
 */
export function currentSystem(): System | undefined {
  const { Deno, process } = globalThis as unknown as {
    Deno?: { build: { os: string } };
    process?: { platform: string };
  };
  return SYSTEMS.get((Deno === undefined ? process?.platform : Deno.build.os) ?? "");
}
