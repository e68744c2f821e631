/**
 * What the interfaces of WASI 0.2 share for one guest.
 *
 * @module
 */
import { Err } from "../component/err.ts";
import type { Directory, File, Host } from "../host.ts";
import type { HostNetwork } from "../network.ts";
import { Descriptor, POSITION_OF_FILE, rightsOf } from "../system/descriptors.ts";
import { System } from "../system/system.ts";
import type { Grant } from "./grant.ts";

/** Milliseconds that connections have at the end to send what is left. */
export const SENDING_MAX: number = 5000;

/** Bytes that are read at once into an array that is used again. */
export const SCRATCH = 65536;

/** Most listings of directories that keep entries at once. */
const KEEPERS_MAX = 64;

/** What keeps something that it can ask for again. */
export interface Keeper {
  forget(): void;
}

/** What is known of a file, as long as no other call has been made. */
export interface Seen {
  /** the value of `System.calls` in the call that found it */
  readonly call: number;
  /** the file itself, or the directory that the path is in */
  readonly handle: File | Directory;
  /** undefined for the file itself */
  readonly path: string | undefined;
  readonly follow: boolean;
  /** Device and number of the file, each as two times 32 bits. */
  readonly id: FileId;
}

/** What a file is on its host: its device and its number, the lower 32 bits of each first. */
export type FileId = readonly [dev: number, devHigh: number, ino: number, inoHigh: number];

/** One guest's world. */
export class World {
  readonly host: Host;
  readonly system: System;
  readonly args: readonly string[];
  /** as `name=value` */
  readonly env: readonly string[];
  /** For one call at a time. What is read into it is copied before the guest runs. */
  readonly scratch: Uint8Array = new Uint8Array(SCRATCH);
  /** What a call has found out that the next one usually asks for; see filesystem.ts. */
  seen: Seen | undefined;
  /** Told of each call, if there is one. */
  readonly trace: ((line: string) => unknown) | undefined;
  /** The listings that keep entries, the one that has for longest first. */
  readonly #keepers: Set<Keeper> = new Set();
  /** What the guest may do with the network; undefined for nothing. */
  readonly grant: Grant | undefined;
  /** The host's network, where it has one and the component imports what uses it. */
  readonly network: HostNetwork | undefined;
  /** What has to be sent before the run is over, each until it is. */
  readonly sending: Set<Promise<unknown>> = new Set();
  /** Called with the code that the guest exits with. */
  readonly exit: (code: number) => never;

  constructor(
    system: System,
    given: {
      readonly args: readonly string[];
      readonly env: readonly string[];
      readonly trace?: ((line: string) => unknown) | undefined;
      readonly grant?: Grant | undefined;
      readonly network?: HostNetwork | undefined;
    },
    exit: (code: number) => never,
  ) {
    this.system = system;
    this.host = system.host;
    this.args = given.args;
    this.env = given.env;
    this.trace = given.trace;
    this.grant = given.grant;
    this.network = given.network;
    this.exit = exit;
  }

  /** Lets one keep entries, and the one that has for longest no more if there are too many. */
  keep(keeper: Keeper): void {
    const keepers = this.#keepers;
    keepers.delete(keeper);
    keepers.add(keeper);
    if (keepers.size <= KEEPERS_MAX) return;
    const [first] = keepers;
    keepers.delete(first!);
    first!.forget();
  }

  /** One keeps nothing any more. */
  unkeep(keeper: Keeper): void {
    this.#keepers.delete(keeper);
  }
}

/** An open file or directory, and how many resources of the guest's stand for it. */
export class OpenFile {
  readonly world: World;
  readonly descriptor: Descriptor;
  /** Its number in the guest's table, where `limits.openFiles` counts it. */
  readonly #fd: number;
  /** How long the file was when that was asked last. */
  size: number = 0;
  #uses = 1;

  constructor(world: World, fd: number) {
    this.world = world;
    this.#fd = fd;
    this.descriptor = world.system.table.get(fd)!;
  }

  /** The file; undefined for a directory. */
  get file(): File | undefined {
    return this.descriptor.file;
  }

  /**
   * Whether the file reaches to `end`. It is asked for its size only if it did not when that was asked
   * last: it may have been cut meanwhile.
   */
  reaches(end: number): boolean {
    if (end <= this.size) return true;
    const { stat } = this.world.system;
    if (this.file!.stat(stat) < 0) return false;
    this.size = stat.length;
    return end <= this.size;
  }

  /** One more resource stands for it. */
  retain(): this {
    this.#uses++;
    return this;
  }

  /** One fewer; the last closes it, unless it is the guest's from the start. */
  release(): void {
    if (--this.#uses > 0 || this.descriptor.given) return;
    const { table } = this.world.system;
    if (table.get(this.#fd) !== this.descriptor) return; // closed with all others
    table.remove(this.#fd);
    this.descriptor.close();
  }
}

/**
 * A file that the guest has made itself, such as a connection: `limits.openFiles` counts it, and it is
 * closed at the guest's end. Undefined if it may have no more; the file is closed then.
 */
export function openOwn(world: World, file: File): OpenFile | undefined {
  const { table } = world.system;
  const rights = rightsOf(file.filetype, file.seekable);
  const options = { position: POSITION_OF_FILE };
  const fd = table.full ? -1 : table.insert(new Descriptor(file, rights, 0, options));
  if (fd >= 0) return new OpenFile(world, fd);
  file.close();
  return undefined;
}

/** Whether a value is the error of a result. */
export function isErr(value: unknown): value is Err {
  return value instanceof Err;
}
