/**
 * WASI 0.2: all its interfaces, for one guest.
 *
 * @module
 */
import type { InstanceItem } from "../component/scope.ts";
import { compatibility, withoutVersion } from "../component/names.ts";
import * as cli from "./cli.ts";
import * as clocks from "./clocks.ts";
import { direct } from "./direct.ts";
import * as filesystem from "./filesystem.ts";
import type { ResourceType } from "../component/types.ts";
import { instanceOf, type Interface } from "./interface.ts";
import * as io from "./io.ts";
import { pollInterface } from "./pollables.ts";
import * as random from "./random.ts";
import { readWit, type WitInterface } from "./wit.ts";
import type { World } from "./world.ts";

/** The version whose interfaces these are, and with it all that are compatible. */
const VERSION = "0.2";

/** In the order in which they use each other. */
const INTERFACES: readonly Interface[] = [
  io.error,
  pollInterface,
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

/** An interface, and what its WIT says. */
interface Known {
  readonly interface: Interface;
  readonly wit: WitInterface;
}

const all: Map<string, Known> = new Map();
const known: Map<string, WitInterface> = new Map();

function add(more: readonly Interface[]): void {
  for (const one of more) {
    const wit = readWit(one.wit, known);
    known.set(wit.name, wit);
    for (const [name, Class] of Object.entries(one.classes ?? {})) {
      (wit.types.get(name) as ResourceType).Class = Class;
    }
    all.set(wit.name, { interface: one, wit });
  }
}

/** The interfaces by their names without a version. */
export function interfaces(): ReadonlyMap<string, Known> {
  if (all.size === 0) add(INTERFACES);
  return all;
}

/** Packages that are loaded only for components that import them. */
const PACKAGES: Readonly<Record<string, () => Promise<{ INTERFACES: readonly Interface[] }>>> = {
  "wasi:http/": () => import("./http/mod.ts"),
  "wasi:sockets/": () => import("./sockets/mod.ts"),
};

const loaded: Map<string, Promise<void>> = new Map();

/** Loads the packages that a component imports by these names. */
export async function loadInterfaces(names: readonly string[]): Promise<void> {
  interfaces();
  for (const [name, load] of Object.entries(PACKAGES)) {
    if (!names.some((imported) => imported.startsWith(name))) continue;
    let ready = loaded.get(name);
    if (ready === undefined) {
      ready = load().then(({ INTERFACES }) => add(INTERFACES));
      loaded.set(name, ready);
    }
    await ready;
  }
}

/** What a component imports by a name of WASI 0.2's, if it is that. */
export function wasiInstance(world: World, imported: string): InstanceItem | undefined {
  const { name, version } = withoutVersion(imported);
  const found = interfaces().get(name);
  if (found === undefined || compatibility(version) !== VERSION) return undefined;
  return instanceOf(found.interface, found.wit, world, direct);
}
