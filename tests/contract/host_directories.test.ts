/** The contract of directories, on the directories of each host. */
import fs from "node:fs";
import path from "node:path";
import { scratch } from "../support/harness.ts";
import { hostOf, ways } from "../support/hosts.ts";
import { contract } from "./suite.ts";

const folder = scratch("contract");
for (const [name, way] of ways) {
  contract(name, {
    make: () => hostOf(way).fs.directory(fs.mkdtempSync(path.join(folder, "d-"))),
    pinned: way.confinement !== "checked",
  });
}
