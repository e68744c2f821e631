/**
 * The macOS backend over tests/darwin/library.c, which has Darwin's calls on Linux. Each test that
 * runs on it asserts that the library was in use: that it is mapped, and that it served calls
 * meanwhile.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { hostMaker, type Runtime } from "../../adapters/host.ts";
import type { CSignature } from "../../core/foreign.ts";
import { BaseAsyncWASI } from "../../core/guest/async_wasi.ts";
import { BaseWASI, type HostMaker } from "../../core/guest/wasi.ts";
import { foreign, root, scratch } from "./harness.ts";
import { ownRuntime, type Way } from "./hosts.ts";
import { type Declare, declare, type Subject } from "./subject.ts";
import { zigCC } from "./zig.ts";

/** Processors whose tables are tried: none where the library cannot run. */
export const processors: readonly string[] = foreign && process.platform === "linux"
  ? ["x64", "arm64"]
  : [];

const folder = processors.length === 0 ? "" : scratch("darwin");

/** Builds the library for a processor's tables; gives its path. */
function build(processor: string): string {
  const file = path.join(folder, `${processor}.so`);
  const target = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  zigCC([
    ..."-std=gnu17 -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden".split(" "),
    ...(processor === "arm64" ? ["-DSTACK"] : []),
    "-target",
    target,
    path.join(root, "tests/darwin/library.c"),
    "-o",
    file,
  ]);
  return file;
}

/** What a library exports beside Darwin's calls: how many it has served. */
const counter: Readonly<Record<string, CSignature>> = { darwin_calls: [[], "i32"] };

/** macOS with the tables of one processor. */
export class Darwin implements Subject {
  readonly processor: string;
  readonly library: string;
  readonly makeHost: HostMaker;
  readonly way: Way;
  readonly WASI: Subject["WASI"];
  readonly AsyncWASI: Subject["AsyncWASI"];
  readonly #runtime: Runtime = ownRuntime();

  /** `library` is another one than what is built of library.c. */
  constructor(processor: string, library: string = build(processor)) {
    this.processor = processor;
    this.library = library;
    const own = this.#runtime;
    const makeHost = hostMaker({ ...own, platform: "darwin", arch: processor, library });
    this.makeHost = makeHost;
    this.way = { ffi: true, confinement: "walk", makeHost };
    this.WASI = class extends BaseWASI {
      constructor(options: ConstructorParameters<Subject["WASI"]>[0]) {
        super(options, makeHost);
      }
    };
    this.AsyncWASI = class extends BaseAsyncWASI {
      constructor(options: ConstructorParameters<Subject["AsyncWASI"]>[0]) {
        super(options, makeHost);
      }
    };
  }

  /** How many calls the library has served; throws if it is not there. */
  calls(): number {
    const opened = this.#runtime.foreign({
      names: [this.library],
      tables: { first: "darwin_calls", signatures: counter, variants: {}, optionalSignatures: {} },
    });
    assert.ok(opened !== undefined, `the library ${this.library} cannot be opened`);
    return opened.symbols.darwin_calls!();
  }

  /** Asserts that the library is mapped and has served calls since it had served `before`. */
  assertUsed(before: number): void {
    assert.ok(
      fs.readFileSync("/proc/self/maps", "utf8").includes(this.library),
      `${this.library} is not mapped`,
    );
    assert.ok(this.calls() > before, "the library served no call");
  }

  /** Declares a test of what must have used the library when it is over. */
  readonly test: Declare = (sentence, options, body) => {
    declare(`${sentence} (macOS, ${this.processor})`, options, async (context) => {
      const before = this.calls();
      await body(context);
      this.assertUsed(before);
    });
  };
}

/** Each processor's, made once per process. */
export const darwins: readonly Darwin[] = processors.map((processor) => new Darwin(processor));
