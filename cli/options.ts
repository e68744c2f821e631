/**
 * The options of `wasi`: what each takes and what it sets.
 *
 * @module
 */
import { currentSystem } from "../adapters/platform.ts";
import { THREADS } from "../core/constants.ts";
import { UsageError } from "./error.ts";
import { address, duration, reachable, size, time, whole } from "./values.ts";
import type { Setting } from "./wasmtime.ts";

/** A directory for the guest. */
export interface Mount {
  kind: "host" | "overlay" | "memory";
  /** the path on the host; "" for what is in memory */
  host: string;
  guest: string;
  readOnly: boolean;
  /** as it was given */
  option: string;
}

/** What is to be done. */
export interface Command {
  action: "run" | "inspect" | "completion" | "help" | "version";
  /** for "completion" the shell */
  file: string;
  /** what comes after FILE */
  rest: string[];
  mounts: Mount[];
  env: Record<string, string>;
  argv0: string | undefined;
  invoke: string | undefined;
  /** milliseconds */
  timeout: number | undefined;
  /** bytes */
  maxMemory: number | undefined;
  /** bytes */
  maxDisk: number | undefined;
  /** bytes */
  maxOutput: number | undefined;
  maxFiles: number | undefined;
  maxOpenFiles: number | undefined;
  /** nanoseconds since 1970 */
  clock: bigint | undefined;
  seed: bigint | undefined;
  /** kinds of system calls; undefined for no trace */
  trace: string[] | undefined;
  stdin: string | undefined;
  confine: "kernel" | "walk" | "checked" | undefined;
  /** how many threads it may have at once besides its main; undefined for none */
  threads: number | undefined;
  /** a module's sockets that listen, with descriptors after the directories; where a component may */
  listen: { host: string; port: number }[];
  /** where a component may connect to */
  network: string[];
  /** whether a component may connect to every address, and listen on every one */
  inheritNetwork: boolean;
  /** whether a component may resolve every name; undefined for those in `network` */
  lookup: boolean | undefined;
}

/** What has been read of the command line so far. */
export interface Draft extends Command {
  deterministic: boolean;
  inheritEnv: boolean;
  envFiles: string[];
  variables: string[];
  settings: Setting[];
  config: string | undefined;
}

/** One option. */
export interface Option {
  /** what its value is; undefined if it has none */
  value?: string;
  /** its value if none is given, which then can only be given after "=" */
  default?: string;
  /** what a shell completes its value with: names of files, of folders, or one of these words */
  completed?: "files" | "folders" | readonly string[];
  /** not available */
  hidden?: true;
  set(draft: Draft, value: string, option: string): void;
}

/** The kinds of system calls of a trace. */
const TRACES = ["all", "args", "clock", "fs", "poll", "proc", "sock"];

/** How directories may be confined. */
const CONFINEMENTS = ["kernel", "walk", "checked"];

/** A group of settings of wasmtime. */
function group(letter: Setting["group"]): Option {
  return {
    value: "NAME[=VALUE]",
    set: ({ settings }, text, option) => {
      for (const part of text.split(",")) settings.push({ group: letter, text: part, option });
    },
  };
}

/** An option that is known but not available, with what to do instead. */
function refused(why: string, value?: string): Option {
  return {
    value,
    hidden: true,
    set: (_, text, option) => {
      throw new UsageError(`${text === "" ? option : `${option} ${text}`}: ${why}`);
    },
  };
}

