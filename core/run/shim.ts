/**
 * WASI 0.2 for modules that jco has transpiled, which import it from the embedder.
 *
 * @module
 */
import { asyncStreams, refuseOtherStreams } from "../guest/async_streams.ts";
import { type AsyncWASIOptions, Ending, settled, unsupported } from "../guest/async_wasi.ts";
import { canSuspend } from "../suspension.ts";
import { closeGuest, type HostMaker, openGuest, type WASIOptions, watch } from "../guest/open.ts";
import { syncStreams } from "../guest/streams.ts";
import { invalidType, invalidValue } from "../errors.ts";
import { throwExit } from "../exit.ts";
import { nearest } from "../nearest.ts";
import { type Namespace, namespaces } from "../preview2/jco.ts";
import { World } from "../preview2/world.ts";
import { System } from "../system/system.ts";
import { validateObject } from "../validate.ts";

/** Options of {@linkcode BaseWASIShim | WASIShim}: those of `WASI`, without a version. */
export interface WASIShimOptions
  extends Omit<AsyncWASIOptions, "version" | "returnOnExit" | "signal"> {
  /**
   * The imports that jco was told are async, which give promises where they wait: `true` for those
   * of its `--async-wasi-imports`, or names as its `--async-imports` takes them
   * ("wasi:io/poll#poll"). All others hold the thread while they wait. Streams can be the standard
   * streams only with it. It needs JSPI. Default: none.
   */
  asyncImports?: boolean | readonly string[];
}

const OPTIONS: readonly string[] = [
  "args",
  "asyncImports",
  "clock",
  "confinement",
  "env",
  "ffi",
  "limits",
  "listen",
  "preopens",
  "random",
  "stderr",
  "stdin",
  "stdout",
  "trace",
];

/** What jco makes async by `--async-wasi-imports`. */
const ASYNC_IMPORTS: readonly string[] = [
  "wasi:io/poll#poll",
  "wasi:io/poll#[method]pollable.block",
  "wasi:io/streams#[method]input-stream.blocking-read",
  "wasi:io/streams#[method]input-stream.blocking-skip",
  "wasi:io/streams#[method]output-stream.blocking-flush",
  "wasi:io/streams#[method]output-stream.blocking-write-and-flush",
  "wasi:io/streams#[method]output-stream.blocking-write-zeroes-and-flush",
  "wasi:io/streams#[method]output-stream.blocking-splice",
];

/** Options of preview2-shim's class that are others here. */
const OTHERS: Readonly<Record<string, string>> = {
  sandbox: "is one of preview2-shim: give its args, env and preopens as options themselves",
  arguments: "is one of preview2-shim: use options.args",
  environment: "is one of preview2-shim: use options.env",
};

function refuseUnknown(options: object): void {
  const name = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (name === undefined) return;
  const near = nearest(name, OPTIONS);
  const reason = Object.hasOwn(OTHERS, name)
    ? OTHERS[name]!
    : near === undefined
    ? `is not an option of WASIShim, which has ${OPTIONS.join(", ")}`
    : `is not an option of WASIShim: did you mean ${near}?`;
  throw invalidValue(`options.${name}`, reason, name);
}

/** Names without a version, as an interface is called here. */
function asyncNames(value: unknown): ReadonlySet<string> {
  if (value === undefined || value === false) return new Set();
  const names = value === true ? ASYNC_IMPORTS : value;
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string")) {
    throw invalidType("options.asyncImports", "of type boolean or an array of strings", value);
  }
  if (!canSuspend()) throw unsupported();
  return new Set((names as string[]).map((name) => name.replace(/@[^#]*(?=#)/, "")));
}

/** The import object for modules that jco has transpiled, over any host; see `WASIShim`. */
export class BaseWASIShim {
  readonly #namespaces: ReadonlyMap<string, Namespace>;
  readonly #close: () => void;

  /**
   * Checks the options and opens the preopens.
   *
   * Errors: as `WASI`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for `asyncImports` without JSPI.
   */
  constructor(options: WASIShimOptions, makeHost: HostMaker) {
    validateObject(options, "options");
    refuseUnknown(options);
    const { asyncImports, ...rest } = options;
    const names = asyncNames(asyncImports);
    const suspends = names.size > 0;
    if (options.limits?.memoryPages !== undefined) {
      throw invalidValue(
        "options.limits.memoryPages",
        "is not available for modules that jco has transpiled, which make their own memory: use " +
          "run() or instantiate() with the component",
        options.limits.memoryPages,
      );
    }
    if (suspends) refuseOtherStreams(options);
    const all = { ...rest, version: "preview1" } as WASIOptions;
    const opened = openGuest(all, makeHost, suspends ? asyncStreams : syncStreams);
    const system = new System(opened.host, opened.table);
    watch(system, opened.table);
    system.suspends = suspends;
    const ending = new Ending(system, undefined);
    this.#close = () => closeGuest({ system, streams: opened.streams });
    this.#namespaces = namespaces(new World(system, opened, exit), {
      settle: (wait, name) => names.has(name) ? settled(system, ending, wait) : system.hold(wait),
    });
  }

  /**
   * The interfaces of WASI by their names, for the function `instantiate` of a module that jco has
   * transpiled with `--instantiation`.
   *
   * @param options.asVersion a version that is added to the names, such as "0.2.3"; without it they
   * have none, as jco imports them
   */
  getImportObject(options: { asVersion?: string } = {}): Record<string, Record<string, unknown>> {
    validateObject(options, "options");
    const { asVersion } = options;
    if (asVersion !== undefined && typeof asVersion !== "string") {
      throw invalidType("options.asVersion", "of type string", asVersion);
    }
    const suffix = asVersion === undefined ? "" : `@${asVersion}`;
    return Object.fromEntries(
      [...this.#namespaces].map(([name, namespace]) => [`${name}${suffix}`, { ...namespace }]),
    );
  }

  /** Closes everything; what is called afterwards fails. */
  [Symbol.dispose](): void {
    this.#close();
  }
}

/** `wasi:cli/exit`: as preview2-shim in browsers, it says that it is one. */
function exit(code: number): never {
  try {
    throwExit(code);
  } catch (error) {
    throw Object.assign(error as Error, { exitError: true });
  }
}
