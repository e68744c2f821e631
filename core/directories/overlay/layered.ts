/**
 * A directory in memory over any other: what overlay() makes.
 *
 * @module
 */
import { posixError, WasiError } from "../../errno.ts";
import type { Directory } from "../../host.ts";
import { changesOf, commit, type OverlayChange } from "./commit.ts";
import { OverlayVolume } from "./overlay.ts";
import { TreeDirectory } from "../memory/tree.ts";

/** See `OverlayDirectory` of adapters/overlay.ts. */
export class LayeredDirectory extends TreeDirectory {
  readonly #volume: OverlayVolume;
  readonly #owned: Directory | undefined;

  constructor(volume: OverlayVolume, owned: Directory | undefined) {
    super(volume);
    this.#volume = volume;
    this.#owned = owned;
  }

  changes(): OverlayChange[] {
    return changesOf(this.#volume);
  }

  commit(): void {
    commit(this.#volume);
  }

  discard(): void {
    this.#volume.reset();
  }

  override close(): void {
    this.#owned?.close();
  }
}

/** Lays a directory in memory over another, which is closed with it if it is `owned`. */
export function layOver(lower: Directory, owned?: Directory): LayeredDirectory {
  try {
    return new LayeredDirectory(new OverlayVolume(lower), owned);
  } catch (error) {
    if (error instanceof WasiError) {
      throw posixError(error.errno, "cannot use the directory beneath");
    }
    throw error;
  }
}
