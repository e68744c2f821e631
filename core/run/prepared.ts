/**
 * A program that is prepared once and run many times.
 *
 * @module
 */
import type { RunOptions } from "./options.ts";
import { LoadedProgram } from "./program.ts";
import { isModule } from "./source.ts";

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

/** Under which the package's other copy (`import` or `require`) finds what a program was made of. */
const SOURCE: unique symbol = Symbol.for("@x/wasi.Program");

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
    Object.defineProperty(this, SOURCE, { value: loaded.source });
  }
}

/** What is behind a value, if it is such a program: one of another copy is compiled again, once. */
export function programOf(value: unknown): LoadedProgram | undefined {
  if (typeof value !== "object" || value === null || !(SOURCE in value)) return undefined;
  let loaded = programs.get(value);
  const source: unknown = value[SOURCE];
  if (loaded === undefined && (source instanceof Uint8Array || isModule(source))) {
    programs.set(value, loaded = new LoadedProgram(source, true));
  }
  return loaded;
}
