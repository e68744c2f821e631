/**
 * Errors that functions give each other across the boundary of a component.
 *
 * @module
 */

/** The error of a `result`: what a function of the host gives back instead of its value. */
export class Err {
  readonly val: unknown;

  constructor(val?: unknown) {
    this.val = val;
  }
}

/** What a function of the embedder's has thrown, if that can be the error of a `result`. */
export class ThrownErr extends Err {
  readonly thrown: unknown;

  constructor(val: unknown, thrown: unknown) {
    super(val);
    this.thrown = thrown;
  }
}

/**
 * Thrown by an exported function of a component that gives a `result`, if that is an error.
 *
 * @example
 * ```ts ignore
 * try {
 *   component.exports.parse("no number");
 * } catch (error) {
 *   if (error instanceof ComponentError) console.log(error.payload);
 * }
 * ```
 */
export class ComponentError extends Error {
  /** The error as the component gave it. */
  readonly payload: unknown;

  /** Makes one of the error of a result. */
  constructor(payload: unknown) {
    super(textOf(payload));
    this.payload = payload;
  }
}
ComponentError.prototype.name = "ComponentError";

function textOf(payload: unknown): string {
  if (typeof payload === "string") return payload;
  if (payload !== undefined && payload !== null && typeof payload !== "object") {
    return `${String(payload)} (see error.payload)`;
  }
  const tag = (payload as { tag?: unknown } | undefined)?.tag;
  return typeof tag === "string" ? tag : "the component gave an error; see its payload";
}
