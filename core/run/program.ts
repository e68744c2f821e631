/**
 * A program before it runs: what it is, what is wrong with it, and the copy that is compiled.
 *
 * @module
 */
import { tableOf } from "../guest/guest.ts";
import { invalidValue, outOfRange } from "../errors.ts";
import { type Binary, parseBinary } from "../module/binary.ts";
import { faultOf, type Interface, interfaceOf, isComponent } from "./diagnose.ts";
import { type Checks, instrument } from "../module/instrument.ts";
import { initialPages, limitMemory } from "../module/memory.ts";
import { exportStart } from "../module/start.ts";
import { offers } from "../preview1/imports.ts";
import type { RunSettings } from "./options.ts";
import { isModule } from "./source.ts";

/** A program that is compiled. */
export interface Code {
  /** the bytes without checks, or the module that was given instead */
  readonly loaded: Uint8Array | WebAssembly.Module;
  /** compiled, with the checks if there are any */
  readonly module: WebAssembly.Module;
  readonly checks: Checks | undefined;
}

/** The snapshot that a module imports. */
export function versionOf(module: WebAssembly.Module): "preview1" | "unstable" {
  const names = new Set(interfaceOf(module).imports.map(({ module }) => module));
  const old = names.has("wasi_unstable") && !names.has("wasi_snapshot_preview1");
  return old ? "unstable" : "preview1";
}

export async function compile(bytes: Uint8Array): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(bytes as BufferSource);
}

/** A program whose memory is limited. Invalid bytes fail as they do without a limit. */
export async function limited(bytes: Uint8Array, pages: number): Promise<Uint8Array> {
  try {
    const initial = initialPages(bytes);
    if (initial <= pages) return limitMemory(bytes, pages);
    const range = `<= ${pages} pages (limits.memoryPages)`;
    throw outOfRange("instance.exports.memory", range, initial);
  } catch (error) {
    await compile(bytes);
    throw error;
  }
}

/**
 * Compiles a copy of a program. What the engine refuses in the program itself is told as it is; a
 * program that leaves no room in the engine's limits for what is added is refused, not run without.
 */
export async function compileCopy(
  copy: Uint8Array,
  bytes: Uint8Array,
): Promise<WebAssembly.Module> {
  try {
    return await compile(copy);
  } catch (error) {
    if (copy !== bytes) await compile(bytes);
    else throw error;
    throw unfit(
      "it is so large that the engine rejects it with the checks that options.timeout, " +
        `options.signal, options.threads or limits.memoryPages add: ${(error as Error).message}`,
    );
  }
}

/** A program that cannot be run. `reason` begins with "it". */
export function unfit(reason: string, Class: new (message: string) => Error = TypeError): Error {
  const error = new Class(`The argument 'source' cannot be run: ${reason}`);
  return Object.assign(error, { code: "ERR_INVALID_ARG_VALUE" });
}

/** What a program's bytes say of it; undefined for what no reader here knows, as an engine may. */
export function binaryOf(bytes: Uint8Array): Binary | undefined {
  try {
    return parseBinary(bytes);
  } catch {
    return undefined;
  }
}

/** Refuses a program that cannot be linked, or whose types are not WASI's. */
function refuseUnfit(module: Interface | Binary, { imports, threads }: RunSettings): void {
  const fault = faultOf(module, {
    table: tableOf,
    has: (module, name) => {
      const namespace = Object.hasOwn(imports, module) ? imports[module] : undefined;
      return namespace !== undefined && offers(namespace, name);
    },
    threads: threads !== undefined,
    allowThreads: "set options.threads",
    provideImports: "provide them in options.imports",
    needsMemory: true,
  });
  if (fault !== undefined) throw unfit(fault, WebAssembly.LinkError);
}

/** The error for a program with instructions that are newer than this, which cannot have checks. */
function uncheckable({ message }: RangeError): Error {
  const reason = `must be false for this program, which then runs without checks: ${message}`;
  return invalidValue("options.interruptible", reason, undefined);
}

/** A program with checks in its loops and functions, for what runs in the embedder's thread. */
export function checked(bytes: Uint8Array): Uint8Array {
  try {
    return instrument(bytes, "loops");
  } catch (error) {
    throw error instanceof RangeError ? uncheckable(error) : error;
  }
}

