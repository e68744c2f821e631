/** The contract of directories, on the macOS backend. */
import fs from "node:fs";
import path from "node:path";
import { contract } from "../contract/suite.ts";
import { darwins } from "../support/darwin.ts";
import { scratch } from "../support/harness.ts";
import { hostOf } from "../support/hosts.ts";

const folder = scratch("darwin-contract");
for (const { way, test } of darwins) {
  contract("walk over libc", {
    make: () => hostOf(way).fs.directory(fs.mkdtempSync(path.join(folder, "d-"))),
    pinned: true,
    test,
  });
}
