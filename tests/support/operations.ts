/**
 * Operations on directories, made up from a seed, and what they are done to. The same operation
 * is done to several directories, and what it answers, as text, must be the same for all.
 */
import assert from "node:assert/strict";
import { Fdflags, Filetype, Fstflags } from "../../core/preview1/abi.ts";
import { WasiError } from "../../core/errno.ts";
import { FileStat } from "../../core/filestat.ts";
import { type Directory, type File, Open } from "../../core/host.ts";
import { describe, digest, kindOf, list, type Listed, outcome } from "./trees.ts";

/** Whole numbers below a limit. */
export type Random = (limit: number) => number;

/** One thing to do. */
export interface Operation {
  /** for the report of what went wrong */
  readonly text: string;
  /** Does it; what it answers. */
  run(world: World): string;
  /** Whether an answer may stand for the reference's, after either has been given. */
  readonly tolerates?: Tolerates;
}

/** `world` is the reference. */
type Tolerates = (reference: string, answer: string, world: World) => boolean;

interface OpenFile {
  readonly file: File;
  readonly reads: boolean;
  readonly writes: boolean;
  appends: boolean;
}

/** How many directories and files may be open; directory 0 is the root and stays. */
const SLOTS = 4;

/** A directory with what is open in it. */
export class World {
  readonly name: string;
  readonly root: Directory;
  readonly files: (OpenFile | undefined)[] = Array(SLOTS).fill(undefined);
  readonly #directories: (Directory | undefined)[] = Array(SLOTS).fill(undefined);

  constructor(name: string, root: Directory) {
    this.name = name;
    this.root = root;
    this.#directories[0] = root;
  }

  /** The slots of directories that are open. */
  get open(): number[] {
    return [...this.#directories.keys()].filter((slot) => this.#directories[slot] !== undefined);
  }

  directory(slot: number): Directory {
    return this.#directories[slot]!;
  }

  file(slot: number): File {
    return this.files[slot]!.file;
  }

  /** Keeps what was opened, in the place of what was there. */
  keep(opened: File | Directory, slot: number, flags: number, fdflags: number): void {
    if (opened.filetype === Filetype.DIRECTORY) {
      if (slot === 0) return opened.close();
      this.closeDirectory(slot);
      this.#directories[slot] = opened as Directory;
      return;
    }
    this.closeFile(slot);
    this.files[slot] = {
      file: opened as File,
      reads: (flags & Open.READ) !== 0,
      writes: (flags & Open.WRITE) !== 0,
      appends: (fdflags & Fdflags.APPEND) !== 0,
    };
  }

  closeFile(slot: number): void {
    this.files[slot]?.file.close();
    this.files[slot] = undefined;
  }

  closeDirectory(slot: number): void {
    if (slot === 0) return;
    this.#directories[slot]?.close();
    this.#directories[slot] = undefined;
  }

  /** Closes all but the root. */
  closeAll(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      this.closeFile(slot);
      this.closeDirectory(slot);
    }
  }

  /** Which of all that is open has this inode. */
  same(ino: bigint): string {
    const stat = new FileStat();
    const has = (handle: File | Directory | undefined): boolean =>
      handle !== undefined && handle.stat(stat) === 0 && stat.ino === ino;
    const files = this.files.map((each) => has(each?.file) ? "f" : "-").join("");
    return files + this.#directories.map((each) => has(each) ? "d" : "-").join("");
  }
}

/** What a call answers, thrown errors as well. */
function attempt(use: () => string): string {
  try {
    return use();
  } catch (error) {
    if (error instanceof WasiError) return outcome(-error.errno);
    throw error;
  }
}

function operation(
  text: string,
  run: (world: World) => number | string,
  tolerates?: Tolerates,
): Operation {
  return {
    text,
    tolerates,
    run: (world) =>
      attempt(() => {
        const result = run(world);
        return typeof result === "number" ? outcome(result) : result;
      }),
  };
}

function flagNames(flags: number): string {
  return Object.entries(Open).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name)
    .join("|");
}

/** Bytes that tell where they were written. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = 1 + (seed + i * 7) % 251;
  return bytes;
}

function statOf(use: (into: FileStat) => number, show: (stat: FileStat) => string): string {
  const stat = new FileStat();
  const error = use(stat);
  return error < 0 ? outcome(error) : show(stat);
}

/** A directory by its slot, and a path in it. */
export interface Place {
  readonly slot: number;
  readonly path: string;
}

function shown({ slot, path }: Place): string {
  return `${slot}:"${path}"`;
}

