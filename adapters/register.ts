/**
 * One preload, and every package that imports `node:wasi` gets this library's class `WASI`,
 * unpatched: from `import` and from `require`, on the main thread and in worker threads, however
 * they are started: from files, `data:` URLs and code (`eval: true`), with arguments and environments
 * of their own, and by other workers.
 *
 * How it is done:
 *
 * - On all runtimes the property `WASI` of the module is replaced, which is what `require` and
 *   `process.getBuiltinModule` see, and the class `Worker` of `node:worker_threads` makes workers
 *   that load this module first.
 * - On Node and Bun `import` follows the property. Node's workers get `--import` among their
 *   arguments, Bun's the option `preload`; on Bun the global `Worker` gets it, too.
 * - On Deno a hook of `node:module` leads `import` to the property; an import map would not do, as
 *   packages in node_modules do not follow it. Workers start with a module that loads this one and
 *   then theirs: both must be readable (`--allow-read`), and `import.meta.main` is false in theirs.
 *
 * What is not reached: on Deno Web Workers (the global `Worker`), and workers from code if this
 * module is not a local file; on Node before 20.19 and 22.12 workers from code. A program can also
 * import this module itself, first of all; on Deno and Bun it then has to import with `import()`
 * what imports `node:wasi`.
 *
 * @example As a preload
 * ```sh
 * node --import @x/wasi/register main.js    # or NODE_OPTIONS=--import=@x/wasi/register
 * bun --preload @x/wasi/register main.js    # or preload = ["@x/wasi/register"] in bunfig.toml
 * deno run -A --preload jsr:@x/wasi/register main.js    # or npm:@x/wasi/register, or a file
 * ```
 *
 * @example What packages see then
 * ```ts ignore
 * import { WASI } from "node:wasi";
 *
 * console.assert("confinement" in WASI.prototype);
 * ```
 *
 * @example Without a flag
 * ```ts ignore
 * import "@x/wasi/register";
 *
 * const { parse } = await import("oxc-parser");
 * ```
 *
 * @module
 */
import { WASI } from "./wasi.ts";

/** What is used of a worker's options. */
interface WorkerOptions {
  eval?: boolean;
  name?: string;
  execArgv?: string[];
  preload?: string | string[];
}

type WorkerArguments = [main: unknown, options?: WorkerOptions];

type Make = (...parameters: WorkerArguments) => object;

type WorkerClass = new (...parameters: WorkerArguments) => object;

type Resolved = { url: string; format?: string; shortCircuit?: boolean };

interface Hooks {
  resolve(
    specifier: string,
    context: { conditions: string[] },
    next: (specifier: string, context: object) => Resolved,
  ): Resolved;
}

interface Modules {
  "node:module": {
    Module: { _resolveFilename: (this: unknown, ...parameters: unknown[]) => unknown };
    createRequire(from: string | URL): (name: string) => unknown;
    registerHooks(hooks: Hooks): { deregister(): void };
    syncBuiltinESMExports(): void;
  };
  "node:path": { resolve(file: string): string };
  "node:url": { fileURLToPath(url: string): string; pathToFileURL(file: string): URL };
  "node:wasi": { WASI: unknown };
  "node:worker_threads": { Worker: WorkerClass };
}

interface Process {
  emitWarning: unknown;
  execArgv: string[];
  features: { require_module?: boolean };
  getBuiltinModule<Name extends keyof Modules>(name: Name): Modules[Name];
}

const scope = globalThis as unknown as { process: Process; Worker: WorkerClass };
const { process } = scope;
const modules = process.getBuiltinModule("node:module");
const { resolve } = process.getBuiltinModule("node:path");
const { fileURLToPath, pathToFileURL } = process.getBuiltinModule("node:url");

/** The module that every worker has to load first: this one. */
const here: string = import.meta.url;

