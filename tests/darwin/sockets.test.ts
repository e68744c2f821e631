/** Sockets, on the macOS backend. */
import { Guests } from "../guests/guest.ts";
import { sockets } from "../guests/sockets.ts";
import { darwins } from "../support/darwin.ts";

for (const darwin of darwins) sockets.on(new Guests(darwin));