/** Whether the links at the end of a path lead to one whose target ends in a slash. */
function endsInSlash(world: World, { slot, path }: Place): boolean {
  const directory = world.directory(slot);
  for (let links = 0; links < 40; links++) {
    const target = directory.readlink(path);
    if (typeof target === "number") return false;
    if (target.endsWith("/")) return true;
    path = path.slice(0, path.lastIndexOf("/") + 1) + target;
  }
  return false;
}

/**
 * Linux says ISDIR when a link with a slash at its end is to be made into a file, whatever is
 * there. POSIX wants NOENT or NOTDIR: what is found at the end of a walk, if it gets there.
 */
function toleratesSlash(place: Place, flags: number): Tolerates | undefined {
  if ((flags & Open.CREAT) === 0) return undefined;
  return (reference, answer, world) =>
    reference === "-ISDIR" && ["-NOENT", "-NOTDIR", "-LOOP", "-PERM"].includes(answer) &&
    endsInSlash(world, place);
}

export function open(place: Place, flags: number, fdflags: number, slot: number): Operation {
  return operation(
    `open ${shown(place)} ${flagNames(flags)} ${fdflags ? "APPEND " : ""}as ${slot}`,
    (world) => {
      const opened = world.directory(place.slot).open(place.path, flags, fdflags);
      if (typeof opened === "number") return opened;
      world.keep(opened, slot, flags, fdflags);
      return kindOf(opened.filetype);
    },
    toleratesSlash(place, flags),
  );
}

export function read(slot: number, length: number, position: number): Operation {
  return operation(`read ${slot} ${length} at ${position}`, (world) => {
    const into = new Uint8Array(length + 2).fill(255);
    const count = world.file(slot).read(into, 1, length, position);
    return count < 0 ? count : `${count} bytes ${digest(into)}`;
  });
}

export function write(slot: number, length: number, position: number, seed: number): Operation {
  return operation(`write ${slot} ${length} at ${position}`, (world) => {
    const file = world.file(slot);
    const count = file.write(pattern(length + 1, seed), 1, length, position);
    return position < 0 && count > 0 ? `${count}, stands at ${file.tell!()}` : count;
  });
}

export function setSize(slot: number, size: number): Operation {
  return operation(`setSize ${slot} ${size}`, (world) => world.file(slot).setSize(size));
}

/** Whether it changes times depends on the disk, so they are set afterwards. */
export function allocate(slot: number, offset: number, length: number): Operation {
  return operation(`allocate ${slot} ${offset} ${length}`, (world) => {
    const file = world.file(slot);
    const error = file.allocate(offset, length);
    file.setTimes(0n, 0n, Fstflags.MTIM_NOW);
    return error;
  });
}

export function setFlags(slot: number, fdflags: number): Operation {
  return operation(`setFlags ${slot} ${fdflags}`, (world) => {
    world.files[slot]!.appends = fdflags !== 0;
    return world.file(slot).setFlags(fdflags);
  });
}

export function statFile(slot: number): Operation {
  return operation(
    `stat file ${slot}`,
    (world) =>
      statOf(
        (into) => world.file(slot).stat(into),
        (stat) => `${describe(stat)} ${world.same(stat.ino)}`,
      ),
  );
}

export function statDirectory(slot: number): Operation {
  return operation(
    `stat directory ${slot}`,
    (world) =>
      statOf(
        (into) => world.directory(slot).stat(into),
        (stat) => `${describe(stat)} ${world.same(stat.ino)}`,
      ),
  );
}

export function statAt(place: Place, follow: boolean): Operation {
  return operation(
    `statAt ${shown(place)}${follow ? " follow" : ""}`,
    (world) =>
      statOf(
        (into) => world.directory(place.slot).statAt(place.path, follow, into),
        (stat) => `${describe(stat)} ${world.same(stat.ino)}`,
      ),
  );
}

/** Times to set. */
export interface Times {
  readonly atim: bigint;
  readonly mtim: bigint;
  readonly flags: number;
}

/** A disk may note that a link was followed on the way to itself. */
function timesOf(stat: FileStat, { flags }: Times): string {
  const showsAtim = (flags & Fstflags.ATIM) !== 0 && stat.filetype !== Filetype.SYMBOLIC_LINK;
  const atim = showsAtim ? stat.atim : "";
  const mtim = (flags & Fstflags.MTIM) !== 0 ? stat.mtim : "";
  return `atim ${atim} mtim ${mtim}`;
}

