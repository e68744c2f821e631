/**
 * Directories that are values against a directory of the host: whatever is done to both, in
 * whatever order, both answer the same and hold the same in the end.
 *
 * What is done is made up from seeds. `WASI_SEEDS=500` runs so many of them, `WASI_SEED=17` begins
 * at that one.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { WebClock } from "../../adapters/clock.ts";
import { memory } from "../../core/directories/memory/mod.ts";
import type { MemoryDirectory } from "../../core/directories/memory/mod.ts";
import { overlay, type OverlayChange, type OverlayDirectory } from "../../adapters/overlay.ts";
import { Filetype } from "../../core/preview1/abi.ts";
import { Quota, QuotaDirectory } from "../../core/directories/quota.ts";
import { StableDirectory, StableNumbers } from "../../core/directories/stable.ts";
import { type Directory, Open } from "../../core/host.ts";
import { baseVolume, ntDirectory } from "../support/fake_nt.ts";
import { generator } from "../support/fuzz.ts";
import { scratch } from "../support/harness.ts";
import { hostOf, ways } from "../support/hosts.ts";
import { assertSameAnswer, Inventor, type Operation, World } from "../support/operations.ts";
import {
  assertSame,
  bytesOf,
  digest,
  everything,
  list,
  look,
  type Seen,
  type View,
} from "../support/trees.ts";

const SEEDS = Number(process.env.WASI_SEEDS ?? 30);
const FIRST = Number(process.env.WASI_SEED ?? 1);
const STEPS = 150;
const ROOM = 2 ** 50;
/** How many operations a report shows. */
const TAIL = 30;

const folder = scratch("differential");
const [way, { fs: host }] = [ways[0]![0], hostOf(ways[0]![1])];

function emptyFolder(): string {
  return fs.mkdtempSync(path.join(folder, "d-"));
}

/** An overlay with what lies beneath it. */
interface Draft {
  readonly name: string;
  readonly draft: OverlayDirectory;
  readonly lower: Directory;
}

/** For a tree that nobody may have touched. */
const exactly = (seen: Seen): string => `${everything(seen)} ${seen.exact}`;

/** All directories that one seed makes the same things happen to. */
class Trial {
  readonly #random: (limit: number) => number;
  readonly #log: string[] = [];
  readonly #folders: [string, string] = [emptyFolder(), emptyFolder()];
  readonly #reference: World;
  readonly #memory: MemoryDirectory = memory();
  readonly #quota: Quota = new Quota(ROOM, 1e9);
  #values: World[];
  readonly #lowers: World[];
  #drafts: Draft[] = [];
  #worlds: World[];

