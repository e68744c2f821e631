/** The guests that check files, descriptors, paths and ends, on the macOS backend. */
import { descriptors } from "../guests/descriptors.ts";
import { files } from "../guests/files.ts";
import { Guests } from "../guests/guest.ts";
import { paths } from "../guests/paths.ts";
import { processes } from "../guests/process.ts";
import { darwins } from "../support/darwin.ts";

for (const darwin of darwins) {
  for (const shared of [files, descriptors, paths, processes]) shared.on(new Guests(darwin));
}
