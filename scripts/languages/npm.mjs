/** Packages of npm, in folders of their own. */
import fs from "node:fs";
import path from "node:path";
import { must, once, say } from "../debian.mjs";

/**
 * Installs packages in a folder, unless that has been done. Those for wasm32 are installed by force: no
 * machine is one.
 */
export function havePackages(folder, names) {
  once(path.join(folder, "node_modules"), names.join(" "), () => {
    say(`npm's ${names.join(", ")}`);
    fs.mkdirSync(folder, { recursive: true });
    fs.rmSync(path.join(folder, "package-lock.json"), { force: true });
    fs.writeFileSync(path.join(folder, "package.json"), `{ "private": true }\n`);
    must("The packages cannot be installed: see whether npm's registry can be reached.", "npm", [
      "install",
      "--ignore-scripts",
      "--force",
      "--no-audit",
      "--no-fund",
      "--save-exact",
      ...names,
    ], { cwd: folder });
  });
}
