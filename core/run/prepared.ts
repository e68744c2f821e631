/**
 * A program that is prepared once and run many times.
 *
 * @module
 */
import type { RunOptions } from "./options.ts";
import type { LoadedProgram } from "./program.ts";

/** Where a program runs with certain options. */
export interface ProgramPlan {
  /** The guest: in the thread that calls `run()`, or in a worker. */
  readonly guest: "here" | "worker";
  /** Its system calls, likewise. In a worker they cost nothing more. */
  readonly calls: "here" | "worker";
  /** What keeps the guest or its calls here: an option's name, or a sentence; undefined for nothing. */
  readonly because: string | undefined;
}

/** What is behind each. */
const programs: WeakMap<object, LoadedProgram> = new WeakMap();

/**
 * A program that is read and compiled, with checks if it may have to be stopped: made by `prepare()`,
 * for `run()` and `instantiate()`, at once and one after another. It keeps a copy of the program's
 * bytes.
 */
export class Program {
  /** What it is. */
  readonly kind: "module" | "component";
  /** Tells where `run()` with these options runs it. It opens nothing. */
  readonly plan: (options?: RunOptions) => Promise<ProgramPlan>;

  /** @internal */
  constructor(loaded: LoadedProgram, plan: (options: RunOptions) => Promise<ProgramPlan>) {
    this.kind = loaded.isComponent ? "component" : "module";
    this.plan = (options = {}) => plan(options);
    programs.set(this, loaded);
  }
}

/** What is behind a value, if it is such a program. */
export function programOf(value: unknown): LoadedProgram | undefined {
  return value instanceof Program ? programs.get(value) : undefined;
}
