/**
 * Components: running them, calling what they export, and telling what they are.
 *
 * @module
 */
import { loadNetwork } from "../adapters/run.ts";
import { runtimeMaker } from "../adapters/runtime.ts";
import type { ComponentBinary } from "../core/component/binary.ts";
import { readComponent } from "../core/component/reader.ts";
import { PAGE } from "../core/constants.ts";
import { Errno } from "../core/errno.ts";
import type { HostMaker } from "../core/guest/wasi.ts";
import type { File } from "../core/host.ts";
import { limitMemory } from "../core/module/memory.ts";
import type { NetworkOptions } from "../core/preview2/grant.ts";
import { codeOf, entryOf, withComponent } from "../core/run/component.ts";
import { LoadedProgram } from "../core/run/program.ts";
import { type RunOptions, validateSettings } from "../core/run/options.ts";
import { harmless } from "../core/text.ts";
import { CommandError, plain, UsageError } from "./error.ts";
import type { Command } from "./options.ts";
import { ending, optionsOf } from "./run.ts";
import { exit, OUTPUT_CLOSED } from "./runtime.ts";
import { type Bytes, FRAMES_KEPT } from "./stack.ts";

/** The descriptors that a reader may leave. */
const OUTPUT: readonly number[] = [1, 2];

/** A stream that ends the process quietly if its reader is gone. */
function endingWithReader(file: File): File {
  const write = file.write;
  file.write = (from, offset, length, position) => {
    const count = write.call(file, from, offset, length, position);
    if (count === -Errno.PIPE) exit(OUTPUT_CLOSED);
    return count;
  };
  return file;
}

/** Makes the runtime's hosts, whose standard output ends the process with its reader. */
function maker(): HostMaker {
  const make = runtimeMaker();
  return (options) => {
    const host = make(options);
    const { fs } = host;
    const stream = (fd: number): File =>
      OUTPUT.includes(fd) ? endingWithReader(fs.stream(fd)) : fs.stream(fd);
    return { ...host, fs: { ...fs, stream } };
  };
}

/** Options that only modules have. */
function refuseForModules({ threads }: Command): void {
  if (threads !== undefined) {
    throw new UsageError("--threads: not for a component; only modules of preview1 have threads");
  }
}

/** What the component may do with the network; undefined for nothing. */
function networkOf(
  { network, listen, inheritNetwork, lookup }: Command,
): NetworkOptions | undefined {
  const addresses = listen.map(({ host, port }) =>
    host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
  );
  const all = inheritNetwork ? ["*"] : [];
  if ([...network, ...addresses, ...all].length === 0 && lookup === undefined) return undefined;
  return {
    connect: [...network, ...all],
    listen: [...addresses, ...all],
    // wasmtime grants addresses and names apart
    lookup: inheritNetwork ? lookup ?? false : lookup,
  };
}

/** The modules that a component is made of, as they run. */
function modulesOf(bytes: Uint8Array, maxMemory: number | undefined): Bytes[] {
  const found: Bytes[] = [];
  const add = ({ definitions }: ComponentBinary): void => {
    for (const definition of definitions) {
      if (definition.kind === "component") add(definition.component);
      if (definition.kind !== "core module") continue;
      const run = maxMemory === undefined
        ? definition.bytes
        : limitMemory(definition.bytes, Math.floor(maxMemory / PAGE));
      found.push({ given: run, run });
    }
  };
  try {
    add(readComponent(bytes));
  } catch {
    // what the engine knows and this does not is told without names
  }
  return found;
}

/** An error of the class about a component, in the command's words; undefined for a trap. */
function refusedBy(error: unknown, { file, maxMemory }: Command): CommandError | undefined {
  if (error instanceof CommandError) return error;
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  if (code === "ERR_WASI_COMPONENT") {
    const reason = plain(error).replace(/^The component/, "the component")
      .replace(/: provide it with options\..*$/s, "");
    return new CommandError(`${file}: ${reason}`);
  }
  if (code === "ERR_OUT_OF_RANGE" && message?.includes("limits.memoryPages")) {
    return new CommandError(`${file}: it needs more memory than --max-memory=${maxMemory} allows`);
  }
  if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) {
    const reason = plain(error).replace(/^WebAssembly\.\w+\(\): /, "");
    return new CommandError(`${file}: the engine rejects a module of this component: ${reason}`);
  }
  return undefined;
}

/** Runs the component, or calls what it exports; gives the exit code. */
export async function runFile(command: Command, bytes: Uint8Array): Promise<number> {
  refuseForModules(command);
  // a component opens its sockets itself
  const options: RunOptions = await optionsOf({ ...command, listen: [] });
  options.network = networkOf(command);
  (Error as { stackTraceLimit?: number }).stackTraceLimit = FRAMES_KEPT;
  const programs = (): Bytes[] => modulesOf(bytes, command.maxMemory);
  return await ending(command, programs, () => undefined, async () => {
    try {
      const settings = validateSettings({});
      return await withComponent(
        { maker, network: loadNetwork },
        new LoadedProgram(bytes, true),
        options,
        settings,
        async (linked, ended) => {
          if (command.invoke !== undefined) {
            const { invokeComponent } = await import("./invoke_component.ts");
            return await invokeComponent(command, linked, ended);
          }
          const run = entryOf(linked);
          if (run !== undefined) return await codeOf(run, ended);
          throw new CommandError(
            `${command.file}: it exports no wasi:cli/run; use --invoke NAME to call one of its ` +
              "functions",
          );
        },
      );
    } catch (error) {
      throw refusedBy(error, command) ?? error;
    }
  });
}

/** What `wasi inspect` tells of a component: its world in WIT. */
export async function inspectComponent(file: string, bytes: Uint8Array): Promise<string> {
  const { worldOf } = await import("../core/component/world.ts");
  let world: string;
  try {
    world = await worldOf(bytes);
  } catch (error) {
    throw new CommandError(`${file}: ${plain(error).replace(/^The component/, "the component")}`);
  }
  return `// ${harmless(file)}: a component, ${bytes.length} bytes\n${world}`;
}
