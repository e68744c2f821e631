/**
 * The documented class, without a host: an adapter's class extends it and supplies the host.
 *
 * @module
 */
import { GuestAborted, ProcExit } from "../exit.ts";
import {
  bindInstance,
  importsOf,
  makeGuest,
  otherBinding,
  portsOf,
  STATE,
  stateOf,
  tableOf,
  type WASIImport,
} from "./guest.ts";
import { closeGuest, type HostMaker, type WASIOptions } from "./open.ts";
import type { Confinement } from "../host.ts";
import { hidden } from "../preview1/imports.ts";
import { invalidValue } from "../errors.ts";
import { validateFunction, validateUndefined } from "../validate.ts";
import { syncStreams } from "./streams.ts";
import { typedImports } from "../preview1/typed.ts";

export type { HostMaker, WASIOptions } from "./open.ts";
export type { WASIImport } from "./guest.ts";

/**
 * The class `WASI` of `node:wasi`, over any host. Use the `WASI` of mod.ts or of an adapter.
 *
 * Source: https://nodejs.org/api/wasi.html#class-wasi
 */
export class BaseWASI {
  /**
   * The system calls, to be imported as `wasi_snapshot_preview1` (or `wasi_unstable`). It is always
   * the same object, and functions in it may be replaced. They are WebAssembly functions: a guest
   * that declares one with other types fails to link, and called from JavaScript they convert their
   * arguments as every exported function does.
   */
  wasiImport: WASIImport;

  /**
   * Checks the options and opens the preopens.
   *
   * Errors: `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` and `ERR_OUT_OF_RANGE` for wrong
   * options; codes such as `UVWASI_ENOENT` for a preopen or a stream that cannot be opened.
   */
  constructor(options: WASIOptions, makeHost: HostMaker) {
    if ((options as { signal?: unknown } | undefined)?.signal !== undefined) {
      throw invalidValue(
        "options.signal",
        "is an option of run() and AsyncWASI, not of WASI",
        "signal",
      );
    }
    const { state, wasiImport } = makeGuest(options, makeHost, syncStreams);
    Object.defineProperty(this, STATE, { value: state });
    this.wasiImport = typedImports(wasiImport, tableOf(state.binding)!);
  }

  /**
   * The import object for a guest that needs only WASI: `wasiImport` under the module name of the
   * version. The other snapshot is there too, as a non-enumerable property, for modules that import
   * both.
   */
  getImportObject(): Record<string, WASIImport> {
    const state = stateOf(this);
    const { binding } = state;
    const imports = hidden({ [binding]: this.wasiImport });
    const other = otherBinding(binding);
    return Object.defineProperty(imports, other, {
      configurable: true,
      get: (): WASIImport => {
        const proc_exit = (code: number): void => this.wasiImport.proc_exit!(code);
        return typedImports(importsOf(state, other, proc_exit), tableOf(other)!);
      },
    });
  }

  /**
   * Binds the guest's memory to the system calls, without running anything: for instances that
   * share memory between threads. `start()` and `initialize()` call it.
   *
   * Errors: `ERR_WASI_ALREADY_STARTED` on the second call; `ERR_INVALID_ARG_TYPE` if `instance`, its
   * exports or the memory have the wrong type.
   */
  finalizeBindings(
    instance: WebAssembly.Instance,
    { memory }: { memory?: WebAssembly.Memory } = {},
  ): void {
    bindInstance(stateOf(this), instance, memory);
  }

  /**
   * Runs a command: calls `_start` and returns the exit code, 0 if `_start` returns. Everything that
   * the guest left open is closed then.
   *
   * Errors: as `finalizeBindings`; `ERR_INVALID_ARG_TYPE` if there is no `_start` or there is an
   * `_initialize`; a `WebAssembly.RuntimeError` if the guest traps; whatever a function among the
   * options (a stream, a clock) throws, which stops the guest.
   */
  start(instance: WebAssembly.Instance): number {
    this.finalizeBindings(instance);
    const state = stateOf(this);
    const { exports } = state.instance!;
    const { _start, _initialize } = exports;
    validateFunction(_start, "instance.exports._start");
    validateUndefined(_initialize, "instance.exports._initialize");
    try {
      if (state.first !== undefined) (exports[state.first] as () => void)();
      (_start as () => void)();
    } catch (error) {
      if (error instanceof GuestAborted) throw error.cause;
      if (!(error instanceof ProcExit)) throw error;
    } finally {
      state.system.table.closeOpened();
    }
    return state.exitCode;
  }

  /**
   * Initialises a reactor: calls `_initialize` if there is one.
   *
   * Errors: as `finalizeBindings`; `ERR_INVALID_ARG_TYPE` if there is a `_start`.
   */
  initialize(instance: WebAssembly.Instance): void {
    this.finalizeBindings(instance);
    const { first, instance: bound } = stateOf(this);
    const { _start, _initialize } = bound!.exports;
    validateUndefined(_start, "instance.exports._start");
    if (_initialize !== undefined) validateFunction(_initialize, "instance.exports._initialize");
    try {
      if (first !== undefined) (bound!.exports[first] as () => void)();
      (_initialize as (() => void) | undefined)?.();
    } catch (error) {
      throw error instanceof GuestAborted ? error.cause : error;
    }
  }

  /**
   * How directories given as paths are confined. To require one kind, set the option of the same
   * name.
   */
  get confinement(): Confinement {
    return stateOf(this).system.host.fs.confinement;
  }

  /** The ports of the sockets of `options.listen`, in the same order. */
  get ports(): number[] {
    return portsOf(stateOf(this));
  }

  /** Closes everything; system calls return BADF from then on. */
  [Symbol.dispose](): void {
    closeGuest(stateOf(this));
  }
}
