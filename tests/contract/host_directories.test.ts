/** The contract of directories, on the directories of each host. */
import fs from "node:fs";
import path from "node:path";
import { scratch, windows } from "../support/harness.ts";
import { hostOf, ways } from "../support/hosts.ts";
import { here } from "../support/system.ts";
import { contract } from "./suite.ts";

const folder = scratch("contract");
for (const [name, way] of ways) {
  contract(name, {
    make: () => hostOf(way).fs.directory(fs.mkdtempSync(path.join(folder, "d-"))),
    pinned: way.confinement !== "checked",
    system: here,
    // node:fs remembers what was set, ntdll tells what is on the disk
    step: windows && way.ffi ? 100n : 1n,
  });
}
