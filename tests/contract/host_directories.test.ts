/** The contract of directories, on the directories of each host. */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { makesLinks, scratch } from "../support/harness.ts";
import { hostOf, ways } from "../support/hosts.ts";
import { contract, type Kind } from "./suite.ts";

const folder = scratch("contract");

/** What a folder of Windows can and cannot do. */
function onWindows(ffi: boolean): Partial<Kind> {
  return { windows: true, links: makesLinks(folder), step: ffi ? 100n : 1n };
}

for (const [name, way] of ways) {
  contract(name, {
    make: () => hostOf(way).fs.directory(fs.mkdtempSync(path.join(folder, "d-"))),
    pinned: way.confinement !== "checked",
    ...(process.platform === "win32" ? onWindows(way.ffi) : {}),
  });
}
