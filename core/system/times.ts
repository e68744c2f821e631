/**
 * What `fd_filestat_set_times` and `path_filestat_set_times` have in common.
 *
 * @module
 */
import { Fstflags } from "../host.ts";

/** Whether flags ask for a time twice or are not flags. */
export function badTimeFlags(flags: number): boolean {
  const atim = Fstflags.ATIM | Fstflags.ATIM_NOW;
  const mtim = Fstflags.MTIM | Fstflags.MTIM_NOW;
  return flags > 15 || (flags & atim) === atim || (flags & mtim) === mtim;
}