  constructor(seed: number) {
    this.#random = generator(seed);
    const [reference, lower] = this.#folders.map((each) => host.directory(each));
    this.#reference = new World(way, reference!);
    const stable = new StableDirectory(memory(), new StableNumbers(new WebClock()));
    this.#values = [
      new World("memory()", this.#memory),
      new World("memory() beneath a quota", memory()),
      new World("memory() for a run that can be repeated", stable),
      new World("ntdll over a volume in memory", ntDirectory(baseVolume())),
    ];
    this.#lowers = [
      new World(`${way} as a lower directory`, lower!),
      new World("memory() as a lower directory", memory()),
      new World("memory() as a lowest directory", memory()),
    ];
    this.#worlds = [...this.#values, ...this.#lowers];
  }

  /** The last operations and what they answered. */
  get tail(): string {
    const from = Math.max(0, this.#log.length - TAIL);
    return this.#log.slice(from).map((line, i) => `${from + i}: ${line}`).join("\n");
  }

  run(): void {
    if (this.#chance(75)) this.#operate(20 + this.#random(STEPS));
    this.#closeAll();
    this.#layQuota();
    this.#layOverlays();
    for (let rounds = this.#random(4); rounds > 0; rounds--) {
      this.#operate(this.#some());
      this.#closeAll();
      for (const draft of this.#drafts) this.#commit(draft);
    }
    this.#end();
  }

  close(): void {
    this.#closeAll();
    this.#reference.root.close();
    this.#lowers[0]!.root.close();
    for (const each of this.#folders) fs.rmSync(each, { recursive: true });
  }

  #chance(percent: number): boolean {
    return this.#random(100) < percent;
  }

  /** How many operations to do: often so few that most of what lies beneath is not looked at. */
  #some(): number {
    return this.#random(this.#chance(50) ? STEPS / 10 : STEPS);
  }

  #closeAll(): void {
    for (const world of [this.#reference, ...this.#worlds]) world.closeAll();
  }

  /** Does things to all of them. */
  #operate(count: number): void {
    const inventor = new Inventor(this.#random, this.#values[0]!);
    for (let i = 0; i < count; i++) this.#do(inventor.next());
  }

  #do(operation: Operation): void {
    this.#log.push(operation.text);
    const reference = operation.run(this.#reference);
    this.#log[this.#log.length - 1] += ` → ${reference}`;
    for (const world of this.#worlds) {
      this.#during(world.name, () => {
        const answer = operation.run(world);
        assertSameAnswer(operation, { reference, answer }, this.#reference);
      });
    }
    assert.ok(this.#quota.room <= ROOM, "more room than there was");
  }

  /** Tells in whose case something went wrong. */
  #during<R>(what: string, use: () => R): R {
    try {
      return use();
    } catch (error) {
      throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Counts what is added from now on. */
  #layQuota(): void {
    const [value, quota, stable] = this.#values;
    const root = new QuotaDirectory(quota!.root, this.#quota);
    this.#values = [value!, new World("a quota over memory()", root), stable!];
  }

  #layOverlays(): void {
    const [lower, other, lowest] = this.#lowers.map(({ root }) => root);
    const middle = overlay(lowest!);
    this.#drafts = [
      { name: `overlay() over ${way}`, draft: overlay(lower!), lower: lower! },
      { name: "overlay() over memory()", draft: overlay(other!), lower: other! },
      { name: "overlay() over an overlay()", draft: overlay(middle), lower: middle },
      { name: "overlay() beneath an overlay()", draft: middle, lower: lowest! },
    ];
    this.#worlds = [...this.#values];
    for (const { name, draft } of this.#drafts.slice(0, 3)) {
      assert.deepEqual(draft.changes(), []);
      this.#worlds.push(new World(name, draft));
    }
  }

  /** Compares some with the reference: looking at all of an overlay changes what it knows. */
  #compare(): void {
    const expected = look(this.#reference.root);
    const worlds = this.#chance(50) ? this.#worlds : this.#values;
    for (const { name, root } of worlds) {
      this.#during(name, () => {
        if ("entries" in root) assertEntries(root as MemoryDirectory, expected);
        assertSame(look(root), expected, "it holds");
      });
    }
  }

  /** Makes the changes beneath, which then holds what the reference holds. */
  #commit({ name, draft, lower }: Draft, expected: View = look(this.#reference.root)): void {
    this.#during(name, () => {
      const before = look(lower);
      if (this.#chance(50)) assertSame(look(draft), expected, "before commit()");
      if (this.#chance(50)) checkChanges(draft.changes(), before, expected);
      assertSame(look(lower), before, "beneath before commit()", exactly);
      draft.commit();
      assertSame(look(lower), expected, "beneath after commit()");
      assert.deepEqual(draft.changes(), []);
      assertSame(look(draft), expected, "after commit()");
      assert.deepEqual(draft.changes(), []);
    });
  }

  /** The last round, with states to come back to. */
  #end(): void {
    this.#operate(this.#some());
    const drafts = this.#chance(30) ? this.#drafts.slice(0, 3) : [];
    const expected = look(this.#reference.root);
    const restored = [this.#memory, ...drafts.map(({ draft }) => draft)].map((each) => {
      const snapshot = each.snapshot();
      return () => this.#restore(each, () => each.restore(snapshot), expected);
    });
    this.#operate(this.#some());
    this.#compare();
    for (const restore of restored) restore();
    this.#closeAll();
    const now = drafts.length > 0 ? expected : look(this.#reference.root);
    for (const draft of this.#drafts) {
      if (this.#chance(30) && draft.lower !== this.#drafts[2]!.lower) this.#discard(draft);
      else this.#commit(draft, now);
    }
    this.#during(this.#values[1]!.name, () => this.#giveBack());
  }

  /** Goes back twice, with changes between; files that are open keep their content. */
  #restore(directory: MemoryDirectory, restore: () => void, expected: View): void {
    const world = this.#worlds.find(({ root }) => root === directory)!;
    const contents = (): string[] =>
      world.files.map((each) => each?.reads ? bytesOf(each.file) : "");
    this.#during(world.name, () => {
      const before = contents();
      restore();
      assert.deepEqual(contents(), before, "what is open");
      assertSame(look(directory), expected, "after restore()");
      world.closeAll();
      const inventor = new Inventor(this.#random, world);
      for (let i = this.#random(40); i > 0; i--) inventor.next().run(world);
      restore();
      assertSame(look(directory), expected, "after restore() again");
    });
  }

  #discard({ name, draft, lower }: Draft): void {
    this.#during(name, () => {
      draft.discard();
      assert.deepEqual(draft.changes(), []);
      assertSame(look(draft), look(lower), "after discard()", exactly);
    });
  }

  /** Whoever removes all has all room again. */
  #giveBack(): void {
    removeAll(this.#values[1]!.root);
    assert.equal(this.#quota.room, ROOM);
  }
}

