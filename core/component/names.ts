/**
 * Names of the component model, and what they are in JavaScript.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#import-and-export-definitions
 *
 * @module
 */

/** `kebab-case` as `camelCase`. */
export function camelCase(name: string): string {
  return name.replace(/-+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? "")
    .replace(/^[A-Z]+/, (first) => first.toLowerCase());
}

/** `kebab-case` as `PascalCase`, which classes are called by. */
export function pascalCase(name: string): string {
  const camel = camelCase(name);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}

/** The name of an interface, or of what it exports, without its version. */
export interface VersionedName {
  readonly name: string;
  /** such as "0.2.3"; undefined if it has none */
  readonly version: string | undefined;
}

/** Takes a name such as `wasi:io/streams@0.2.3` apart. */
export function withoutVersion(name: string): VersionedName {
  const at = name.lastIndexOf("@");
  if (at < 0) return { name, version: undefined };
  return { name: name.slice(0, at), version: name.slice(at + 1) };
}

/**
 * What is the same for all versions that can stand for each other: "1" of 1.2.3, "0.2" of 0.2.3,
 * the whole version below that and where it is a preview.
 */
export function compatibility(version: string | undefined): string | undefined {
  const parts = /^(\d+)\.(\d+)\.\d+(?:\+.*)?$/.exec(version ?? "");
  if (parts === null) return version;
  const [, major, minor] = parts;
  if (major !== "0") return major;
  return minor === "0" ? version : `0.${minor}`;
}