export function setTimesAt(place: Place, follow: boolean, times: Times): Operation {
  const { atim, mtim, flags } = times;
  return operation(
    `setTimesAt ${shown(place)}${follow ? " follow" : ""} ${atim} ${mtim} ${flags}`,
    (world) => {
      const directory = world.directory(place.slot);
      const error = directory.setTimesAt(place.path, follow, atim, mtim, flags);
      if (error < 0) return error;
      return statOf(
        (into) => directory.statAt(place.path, follow, into),
        (stat) => timesOf(stat, times),
      );
    },
  );
}

export function setTimes(slot: number, times: Times): Operation {
  const { atim, mtim, flags } = times;
  return operation(`setTimes ${slot} ${atim} ${mtim} ${flags}`, (world) => {
    const file = world.file(slot);
    const error = file.setTimes(atim, mtim, flags);
    return error < 0 ? error : statOf((into) => file.stat(into), (stat) => timesOf(stat, times));
  });
}

export function mkdir(place: Place): Operation {
  return operation(
    `mkdir ${shown(place)}`,
    (world) => world.directory(place.slot).mkdir(place.path),
  );
}

export function rmdir(place: Place): Operation {
  return operation(
    `rmdir ${shown(place)}`,
    (world) => world.directory(place.slot).rmdir(place.path),
  );
}

export function unlink(place: Place): Operation {
  return operation(
    `unlink ${shown(place)}`,
    (world) => world.directory(place.slot).unlink(place.path),
  );
}

export function rename(from: Place, to: Place): Operation {
  return operation(
    `rename ${shown(from)} to ${shown(to)}`,
    (world) => world.directory(from.slot).rename(from.path, world.directory(to.slot), to.path),
  );
}

export function link(from: Place, to: Place): Operation {
  return operation(
    `link ${shown(from)} to ${shown(to)}`,
    (world) => world.directory(from.slot).link(from.path, world.directory(to.slot), to.path),
  );
}

export function symlink(target: string, place: Place): Operation {
  return operation(
    `symlink "${target}" at ${shown(place)}`,
    (world) => world.directory(place.slot).symlink(target, place.path),
  );
}

export function readlink(place: Place): Operation {
  return operation(
    `readlink ${shown(place)}`,
    (world) => world.directory(place.slot).readlink(place.path),
  );
}

export function close(slot: number, directory: boolean): Operation {
  return operation(`close ${directory ? "directory" : "file"} ${slot}`, (world) => {
    if (directory) world.closeDirectory(slot);
    else world.closeFile(slot);
    return 0;
  });
}

function namesOf(entries: Listed[]): string {
  return entries.map(({ name, filetype }) => `${name} ${kindOf(filetype)}`).sort().join(", ");
}

/**
 * Linux says NOENT of a directory that was removed. POSIX wants an end without entries, and where
 * "." and ".." are always given they come all the same.
 */
const toleratesRemoved: Tolerates = (reference, answer) =>
  reference === "-NOENT" && answer === ". directory, .. directory";

export function listAll(slot: number, portion: number): Operation {
  const text = `list ${slot} by ${portion}`;
  return operation(text, (world) => {
    const entries = list(world.directory(slot), portion);
    return typeof entries === "number" ? entries : namesOf(entries);
  }, toleratesRemoved);
}

/** Names and inodes, by a handle of its own; none of a directory that is gone. */
function state(directory: Directory): Map<string, bigint> {
  const handle = directory.open(".", Open.READ | Open.DIRECTORY, 0);
  assert.notEqual(typeof handle, "number", `open ".": ${handle}`);
  const entries = list(handle as Directory);
  (handle as Directory).close();
  if (typeof entries === "number") return new Map();
  return new Map(entries.map(({ name, ino }) => [name, ino]));
}

/** Lists while things are done: each name that stays must come exactly once. */
export function listWhile(slot: number, portion: number, doing: readonly Operation[]): Operation {
  const text: string = doing.map((each) => each.text).join("; ");
  return operation(`list ${slot} by ${portion} while: ${text}`, (world) => {
    const directory = world.directory(slot);
    const todo = [...doing];
    const answers: string[] = [];
    const stays = state(directory);
    const entries = list(directory, portion, () => {
      const next = todo.shift();
      if (next === undefined) return;
      answers.push(next.run(world));
      const now = state(directory);
      for (const [name, ino] of stays) if (now.get(name) !== ino) stays.delete(name);
    });
    for (const each of todo) answers.push(each.run(world));
    // a directory that was removed meanwhile may go on to the end of what was listed at first
    if (typeof entries === "number") assert.equal(state(directory).size, 0, outcome(entries));
    else {for (const name of stays.keys()) {
        const count: number = entries.filter((entry) => entry.name === name).length;
        assert.equal(count, 1, `"${name}" stays, and is listed ${count} times`);
      }}
    return answers.join();
  });
}