/** What the embedder sees is what the guest sees. */
function assertEntries(directory: MemoryDirectory, view: View): void {
  const seen: View = new Map();
  for (const { path, kind, content, target, mtime } of directory.entries()) {
    const text = {
      file: () => `regular_file ${content.length} bytes ${digest(content)}`,
      directory: () => "directory",
      link: () => `symbolic_link to "${target}"`,
    };
    seen.set(path, { content: text[kind](), mtime: "", names: "", exact: mtime });
  }
  assertSame(seen, view, "entries()", ({ content }) => content);
}

function removeAll(directory: Directory): void {
  const entries = list(directory);
  assert.notEqual(typeof entries, "number");
  for (const { name, filetype } of entries as Exclude<typeof entries, number>) {
    if (name === "." || name === "..") continue;
    if (filetype !== Filetype.DIRECTORY) {
      assert.equal(directory.unlink(name), 0);
      continue;
    }
    const inner = directory.open(name, Open.READ | Open.DIRECTORY, 0) as Directory;
    removeAll(inner);
    inner.close();
    assert.equal(directory.rmdir(name), 0);
  }
}

/** What is at a path and in it: how the rest of each path goes on, and what is there. */
function within(view: View, path: string): [rest: string, seen: Seen][] {
  return [...view].filter(([each]) => each === path || each.startsWith(`${path}/`))
    .map(([each, seen]) => [each.slice(path.length), seen]);
}

/** Whoever makes the changes one after the other comes from what lies beneath to what is shown. */
function checkChanges(changes: readonly OverlayChange[], lower: View, upper: View): void {
  const made: View = new Map(lower);
  for (const { path, kind, from } of changes) {
    if (path === ".") continue; // times of the whole
    const text = `${kind} ${path} ${from ?? ""}`;
    const there = kind === "removed" ? made : upper;
    assert.ok(there.has(path), `${text}: it is not there`);
    if (kind === "removed") { for (const [rest] of within(made, path)) made.delete(path + rest); }
    else if (from === undefined) made.set(path, upper.get(path)!);
    else {
      assert.ok(!made.has(path) && lower.has(from), `${text}: it is not there, or it is here`);
      for (const [rest, seen] of within(lower, from)) made.set(path + rest, seen);
    }
  }
  assertSame(made, upper, "changes()", ({ content, mtime }) => `${content} ${mtime}`);
}

function runSeed(seed: number): void {
  const trial = new Trial(seed);
  try {
    trial.run();
  } catch (error) {
    const text = `WASI_SEED=${seed}: ${(error as Error).message}\n${trial.tail}`;
    throw new Error(text, { cause: error });
  } finally {
    trial.close();
  }
}

test(`${SEEDS} times many operations, made up from seeds ${FIRST} and on`, () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) runSeed(seed);
});
