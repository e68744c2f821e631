/**
 * What running a program needs of a runtime.
 *
 * @module
 */
import type { HostMaker } from "../guest/wasi.ts";
import type { HostNetwork } from "../network.ts";
import type { GuestWorkers } from "./workers.ts";

/** A runtime, as far as running programs goes. */
export interface Platform {
  /** What makes the host of a guest with these options. */
  maker(options: object): HostMaker;
  readonly workers: GuestWorkers;
  /** Why workers are not available, if so. */
  noWorkers?(): Error | undefined;
  /** Whether a program that cannot be suspended runs in a worker instead of blocking the thread. */
  readonly mustNotHold?: boolean;
  /**
   * Loads the network, for components; left out where there is none.
   *
   * @param mayReach whether the runtime's permissions let an address be reached
   */
  network?(mayReach: (address: string, port: number) => boolean): Promise<HostNetwork>;
  /** Reads a file by its path; left out where there are no files. */
  readFile?(path: string): Promise<BufferSource>;
}