const NAMES = ["a", "b", "c", "d", "e"];
/** A name that no disk takes. */
const LONG = "n".repeat(256);
const TARGETS = [
  "",
  "a",
  "b",
  "c",
  "d",
  "..",
  ".",
  "../a",
  "../b",
  "../c/d",
  "a/b",
  "b/c",
  "./c",
  "d/",
  "a/.",
  "a//b",
  "../..",
  "../../a",
  "c/..",
  "nowhere/x",
  "e/e",
  "../e",
  "/a",
  "/",
];
const PAGE = 65536;

/** The paths of what is in a directory; those of directories end in "/". */
function* pathsIn(directory: Directory, place: string = ""): Generator<string> {
  const entries = list(directory);
  if (typeof entries === "number") return;
  for (const { name, filetype } of entries) {
    if (name === "." || name === "..") continue;
    if (filetype !== Filetype.DIRECTORY) yield place + name;
    else {
      yield `${place}${name}/`;
      const inner = directory.open(name, Open.READ | Open.DIRECTORY, 0) as Directory;
      yield* pathsIn(inner, `${place}${name}/`);
      inner.close();
    }
  }
}

const isDirectory = (path: string): boolean => path.endsWith("/");
const isNoDirectory = (path: string): boolean => !path.endsWith("/");

/** So many operations long nobody looks anew which paths are there. */
const MEMORY = 8;

/** Makes up operations. Which are likely depends on what is there, and open, in `world`. */
export class Inventor {
  readonly #random: Random;
  readonly #world: World;
  readonly #stat: FileStat = new FileStat();
  /** How likely a change is to give something a second name, in percent. */
  readonly #linking: number;
  /** The paths of what is there, by slot. */
  #known: Map<number, string[]> = new Map();
  #age = 0;

  constructor(random: Random, world: World) {
    this.#random = random;
    this.#world = world;
    this.#linking = random(40);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#random(choices.length)]!;
  }