/** Loads Node's own module, without Node's warning that its class is experimental. */
function builtinWasi(): Modules["node:wasi"] {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:wasi");
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Whether adapters/workers.ts made it: it loads nothing, so that there is nothing to replace. */
function isOwn(options: WorkerOptions): boolean {
  return Boolean(options.eval) && options.name === "wasi" && options.execArgv?.length === 0;
}

/** Code that loads this module before it goes on; lines keep their numbers. */
function evaluated(code: string): string {
  const file = JSON.stringify(fileURLToPath(here));
  const strict = /^(?:\s|\/\/.*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*(["'])use strict\1/.test(code)
    ? `"use strict";`
    : "";
  const load =
    `globalThis.process.getBuiltinModule("node:module").createRequire(${file})(${file});`;
  return strict + load + code;
}

/** On Node a worker inherits `--import`, unless it has an environment or arguments of its own. */
function onNode(make: Make, ...given: WorkerArguments): object {
  const [main, options = {}] = given;
  if (options.eval) {
    const able = process.features.require_module === true && typeof main === "string";
    return able ? make(evaluated(main), options) : make(...given);
  }
  const inherited = options.execArgv ?? process.execArgv;
  const flag = `--import=${here}`;
  const execArgv = inherited.includes(flag) ? inherited : [...inherited, flag];
  try {
    return make(main, { ...options, execArgv });
  } catch (error) {
    const { code } = error as { code?: string };
    if (options.execArgv || code !== "ERR_WORKER_INVALID_EXEC_ARGV") throw error;
    return make(...given); // inheriting what cannot be given, such as --max-old-space-size
  }
}

/** Bun's workers have an option for it. */
function onBun(make: Make, ...given: WorkerArguments): object {
  const [main, options = {}] = given;
  const preload = [fileURLToPath(here), ...[options.preload ?? []].flat()];
  return make(main, { ...options, preload });
}

/**
 * Deno's workers know no preload: theirs is a module that loads this one and then the program, which
 * finds itself in `process.argv` as ever.
 */
function onDeno(make: Make, ...given: WorkerArguments): object {
  const [main, options = {}] = given;
  if (options.eval) {
    const local = here.startsWith("file:") && typeof main === "string";
    return local ? make(evaluated(main), options) : make(...given);
  }
  if (typeof main !== "string" && !(main instanceof URL)) return make(...given);
  const url = main instanceof URL || /^(file|data):/.test(main)
    ? String(main)
    : pathToFileURL(resolve(main)).href;
  const named = url.startsWith("file:") ? fileURLToPath(url) : url;
  const code = `import ${JSON.stringify(here)};process.argv[1]=${JSON.stringify(named)};` +
    `await import(${JSON.stringify(url)});`;
  return make(new URL(`data:text/javascript,${encodeURIComponent(code)}`), options);
}

/** The class with another way to make its objects: what it is and has stays the same. */
function wrapped(
  Worker: WorkerClass,
  start: (make: Make, ...given: WorkerArguments) => object,
): WorkerClass {
  return new Proxy(Worker, {
    construct(target, parameters, newTarget): object {
      const given = parameters as WorkerArguments;
      const make = (...changed: WorkerArguments): object =>
        Reflect.construct(target, changed, newTarget);
      return isOwn(given[1] ?? {}) ? make(...given) : start(make, ...given);
    },
  });
}

/**
 * Deno's `import` of `node:wasi` does not look at the object that `require` gives, so a hook leads
 * it to a module that does. While there is any hook, Deno 2.9 cannot `require` a script of a package
 * of type "module" that imports others: for as long as that takes there is none.
 */
function hookDeno(): void {
  const code =
    `const m=process.getBuiltinModule("node:wasi");export const{WASI}=m;export default m`;
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  const hooks: Hooks = {
    resolve(specifier, context, next) {
      const wanted = specifier === "node:wasi";
      return wanted ? { url, format: "module", shortCircuit: true } : next(specifier, context);
    },
  };
  let registered = modules.registerHooks(hooks);
  const { Module } = modules;
  const resolveFilename = Module._resolveFilename;
  Module._resolveFilename = function (...parameters): unknown {
    registered.deregister();
    try {
      return resolveFilename.apply(this, parameters);
    } finally {
      registered = modules.registerHooks(hooks);
    }
  };
}

builtinWasi().WASI = WASI;
const workerThreads = process.getBuiltinModule("node:worker_threads");
if ("Deno" in globalThis) {
  workerThreads.Worker = wrapped(workerThreads.Worker, onDeno);
  hookDeno();
} else if ("Bun" in globalThis) {
  workerThreads.Worker = wrapped(workerThreads.Worker, onBun);
  scope.Worker = wrapped(scope.Worker, onBun);
} else {
  workerThreads.Worker = wrapped(workerThreads.Worker, onNode);
}
modules.syncBuiltinESMExports();
