/** The contract of directories, on the directories of each host. */
import fs from "node:fs";
import path from "node:path";
import { scratch } from "../support/harness.ts";
import { hosts } from "../support/hosts.ts";
import { contract } from "./suite.ts";

const folder = scratch("contract");
for (const [name, host] of hosts) {
  contract(name, {
    make: () => host.fs.directory(fs.mkdtempSync(path.join(folder, "d-"))),
  });
}
