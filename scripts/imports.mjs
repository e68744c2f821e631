/** What a source file of this repository imports of the others. */
import fs from "node:fs";
import path from "node:path";
import { root } from "./runtimes.mjs";

/** The files that a file imports or hands on from, later ones too, from the repository's folder on. */
export function importsOf(file) {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from "(\.[^"]+)"|import\("(\.[^"]+)"\)/gms)]
    .map(([, fixed, later]) => path.posix.join(path.posix.dirname(file), fixed ?? later));
}
