/** What the page and its worker tell each other. */

/** A program to run. */
export interface Job {
  module: WebAssembly.Module;
  args: string[];
  env: Record<string, string>;
  stdin: string;
  files: Map<string, Uint8Array>;
  trace: boolean;
}

/** A difference between the files before and after. */
export interface Change {
  kind: "added" | "modified" | "removed";
  path: string;
  from: string | undefined;
  /** of a file that is there now */
  content: Uint8Array | undefined;
}

/** What the worker tells. */
export type Report =
  | { kind: "output"; stream: 1 | 2; chunk: Uint8Array }
  | { kind: "calls"; lines: string[]; total: number }
  | {
    kind: "ended";
    code: number;
    /** why it trapped, if it did */
    trap: string | undefined;
    changes: Change[];
    files: Map<string, Uint8Array>;
  }
  | { kind: "failed"; text: string };