/** All of them, by their names. */
export const OPTIONS: Readonly<Record<string, Option>> = {
  dir: {
    completed: "folders",
    value: "HOST[::GUEST[::ro]]",
    set: ({ mounts }, text, option) => mounts.push(hostMount("host", text, option)),
  },
  mount: {
    completed: "folders",
    value: "HOST[:GUEST][:ro]",
    set: ({ mounts }, text, option) => mounts.push(wazeroMount(text, option)),
  },
  mapdir: {
    value: "GUEST::HOST",
    hidden: true,
    set: (_, text) => {
      const [guest, host] = text.split("::");
      throw new UsageError(
        `--mapdir ${text}: wasmtime replaced it with --dir, where the host's path comes first: ` +
          `use --dir ${host ?? "HOST"}::${guest}`,
      );
    },
  },
  overlay: {
    completed: "folders",
    value: "HOST[::GUEST]",
    set: ({ mounts }, text, option) => mounts.push(hostMount("overlay", text, option)),
  },
  tmp: {
    value: "GUEST",
    default: "/tmp",
    set: ({ mounts }, guest, option) => {
      if (guest === "") throw new UsageError(`${option}=: it must be --tmp or --tmp=GUEST`);
      mounts.push({ kind: "memory", host: "", guest, readOnly: false, option: `--tmp=${guest}` });
    },
  },
  env: { value: "NAME[=VALUE]", set: (draft, text) => draft.variables.push(text) },
  "env-inherit": { set: (draft) => draft.inheritEnv = true },
  "env-file": {
    completed: "files",
    value: "FILE",
    set: (draft, file) => draft.envFiles.push(file),
  },
  argv0: { value: "NAME", set: (draft, name) => draft.argv0 = name },
  invoke: { value: "NAME", set: (draft, name) => draft.invoke = name },
  stdin: { completed: "files", value: "FILE", set: (draft, file) => draft.stdin = file },
  timeout: {
    value: "TIME",
    set: (draft, text, option) => draft.timeout = duration(text, option),
  },
  "max-memory": {
    value: "SIZE",
    set: (draft, text, option) => draft.maxMemory = size(text, option),
  },
  "max-output": {
    value: "SIZE",
    set: (draft, text, option) => draft.maxOutput = size(text, option),
  },
  "max-open-files": {
    value: "N",
    set: (draft, text, option) => draft.maxOpenFiles = size(text, option),
  },
  "max-disk": {
    value: "SIZE",
    set: (draft, text, option) => draft.maxDisk = size(text, option),
  },
  "max-files": {
    value: "N",
    set: (draft, text, option) => draft.maxFiles = size(text, option),
  },
  deterministic: { set: (draft) => draft.deterministic = true },
  seed: { value: "N", set: (draft, text, option) => draft.seed = whole(text, option) },
  clock: { value: "TIME", set: (draft, text, option) => draft.clock = time(text, option) },
  trace: {
    completed: TRACES,
    value: "KINDS",
    default: "all",
    set: (draft, text, option) => {
      for (const kind of text.split(",")) {
        if (!TRACES.includes(kind)) {
          throw new UsageError(`${option}=${text}: there are ${TRACES.join(", ")}`);
        }
        (draft.trace ??= []).push(kind);
      }
    },
  },
  confine: {
    completed: CONFINEMENTS,
    value: "kernel|walk|checked",
    set: (draft, text, option) => {
      if (text !== "kernel" && text !== "walk" && text !== "checked") {
        throw new UsageError(`${option}=${text}: there are kernel, walk and checked`);
      }
      draft.confine = text;
    },
  },
  version: { set: (draft) => draft.action = "version" },
  help: { set: (draft) => draft.action = "help" },
  // wasmtime's groups, and what wazero and wasmtime have for their own engines
  wasm: group("W"),
  wasi: group("S"),
  optimize: group("O"),
  codegen: group("C"),
  debug: group("D"),
  config: { completed: "files", value: "FILE", set: (draft, file) => draft.config = file },
  cachedir: { completed: "folders", value: "DIR", set: () => {} },
  threads: {
    value: "N",
    default: String(THREADS),
    set: (draft, text, option) => draft.threads = size(text, option),
  },
  listen: {
    value: "HOST:PORT",
    set: ({ listen }, text, option) => listen.push(address(text, option)),
  },
  network: {
    value: "HOST[:PORT]",
    set: ({ network }, text, option) => network.push(reachable(text, option)),
  },
  tcplisten: {
    value: "HOST:PORT",
    set: ({ listen }, text, option) => listen.push(address(text, option)),
  },
  preload: refused("one module is run alone; link them into one", "NAME=FILE"),
  hostlogging: refused("use --trace", "SCOPES"),
};

/** Letters that stand for options. */
export const LETTERS: Readonly<Record<string, string>> = {
  W: "wasm",
  S: "wasi",
  O: "optimize",
  C: "codegen",
  D: "debug",
  V: "version",
  h: "help",
};

/**
 * A path's drive on Windows, "C:", and what comes after it: a drive's colon separates nothing. A
 * folder of one letter is told from it by a path: ".\\C:/data".
 */
function afterDrive(text: string, windows: boolean): [drive: string, rest: string] {
  const drive = windows && /^[a-z]:(?=$|[^:]|::)/i.test(text) ? text.slice(0, 2) : "";
  return [drive, text.slice(drive.length)];
}

/** HOST[::GUEST[::ro]], as wasmtime spells it. */
export function hostMount(
  kind: "host" | "overlay",
  text: string,
  option: string,
  windows: boolean = currentSystem() === "windows",
): Mount {
  const [drive, paths] = afterDrive(text, windows);
  const [rest, guest, mode, ...more] = paths.split("::");
  const host = `${drive}${rest}`;
  const modes = kind === "host" ? ["ro", "rw"] : [];
  if (!host || more.length > 0 || (mode !== undefined && !modes.includes(mode))) {
    const forms = kind === "host" ? "HOST, HOST::GUEST or HOST::GUEST::ro" : "HOST or HOST::GUEST";
    throw new UsageError(`${option} ${text}: it must be ${forms}`);
  }
  const readOnly = mode === "ro";
  return { kind, host, guest: guest || host, readOnly, option: `${option} ${text}` };
}

/** HOST[:GUEST][:ro], as wazero spells it: without GUEST it has the name it has on the host. */
export function wazeroMount(
  text: string,
  option: string,
  windows: boolean = currentSystem() === "windows",
): Mount {
  const [drive, all] = afterDrive(text, windows);
  const readOnly = all.endsWith(":ro");
  const paths = readOnly ? all.slice(0, -3) : all;
  const colon = paths.lastIndexOf(":");
  const host = drive + (colon < 0 ? paths : paths.slice(0, colon));
  if (host === "") {
    throw new UsageError(`${option} ${text}: it must be HOST, HOST:GUEST or HOST:GUEST:ro`);
  }
  const guest = (colon < 0 ? "" : paths.slice(colon + 1)) || host;
  return { kind: "host", host, guest, readOnly, option: `${option} ${text}` };
}
