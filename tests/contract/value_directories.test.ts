/** The contract of directories, on those that are values. */
import fs from "node:fs";
import path from "node:path";
import { host } from "../../adapters/host_directory.ts";
import { memory } from "../../core/directories/memory/mod.ts";
import { overlay } from "../../adapters/overlay.ts";
import { Quota, QuotaDirectory } from "../../core/directories/quota.ts";
import { StableDirectory, StableNumbers } from "../../core/directories/stable.ts";
import { WebClock } from "../../adapters/clock.ts";
import { scratch, windows } from "../support/harness.ts";
import { hostOf, ways } from "../support/hosts.ts";
import { here } from "../support/system.ts";
import { contract } from "./suite.ts";

const folder = scratch("contract-values");
/** Through ntdll times are what is on the disk; node:fs remembers what was set. */
const stepOf = ({ confinement }: { confinement: string }): bigint =>
  windows && confinement === "walk" ? 100n : 1n;
const empty = (): string => fs.mkdtempSync(path.join(folder, "d-"));

contract("memory()", { make: () => memory(), pinned: true });
contract("overlay() over memory()", { make: () => overlay(memory()), pinned: true });
contract("overlay() over an overlay()", { make: () => overlay(overlay(memory())), pinned: true });
contract("host()", {
  make: () => host(empty()),
  pinned: host(folder).confinement !== "checked",
  system: here,
  step: stepOf(host(folder)),
});
for (const [name, way] of ways) {
  contract(`overlay() over ${name}`, {
    make: () => overlay(hostOf(way).fs.directory(empty())),
    pinned: true,
  });
  contract(`a quota over ${name}`, {
    make: () => new QuotaDirectory(hostOf(way).fs.directory(empty()), new Quota(2 ** 40, 10000)),
    pinned: way.confinement !== "checked",
    system: here,
    step: stepOf(way),
  });
}
contract("a quota over memory()", {
  make: () => new QuotaDirectory(memory(), new Quota(2 ** 40, 10000)),
  pinned: true,
});
contract("memory() for a run that can be repeated", {
  make: () => new StableDirectory(memory(), new StableNumbers(new WebClock())),
  pinned: true,
});