  #chance(percent: number): boolean {
    return this.#random(100) < percent;
  }

  /** A path of the few names. It never ends in dots: the core refuses these where they matter. */
  #somePath(): string {
    if (this.#chance(1)) return LONG;
    let path = "";
    const depth = 1 + Math.min(this.#random(4), this.#random(4));
    for (let i = 1; i < depth; i++) {
      path += this.#chance(6) ? "../" : this.#chance(4) ? "./" : `${this.#pick(NAMES)}/`;
      if (this.#chance(2)) path += "/";
    }
    return path + this.#pick(NAMES);
  }

  /** What was there a moment ago. */
  #paths(slot: number): string[] {
    if (this.#age++ % MEMORY === 0) this.#known.clear();
    let paths = this.#known.get(slot);
    if (paths === undefined) {
      paths = [...pathsIn(this.#world.directory(slot))];
      this.#known.set(slot, paths);
    }
    return paths;
  }

  #slot(): number {
    return this.#chance(60) ? 0 : this.#pick(this.#world.open);
  }

  /** A path, more often than not one that is there: if possible, one that `suits`. */
  #place(suits: (path: string) => boolean = () => true): Place {
    const slot = this.#slot();
    if (this.#chance(25)) return { slot, path: this.#somePath() };
    const paths = this.#paths(slot).filter(suits);
    if (paths.length === 0) return { slot, path: this.#somePath() };
    return { slot, path: this.#pick(paths).replace(/\/$/, "") };
  }

  /** A path at which something could be made: often a new name in a directory that is there. */
  #newPlace(): Place {
    const { slot, path } = this.#place(isDirectory);
    if (this.#chance(30)) return { slot, path: this.#pick(NAMES) };
    if (path.split("/").length >= 4 || this.#chance(20)) return { slot, path };
    return { slot, path: `${path}/${this.#pick(NAMES)}` };
  }

  /** A place that may be "." or end in "..": for what names nothing. */
  #anyPlace(): Place {
    const place = this.#place();
    if (this.#chance(3)) return { slot: place.slot, path: "." };
    if (this.#chance(3)) return { slot: place.slot, path: `${place.path}/..` };
    return place;
  }

  #position(): number {
    const kind = this.#random(20);
    if (kind === 0) return PAGE - 3 + this.#random(6);
    if (kind === 1) return 2 * PAGE - 3 + this.#random(6);
    if (kind === 2) return this.#random(100000);
    return this.#random(600);
  }

  #length(): number {
    const kind = this.#random(25);
    if (kind === 0) return PAGE + this.#random(5);
    if (kind === 1) return this.#random(2000);
    return this.#random(300);
  }

  #times(): Times {
    // in steps that every file system here keeps: Windows counts by 100 ns
    const time = (): bigint => BigInt(this.#random(20)) * 1_000_000_700n;
    const atim = this.#pick([0, Fstflags.ATIM, Fstflags.ATIM_NOW]);
    const mtim = this.#pick([0, Fstflags.MTIM, Fstflags.MTIM_NOW]);
    return { atim: time(), mtim: time(), flags: atim | mtim };
  }

  #open(): Operation {
    const place = this.#chance(30) ? this.#newPlace() : this.#anyPlace();
    const slot = this.#random(SLOTS);
    let flags: number = this.#chance(60) ? Open.FOLLOW : 0;
    if (this.#chance(30)) {
      flags |= Open.READ | Open.DIRECTORY;
      if (this.#chance(5)) flags |= this.#pick([Open.WRITE, Open.TRUNC, Open.EXCL]);
      return open(place, flags, 0, slot);
    }
    flags |= this.#pick([Open.READ, Open.WRITE, Open.READ | Open.WRITE, Open.READ | Open.WRITE]);
    if (this.#chance(50)) flags |= Open.CREAT;
    if (this.#chance(15)) flags |= Open.EXCL;
    if (this.#chance(15)) flags |= Open.TRUNC;
    return open(place, flags, this.#chance(25) ? Fdflags.APPEND : 0, slot);
  }

  /** Something with an open file, or undefined if there is none. */
  #withFile(): Operation | undefined {
    const slots = [...this.#world.files.keys()]
      .filter((slot) => this.#world.files[slot] !== undefined);
    if (slots.length === 0) return undefined;
    const slot = this.#pick(slots);
    const { reads, writes, appends } = this.#world.files[slot]!;
    const kind = this.#random(16);
    // what it was not opened for is refused before it comes to the file
    if (kind < 4) return reads ? read(slot, this.#length(), this.#position()) : statFile(slot);
    if (kind === 4) return setTimes(slot, this.#times());
    if (kind === 5) return statFile(slot);
    if (kind === 6) return close(slot, false);
    if (!writes) return statFile(slot);
    if (kind === 7) return setFlags(slot, this.#chance(50) ? Fdflags.APPEND : 0);
    if (kind === 8) {
      const same = this.#chance(20) && this.#world.file(slot).stat(this.#stat) === 0;
      return setSize(slot, same ? this.#stat.length : this.#position());
    }
    if (kind === 9) return allocate(slot, this.#position(), 1 + this.#length());
    const position = appends && this.#chance(80) ? -1 : this.#position();
    return write(slot, this.#length(), position, this.#random(251));
  }

  /** Something that changes names. */
  #change(): Operation {
    if (this.#chance(this.#linking)) return link(this.#place(isNoDirectory), this.#newPlace());
    const kind = this.#random(18);
    if (kind < 5) return mkdir(this.#newPlace());
    if (kind < 7) return rmdir(this.#place(isDirectory));
    if (kind < 9) return unlink(this.#place(isNoDirectory));
    if (kind < 14) return rename(this.#place(), this.#newPlace());
    return symlink(this.#pick(TARGETS), this.#newPlace());
  }

  #list(): Operation {
    const slot = this.#pick(this.#world.open);
    if (this.#chance(60)) return listAll(slot, this.#pick([Infinity, 1, 2, 3, 5]));
    const doing = Array.from({ length: 1 + this.#random(4) }, () => this.#change());
    return listWhile(slot, 1 + this.#random(4), doing);
  }

  #look(): Operation {
    const kind = this.#random(10);
    if (kind < 4) return statAt(this.#anyPlace(), this.#chance(50));
    if (kind < 5) return readlink(this.#place());
    if (kind < 7) return this.#list();
    if (kind < 8) return statDirectory(this.#pick(this.#world.open));
    if (kind < 9) return close(this.#pick(this.#world.open), true);
    return setTimesAt(this.#anyPlace(), this.#chance(50), this.#times());
  }

  /** The next operation. */
  next(): Operation {
    const kind = this.#random(100);
    if (kind < 25) return this.#open();
    if (kind < 45) return this.#withFile() ?? this.#open();
    if (kind < 80) return this.#change();
    return this.#look();
  }
}

/** Throws unless an answer is the reference's, or one that may stand for it. */
export function assertSameAnswer(
  { tolerates }: Operation,
  answers: { readonly reference: string; readonly answer: string },
  world: World,
): void {
  const { reference, answer } = answers;
  if (answer === reference || tolerates?.(reference, answer, world)) return;
  assert.fail(`answered ${answer}, and the reference ${reference}`);
}
