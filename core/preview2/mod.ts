/**
 * WASI 0.2: all its interfaces, for one guest.
 *
 * @module
 */
import type { InstanceItem } from "../component/linker.ts";
import { compatibility, withoutVersion } from "../component/names.ts";
import * as cli from "./cli.ts";
import * as clocks from "./clocks.ts";
import { direct } from "./direct.ts";
import * as filesystem from "./filesystem.ts";
import type { ResourceType } from "../component/types.ts";
import { instanceOf, type Interface } from "./interface.ts";
import * as io from "./io.ts";
import * as random from "./random.ts";
import { readWit, type WitInterface } from "./wit.ts";
import type { World } from "./world.ts";

/** The version whose interfaces these are, and with it all that are compatible. */
const VERSION = "0.2";

/** In the order in which they use each other. */
const INTERFACES: readonly Interface[] = [
  io.error,
  io.pollInterface,
  io.streams,
  clocks.monotonicClock,
  clocks.wallClock,
  filesystem.types,
  filesystem.preopensInterface,
  random.random,
  random.insecure,
  random.insecureSeed,
  cli.environment,
  cli.exit,
  cli.stdin,
  cli.stdout,
  cli.stderr,
  cli.terminalInput,
  cli.terminalOutput,
  cli.terminalStdin,
  cli.terminalStdout,
  cli.terminalStderr,
];

let read: ReadonlyMap<string, { interface: Interface; wit: WitInterface }> | undefined;

/** The interfaces by their names without a version. */
export function interfaces(): ReadonlyMap<string, { interface: Interface; wit: WitInterface }> {
  if (read !== undefined) return read;
  const known = new Map<string, WitInterface>();
  const all = new Map<string, { interface: Interface; wit: WitInterface }>();
  for (const one of INTERFACES) {
    const wit = readWit(one.wit, known);
    known.set(wit.name, wit);
    for (const [name, Class] of Object.entries(one.classes ?? {})) {
      (wit.types.get(name) as ResourceType).Class = Class;
    }
    all.set(wit.name, { interface: one, wit });
  }
  return read = all;
}

/** What a component imports by a name of WASI 0.2's, if it is that. */
export function wasiInstance(world: World, imported: string): InstanceItem | undefined {
  const { name, version } = withoutVersion(imported);
  const found = interfaces().get(name);
  if (found === undefined || compatibility(version) !== VERSION) return undefined;
  return instanceOf(found.interface, found.wit, world, direct);
}