/** What is known of a module before any option is. */
interface Contents {
  /** undefined for a module, and for bytes that no reader here knows */
  readonly binary: Binary | undefined;
  /** the bytes, their start function an export, or the module */
  readonly code: Uint8Array | WebAssembly.Module;
  /** the name of that export */
  readonly first: string | undefined;
}

/** A program that is looked at once, and compiled once for each way in which it is run. */
export class LoadedProgram {
  /** its bytes, or the module that was given */
  readonly source: Uint8Array | WebAssembly.Module;
  readonly #owned: boolean;
  readonly #copies: Map<string, Promise<Code>> = new Map();
  /** Whether it is known to be fit to run with nothing but WASI: with threads, without. */
  readonly #fit: Set<boolean> = new Set();
  #contents: Contents | undefined = undefined;

  /** @param owned whether nobody else can write to the bytes */
  constructor(source: Uint8Array | WebAssembly.Module, owned: boolean) {
    this.source = source;
    this.#owned = owned;
  }

  get isComponent(): boolean {
    return !isModule(this.source) && isComponent(this.source);
  }

  get contents(): Contents {
    return this.#contents ??= this.#look();
  }

  #look(): Contents {
    const { source } = this;
    if (isModule(source)) return { binary: undefined, code: source, first: undefined };
    const binary = binaryOf(source);
    const started = binary?.starts
      ? exportStart(source, binary.exports.map(({ name }) => name))
      : undefined;
    return { binary, code: started?.bytes ?? source, first: started?.name };
  }

  /** Refuses what cannot be linked with these settings, by its bytes as far as they are known. */
  refuseUnfit(settings: RunSettings): void {
    const { binary } = this.contents;
    if (binary !== undefined) this.#refuse(binary, settings);
  }

  /** The same by what the engine tells of it. */
  refuseUnfitModule(settings: RunSettings, { module, checks }: Code): void {
    // with checks it has names of ours
    const known = this.contents.binary !== undefined || checks !== undefined;
    if (!known) this.#refuse(interfaceOf(module), settings);
  }

  #refuse(module: Interface | Binary, settings: RunSettings): void {
    const alone = Object.keys(settings.imports).length === 0;
    const threads = settings.threads !== undefined;
    if (alone && this.#fit.has(threads)) return;
    refuseUnfit(module, settings);
    if (alone) this.#fit.add(threads);
  }

  /**
   * The program compiled, with so much memory and these checks; a module as it is. What cannot have
   * checks is refused, or gets none if `optional` says so: where the runtime itself ends all loops
   * but a few.
   */
  compiled(memoryPages: number, checks: Checks | undefined, optional = false): Promise<Code> {
    const { code } = this.contents;
    if (isModule(code)) return Promise.resolve({ loaded: code, module: code, checks: undefined });
    const key = `${memoryPages} ${checks} ${optional}`;
    let copy = this.#copies.get(key);
    if (copy === undefined) {
      copy = checks === undefined
        ? compileWithin(code, memoryPages)
        : this.#withChecks(code, memoryPages, checks, optional);
      copy.catch(() => {});
      this.#copies.set(key, copy);
    }
    return copy;
  }

  async #withChecks(
    bytes: Uint8Array,
    memoryPages: number,
    checks: Checks,
    optional: boolean,
  ): Promise<Code> {
    // compiled as it is, too: engines are quicker at that than at saying whether it is valid
    const plain =
      await (this.#owned
        ? this.compiled(memoryPages, undefined)
        : compileWithin(bytes.slice(), memoryPages));
    const loaded = plain.loaded as Uint8Array;
    try {
      const copy = instrument(loaded, checks, true);
      return { loaded, module: await compileCopy(copy, bytes), checks };
    } catch (error) {
      if (optional && error instanceof RangeError) return plain;
      throw error instanceof RangeError ? uncheckable(error) : error;
    }
  }
}

async function compileWithin(bytes: Uint8Array, memoryPages: number): Promise<Code> {
  const loaded = memoryPages === Infinity ? bytes : await limited(bytes, memoryPages);
  return { loaded, module: await compileCopy(loaded, bytes), checks: undefined };
}
