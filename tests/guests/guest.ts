/** Running the self-checking guests of this folder, and looking at what they left on the disk. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import {
  compile,
  type Outcome,
  root,
  run,
  type RunOptions,
  runtime,
  scratch,
} from "../support/harness.ts";
import { own, type Shared, type Subject, type TestOptions } from "../support/subject.ts";
import { here } from "../support/system.ts";
import { CHECKS, type SelfChecking } from "./checks.ts";

/** The module of a guest; `name` is its file's without `.wasm`. */
export function guestModule(name: string): WebAssembly.Module {
  return compile(path.join(root, "tests", "guests", `${name}.wasm`));
}

/** The lines of a guest's standard output that begin with a word, without it. */
export function linesOf(outcome: Outcome, word: string): string[] {
  const start = `${word} `;
  return outcome.out.split("\n").filter((line) => line.startsWith(start))
    .map((line) => line.slice(start.length));
}

/** Guests on the classes of one host. */
export class Guests implements Subject {
  readonly WASI: Subject["WASI"];
  readonly AsyncWASI: Subject["AsyncWASI"];
  readonly test: Subject["test"];

  constructor({ WASI, AsyncWASI, test }: Subject) {
    this.WASI = WASI;
    this.AsyncWASI = AsyncWASI;
    this.test = test;
  }

  /** Runs a module with real files as its standard streams. */
  run(module: WebAssembly.Module, options: RunOptions = {}): Outcome {
    return run(module, options, this.WASI);
  }

  /**
   * Runs a guest and asserts that it made as many checks as it is known for, that all of them passed,
   * and that it ended with 0.
   */
  passes(name: SelfChecking, options: RunOptions = {}): Outcome {
    const outcome = this.run(guestModule(name), options);
    const failed = linesOf(outcome, "not ok");
    assert.equal(failed.length, 0, `${name}: ${failed.length} checks failed\n${failed.join("\n")}`);
    assert.equal(outcome.code, 0, `${name}: exit code; standard error: ${outcome.err}`);
    assert.equal(linesOf(outcome, "ok").length, CHECKS[name], `${name}: number of checks`);
    return outcome;
  }

  /** Runs a guest over a fresh folder as its `/`; gives the folder and what the guest left behind. */
  passesIn(
    name: SelfChecking,
    options: RunOptions & { prepare?: (folder: string) => void } = {},
  ): Outcome & { folder: string } {
    const folder = scratch(`guest-${name}`);
    options.prepare?.(folder);
    return { folder, ...this.passes(name, { preopens: { "/": folder }, ...options }) };
  }
}

/** Guests on the host that the runtime gets by itself. */
export const guests: Guests = new Guests(own);

/** As {@linkcode Guests.passes}, on that host. */
export const passes: Guests["passes"] = (...parameters) => guests.passes(...parameters);

/** As {@linkcode Guests.passesIn}, on that host. */
export const passesIn: Guests["passesIn"] = (...parameters) => guests.passesIn(...parameters);

/**
 * A test of a guest that makes links. Where there are none the guest gets no further than that: it is
 * told so, and has made nothing that is taken for one.
 */
export function testLinked(
  shared: Shared<Guests>,
  sentence: string,
  name: string,
  ...rest: [body: (on: Guests) => void] | [options: TestOptions, body: (on: Guests) => void]
): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  if (here.linkError === 0) return shared.test(sentence, options, body);
  shared.test(`${sentence}: where there are no links`, (on) => {
    const folder = scratch(`guest-${name}`);
    const input = "first line\n12 -7\n";
    const outcome = on.run(guestModule(name), { preopens: { "/": folder }, input });
    const failed = linesOf(outcome, "not ok").join("\n");
    if (failed === "") assert.match(outcome.err, /AccessDenied|PermissionDenied/);
    else assert.match(failed, /^(?:the preparation `.*link|symlink\(\) succeeds)/m);
    assert.notEqual(outcome.code, 0);
    assert.deepEqual(tree(folder).filter((line) => line.includes(" -> ")), []);
  });
}

/** The text of a file that the guest wrote. */
export function textOf(...names: string[]): string {
  return fs.readFileSync(path.join(...names), "utf8");
}

/**
 * All that a folder holds, sorted: directories as `name/`, links as `name -> text`, files as
 * `name` with their size.
 */
export function tree(folder: string, prefix = ""): string[] {
  const found: string[] = [];
  for (const name of fs.readdirSync(folder).sort()) {
    const file = path.join(folder, name);
    const stat = fs.lstatSync(file);
    if (stat.isDirectory()) found.push(`${prefix}${name}/`, ...tree(file, `${prefix}${name}/`));
    else if (stat.isSymbolicLink()) found.push(`${prefix}${name} -> ${fs.readlinkSync(file)}`);
    else found.push(`${prefix}${name} ${stat.size}`);
  }
  return found;
}

/** Runs a line of shell: what the runtime itself cannot do or see. Gives its standard output. */
export function shell(line: string, folder: string): string {
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", line], { cwd: folder });
  assert.equal(status, 0, `${line}: ${stderr}`);
  return stdout.toString();
}

/** Access and modification time of a file or link itself, in nanoseconds since 1970. */
export function timesOf(file: string): { atim: bigint; mtim: bigint } {
  if (runtime !== "deno") {
    const { atimeNs, mtimeNs } = fs.lstatSync(file, { bigint: true });
    return { atim: atimeNs, mtim: mtimeNs };
  }
  // Deno's node:fs tells milliseconds.
  const told = shell(`stat -c '%.9X %.9Y' -- "${file}"`, "/").trim().replaceAll(".", "").split(" ");
  return { atim: BigInt(told[0]!), mtim: BigInt(told[1]!) };
}
